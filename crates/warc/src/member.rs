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

/// A gzip member with its skip lengths in its header.
fn gzip(compressor: &mut Compressor, record: &[u8]) -> io::Result<Vec<u8>> {
    const ADDED: usize = SkipLengths::HEADER_BYTES - GZIP_HEADER_BYTES;
    let mut member = vec![0; ADDED + compressor.gzip_compress_bound(record.len())];
    let place = member.get_mut(ADDED..).unwrap_or_default();
    let length = compressor
        .gzip_compress(record, place)
        .map_err(io::Error::other)?;
    member.truncate(ADDED + length);
    let lengths = SkipLengths {
        stored: member.len() as u64,
        plain: record.len() as u64,
    };
    member.copy_within(ADDED..ADDED + GZIP_HEADER_BYTES, 0);
    lengths.write(&mut member);
    // Records wait to be written: not in the room that they might have taken.
    member.shrink_to_fit();
    Ok(member)
}

/// The header of a gzip member that has no optional fields (RFC 1952 section 2.3).
const GZIP_HEADER_BYTES: usize = 10;

/// How long a member is, in the file and decompressed, as its header says: the extra field `sl`, which the
/// draft 0.9 of the WARC standard recommended. With it a member is passed over without being inflated;
/// who does not know it passes over the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SkipLengths {
    pub(crate) stored: u64,
    pub(crate) plain: u64,
}

impl SkipLengths {
    /// Bytes of a gzip header with this field and no other.
    pub(crate) const HEADER_BYTES: usize = GZIP_HEADER_BYTES + 2 + 4 + 8;
    /// The flag FEXTRA.
    const EXTRA: u8 = 1 << 2;
    /// XLEN, the name of the field, and its length.
    const FIELD: [u8; 6] = [12, 0, b's', b'l', 8, 0];

    /// Puts the field behind the first bytes of a gzip header. A member of 4 GiB and more gets none that
    /// is right: its lengths are written modulo 2^32, and then agree with nothing.
    fn write(self, header: &mut [u8]) {
        if let Some(flags) = header.get_mut(3) {
            *flags |= Self::EXTRA;
        }
        let [stored, plain] = [self.stored, self.plain].map(|length| (length as u32).to_le_bytes());
        let field = Self::FIELD.into_iter().chain(stored).chain(plain);
        let places = header.iter_mut().skip(GZIP_HEADER_BYTES);
        places.zip(field).for_each(|(place, byte)| *place = byte);
    }

    /// The lengths that the start of a gzip member tells, where it does so in its first extra field.
    pub(crate) fn read(header: &[u8]) -> Option<SkipLengths> {
        let (fixed, rest) = header.split_first_chunk::<GZIP_HEADER_BYTES>()?;
        let (field, rest) = rest.split_first_chunk::<{ Self::FIELD.len() }>()?;
        let (lengths, _) = rest.as_chunks::<4>();
        let &[stored, plain, ..] = lengths else {
            return None;
        };
        let is_told = fixed.get(3)? & Self::EXTRA != 0 && *field == Self::FIELD;
        is_told.then(|| SkipLengths {
            stored: u32::from_le_bytes(stored).into(),
            plain: u32::from_le_bytes(plain).into(),
        })
    }
}

fn zstd_compressor() -> io::Result<ZstdCompressor<'static>> {
    let mut compressor = ZstdCompressor::new(ZSTD_LEVEL)?;
    compressor.include_checksum(true)?;
    compressor.include_contentsize(true)?;
    Ok(compressor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gzip_member_tells_how_long_it_is() {
        for record in [&b""[..], b"WARC/1.1\r\n", &[b'x'; 100_000]] {
            let member = Compression::Gzip.compress(record).unwrap();
            let lengths = SkipLengths {
                stored: member.len() as u64,
                plain: record.len() as u64,
            };
            assert_eq!(SkipLengths::read(&member), Some(lengths));
            assert_eq!(SkipLengths::read(&member[..23]), None);
        }
        let other = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x0c\0sl\x08\0\0\0\0\0\0\0\0\0";
        assert_eq!(SkipLengths::read(other), None, "without the flag");
    }
}
