//! The types of records.

use std::fmt;

/// What a record holds (WARC 1.1 section 5.5, WARC-Type), or what it is in an ARC file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// About the records that follow.
    Warcinfo,
    /// What a server answered, with its protocol's headers.
    Response,
    /// A resource without protocol headers.
    Resource,
    /// What was asked.
    Request,
    /// About another record.
    Metadata,
    /// A visit whose content is that of an earlier one.
    Revisit,
    /// Another form of another record's content.
    Conversion,
    /// A further segment of a record.
    Continuation,
    /// The first record of an ARC file (`filedesc://`), which is about the file.
    ArcHeader,
    /// Any other record of an ARC file: what a server answered.
    ArcResponse,
    /// A type that the standard does not have; readers pass it over.
    Unknown(String),
}

impl RecordKind {
    /// The kind that a WARC-Type names; letter case counts for nothing.
    pub fn from_warc_type(name: &str) -> RecordKind {
        let known = [
            RecordKind::Warcinfo,
            RecordKind::Response,
            RecordKind::Resource,
            RecordKind::Request,
            RecordKind::Metadata,
            RecordKind::Revisit,
            RecordKind::Conversion,
            RecordKind::Continuation,
        ];
        known
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| RecordKind::Unknown(name.to_owned()))
    }

    /// The value of WARC-Type; for ARC the names that other readers give them.
    pub fn as_str(&self) -> &str {
        match self {
            RecordKind::Warcinfo => "warcinfo",
            RecordKind::Response => "response",
            RecordKind::Resource => "resource",
            RecordKind::Request => "request",
            RecordKind::Metadata => "metadata",
            RecordKind::Revisit => "revisit",
            RecordKind::Conversion => "conversion",
            RecordKind::Continuation => "continuation",
            RecordKind::ArcHeader => "arc_header",
            RecordKind::ArcResponse => "arc_response",
            RecordKind::Unknown(name) => name,
        }
    }

    /// Whether a record of this kind must say what it is about (WARC 1.1 section 5.12).
    pub(crate) fn needs_target(&self) -> bool {
        matches!(
            self,
            RecordKind::Response
                | RecordKind::Resource
                | RecordKind::Request
                | RecordKind::Revisit
                | RecordKind::Conversion
                | RecordKind::Continuation
        )
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
