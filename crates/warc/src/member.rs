//! Compression of records: each one a member (gzip) or frame (zstd) of its own.

use std::io::{self, Write};

use flate2::write::GzEncoder;

/// gzip's level: beyond it a web page shrinks by about one part in a hundred and takes twice as long.
const GZIP_LEVEL: u32 = 6;
/// zstd's own default level.
const ZSTD_LEVEL: i32 = 3;

/// How the records of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all: `.warc`.
    None,
    /// One gzip member a record (WARC 1.1 annex D.2): `.warc.gz`.
    Gzip,
    /// One zstd frame a record, with content size and checksum, without a dictionary (Zstandard
    /// Compression for WARC Files 1.0): `.warc.zst`.
    Zstd,
}

impl Compression {
    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::None => "warc",
            Compression::Gzip => "warc.gz",
            Compression::Zstd => "warc.zst",
        }
    }

    /// One record as it stands in a file. Members are independent: a file is their concatenation,
    /// and a record can be read from its offset and length alone. Depends on nothing but `record`.
    ///
    /// # Errors
    ///
    /// Only where the compressing library reports one, which for a buffer in memory means that there
    /// is no memory.
    pub fn compress(self, record: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(record.to_vec()),
            Compression::Gzip => {
                let room = Vec::with_capacity(record.len() / 4 + 64);
                let mut encoder = GzEncoder::new(room, flate2::Compression::new(GZIP_LEVEL));
                encoder.write_all(record)?;
                encoder.finish()
            }
            Compression::Zstd => {
                let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
                compressor.include_checksum(true)?;
                compressor.include_contentsize(true)?;
                compressor.compress(record)
            }
        }
    }
}
