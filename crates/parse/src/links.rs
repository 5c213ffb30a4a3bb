//! From attributes to outlinks.

use crate::attributes::Attributes;
use crate::document::{LinkKind, Outlink};
use crate::references::decode_attribute;

/// Bytes kept of a `rel` attribute: the tokens that mean something are short.
const REL_BYTES_MAX: usize = 256;

/// Media types that make `link rel=alternate` a feed.
const FEED_TYPES: [&str; 6] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/rss",
    "application/atom",
];

/// An outlink of `kind` to the raw attribute value `href`, without text.
pub(crate) fn outlink(kind: LinkKind, href: &str, rel: Option<&str>) -> Outlink {
    let rel = rel.map(rel_tokens).unwrap_or_default();
    let nofollow = rel.split(' ').any(|token| token == "nofollow");
    Outlink {
        href: clean_url(href),
        text: String::new(),
        kind,
        rel,
        nofollow,
    }
}

/// The URL that a raw attribute value writes: references decoded, ASCII whitespace stripped at the ends,
/// tabs and line breaks removed.
pub(crate) fn clean_url(raw: &str) -> String {
    // Most are plain; the whole is looked at without a branch, many bytes at once.
    let is_plain = raw
        .bytes()
        .fold(true, |plain, byte| plain & (byte > b' ') & (byte != b'&'));
    if is_plain {
        return raw.to_owned();
    }
    strip_url(&decode_attribute(raw))
}

fn strip_url(url: &str) -> String {
    let url = url.trim_matches(|c: char| c.is_ascii_whitespace());
    if url
        .bytes()
        .any(|byte| matches!(byte, b'\t' | b'\n' | b'\r'))
    {
        return url.replace(['\t', '\n', '\r'], "");
    }
    url.to_owned()
}

/// The tokens of a raw `rel` attribute in lower case, joined by one space.
pub(crate) fn rel_tokens(raw: &str) -> String {
    let value = decode_attribute(raw);
    let mut out = String::new();
    for token in value.split_ascii_whitespace() {
        if out.len() + token.len() >= REL_BYTES_MAX {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    }
    out.make_ascii_lowercase();
    out
}

/// The outlink that a `link` element makes, if any.
pub(crate) fn link_element(attributes: &Attributes) -> Option<Outlink> {
    let rel = rel_tokens(attributes.rel?);
    let kind = link_kind(&rel, attributes.type_)?;
    Some(outlink(kind, attributes.href?, attributes.rel))
}

/// The kind of a `link` with these tokens: the first token that is known decides.
fn link_kind(rel: &str, media_type: Option<&str>) -> Option<LinkKind> {
    let has = |wanted: &str| rel.split(' ').any(|token| token == wanted);
    rel.split(' ').find_map(|token| match token {
        "next" => Some(LinkKind::Next),
        "prev" | "previous" => Some(LinkKind::Prev),
        "canonical" => Some(LinkKind::Canonical),
        "feed" => Some(LinkKind::Feed),
        "sitemap" => Some(LinkKind::Sitemap),
        "alternate" if has("stylesheet") => None,
        "alternate" if media_type.is_some_and(is_feed_type) => Some(LinkKind::Feed),
        "alternate" => Some(LinkKind::Alternate),
        _ => None,
    })
}

fn is_feed_type(raw: &str) -> bool {
    let media_type = decode_attribute(raw);
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    FEED_TYPES
        .iter()
        .any(|feed| feed.eq_ignore_ascii_case(essence))
}

/// The URL in the content of `meta http-equiv=refresh` (decoded), by the shared declarative refresh steps
/// (WHATWG HTML 4.2.5.3). `None` when it is malformed or only reloads the document.
pub(crate) fn refresh_target(content: &str) -> Option<String> {
    let whitespace = |c: char| c.is_ascii_whitespace();
    let rest = content.trim_start_matches(whitespace);
    if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !rest.starts_with(|c: char| c == ';' || c == ',' || whitespace(c)) {
        return None;
    }
    let rest = rest.trim_start_matches(whitespace);
    let rest = rest
        .strip_prefix([';', ','])
        .unwrap_or(rest)
        .trim_start_matches(whitespace);
    let url = after_url_equals(rest).unwrap_or(rest);
    let url = match url.chars().next() {
        Some(quote @ ('"' | '\'')) => url.split(quote).nth(1).unwrap_or_default(),
        _ => url,
    };
    let url = strip_url(url);
    (!url.is_empty()).then_some(url)
}

/// What follows `url =`, if `rest` begins with it.
fn after_url_equals(rest: &str) -> Option<&str> {
    let (url, rest) = rest.split_at_checked(3)?;
    let rest = rest
        .trim_start_matches(|c: char| c.is_ascii_whitespace())
        .strip_prefix('=')?;
    url.eq_ignore_ascii_case("url")
        .then(|| rest.trim_start_matches(|c: char| c.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_whitespace_and_references() {
        assert_eq!(clean_url(" \n/a?b=1&amp;c=2 \t"), "/a?b=1&c=2");
        assert_eq!(clean_url("/a\n\t/b c"), "/a/b c");
        assert_eq!(clean_url("&#32;x&Tab;"), "x");
        assert_eq!(clean_url(""), "");
    }

    #[test]
    fn rel_decides_the_kind() {
        let kind = |rel: &str, media_type: Option<&str>| {
            let attributes = Attributes {
                href: Some("x"),
                rel: Some(rel),
                type_: media_type,
                ..Attributes::default()
            };
            link_element(&attributes).map(|link| link.kind)
        };
        assert_eq!(kind("Next", None), Some(LinkKind::Next));
        assert_eq!(kind("nofollow PREVIOUS", None), Some(LinkKind::Prev));
        assert_eq!(
            kind("alternate", Some("Application/RSS+XML; charset=utf-8")),
            Some(LinkKind::Feed)
        );
        assert_eq!(
            kind("alternate", Some("text/html")),
            Some(LinkKind::Alternate)
        );
        assert_eq!(kind("alternate stylesheet", None), None);
        assert_eq!(kind("stylesheet", None), None);
        assert_eq!(kind("", None), None);
    }

    #[test]
    fn nofollow_is_a_token() {
        assert!(outlink(LinkKind::Anchor, "x", Some("external\nNoFollow")).nofollow);
        assert!(!outlink(LinkKind::Anchor, "x", Some("nofollows")).nofollow);
        assert_eq!(outlink(LinkKind::Anchor, "x", Some(" Me  B ")).rel, "me b");
    }

    #[test]
    fn refresh_by_the_declarative_steps() {
        let cases = [
            ("0;url=/x", Some("/x")),
            ("5; URL = '/x' y", Some("/x")),
            (" 0.5 , /x", Some("/x")),
            ("0;url=\"/x", Some("/x")),
            (".5;/x", Some("/x")),
            ("1 url=x", Some("x")),
            ("1;urlx", Some("urlx")),
            ("1;ur", Some("ur")),
            ("1;'x'", Some("x")),
            ("5", None),
            ("5;", None),
            ("url=/x", None),
            ("5x;url=/x", None),
            ("", None),
            ("1;url=", None),
        ];
        for (content, target) in cases {
            assert_eq!(refresh_target(content).as_deref(), target, "{content}");
        }
    }
}
