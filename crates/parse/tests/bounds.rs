//! Rules that hold for every input.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use nephila_parse::{
    BodyKind, ParseOptions, SitemapLimits, Warning, body_kind, decode_text, parse_html,
    parse_sitemap, robots_directives,
};
use proptest::prelude::*;

/// Pieces that lead the reader into every state.
const PIECES: &[&[u8]] = &[
    b"<",
    b">",
    b"a",
    b"<a href=",
    b"\"",
    b"'",
    b"=",
    b"&",
    b"&#x",
    b"&amp",
    b";",
    b"<!--",
    b"-->",
    b"<!",
    b"<![CDATA[",
    b"]]>",
    b"</",
    b"</a>",
    b"<script>",
    b"</script",
    b"<title>",
    b"<svg>",
    b"<math>",
    b"<mi>",
    b"<template>",
    b"</template>",
    b"<desc>",
    b"<frameset>",
    b"<plaintext>",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe9",
    b"\xef\xbb\xbf",
    b"\xfe\xff",
    b"<meta charset=utf-16>",
    b"<meta http-equiv=refresh content=0;url=",
    b" ",
    b"<?xml encoding='shift_jis'?>",
    b"<urlset>",
    b"<url>",
    b"<loc>",
    b"http://a/",
    b"</loc>",
    b"</url>",
    b"<rss><channel><item><link>",
    b"<!DOCTYPE a [",
    b"<link rel=next href=x>",
    b"\x1f\x8b\x08",
];

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn small_options() -> ParseOptions {
    ParseOptions {
        max_links: 3,
        max_anchor_chars: 5,
        max_text_bytes: 20,
        max_title_chars: 4,
        want_text: true,
        want_simhash: true,
        agent: "nephila".to_owned(),
    }
}

fn read_all(body: &[u8]) {
    for content_type in [
        None,
        Some("text/html; charset=utf-8"),
        Some("application/xhtml+xml"),
    ] {
        let options = small_options();
        let document = parse_html(body, content_type, &options);
        assert!(document.outlinks.len() <= 3);
        for outlink in &document.outlinks {
            assert!(outlink.text.chars().count() <= 5);
            assert!(!outlink.href.contains(['\n', '\t', '\r']));
        }
        assert!(document.text.unwrap().len() <= 20);
        assert!(document.title.unwrap_or_default().chars().count() <= 4);
        decode_text(body, content_type);
    }
    body_kind(None, body);
    let limits = SitemapLimits {
        max_entries: 2,
        max_bytes: 300,
        ..SitemapLimits::default()
    };
    assert!(parse_sitemap(body, &limits).entries.len() <= 2);
    robots_directives(&String::from_utf8_lossy(body), "nephila");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_panics_and_bounds_hold(body in soup()) {
        read_all(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_body_cut_anywhere_is_read(body in soup()) {
        for length in 0..=body.len() {
            parse_html(&body[..length], None, &small_options());
        }
    }
}

#[test]
fn a_page_cut_anywhere_gives_a_beginning_of_its_links() {
    let page = "<title>T</title><a href=1>one</a><!-- <a href=x> --><script>'<a href=y>'</script>\
                <p title='<a href=z>'><a href=\"2&amp;3\">two &eacute;</a><svg><a href=4>s</a></svg>";
    let options = ParseOptions {
        want_text: true,
        ..ParseOptions::default()
    };
    let read = |length: usize| {
        let outlinks = parse_html(&page.as_bytes()[..length], None, &options).outlinks;
        outlinks
            .into_iter()
            .map(|outlink| outlink.href)
            .collect::<Vec<_>>()
    };
    let whole = read(page.len());
    assert_eq!(whole, ["1", "2&3", "4"]);
    for length in 0..page.len() {
        assert!(whole.starts_with(&read(length)), "{length}");
    }
}

#[test]
fn cuts_are_warned_of() {
    let page = "<a href=x>abcdefgh</a>".repeat(4);
    let document = parse_html(
        page.as_bytes(),
        Some("text/html; charset=nosuch"),
        &small_options(),
    );
    assert_eq!(
        document.warnings,
        [Warning::UnknownCharset, Warning::LinksCut, Warning::TextCut]
    );
    assert_eq!(document.outlinks[0].text, "abcde");
    assert_eq!(body_kind(None, page.as_bytes()), BodyKind::Html);
}
