//! HTML and its encoding: `nephila_parse`.

use std::borrow::Cow;
use std::collections::HashSet;

use nephila_parse::{
    CharsetSource, Document, ParseOptions, Warning, body_kind, decode_text, parse_html,
    robots_directives,
};

use crate::choice;

/// Content types that a server may send, one chosen by the first byte.
const CONTENT_TYPES: [Option<&str>; 8] = [
    None,
    Some("text/html; charset=utf-8"),
    Some("application/xhtml+xml; charset=utf-8"),
    Some("text/html; charset=shift_jis"),
    Some("text/html; charset=utf-16le"),
    Some("text/html; charset=iso-2022-jp"),
    Some("text/html; charset=windows-1251"),
    Some("text/html; charset=\"no such\""),
];

/// Characters of a description that are kept, as its documentation says.
const DESCRIPTION_CHARS_MAX: usize = 4_096;

fn small() -> ParseOptions {
    ParseOptions {
        max_links: 4,
        max_anchor_chars: 10,
        max_text_bytes: 40,
        max_title_chars: 8,
        want_text: true,
        want_simhash: true,
        agent: "nephila".to_owned(),
    }
}

fn wide() -> ParseOptions {
    ParseOptions {
        want_text: true,
        want_simhash: true,
        agent: "nephila".to_owned(),
        ..ParseOptions::default()
    }
}

/// Reads the bytes as an HTML page; the first byte chooses the Content-Type.
///
/// Promises: parsing never fails; everything kept is within its bound; smaller bounds cut and change
/// nothing else; a page without its text has the same links as with it; the page decoded and read
/// again as UTF-8 says the same.
pub fn html_scan(data: &[u8]) {
    let (variant, body) = choice(data);
    let content_type = CONTENT_TYPES
        .get(usize::from(variant) % CONTENT_TYPES.len())
        .copied()
        .flatten();
    let whole = parse_html(body, content_type, &wide());
    check_bounds(&whole, &wide());
    let cut = parse_html(body, content_type, &small());
    check_bounds(&cut, &small());
    check_prefix(&cut, &whole);

    let textless = ParseOptions {
        want_text: false,
        ..wide()
    };
    let textless = parse_html(body, content_type, &textless);
    assert_eq!(textless.outlinks, whole.outlinks, "text changes the links");
    assert_eq!(textless.title, whole.title);
    assert_eq!(textless.text, None);
    check_decoded(body, content_type, &whole);
    if let Some(directives) = &whole.robots_meta {
        robots_directives(directives, "nephila");
    }
}

fn check_bounds(document: &Document, options: &ParseOptions) {
    let chars = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
    assert!(chars(&document.title) <= options.max_title_chars);
    assert!(chars(&document.description) <= DESCRIPTION_CHARS_MAX);
    let text_bytes = document.text.as_ref().map_or(0, String::len);
    assert!(text_bytes <= options.max_text_bytes);
    assert!(document.outlinks.len() <= options.max_links);
    for link in &document.outlinks {
        assert!(link.text.chars().count() <= options.max_anchor_chars);
        assert!(!link.href.contains(['\t', '\n', '\r']), "{:?}", link.href);
        assert_eq!(link.href.trim_ascii(), link.href);
        assert_eq!(link.rel.to_ascii_lowercase(), link.rel);
        let says_nofollow = link.rel.split(' ').any(|token| token == "nofollow");
        assert_eq!(says_nofollow, link.nofollow);
    }
    let distinct: HashSet<_> = document.warnings.iter().collect();
    assert_eq!(distinct.len(), document.warnings.len(), "a warning twice");
}

/// `cut` is `whole` under smaller bounds.
fn check_prefix(cut: &Document, whole: &Document) {
    assert_eq!(cut.charset, whole.charset);
    assert_eq!(cut.base, whole.base);
    let is_cut = cut.warnings.contains(&Warning::LinksCut);
    assert!(is_cut || cut.outlinks.len() == whole.outlinks.len());
    assert!(cut.outlinks.len() <= whole.outlinks.len());
    for (kept, link) in cut.outlinks.iter().zip(&whole.outlinks) {
        assert_eq!(
            (&kept.href, kept.kind, &kept.rel),
            (&link.href, link.kind, &link.rel)
        );
        assert!(link.text.starts_with(kept.text.trim_end()));
    }
    let text = |document: &Document| document.text.clone().unwrap_or_default();
    assert!(text(whole).starts_with(text(cut).trim_end()));
}

/// The same page in UTF-8 says the same.
fn check_decoded(body: &[u8], content_type: Option<&str>, document: &Document) {
    let (text, charset) = decode_text(body, content_type);
    let is_xhtml = content_type.is_some_and(|value| value.starts_with("application/xhtml"));
    // A declaration behind the first 1,024 bytes is read by parsing alone, and a second byte order
    // mark is text in one reading and a mark in the other.
    if charset != document.charset || is_xhtml || text.starts_with('\u{feff}') {
        return;
    }
    let again = parse_html(text.as_bytes(), Some("text/html; charset=utf-8"), &wide());
    assert_eq!(again.outlinks, document.outlinks);
    assert_eq!(again.title, document.title);
    assert_eq!(again.text, document.text);
}

/// Decodes the bytes; the first line is the Content-Type.
///
/// Promises: decoding never fails; the text is at most three bytes for each byte of the body; the
/// encoding is one of the Encoding Standard; the header is its source only where there is one; UTF-8
/// that the header declares is not copied.
pub fn charset(data: &[u8]) {
    let (header, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (data.get(..end), data.get(end + 1..).unwrap_or_default()),
        None => (None, data),
    };
    let header = header.and_then(|header| std::str::from_utf8(header).ok());
    body_kind(header, body);
    let (text, charset) = decode_text(body, header);
    assert!(text.len() <= 3 * body.len() + 3, "{} bytes", text.len());
    let known = encoding_rs::Encoding::for_label(charset.name.as_bytes());
    assert_eq!(known.map(encoding_rs::Encoding::name), Some(charset.name));
    assert!(charset.source != CharsetSource::Header || header.is_some());

    let utf8 = Some("text/html; charset=utf-8");
    let is_marked = encoding_rs::Encoding::for_bom(body).is_some();
    if let (Ok(valid), false) = (std::str::from_utf8(body), is_marked) {
        let (text, _) = decode_text(body, utf8);
        assert!(matches!(text, Cow::Borrowed(same) if same == valid));
    }
}
