//! From the lines of a header to its fields.

use std::collections::HashSet;

use crate::arc::parse_length;
use crate::error::{Problem, Shown};
use crate::head::{Field, Head, is_date, is_token};
use crate::kind::RecordKind;
use crate::options::ReadOptions;

/// The only field of the standard that may stand more than once (WARC 1.1 section 5.7).
const REPEATABLE: &str = "WARC-Concurrent-To";

/// Whether a first line is a version of WARC: `WARC/` and two numbers. Strictly one of the standard's
/// two editions; else drafts and editions to come are read too.
pub(crate) fn check_version(line: &[u8], strict: bool) -> Result<(), Problem> {
    let text = line.trim_ascii_end();
    let is_number = |n: &[u8]| (1..=4).contains(&n.len()) && n.iter().all(u8::is_ascii_digit);
    let well = text.strip_prefix(b"WARC/").is_some_and(|version| {
        let mut numbers = version.splitn(2, |byte| *byte == b'.');
        numbers.next().is_some_and(is_number) && numbers.next().is_some_and(is_number)
    });
    let strictly = matches!(line, b"WARC/1.0\r\n" | b"WARC/1.1\r\n");
    if if strict { strictly } else { well } {
        Ok(())
    } else {
        Err(Problem::Version(Shown::new(text)))
    }
}

/// The fields of a header while its lines come.
#[derive(Default)]
pub(crate) struct FieldLines {
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

impl FieldLines {
    /// Starts with the version line.
    pub(crate) fn new(version_line: Vec<u8>) -> FieldLines {
        FieldLines {
            bytes: version_line,
            fields: Vec::new(),
        }
    }

    /// Takes a line with its end; `true` if it was the empty one that ends the header.
    pub(crate) fn push(&mut self, line: &[u8], options: &ReadOptions) -> Result<bool, Problem> {
        let bad = || Problem::FieldLine(Shown::new(line));
        if self.bytes.len() + line.len() > options.max_head_bytes {
            return Err(Problem::LongHead(options.max_head_bytes));
        }
        self.bytes.extend_from_slice(line);
        let text = line.strip_suffix(b"\n").ok_or_else(bad)?;
        let text = match text.strip_suffix(b"\r") {
            Some(text) => text,
            None if options.strict => return Err(bad()),
            None => text,
        };
        if text.is_empty() {
            return Ok(true);
        }
        if options.strict
            && text
                .iter()
                .any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
        {
            return Err(bad());
        }
        if text.starts_with(b" ") || text.starts_with(b"\t") {
            let folded = self.fields.last_mut().ok_or_else(bad)?;
            folded.value.push(b' ');
            folded.value.extend_from_slice(text.trim_ascii());
            return Ok(false);
        }
        let colon = memchr::memchr(b':', text).ok_or_else(bad)?;
        let (name, value) = text.split_at_checked(colon).ok_or_else(bad)?;
        let name = if options.strict {
            name
        } else {
            name.trim_ascii_end()
        };
        if !is_token(name) {
            return Err(bad());
        }
        if self.fields.len() >= options.max_fields {
            return Err(Problem::ManyFields(options.max_fields));
        }
        self.fields.push(Field {
            name: String::from_utf8_lossy(name).into_owned(),
            value: value.get(1..).unwrap_or_default().trim_ascii().to_vec(),
        });
        Ok(false)
    }

    /// The header, if it has what every record must have (WARC 1.1 section 5).
    pub(crate) fn finish(self, options: &ReadOptions) -> Result<Head, Problem> {
        let mut head = Head {
            bytes: self.bytes,
            kind: RecordKind::Unknown(String::new()),
            fields: self.fields,
            content_length: 0,
        };
        let length = head.get("Content-Length");
        let length = length.ok_or(Problem::Missing("Content-Length"))?;
        head.content_length = parse_length(length)
            .ok_or_else(|| Problem::Value("Content-Length", Shown::new(length)))?;
        let lengths = head
            .fields
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case("Content-Length"));
        if lengths.count() > 1 {
            return Err(Problem::Repeated("Content-Length".to_owned()));
        }
        for name in ["WARC-Type", "WARC-Record-ID", "WARC-Date"] {
            if head.get(name).is_none_or(<[u8]>::is_empty) {
                return Err(Problem::Missing(name));
            }
        }
        let kind = head.get("WARC-Type").unwrap_or_default();
        head.kind = RecordKind::from_warc_type(&String::from_utf8_lossy(kind));
        if options.strict {
            check_strictly(&head)?;
        }
        Ok(head)
    }
}

/// What the standard says of fields beyond those without which a record cannot be read.
fn check_strictly(head: &Head) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for field in head.fields() {
        if !seen.insert(field.name.to_ascii_lowercase())
            && !field.name.eq_ignore_ascii_case(REPEATABLE)
        {
            return Err(Problem::Repeated(field.name.clone()));
        }
    }
    let check = |name: &'static str, is_well: fn(&[u8]) -> bool| match head.get(name) {
        Some(value) if !is_well(value) => Err(Problem::Value(name, Shown::new(value))),
        _ => Ok(()),
    };
    check("WARC-Date", is_date)?;
    check("WARC-Record-ID", is_bracketed_uri)?;
    check("WARC-Target-URI", is_uri)?;
    if head.kind().needs_target() && head.get("WARC-Target-URI").is_none() {
        return Err(Problem::Missing("WARC-Target-URI"));
    }
    if *head.kind() == RecordKind::Revisit && head.get("WARC-Profile").is_none() {
        return Err(Problem::Missing("WARC-Profile"));
    }
    Ok(())
}

fn is_bracketed_uri(value: &[u8]) -> bool {
    let inner = value.strip_prefix(b"<").and_then(|v| v.strip_suffix(b">"));
    inner.is_some_and(is_uri)
}

/// A scheme, a colon and no white space. (The brackets of the grammar of WARC 1.0 are let pass.)
fn is_uri(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"<").unwrap_or(value);
    let scheme = value.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_scheme_byte = |b: &u8| b.is_ascii_alphanumeric() || b"+-.".contains(b);
    scheme.len() < value.len()
        && scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(is_scheme_byte)
        && !value.iter().any(|b| b.is_ascii_whitespace())
}
