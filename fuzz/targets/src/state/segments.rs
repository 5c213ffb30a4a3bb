//! Writing a commit log byte by byte, as version 1 has it: whole, damaged, or anything at all.
//!
//! The format is written down here a second time, from its documentation in `nephila_store`, so that a
//! change of it by mistake fails.

use std::path::Path;

/// The salt of every log made here: fixed, so that an input always does the same.
const SALT: u64 = 0x5eed_0f05_a17e_d109;

/// Segments of one log at most: an input is about bytes, not about many files.
const SEGMENTS_MAX: u32 = 4;

/// A log that is being written.
#[derive(Default)]
pub(super) struct Segments {
    done: Vec<(u32, Vec<u8>)>,
    current: Vec<u8>,
    number: u32,
    sequence: u64,
    /// The payloads of the whole commits.
    pub(super) payloads: Vec<Vec<u8>>,
    /// Whether nothing but whole commits and whole segments was written.
    pub(super) is_whole: bool,
}

impl Segments {
    /// An empty log of one segment.
    pub(super) fn new() -> Segments {
        Segments {
            current: header(0, 0),
            is_whole: true,
            ..Segments::default()
        }
    }

    /// A whole commit.
    pub(super) fn commit(&mut self, payload: &[u8]) {
        self.current.extend(frame(self.sequence, payload));
        self.payloads.push(payload.to_vec());
        self.sequence += 1;
    }

    /// Does what the bytes say: each step is a byte that chooses it, a length, and that many bytes.
    pub(super) fn follow(&mut self, mut program: &[u8]) {
        while let Some((&[step, length], rest)) = program.split_first_chunk() {
            let (bytes, rest) = rest.split_at(usize::from(length).min(rest.len()));
            program = rest;
            match step % 8 {
                0 | 1 => self.commit(bytes),
                2 => self.begin_segment(1),
                3 => self.damage(bytes),
                4 => self.damage(&frame(self.sequence + u64::from(length), bytes)),
                5 => self.damage(&flipped(frame(self.sequence, bytes))),
                6 => self.cut(usize::from(length)),
                _ => {
                    self.is_whole = false;
                    self.begin_segment(2);
                }
            }
        }
    }

    /// Writes the files.
    pub(super) fn write(&self, directory: &Path) -> std::io::Result<()> {
        let last = (self.number, self.current.clone());
        for (number, bytes) in self.done.iter().chain(std::iter::once(&last)) {
            std::fs::write(directory.join(format!("commit-{number:06}.log")), bytes)?;
        }
        Ok(())
    }

    fn damage(&mut self, bytes: &[u8]) {
        self.is_whole = false;
        self.current.extend_from_slice(bytes);
    }

    fn cut(&mut self, count: usize) {
        self.is_whole = false;
        self.current
            .truncate(self.current.len().saturating_sub(count));
    }

    fn begin_segment(&mut self, step: u32) {
        if self.number >= SEGMENTS_MAX {
            return;
        }
        let next = self.number + step;
        let begun = std::mem::replace(&mut self.current, header(next, self.sequence));
        self.done.push((self.number, begun));
        self.number = next;
    }
}

fn header(number: u32, first_sequence: u64) -> Vec<u8> {
    let mut bytes = b"NPHLALOG".to_vec();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(SALT.to_le_bytes());
    bytes.extend(first_sequence.to_le_bytes());
    let checksum = u64::from(crc32fast::hash(&bytes));
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn frame(sequence: u64, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&SALT.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(&sequence.to_le_bytes());
    hasher.update(payload);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(hasher.finalize().to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The frame with one bit of its last byte changed.
fn flipped(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
    frame
}
