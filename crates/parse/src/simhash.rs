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
/// Hashes of words that are kept until their features are counted: more than a block may bring.
const HASHES: usize = 256;
const HASHES_MAX: usize = HASHES - BLOCK;
/// A block and the piece behind it.
const WINDOW: usize = BLOCK + PIECE;
const HIGH_BITS: u64 = (u64::MAX / 255) << 7;

/// Text is gathered up to this many bytes, then its words are read in one go: what stands between two
/// tags is short, and to begin with each run anew costs more than to read it.
const GATHERED_BYTES: usize = 4 * 1024;

/// A SimHash that grows run of text by run of text. It keeps some seven kilobytes, or twice the
/// longest word where that is more.
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
            words: Words::new(),
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
    #[inline(never)]
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
#[derive(Debug)]
struct Words {
    /// The hashes of the last words: those whose features are still to be counted, after the two before
    /// them.
    hashes: Box<[u64; HASHES]>,
    /// How many they are; what reads a block makes room for all of its words first.
    filled: usize,
    votes: Votes,
}

impl Words {
    fn new() -> Self {
        Self {
            hashes: Box::new([0; HASHES]),
            filled: 0,
            votes: Votes::default(),
        }
    }

    /// Reads a text with its ASCII letters in lower case that is empty or ends in a blank.
    fn read(&mut self, text: &str) {
        let mut at = 0;
        while at < text.len() {
            at = self.read_block(text, at);
        }
        self.count_features();
    }

    /// Reads the words that end in the block at `base`, where no word goes on from before; gives where
    /// to read on.
    #[inline]
    fn read_block(&mut self, text: &str, base: usize) -> usize {
        let window = window_at(text.as_bytes(), base);
        let blanks = window.first_chunk().map_or(u64::MAX, blanks_of_block);
        let after_blank = blanks << 1 | 1;
        let mut starts = !blanks & after_blank;
        let mut ends = blanks & !after_blank;
        if self.filled > HASHES_MAX {
            self.count_features();
        }
        let mut filled = self.filled;
        while ends != 0 {
            let (from, to) = (starts.trailing_zeros(), ends.trailing_zeros());
            starts &= starts.wrapping_sub(1);
            ends &= ends - 1;
            let short = short_word(&window, from, to);
            let hash = short.map(|word| fold(SEED ^ word, A)).or_else(|| {
                let word = window.get(from as usize..to as usize)?;
                long_word(word)
            });
            let Some(hash) = hash else {
                let word = text.get(base + from as usize..base + to as usize);
                self.filled = filled;
                self.read_characters(word.unwrap_or_default());
                filled = self.filled;
                continue;
            };
            if let Some(place) = self.hashes.get_mut(filled % HASHES) {
                *place = hash;
            }
            filled += 1;
        }
        self.filled = filled;
        match starts.trailing_zeros() {
            0 => self.read_longest_word(text, base),
            open => base + open as usize,
        }
    }

    /// Reads the word at `start`, which fills a block; gives its end.
    #[cold]
    fn read_longest_word(&mut self, text: &str, start: usize) -> usize {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.bytes().position(|byte| byte <= b' ');
        let (word, _) = rest.split_at(length.unwrap_or(rest.len()));
        match long_word(word.as_bytes()) {
            Some(hash) => self.push(hash),
            None => self.read_characters(word),
        }
        start + word.len()
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
            self.push(std::mem::take(word).finish());
        }
    }

    /// Adds the hash of a word.
    fn push(&mut self, hash: u64) {
        if self.filled > HASHES_MAX {
            self.count_features();
        }
        if let Some(place) = self.hashes.get_mut(self.filled) {
            *place = hash;
            self.filled += 1;
        }
    }

    /// Counts the features of the words so far, but for the last ones, which fill no batch.
    fn count_features(&mut self) {
        let mut counted = 0;
        let words = self.hashes.get(..self.filled).unwrap_or_default();
        while let Some(words) = words.get(counted..).and_then(<[u64]>::first_chunk) {
            self.votes.add_batch(features(words));
            counted += Votes::BATCH;
        }
        self.hashes.copy_within(counted..self.filled, 0);
        self.filled -= counted;
    }

    /// The SimHash; `None` where there are too few features.
    fn finish(self) -> Option<u64> {
        let words = self.hashes.get(..self.filled).unwrap_or_default();
        let rest: Vec<u64> = words.windows(3).map(feature).collect();
        let count = self.votes.count + rest.len() as u64;
        (count >= FEATURES_MIN).then(|| self.votes.majority(&rest))
    }
}

/// The features of a batch.
#[inline]
fn features(words: &[u64; Votes::BATCH + 2]) -> [u64; Votes::BATCH] {
    let mut features = [0; Votes::BATCH];
    for (to, words) in features.iter_mut().zip(words.windows(3)) {
        *to = feature(words);
    }
    features
}

/// The hash of three words in a row.
#[inline]
fn feature(words: &[u64]) -> u64 {
    let join = |joined: u64, word: &u64| joined.rotate_left(ROTATION) ^ word;
    fold(words.iter().fold(0, join), B)
}

/// The bytes `from..to` of the block, where they are at most a piece of ASCII.
#[inline]
fn short_word(window: &[u8; WINDOW], from: u32, to: u32) -> Option<u64> {
    /// What is kept of the eight bytes where a word begins, by its length.
    const KEPT: [u64; PIECE + 1] = kept();
    let kept = KEPT.get(to.wrapping_sub(from) as usize)?;
    let piece = window
        .get(from as usize % BLOCK..)?
        .first_chunk::<PIECE>()?;
    let word = u64::from_le_bytes(*piece) & kept;
    (word & HIGH_BITS == 0).then_some(word)
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

/// The hash of a word of several pieces, or one that has other characters than those of ASCII; `None` where
/// it has to be read character by character.
fn long_word(word: &[u8]) -> Option<u64> {
    if !is_settled(word) {
        return None;
    }
    let (pieces, rest) = word.as_chunks::<PIECE>();
    let hash = pieces.iter().fold(SEED, |hash, piece| {
        fold(hash ^ u64::from_le_bytes(*piece), A)
    });
    Some(match rest {
        [] => hash,
        _ => fold(hash ^ last_piece(rest), A),
    })
}

/// Whether all characters are surely letters or marks of a word, in lower case, in a script with spaces:
/// ASCII that is no upper case, and of the others what most words consist of.
fn is_settled(word: &[u8]) -> bool {
    if word.is_ascii() {
        return true;
    }
    let mut rest = word;
    loop {
        rest = match rest {
            [] => return true,
            [..0x80, after @ ..]
            | [0xE2, 0x80, 0x90..=0xA7, after @ ..] // dashes and quotation marks
            | [0xC3, 0x9F..=0xBF, after @ ..] // Latin
            | [0xCE, 0xB1..=0xBF, after @ ..] // Greek
            | [0xCF, 0x80..=0x89, after @ ..]
            | [0xD0, 0xB0..=0xBF, after @ ..] // Cyrillic
            | [0xD1, 0x80..=0x9F, after @ ..] => after,
            _ => return false,
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

/// One to seven bytes as a piece; the rest is zero.
#[inline]
fn last_piece(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    // Two halves that may overlap.
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

/// The block at `base` and what a word may have behind it; blanks after the end of the text.
#[inline]
fn window_at(text: &[u8], base: usize) -> [u8; WINDOW] {
    let rest = text.get(base..).unwrap_or_default();
    if let Some(window) = rest.first_chunk() {
        return *window;
    }
    let mut window = [b' '; WINDOW];
    window
        .iter_mut()
        .zip(rest)
        .for_each(|(to, from)| *to = *from);
    window
}

/// A bit for every byte of the block that is white space or a control character.
///
/// So written that the compiler compares sixteen bytes at once.
#[inline]
fn blanks_of_block(block: &[u8; BLOCK]) -> u64 {
    let flags = block.map(|byte| u8::from(byte <= b' '));
    let (pieces, _) = flags.as_chunks::<PIECE>();
    // Bit `place` of byte `number` is byte `number` of piece `place`.
    transposed(pieces.iter().enumerate().fold(0, |bits, (place, piece)| {
        bits | u64::from_le_bytes(*piece) << place
    }))
}

/// Eight rows of eight bits with rows and columns exchanged ("Hacker's Delight", 7-3).
#[inline]
fn transposed(bits: u64) -> u64 {
    let exchange = |bits: u64, mask: u64, by: u32| {
        let differing = (bits ^ bits >> by) & mask;
        bits ^ differing ^ differing << by
    };
    let bits = exchange(bits, 0x00AA_00AA_00AA_00AA, 7);
    let bits = exchange(bits, 0x0000_CCCC_0000_CCCC, 14);
    exchange(bits, 0x0000_0000_F0F0_F0F0, 28)
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests;
