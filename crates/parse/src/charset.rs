//! Which encoding a body is in, and its text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::document::Warning;
use crate::prescan::prescan;

/// Bytes given to the detector from the first byte that is not ASCII on: its guess is settled long
/// before, and it is an order of magnitude slower than the scan.
const DETECTION_BYTES_MAX: usize = 64 * 1024;

/// The encoding that a body was read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charset {
    /// The name in the Encoding Standard, such as `UTF-8` or `windows-1252`.
    pub name: &'static str,
    /// Where it was learnt.
    pub source: CharsetSource,
}

/// Where an encoding was learnt, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CharsetSource {
    /// A byte order mark.
    Bom,
    /// The charset parameter of the Content-Type header.
    Header,
    /// A `meta` element or XML declaration in the first 1,024 bytes; or, in a page whose encoding would
    /// else be detected, the first `meta` after them that declares one.
    Meta,
    /// A guess from the bytes: they are all UTF-8, or what chardetng says.
    Detected,
    /// Nothing said: the body is ASCII, and windows-1252 reads that.
    Default,
}

impl CharsetSource {
    /// The stable name, as rows use it.
    pub fn as_str(self) -> &'static str {
        match self {
            CharsetSource::Bom => "bom",
            CharsetSource::Header => "header",
            CharsetSource::Meta => "meta",
            CharsetSource::Detected => "detected",
            CharsetSource::Default => "default",
        }
    }
}

impl Charset {
    /// `href` with what is not ASCII in its query percent-encoded in this encoding, as servers of such
    /// pages expect it (URL Standard, "percent-encode after encoding"); unchanged for UTF-8 and UTF-16.
    ///
    /// What the encoding cannot write stands as a decimal reference. All bytes of such a character are
    /// escaped, also those that look like ASCII.
    pub fn encode_query<'a>(&self, href: &'a str) -> Cow<'a, str> {
        if href.is_ascii() {
            return Cow::Borrowed(href);
        }
        let Some(encoding) = self.query_encoding() else {
            return Cow::Borrowed(href);
        };
        let end = href.find('#').unwrap_or(href.len());
        let (before, fragment) = href.split_at_checked(end).unwrap_or((href, ""));
        let Some((path, query)) = before.split_once('?') else {
            return Cow::Borrowed(href);
        };
        let mut text = String::with_capacity(2 * href.len());
        text.push_str(path);
        text.push('?');
        let mut rest = query;
        while !rest.is_empty() {
            let other = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
            let (ascii, after) = rest.split_at_checked(other).unwrap_or((rest, ""));
            let end = after.find(|c: char| c.is_ascii()).unwrap_or(after.len());
            let (foreign, after) = after.split_at_checked(end).unwrap_or((after, ""));
            text.push_str(ascii);
            push_escaped(&mut text, &encoding.encode(foreign).0);
            rest = after;
        }
        text.push_str(fragment);
        Cow::Owned(text)
    }

    /// None where a query is in UTF-8 ("get an output encoding").
    fn query_encoding(&self) -> Option<&'static Encoding> {
        let encoding = Encoding::for_label(self.name.as_bytes())?.output_encoding();
        (encoding != UTF_8).then_some(encoding)
    }
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        text.push('%');
        for digit in [byte >> 4, byte & 15] {
            text.extend(HEX.get(usize::from(digit)).copied().map(char::from));
        }
    }
}

/// A body as text.
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) charset: Charset,
    pub(crate) warnings: Vec<Warning>,
}

/// The text of a body and the encoding that it was read in, without its byte order mark.
///
/// Malformed bytes become U+FFFD. Valid UTF-8 is borrowed, not copied. The encoding is that of a byte
/// order mark, else of `content_type`, else the one that the body declares, else detected.
pub fn decode_text<'a>(body: &'a [u8], content_type: Option<&str>) -> (Cow<'a, str>, Charset) {
    let decoded = decode(body, content_type);
    (decoded.text, decoded.charset)
}

pub(crate) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let mut warnings = Vec::new();
    let (encoding, source, mark) = decide(body, content_type, &mut warnings);
    let content = body.get(mark..).unwrap_or_default();
    decode_as(content, encoding, source, warnings)
}

/// Decodes `content`, which has no byte order mark.
pub(crate) fn decode_as<'a>(
    content: &'a [u8],
    encoding: &'static Encoding,
    source: CharsetSource,
    mut warnings: Vec<Warning>,
) -> Decoded<'a> {
    let (text, is_malformed) = encoding.decode_without_bom_handling(content);
    if is_malformed {
        warnings.push(Warning::MalformedBytes);
    }
    Decoded {
        text,
        charset: Charset {
            name: encoding.name(),
            source,
        },
        warnings,
    }
}

/// The encoding, where it was learnt, and the length of the byte order mark.
fn decide(
    body: &[u8],
    content_type: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> (&'static Encoding, CharsetSource, usize) {
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return (encoding, CharsetSource::Bom, length);
    }
    if let Some(label) = content_type.and_then(charset_parameter) {
        match Encoding::for_label(label.as_bytes()) {
            Some(encoding) => return (encoding, CharsetSource::Header, 0),
            None => warnings.push(Warning::UnknownCharset),
        }
    }
    if let Some(encoding) = prescan(body) {
        return (encoding, CharsetSource::Meta, 0);
    }
    let (encoding, source) = detect(body);
    (encoding, source, 0)
}

/// The value of the first `charset` parameter of a Content-Type header.
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']))
    })
}

fn detect(body: &[u8]) -> (&'static Encoding, CharsetSource) {
    let ascii_length = Encoding::ascii_valid_up_to(body);
    let rest = body.get(ascii_length..).unwrap_or_default();
    if rest.is_empty() {
        return (WINDOWS_1252, CharsetSource::Default);
    }
    let valid_length = Encoding::utf8_valid_up_to(rest); // many times faster than the standard library
    let after = rest.get(valid_length..).unwrap_or_default();
    let is_utf8 = match std::str::from_utf8(after) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && valid_length > 0, // cut in a character
    };
    if is_utf8 {
        return (UTF_8, CharsetSource::Detected);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let head = rest.get(..DETECTION_BYTES_MAX).unwrap_or(rest);
    detector.feed(head, head.len() == rest.len());
    (
        detector.guess(None, Utf8Detection::Allow),
        CharsetSource::Detected,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charset(body: &[u8], content_type: Option<&str>) -> (&'static str, CharsetSource) {
        let (_, charset) = decode_text(body, content_type);
        (charset.name, charset.source)
    }

    #[test]
    fn sources_are_asked_in_order() {
        let meta: &[u8] = b"<meta charset=koi8-r>";
        let header = Some("text/html; Charset=\"Shift_JIS\"");
        let marked = [b"\xef\xbb\xbf", meta].concat();
        assert_eq!(charset(&marked, header), ("UTF-8", CharsetSource::Bom));
        assert_eq!(charset(meta, header), ("Shift_JIS", CharsetSource::Header));
        assert_eq!(
            charset(meta, Some("text/html")),
            ("KOI8-R", CharsetSource::Meta)
        );
        assert_eq!(
            charset("h\u{e9}".as_bytes(), None),
            ("UTF-8", CharsetSource::Detected)
        );
        assert_eq!(
            charset(b"hello", None),
            ("windows-1252", CharsetSource::Default)
        );
    }

    #[test]
    fn queries_are_in_the_encoding_of_their_page() {
        let charset = |name| Charset {
            name,
            source: CharsetSource::Header,
        };
        let encode = |name, href: &str| charset(name).encode_query(href).into_owned();
        assert_eq!(
            encode("Shift_JIS", "/\u{e9}?q=\u{65e5}\u{672c}&a=b#\u{65e5}"),
            "/\u{e9}?q=%93%FA%96%7B&a=b#\u{65e5}"
        );
        assert_eq!(
            encode("windows-1252", "?\u{e9}&\u{65e5}"),
            "?%E9&%26%2326085%3B".replace("%2326085", "%23%32%36%30%38%35")
        );
        for name in ["UTF-8", "UTF-16LE", "replacement"] {
            assert_eq!(encode(name, "/?\u{e9}"), "/?\u{e9}");
        }
        assert_eq!(encode("windows-1252", "/\u{e9}#?\u{e9}"), "/\u{e9}#?\u{e9}");
    }

    #[test]
    fn other_encodings_are_guessed() {
        let russian = "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}, \u{43a}\u{430}\u{43a} \u{434}\u{435}\u{43b}\u{430}? ";
        let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
        let body = bytes.repeat(20);
        assert_eq!(
            charset(&body, None),
            ("windows-1251", CharsetSource::Detected)
        );
    }

    #[test]
    fn an_unknown_label_is_warned_of() {
        let decoded = decode(b"<meta charset=big5>", Some("text/html; charset=nosuch"));
        assert_eq!(
            decoded.charset,
            Charset {
                name: "Big5",
                source: CharsetSource::Meta
            }
        );
        assert_eq!(decoded.warnings, [Warning::UnknownCharset]);
    }

    #[test]
    fn valid_utf8_is_not_copied_and_marks_are_dropped() {
        let (text, _) = decode_text("\u{feff}h\u{e9}".as_bytes(), None);
        assert!(matches!(text, Cow::Borrowed("h\u{e9}")));
        let malformed = decode(b"a\xff", Some("text/html; charset=utf-8"));
        assert_eq!(malformed.text, "a\u{fffd}");
        assert_eq!(malformed.warnings, [Warning::MalformedBytes]);
        let (cut, charset) = decode_text(b"h\xc3\xa9\xc3", None);
        assert_eq!((cut.as_ref(), charset.name), ("h\u{e9}\u{fffd}", "UTF-8"));
    }
}
