//! Each thing that can be wrong with a record is found, said, and placed.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use nephila_warc::{Check, Compression, Digest, ReadOptions, Reader, WholeRecord};

const FIRST: &str = "WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n\
    WARC-Record-ID: <urn:a:b>\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n";
const HTTP: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

/// What a second record is made of, in order to spoil one part.
struct Parts {
    version: &'static str,
    fields: String,
    length: String,
    content: String,
    ending: &'static str,
}

impl Parts {
    fn well() -> Parts {
        Parts {
            version: "WARC/1.1\r\n",
            fields: "WARC-Type: response\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n\
                WARC-Record-ID: <urn:a:c>\r\nWARC-Target-URI: http://example.com/\r\n\
                Content-Type: application/http; msgtype=response\r\n"
                .to_owned(),
            length: format!("Content-Length: {}\r\n", HTTP.len()),
            content: HTTP.to_owned(),
            ending: "\r\n\r\n",
        }
    }

    fn record(&self) -> String {
        let Parts {
            version,
            fields,
            length,
            content,
            ending,
        } = self;
        format!("{version}{fields}{length}\r\n{content}{ending}")
    }

    fn without(mut self, name: &str) -> Parts {
        let lines = self.fields.split_inclusive('\n');
        self.fields = lines.filter(|line| !line.starts_with(name)).collect();
        self
    }

    fn with(mut self, line: &str) -> Parts {
        self.fields.push_str(line);
        self.fields.push_str("\r\n");
        self
    }
}

fn options(strict: bool) -> ReadOptions {
    ReadOptions {
        strict,
        verify_digests: true,
        ..ReadOptions::default()
    }
}

fn read(bytes: &[u8], strict: bool) -> Result<Vec<WholeRecord>, nephila_warc::Error> {
    Reader::with_options(bytes, options(strict))
        .whole_records(1024)
        .collect()
}

/// Reads the record behind a good one, plain and compressed: the message, which has to be the same,
/// with the right offset.
fn verdict(record: &str, strict: bool) -> Option<String> {
    let verdicts = [Compression::None, Compression::Gzip, Compression::Zstd].map(|compression| {
        let mut file = compression.compress(FIRST.as_bytes()).unwrap();
        let offset = file.len() as u64;
        file.extend(compression.compress(record.as_bytes()).unwrap());
        read(&file, strict).err().map(|error| {
            assert_eq!(error.offset, offset, "{error}");
            error.problem.to_string()
        })
    });
    assert_eq!(verdicts[1], verdicts[2]);
    verdicts[0].clone()
}

/// Refused by every reader.
fn assert_refused(parts: &Parts, message: &str) {
    for strict in [false, true] {
        let found = verdict(&parts.record(), strict).unwrap_or_default();
        assert!(found.contains(message), "{message}: {found}");
    }
}

/// Refused by a strict reader only.
fn assert_refused_strictly(parts: &Parts, message: &str) {
    let found = verdict(&parts.record(), true).unwrap_or_default();
    assert!(found.contains(message), "{message}: {found}");
    assert_eq!(verdict(&parts.record(), false), None);
}

#[test]
fn a_record_that_is_well_is_read() {
    for strict in [false, true] {
        assert_eq!(verdict(&Parts::well().record(), strict), None);
    }
}

#[test]
fn headers_that_nobody_can_read_are_refused() {
    let well = Parts::well;
    for version in ["WARC1.1\r\n", "WARC/x.y\r\n", "WARC/1\r\n", "HTTP/1.1\r\n"] {
        assert_refused(&Parts { version, ..well() }, "no WARC version line");
    }
    assert_refused(&well().without("WARC-Type"), "no WARC-Type");
    assert_refused(&well().without("WARC-Date"), "no WARC-Date");
    assert_refused(&well().without("WARC-Record-ID"), "no WARC-Record-ID");
    assert_refused(&well().with("nothing"), "bad header line");
    assert_refused(&well().with(": nothing"), "bad header line");
    assert_refused(
        &well().with("content-length: 5"),
        "Content-Length stands twice",
    );
    let long = format!("A: {}", "x".repeat(70_000));
    assert_refused(&well().with(&long), "line is longer than 65536 bytes");
    let half = format!("A: {}", "x".repeat(60_000));
    let many = (0..20).fold(well(), |parts, _| parts.with(&half));
    assert_refused(&many, "headers are longer than 1048576 bytes");
    let many = (0..1100).fold(well(), |parts, _| parts.with("A: b"));
    assert_refused(&many, "more than 1024 header fields");
    for (length, message) in [
        ("", "no Content-Length"),
        ("Content-Length: \r\n", "bad Content-Length"),
        ("Content-Length: -1\r\n", "bad Content-Length"),
        ("Content-Length: +5\r\n", "bad Content-Length"),
        ("Content-Length: 5, 5\r\n", "bad Content-Length"),
        (
            "Content-Length: 99999999999999999999\r\n",
            "bad Content-Length",
        ),
        ("Content-Length: 5000\r\n", "longer than 1024 bytes"),
    ] {
        let length = length.to_owned();
        assert_refused(&Parts { length, ..well() }, message);
    }
}

#[test]
fn what_differs_from_the_standard_is_refused_strictly() {
    let well = Parts::well;
    for version in ["WARC/0.18\r\n", "WARC/2.0\r\n", "WARC/1.1\n"] {
        assert_refused_strictly(&Parts { version, ..well() }, "no WARC version line");
    }
    assert_refused_strictly(&well().with("A: b\nC: d"), "bad header line");
    assert_refused_strictly(&well().with("A : b"), "bad header line");
    assert_refused_strictly(&well().with("A: b\rc"), "bad header line");
    assert_refused_strictly(&well().with("WARC-Type: request"), "stands twice");
    assert_refused_strictly(&well().without("WARC-Target-URI"), "no WARC-Target-URI");
    let replaced = |name: &str, value: &str| {
        Parts::well()
            .without(name)
            .with(&format!("{name}: {value}"))
    };
    assert_refused_strictly(&replaced("WARC-Date", "today"), "bad WARC-Date");
    assert_refused_strictly(&replaced("WARC-Record-ID", "urn:a:c"), "bad WARC-Record-ID");
    assert_refused_strictly(
        &replaced("WARC-Target-URI", "http://a/ b"),
        "bad WARC-Target-URI",
    );
    assert_refused_strictly(&replaced("WARC-Type", "revisit"), "no WARC-Profile");
    for ending in ["\n\n", "\r\n", "\n"] {
        let parts = Parts { ending, ..well() };
        assert_refused_strictly(&parts, "not followed by the end");
    }
    // What stands behind a record is the next one.
    let ending = "\r\n\r\n\r\n";
    let long = Parts { ending, ..well() }.record();
    assert!(read(long.as_bytes(), true).is_err());
    assert_eq!(verdict(&long, false), None);
    assert_refused(
        &Parts {
            ending: "",
            ..well()
        },
        "not followed by the end",
    );
    assert_refused(
        &Parts {
            ending: "x\r\n\r\n",
            ..well()
        },
        "not followed by the end",
    );
}

#[test]
fn members_hold_one_record_each() {
    let two = format!("{FIRST}{}", Parts::well().record());
    for compression in [Compression::Gzip, Compression::Zstd] {
        let file = compression.compress(two.as_bytes()).unwrap();
        let error = read(&file, true).unwrap_err();
        assert_eq!(error.offset, 0);
        assert!(error.to_string().contains("goes on behind"), "{error}");
        let records = read(&file, false).unwrap();
        let lengths: Vec<_> = records
            .iter()
            .map(|record| record.finished.length)
            .collect();
        assert_eq!(lengths, [None, None]);

        let one = compression.compress(FIRST.as_bytes()).unwrap();
        let nothing = compression.compress(b"").unwrap();
        let with_nothing = [one.as_slice(), &nothing, &one].concat();
        assert_eq!(read(&with_nothing, false).unwrap().len(), 2);
        let error = read(&with_nothing, true).unwrap_err();
        assert_eq!(error.offset, one.len() as u64);
        assert!(error.to_string().contains("is empty"), "{error}");

        let with_more = [one.as_slice(), b"more than nothing"].concat();
        let error = read(&with_more, false).unwrap_err();
        assert_eq!(error.offset, one.len() as u64);
        assert!(error.to_string().contains("follows the last"), "{error}");
    }
}

#[test]
fn frames_between_records_are_passed_over_and_a_dictionary_is_used() {
    let skippable = |magic: u32, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap();
        [&magic.to_le_bytes(), &length.to_le_bytes(), content].concat()
    };
    let dictionary = FIRST.repeat(40);
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary.as_bytes()).unwrap();
    let frame = compressor.compress(FIRST.as_bytes()).unwrap();
    let plain = Compression::Zstd.compress(dictionary.as_bytes()).unwrap();
    for stored in [dictionary.as_bytes(), &plain] {
        let first = skippable(0x184d_2a5d, stored);
        let between = skippable(0x184d_2a53, b"anything");
        let file = [first.as_slice(), &frame, &between, &frame].concat();
        let records = read(&file, true).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].finished.offset, first.len() as u64);
        assert_eq!(records[0].finished.length, Some(frame.len() as u64));
    }
    assert!(read(&frame, true).is_err(), "the dictionary was not needed");
}

#[test]
fn digests_are_those_of_block_and_payload() {
    let with = |name: &str, bytes: &str| {
        let digest = Digest::of(bytes.as_bytes());
        Parts::well().with(&format!("{name}: {digest}"))
    };
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    for parts in [
        with("WARC-Block-Digest", HTTP),
        with("WARC-Payload-Digest", chunks),
        with("WARC-Payload-Digest", "hello"),
    ] {
        assert_eq!(verdict(&parts.record(), true), None);
    }
    assert_refused(&with("WARC-Block-Digest", "hello"), "WARC-Block-Digest is");
    assert_refused(&with("WARC-Payload-Digest", HTTP), "WARC-Payload-Digest is");
    assert_refused(&with("WARC-Payload-Digest", ""), "WARC-Payload-Digest is");
    let bad = Parts::well().with("WARC-Block-Digest: sha1:nonsense");
    assert_refused(&bad, "bad WARC-Block-Digest");

    let parts = with("WARC-Payload-Digest", "hello").with("WARC-Block-Digest: md5:0123");
    let records = read(parts.record().as_bytes(), true).unwrap();
    assert_eq!(records[0].finished.block_digest, Check::Unknown);
    assert_eq!(records[0].finished.payload_digest, Check::Matches);
}
