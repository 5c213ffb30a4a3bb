//! `nephila fetch`.

use crate::command::nephila;
use crate::server::{Server, answer, gzip, ok, pages, redirect, refusing};

const PAGE: &str = r#"<!doctype html><html lang="en"><head><title>The title</title>
<meta name="description" content="What it is about">
<meta name="robots" content="noarchive"><link rel="canonical" href="/canonical">
</head><body><p>Hello there</p><a href="one">One</a> <a href="/two#part">Two</a>
<map><area href="three"></map><a href="mailto:m@a.test">Mail</a></body></html>"#;

fn page() -> Server {
    Server::start(|_| {
        let headers = "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n\
            X-Robots-Tag: nofollow\r\n";
        pages([(
            "/dir/page",
            answer("200 OK", headers, &gzip(PAGE.as_bytes())),
        )])
    })
}

#[test]
fn a_page_is_shown_with_every_field() {
    let server = page();
    let ran = nephila(&["fetch", &server.url("/dir/page")]);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let start = format!("GET {}\nHTTP/1.1 200\n", server.url("/dir/page"));
    assert!(ran.out.starts_with(&start), "{}", ran.out);
    assert!(ran.out.contains("\nx-robots-tag: nofollow\n"));
    assert_eq!(ran.field("outcome"), "fetched");
    assert_eq!(
        ran.field("address"),
        format!("{}, a new connection", server.address)
    );
    let wire = gzip(PAGE.as_bytes()).len();
    assert_eq!(ran.field("wire"), format!("{wire} B, gzip"));
    assert_eq!(ran.field("decoded"), format!("{} B", PAGE.len()));
    assert!(ran.field("digest").starts_with("blake3:"));
    for state in ["connect", "first byte", "parse"] {
        let line = ran.field(state);
        assert!(
            line.contains('▇') && line.ends_with(" ms"),
            "{state}: {line}"
        );
    }
    assert_eq!([ran.field("dns"), ran.field("tls")], ["-", "-"]);
    assert!(ran.field("total").ends_with(" ms"));
    assert_eq!(ran.field("charset"), "UTF-8, from: header");
    assert_eq!(ran.field("title"), "The title");
    assert_eq!(ran.field("description"), "What it is about");
    assert_eq!(ran.field("language"), "en");
    assert_eq!(ran.field("canonical"), server.url("/canonical"));
    assert_eq!(ran.field("robots"), "noarchive, nofollow");
    let counts = "4: anchor 2, area 1, canonical 1; and 1 that are not http";
    assert_eq!(ran.field("links"), counts);
    let link = format!("  anchor     {}  Two\n", server.url("/two"));
    assert!(ran.out.contains(&link), "{}", ran.out);
    assert!(!ran.out.contains("Hello there"), "the body only on request");
    assert_eq!(server.asked(), ["/dir/page"], "nothing else is asked for");
}

#[test]
fn body_and_text_are_shown_on_request() {
    let server = page();
    let ran = nephila(&["fetch", "--show-body", "--text", &server.url("/dir/page")]);
    assert!(ran.out.contains("\ntext\nHello there\n"), "{}", ran.out);
    assert!(ran.out.contains("\nbody\n<!doctype html>") && ran.out.contains("</html>"));
}

#[test]
fn json_is_a_row_and_more() {
    let server = page();
    let url = server.url("/dir/page");
    let json = nephila(&["fetch", "--json", "--show-body", &url]).json();
    assert_eq!(json["url"], url.as_str());
    assert_eq!(json["outcome"], "fetched");
    assert_eq!(json["status"], 200);
    assert_eq!(json["charset"], "UTF-8");
    assert_eq!(json["charset_source"], "header");
    assert_eq!(json["content_encoding"], "gzip");
    assert_eq!(json["body_bytes"], PAGE.len());
    assert_eq!(json["body"], PAGE);
    assert_eq!(json["failed_in"], serde_json::Value::Null);
    assert_eq!(json["outlinks"][1]["url"], server.url("/dir/one"));
    assert_eq!(json["outlinks"][1]["text"], "One");
    let headers = json["headers"].as_array().unwrap();
    assert!(
        headers.contains(&serde_json::json!(["x-robots-tag", "nofollow"])),
        "{headers:?}"
    );
    let times = &json["times"];
    let sum: f64 = ["dns", "connect", "tls", "first_byte", "body", "parse"]
        .iter()
        .map(|state| times[*state].as_f64().unwrap())
        .sum();
    let total = json["total"].as_f64().unwrap();
    assert!(total > 0.0 && (total - sum).abs() < 0.01, "{total} {times}");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let server = Server::start(|_| pages([("/old", redirect("/new?a=1#part"))]));
    let ran = nephila(&["fetch", &server.url("/old")]);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.field("HTTP/1.1"), "302");
    assert_eq!(ran.field("outcome"), "redirected");
    let target = format!("{} (not followed)", server.url("/new?a=1"));
    assert_eq!(ran.field("redirect to"), target);
    assert_eq!(server.asked(), ["/old"]);
}

#[test]
fn an_error_page_is_an_answer() {
    let server = Server::start(|_| pages([]));
    let ran = nephila(&["fetch", &server.url("/none")]);
    assert_eq!((ran.exit, ran.field("outcome")), (0, "http_error"));
}

#[test]
fn a_refused_connection_is_told_in_plain_words() {
    let address = refusing();
    let ran = nephila(&["fetch", &format!("http://{address}/")]);
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.field("outcome"), "connect_failed");
    assert!(ran.field("connect").ends_with("failed here"), "{}", ran.out);
    let said =
        format!("error: http://{address}/: connection refused by {address} (in the state connect");
    assert!(ran.err.starts_with(&said), "{}", ran.err);
    let ran = nephila(&["fetch", "--json", &format!("http://{address}/")]);
    let json = ran.json();
    assert_eq!(
        (ran.exit, &json["failed_in"]),
        (1, &serde_json::json!("connect"))
    );
    assert_eq!(json["error"], format!("connection refused by {address}"));
    assert!(json["status"].is_null() && json["headers"].is_null());
}

#[test]
fn a_body_that_does_not_come_whole_or_cannot_be_read_fails() {
    let server = Server::start(|_| {
        let torn = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf";
        let headers = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n";
        pages([
            ("/torn", torn.to_vec()),
            (
                "/coded",
                answer("200 OK", headers, b"this is no gzip stream"),
            ),
        ])
    });
    for (path, outcome, state) in [
        ("/torn", "truncated", "body"),
        ("/coded", "bad_encoding", "parse"),
    ] {
        let ran = nephila(&["fetch", &server.url(path)]);
        assert_eq!((ran.exit, ran.field("outcome")), (1, outcome));
        assert_eq!(ran.field("HTTP/1.1"), "200", "what came is shown");
        assert!(ran.field(state).ends_with("failed here"), "{}", ran.out);
    }
}

#[test]
fn a_type_that_a_crawl_does_not_read_is_not_read() {
    let server = Server::start(|_| pages([("/x", ok("application/pdf", "%PDF-"))]));
    let ran = nephila(&["fetch", &server.url("/x")]);
    assert_eq!((ran.exit, ran.field("outcome")), (0, "wrong_type"));
    assert!(
        ran.field("body").starts_with("not read: application/pdf"),
        "{}",
        ran.out
    );
    let ran = nephila(&["fetch", "--accept", "*/*", &server.url("/x")]);
    assert_eq!(
        (ran.field("outcome"), ran.field("decoded")),
        ("fetched", "5 B")
    );
}

#[test]
fn escape_sequences_are_shown_and_not_obeyed() {
    let server = Server::start(|_| {
        let body = "<title>\u{1b}[31mred\u{7}\u{202e}x</title><a href='/\u{9b}'>\u{1b}]0;t</a><p>\u{1b}[2J";
        let headers = "Content-Type: text/html; charset=utf-8\r\nX-Colour: \u{9b}31m\r\n";
        pages([("/x", answer("200 OK", headers, body.as_bytes()))])
    });
    let ran = nephila(&["fetch", "--show-body", "--text", &server.url("/x")]);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.field("title"), "\\u{1b}[31mred\\u{7}\\u{202e}x");
    assert!(
        ran.out.contains("\\u{1b}]0;t") && ran.out.contains("\\u{1b}[2J"),
        "{}",
        ran.out
    );
    let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!ran.out.contains(obeyed), "{:?}", ran.out);
}

#[test]
fn what_is_no_url_and_a_wrong_option_are_usage_errors() {
    for arguments in [
        &["fetch"][..],
        &["fetch", "ftp://a.test/"],
        &["fetch", "word"],
        &["fetch", "--idle-timeout", "soon", "http://127.0.0.1:1/"],
        &["fetch", "--max-pages", "1", "http://127.0.0.1:1/"],
        &["fetch", "--retries", "1", "http://127.0.0.1:1/"],
        &["robots", "word"],
        &["sitemap", "word"],
    ] {
        let ran = nephila(arguments);
        assert_eq!(ran.exit, 2, "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.is_empty() && !ran.err.is_empty());
    }
}
