//! A segment file: its name, its header, and how it comes to be.
//!
//! The header is 40 bytes: magic (8 bytes), version (u32), number (u32), salt (u64), first sequence
//! number (u64), CRC-32 of the former (u64); little-endian.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::file::{self, File};

/// The bytes before the first frame.
pub(super) const HEADER_BYTES: u64 = 40;

const MAGIC: [u8; 8] = *b"NPHLALOG";
const VERSION: u32 = 1;
const UNFINISHED_NAME: &str = "commit.unfinished";

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The number in its name.
    pub(super) number: u32,
    /// Drawn for the log; part of every checksum.
    pub(super) salt: u64,
    /// The sequence number of its first commit.
    pub(super) first_sequence: u64,
}

impl Header {
    fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES as usize);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        bytes.extend_from_slice(&self.first_sequence.to_le_bytes());
        let checksum = u64::from(crc32fast::hash(&bytes));
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// None when it is no whole header of this version.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (_magic_version, rest) = bytes.split_first_chunk::<12>()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (first_sequence, _) = rest.split_first_chunk()?;
        let header = Self {
            number: u32::from_le_bytes(*number),
            salt: u64::from_le_bytes(*salt),
            first_sequence: u64::from_le_bytes(*first_sequence),
        };
        (header.encode() == bytes).then_some(header)
    }

    /// Reads the header of an open segment.
    pub(super) fn read(file: &File) -> Result<Self, Error> {
        let mut bytes = [0; HEADER_BYTES as usize];
        file.read_exact_at(&mut bytes, 0)?;
        if let Some(header) = Self::parse(&bytes) {
            return Ok(header);
        }
        match bytes
            .strip_prefix(&MAGIC)
            .and_then(|rest| rest.first_chunk())
        {
            Some(version) if u32::from_le_bytes(*version) != VERSION => {
                let version = u32::from_le_bytes(*version);
                let what = format!("has version {version} of the commit log, not {VERSION}");
                Err(Error::new(ErrorKind::Version, file.path(), what))
            }
            _ => Err(Error::corrupt(
                file.path(),
                "is damaged in its header, at offset 0",
            )),
        }
    }
}

/// A salt that no other log is likely to have, from the randomness of the standard library's hasher.
pub(super) fn new_salt() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn name(number: u32) -> String {
    format!("commit-{number:06}.log")
}

pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(name(number))
}

/// The numbers of the segments in `dir`, in ascending order.
pub(super) fn numbers(dir: &Path) -> Result<Vec<u32>, Error> {
    file::numbered(dir, "commit-", ".log", &name)
}

/// Makes an empty segment: when it has its name, all of its header is on the disk.
pub(super) fn create(dir: &Path, header: Header) -> Result<File, Error> {
    let unfinished = create_unfinished(dir, header)?;
    finish(dir, header, unfinished)
}

/// Writes the header to a file that no replay looks at. A failure leaves the log as it was.
pub(super) fn create_unfinished(dir: &Path, header: Header) -> Result<File, Error> {
    let file = File::open_or_create(dir.join(UNFINISHED_NAME))?;
    file.truncate(0)?;
    file.write_all_at(&header.encode(), 0)?;
    Ok(file)
}

/// Syncs the file and gives it its name.
pub(super) fn finish(dir: &Path, header: Header, unfinished: File) -> Result<File, Error> {
    unfinished.sync_data()?;
    let path = path(dir, header.number);
    file::rename(unfinished.path(), &path)?;
    file::sync_dir(dir)?;
    Ok(unfinished.at_path(path))
}

/// Removes what a crash between making and naming a segment has left.
pub(super) fn remove_unfinished(dir: &Path) -> Result<(), Error> {
    let mut left = false;
    file::list(dir, &mut |entry| left |= entry == UNFINISHED_NAME)?;
    if left {
        file::remove(&dir.join(UNFINISHED_NAME))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_any_bit_changed_is_not_a_header() {
        let header = Header {
            number: 7,
            salt: u64::MAX / 3,
            first_sequence: 1 << 40,
        };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, HEADER_BYTES);
        assert_eq!(Header::parse(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::parse(&changed), None, "bit {bit}");
        }
    }

    #[test]
    fn two_logs_have_two_salts() {
        assert_ne!(new_salt(), new_salt());
    }
}
