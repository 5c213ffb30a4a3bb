//! The headers of a record: named fields in their order.

use crate::kind::RecordKind;

/// One named field of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as written; case counts for nothing when it is looked up.
    pub name: String,
    /// The value without the white space around it; a value that was folded over several lines has
    /// one space for each fold. UTF-8 by the standard, but files hold what they hold.
    pub value: Vec<u8>,
}

/// The headers of a record as they were read.
///
/// Keeps the order of the fields and, so that a record can be written again byte for byte, the bytes
/// that they were read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: RecordKind,
    pub(crate) fields: Vec<Field>,
    pub(crate) content_length: u64,
}

impl Head {
    /// What the record is.
    pub fn kind(&self) -> &RecordKind {
        &self.kind
    }

    /// Bytes of content, as the header says.
    pub fn content_length(&self) -> u64 {
        self.content_length
    }

    /// The header as it stood in the (decompressed) file, from the version line to the empty line;
    /// for a record of an ARC file its line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first line without its end: `WARC/1.1`, or the whole line of an ARC record.
    pub fn first_line(&self) -> &[u8] {
        let line = self.bytes.split(|byte| *byte == b'\n').next();
        line.unwrap_or_default().trim_ascii_end()
    }

    /// The fields in their order. Those of an ARC record have the names that the ARC file format
    /// gives them: URL, IP-address, Archive-date, Content-type, Archive-length and, in version 2,
    /// Result-code, Checksum, Location, Offset, Filename.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of the first field of that name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let field = self
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| field.value.as_slice())
    }

    /// [`Head::get`] where the value is UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// Whether the record is one of an ARC file.
    pub fn is_arc(&self) -> bool {
        matches!(self.kind, RecordKind::ArcHeader | RecordKind::ArcResponse)
    }

    /// What the record is about. The angle brackets that the grammar of WARC 1.0 has around a URI,
    /// and that some writers wrote, are taken off.
    pub fn target_uri(&self) -> Option<&str> {
        let name = if self.is_arc() {
            "URL"
        } else {
            "WARC-Target-URI"
        };
        let uri = self.get_str(name)?;
        let inner = uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>'));
        Some(inner.unwrap_or(uri))
    }

    /// The time as fourteen digits, `YYYYMMDDhhmmss`: WARC-Date without its punctuation and fraction,
    /// or an ARC record's Archive-date. A shorter date is filled up to its first moment. `None` where
    /// it is no date.
    pub fn timestamp(&self) -> Option<String> {
        let arc = self.is_arc();
        let date = self.get_str(if arc { "Archive-date" } else { "WARC-Date" })?;
        let whole = date.split('.').next()?;
        let mut digits: String = whole.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < 4 || (!arc && !whole.starts_with(|c: char| c.is_ascii_digit())) {
            return None;
        }
        digits.truncate(14);
        let first_moment = "00000101000000";
        digits.push_str(first_moment.get(digits.len()..)?);
        Some(digits)
    }

    /// Whether the content is an HTTP message: a request or response whose Content-Type is
    /// `application/http`, or a response in an ARC file for an http URL.
    pub fn is_http(&self) -> bool {
        let of = |scheme: &str| {
            let start = self.target_uri().and_then(|uri| uri.get(..scheme.len()));
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        match self.kind {
            RecordKind::ArcResponse => of("http:") || of("https:"),
            RecordKind::Request | RecordKind::Response | RecordKind::Revisit => {
                let media_type = self.get("Content-Type").unwrap_or_default();
                let media_type = media_type.split(|byte| *byte == b';').next();
                let media_type = media_type.unwrap_or_default().trim_ascii();
                media_type.eq_ignore_ascii_case(b"application/http")
            }
            _ => false,
        }
    }
}

/// Whether `name` is a token (RFC 9110 section 5.6.2), as the name of a field must be.
pub(crate) fn is_token(name: &[u8]) -> bool {
    let is_token_byte = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !name.is_empty() && name.iter().all(is_token_byte)
}

/// Whether `date` has the form of a WARC-Date: the forms of W3CDTF in UTC, with a fraction of one to
/// nine digits (WARC 1.1 section 5.4). Only the form and the range of each number are looked at.
pub(crate) fn is_date(date: &[u8]) -> bool {
    let Ok(date) = std::str::from_utf8(date) else {
        return false;
    };
    let in_range = |text: &str, (length, low, high): (usize, u32, u32)| {
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse().is_ok_and(|n: u32| (low..=high).contains(&n))
    };
    let all_in_range = |texts: &[&str], ranges: &[(usize, u32, u32)]| {
        texts.len() <= ranges.len() && texts.iter().zip(ranges).all(|(text, r)| in_range(text, *r))
    };
    const DAY: [(usize, u32, u32); 3] = [(4, 0, 9999), (2, 1, 12), (2, 1, 31)];
    const TIME: [(usize, u32, u32); 3] = [(2, 0, 23), (2, 0, 59), (2, 0, 60)];
    let Some((day, time)) = date.split_once('T') else {
        return all_in_range(&date.split('-').collect::<Vec<_>>(), &DAY);
    };
    let day: Vec<_> = day.split('-').collect();
    let Some(time) = time.strip_suffix('Z') else {
        return false;
    };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let time: Vec<_> = time.split(':').collect();
    let fraction_is_well = fraction.is_none_or(|digits| {
        time.len() == 3
            && (1..=9).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
    });
    day.len() == 3
        && all_in_range(&day, &DAY)
        && time.len() >= 2
        && all_in_range(&time, &TIME)
        && fraction_is_well
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_forms_of_the_standard() {
        for good in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.123456789Z",
            "2026-01-02T03:04Z",
            "2026-01-02",
            "2026-01",
            "2026",
        ] {
            assert!(is_date(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "2008-10-294T05:21:46-0700",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.1234567890Z",
            "2026-01-02T03:04.5Z",
            "2026-13-02T03:04:05Z",
            "2026-01T03:04:05Z",
            "2026-01-02T03Z",
            "26-01-02",
            "+026-01-02",
            "2026-01-02-03",
        ] {
            assert!(!is_date(bad.as_bytes()), "{bad}");
        }
    }
}
