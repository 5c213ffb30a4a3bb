//! What stands at a `<`: the tag open, comment, doctype and CDATA states of WHATWG HTML 13.2.5.

use memchr::memmem;

use crate::names::Name;
use crate::work::{self, find};

/// What a `<` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// A start tag; its attributes begin at `after_name`.
    Start { name: Name, after_name: usize },
    /// An end tag; its attributes, which mean nothing, begin at `after_name`.
    End { name: Name, after_name: usize },
    /// A CDATA section: its text stands in `from..to`.
    CharacterData { from: usize, to: usize, next: usize },
    /// A comment, a doctype or the like, which ends before `next`.
    Skipped { next: usize },
    /// Nothing: the `<` is text.
    Text,
}

/// Reads what stands at `less_than`, the index of a `<`. `takes_cdata` says whether `<![CDATA[` begins a
/// section (in foreign content) or a bogus comment.
///
/// Every byte looked at stands before the end of what is returned, but for a constant number: that
/// makes the whole scan linear.
#[inline]
pub(crate) fn read_markup(bytes: &[u8], less_than: usize, takes_cdata: bool) -> Markup {
    let at = less_than + 1;
    match bytes.get(at) {
        Some(byte) if byte.is_ascii_alphabetic() => {
            let (name, after_name) = read_name(bytes, at);
            Markup::Start { name, after_name }
        }
        Some(b'/') => match bytes.get(at + 1) {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let (name, after_name) = read_name(bytes, at + 1);
                Markup::End { name, after_name }
            }
            Some(_) => Markup::Skipped {
                next: after_greater_than(bytes, at + 1),
            },
            None => Markup::Text,
        },
        Some(b'!') => read_declaration(bytes, at + 1, takes_cdata),
        Some(b'?') => Markup::Skipped {
            next: after_greater_than(bytes, at),
        },
        _ => Markup::Text,
    }
}

#[inline]
fn read_name(bytes: &[u8], from: usize) -> (Name, usize) {
    let rest = bytes.get(from..).unwrap_or_default();
    let (name, length) = Name::at_start_of(rest);
    work::note(length);
    (name, from + length)
}

fn read_declaration(bytes: &[u8], at: usize, takes_cdata: bool) -> Markup {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(b"--") {
        return Markup::Skipped {
            next: comment_end(bytes, at + 2),
        };
    }
    if takes_cdata && rest.starts_with(b"[CDATA[") {
        let from = at + 7;
        let found = bytes
            .get(from..)
            .and_then(|rest| memmem::find(rest, b"]]>"));
        let to = found.map_or(bytes.len(), |length| from + length);
        work::note(to.saturating_sub(from));
        return Markup::CharacterData {
            from,
            to,
            next: (to + 3).min(bytes.len()),
        };
    }
    Markup::Skipped {
        next: after_greater_than(bytes, at),
    }
}

/// The byte after the comment whose `<!--` ends at `from`. It ends at `-->` or `--!>`, or at once at `>`
/// or `->`; an unclosed one takes the rest of the input.
fn comment_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(end) = find(bytes, at, b'>') {
        let content = bytes.get(from..end).unwrap_or_default();
        if matches!(content, b"" | b"-") || content.ends_with(b"--") || content.ends_with(b"--!") {
            return end + 1;
        }
        at = end + 1;
    }
    bytes.len()
}

fn after_greater_than(bytes: &[u8], from: usize) -> usize {
    find(bytes, from, b'>').map_or(bytes.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    fn rest_after(html: &str) -> &str {
        match read_markup(html.as_bytes(), 0, false) {
            Markup::Skipped { next } => &html[next..],
            other => panic!("{html}: {other:?}"),
        }
    }

    #[test]
    fn comments_end_where_the_tokenizer_says() {
        for closed in [
            "<!---->",
            "<!-->",
            "<!--->",
            "<!--a-->",
            "<!--a--!>",
            "<!--a--->",
            "<!--a>b-->",
            "<!--<!-->",
            "<!--a->b-->",
            "<!----!>",
            "<!--!>-->",
            "<!---!>-->",
            "<!--<!->-->",
        ] {
            assert_eq!(rest_after(&format!("{closed}x")), "x", "{closed}");
        }
        assert_eq!(rest_after("<!--a-- >x"), "");
    }

    #[test]
    fn bogus_comments_end_at_the_first_greater_than() {
        assert_eq!(rest_after("<!doctype a \">\">x"), "\">x");
        assert_eq!(rest_after("<?php 1>x"), "x");
        assert_eq!(rest_after("</>x"), "x");
        assert_eq!(rest_after("</ a>x"), "x");
        assert_eq!(rest_after("<!>x"), "x");
        assert_eq!(rest_after("<![CDATA[a>b]]>x"), "b]]>x");
    }

    #[test]
    fn tags_text_and_sections() {
        let start = read_markup(b"<A/href", 0, false);
        assert_eq!(
            start,
            Markup::Start {
                name: names::A,
                after_name: 2
            }
        );
        let end = read_markup(b"</tItLe >", 0, false);
        assert_eq!(
            end,
            Markup::End {
                name: names::TITLE,
                after_name: 7
            }
        );
        for text in ["<", "< a", "<3", "</"] {
            assert_eq!(
                read_markup(text.as_bytes(), 0, false),
                Markup::Text,
                "{text}"
            );
        }
        let section = read_markup(b"<![CDATA[a>]]>b", 0, true);
        assert_eq!(
            section,
            Markup::CharacterData {
                from: 9,
                to: 11,
                next: 14
            }
        );
        let open = read_markup(b"<![CDATA[a]]", 0, true);
        assert_eq!(
            open,
            Markup::CharacterData {
                from: 9,
                to: 12,
                next: 12
            }
        );
    }
}
