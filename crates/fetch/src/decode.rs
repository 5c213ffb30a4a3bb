//! Content codings (RFC 9110 section 8.4), decoded whole and never beyond a limit.

use std::io::{self, Read};

use brotli::BrotliDecompressStream;
use brotli::BrotliResult;
use brotli::BrotliState;
use brotli::enc::StandardAlloc;
use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// Codings that may be stacked on one another.
const CODINGS_MAX: usize = 3;
/// The largest window of zstd, as a power of two: what RFC 9659 allows on the web, 8 MB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Room made for the output, as a multiple of the input: pages shrink to a quarter.
const ROOM_FACTOR: usize = 4;
/// Room made for the output at most, before it is known to be needed, in bytes.
const ROOM_BYTES_MAX: usize = 1024 * 1024;
/// Output of one step of the brotli decoder, in bytes.
const BROTLI_STEP_BYTES: usize = 64 * 1024;

/// Why a body could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeErrorKind {
    /// The decoded body is larger than the limit.
    TooLarge,
    /// The bytes are not what the coding says.
    Corrupt,
    /// The bytes end before the coding does.
    Truncated,
    /// A coding that is not known, or too many on top of one another.
    Unsupported,
}

/// Why a body could not be decoded, and what was decoded until then.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    kind: DecodeErrorKind,
    message: String,
    partial: Bytes,
}

impl DecodeError {
    /// Why.
    pub fn kind(&self) -> DecodeErrorKind {
        self.kind
    }

    /// The error without the beginning of the body, which may be as large as the limit.
    #[must_use]
    pub fn without_partial(self) -> DecodeError {
        DecodeError {
            partial: Bytes::new(),
            ..self
        }
    }

    /// The beginning of the body, as far as it could be decoded and within the limit; empty where
    /// that is nothing. A browser shows it.
    pub fn into_partial(self) -> Bytes {
        self.partial
    }
}

/// Undoes the content codings of `body`: gzip (one member or more), deflate (in its zlib wrapping or
/// raw, servers send both), br, zstd and identity, in any order up to three.
///
/// Pure, and never gives or holds more than `max_decoded_bytes` of output for one coding; reading
/// stops there. An empty body is empty whatever its coding. Bytes after the end of the last gzip member
/// are passed over, as browsers do. This is CPU work: call it where that does not keep exchanges
/// waiting.
///
/// # Errors
///
/// A [`DecodeError`] that tells too large, corrupt, truncated and unsupported apart.
pub fn decode_body(
    content_encoding: Option<&str>,
    body: Bytes,
    max_decoded_bytes: u64,
) -> Result<Bytes, DecodeError> {
    let max = usize::try_from(max_decoded_bytes).unwrap_or(usize::MAX);
    let codings = codings(content_encoding.unwrap_or_default())?;
    if body.is_empty() || codings.is_empty() {
        return within(body, max);
    }
    // The last one named was put on last.
    let mut current = body;
    for (index, coding) in codings.iter().enumerate().rev() {
        current = coding
            .decode(&current, max)
            .map_err(|(kind, partial)| DecodeError {
                kind,
                message: words(kind, coding.name(), max),
                // Half of an inner coding is no beginning of the body.
                partial: if index == 0 {
                    partial.into()
                } else {
                    Bytes::new()
                },
            })?;
    }
    Ok(current)
}

fn within(body: Bytes, max: usize) -> Result<Bytes, DecodeError> {
    if body.len() <= max {
        return Ok(body);
    }
    let kind = DecodeErrorKind::TooLarge;
    Err(DecodeError {
        kind,
        message: words(kind, "body", max),
        partial: body.slice(..max),
    })
}

fn words(kind: DecodeErrorKind, coding: &str, max: usize) -> String {
    match kind {
        DecodeErrorKind::TooLarge => format!("decoded body is larger than {max} bytes ({coding})"),
        DecodeErrorKind::Corrupt => format!("body is not valid {coding}"),
        DecodeErrorKind::Truncated => format!("body ends in the middle of its {coding} data"),
        DecodeErrorKind::Unsupported => format!("content coding {coding} is not supported"),
    }
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

fn codings(header: &str) -> Result<Vec<Coding>, DecodeError> {
    let mut codings = Vec::new();
    for name in header.split(',').map(str::trim) {
        let coding = match name.to_ascii_lowercase().as_str() {
            "" | "identity" => continue,
            "gzip" | "x-gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return Err(unsupported(&crate::failure::printable(name))),
        };
        if codings.len() == CODINGS_MAX {
            return Err(unsupported("of more than three layers"));
        }
        codings.push(coding);
    }
    Ok(codings)
}

fn unsupported(name: &str) -> DecodeError {
    let kind = DecodeErrorKind::Unsupported;
    DecodeError {
        kind,
        message: words(kind, name, 0),
        partial: Bytes::new(),
    }
}

type Decoded = Result<Bytes, (DecodeErrorKind, Vec<u8>)>;

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    fn decode(self, input: &[u8], max: usize) -> Decoded {
        let room = input
            .len()
            .saturating_mul(ROOM_FACTOR)
            .min(max)
            .min(ROOM_BYTES_MAX);
        let mut output = Vec::with_capacity(room);
        let result = match self {
            Coding::Gzip => gunzip(input, max, &mut output),
            Coding::Deflate => inflate(input, max, &mut output),
            Coding::Brotli => unbrotli(input, max, &mut output),
            Coding::Zstd => unzstd(input, max, &mut output),
        };
        match result {
            Ok(()) => Ok(output.into()),
            Err(kind) => Err((kind, output)),
        }
    }
}

fn gunzip(input: &[u8], max: usize, output: &mut Vec<u8>) -> Result<(), DecodeErrorKind> {
    let mut rest = input;
    loop {
        let mut member = GzDecoder::new(rest);
        read_within(&mut member, max, output)?;
        rest = member.into_inner();
        // Another member begins with the magic number; anything else is padding.
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(());
        }
    }
}

fn inflate(input: &[u8], max: usize, output: &mut Vec<u8>) -> Result<(), DecodeErrorKind> {
    if !has_zlib_header(input) {
        return read_within(&mut DeflateDecoder::new(input), max, output);
    }
    match read_within(&mut ZlibDecoder::new(input), max, output) {
        // Raw data may look like a zlib header by chance.
        Err(DecodeErrorKind::Corrupt) if output.is_empty() => {
            let raw = read_within(&mut DeflateDecoder::new(input), max, output);
            raw.map_err(|_| DecodeErrorKind::Corrupt)
        }
        result => result,
    }
}

/// RFC 1950 section 2.2: method 8, and a multiple of 31.
fn has_zlib_header(input: &[u8]) -> bool {
    match input {
        [cmf, flags, ..] => {
            cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flags)).is_multiple_of(31)
        }
        _ => false,
    }
}

fn unzstd(input: &[u8], max: usize, output: &mut Vec<u8>) -> Result<(), DecodeErrorKind> {
    let decoder = zstd::stream::read::Decoder::with_buffer(input);
    let mut decoder = decoder.map_err(|_| DecodeErrorKind::Corrupt)?;
    decoder
        .window_log_max(ZSTD_WINDOW_LOG_MAX)
        .map_err(|_| DecodeErrorKind::Corrupt)?;
    read_within(&mut decoder, max, output)
}

/// Reads to the end, or to one byte beyond `max`, which is then taken off again. Room is made by
/// doubling, but never beyond that: a vector of its own would hold twice the limit.
fn read_within(
    reader: &mut dyn Read,
    max: usize,
    output: &mut Vec<u8>,
) -> Result<(), DecodeErrorKind> {
    const FIRST_BYTES: usize = 64 * 1024;
    loop {
        let allowed = max.saturating_sub(output.len()).saturating_add(1);
        if output.capacity() == output.len() {
            output.reserve_exact(output.capacity().max(FIRST_BYTES).min(allowed));
        }
        let step = (output.capacity() - output.len()).min(allowed);
        let result = (&mut *reader).take(step as u64).read_to_end(output);
        if output.len() > max {
            output.truncate(max);
            return Err(DecodeErrorKind::TooLarge);
        }
        match result {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(DecodeErrorKind::Truncated);
            }
            Err(_) => return Err(DecodeErrorKind::Corrupt),
        }
    }
}

/// The crate's reader does not tell truncated from corrupt; its decoder does.
fn unbrotli(input: &[u8], max: usize, output: &mut Vec<u8>) -> Result<(), DecodeErrorKind> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new(alloc(), alloc(), alloc());
    let (mut left_in, mut at_in, mut total) = (input.len(), 0, 0);
    loop {
        let at_out = output.len();
        let step = (max - at_out).saturating_add(1).min(BROTLI_STEP_BYTES);
        output.resize(at_out + step, 0);
        let (mut left_out, mut written) = (step, at_out);
        let result = BrotliDecompressStream(
            &mut left_in,
            &mut at_in,
            input,
            &mut left_out,
            &mut written,
            output,
            &mut total,
            &mut state,
        );
        output.truncate(written);
        if output.len() > max {
            output.truncate(max);
            return Err(DecodeErrorKind::TooLarge);
        }
        match result {
            BrotliResult::ResultSuccess => return Ok(()),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(DecodeErrorKind::Truncated),
            BrotliResult::ResultFailure => return Err(DecodeErrorKind::Corrupt),
        }
    }
}
