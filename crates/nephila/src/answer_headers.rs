//! Headers of an answer as text: what it is, where to go on, and whether all of it came.

use http::HeaderMap;
use http::header::{CONTENT_RANGE, LOCATION};

/// A header as text; `None` when it is missing or no visible ASCII.
pub(crate) fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// All X-Robots-Tag headers, joined by `, `.
pub(crate) fn robots_header(headers: &HeaderMap) -> Option<String> {
    let values: Vec<_> = headers
        .get_all("x-robots-tag")
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The Location header as text. Servers send bytes of their own encoding: what is no UTF-8 goes back to them as
/// it came, percent-encoded.
pub(crate) fn location(headers: &HeaderMap) -> Option<String> {
    let bytes = headers.get(LOCATION)?.as_bytes();
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(text.to_owned());
    }
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        match byte {
            0x80.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(*byte)),
        }
    }
    Some(text)
}

/// Whether the part that a 206 sends is all there is (RFC 9110 section 14.4): `bytes 0-9/10`.
pub(crate) fn is_whole_range(headers: &HeaderMap) -> bool {
    let range = || {
        let value = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, length) = value.strip_prefix("bytes 0-")?.split_once('/')?;
        let last: u64 = range.trim().parse().ok()?;
        let length: u64 = length.trim().parse().ok()?;
        Some(last.checked_add(1)? == length)
    };
    range().unwrap_or(false)
}

/// What is recorded of a 206 that nobody asked for.
pub(crate) const PART: &str = "answered with a part (206), which was not asked for";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn bytes_of_another_encoding_go_back_as_they_came() {
        let read = |bytes: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_bytes(bytes).unwrap());
            location(&headers).unwrap()
        };
        assert_eq!(read(b"/a?q=\xe9&r=b"), "/a?q=%E9&r=b");
        assert_eq!(read("/a?q=\u{e9}".as_bytes()), "/a?q=\u{e9}");
        assert_eq!(location(&HeaderMap::new()), None);
    }

    #[test]
    fn a_range_from_the_first_byte_to_the_last_is_whole() {
        let whole = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, HeaderValue::from_static(value));
            is_whole_range(&headers)
        };
        assert!(whole("bytes 0-9/10"));
        for part in [
            "bytes 0-8/10",
            "bytes 1-9/10",
            "bytes 0-9/*",
            "bytes */10",
            "",
            "bytes 0-18446744073709551615/0",
        ] {
            assert!(!whole(part), "{part}");
        }
        assert!(!is_whole_range(&HeaderMap::new()));
    }
}
