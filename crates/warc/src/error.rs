//! What can be wrong with a file of records, and with a record that is being made.

use std::{fmt, io};

/// Text of a file shown in a message is cut after this many bytes.
const SHOWN_BYTES: usize = 80;

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error)]
#[error("record at byte {offset}: {problem}")]
pub struct Error {
    /// Where the record begins in the file as it is stored: for a compressed file the first byte of
    /// the member (gzip) or frame (zstd) that the record begins in.
    pub offset: u64,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

impl Error {
    pub(crate) fn new(offset: u64, problem: impl Into<Problem>) -> Error {
        Error {
            offset,
            problem: problem.into(),
        }
    }
}

/// The ways in which a record can be wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The source could not be read.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// Compressed data that is broken, or that is followed by something else.
    #[error("compressed data is broken: {0}")]
    Member(#[source] io::Error),
    /// The file ends within the record or its member.
    #[error("the file ends within {0}")]
    Truncated(&'static str),
    /// A member ends within the record.
    #[error("the compressed member ends within {0}")]
    MemberEnds(&'static str),
    /// Several records in one member, or data behind a record in its member.
    #[error("the compressed member goes on behind its record")]
    SharedMember,
    /// A member or frame without any data.
    #[error("the compressed member is empty")]
    EmptyMember,
    /// The first line is no version of WARC, nor an ARC file's first line.
    #[error("no WARC version line: {0}")]
    Version(Shown),
    /// A header line that has no name, no colon or bytes that may not be there.
    #[error("bad header line: {0}")]
    FieldLine(Shown),
    /// A line of an ARC file that does not have its fields.
    #[error("bad ARC record line: {0}")]
    ArcLine(Shown),
    /// A line beyond [`crate::ReadOptions::max_line_bytes`].
    #[error("a header line is longer than {0} bytes")]
    LongLine(usize),
    /// Headers beyond [`crate::ReadOptions::max_head_bytes`].
    #[error("the headers are longer than {0} bytes")]
    LongHead(usize),
    /// More fields than [`crate::ReadOptions::max_fields`].
    #[error("more than {0} header fields")]
    ManyFields(usize),
    /// A field that every record of the kind must have is missing.
    #[error("no {0}")]
    Missing(&'static str),
    /// A field that may stand once stands twice.
    #[error("{0} stands twice")]
    Repeated(String),
    /// A field whose value does not have its form.
    #[error("bad {0}: {1}")]
    Value(&'static str, Shown),
    /// The content is not followed by the two line ends that close a record.
    #[error("the content is not followed by the end of the record")]
    NoEnd,
    /// A digest in the header is not that of the content.
    #[error("{field} is {expected}, the content gives {found}")]
    Digest {
        /// The header field.
        field: &'static str,
        /// What it says.
        expected: Shown,
        /// What was computed.
        found: String,
    },
    /// The content is longer than what the caller was ready to hold.
    #[error("the content is longer than {0} bytes")]
    LongContent(u64),
    /// The record was read on after it had failed.
    #[error("could not be read")]
    Failed,
}

/// Bytes of a file as a message may show them: escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(crate) fn new(bytes: &[u8]) -> Shown {
        let cut = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
        let dots = if cut.len() < bytes.len() { "..." } else { "" };
        Shown(format!("\"{}\"{dots}", cut.escape_ascii()))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a record, a field or a digest cannot be made from what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The name is not a token (RFC 9110 section 5.6.2).
    #[error("not a field name: {0}")]
    Name(Shown),
    /// The value has a control character, of which line ends would add fields of their own.
    #[error("the value of {name} has a control character: {value}")]
    ControlCharacter {
        /// The field.
        name: String,
        /// The value.
        value: Shown,
    },
    /// The value does not have the form of its field.
    #[error("bad {name}: {value}")]
    Value {
        /// The field.
        name: String,
        /// The value.
        value: Shown,
    },
    /// The field is set by the builder itself, or stands already and may stand once.
    #[error("{0} is already set")]
    Repeated(String),
}
