//! One commit on the disk: length (u32), checksum (u32), sequence number (u64), payload; little-endian.
//!
//! The checksum is the CRC-32 of the log's salt, the length, the sequence number and the payload. The
//! salt is drawn when a log is made, so bytes of another log, and bytes that a web page brought into a
//! payload, are not taken for a frame.

use crc32fast::Hasher;

/// The largest payload of a commit, in bytes: 64 MiB with its header.
pub const MAX_PAYLOAD_BYTES: usize = (64 << 20) - HEADER_BYTES;

/// What stands before a payload, in bytes.
pub(super) const HEADER_BYTES: usize = 16;

/// What a frame says of itself before its payload was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHeader {
    pub(super) length: u32,
    checksum: u32,
    pub(super) sequence: u64,
}

impl FrameHeader {
    /// None when there are too few bytes, or the length is above the bound.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, bytes) = bytes.split_first_chunk()?;
        let (checksum, bytes) = bytes.split_first_chunk()?;
        let (sequence, _) = bytes.split_first_chunk()?;
        let header = Self {
            length: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
            sequence: u64::from_le_bytes(*sequence),
        };
        (header.length as usize <= MAX_PAYLOAD_BYTES).then_some(header)
    }

    pub(super) fn matches(&self, salt: u64, payload: &[u8]) -> bool {
        payload.len() == self.length as usize
            && checksum(salt, self.length, self.sequence, payload) == self.checksum
    }

    /// The bytes of the whole frame.
    pub(super) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.length as usize
    }
}

/// Puts the frame of a payload, which is within the bound, in place of what `frame` holds.
pub(super) fn encode(frame: &mut Vec<u8>, salt: u64, sequence: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    frame.clear();
    frame.reserve_exact(HEADER_BYTES + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&checksum(salt, length, sequence, payload).to_le_bytes());
    frame.extend_from_slice(&sequence.to_le_bytes());
    frame.extend_from_slice(payload);
}

fn checksum(salt: u64, length: u32, sequence: u64, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(&sequence.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
