//! Files of checked pieces, written once from front to back and read the same way.
//!
//! A file begins with magic and version (8 bytes and a u32, little-endian); a piece is its length (u32), a
//! CRC-32 of its number and bytes (u32), and its bytes. A last piece of length 0 says that all is there.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::file::File;
use crate::whole::{NewFile, io_error, store_error};

/// The longest piece, in bytes.
pub const MAX_PIECE_BYTES: usize = 256 << 20;

const MAGIC: [u8; 8] = *b"NPHLAPCS";
const VERSION: u32 = 1;
const PREFIX_BYTES: usize = 12;
const HEADER_BYTES: usize = 8;

/// A file of pieces that is being made; it is there, whole and for good, from
/// [`publish`](Self::publish) on.
#[derive(Debug)]
pub struct PieceWriter {
    file: NewFile,
    path: std::path::PathBuf,
    pieces: u32,
    bytes: u64,
}

impl PieceWriter {
    /// Begins the file that will stand at `path`.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut writer = Self {
            file: NewFile::create(path, true)?,
            path: path.to_owned(),
            pieces: 0,
            bytes: 0,
        };
        writer.put(&MAGIC)?;
        writer.put(&VERSION.to_le_bytes())?;
        Ok(writer)
    }

    /// Adds a piece; an empty one adds nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] above [`MAX_PIECE_BYTES`]; otherwise as the file system has it.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        if piece.len() > MAX_PIECE_BYTES {
            let what = format!("a piece of {} bytes is above the bound", piece.len());
            return Err(Error::new(ErrorKind::TooLarge, &self.path, what));
        }
        if piece.is_empty() {
            return Ok(());
        }
        self.put_piece(piece)
    }

    /// Bytes so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the file and puts it in its place. It lasts when this returns.
    ///
    /// # Errors
    ///
    /// As the file system has it.
    pub fn publish(mut self) -> Result<(), Error> {
        self.put_piece(&[])?;
        self.file.publish()
    }

    fn put_piece(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.put(&(piece.len() as u32).to_le_bytes())?;
        self.put(&checksum(self.pieces, piece).to_le_bytes())?;
        self.put(piece)?;
        self.pieces += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        let written = self.file.write_all(bytes);
        written.map_err(|error| store_error(&error).unwrap_or_else(|| io_error(&self.path, error)))
    }
}

/// Calls `visit` with every piece of the file at `path`, in order.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`] when it is not whole, [`ErrorKind::Version`] for another format, and those of
/// `visit`.
pub fn read_pieces(
    path: &Path,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = File::open_read(path.to_owned())?;
    let mut prefix = [0; PREFIX_BYTES];
    file.read_exact_at(&mut prefix, 0)?;
    let (magic, version) = prefix.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(Error::corrupt(path, "is no file of pieces"));
    }
    if version != VERSION.to_le_bytes() {
        return Err(Error::new(ErrorKind::Version, path, "has another version"));
    }
    let mut offset = PREFIX_BYTES as u64;
    let mut piece = Vec::new();
    for number in 0.. {
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, offset)?;
        let (length, expected) = header.split_at(HEADER_BYTES / 2);
        let length = length.first_chunk().map_or(0, |b| u32::from_le_bytes(*b)) as usize;
        let expected = expected.first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
        let damaged = || Error::corrupt(path, format!("is damaged at offset {offset}"));
        if length > MAX_PIECE_BYTES {
            return Err(damaged());
        }
        piece.clear();
        piece.resize(length, 0);
        file.read_exact_at(&mut piece, offset + HEADER_BYTES as u64)?;
        if checksum(number, &piece) != expected {
            return Err(damaged());
        }
        if length == 0 {
            break;
        }
        visit(&piece)?;
        offset += (HEADER_BYTES + length) as u64;
    }
    Ok(())
}

fn checksum(number: u32, piece: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(piece);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> Result<Vec<Vec<u8>>, Error> {
        let mut pieces = Vec::new();
        read_pieces(path, &mut |piece| {
            pieces.push(piece.to_owned());
            Ok(())
        })?;
        Ok(pieces)
    }

    #[test]
    fn pieces_come_back_and_every_damage_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pieces");
        let pieces = [vec![1_u8; 700], vec![2; 3], vec![3; 40]];
        let mut writer = PieceWriter::create(&path).unwrap();
        pieces.iter().for_each(|piece| writer.add(piece).unwrap());
        writer.add(&[]).unwrap();
        assert!(!path.exists() && writer.bytes() > 743);
        writer.publish().unwrap();
        assert_eq!(read(&path).unwrap(), pieces);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(read(&path).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}
