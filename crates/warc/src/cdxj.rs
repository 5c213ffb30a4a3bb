//! CDXJ: the index of records by URL and time, one a line.
//!
//! Source: the CDXJ format of pywb ("CDXJ Index", its documentation) and of the web archive tools
//! that read it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Shown;

/// One line of an index: `com,example)/ 20260102030405 {"url": ...}`.
///
/// The order of lines is that of their bytes, which is by key and then by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdxjLine {
    /// The SURT key of the URL ([`crate::surt`]): no white space.
    pub key: String,
    /// The time, `YYYYMMDDhhmmss`.
    pub timestamp: String,
    /// What was captured, and where it lies.
    pub capture: CdxjCapture,
}

/// The JSON part of a line. Keys that are not among these are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CdxjCapture {
    /// The URL as it was asked for.
    pub url: String,
    /// The media type in lower case, without parameters; `warc/revisit` for a revisit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The HTTP status.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_number_as_text"
    )]
    pub status: Option<u64>,
    /// The payload's digest: base32 of SHA-1, without the algorithm's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Bytes of the record in its file.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_number_as_text"
    )]
    pub length: Option<u64>,
    /// The record's first byte in its file.
    #[serde(with = "number_as_text")]
    pub offset: u64,
    /// The file.
    pub filename: String,
}

/// A line that is not of an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CdxjError {
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
}

impl CdxjLine {
    /// Reads a line without its end.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<CdxjLine, String> {
        let shown = || Shown::new(line.as_bytes());
        let mut parts = line.splitn(3, ' ');
        let (Some(key), Some(timestamp), Some(json)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(format!("not a key, a timestamp and JSON: {}", shown()));
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(format!("bad key: {}", shown()));
        }
        if timestamp.len() != 14 || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "bad timestamp: {}",
                Shown::new(timestamp.as_bytes())
            ));
        }
        let capture = serde_json::from_str(json).map_err(|error| {
            let message = error.to_string();
            format!("bad JSON: {}", Shown::new(message.as_bytes()))
        })?;
        Ok(CdxjLine {
            key: key.to_owned(),
            timestamp: timestamp.to_owned(),
            capture,
        })
    }

    /// Reads an index, line by line; empty lines and lines that begin with `!` (headers) are passed
    /// over. Never ends early: each bad line is one error with its number.
    pub fn parse_all(text: &str) -> impl Iterator<Item = Result<CdxjLine, CdxjError>> {
        let lines = text.lines().zip(1..);
        let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('!'));
        lines.map(|(text, line)| {
            CdxjLine::parse(text).map_err(|problem| CdxjError { line, problem })
        })
    }
}

impl fmt::Display for CdxjLine {
    /// The line without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(&self.capture).map_err(|_| fmt::Error)?;
        write!(f, "{} {} {json}", self.key, self.timestamp)
    }
}

/// The lines as a file has them: sorted by their bytes, each with its end.
pub fn to_cdxj(lines: &[CdxjLine]) -> String {
    let mut lines: Vec<_> = lines.iter().map(CdxjLine::to_string).collect();
    lines.sort_unstable();
    let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in &lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Numbers are written as text; read as either.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Number(u64),
    Text(String),
}

impl TextOrNumber {
    fn number<E: serde::de::Error>(self) -> Result<u64, E> {
        match self {
            TextOrNumber::Number(number) => Ok(number),
            TextOrNumber::Text(text) => text.parse().map_err(E::custom),
        }
    }
}

mod number_as_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<u64, D::Error> {
        TextOrNumber::deserialize(source)?.number()
    }
}

mod optional_number_as_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        number: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => serializer.collect_str(number),
            None => serializer.serialize_none(),
        }
    }

    /// What is no number (some writers have `-`) is none.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<u64>, D::Error> {
        let value = Option::<TextOrNumber>::deserialize(source)?;
        Ok(value.and_then(|value| value.number::<D::Error>().ok()))
    }
}
