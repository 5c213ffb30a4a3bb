//! `nephila sitemap`.

use std::time::Duration;

use crate::command::nephila;
use crate::server::{Server, answer, gzip, ok, pages, redirect, refusing};

const URLSET: &str = r#"<?xml version="1.0"?><urlset>
    <url><loc>http://a.test/1?a=1&amp;b=2</loc><lastmod>2024-01-01</lastmod>
    <changefreq>daily</changefreq><priority>0.8</priority></url>
    <url><loc>http://a.test/2</loc></url></urlset>"#;

fn index(locations: &[String]) -> String {
    let entry = |loc: &String| format!("<sitemap><loc>{loc}</loc></sitemap>");
    let entries: String = locations.iter().map(entry).collect();
    format!("<sitemapindex>{entries}</sitemapindex>")
}

/// An index of a set, a gzip of text, one that is missing, and itself.
fn site() -> Server {
    Server::start(|origin| {
        let children = ["/set.xml", "/list.txt.gz", "/gone.xml", "/index.xml"];
        let children = children.map(|path| format!("{origin}{path}"));
        let robots = format!("User-agent: *\nDisallow:\nSitemap: {origin}/index.xml\n");
        let list = gzip(b"http://a.test/3\nhttp://a.test/4\n");
        pages([
            ("/", ok("text/html", "<a href=x>x</a>")),
            (
                "/page",
                ok(
                    "text/html",
                    "<!doctype html><title>t</title><a href=x>x</a>",
                ),
            ),
            ("/robots.txt", ok("text/plain", &robots)),
            ("/index.xml", ok("application/xml", &index(&children))),
            ("/set.xml", ok("application/xml", URLSET)),
            (
                "/list.txt.gz",
                answer("200 OK", "Content-Type: application/x-gzip\r\n", &list),
            ),
            ("/moved.xml", redirect("/set.xml")),
            (
                "/wrong.xml",
                ok("application/xml", "<html><body>no</body></html>"),
            ),
            (
                "/torn.xml",
                ok(
                    "application/xml",
                    "<urlset><url><loc>http://a.test/1</loc></url><url",
                ),
            ),
        ])
    })
}

const SET_LINES: &str = "http://a.test/1?a=1&b=2\t2024-01-01\tdaily\t0.8\nhttp://a.test/2\t\t\t\n";

#[test]
fn entries_are_lines_of_four_fields() {
    let server = site();
    for path in ["/set.xml", "/moved.xml"] {
        let ran = nephila(&["sitemap", &server.url(path)]);
        assert_eq!((ran.exit, ran.out.as_str()), (0, SET_LINES), "{}", ran.err);
        assert!(
            ran.err
                .contains(": urlset, 2 entries\n1 sitemap read, 2 entries\n"),
            "{}",
            ran.err
        );
    }
    let ran = nephila(&["sitemap", &server.url("/list.txt.gz")]);
    assert_eq!(ran.out, "http://a.test/3\t\t\t\nhttp://a.test/4\t\t\t\n");
    assert!(ran.err.contains(": text, 2 entries\n"));
}

#[test]
fn an_index_gives_its_sitemaps_or_with_recurse_their_entries() {
    let server = site();
    let ran = nephila(&["sitemap", &server.url("/index.xml")]);
    assert_eq!(ran.out.lines().count(), 4);
    assert!(
        ran.out.starts_with(&server.url("/set.xml\t\t\t\n")),
        "{}",
        ran.out
    );
    assert_eq!(server.asked(), ["/index.xml"]);

    let ran = nephila(&["sitemap", "--recurse", &server.url("/index.xml")]);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let expected = format!("{SET_LINES}http://a.test/3\t\t\t\nhttp://a.test/4\t\t\t\n");
    assert_eq!(ran.out, expected);
    let gone = server.url("/gone.xml");
    let named_by = server.url("/index.xml");
    assert!(
        ran.err
            .contains(&format!("{gone}: status 404 (named by {named_by})\n")),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .ends_with("3 sitemaps read, 8 entries; 1 could not be had or are none\n")
    );
    let asked = server.asked();
    assert_eq!(
        asked.iter().filter(|path| *path == "/index.xml").count(),
        2,
        "once a run"
    );
}

#[test]
fn a_root_and_a_page_stand_for_the_sitemaps_of_their_host() {
    for (path, asked) in [
        ("/", &["/robots.txt", "/index.xml", "/sitemap.xml"][..]),
        (
            "/page",
            &["/page", "/robots.txt", "/index.xml", "/sitemap.xml"],
        ),
    ] {
        let server = site();
        let ran = nephila(&["sitemap", &server.url(path)]);
        assert_eq!((ran.exit, ran.out.lines().count()), (0, 4), "{}", ran.err);
        assert_eq!(server.asked(), asked);
        assert!(
            ran.err.contains("/sitemap.xml: status 404\n"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn json_is_an_object_a_line() {
    let server = site();
    let ran = nephila(&["sitemap", "--json", "--recurse", &server.url("/index.xml")]);
    let lines: Vec<serde_json::Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    let expected = serde_json::json!({
        "sitemap": server.url("/set.xml"), "kind": "urlset", "loc": "http://a.test/1?a=1&b=2",
        "lastmod": "2024-01-01", "changefreq": "daily", "priority": 0.8, "alternates": [],
    });
    assert_eq!(lines[0], expected);
    assert_eq!(lines[3]["loc"], "http://a.test/4");
}

#[test]
fn what_could_not_be_had_or_is_none_fails() {
    let address = refusing();
    let ran = nephila(&["sitemap", &format!("http://{address}/sitemap.xml")]);
    assert_eq!((ran.exit, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("connection refused"), "{}", ran.err);
    let server = Server::start(|_| pages([("/wrong.xml", ok("application/xml", "<a><b/></a>"))]));
    for (path, said) in [
        ("/gone.xml", "/gone.xml: status 404"),
        ("/wrong.xml", "/wrong.xml: no sitemap"),
    ] {
        let ran = nephila(&["sitemap", &server.url(path)]);
        assert_eq!((ran.exit, ran.out.as_str()), (1, ""), "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
}

#[test]
fn warnings_are_told() {
    let server = site();
    let ran = nephila(&["sitemap", &server.url("/torn.xml")]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "http://a.test/1\t\t\t\n"));
    assert!(
        ran.err.contains("urlset, 1 entry; warnings: malformed\n"),
        "{}",
        ran.err
    );
    let ran = nephila(&[
        "sitemap",
        "--max-sitemap-urls",
        "1",
        &server.url("/set.xml"),
    ]);
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.err.contains("warnings: entries_cut"), "{}", ran.err);
}

#[test]
fn escape_sequences_are_shown_and_not_obeyed() {
    let server = Server::start(|_| {
        let xml = "<urlset><url><loc>http://a.test/\u{9b}31m</loc><lastmod>\u{9b}0m</lastmod></url></urlset>";
        pages([("/s.xml", ok("application/xml", xml))])
    });
    let ran = nephila(&["sitemap", &server.url("/s.xml")]);
    assert_eq!(ran.out, "http://a.test/\\u{9b}31m\t\\u{9b}0m\t\t\n");
}

/// A pause is a lower bound: waiting longer is no failure.
#[test]
fn a_host_is_left_in_peace_between_two_fetches() {
    let server = Server::start(|origin| {
        let children = ["/1.xml", "/2.xml"].map(|path| format!("{origin}{path}"));
        pages([
            ("/index.xml", ok("application/xml", &index(&children))),
            ("/1.xml", ok("application/xml", URLSET)),
            ("/2.xml", ok("application/xml", URLSET)),
        ])
    });
    nephila(&[
        "sitemap",
        "--recurse",
        "--delay",
        "150ms",
        &server.url("/index.xml"),
    ]);
    assert_eq!(server.asked(), ["/index.xml", "/1.xml", "/2.xml"]);
    for pause in server.pauses() {
        assert!(pause >= Duration::from_millis(145), "{pause:?}");
    }
}
