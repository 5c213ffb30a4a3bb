//! One record as bytes.

use std::fmt;

use crate::digest::Digest;
use crate::error::{BuildError, Shown};
use crate::head::{is_date, is_token};
use crate::kind::RecordKind;

/// The fields that the builder writes itself.
const OWN_FIELDS: [&str; 4] = ["WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length"];
/// Fields whose value is a URI, which has no white space.
const URI_FIELDS: [&str; 3] = [
    "WARC-Target-URI",
    "WARC-Refers-To-Target-URI",
    "WARC-Profile",
];
/// Fields whose value is a date.
const DATE_FIELDS: [&str; 1] = ["WARC-Refers-To-Date"];
/// The only field of the standard that may stand more than once.
const REPEATABLE: &str = "WARC-Concurrent-To";

/// The name of a record, `<urn:uuid:...>`, unique in all files ever (WARC 1.1 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// A name from sixteen bytes that are random, or a digest of something unique. Six of their bits
    /// are set to what a version 4 UUID has there (RFC 9562 section 5.4).
    pub fn from_bytes(mut bytes: [u8; 16]) -> RecordId {
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        RecordId(bytes)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<urn:uuid:")?;
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        f.write_str(">")
    }
}

/// Makes one record of WARC 1.1, uncompressed (see [`crate::Compression::compress`]).
///
/// No value can add a field or end the header: control characters are refused, whatever field they
/// are for. Fields are written in the order in which they are given, behind the type, name and date.
#[derive(Debug, Clone)]
pub struct RecordBuilder {
    head: String,
    names: Vec<String>,
}

impl RecordBuilder {
    /// A record of that kind, name and time. `date` is UTC: `2026-01-02T03:04:05Z`, with a fraction
    /// of one to nine digits if wanted.
    ///
    /// # Errors
    ///
    /// A date of another form, and an unknown kind whose name is no token.
    pub fn new(kind: &RecordKind, id: RecordId, date: &str) -> Result<RecordBuilder, BuildError> {
        let kind = kind.as_str();
        if !is_token(kind.as_bytes()) {
            return Err(bad_value("WARC-Type", kind));
        }
        check_date("WARC-Date", date)?;
        Ok(RecordBuilder {
            head: format!(
                "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: {id}\r\nWARC-Date: {date}\r\n"
            ),
            names: Vec::new(),
        })
    }

    /// Adds a field. White space around the value is left away, as readers do not see it.
    ///
    /// # Errors
    ///
    /// A name that is no token, a value with a control character (line ends above all), a value
    /// without the form of its field, and a field that stands already: only WARC-Concurrent-To may
    /// be repeated, and type, name, date and length are the builder's own.
    pub fn field(mut self, name: &str, value: &str) -> Result<RecordBuilder, BuildError> {
        if !is_token(name.as_bytes()) {
            return Err(BuildError::Name(Shown::new(name.as_bytes())));
        }
        let same = |own: &str| own.eq_ignore_ascii_case(name);
        let stands = OWN_FIELDS.iter().any(|own| same(own))
            || (!same(REPEATABLE) && self.names.iter().any(|own| same(own)));
        if stands {
            return Err(BuildError::Repeated(name.to_owned()));
        }
        let value = clean_value(name, value)?;
        if URI_FIELDS.iter().any(|own| same(own)) && !is_plain_uri(value) {
            return Err(bad_value(name, value));
        }
        if DATE_FIELDS.iter().any(|own| same(own)) {
            check_date(name, value)?;
        }
        self.head.push_str(name);
        self.head.push_str(": ");
        self.head.push_str(value);
        self.head.push_str("\r\n");
        self.names.push(name.to_owned());
        Ok(self)
    }

    /// Adds a field if there is a value for it.
    ///
    /// # Errors
    ///
    /// As [`RecordBuilder::field`].
    pub fn maybe(
        self,
        name: &str,
        value: Option<impl fmt::Display>,
    ) -> Result<RecordBuilder, BuildError> {
        match value {
            Some(value) => self.field(name, &value.to_string()),
            None => Ok(self),
        }
    }

    /// Adds WARC-Block-Digest, computed from the content.
    ///
    /// # Errors
    ///
    /// As [`RecordBuilder::field`].
    pub fn block_digest(self, content: &[u8]) -> Result<RecordBuilder, BuildError> {
        self.field("WARC-Block-Digest", &Digest::of(content).to_string())
    }

    /// The record: header, content, and the two line ends that close it.
    pub fn build(self, content: &[u8]) -> Vec<u8> {
        let length = format!("Content-Length: {}\r\n\r\n", content.len());
        [
            self.head.as_bytes(),
            length.as_bytes(),
            content,
            b"\r\n\r\n",
        ]
        .concat()
    }
}

/// A value without the white space around it, if it has no control character.
pub(crate) fn clean_value<'a>(name: &str, value: &'a str) -> Result<&'a str, BuildError> {
    if value.chars().any(char::is_control) {
        return Err(BuildError::ControlCharacter {
            name: name.to_owned(),
            value: Shown::new(value.as_bytes()),
        });
    }
    Ok(value.trim_matches(' '))
}

/// The whole form, down to the second: a crawler knows when it asked.
fn check_date(name: &str, date: &str) -> Result<(), BuildError> {
    if is_date(date.as_bytes()) && date.len() >= "2026-01-02T03:04:05Z".len() {
        Ok(())
    } else {
        Err(bad_value(name, date))
    }
}

fn is_plain_uri(value: &str) -> bool {
    let is_excluded = |c: char| c.is_whitespace() || matches!(c, '<' | '>');
    value.contains(':') && !value.contains(is_excluded)
}

fn bad_value(name: &str, value: &str) -> BuildError {
    BuildError::Value {
        name: name.to_owned(),
        value: Shown::new(value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> RecordBuilder {
        let id = RecordId::from_bytes([0xff; 16]);
        RecordBuilder::new(&RecordKind::Resource, id, "2026-01-02T03:04:05Z").unwrap()
    }

    #[test]
    fn a_record_has_the_bytes_of_the_standard() {
        let record = builder()
            .field("WARC-Target-URI", "http://example.com/ü")
            .unwrap()
            .build(b"hello");
        let expected = "WARC/1.1\r\nWARC-Type: resource\r\n\
            WARC-Record-ID: <urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff>\r\n\
            WARC-Date: 2026-01-02T03:04:05Z\r\nWARC-Target-URI: http://example.com/ü\r\n\
            Content-Length: 5\r\n\r\nhello\r\n\r\n";
        assert_eq!(String::from_utf8(record).unwrap(), expected);
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_header() {
        for value in [
            "http://a/\r\nWARC-Type: warcinfo",
            "http://a/\nX: y",
            "http://a/\r",
            "http://a/\0",
            "http://a/\u{85}x",
            "http://a/ b",
            "<http://a/>",
            "nothing",
        ] {
            assert!(
                builder().field("WARC-Target-URI", value).is_err(),
                "{value:?}"
            );
        }
        for name in ["", "A:", "A b", "A\r\nB", "Ü"] {
            assert!(builder().field(name, "x").is_err(), "{name:?}");
        }
        for own in ["content-length", "WARC-Type", "WARC-Record-ID", "WARC-Date"] {
            assert!(builder().field(own, "5").is_err(), "{own}");
        }
        for date in [
            "",
            "2026-01-02",
            "2026-01-02T03:04Z",
            "2026-01-02T03:04:05Z\r\nA: b",
        ] {
            let id = RecordId::from_bytes([0; 16]);
            assert!(RecordBuilder::new(&RecordKind::Resource, id, date).is_err());
        }
        let id = RecordId::from_bytes([0; 16]);
        let kind = RecordKind::Unknown("a\r\nb".to_owned());
        assert!(RecordBuilder::new(&kind, id, "2026-01-02T03:04:05Z").is_err());
    }

    #[test]
    fn only_concurrent_to_stands_twice() {
        let twice = |name: &str| builder().field(name, "<urn:a:b>")?.field(name, "<urn:a:c>");
        assert!(twice("WARC-Concurrent-To").is_ok());
        assert_eq!(
            twice("WARC-Refers-To").unwrap_err(),
            BuildError::Repeated("WARC-Refers-To".to_owned())
        );
    }
}
