//! The recorded cases of Scrapy: its link extractor by default options, and its sitemap reader.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod oracle;

use nephila_parse::{
    LinkKind, ParseOptions, SitemapKind, SitemapLimits, parse_html, parse_sitemap,
};
use oracle::corpus;
use serde_json::Value;
use url::Url;

/// Files that Scrapy's default options leave out by their extension; which links to follow is no matter
/// of parsing, so the test leaves them out too.
const IGNORED_EXTENSIONS: [&str; 1] = [".jpg"];

/// Default cases that differ, with the reason. May only shrink.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

/// A link as Scrapy tells it: URL, text, whether it is nofollow.
type Link = (String, String, bool);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn expected_links(case: &Value) -> Vec<Link> {
    let links = case["links"].as_array().unwrap().iter();
    let link = |link: &Value| {
        let fragment = text(&link["fragment"]);
        let url = text(&link["url"]);
        let url = if fragment.is_empty() {
            url
        } else {
            format!("{url}#{fragment}")
        };
        // Scrapy quotes fewer characters than WHATWG: compare by WHATWG.
        let url = Url::parse(&url).map_or(url, String::from);
        (
            url,
            text(&link["text"]).trim().to_owned(),
            link["nofollow"].as_bool().unwrap(),
        )
    };
    links.map(link).collect()
}

/// The links of a, area as Scrapy would give them: absolute, each URL once unless `unique` is false.
fn found_links(case: &Value) -> Vec<Link> {
    let body = match case.get("body_b64").and_then(Value::as_str) {
        Some(encoded) => decode_base64(encoded),
        None => text(&case["body"]).into_bytes(),
    };
    let content_type = format!("text/html; charset={}", text(&case["encoding"]));
    let document = parse_html(&body, Some(&content_type), &ParseOptions::default());
    let page = Url::parse(&text(&case["url"])).unwrap();
    let base = document
        .base
        .and_then(|base| page.join(&base).ok())
        .unwrap_or(page);
    let unique = case["options"]["kwargs"]
        .get("unique")
        .and_then(Value::as_bool)
        != Some(false);
    let mut links: Vec<Link> = Vec::new();
    for outlink in document.outlinks {
        let is_anchor = matches!(outlink.kind, LinkKind::Anchor | LinkKind::Area);
        let Ok(url) = base.join(&outlink.href) else {
            continue;
        };
        let url = String::from(url);
        let is_ignored = IGNORED_EXTENSIONS
            .iter()
            .any(|extension| url.ends_with(extension));
        let is_known = unique && links.iter().any(|(known, _, _)| *known == url);
        if is_anchor && !is_ignored && !is_known {
            links.push((url, outlink.text, outlink.nofollow));
        }
    }
    links
}

fn decode_base64(encoded: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in encoded.bytes().filter(|byte| *byte != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|known| *known == byte).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// Whether the options of a case say nothing but what the project does anyway.
fn is_comparable(case: &Value) -> bool {
    let kwargs = case["options"]["kwargs"].as_object().unwrap();
    kwargs.keys().all(|name| name == "unique")
        && (case["plain"] == true || case["extractor"] == "LxmlLinkExtractor")
}

#[test]
fn default_link_extractor_cases_are_equal() {
    let Some(path) = corpus("html/scrapy-linkextractor/cases.json") else {
        return;
    };
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let comparable: Vec<&Value> = cases.iter().filter(|case| is_comparable(case)).collect();
    let plain = comparable
        .iter()
        .filter(|case| case["plain"] == true)
        .count();
    let mut failures = Vec::new();
    for case in &comparable {
        let (found, expected) = (found_links(case), expected_links(case));
        if found != expected {
            eprintln!("{}: {found:#?}, expected {expected:#?}", case["id"]);
            failures.push(text(&case["id"]));
        }
    }
    eprintln!(
        "{} of {} equal, {plain} of them plain",
        comparable.len() - failures.len(),
        comparable.len()
    );
    assert_eq!(plain, 17);
    let known: Vec<&str> = KNOWN_FAILURES.iter().map(|(id, _)| *id).collect();
    assert_eq!(failures, known);
}

#[test]
fn sitemap_cases_are_equal() {
    let Some(path) = corpus("sitemaps/scrapy/cases.json") else {
        return;
    };
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in &cases {
        let sitemap = parse_sitemap(text(&case["body"]).as_bytes(), &SitemapLimits::default());
        let kind = match text(&case["type"]).as_str() {
            "urlset" => SitemapKind::UrlSet,
            "sitemapindex" => SitemapKind::Index,
            _ => SitemapKind::Unknown,
        };
        let expected: Vec<String> = case["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| text(&entry["loc"]))
            .collect();
        let found: Vec<String> = sitemap.entries.into_iter().map(|entry| entry.loc).collect();
        assert_eq!((sitemap.kind, found), (kind, expected), "{}", case["test"]);
    }
    assert!(cases.len() >= 11, "only {} cases", cases.len());
}
