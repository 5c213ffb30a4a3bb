//! The bytes of a body while it comes.

use bytes::Bytes;

use crate::body_room::FREE_BYTES;

/// The largest piece of a body, in bytes.
const PIECE_BYTES_MAX: usize = 1024 * 1024;
/// The first and the largest piece of a record, in bytes: most messages are small, and what comes next
/// is not known.
const RECORD_PIECE_BYTES: usize = 2 * 1024;
const RECORD_PIECE_BYTES_MAX: usize = 16 * 1024;

/// A body, or what is recorded of a connection, in pieces, which are put together when it is whole. One vector that grows would leave
/// behind, each time it moves, as much memory as it had: for a body that never ends all of it in vain.
pub(crate) struct Collected {
    full: Vec<Vec<u8>>,
    last: Vec<u8>,
    /// Bytes in the full pieces.
    full_bytes: usize,
    /// The most that there will be.
    most: usize,
    first_piece: usize,
    largest_piece: usize,
}

impl Collected {
    /// For a body that has `most` bytes.
    pub(crate) fn new(most: u64) -> Collected {
        let first_piece = usize::try_from(FREE_BYTES).unwrap_or(usize::MAX);
        let mut collected = Collected {
            full: Vec::new(),
            last: Vec::new(),
            full_bytes: 0,
            most: usize::try_from(most).unwrap_or(usize::MAX),
            first_piece,
            largest_piece: PIECE_BYTES_MAX,
        };
        collected.last = Vec::with_capacity(collected.next_piece(0));
        collected
    }

    /// For a record that begins so; it takes nothing before something comes.
    pub(crate) fn of_record(beginning: Vec<u8>) -> Collected {
        Collected {
            full: Vec::new(),
            last: beginning,
            full_bytes: 0,
            most: usize::MAX,
            first_piece: RECORD_PIECE_BYTES,
            largest_piece: RECORD_PIECE_BYTES_MAX,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.full_bytes + self.last.len()
    }

    /// What all pieces will hold when so many bytes more have been taken.
    pub(crate) fn bytes_held_with(&self, more: usize) -> u64 {
        let held = self.full_bytes + self.last.capacity();
        let missing = (self.len() + more).saturating_sub(held);
        let piece = if missing > 0 {
            self.next_piece(missing)
        } else {
            0
        };
        (held + piece) as u64
    }

    pub(crate) fn take(&mut self, data: &[u8]) {
        let spare = self.last.capacity() - self.last.len();
        let (fitting, rest) = data.split_at(spare.min(data.len()));
        self.last.extend_from_slice(fitting);
        if rest.is_empty() {
            return;
        }
        let mut piece = Vec::with_capacity(self.next_piece(rest.len()));
        piece.extend_from_slice(rest);
        let full = std::mem::replace(&mut self.last, piece);
        self.full_bytes += full.len();
        self.full.push(full);
    }

    /// All of it in one piece. Each part is let go as soon as it was copied.
    pub(crate) fn into_bytes(self) -> Bytes {
        if self.full.is_empty() {
            return self.last.into();
        }
        let mut whole = Vec::with_capacity(self.len());
        for piece in self.full {
            whole.extend_from_slice(&piece);
        }
        whole.extend_from_slice(&self.last);
        whole.into()
    }

    /// As much again, so that there are few pieces; not more than there can be.
    fn next_piece(&self, needed: usize) -> usize {
        let held = self.full_bytes + self.last.capacity();
        held.max(self.first_piece)
            .min(self.largest_piece)
            .min(self.most.saturating_sub(held))
            .max(needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back_in_order() {
        let body: Vec<u8> = (0_u32..3_000_000).map(|n| (n % 251) as u8).collect();
        for (most, step) in [(3_000_000, 9_999), (u64::MAX, 100_000), (10, 2_000_000)] {
            let mut collected = Collected::new(most);
            for data in body.chunks(step) {
                let promised = collected.bytes_held_with(data.len());
                collected.take(data);
                let held = collected.full_bytes + collected.last.capacity();
                assert_eq!(held as u64, promised);
            }
            assert_eq!(collected.len(), body.len());
            assert_eq!(collected.into_bytes(), body);
        }
    }

    #[test]
    fn no_more_is_held_than_comes_or_as_much_again() {
        let mut collected = Collected::new(100_000);
        assert_eq!(collected.last.capacity(), 32 * 1024);
        collected.take(&[0; 32 * 1024]);
        assert_eq!(collected.bytes_held_with(0), 32 * 1024);
        assert_eq!(collected.bytes_held_with(1), 64 * 1024);
        collected.take(&[0; 32 * 1024]);
        assert_eq!(collected.bytes_held_with(34_464), 100_000);
        let mut endless = Collected::new(u64::MAX);
        for _ in 0..100 {
            endless.take(&[0; 64 * 1024]);
        }
        let held = endless.bytes_held_with(0) as usize;
        assert!(held - endless.len() <= PIECE_BYTES_MAX, "{held}");
    }

    #[test]
    fn a_record_holds_little_beside_what_came() {
        for step in [1, 100, 3_000, 70_000, 300_000] {
            let mut record = Collected::of_record(Vec::new());
            assert_eq!(record.bytes_held_with(0), 0);
            let mut came = Vec::new();
            while came.len() < 1_000_000 {
                let data = vec![(came.len() % 251) as u8; step];
                record.take(&data);
                came.extend(data);
                let spare = record.bytes_held_with(0) as usize - record.len();
                let most = RECORD_PIECE_BYTES_MAX.min(came.len() + RECORD_PIECE_BYTES);
                assert!(spare <= most, "{spare} bytes of nothing for {}", came.len());
            }
            assert!(record.full.len() < 1_000);
            assert!(record.into_bytes() == came);
        }
    }
}
