//! From bytes to records: lines, comments, names and values (RFC 9309 2.2).

use crate::MAXIMUM_PARSED_BYTES;
use crate::directive::Directive;

/// Longest line that is read, in bytes; the rest of a longer line is dropped. The bound is Google's:
/// eight times the longest URL that browsers take.
pub const MAXIMUM_LINE_BYTES: usize = 8 * 2083 - 1;

/// One line that has a name and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Line in the file, from 1.
    pub(crate) line: u32,
    pub(crate) directive: Directive,
    /// Without white space around it and without its comment; may be empty.
    pub(crate) value: &'a [u8],
}

/// The records of a file in order. Takes LF, CR and CRLF as line ends, drops a byte order mark (also a
/// torn one), and passes over lines that are none.
pub(crate) struct Records<'a> {
    /// What is left; `None` after the last line.
    rest: Option<&'a [u8]>,
    line: u32,
}

impl<'a> Records<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Records<'a> {
        Records {
            rest: Some(without_byte_order_mark(within_bound(bytes))),
            line: 0,
        }
    }

    fn next_line(&mut self) -> Option<&'a [u8]> {
        let bytes = self.rest?;
        self.line += 1;
        let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
            self.rest = None;
            return Some(bytes);
        };
        let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        let ending = if rest.starts_with(b"\r\n") { 2 } else { 1 };
        self.rest = rest.get(ending..);
        Some(line)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            let line = self.next_line()?;
            if let Some((name, value)) = name_and_value(line) {
                let directive = Directive::from_name(name);
                return Some(Record {
                    line: self.line,
                    directive,
                    value,
                });
            }
        }
    }
}

/// The part of a file that is looked at: whole lines only when it is too long, because half a rule may
/// refuse what the whole rule allows.
fn within_bound(bytes: &[u8]) -> &[u8] {
    match bytes.get(..MAXIMUM_PARSED_BYTES) {
        Some(head) if bytes.len() > MAXIMUM_PARSED_BYTES => {
            let end = memchr::memrchr2(b'\n', b'\r', head).unwrap_or(0);
            head.get(..end).unwrap_or_default()
        }
        _ => bytes,
    }
}

fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    let present = bytes
        .iter()
        .zip(b"\xEF\xBB\xBF")
        .take_while(|(a, b)| a == b)
        .count();
    bytes.get(present..).unwrap_or_default()
}

/// Splits a line at its first colon. Without a colon, white space takes its place if the line has
/// exactly two words: sites that forget the colon are frequent, prose is longer.
fn name_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.get(..MAXIMUM_LINE_BYTES).unwrap_or(line);
    // A comment ends the line, and so does NUL: UTF-16 and binary files give no rules by accident.
    let end = memchr::memchr2(b'#', 0, line).unwrap_or(line.len());
    let line = trim(line.get(..end).unwrap_or_default());
    let (name, value) = match memchr::memchr(b':', line) {
        Some(colon) => split_around(line, colon),
        None => {
            let (name, value) = split_around(line, memchr::memchr2(b' ', b'\t', line)?);
            let value = trim(value);
            if memchr::memchr2(b' ', b'\t', value).is_some() {
                return None;
            }
            (name, value)
        }
    };
    let name = trim(name);
    (!name.is_empty()).then(|| (name, trim(value)))
}

fn split_around(line: &[u8], at: usize) -> (&[u8], &[u8]) {
    (
        line.get(..at).unwrap_or_default(),
        line.get(at + 1..).unwrap_or_default(),
    )
}

/// Without ASCII white space at both ends. Vertical tab counts, as in C's `isspace`.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    let is_space = |octet: u8| octet.is_ascii_whitespace() || octet == 0x0B;
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora;

    fn records(text: &str) -> Vec<(u32, Directive, String)> {
        let text_of = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let records = Records::new(text.as_bytes());
        records
            .map(|record| (record.line, record.directive, text_of(record.value)))
            .collect()
    }

    #[test]
    fn comments_and_white_space_are_dropped() {
        let text = "# all\n\t Allow :\u{b} /a b\u{c} # why\nDisallow:#/\n:\n: /a\nprose\n";
        let expected = [
            (2, Directive::Allow, "/a b".to_owned()),
            (3, Directive::Disallow, String::new()),
        ];
        assert_eq!(records(text), expected);
    }

    #[test]
    fn a_missing_colon_is_supplied_between_two_words_only() {
        let expected = [(1, Directive::Disallow, "/a".to_owned())];
        assert_eq!(
            records("Disallow \t/a\nAllow me to explain\nDisallow\n"),
            expected
        );
    }

    #[test]
    fn nul_ends_a_line() {
        assert_eq!(
            records("Allow: /a\0b\n"),
            [(1, Directive::Allow, "/a".to_owned())]
        );
        assert_eq!(records("A\0l\0l\0o\0w\0:\0/\0"), []);
    }

    #[test]
    fn a_huge_line_is_cut() {
        let text = format!(
            "Allow: /{}\nDisallow: /",
            "a".repeat(10 * MAXIMUM_LINE_BYTES)
        );
        let records = records(&text);
        assert_eq!(records[0].2.len(), MAXIMUM_LINE_BYTES - "Allow: ".len());
        assert_eq!(records[1], (2, Directive::Disallow, "/".to_owned()));
    }

    #[test]
    fn a_huge_file_is_cut_at_a_line_end() {
        let mut text = "Disallow: /a\n".repeat(MAXIMUM_PARSED_BYTES / 13);
        let whole = Records::new(text.as_bytes()).count();
        text.push_str("Disallow: /private\n");
        assert!(text.len() > MAXIMUM_PARSED_BYTES);
        assert_eq!(Records::new(text.as_bytes()).count(), whole);
        assert_eq!(
            Records::new(&vec![b'a'; MAXIMUM_PARSED_BYTES + 1]).count(),
            0
        );
    }

    /// The line ends, byte order marks and sitemaps of google/robotstxt's test.
    #[test]
    fn lines_are_read_as_google_reads_them() {
        let Some(folder) = corpora::folder("google-robots_test") else {
            return;
        };
        let cases = corpora::cases(&folder.join("parse.json"));
        assert_eq!(cases.len(), 12);
        for case in &cases {
            let bytes = corpora::bytes(case, "robots");
            let records: Vec<Record> = Records::new(&bytes).collect();
            let (unknown, known): (Vec<&Record>, Vec<&Record>) = records
                .iter()
                .partition(|record| record.directive == Directive::Unknown);
            let counts = [
                ("valid_directives", known.len()),
                ("unknown_directives", unknown.len()),
                ("last_line", known.last().unwrap().line as usize),
            ];
            for (key, count) in counts {
                if let Some(expected) = case[key].as_u64() {
                    assert_eq!(count as u64, expected, "{} {key}", case["id"]);
                }
            }
            let sitemaps = known
                .iter()
                .filter(|record| record.directive == Directive::Sitemap);
            let sitemaps: Vec<_> = sitemaps
                .map(|record| str::from_utf8(record.value).unwrap())
                .collect();
            if let Some(expected) = case["sitemaps"].as_array() {
                assert_eq!(&sitemaps, expected, "{}", case["id"]);
            }
        }
    }
}
