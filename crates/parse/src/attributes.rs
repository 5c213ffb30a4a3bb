//! Attributes of a tag, by the attribute states of WHATWG HTML 13.2.5.32 to 13.2.5.40.

use crate::names::{self, Name};
use crate::work::{self, any_of, below, find};

/// What stands next in a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// An attribute: byte ranges of its name and of its value without quotes.
    Attribute {
        name: (usize, usize),
        value: (usize, usize),
    },
    /// The closing `>`.
    TagEnd { self_closing: bool },
    /// The input ends inside the tag: the tag is dropped (`eof-in-tag`).
    EndOfInput,
}

/// Where a tag ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TagEnd {
    /// The byte after the `>`.
    pub(crate) next: usize,
    /// Whether it ends in `/>`.
    pub(crate) self_closing: bool,
}

/// The attributes that parsing looks at, as written. The first of a name wins.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) href: Option<&'a str>,
    pub(crate) xlink_href: Option<&'a str>,
    pub(crate) src: Option<&'a str>,
    pub(crate) rel: Option<&'a str>,
    pub(crate) type_: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) http_equiv: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) charset: Option<&'a str>,
    pub(crate) lang: Option<&'a str>,
    pub(crate) xml_lang: Option<&'a str>,
    pub(crate) encoding: Option<&'a str>,
    /// Whether there is a `color`, `face` or `size`, with which `font` breaks out of foreign content.
    pub(crate) styles_font: bool,
}

impl<'a> Attributes<'a> {
    fn put(&mut self, name: Name, value: &'a str) {
        let slot = match name {
            names::HREF => &mut self.href,
            names::XLINK_HREF => &mut self.xlink_href,
            names::SRC => &mut self.src,
            names::REL => &mut self.rel,
            names::TYPE => &mut self.type_,
            names::NAME => &mut self.name,
            names::HTTP_EQUIV => &mut self.http_equiv,
            names::CONTENT => &mut self.content,
            names::CHARSET => &mut self.charset,
            names::LANG => &mut self.lang,
            names::XML_LANG => &mut self.xml_lang,
            names::ENCODING => &mut self.encoding,
            names::COLOR | names::FACE | names::SIZE => {
                self.styles_font = true;
                return;
            }
            _ => return,
        };
        slot.get_or_insert(value);
    }
}

/// Reads the attributes of the tag whose name ends at `at` into `attributes`; `None` when the input ends in
/// the tag.
pub(crate) fn read_attributes<'a>(
    html: &'a str,
    at: usize,
    attributes: &mut Attributes<'a>,
) -> Option<TagEnd> {
    let bytes = html.as_bytes();
    let mut at = at;
    loop {
        match step(bytes, &mut at) {
            Step::Attribute { name, value } => {
                let name = Name::at(bytes, name.0, name.1);
                attributes.put(name, html.get(value.0..value.1).unwrap_or_default());
            }
            Step::TagEnd { self_closing } => {
                return Some(TagEnd {
                    next: at,
                    self_closing,
                });
            }
            Step::EndOfInput => return None,
        }
    }
}

/// Skips the attributes of the tag whose name ends at `at`: the byte after its `>`, or `None` when the input
/// ends in the tag.
#[inline]
pub(crate) fn skip_attributes(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'>') {
        return Some(at + 1);
    }
    skip_some_attributes(bytes, at)
}

/// The same where there are some.
///
/// All that matters is which `>` is outside of quotes, and a quote only counts behind the equals sign of
/// a value. So where that stands right behind a name and before a quote, as in nearly all attributes, no
/// byte is looked at by itself.
fn skip_some_attributes(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    while let Some(found) = find_equals_or_end(bytes, at) {
        if bytes.get(found) == Some(&b'>') {
            return Some(found + 1);
        }
        let is_of_name = |byte: &u8| *byte > b' ' && *byte != b'/';
        let before = bytes.get(at..found).unwrap_or_default();
        let Some(quote @ (b'"' | b'\'')) = bytes.get(found + 1) else {
            break;
        };
        if !before.last().is_some_and(is_of_name) {
            break;
        }
        at = find(bytes, found + 2, *quote)? + 1;
        if bytes.get(at) == Some(&b'>') {
            return Some(at + 1);
        }
    }
    loop {
        match step(bytes, &mut at) {
            Step::Attribute { .. } => {}
            Step::TagEnd { .. } => return Some(at),
            Step::EndOfInput => return None,
        }
    }
}

/// The index of the first `=` or `>` from `at` on, where it is near.
#[inline]
fn find_equals_or_end(bytes: &[u8], at: usize) -> Option<usize> {
    const NEAR: usize = 32;
    let (pieces, _) = bytes.get(at..)?.as_chunks::<8>();
    let pieces = pieces.iter().take(NEAR / 8).enumerate();
    pieces.into_iter().find_map(|(number, piece)| {
        let found = any_of(u64::from_le_bytes(*piece), [b'=', b'>']);
        let length = 8 * number + found.trailing_zeros() as usize / 8;
        work::note(8);
        (found != 0).then_some(at + length)
    })
}

/// One step from the "before attribute name" state.
#[inline]
fn step(bytes: &[u8], at: &mut usize) -> Step {
    loop {
        work::note(1);
        match bytes.get(*at) {
            None => return Step::EndOfInput,
            Some(b'\t' | b'\n' | b'\x0c' | b'\r' | b' ') => *at += 1,
            Some(b'>') => {
                *at += 1;
                return Step::TagEnd {
                    self_closing: false,
                };
            }
            Some(b'/') => {
                *at += 1;
                if bytes.get(*at) == Some(&b'>') {
                    *at += 1;
                    return Step::TagEnd { self_closing: true };
                }
            }
            Some(_) => break,
        }
    }
    let from = *at;
    *at += 1; // an equals sign at the start is part of the name
    *at += name_length(bytes.get(*at..).unwrap_or_default());
    let name = (from, *at);
    work::note(*at - from);
    skip_whitespace(bytes, at);
    if bytes.get(*at) != Some(&b'=') {
        return Step::Attribute {
            name,
            value: (*at, *at),
        };
    }
    *at += 1;
    match value(bytes, at) {
        Some(value) => Step::Attribute { name, value },
        None => Step::EndOfInput,
    }
}

/// How long an attribute's name goes on.
#[inline]
fn name_length(rest: &[u8]) -> usize {
    let ends = |byte: &u8| {
        matches!(
            byte,
            b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>' | b'='
        )
    };
    // What ends a name stands before all letters.
    if let Some(head) = rest.first_chunk::<8>() {
        let others = below(u64::from_le_bytes(*head), b'>' + 1);
        let length = others.trailing_zeros() as usize / 8;
        if head.get(length).is_some_and(ends) {
            return length;
        }
    }
    rest.iter().position(ends).unwrap_or(rest.len())
}

/// The value after an equals sign, from the "before attribute value" state.
#[inline]
fn value(bytes: &[u8], at: &mut usize) -> Option<(usize, usize)> {
    skip_whitespace(bytes, at);
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(*at) {
        let from = *at + 1;
        let end = find(bytes, from, *quote)?;
        *at = end + 1;
        return Some((from, end));
    }
    let from = *at;
    while let Some(byte) = bytes.get(*at)
        && !matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'>')
    {
        *at += 1;
    }
    work::note(*at - from);
    Some((from, *at))
}

#[inline]
fn skip_whitespace(bytes: &[u8], at: &mut usize) {
    while let Some(b'\t' | b'\n' | b'\x0c' | b'\r' | b' ') = bytes.get(*at) {
        work::note(1);
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A tag ends where it ends, whether its attributes are read or skipped.
        #[test]
        fn skipped_is_as_read(inside in r#"[ /](x|yz|=|"|'|>| |/|\n|a=|b="c"|d='e f' |[a-z]{9}){0,24}"#) {
            let read = read_attributes(&inside, 0, &mut Attributes::default());
            prop_assert_eq!(skip_attributes(inside.as_bytes(), 0), read.map(|end| end.next));
        }
    }

    fn href_of(rest: &str) -> Option<&str> {
        let mut attributes = Attributes::default();
        let end = read_attributes(rest, 0, &mut attributes).unwrap();
        assert_eq!(end.next, rest.len());
        assert_eq!(skip_attributes(rest.as_bytes(), 0), Some(end.next));
        attributes.href
    }

    #[test]
    fn values_with_and_without_quotes() {
        assert_eq!(href_of(" href=x>"), Some("x"));
        assert_eq!(href_of(" HREF = 'x y' >"), Some("x y"));
        assert_eq!(href_of(" title=\"a>b\"href=\"x\">"), Some("x"));
        assert_eq!(href_of(" href>"), Some(""));
        assert_eq!(href_of(" href=>"), Some(""));
        assert_eq!(href_of(" href=a/b/>"), Some("a/b/"));
        assert_eq!(href_of(" href=a\"b'>"), Some("a\"b'"));
        assert_eq!(href_of("/href=x/>"), Some("x/"));
    }

    #[test]
    fn the_first_of_a_name_wins() {
        assert_eq!(href_of(" href=1 href=2>"), Some("1"));
        assert_eq!(href_of(" href href=2>"), Some(""));
    }

    #[test]
    fn odd_equals_signs_and_quotes_are_names() {
        assert_eq!(href_of(" =href=1>"), None);
        assert_eq!(href_of(" =\" href=1>"), Some("1"));
        assert_eq!(href_of(" a=b=\"c href=1>"), Some("1"));
        assert_eq!(href_of(" a\"b href=1>"), Some("1"));
    }

    #[test]
    fn a_tag_cut_by_the_end_is_dropped() {
        for cut in [
            " href=\"x",
            " href=x",
            " href",
            " href=",
            " ",
            "/",
            " href='x' ",
        ] {
            assert_eq!(
                read_attributes(cut, 0, &mut Attributes::default()),
                None,
                "{cut}"
            );
            assert_eq!(skip_attributes(cut.as_bytes(), 0), None, "{cut}");
        }
    }
}
