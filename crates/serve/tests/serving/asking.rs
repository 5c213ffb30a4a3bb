//! Asks as any program may, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::crawl::Shown;

/// An answer: its status, its head in small letters, and its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends these bytes and reads until the connection is closed.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    // It may be refused before all of it was sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}

/// Asks with these lines of the head beside Host.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    lines: &[&str],
    body: &str,
) -> Answer {
    let has_host = lines.iter().any(|line| line.starts_with("Host:"));
    let host = if has_host {
        String::new()
    } else {
        format!("Host: {address}\r\n")
    };
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let text = format!(
        "{method} {target} HTTP/1.1\r\n{host}{lines}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    send(address, text.as_bytes()).unwrap()
}

const JSON: &str = "Content-Type: application/json";

#[test]
fn who_is_not_meant_gets_nothing_and_changes_nothing() {
    let shown = Shown::start(100_000, None);
    let address = shown.server().address();
    let own = format!("Origin: http://{address}");
    for (method, target, lines, status) in [
        ("GET", "/", &["Host: evil.test"][..], 421),
        ("GET", "/healthz", &["Host: evil.test:80"], 421),
        ("GET", "/api/state", &["Host: crawl.example"], 200),
        ("GET", "/api/state", &["Origin: http://evil.test"], 403),
        ("GET", "/api/state", &["Origin: null"], 403),
        ("GET", "/api/state", &["Sec-Fetch-Site: cross-site"], 403),
        ("GET", "/api/state", &[&own], 200),
        ("GET", "/metrics", &[], 200),
        ("GET", "/api/stop", &[], 405),
        ("GET", "/api/pause", &[JSON], 405),
        ("HEAD", "/api/stop", &[], 405),
        ("PUT", "/api/stop", &[JSON], 405),
        ("OPTIONS", "/api/stop", &[&own], 405),
        ("POST", "/api/stop", &[], 415),
        ("POST", "/api/stop", &["Content-Type: text/plain"], 415),
        (
            "POST",
            "/api/stop",
            &[JSON, "Origin: http://evil.test"],
            403,
        ),
        ("POST", "/api/stop", &[JSON, "Host: evil.test"], 421),
        ("POST", "/api/state", &[JSON], 405),
        ("POST", "/", &[JSON], 405),
        ("GET", "/api/hosts?by=nothing", &[], 400),
        ("GET", "/../etc/passwd", &[], 404),
        ("GET", "http://evil.test/api/state", &[], 400),
    ] {
        let answer = ask(address, method, target, lines, "");
        assert_eq!(
            answer.status, status,
            "{method} {target} {lines:?}: {answer:?}"
        );
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
        ] {
            assert!(
                answer.head.contains(header),
                "{header} is not in {}",
                answer.head
            );
        }
        assert!(!answer.head.contains("access-control"), "{}", answer.head);
    }
    assert!(!shown.control.is_stopping() && !shown.control.is_paused());
}

#[test]
fn bodies_and_heads_have_their_bounds() {
    let shown = Shown::start(100_000, None);
    let address = shown.server().address();
    let large = ask(
        address,
        "POST",
        "/api/concurrency",
        &[JSON],
        &" ".repeat(5_000),
    );
    assert_eq!(large.status, 413);
    let long = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    let answer = send(address, long.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 431));
    let no_http = send(address, b"\x16\x03\x01 hello\r\n\r\n");
    assert!(no_http.is_none_or(|answer| answer.status == 400));
    for body in [
        "",
        "{}",
        "{\"concurrency\": -1}",
        "{\"concurrency\": \"9\"}",
        "[]",
    ] {
        let answer = ask(address, "POST", "/api/concurrency", &[JSON], body);
        assert_eq!(answer.status, 400, "{body}");
    }
    assert_eq!(shown.control.concurrency(), 8);
    assert_eq!(ask(address, "GET", "/healthz", &[], "").body, "ok\n");
}

#[test]
fn it_is_paused_changed_and_stopped() {
    let mut shown = Shown::start(100_000, None);
    let address = shown.server().address();
    let act = |what: &str, body: &str| {
        ask(address, "POST", &format!("/api/{what}"), &[JSON], body).status
    };
    assert_eq!(act("pause", "{}"), 200);
    assert!(shown.control.is_paused());
    let state = ask(address, "GET", "/api/state", &[], "").json();
    assert_eq!(
        (&state["standing"], &state["has_actions"]),
        (&"paused".into(), &true.into())
    );
    assert_eq!(act("resume", "{}"), 200);
    assert!(!shown.control.is_paused());
    assert_eq!(act("concurrency", "{\"concurrency\": 3}"), 200);
    assert_eq!(shown.control.concurrency(), 3);
    assert_eq!(act("concurrency", "{\"concurrency\": 100000000}"), 200);
    assert_eq!(
        shown.control.concurrency(),
        shown.control.most_concurrency()
    );
    assert_eq!(act("stop", "{}"), 200);
    assert!(shown.ended().is_interrupted());
    assert_eq!(act("pause", "{}"), 409);
    assert_eq!(act("concurrency", "{\"concurrency\": 3}"), 409);
    let state = ask(address, "GET", "/api/state", &[], "").json();
    assert_eq!(
        (&state["standing"], &state["has_actions"]),
        (&"ended".into(), &false.into())
    );
    assert_eq!(state["in_flight"], 0);
}

#[test]
fn a_paused_crawl_gives_out_nothing_and_loses_nothing() {
    let mut shown = Shown::start(60, None);
    shown.control.pause();
    // What is in flight finishes; then the crawl stands still, and its ledger goes on.
    while shown.live.snapshot().in_flight > 0 {
        shown.pause_looking();
    }
    let pages = shown.live.snapshot().pages;
    let seconds = || shown.live.run().series.total().window.seconds;
    let began = seconds();
    while seconds() < began + 1.0 {
        shown.pause_looking();
    }
    assert_eq!(shown.live.snapshot().pages, pages);
    shown.control.resume();
    let summary = shown.ended();
    assert_eq!((summary.stopped.as_str(), summary.queued), ("done", 0));
    assert!(summary.pages > pages);
}

#[test]
fn with_a_token_data_is_for_those_who_know_it() {
    const TOKEN: &str = "a-token-of-the-test";
    let shown = Shown::start(100_000, Some(TOKEN));
    let address = shown.server().address();
    let right = format!("Authorization: Bearer {TOKEN}");
    let wrong = format!("Authorization: Bearer {TOKEN}s");
    for target in ["/api/state", "/api/hosts", "/metrics", "/api/why?url=x"] {
        for lines in [&[][..], &[wrong.as_str()]] {
            let answer = ask(address, "GET", target, lines, "");
            assert_eq!(answer.status, 401, "{target}");
            assert!(answer.head.contains("www-authenticate: bearer"));
        }
        assert_eq!(
            ask(address, "GET", target, &[&right], "").status,
            200,
            "{target}"
        );
        let in_url = format!(
            "{target}{}token={TOKEN}",
            if target.contains('?') { '&' } else { '?' }
        );
        assert_eq!(ask(address, "GET", &in_url, &[], "").status, 401);
    }
    assert_eq!(ask(address, "POST", "/api/stop", &[JSON], "{}").status, 401);
    let page = ask(address, "GET", "/", &[], "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("data-token=\"wanted\"") && !page.body.contains(TOKEN));
    assert_eq!(ask(address, "GET", "/healthz", &[], "").status, 200);
    assert!(!shown.control.is_stopping());
}

#[test]
fn why_tells_of_one_url() {
    let mut shown = Shown::start(30, None);
    shown.ended();
    let address = shown.server().address();
    let seed = ask(address, "GET", "/api/state", &[], "").json()["seeds"][0].clone();
    let target = format!(
        "/api/why?url={}",
        seed.as_str()
            .unwrap()
            .replace(':', "%3A")
            .replace('/', "%2F")
    );
    let why = ask(address, "GET", &target, &[], "").json();
    assert_eq!((&why["url"], &why["standing"]), (&seed, &"done".into()));
    let none = ask(address, "GET", "/api/why?url=%20", &[], "");
    assert_eq!(none.status, 200);
    assert!(
        none.json()["error"].as_str().unwrap().contains("no URL"),
        "{none:?}"
    );
    let hosts = ask(address, "GET", "/api/hosts?by=slowest", &[], "").json();
    assert!(hosts["lines"].is_array());
}
