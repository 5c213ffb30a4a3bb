//! The record lines of ARC files, versions 1.0, 1.1 and 2.0.
//!
//! Source: Arc File Format, Internet Archive, 1996, and the version 1.1 that Heritrix wrote, whose
//! only difference is the content of the first record.

use crate::error::{Problem, Shown};
use crate::head::{Field, Head};
use crate::kind::RecordKind;

/// How the first line of every ARC file begins.
pub(crate) const START: &[u8] = b"filedesc://";

const VERSION_1: &[&str] = &[
    "URL",
    "IP-address",
    "Archive-date",
    "Content-type",
    "Archive-length",
];
const VERSION_2: &[&str] = &[
    "URL",
    "IP-address",
    "Archive-date",
    "Content-type",
    "Result-code",
    "Checksum",
    "Location",
    "Offset",
    "Filename",
    "Archive-length",
];

/// The fields of a file's record lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArcVersion {
    /// Versions 1.0 and 1.1: five fields.
    One,
    /// Version 2.0: ten.
    Two,
}

impl ArcVersion {
    /// The version of the file whose first line this is.
    pub(crate) fn of(line: &[u8]) -> ArcVersion {
        let spaces = line.iter().filter(|byte| **byte == b' ').count();
        if spaces + 1 < VERSION_2.len() {
            ArcVersion::One
        } else {
            ArcVersion::Two
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            ArcVersion::One => VERSION_1,
            ArcVersion::Two => VERSION_2,
        }
    }
}

/// Reads a record line, its end included. A URL may have spaces in it, which files do have, unless
/// `strict`: then there are as many spaces as the format says, and a date has fourteen digits.
pub(crate) fn parse(line: Vec<u8>, version: ArcVersion, strict: bool) -> Result<Head, Problem> {
    let bad = |line: &[u8]| Problem::ArcLine(Shown::new(line));
    let text = line.trim_ascii_end();
    let names = version.names();
    let mut values: Vec<&[u8]> = text.rsplitn(names.len(), |byte| *byte == b' ').collect();
    values.reverse();
    let url = values.first().copied().unwrap_or_default();
    if values.len() != names.len() || url.is_empty() {
        return Err(bad(text));
    }
    let fields: Vec<Field> = names
        .iter()
        .zip(&values)
        .map(|(name, value)| Field {
            name: (*name).to_owned(),
            value: value.to_vec(),
        })
        .collect();
    let length = values.last().copied().unwrap_or_default();
    let Some(content_length) = parse_length(length) else {
        return Err(Problem::Value("Archive-length", Shown::new(length)));
    };
    let date = values.get(2).copied().unwrap_or_default();
    let is_date = date.iter().all(u8::is_ascii_digit) && (!strict || date.len() == 14);
    if !is_date {
        return Err(Problem::Value("Archive-date", Shown::new(date)));
    }
    if strict && url.contains(&b' ') {
        return Err(Problem::Value("URL", Shown::new(url)));
    }
    let kind = if url.starts_with(START) {
        RecordKind::ArcHeader
    } else {
        RecordKind::ArcResponse
    };
    Ok(Head {
        bytes: line,
        kind,
        fields,
        content_length,
    })
}

/// A length in decimal digits, as both formats write it.
pub(crate) fn parse_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let one = parse(
            b"http://a/ 1.2.3.4 20140216050221 text/html 15\n".to_vec(),
            ArcVersion::One,
            true,
        );
        let one = one.unwrap();
        assert_eq!(one.kind(), &RecordKind::ArcResponse);
        assert_eq!(one.content_length(), 15);
        assert_eq!(one.timestamp().unwrap(), "20140216050221");
        let line = b"filedesc://x.arc 0.0.0.0 19960923142103 text/plain 200 - - 0 x.arc 122\n";
        assert_eq!(ArcVersion::of(line), ArcVersion::Two);
        let two = parse(line.to_vec(), ArcVersion::Two, true).unwrap();
        assert_eq!(two.kind(), &RecordKind::ArcHeader);
        assert_eq!(two.get_str("filename"), Some("x.arc"));
    }

    #[test]
    fn a_url_with_spaces_is_read_unless_strict() {
        let line = b"http://a/b c 1.2.3.4 20140216050221 text/html 15\n";
        let head = parse(line.to_vec(), ArcVersion::One, false).unwrap();
        assert_eq!(head.target_uri(), Some("http://a/b c"));
        assert!(parse(line.to_vec(), ArcVersion::One, true).is_err());
    }
}
