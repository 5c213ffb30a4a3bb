//! What an HTTP/2 connection gets of heads while exchanges wait for theirs.
//!
//! A server may answer with any number of interim (1xx) heads, and the library keeps each until the
//! exchange takes it, without a limit and outside of the flow-control windows. So two rules are kept
//! where the bytes are read: after [`TURN_BYTES`] of heads whoever waits gets a turn to take them
//! before more is read, and beyond some heads for each that waits the connection fails. Bodies count
//! for nothing here: the windows bound them.

use std::cell::Cell;
use std::io;

/// Heads that are read before the exchanges get a turn, in bytes. In the library one may be a hundred
/// times as large.
const TURN_BYTES: u64 = 16 * 1024;
/// Heads for each exchange that waits, as a multiple of the limit for one.
const HEADS_EACH: u64 = 4;
/// Room beside them, in bytes. Where the limit is small, the library is to be the one that refuses a
/// single head: it leaves the connection to the others.
const ROOM_BYTES: u64 = 64 * 1024;

/// The length of what every frame begins with (RFC 9113 section 4.1).
const FRAME_START_BYTES: u64 = 9;
/// Types of the frames that heads are in.
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;

/// The heads on one connection; shared by the stream, which counts them, and the connection.
pub(crate) struct Heads {
    /// For each exchange that waits, in bytes.
    max_bytes: u64,
    waiting: Cell<u64>,
    /// Came since an exchange last stopped waiting.
    bytes: Cell<u64>,
    /// Came since the exchanges had a turn.
    turn_bytes: Cell<u64>,
    flooded: Cell<bool>,
    frames: Cell<Frames>,
}

/// An exchange that waits for its head, until dropped.
pub(crate) struct Waiting<'a>(&'a Heads);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get().saturating_sub(1));
        self.0.bytes.set(0);
    }
}

impl Heads {
    pub(crate) fn new(max_header_bytes: usize) -> Heads {
        Heads {
            max_bytes: (max_header_bytes as u64)
                .saturating_mul(HEADS_EACH)
                .saturating_add(ROOM_BYTES),
            waiting: Cell::default(),
            bytes: Cell::default(),
            turn_bytes: Cell::default(),
            flooded: Cell::default(),
            frames: Cell::default(),
        }
    }

    /// Counts an exchange among the waiting.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.set(self.waiting.get().saturating_add(1));
        Waiting(self)
    }

    /// Whether more heads came than those that waited could have a use for.
    pub(crate) fn flooded(&self) -> bool {
        self.flooded.get()
    }

    /// Whether the exchanges are to have a turn before more is read; then the next is counted anew.
    pub(crate) fn turn_is_due(&self) -> bool {
        let is_due = self.turn_bytes.get() >= TURN_BYTES;
        if is_due {
            self.turn_taken();
        }
        is_due
    }

    /// Nothing was there to be read: the exchanges have their turn.
    pub(crate) fn turn_taken(&self) {
        self.turn_bytes.set(0);
    }

    /// Notes bytes that were read.
    ///
    /// # Errors
    ///
    /// An error that ends the connection, where there are too many heads among them.
    pub(crate) fn received(&self, bytes: &[u8]) -> io::Result<()> {
        let mut frames = self.frames.get();
        let heads = frames.head_bytes(bytes);
        self.frames.set(frames);
        if self.waiting.get() == 0 {
            // Ends of bodies and of exchanges that were given up: the library keeps no more than one
            // head of each.
            return Ok(());
        }
        self.turn_bytes.set(self.turn_bytes.get() + heads);
        self.bytes.set(self.bytes.get() + heads);
        if self.bytes.get() > self.max_bytes.saturating_mul(self.waiting.get()) {
            self.flooded.set(true);
            return Err(io::Error::other("more heads than exchanges can have"));
        }
        Ok(())
    }
}

/// How far the frames of a connection have been followed.
#[derive(Clone, Copy, Default)]
struct Frames {
    /// How much has come of the frame's start, or all of it.
    start: u64,
    /// The frame's length; when its start has come, what is left of it.
    left: usize,
    is_head: bool,
}

impl Frames {
    /// How many of the bytes belong to heads.
    fn head_bytes(&mut self, mut bytes: &[u8]) -> u64 {
        let mut heads = 0;
        while let Some((first, rest)) = bytes.split_first() {
            if self.start < FRAME_START_BYTES {
                self.begin(*first);
                bytes = rest;
                if self.start == FRAME_START_BYTES && self.is_head {
                    heads += FRAME_START_BYTES;
                }
            } else {
                let (payload, behind) = bytes.split_at(self.left.min(bytes.len()));
                self.left -= payload.len();
                bytes = behind;
                if self.is_head {
                    heads += payload.len() as u64;
                }
            }
            if self.start == FRAME_START_BYTES && self.left == 0 {
                *self = Frames::default();
            }
        }
        heads
    }

    /// Takes in a byte of a frame's start: three of its length, one of its type, five of no interest.
    fn begin(&mut self, byte: u8) {
        match self.start {
            0..3 => self.left = self.left << 8 | usize::from(byte),
            3 => self.is_head = matches!(byte, HEADERS | CONTINUATION),
            _ => {}
        }
        self.start += 1;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn frame(kind: u8, length: usize) -> Vec<u8> {
        let mut frame = (length as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, 4, 0, 0, 0, 1]);
        frame.resize(9 + length, HEADERS);
        frame
    }

    #[test]
    fn heads_are_told_from_the_rest_wherever_the_bytes_are_parted() {
        let data = 0;
        let all = [
            frame(4, 0),
            frame(HEADERS, 100),
            frame(data, 16_384),
            frame(CONTINUATION, 0),
            frame(HEADERS, 300),
            frame(data, 1),
        ]
        .concat();
        for step in [1, 2, 8, 9, 10, 1000, all.len()] {
            let mut frames = Frames::default();
            let heads: u64 = all.chunks(step).map(|part| frames.head_bytes(part)).sum();
            assert_eq!(heads, 100 + 300 + 3 * FRAME_START_BYTES, "{step}");
            assert_eq!(frames.start, 0, "{step}");
        }
    }

    #[test]
    fn heads_have_a_bound_for_each_that_waits_and_bodies_none() {
        let heads = Heads::new(1000);
        let max = 4 * 1000 + ROOM_BYTES;
        let head = frame(HEADERS, 991);
        let some = |count| (0..count).try_for_each(|_| heads.received(&head));
        assert!(some(100).is_ok(), "nobody waits");
        let first = heads.wait();
        assert!(some(max / 1000).is_ok());
        for _ in 0..100 {
            heads.received(&frame(0, 16_384)).unwrap();
        }
        let second = heads.wait();
        assert!(some(max / 1000).is_ok());
        drop(second);
        assert!(some(max / 1000).is_ok(), "one got its head: counted anew");
        assert!(!heads.flooded());
        assert!(some(1).is_err());
        assert!(heads.flooded());
        drop(first);
    }
}
