//! Text with its whitespace collapsed, under a bound.

use crate::elements::Edge;
use crate::references::{Place, each_run};
use crate::work;

/// How long a text may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// In bytes of UTF-8; what is longer is cut at a character.
    Bytes(usize),
    /// In characters.
    Characters(usize),
}

/// Text that grows run by run: ASCII whitespace collapsed to one space, none at the ends, a line break
/// where a block begins or ends, never longer than its bound.
#[derive(Debug)]
pub(crate) struct Collapsed {
    out: String,
    /// What separates the next word from those before.
    gap: Edge,
    bound: Bound,
    /// Characters in `out`, counted only when the bound is in characters.
    characters: usize,
    is_cut: bool,
}

impl Collapsed {
    pub(crate) fn new(bound: Bound) -> Self {
        Self {
            out: String::new(),
            gap: Edge::None,
            bound,
            characters: 0,
            is_cut: false,
        }
    }

    /// Whether something did not fit; nothing is taken any more.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The text.
    pub(crate) fn into_text(self) -> String {
        self.out
    }

    /// The text, and begins anew; the room that it took is kept for the next one.
    pub(crate) fn take_text(&mut self) -> String {
        let text = self.out.as_str().to_owned();
        self.out.clear();
        self.gap = Edge::None;
        self.characters = 0;
        self.is_cut = false;
        text
    }

    /// Separates what follows from what was before.
    pub(crate) fn separate(&mut self, edge: Edge) {
        match (edge, self.gap) {
            (Edge::Line, _) => self.gap = Edge::Line,
            (Edge::Space, Edge::None) => self.gap = Edge::Space,
            _ => {}
        }
    }

    /// Adds a run of text as written: references are decoded.
    pub(crate) fn push_raw(&mut self, raw: &str) {
        each_run(raw, Place::Text, |run| {
            self.push(run);
            !self.is_cut
        });
    }

    /// Adds a run of text that has no references.
    pub(crate) fn push(&mut self, run: &str) {
        work::note(run.len());
        if self.is_cut {
            return;
        }
        let bytes = run.as_bytes();
        if bytes.len() <= SHORT_BYTES && is_collapsed(bytes) {
            return self.push_words(run);
        }
        let mut at = 0;
        while let Some(byte) = bytes.get(at)
            && !self.is_cut
        {
            match byte {
                b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' => {
                    self.separate(Edge::Space);
                    at += 1;
                }
                0 => at += 1, // ignored, as in the body of a page
                _ => {
                    let end = at + words_length(bytes.get(at..).unwrap_or_default());
                    self.push_words(run.get(at..end).unwrap_or_default());
                    at = end;
                }
            }
        }
    }

    /// Adds words that single spaces separate.
    fn push_words(&mut self, words: &str) {
        let gap = match self.gap {
            _ if self.out.is_empty() => None,
            Edge::None => None,
            Edge::Space => Some(' '),
            Edge::Line => Some('\n'),
        };
        self.gap = Edge::None;
        let gap_length = usize::from(gap.is_some());
        let fitting = match self.bound {
            Bound::Bytes(bound) => {
                fitting_bytes(words, bound.saturating_sub(self.out.len() + gap_length))
            }
            Bound::Characters(bound) => {
                let room = bound.saturating_sub(self.characters + gap_length);
                let (fitting, characters) = fitting_characters(words, room);
                self.characters += characters + gap_length;
                fitting
            }
        };
        self.is_cut = fitting.len() < words.len();
        if !fitting.is_empty() {
            self.out.extend(gap);
            self.out
                .push_str(fitting.trim_end_matches(|c| self.is_cut && c == ' '));
        }
    }
}

/// Runs of up to so many bytes are looked at as a whole first: most texts of links are one.
const SHORT_BYTES: usize = 128;

/// Whether these are words that single spaces separate, and nothing else. No byte is branched on.
#[inline]
fn is_collapsed(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let stops = pairs.fold(false, |stops, (byte, next)| {
        stops | (*byte < b' ') | ((*byte == b' ') & (*next == b' '))
    });
    !stops && *first > b' ' && *last > b' '
}

/// The length of the words at the start of `bytes`: up to a NUL, a whitespace byte that is no space, or
/// a space before another one or the end.
#[inline]
fn words_length(bytes: &[u8]) -> usize {
    let plain = plain_length(bytes);
    let rest = bytes.get(plain..).unwrap_or_default();
    let mut pairs = rest.iter().zip(rest.iter().skip(1));
    let is_break = |byte: u8| matches!(byte, 0 | b'\t' | b'\n' | b'\x0c' | b'\r');
    let stops = |(byte, next): (&u8, &u8)| is_break(*byte) || (*byte == b' ' && *next <= b' ');
    let ends_open = rest
        .last()
        .is_some_and(|byte| is_break(*byte) || *byte == b' ');
    let length = pairs
        .position(stops)
        .unwrap_or(rest.len() - usize::from(ends_open));
    plain + length
}

/// How many bytes at the start of `bytes` are surely words, found a block at a time so that the compiler
/// can compare a whole block at once.
fn plain_length(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let blocks = bytes.chunks_exact(BLOCK);
    let nexts = bytes.get(1..).unwrap_or_default().chunks_exact(BLOCK);
    let stops = |(block, next): (&[u8], &[u8])| {
        let pairs = block.iter().zip(next);
        pairs.fold(false, |stops, (byte, next)| {
            stops | (*byte < b' ') | ((*byte == b' ') & (*next <= b' '))
        })
    };
    let pairs = blocks.zip(nexts);
    pairs.take_while(|pair| !stops(*pair)).count() * BLOCK
}

fn fitting_bytes(words: &str, room: usize) -> &str {
    if words.len() <= room {
        return words;
    }
    (0..=room)
        .rev()
        .find_map(|end| words.get(..end))
        .unwrap_or_default()
}

/// The first `room` characters of `words`, and how many they are.
fn fitting_characters(words: &str, room: usize) -> (&str, usize) {
    if words.len() <= room {
        let begins = |byte: u8| usize::from(byte as i8 >= -0x40); // as in `char_indices`
        return (words, words.bytes().map(begins).sum());
    }
    let mut characters = 0;
    for (at, _) in words.char_indices() {
        if characters == room {
            return (words.get(..at).unwrap_or_default(), characters);
        }
        characters += 1;
    }
    (words, characters)
}

/// `text` with its whitespace collapsed, at most `characters_max` characters.
pub(crate) fn collapse(text: &str, characters_max: usize) -> String {
    let mut collapsed = Collapsed::new(Bound::Characters(characters_max));
    collapsed.push(text);
    collapsed.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_collapses_over_runs() {
        let mut text = Collapsed::new(Bound::Bytes(100));
        for run in [
            "  a b",
            " ",
            "\n c\t\td e  f ",
            "",
            "&amp;&#32;&nbsp;g\0h i ",
        ] {
            text.push_raw(run);
        }
        assert_eq!(text.into_text(), "a b c d e f & \u{a0}gh i");
    }

    #[test]
    fn blocks_are_lines() {
        let mut text = Collapsed::new(Bound::Bytes(100));
        text.separate(Edge::Line);
        text.push("a ");
        text.separate(Edge::Line);
        text.separate(Edge::Space);
        text.push(" b");
        text.separate(Edge::Space);
        text.push("c");
        text.separate(Edge::Line);
        assert_eq!(text.into_text(), "a\nb c");
    }

    #[test]
    fn bounds_cut_at_a_character() {
        assert_eq!(collapse("  ab \u{e9}\u{e9}c", 5), "ab \u{e9}\u{e9}");
        assert_eq!(collapse("ab c", 3), "ab");
        let mut text = Collapsed::new(Bound::Bytes(4));
        text.push("ab \u{e9}\u{e9}");
        assert!(text.is_cut());
        // What would fit in the room that is left is not taken: it is not what comes next.
        text.push("c");
        assert_eq!(text.into_text(), "ab");
        let mut exact = Collapsed::new(Bound::Bytes(4));
        exact.push("abcd ");
        exact.push(" ");
        assert!(!exact.is_cut());
    }
}
