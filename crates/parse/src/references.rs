//! Character references, by WHATWG HTML 13.2.5.72 to 13.2.5.80.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use web_atoms::NAMED_ENTITIES;

use crate::work;

/// Letters and digits of the longest name, `CounterClockwiseContourIntegral`.
const LONGEST_NAME_BYTES: usize = 31;
/// Letters and digits of the longest name that needs no semicolon, such as `Aacute`.
const LONGEST_BARE_NAME_BYTES: usize = 6;

/// Where a reference stands: in an attribute, a name without semicolon before `=` or a letter or digit
/// is left as it is, so that `?a=1&copy=2` means what its writer meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Text,
    Attribute,
}

/// What a reference stands for: one character, sometimes two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Characters {
    pub(crate) first: char,
    pub(crate) second: Option<char>,
}

impl Characters {
    fn one(first: char) -> Self {
        Self {
            first,
            second: None,
        }
    }

    /// Adds them to `out`.
    pub(crate) fn push_to(self, out: &mut String) {
        out.push(self.first);
        out.extend(self.second);
    }
}

/// The attribute value that `raw` stands for: references decoded, U+0000 replaced.
pub(crate) fn decode_attribute(raw: &str) -> Cow<'_, str> {
    if memchr2(b'&', 0, raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    decode_into(raw, Place::Attribute, &mut out);
    if memchr(0, out.as_bytes()).is_some() {
        out = out.replace('\0', "\u{fffd}");
    }
    Cow::Owned(out)
}

/// Adds `raw` to `out` with its references decoded.
pub(crate) fn decode_into(raw: &str, place: Place, out: &mut String) {
    each_run(raw, place, |run| {
        out.push_str(run);
        true
    });
}

/// Gives a text as written in runs, its references decoded, for as long as `take` wants more.
#[inline]
pub(crate) fn each_run(raw: &str, place: Place, mut take: impl FnMut(&str) -> bool) {
    let mut rest = raw;
    while let Some((before, from)) = split_at_ampersand(rest) {
        if !take(before) {
            return;
        }
        let length = match read_reference(from, place) {
            Some((length, characters)) => {
                let mut buffer = [0; 4];
                take(characters.first.encode_utf8(&mut buffer));
                if let Some(second) = characters.second {
                    take(second.encode_utf8(&mut buffer));
                }
                length
            }
            None => {
                take("&");
                1
            }
        };
        rest = from.get(length..).unwrap_or_default();
    }
    take(rest);
}

/// What stands before the first ampersand, and the rest beginning with it.
fn split_at_ampersand(text: &str) -> Option<(&str, &str)> {
    let found = work::find(text.as_bytes(), 0, b'&');
    found.and_then(|at| text.split_at_checked(at))
}

/// Reads the reference that `from` begins with (its first byte is the ampersand): bytes taken and what
/// it stands for. `None` when there is no reference there. Looks at no more than 33 bytes, or at the
/// digits that it takes.
pub(crate) fn read_reference(from: &str, place: Place) -> Option<(usize, Characters)> {
    let bytes = from.as_bytes();
    work::note(1);
    // Nearly all that pages have.
    match bytes {
        [_, b'a', b'm', b'p', b';', ..] => return Some((5, Characters::one('&'))),
        [_, b'n', b'b', b's', b'p', b';', ..] => return Some((6, Characters::one('\u{a0}'))),
        [_, b'q', b'u', b'o', b't', b';', ..] => return Some((6, Characters::one('"'))),
        [_, b'l', b't', b';', ..] => return Some((4, Characters::one('<'))),
        [_, b'g', b't', b';', ..] => return Some((4, Characters::one('>'))),
        [_, b'#', ..] => return read_number(bytes),
        _ => {}
    }
    let name = bytes.get(1..)?;
    let length = name
        .iter()
        .take(LONGEST_NAME_BYTES + 1)
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or_else(|| name.len().min(LONGEST_NAME_BYTES + 1));
    work::note(length);
    if name.get(length) == Some(&b';')
        && let Some(characters) = look_up(from.get(1..length + 2)?)
    {
        return Some((length + 2, characters));
    }
    let longest = length.min(LONGEST_BARE_NAME_BYTES);
    let (taken, characters) = (2..=longest).rev().find_map(|taken| {
        let found = look_up(from.get(1..taken + 1)?)?;
        Some((taken, found))
    })?;
    let after = name.get(taken);
    let is_part_of_a_word = after.is_some_and(|byte| *byte == b'=' || byte.is_ascii_alphanumeric());
    let stays = place == Place::Attribute && is_part_of_a_word;
    (!stays).then_some((taken + 1, characters))
}

/// Looks up a name, written with its semicolon if it has one.
fn look_up(name: &str) -> Option<Characters> {
    // The table also has every beginning of a name, as (0, 0).
    let (first, second) = *NAMED_ENTITIES.get(name)?;
    let first = char::from_u32(first).filter(|character| *character != '\0')?;
    let second = char::from_u32(second).filter(|character| *character != '\0');
    Some(Characters { first, second })
}

fn read_number(bytes: &[u8]) -> Option<(usize, Characters)> {
    let is_hexadecimal = matches!(bytes.get(2), Some(b'x' | b'X'));
    let (radix, from) = if is_hexadecimal { (16, 3) } else { (10, 2) };
    let mut value: u32 = 0;
    let mut at = from;
    while let Some(digit) = bytes
        .get(at)
        .and_then(|byte| char::from(*byte).to_digit(radix))
    {
        value = value.saturating_mul(radix).saturating_add(digit);
        at += 1;
    }
    work::note(at);
    if at == from {
        return None;
    }
    if bytes.get(at) == Some(&b';') {
        at += 1;
    }
    Some((at, Characters::one(character_of(value))))
}

/// The character of a number, by the "numeric character reference end" state: the C1 controls are taken
/// for the characters that windows-1252 has in their place.
fn character_of(value: u32) -> char {
    if let Ok(byte @ 0x80..=0x9f) = u8::try_from(value) {
        let single = [byte];
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&single);
        return text.chars().next().unwrap_or('\u{fffd}');
    }
    match char::from_u32(value) {
        None | Some('\0') => '\u{fffd}',
        Some(character) => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        let mut out = String::new();
        decode_into(raw, Place::Text, &mut out);
        out
    }

    #[test]
    fn names_with_and_without_semicolon() {
        assert_eq!(
            text("&amp;&lt&notit;&notin;&NotEqualTilde;"),
            "&<\u{ac}it;\u{2209}\u{2242}\u{338}"
        );
        assert_eq!(text("&CounterClockwiseContourIntegral;"), "\u{2233}");
        assert_eq!(text("&Aacute&frac14x"), "\u{c1}\u{bc}x");
        assert_eq!(text("&nosuch; & &; &x"), "&nosuch; & &; &x");
    }

    #[test]
    fn attributes_keep_what_looks_like_a_query() {
        assert_eq!(
            decode_attribute("?a=1&copy=2&amp;b&ampc&reg"),
            "?a=1&copy=2&b&ampc\u{ae}"
        );
        assert_eq!(decode_attribute("&copy;=&lt;"), "\u{a9}=<");
        assert_eq!(decode_attribute("a\0b"), "a\u{fffd}b");
    }

    #[test]
    fn numbers() {
        assert_eq!(
            text("&#65;&#x41&#X41;&#128;&#0;&#xD800;&#x110000;"),
            "AAA\u{20ac}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(text("&#;&#x;&#99999999999999999999;"), "&#;&#x;\u{fffd}");
        assert_eq!(text("&#x81;"), "\u{81}");
    }
}
