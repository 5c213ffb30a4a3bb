//! `nephila robots`.

use crate::command::nephila;
use crate::server::{Server, answer, gzip, ok, pages, redirect, refusing};

const FILE: &str = "# keep out\nUser-agent: *\nDisallow: /private/\nAllow: /private/open\n\
    Crawl-delay: 45\nSitemap: http://a.test/map.xml\n\nUser-agent: special\nDisallow: /\n";

fn with(robots: Vec<u8>) -> Server {
    Server::start(|_| pages([("/robots.txt", robots)]))
}

#[test]
fn the_rule_that_decides_is_told() {
    let server = with(ok("text/plain", FILE));
    let ran = nephila(&["robots", &server.url("/private/x")]);
    assert_eq!(ran.exit, 1, "{}", ran.err);
    assert!(
        ran.out
            .starts_with(&format!("not allowed: {}\n", server.url("/private/x")))
    );
    assert_eq!(ran.field("rule"), "line 3: Disallow: /private/");
    assert_eq!(ran.field("agent"), "nephila");
    assert_eq!(ran.field("group"), "that of all agents (*)");
    let read = format!(
        "{}: status 200, {} B",
        server.url("/robots.txt"),
        FILE.len()
    );
    assert_eq!(ran.field("robots.txt"), read);
    assert_eq!(
        ran.field("crawl-delay"),
        "45s (a crawl waits 30s: --max-crawl-delay)"
    );
    assert_eq!(ran.field("sitemaps"), "http://a.test/map.xml");
    let ran = nephila(&["robots", &server.url("/private/open?x")]);
    assert_eq!(
        (ran.exit, ran.field("rule")),
        (0, "line 4: Allow: /private/open")
    );
    let ran = nephila(&["robots", &server.url("/else")]);
    assert_eq!(
        (ran.exit, ran.field("rule")),
        (0, "none matches, which allows it")
    );
    let ran = nephila(&["robots", "--agent", "Special", &server.url("/else")]);
    assert_eq!((ran.exit, ran.field("rule")), (1, "line 9: Disallow: /"));
    assert_eq!(ran.field("group"), "the agent's own");
    assert!(
        !server.asked().contains(&"/else".to_owned()),
        "the page itself is not asked for"
    );
}

#[test]
fn every_class_of_status_has_its_meaning() {
    let body = b"User-agent: *\nDisallow: /";
    for (status, exit, meaning) in [
        ("200 OK", 1, "rules"),
        ("204 No Content", 0, "rules"),
        ("301 Moved Permanently", 0, "unavailable"),
        ("404 Not Found", 0, "unavailable"),
        ("403 Forbidden", 0, "unavailable"),
        ("429 Too Many Requests", 0, "unavailable"),
        ("500 Internal Server Error", 1, "server_error"),
        ("503 Service Unavailable", 1, "server_error"),
    ] {
        let body = if status.starts_with("204") {
            &b""[..]
        } else {
            body
        };
        let server = with(answer(status, "Content-Type: text/plain\r\n", body));
        let ran = nephila(&["robots", "--json", &server.url("/x")]);
        let json = ran.json();
        assert_eq!(
            (ran.exit, &json["meaning"]),
            (exit, &serde_json::json!(meaning)),
            "{status}"
        );
        assert_eq!(json["allowed"], exit == 0);
        assert_eq!(json["status"].to_string(), status[..3]);
    }
    let server = with(answer("500 Internal Server Error", "", b""));
    let ran = nephila(&["robots", &server.url("/robots.txt")]);
    assert_eq!(ran.exit, 0, "robots.txt itself may always be fetched");
    assert!(
        ran.field("meaning")
            .starts_with("the server failed, which forbids everything")
    );
}

#[test]
fn an_unreachable_host_forbids_everything() {
    let address = refusing();
    let ran = nephila(&["robots", &format!("http://{address}/x")]);
    assert_eq!(ran.exit, 1);
    assert!(ran.out.starts_with("not allowed: "));
    assert!(
        ran.field("meaning").starts_with("it cannot be reached"),
        "{}",
        ran.out
    );
    let said = format!("http://{address}/robots.txt: connection refused by {address}");
    assert_eq!(ran.field("robots.txt"), said);
}

#[test]
fn redirects_are_followed_five_times() {
    for (first, exit, meaning) in [("/1", 1, "rules"), ("/0", 0, "too_many_redirects")] {
        let server = Server::start(|_| {
            let mut all = pages([
                ("/robots.txt", redirect(first)),
                ("/5", ok("text/plain", "User-agent: *\nDisallow: /")),
            ]);
            for step in 0..5 {
                all.insert(format!("/{step}"), redirect(&format!("/{}", step + 1)));
            }
            all
        });
        let ran = nephila(&["robots", "--json", &server.url("/x")]);
        let json = ran.json();
        assert_eq!(
            (ran.exit, &json["meaning"]),
            (exit, &serde_json::json!(meaning))
        );
        assert_eq!(json["redirects"], 5);
        let last = if exit == 1 { "/5" } else { "/4" };
        assert_eq!(json["answered_by"], server.url(last));
    }
}

#[test]
fn a_large_file_is_read_up_to_the_limit_and_without_its_last_half_line() {
    // The limit falls into the last rule, behind the slash that would forbid everything.
    const LIMIT: usize = 500 * 1024;
    let start = "User-agent: *\nDisallow: /private\n#";
    let end = "\nDisallow: /";
    let file = |filler: &str| {
        let comment = filler.repeat(LIMIT - start.len() - end.len());
        [start, &comment, end, "only-this\n"].concat()
    };
    let plain = file("x");
    let coded = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
    for robots in [
        ok("text/plain", &plain),
        answer("200 OK", coded, &gzip(plain.as_bytes())),
    ] {
        let server = with(robots);
        let url = server.url("/private");
        let ran = nephila(&["robots", "--max-robots-size", "500KiB", &url]);
        assert_eq!(
            (ran.exit, ran.field("rule")),
            (1, "line 2: Disallow: /private")
        );
        assert!(ran.field("robots.txt").contains("cut there"), "{}", ran.out);
        let ran = nephila(&[
            "robots",
            "--max-robots-size",
            "500KiB",
            &server.url("/else"),
        ]);
        assert_eq!(ran.exit, 0, "{}", ran.out);
        let ran = nephila(&["robots", &server.url("/only-this")]);
        assert_eq!(
            (ran.exit, ran.field("rule")),
            (1, "line 4: Disallow: /only-this")
        );
    }
}

#[test]
fn escape_sequences_are_shown_and_not_obeyed() {
    let file = "User-agent: *\nDisallow: /\nSitemap: http://a.test/\u{1b}[31m\n";
    let ran = nephila(&["robots", &with(ok("text/plain", file)).url("/")]);
    assert_eq!(ran.field("sitemaps"), "http://a.test/\\u{1b}[31m");
}
