//! JSON lines: the rows as they are, plain or compressed.

use std::io::{self, BufRead, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::BUFFER_BYTES;
use super::convert_error::ConvertError;
use super::row_lines::RowLines;
use super::row_values::RowValues;

/// zstd's own default: at the levels above it time grows faster than files shrink.
const ZSTD_LEVEL: i32 = 3;

/// Writes the rows as they are, checked.
pub(crate) fn write_plain(rows: &mut dyn BufRead, out: impl Write) -> Result<u64, ConvertError> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let count = copy(rows, &mut out)?;
    out.flush().map_err(ConvertError::Write)?;
    Ok(count)
}

/// Writes the rows as one gzip member (RFC 1952) without a time in it: the same rows give the same
/// bytes.
pub(crate) fn write_gzip(rows: &mut dyn BufRead, out: impl Write) -> Result<u64, ConvertError> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut encoder = GzEncoder::new(out, Compression::default());
    let count = copy(rows, &mut encoder)?;
    let finished = encoder.finish().and_then(|mut out| out.flush());
    finished.map_err(ConvertError::Write)?;
    Ok(count)
}

/// Writes the rows as one zstd frame (RFC 8878) with a checksum.
pub(crate) fn write_zstd(rows: &mut dyn BufRead, out: impl Write) -> Result<u64, ConvertError> {
    let out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut encoder = zstd_encoder(out).map_err(ConvertError::Write)?;
    let count = copy(rows, &mut encoder)?;
    let finished = encoder.finish().and_then(|mut out| out.flush());
    finished.map_err(ConvertError::Write)?;
    Ok(count)
}

fn zstd_encoder<W: Write>(out: W) -> io::Result<zstd::stream::write::Encoder<'static, W>> {
    let mut encoder = zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

fn copy(rows: &mut dyn BufRead, out: &mut dyn Write) -> Result<u64, ConvertError> {
    let mut lines = RowLines::new(rows);
    while let Some((number, line)) = lines.next_line()? {
        RowValues::read(line).map_err(|problem| ConvertError::Row {
            line: number,
            problem,
        })?;
        let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
        written.map_err(ConvertError::Write)?;
    }
    Ok(lines.count())
}
