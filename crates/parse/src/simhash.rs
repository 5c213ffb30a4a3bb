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
const HIGH_BITS: u64 = (u64::MAX / 255) << 7;
const LOW_SEVENS: u64 = !HIGH_BITS;
const ONES: u64 = u64::MAX / 255;

/// A SimHash that grows run of text by run of text. It keeps some 400 bytes, whatever the text.
#[derive(Debug)]
pub(crate) struct SimHasher {
    /// Bytes of text that it still takes.
    room: usize,
    word: Word,
    /// The hashes of the last two words, the later one second.
    before: [u64; 2],
    words: u64,
    votes: Votes,
}

impl SimHasher {
    /// Takes at most `bytes_max` bytes of text; what comes later is ignored.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            room: bytes_max,
            word: Word::default(),
            before: [0; 2],
            words: 0,
            votes: Votes::default(),
        }
    }

    /// The SimHash; `None` for a text of fewer than eight features.
    pub(crate) fn finish(mut self) -> Option<u64> {
        self.separate();
        let features = self.votes.count();
        (features >= FEATURES_MIN).then(|| self.votes.majority())
    }

    /// Ends the word that stands before a tag.
    #[inline]
    pub(crate) fn separate(&mut self) {
        if self.word.length > 0 {
            let hash = std::mem::take(&mut self.word).finish();
            self.push_word(hash);
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

    /// Adds a run of text that has no references.
    pub(crate) fn push(&mut self, run: &str) {
        work::note(run.len());
        if run.len() > self.room {
            self.room = 0;
            return;
        }
        self.room -= run.len();
        let bytes = run.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let (piece, length) = piece_at(bytes, at);
            if piece & HIGH_BITS == 0 {
                at += self.push_ascii(piece, length);
            } else {
                at += self.push_characters(run.get(at..).unwrap_or_default());
            }
        }
    }

    /// Takes the white space at the start of a piece, or its letters up to white space; returns how
    /// many bytes that were.
    #[inline]
    fn push_ascii(&mut self, piece: u64, length: usize) -> usize {
        let blanks = blanks_of(piece);
        let letters = (blanks.trailing_zeros() / 8) as usize;
        if letters == 0 {
            self.separate();
            return ((!blanks & HIGH_BITS).trailing_zeros() as usize / 8).min(length);
        }
        if letters < length && self.word.length == 0 {
            // Most words are whole in one piece.
            let word = lower_case(piece) & (u64::MAX >> (64 - 8 * letters));
            self.push_word(fold(SEED ^ word, A));
            return letters + 1;
        }
        let letters = letters.min(length);
        self.word.push(lower_case(piece), letters);
        if letters < length {
            self.separate();
            return letters + 1;
        }
        letters
    }

    /// Takes characters up to the end of those that are not ASCII; returns their bytes.
    fn push_characters(&mut self, text: &str) -> usize {
        let mut taken = 0;
        let mut was_wide = false;
        for character in text.chars() {
            if character.is_ascii() && was_wide {
                break;
            }
            was_wide = !character.is_ascii();
            taken += character.len_utf8();
            if character <= ' ' || character.is_whitespace() {
                self.separate();
                continue;
            }
            let is_unspaced = is_unspaced(character);
            if is_unspaced {
                self.separate();
            }
            fold_case(character, |folded| self.word.push_character(folded));
            if is_unspaced {
                self.separate();
            }
        }
        taken
    }

    #[inline]
    fn push_word(&mut self, hash: u64) {
        let [first, second] = self.before;
        self.before = [second, hash];
        self.words += 1;
        if self.words >= 3 {
            let joined = (first.rotate_left(ROTATION) ^ second).rotate_left(ROTATION) ^ hash;
            self.votes.add(fold(joined, B));
        }
    }
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
    /// Adds the first `length` bytes of a piece, one to eight.
    #[inline]
    fn push(&mut self, piece: u64, length: usize) {
        let piece = piece & (u64::MAX >> (64 - 8 * length.clamp(1, PIECE)));
        self.length += length;
        self.piece |= piece << (8 * self.filled);
        let filled = self.filled + length;
        if filled < PIECE {
            self.filled = filled;
            return;
        }
        self.hash = fold(self.hash ^ self.piece, A);
        self.piece = piece.checked_shr(64 - 8 * self.filled as u32).unwrap_or(0);
        self.filled = filled - PIECE;
    }

    fn push_character(&mut self, character: char) {
        let mut bytes = [0; PIECE];
        let mut buffer = [0; 4];
        let encoded = character.encode_utf8(&mut buffer).as_bytes();
        for (to, from) in bytes.iter_mut().zip(encoded) {
            *to = *from;
        }
        self.push(u64::from_le_bytes(bytes), encoded.len());
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
    /// Hashes that are still to be added, below [`Votes::BATCH`].
    waiting: [u64; Votes::BATCH],
    waiting_count: usize,
    batches: u64,
    /// Digit `n` of all counts, for the hashes that were added.
    digits: [u64; 4],
    /// The digits above those.
    high_digits: [u64; Votes::HIGH_DIGITS],
}

impl Votes {
    const BATCH: usize = 16;
    /// Enough for 2^32 features, more than the largest text has.
    const HIGH_DIGITS: usize = 28;

    fn count(&self) -> u64 {
        self.batches * Self::BATCH as u64 + self.waiting_count as u64
    }

    #[inline]
    fn add(&mut self, hash: u64) {
        if let Some(place) = self.waiting.get_mut(self.waiting_count) {
            *place = hash;
            self.waiting_count += 1;
        }
        if self.waiting_count == Self::BATCH {
            self.waiting_count = 0;
            self.batches += 1;
            self.add_batch();
        }
    }

    fn add_batch(&mut self) {
        let mut level = self.waiting;
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

    /// The bits that more than half of the features set.
    fn majority(mut self) -> u64 {
        let half = self.count() / 2;
        for hash in self.waiting.into_iter().take(self.waiting_count) {
            let digits = self.digits.iter_mut().chain(&mut self.high_digits);
            Self::ripple(digits, hash);
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

/// The eight bytes at `at`, or as many as there are, and how many they are; the rest is zero.
#[inline]
fn piece_at(bytes: &[u8], at: usize) -> (u64, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(piece) = rest.first_chunk::<PIECE>() {
        return (u64::from_le_bytes(*piece), PIECE);
    }
    // The last eight bytes of the run hold the rest at their end.
    if let Some(piece) = bytes.last_chunk::<PIECE>() {
        let missing = PIECE - rest.len();
        let piece = u64::from_le_bytes(*piece);
        return (
            piece.checked_shr(8 * missing as u32).unwrap_or(0),
            rest.len(),
        );
    }
    (short_piece(rest), rest.len())
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

/// The high bit of every byte that is white space or a control character. The piece is ASCII.
#[inline]
fn blanks_of(piece: u64) -> u64 {
    !((piece & LOW_SEVENS) + (0x7F - 0x20) * ONES) & HIGH_BITS
}

/// The ASCII letters of a piece in lower case.
#[inline]
fn lower_case(piece: u64) -> u64 {
    let from_a = piece + (0x80 - 0x41) * ONES;
    let past_z = piece + (0x7F - 0x5A) * ONES;
    piece | (((from_a & !past_z) & HIGH_BITS) >> 2)
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests;
