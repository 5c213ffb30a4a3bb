//! The rules of a crawl, each against a small scripted site.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::run::{code, nephila, pages, rows, words};

/// A site of a few fixed answers: path to head (status line and headers) and body. What was asked
/// for is noted in order.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) fn serve(answers: &[(&str, &str, &str)]) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: BTreeMap<String, (String, String)> = answers
            .iter()
            .map(|(path, head, body)| {
                (
                    (*path).to_owned(),
                    ((*head).to_owned(), body.replace("PORT", &port.to_string())),
                )
            })
            .collect();
        let (answers, noted) = (Arc::new(answers), asked.clone());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, noted) = (answers.clone(), noted.clone());
                std::thread::spawn(move || answer(stream, &answers, &noted));
            }
        });
        Scripted { port, asked }
    }

    pub(crate) fn crawl(&self, out: &Path, options: &[&str]) -> std::process::Output {
        let seed = format!("http://127.0.0.1:{}/", self.port);
        nephila()
            .args(["crawl", &seed, "--quiet", "--out"])
            .arg(out)
            .args(options)
            .output()
            .unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn answer(
    stream: TcpStream,
    answers: &BTreeMap<String, (String, String)>,
    noted: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        while reader.read_line(&mut line).unwrap_or(0) > 2 {}
        let has_login = line.to_ascii_lowercase().contains(
            "authorization: basic bwu6cHc="
                .to_ascii_lowercase()
                .as_str(),
        );
        let path = if has_login {
            format!("{path}#login")
        } else {
            path
        };
        noted.lock().unwrap().push(path.clone());
        let path = path.trim_end_matches("#login");
        let missing = ("404 Not Found".to_owned(), String::new());
        let (head, body) = answers.get(path).unwrap_or(&missing);
        let has_type = head.to_ascii_lowercase().contains("content-type");
        let html = if has_type {
            ""
        } else {
            "Content-Type: text/html\r\n"
        };
        let head = head.replace('\n', "\r\n");
        let text = format!(
            "HTTP/1.1 {head}\r\n{html}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn outcomes(directory: &Path) -> BTreeMap<String, String> {
    pages(directory)
        .into_iter()
        .map(|(url, row)| {
            let path = url
                .splitn(4, '/')
                .nth(3)
                .map(|path| format!("/{path}"))
                .unwrap();
            (path, row["outcome"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn expect(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(path, outcome)| ((*path).into(), (*outcome).into()))
        .collect();
    assert_eq!(*found, expected);
}

#[test]
fn robots_txt_comes_first_and_is_obeyed() {
    let site = Scripted::serve(&[
        ("/robots.txt", "200 OK", "User-agent: *\nDisallow: /no\n"),
        ("/", "200 OK", "<a href=/yes>y</a><a href=/no/1>n</a>"),
        ("/yes", "200 OK", "<p>yes"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    assert_eq!(code(&site.crawl(&out, &[])), 0);
    expect(
        &outcomes(&out),
        &[
            ("/", "fetched"),
            ("/yes", "fetched"),
            ("/no/1", "robots_denied"),
        ],
    );
    assert_eq!(site.asked.lock().unwrap()[0], "/robots.txt");
    assert_eq!(site.asked(), ["/", "/robots.txt", "/yes"]);
    let denied = &pages(&out)[&format!("http://127.0.0.1:{}/no/1", site.port)];
    assert_eq!(denied["error"], "robots.txt line 2: Disallow: /no");

    let own = folder.path().join("own");
    assert_eq!(code(&site.crawl(&own, &["--ignore-robots"])), 0);
    assert_eq!(outcomes(&own)["/no/1"], "http_error");
    assert_eq!(super::run::summary(&own)["ignored_robots"], true);
}

#[test]
fn robots_txt_with_5xx_forbids_everything() {
    let site = Scripted::serve(&[("/robots.txt", "503 Busy", ""), ("/", "200 OK", "x")]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let options = [
        "--robots-wait",
        "10ms",
        "--backoff",
        "10ms",
        "--robots-attempts",
        "3",
    ];
    let output = site.crawl(&out, &options);
    assert_eq!(code(&output), 3, "{}", words(&output));
    expect(&outcomes(&out), &[("/", "robots_unavailable")]);
    assert_eq!(site.asked(), ["/robots.txt", "/robots.txt", "/robots.txt"]);
}

#[test]
fn nofollow_is_obeyed_in_its_three_forms() {
    let site = Scripted::serve(&[
        (
            "/",
            "200 OK",
            "<a rel='nofollow x' href=/link>l</a><a href=/meta>m</a><a href=/head>h</a>",
        ),
        (
            "/meta",
            "200 OK",
            "<meta name=robots content='noindex, nofollow'><a href=/from-meta>x</a>",
        ),
        (
            "/head",
            "200 OK\nX-Robots-Tag: nofollow",
            "<a href=/from-head>x</a>",
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("obey");
    assert_eq!(code(&site.crawl(&out, &["--nofollow", "obey"])), 0);
    expect(
        &outcomes(&out),
        &[("/", "fetched"), ("/meta", "fetched"), ("/head", "fetched")],
    );
    let auto = folder.path().join("auto");
    assert_eq!(code(&site.crawl(&auto, &[])), 0);
    assert!(
        outcomes(&auto).contains_key("/link"),
        "within one's own host"
    );
    assert!(!outcomes(&auto).contains_key("/from-meta"));
    let ignore = folder.path().join("ignore");
    assert_eq!(code(&site.crawl(&ignore, &["--nofollow", "ignore"])), 0);
    assert_eq!(outcomes(&ignore).len(), 6);
}

#[test]
fn redirects_go_through_admission_and_types_are_cut_off() {
    let site = Scripted::serve(&[
        (
            "/",
            "200 OK",
            "<a href=/a>a</a><a href=/out>o</a><a href=/loop>l</a><a href=/i>i</a>",
        ),
        ("/a", "302 Found\nLocation: /b?x#y", ""),
        ("/b?x", "200 OK", "b"),
        ("/out", "301 Moved\nLocation: http://127.0.0.2:1/secret", ""),
        ("/loop", "307 Again\nLocation: /loop2", ""),
        ("/loop2", "308 Again\nLocation: /loop", ""),
        ("/i", "200 OK\nContent-Type: image/png", "PNG"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    assert_eq!(code(&site.crawl(&out, &[])), 0);
    let expected = [
        ("/", "fetched"),
        ("/a", "redirected"),
        ("/b?x", "fetched"),
        ("/out", "redirected"),
        ("/loop", "redirected"),
        ("/loop2", "redirected"),
        ("/i", "wrong_type"),
    ];
    expect(&outcomes(&out), &expected);
    let pages = pages(&out);
    let row = |path: &str| &pages[&format!("http://127.0.0.1:{}{path}", site.port)];
    assert_eq!(row("/b?x")["hops"], 2, "a redirect is one hop");
    assert_eq!(row("/out")["redirect_target"], "http://127.0.0.2:1/secret");
}

#[test]
fn sitemaps_are_read_on_request() {
    let urls = "<urlset><url><loc>http://127.0.0.1:PORT/alone</loc></url></urlset>";
    let index =
        "<sitemapindex><sitemap><loc>http://127.0.0.1:PORT/s1.xml</loc></sitemap></sitemapindex>";
    let site = Scripted::serve(&[
        (
            "/robots.txt",
            "200 OK",
            "Sitemap: http://127.0.0.1:PORT/index.xml\n",
        ),
        ("/", "200 OK", "nothing linked"),
        ("/index.xml", "200 OK\nContent-Type: application/xml", index),
        ("/s1.xml", "200 OK\nContent-Type: application/xml", urls),
        ("/alone", "200 OK", "found"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let without = folder.path().join("without");
    assert_eq!(code(&site.crawl(&without, &[])), 0);
    expect(&outcomes(&without), &[("/", "fetched")]);
    let with = folder.path().join("with");
    assert_eq!(code(&site.crawl(&with, &["--sitemaps"])), 0);
    expect(&outcomes(&with), &[("/", "fetched"), ("/alone", "fetched")]);
    let kinds: Vec<_> = rows(&with).iter().map(|row| row["kind"].clone()).collect();
    assert_eq!(
        kinds.iter().filter(|kind| *kind == "sitemap").count(),
        3,
        "{kinds:?}"
    );
}

#[test]
fn limits_stop_and_resume_goes_on() {
    let links: String = (0..30).map(|n| format!("<a href=/p{n}>{n}</a>")).collect();
    let site = Scripted::serve(&[("/", "200 OK", &links)]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    assert_eq!(
        code(&site.crawl(&out, &["--max-pages", "10", "--threads", "2"])),
        0
    );
    assert_eq!(pages(&out).len(), 10);
    assert_eq!(super::run::summary(&out)["stopped"], "max_pages");
    assert_eq!(super::run::summary(&out)["queued"], 21);
    let more = nephila()
        .arg("resume")
        .arg(&out)
        .args(["--quiet", "--max-pages", "none"])
        .output()
        .unwrap();
    assert_eq!(code(&more), 0, "{}", words(&more));
    assert_eq!(pages(&out).len(), 31);

    let near = folder.path().join("near");
    assert_eq!(code(&site.crawl(&near, &["--max-hops", "0"])), 0);
    expect(&outcomes(&near), &[("/", "fetched")]);
    let some = folder.path().join("some");
    let options = [
        "--include",
        "/$",
        "--include",
        "/p1",
        "--exclude",
        "p1[5-9]$",
    ];
    assert_eq!(code(&site.crawl(&some, &options)), 0);
    assert_eq!(outcomes(&some).len(), 1 + 6, "/, /p1 and /p10 to /p14");
}

#[test]
fn passing_faults_are_tried_again_and_retry_after_is_obeyed() {
    let site = Scripted::serve(&[
        ("/", "200 OK", "<a href=/busy>b</a>"),
        ("/busy", "503 Busy\nRetry-After: 1", ""),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let options = [
        "--retries",
        "1",
        "--retry-wait",
        "10ms",
        "--backoff",
        "10ms",
    ];
    assert_eq!(code(&site.crawl(&out, &options)), 0);
    let pages = pages(&out);
    let busy = &pages[&format!("http://127.0.0.1:{}/busy", site.port)];
    assert_eq!(
        (&busy["attempts"], &busy["status"]),
        (&2.into(), &503.into())
    );
    let asked = site.asked();
    assert_eq!(asked.iter().filter(|path| *path == "/busy").count(), 2);
    assert!(
        busy["times"]["queue"].as_f64().unwrap() >= 1_000.0,
        "{}",
        busy["times"]
    );
}

#[test]
fn a_page_cannot_lead_to_the_owner_s_own_machines() {
    let secret = Scripted::serve(&[("/", "200 OK", "secret")]);
    let spellings = [
        "127.0.0.1",
        "localhost",
        "0x7f000001",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
    ];
    let links: String = spellings
        .iter()
        .map(|host| format!("<a href='http://{host}:{}/'>x</a>", secret.port))
        .collect();
    let site = Scripted::serve(&[("/", "200 OK", &links)]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    assert_eq!(code(&site.crawl(&out, &["--scope", "any"])), 0);
    let own = format!("http://127.0.0.1:{}/", site.port);
    let found = pages(&out);
    let others: Vec<_> = found.iter().filter(|(url, _)| **url != own).collect();
    assert_eq!(others.len(), 4, "two of the spellings are one address");
    for (url, row) in others {
        assert_eq!(row["outcome"], "blocked_address", "{url}");
    }
    assert!(secret.asked().is_empty(), "nobody connected to it");
    let allowed = folder.path().join("allowed");
    assert_eq!(
        code(&site.crawl(&allowed, &["--scope", "any", "--allow-private"])),
        0
    );
    assert!(secret.asked().contains(&"/".to_owned()));
}

#[test]
fn credentials_go_to_their_own_host_and_types_that_are_accepted_are_read() {
    let other = Scripted::serve(&[("/", "200 OK", "other")]);
    let links = format!(
        "<a href=/file>f</a><a href='http://127.0.0.1:{}/'>o</a>",
        other.port
    );
    let site = Scripted::serve(&[
        ("/", "200 OK", &links),
        (
            "/file",
            "200 OK\nContent-Type: application/pdf",
            "%PDF-1.4 x",
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let auth = format!("127.0.0.1:{}=me:pw", site.port);
    let options = [
        "--scope",
        "any",
        "--allow-private",
        "--auth",
        &auth,
        "--accept",
        "*/*",
    ];
    assert_eq!(code(&site.crawl(&out, &options)), 0);
    assert!(
        site.asked().iter().all(|path| path.ends_with("#login")),
        "{:?}",
        site.asked()
    );
    assert_eq!(other.asked(), ["/", "/robots.txt"]);
    let file = &pages(&out)[&format!("http://127.0.0.1:{}/file", site.port)];
    assert_eq!(file["outcome"], "fetched");
}
