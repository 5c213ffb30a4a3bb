//! The members of a file, one after the other: gzip members, zstd frames, or the file as it is.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::input::Input;
use crate::member::SkipLengths;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Decompressed bytes held at once.
const BUFFER_BYTES: usize = 32 * 1024;
/// What the heads of a record and of its HTTP message usually fit into.
const HEAD_BYTES: usize = 1024;
/// The largest window of a zstd frame that is accepted: 128 MiB, the most that zstd's own tool takes
/// without being told to.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// The largest dictionary that is accepted, before and after its decompression.
const DICTIONARY_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The skippable frame that holds a dictionary (Zstandard Compression for WARC Files 1.0).
const DICTIONARY_FRAME: u32 = 0x184d_2a5d;

enum State<R: Read> {
    /// Before the first member, between two, or behind the last.
    Between(Input<R>),
    Plain(Input<R>),
    Gzip(Box<GzDecoder<Input<R>>>),
    Zstd(Box<zstd::Decoder<'static, Input<R>>>),
    /// A member could not be begun.
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zstd,
}

/// The decompressed data of a file, member by member.
pub(crate) struct Members<R: Read> {
    state: State<R>,
    format: Option<Format>,
    dictionary: Vec<u8>,
    /// Where the present member begins in the file.
    member_start: u64,
    /// How long it says that it is.
    lengths: Option<SkipLengths>,
    /// The most that is decompressed in one go.
    step: usize,
    /// Decompressed bytes of the present member that were consumed.
    position: u64,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<R: Read> Members<R> {
    /// `looks_at_heads` where most members are left soon after their start: then no more of one is
    /// decompressed than a head may take.
    pub(crate) fn new(source: R, looks_at_heads: bool) -> Members<R> {
        Members {
            state: State::Between(Input::new(source)),
            format: None,
            dictionary: Vec::new(),
            member_start: 0,
            lengths: None,
            step: if looks_at_heads {
                HEAD_BYTES
            } else {
                BUFFER_BYTES
            },
            position: 0,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// Whether the file is compressed, so that a member has an end of its own.
    pub(crate) fn is_compressed(&self) -> bool {
        matches!(self.format, Some(Format::Gzip | Format::Zstd))
    }

    /// Where in the file the next record begins: its member, or in a plain file its first byte.
    pub(crate) fn offset(&self) -> u64 {
        match self.format {
            Some(Format::Plain) => self.position,
            _ => self.member_start,
        }
    }

    /// Decompressed bytes of the present member that were consumed.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes of the file that were taken for the members up to here; exact at the end of a member.
    pub(crate) fn taken(&self) -> u64 {
        match &self.state {
            State::Between(input) | State::Plain(input) => input.taken(),
            State::Gzip(decoder) => decoder.get_ref().taken(),
            State::Zstd(decoder) => decoder.get_ref().taken(),
            State::Lost => 0,
        }
    }

    /// The data at hand. Empty at the end of the member only.
    pub(crate) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            let count = loop {
                let buffer = self.buffer.get_mut(..self.step).unwrap_or_default();
                let result = match &mut self.state {
                    State::Between(_) | State::Lost => Ok(0),
                    State::Plain(input) => input.read(buffer),
                    State::Gzip(decoder) => decoder.read(buffer),
                    State::Zstd(decoder) => decoder.read(buffer),
                };
                match result {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result?,
                }
            };
            self.end = count.min(self.buffer.len());
            if count == 0 {
                self.leave();
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.position += count as u64;
    }

    fn leave(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Lost) {
            State::Gzip(decoder) => State::Between(decoder.into_inner()),
            State::Zstd(decoder) => State::Between(decoder.into_inner()),
            State::Plain(input) => State::Between(input),
            other => other,
        };
    }

    /// How long the present member says that it is.
    pub(crate) fn lengths(&self) -> Option<SkipLengths> {
        self.lengths
    }

    /// Goes to the end of the present member, whose length in the file is `stored`, without decompressing
    /// what is left of it.
    pub(crate) fn leave_at(&mut self, stored: u64) -> io::Result<()> {
        (self.start, self.end) = (0, 0);
        self.leave();
        let State::Between(input) = &mut self.state else {
            return Err(io::Error::other("there is no member"));
        };
        let end = self.member_start.saturating_add(stored);
        match end.checked_sub(input.taken()) {
            Some(left) => skip(input, left),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Begins the next member; `false` at the end of the file. The present one must be at its end.
    pub(crate) fn next_member(&mut self) -> io::Result<bool> {
        let State::Between(mut input) = std::mem::replace(&mut self.state, State::Lost) else {
            return Err(io::Error::other("the member is not at its end"));
        };
        if self.format == Some(Format::Zstd) || self.format.is_none() {
            self.skip_frames(&mut input)?;
        }
        self.member_start = input.taken();
        let magic = input.peek(ZSTD_MAGIC.len())?;
        if magic.is_empty() {
            self.state = State::Between(input);
            return Ok(false);
        }
        let here = if magic.starts_with(GZIP_MAGIC) {
            Format::Gzip
        } else if magic.starts_with(ZSTD_MAGIC) {
            Format::Zstd
        } else {
            Format::Plain
        };
        if *self.format.get_or_insert(here) != here {
            let kind = match self.format {
                Some(Format::Gzip) => "what follows the last member is no gzip member",
                _ => "what follows the last frame is no zstd frame",
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, kind));
        }
        self.lengths = match here {
            Format::Gzip => SkipLengths::read(input.peek(SkipLengths::HEADER_BYTES)?),
            _ => None,
        };
        self.state = match here {
            Format::Plain => State::Plain(input),
            Format::Gzip => State::Gzip(Box::new(GzDecoder::new(input))),
            Format::Zstd => State::Zstd(Box::new(decoder(input, &self.dictionary)?)),
        };
        self.position = 0;
        Ok(true)
    }

    /// Passes over skippable frames (RFC 8878 section 3.1.2); takes the dictionary from the first.
    fn skip_frames(&mut self, input: &mut Input<R>) -> io::Result<()> {
        while let [a, b, c, d, e, f, g, h] = *input.peek(8)? {
            let magic = u32::from_le_bytes([a, b, c, d]);
            if magic & 0xffff_fff0 != 0x184d_2a50 {
                break;
            }
            let is_first = input.taken() == 0;
            self.format = Some(Format::Zstd);
            input.consume(8);
            let length = u64::from(u32::from_le_bytes([e, f, g, h]));
            if is_first && magic == DICTIONARY_FRAME {
                self.dictionary = read_dictionary(input, length)?;
            } else {
                skip(input, length)?;
            }
        }
        Ok(())
    }
}

fn decoder<R: Read>(
    input: Input<R>,
    dictionary: &[u8],
) -> io::Result<zstd::Decoder<'static, Input<R>>> {
    let mut decoder = zstd::Decoder::with_dictionary(input, dictionary)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder.single_frame())
}

fn read_dictionary<R: Read>(input: &mut Input<R>, length: u64) -> io::Result<Vec<u8>> {
    if length > DICTIONARY_BYTES_MAX {
        return Err(io::Error::other("the dictionary is too large"));
    }
    let mut stored = Vec::new();
    input.take(length).read_to_end(&mut stored)?;
    if (stored.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !stored.starts_with(ZSTD_MAGIC) {
        return Ok(stored);
    }
    let mut dictionary = Vec::new();
    let decoder = zstd::Decoder::with_buffer(stored.as_slice())?;
    let mut bounded = decoder.take(DICTIONARY_BYTES_MAX);
    bounded.read_to_end(&mut dictionary)?;
    Ok(dictionary)
}

fn skip<R: Read>(input: &mut Input<R>, mut length: u64) -> io::Result<()> {
    while length > 0 {
        let held = input.fill_buf()?.len() as u64;
        if held == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = held.min(length);
        input.consume(usize::try_from(count).unwrap_or(usize::MAX));
        length -= count;
    }
    Ok(())
}
