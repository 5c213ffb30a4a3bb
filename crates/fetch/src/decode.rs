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
/// Room made for the output before its length is known, in bytes. What is longer is decoded twice,
/// first to learn how much room it needs: growing step by step would hold three times as much, and
/// what is too large takes no room at all.
const ROOM_BYTES_MAX: usize = 1024 * 1024;
/// Output of one step where there is no room for more, in bytes.
const STEP_BYTES: usize = 64 * 1024;

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

    /// The beginning of the body, as far as it could be decoded, at most a megabyte and within the
    /// limit; empty where that is nothing. A browser shows it.
    pub fn into_partial(self) -> Bytes {
        self.partial
    }
}

/// Undoes the content codings of `body`: gzip (one member or more), deflate (in its zlib wrapping or
/// raw, servers send both), br, zstd and identity, in any order up to three.
///
/// Pure, and never gives or holds more than `max_decoded_bytes` of output for one coding; reading
/// stops there. Of output beyond a megabyte the length is learnt first, so that what is too large
/// takes no room. An empty body is empty whatever its coding. Bytes after the end of the last gzip
/// member are passed over, as browsers do. This is CPU work: call it where that does not keep
/// exchanges waiting.
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
        if let Coding::Gzip = self
            && let Some(whole) = gunzip_whole(input, max.min(ROOM_BYTES_MAX))
        {
            return Ok(whole.into());
        }
        let typical = input.len().saturating_mul(ROOM_FACTOR);
        let mut output = Output::with_room(typical.min(max).min(ROOM_BYTES_MAX), max);
        output.keep = max.min(ROOM_BYTES_MAX);
        let mut result = self.run(input, &mut output);
        if result.is_ok() && output.beyond > 0 {
            let length = output.len();
            // The first part goes before the whole comes.
            drop(output);
            output = Output::with_room(length, length);
            result = self.run(input, &mut output);
        }
        match result {
            Ok(()) => Ok(output.bytes.into()),
            Err(kind) => Err((kind, output.bytes)),
        }
    }

    fn run(self, input: &[u8], output: &mut Output) -> Result<(), DecodeErrorKind> {
        match self {
            Coding::Gzip => gunzip(input, output),
            Coding::Deflate => inflate(input, output),
            Coding::Brotli => unbrotli(input, output),
            Coding::Zstd => unzstd(input, output),
        }
    }
}

/// What comes out: the first `keep` bytes, and how many came beyond them.
struct Output {
    bytes: Vec<u8>,
    keep: usize,
    beyond: usize,
    /// In all.
    max: usize,
}

impl Output {
    /// Keeps everything, for which there is room at first.
    fn with_room(room: usize, max: usize) -> Output {
        Output {
            bytes: Vec::with_capacity(room),
            keep: max,
            beyond: 0,
            max,
        }
    }

    fn len(&self) -> usize {
        self.bytes.len().saturating_add(self.beyond)
    }

    /// The most that the next step may bring: one byte beyond the limit tells that there is more.
    fn step(&self) -> usize {
        let spare = self.bytes.capacity() - self.bytes.len();
        let allowed = self.max.saturating_sub(self.len()).saturating_add(1);
        spare.max(STEP_BYTES).min(allowed)
    }

    /// Takes in what a step brought. Too large stays too large.
    fn stepped(&mut self) -> Result<(), DecodeErrorKind> {
        let is_too_large = self.len() > self.max;
        let more = self.bytes.len().saturating_sub(self.keep);
        self.bytes.truncate(self.keep);
        self.beyond += more;
        match is_too_large {
            true => Err(DecodeErrorKind::TooLarge),
            false => Ok(()),
        }
    }
}

/// Undoes gzip where the body is one whole member of at most `max` bytes, as nearly all are: in one step,
/// into room of the length that its end tells. `None` for everything else, be it right or wrong.
fn gunzip_whole(input: &[u8], max: usize) -> Option<Vec<u8>> {
    /// No deflate stream grows by more (RFC 1951: 258 bytes from two bits).
    const RATIO_MAX: usize = 1032;
    const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
    let length = input
        .last_chunk::<4>()
        .map(|end| u32::from_le_bytes(*end))?;
    let length = usize::try_from(length).ok()?;
    if length > max || length / RATIO_MAX > input.len() {
        return None;
    }
    // Of a second member the library would say nothing.
    let after_magic = input.strip_prefix(MAGIC)?;
    if memchr::memmem::find(after_magic, MAGIC).is_some() {
        return None;
    }
    let mut output = vec![0; length];
    let decoded = libdeflater::Decompressor::new().gzip_decompress(input, &mut output);
    (decoded == Ok(length)).then_some(output)
}

fn gunzip(input: &[u8], output: &mut Output) -> Result<(), DecodeErrorKind> {
    let mut rest = input;
    loop {
        let mut member = GzDecoder::new(rest);
        read_within(&mut member, output)?;
        rest = member.into_inner();
        // Another member begins with the magic number; anything else is padding.
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(());
        }
    }
}

fn inflate(input: &[u8], output: &mut Output) -> Result<(), DecodeErrorKind> {
    if !has_zlib_header(input) {
        return read_within(&mut DeflateDecoder::new(input), output);
    }
    match read_within(&mut ZlibDecoder::new(input), output) {
        // Raw data may look like a zlib header by chance.
        Err(DecodeErrorKind::Corrupt) if output.bytes.is_empty() => {
            let raw = read_within(&mut DeflateDecoder::new(input), output);
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

fn unzstd(input: &[u8], output: &mut Output) -> Result<(), DecodeErrorKind> {
    let decoder = zstd::stream::read::Decoder::with_buffer(input);
    let mut decoder = decoder.map_err(|_| DecodeErrorKind::Corrupt)?;
    decoder
        .window_log_max(ZSTD_WINDOW_LOG_MAX)
        .map_err(|_| DecodeErrorKind::Corrupt)?;
    read_within(&mut decoder, output)
}

fn read_within(reader: &mut dyn Read, output: &mut Output) -> Result<(), DecodeErrorKind> {
    loop {
        let mut step = (&mut *reader).take(output.step() as u64);
        let result = step.read_to_end(&mut output.bytes);
        output.stepped()?;
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

/// The crate's reader does not tell truncated from corrupt; its decoder does. Strict, because windows
/// beyond RFC 7932's 16 MB, up to a gigabyte, are not what `br` means.
fn unbrotli(input: &[u8], output: &mut Output) -> Result<(), DecodeErrorKind> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut left_in, mut at_in, mut total) = (input.len(), 0, 0);
    loop {
        let at_out = output.bytes.len();
        let step = output.step().min(STEP_BYTES);
        output.bytes.resize(at_out + step, 0);
        let (mut left_out, mut written) = (step, at_out);
        let result = BrotliDecompressStream(
            &mut left_in,
            &mut at_in,
            input,
            &mut left_out,
            &mut written,
            &mut output.bytes,
            &mut total,
            &mut state,
        );
        output.bytes.truncate(written);
        output.stepped()?;
        match result {
            BrotliResult::ResultSuccess => return Ok(()),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(DecodeErrorKind::Truncated),
            BrotliResult::ResultFailure => return Err(DecodeErrorKind::Corrupt),
        }
    }
}
