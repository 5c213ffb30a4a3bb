//! The form in which paths and patterns are compared (RFC 9309 2.2.2 and 2.2.3).
//!
//! | octet | becomes | because |
//! |---|---|---|
//! | unreserved (`A-Z a-z 0-9 - . _ ~`) | itself | |
//! | `%` and two digits that mean an unreserved octet | that octet | 2.2.2: it must be decoded |
//! | any other `%` and two digits | the same, digits in upper case | 2.2.2: it stays encoded |
//! | `%` without two digits | itself | it encodes nothing |
//! | `*`, and `$` at the end, of a pattern | itself, with its meaning | 2.2.3 |
//! | other `*` and `$` | `%2A`, `%24` | 2.2.3: so that `%2A` in a pattern means a star |
//! | `'` | `%27` | URL parsers encode it in queries |
//! | controls, space, `"`, `<`, `>`, and all that is not ASCII | percent-encoded | 2.2.2 |
//! | all others (reserved ones but those above, and `\ ^ { }` and so on) | itself | compared as written |

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The path and query of a URL in normal form, without a fragment, beginning with `/`. Allocates only
/// when it is not in that form already.
pub(crate) fn path(path_and_query: &str) -> Cow<'_, [u8]> {
    let bytes = path_and_query.as_bytes();
    if bytes.first() == Some(&b'/') && is_normal(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut normal = Vec::with_capacity(bytes.len() + bytes.len() / 4 + 1);
    if bytes.first() != Some(&b'/') {
        normal.push(b'/');
    }
    let end = memchr::memchr(b'#', bytes).unwrap_or(bytes.len());
    push_normal(bytes.get(..end).unwrap_or_default(), false, &mut normal);
    Cow::Owned(normal)
}

/// Appends a pattern in normal form to `normal`: `*` stays a wildcard, `$` at its end an anchor.
pub(crate) fn push_pattern(value: &[u8], normal: &mut Vec<u8>) {
    match value {
        [body @ .., b'$'] => {
            push_normal(body, true, normal);
            normal.push(b'$');
        }
        _ => push_normal(value, true, normal),
    }
}

fn push_normal(mut bytes: &[u8], wildcards: bool, normal: &mut Vec<u8>) {
    while let [octet, rest @ ..] = bytes {
        bytes = rest;
        match *octet {
            b'%' => match encoded_octet(rest) {
                Some(value) => {
                    push_octet(value, is_unreserved(value), normal);
                    bytes = rest.get(2..).unwrap_or_default();
                }
                None => normal.push(b'%'),
            },
            b'*' => push_octet(b'*', wildcards, normal),
            plain => push_octet(plain, is_plain(plain), normal),
        }
    }
}

fn push_octet(octet: u8, plain: bool, normal: &mut Vec<u8>) {
    if plain {
        normal.push(octet);
    } else {
        let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
        normal.extend([b'%', digit(octet >> 4), digit(octet & 15)]);
    }
}

fn is_normal(mut bytes: &[u8]) -> bool {
    while let [octet, rest @ ..] = bytes {
        bytes = rest;
        if is_plain(*octet) {
            continue;
        }
        if *octet != b'%' {
            return false;
        }
        if let Some(value) = encoded_octet(rest) {
            let lower = rest.iter().take(2).any(u8::is_ascii_lowercase);
            if lower || is_unreserved(value) {
                return false;
            }
        }
    }
    true
}

/// The octet that two hexadecimal digits at the start of `digits` mean.
fn encoded_octet(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    Some(value(*high)? << 4 | value(*low)?)
}

/// RFC 3986 2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

/// Whether an octet stands for itself in normal form.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'%' | b'*' | b'$' | b'\'' | b'"' | b'<' | b'>' | b'#'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal_path(text: &str) -> String {
        String::from_utf8(path(text).into_owned()).unwrap()
    }

    fn normal_pattern(text: &str) -> String {
        let mut normal = Vec::new();
        push_pattern(text.as_bytes(), &mut normal);
        String::from_utf8(normal).unwrap()
    }

    /// The table of RFC 9309 2.2.2, but for its second line (see README.md).
    #[test]
    fn the_table_of_the_standard() {
        for (written, compared) in [
            ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
            ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%E3%83%84", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ] {
            assert_eq!(normal_path(written), compared);
            assert_eq!(normal_pattern(written), compared);
        }
    }

    #[test]
    fn special_characters_are_told_from_their_literal_forms() {
        assert_eq!(normal_pattern("/a*b$"), "/a*b$");
        assert_eq!(normal_pattern("/a$b"), "/a%24b");
        assert_eq!(normal_pattern("/a%2ab%24"), "/a%2Ab%24");
        assert_eq!(normal_path("/a*b$"), "/a%2Ab%24");
    }

    #[test]
    fn odd_paths_get_a_normal_form() {
        assert_eq!(normal_path(""), "/");
        assert_eq!(normal_path("?a"), "/?a");
        assert_eq!(normal_path("/a#b"), "/a");
        assert_eq!(normal_path("/100%"), "/100%");
        assert_eq!(normal_path("/%zz%2f%7e"), "/%zz%2F~");
        assert_eq!(normal_path("/a b{c}|'<\""), "/a%20b{c}|%27%3C%22");
    }

    #[test]
    fn a_normal_path_is_borrowed() {
        assert!(matches!(path("/a/b.html?c=d%20e&f=g+h"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn the_normal_form_is_stable(text in "(/|a|%2f|%2F|%4A|%7e|%c3|[ *$'?])*") {
            let once = normal_path(&text);
            prop_assert_eq!(&normal_path(&once), &once);
            prop_assert!(once.starts_with('/') && once.is_ascii());
        }
    }
}
