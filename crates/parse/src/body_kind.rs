//! What kind of body an answer has.

/// What an HTTP answer says about its body's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// `text/html`.
    Html,
    /// `application/xhtml+xml`: read as HTML, but for empty elements such as `<script/>`.
    Xhtml,
    /// XML of another kind, which may be a sitemap or a feed.
    Xml,
    /// Text without links.
    Text,
    /// Anything else.
    Other,
}

/// Bytes that sniffing looks at: the resource header of WHATWG MIME Sniffing.
const HEADER_BYTES: usize = 1445;

/// Beginnings that make a body HTML, by WHATWG MIME Sniffing 7.1; a space or `>` must follow.
const HTML_TAGS: [&[u8]; 16] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<B",
];

/// The kind of a body: by the value of its Content-Type header, or by its first 1,445 bytes when the
/// header is missing, malformed or one of those that mean "unknown".
///
/// Sniffing follows WHATWG MIME Sniffing 7.1 but for one thing: a UTF-8 byte order mark is skipped, where
/// the standard takes it for plain text.
pub fn body_kind(content_type: Option<&str>, body: &[u8]) -> BodyKind {
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/html" => BodyKind::Html,
        "application/xhtml+xml" => BodyKind::Xhtml,
        "text/xml" | "application/xml" => BodyKind::Xml,
        "unknown/unknown" | "application/unknown" | "*/*" => sniff(body),
        "text/css" | "text/javascript" => BodyKind::Other,
        essence if essence.ends_with("+xml") && !essence.starts_with("image/") => BodyKind::Xml,
        essence if essence.starts_with("text/") => BodyKind::Text,
        essence if essence.contains('/') => BodyKind::Other,
        _ => sniff(body),
    }
}

fn sniff(body: &[u8]) -> BodyKind {
    let header = body.get(..HEADER_BYTES).unwrap_or(body);
    let marked = header.starts_with(b"\xfe\xff") || header.starts_with(b"\xff\xfe");
    let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
    let start = header.trim_ascii_start();
    let begins = |tag: &&[u8]| {
        let (head, tail) = start.split_at_checked(tag.len()).unwrap_or((b"", start));
        head.eq_ignore_ascii_case(tag) && matches!(tail.first(), Some(b' ' | b'>'))
    };
    if start.starts_with(b"<!--") || HTML_TAGS.iter().any(begins) {
        return BodyKind::Html;
    }
    if start.starts_with(b"<?xml") {
        return BodyKind::Xml;
    }
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if start.starts_with(b"%PDF-") || (!marked && header.iter().any(is_binary)) {
        return BodyKind::Other;
    }
    BodyKind::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        let kinds = [
            ("Text/HTML; charset=utf-8", BodyKind::Html),
            ("application/xhtml+xml", BodyKind::Xhtml),
            ("application/rss+xml", BodyKind::Xml),
            ("text/xml", BodyKind::Xml),
            ("image/svg+xml", BodyKind::Other),
            ("text/plain", BodyKind::Text),
            ("application/pdf", BodyKind::Other),
            ("application/json", BodyKind::Other),
        ];
        for (header, kind) in kinds {
            assert_eq!(body_kind(Some(header), b"<html>"), kind, "{header}");
        }
    }

    #[test]
    fn unknown_bodies_are_sniffed() {
        let kinds: [(&[u8], BodyKind); 10] = [
            (b"\n <!doctype html>", BodyKind::Html),
            (b"\xef\xbb\xbf<html >", BodyKind::Html),
            (b"<!--x", BodyKind::Html),
            (b"<p>", BodyKind::Html),
            (b"<param>", BodyKind::Text),
            (b"<?xml version='1.0'?>", BodyKind::Xml),
            (b"hello", BodyKind::Text),
            (b"", BodyKind::Text),
            (b"\x89PNG\r\n\x1a\n", BodyKind::Other),
            (b"%PDF-1.7", BodyKind::Other),
        ];
        for (body, kind) in kinds {
            for header in [None, Some(""), Some("unknown/unknown"), Some("nonsense")] {
                assert_eq!(body_kind(header, body), kind, "{header:?} {body:?}");
            }
        }
    }
}
