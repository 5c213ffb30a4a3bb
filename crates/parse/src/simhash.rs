//! SimHash: 64 bits that are near for texts that are near.
//!
//! Charikar, "Similarity estimation techniques from rounding algorithms" (STOC 2002), as Manku, Jain
//! and Das Sarma used it on pages ("Detecting near-duplicates for web crawling", WWW 2007): every
//! feature of a text is hashed to 64 bits, and a bit of the result is set when it is set in more than
//! half of the features. Here a feature is three words in a row; one that occurs twice counts twice.
//!
//! The values are stored in rows, so none of this may ever change: a test pins it.
//!
//! - A word ends at white space, control characters and tags; its case is folded character by character
//!   (`char::to_lowercase`). In scripts that are written without spaces each character is a word.
//! - Text between two tags that is shorter than three bytes is left out.
//! - A word's hash: its UTF-8 in pieces of eight bytes, little endian, the last filled up with zeros;
//!   `h = fold(h ^ piece, A)` from `h = SEED`, where `fold` is the high half of the 128-bit product,
//!   xor its low half.
//! - A feature's hash: `fold(rotl(rotl(w1, 21) ^ w2, 21) ^ w3, B)`.
//!
//! The bits are counted in slices: one machine word holds one binary digit of all 64 counts, so that
//! adding a feature takes five instructions instead of 64 additions (Harley and Seal's carry-save
//! adders, as in Warren's "Hacker's Delight", 5-1).

use crate::letters::{fold_case, is_unspaced};
use crate::references::{Place, each_run};
use crate::work;

/// Features that a text must have for its SimHash to say something.
const FEATURES_MIN: u64 = 8;

/// Bytes that a run of text between two tags must have: shorter ones are a third of all runs, and
/// nearly all white space or punctuation.
const RUN_MIN: usize = 3;

const SEED: u64 = 0x243F_6A88_85A3_08D3;
const A: u64 = 0x9E37_79B9_7F4A_7C15;
const B: u64 = 0xD6E8_FEB8_6659_FD93;
const ROTATION: u32 = 21;

const PIECE: usize = 8;
const BLOCK: usize = 64;
const HIGH_BITS: u64 = (u64::MAX / 255) << 7;
const LOW_SEVENS: u64 = !HIGH_BITS;
const ONES: u64 = u64::MAX / 255;

/// Text is gathered up to this many bytes, then its words are read in one go: what stands between two
/// tags is short, and to begin with each run anew costs more than to read it.
const GATHERED_BYTES: usize = 4 * 1024;

/// A SimHash that grows run of text by run of text. It keeps some five kilobytes, or twice the longest
/// word where that is more.
#[derive(Debug)]
pub(crate) struct SimHasher {
    /// Bytes of text that it still takes.
    room: usize,
    /// Text whose words are still to be read.
    gathered: String,
    /// How long that may be before it is read.
    read_from: usize,
    words: Words,
}

impl SimHasher {
    /// Takes at most `bytes_max` bytes of text; what comes later is ignored.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            room: bytes_max,
            gathered: String::with_capacity(GATHERED_BYTES + GATHERED_BYTES / 8),
            read_from: GATHERED_BYTES,
            words: Words {
                hashes: Vec::with_capacity(GATHERED_BYTES / 4),
                ..Words::default()
            },
        }
    }

    /// The SimHash; `None` for a text of fewer than eight features.
    pub(crate) fn finish(mut self) -> Option<u64> {
        self.gathered.push(' ');
        self.read();
        self.words.finish()
    }

    /// Ends the word that stands before a tag.
    #[inline]
    pub(crate) fn separate(&mut self) {
        if !self.gathered.ends_with(' ') {
            self.gathered.push(' ');
        }
    }

    /// Adds a run of text as written: references are decoded.
    #[inline]
    pub(crate) fn push_raw(&mut self, raw: &str) {
        if raw.len() < RUN_MIN {
            return;
        }
        each_run(raw, Place::Text, |run| {
            self.push(run);
            true
        });
    }

    /// Adds a run of text between two tags that has no references.
    #[inline]
    pub(crate) fn push_plain(&mut self, run: &str) {
        if run.len() >= RUN_MIN {
            self.push(run);
        }
    }

    /// Adds a run of text that has no references.
    #[inline]
    pub(crate) fn push(&mut self, run: &str) {
        work::note(run.len());
        if run.len() > self.room {
            self.room = 0;
            return;
        }
        self.room -= run.len();
        self.gathered.push_str(run);
        if self.gathered.len() >= self.read_from {
            self.read();
        }
    }

    /// Reads the words that were gathered but for the last one, which may go on.
    fn read(&mut self) {
        let blank = self.gathered.bytes().rposition(|byte| byte <= b' ');
        let whole = blank.map_or(0, |blank| blank + 1);
        self.gathered.make_ascii_lowercase();
        self.words
            .read(self.gathered.get(..whole).unwrap_or_default());
        self.gathered.drain(..whole);
        self.read_from = GATHERED_BYTES.max(2 * self.gathered.len());
    }
}

/// The words of a text, and what they vote for.
#[derive(Debug, Default)]
struct Words {
    /// The hashes of words whose features are still to be counted, and of the two words before them.
    hashes: Vec<u64>,
    votes: Votes,
}

impl Words {
    /// Reads a text with its ASCII letters in lower case that is empty or ends in a blank.
    fn read(&mut self, text: &str) {
        let mut start = 0;
        let mut was_blank = 1;
        for (number, block) in text.as_bytes().chunks(BLOCK).enumerate() {
            let base = number * BLOCK;
            let blanks = blanks_of_block(block);
            let after_blank = blanks << 1 | was_blank;
            let mut starts = !blanks & after_blank;
            let mut ends = blanks & !after_blank;
            let mut next_start = || {
                let at = starts.trailing_zeros() as usize;
                starts &= starts.wrapping_sub(1);
                base + at
            };
            if was_blank == 1 {
                start = next_start();
            }
            was_blank = blanks >> (BLOCK - 1);
            while ends != 0 {
                let end = base + ends.trailing_zeros() as usize;
                ends &= ends - 1;
                self.read_word(text, start, end);
                start = next_start();
            }
        }
        self.count_features();
    }

    #[inline]
    fn read_word(&mut self, text: &str, start: usize, end: usize) {
        // Of the bytes at `start` as many as the word has, where it fills one piece at most.
        const KEPT: [u64; PIECE + 1] = kept();
        let word = KEPT
            .get(end - start)
            .map(|kept| piece_at(text.as_bytes(), start) & kept);
        match word {
            Some(word) if word & HIGH_BITS == 0 => self.hashes.push(fold(SEED ^ word, A)),
            _ => self.read_long_word(text.get(start..end).unwrap_or_default()),
        }
    }

    /// Reads a word of more than a piece, or one that has other characters than those of ASCII.
    fn read_long_word(&mut self, word: &str) {
        if !word.is_ascii() && !word.chars().all(is_settled) {
            return self.read_characters(word);
        }
        let (pieces, rest) = word.as_bytes().as_chunks::<PIECE>();
        let hash = pieces.iter().fold(SEED, |hash, piece| {
            fold(hash ^ u64::from_le_bytes(*piece), A)
        });
        self.hashes.push(match rest {
            [] => hash,
            _ => fold(hash ^ piece_at(rest, 0), A),
        });
    }

    /// Reads what stands between two blanks, character by character.
    fn read_characters(&mut self, text: &str) {
        let mut word = Word::default();
        for character in text.chars() {
            if character.is_whitespace() {
                self.end(&mut word);
                continue;
            }
            let is_unspaced = is_unspaced(character);
            if is_unspaced {
                self.end(&mut word);
            }
            fold_case(character, |folded| word.push(folded));
            if is_unspaced {
                self.end(&mut word);
            }
        }
        self.end(&mut word);
    }

    fn end(&mut self, word: &mut Word) {
        if word.length > 0 {
            self.hashes.push(std::mem::take(word).finish());
        }
    }

    /// Counts the features of the words so far, but for the last ones, which fill no batch.
    fn count_features(&mut self) {
        let mut counted = 0;
        while let Some(words) = self.hashes.get(counted..counted + Votes::BATCH + 2) {
            let mut batch = [0; Votes::BATCH];
            for (to, words) in batch.iter_mut().zip(words.windows(3)) {
                *to = feature(words);
            }
            self.votes.add_batch(batch);
            counted += Votes::BATCH;
        }
        self.hashes.drain(..counted);
    }

    /// The SimHash; `None` where there are too few features.
    fn finish(self) -> Option<u64> {
        let rest: Vec<u64> = self.hashes.windows(3).map(feature).collect();
        let count = self.votes.count + rest.len() as u64;
        (count >= FEATURES_MIN).then(|| self.votes.majority(&rest))
    }
}

/// The hash of three words in a row.
#[inline]
fn feature(words: &[u64]) -> u64 {
    let join = |joined: u64, word: &u64| joined.rotate_left(ROTATION) ^ word;
    fold(words.iter().fold(0, join), B)
}

const fn kept() -> [u64; PIECE + 1] {
    let all = u64::MAX;
    [
        0,
        all >> 56,
        all >> 48,
        all >> 40,
        all >> 32,
        all >> 24,
        all >> 16,
        all >> 8,
        all,
    ]
}

/// Whether a character is surely a letter or mark of a word, in lower case, in a script with spaces.
#[inline]
fn is_settled(character: char) -> bool {
    matches!(character, '!'..='@' | '['..='~' | 'ß'..='ÿ' | 'α'..='ω' | 'а'..='џ' | '\u{2010}'..='\u{2027}')
}

/// How many bits differ between two SimHashes: 0 for equal texts, about 32 for unlike ones.
pub fn simhash_distance(one: u64, other: u64) -> u32 {
    (one ^ other).count_ones()
}

/// A word that is being read.
#[derive(Debug)]
struct Word {
    hash: u64,
    /// Its last bytes, as far as they do not fill a piece.
    piece: u64,
    /// How many they are; below eight.
    filled: usize,
    length: usize,
}

impl Default for Word {
    #[inline]
    fn default() -> Self {
        Self {
            hash: SEED,
            piece: 0,
            filled: 0,
            length: 0,
        }
    }
}

impl Word {
    #[inline]
    fn push(&mut self, character: char) {
        let mut buffer = [0; 4];
        let encoded = character.encode_utf8(&mut buffer).len();
        let piece = u64::from(u32::from_le_bytes(buffer));
        self.length += encoded;
        self.piece |= piece << (8 * self.filled);
        let filled = self.filled + encoded;
        if filled < PIECE {
            self.filled = filled;
            return;
        }
        self.hash = fold(self.hash ^ self.piece, A);
        self.piece = piece.checked_shr(64 - 8 * self.filled as u32).unwrap_or(0);
        self.filled = filled - PIECE;
    }

    #[inline]
    fn finish(self) -> u64 {
        if self.filled > 0 {
            return fold(self.hash ^ self.piece, A);
        }
        self.hash
    }
}

/// How many features set each of the 64 bits.
#[derive(Debug, Default)]
struct Votes {
    /// Features that were added.
    count: u64,
    /// Digit `n` of all counts.
    digits: [u64; 4],
    /// The digits above those.
    high_digits: [u64; Votes::HIGH_DIGITS],
}

impl Votes {
    const BATCH: usize = 16;
    /// Enough for 2^32 features, more than the largest text has.
    const HIGH_DIGITS: usize = 28;

    fn add_batch(&mut self, batch: [u64; Self::BATCH]) {
        self.count += Self::BATCH as u64;
        let mut level = batch;
        let mut length = Self::BATCH;
        for digit in &mut self.digits {
            // Each pair of this level leaves its sum in the digit and one carry for the next level.
            length /= 2;
            for pair in 0..length {
                let (Some(one), Some(other)) = (level.get(2 * pair), level.get(2 * pair + 1))
                else {
                    break;
                };
                let (one, other) = (*one, *other);
                let half = *digit ^ one;
                let carry = (*digit & one) | (half & other);
                *digit = half ^ other;
                if let Some(place) = level.get_mut(pair) {
                    *place = carry;
                }
            }
        }
        let [carry, ..] = level;
        Self::ripple(&mut self.high_digits, carry);
    }

    /// Adds one number of one digit a bit.
    fn ripple<'a>(digits: impl IntoIterator<Item = &'a mut u64>, mut carry: u64) {
        for digit in digits {
            if carry == 0 {
                return;
            }
            (*digit, carry) = (*digit ^ carry, *digit & carry);
        }
    }

    /// The bits that more than half of the features set, those of `rest` included.
    fn majority(mut self, rest: &[u64]) -> u64 {
        let half = (self.count + rest.len() as u64) / 2;
        for hash in rest {
            let digits = self.digits.iter_mut().chain(&mut self.high_digits);
            Self::ripple(digits, *hash);
        }
        let (mut above, mut equal) = (0, u64::MAX);
        let mut place = self.digits.len() + self.high_digits.len();
        for digit in self
            .high_digits
            .iter()
            .rev()
            .chain(self.digits.iter().rev())
        {
            place -= 1;
            if half >> place & 1 == 0 {
                above |= equal & digit;
                equal &= !digit;
            } else {
                equal &= digit;
            }
        }
        above
    }
}

/// The eight bytes at `at`, or as many as there are; the rest is zero.
#[inline]
fn piece_at(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(piece) = rest.first_chunk::<PIECE>() {
        return u64::from_le_bytes(*piece);
    }
    // The last eight bytes hold the rest at their end.
    if let Some(piece) = bytes.last_chunk::<PIECE>() {
        let missing = PIECE - rest.len();
        let piece = u64::from_le_bytes(*piece);
        return piece.checked_shr(8 * missing as u32).unwrap_or(0);
    }
    short_piece(rest)
}

/// Up to seven bytes as a piece: two halves that may overlap.
#[inline]
fn short_piece(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let tail = u64::from(u32::from_le_bytes(*tail));
        return u64::from(u32::from_le_bytes(*head)) | tail << (8 * (length - 4));
    }
    let byte = |place: usize| {
        let byte = bytes.get(place).copied().unwrap_or_default();
        u64::from(byte) << (8 * place)
    };
    byte(0) | byte(1) | byte(2)
}

/// A bit for every byte of a block that is white space or a control character, and for those that it is
/// short of a whole one.
#[inline]
fn blanks_of_block(block: &[u8]) -> u64 {
    let Ok(whole) = <&[u8; BLOCK]>::try_from(block) else {
        let mut padded = [b' '; BLOCK];
        padded
            .iter_mut()
            .zip(block)
            .for_each(|(to, from)| *to = *from);
        return blanks_of_block(&padded);
    };
    let (pieces, _) = whole.as_chunks::<PIECE>();
    pieces.iter().rev().fold(0, |bits, piece| {
        bits << PIECE | blanks_of(u64::from_le_bytes(*piece))
    })
}

/// A bit for every byte of a piece that is white space or a control character.
#[inline]
fn blanks_of(piece: u64) -> u64 {
    /// Brings the high bits of all bytes together in the highest byte.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let others = ((piece & LOW_SEVENS) + (0x7F - 0x20) * ONES) | piece;
    (!others & HIGH_BITS).wrapping_mul(GATHER) >> (64 - PIECE)
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests;
