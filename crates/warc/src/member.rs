//! Compression of records: each one a member (gzip) or frame (zstd) of its own.

use std::cell::RefCell;
use std::io;

use libdeflater::{CompressionLvl, Compressor};
use zstd::bulk::Compressor as ZstdCompressor;

/// libdeflate's fastest: web pages become a tenth to a quarter larger than at zlib's usual level, in two
/// fifths of the time or less, which would else be most of a page's (docs/measurements.md).
const GZIP_LEVEL: i32 = 1;
/// zstd's own default level.
const ZSTD_LEVEL: i32 = 3;

thread_local! {
    /// Kept from record to record: to make one takes longer than to compress a page.
    static GZIP: RefCell<Option<Compressor>> = const { RefCell::new(None) };
    static ZSTD: RefCell<Option<ZstdCompressor<'static>>> = const { RefCell::new(None) };
}

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
            Compression::Gzip => GZIP.with_borrow_mut(|kept| {
                let new = || Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default());
                gzip(kept.get_or_insert_with(new), record)
            }),
            Compression::Zstd => ZSTD.with_borrow_mut(|kept| {
                let compressor = match kept {
                    Some(compressor) => compressor,
                    None => kept.insert(zstd_compressor()?),
                };
                compressor.compress(record)
            }),
        }
    }
}

fn gzip(compressor: &mut Compressor, record: &[u8]) -> io::Result<Vec<u8>> {
    let mut member = vec![0; compressor.gzip_compress_bound(record.len())];
    let length = compressor
        .gzip_compress(record, &mut member)
        .map_err(io::Error::other)?;
    member.truncate(length);
    // Records wait to be written: not in the room that they might have taken.
    member.shrink_to_fit();
    Ok(member)
}

fn zstd_compressor() -> io::Result<ZstdCompressor<'static>> {
    let mut compressor = ZstdCompressor::new(ZSTD_LEVEL)?;
    compressor.include_checksum(true)?;
    compressor.include_contentsize(true)?;
    Ok(compressor)
}
