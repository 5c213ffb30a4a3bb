//! What holds for every record and every sequence of bytes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::io::Read;

use nephila_warc::records::{self, Capture, Original, Truncated};
use nephila_warc::{
    CdxjLine, Check, Compression, Error, ReadOptions, Reader, RecordBuilder, RecordId, RecordKind,
    WarcFields, WholeRecord, http, index, surt, to_cdxj,
};
use proptest::prelude::*;

const CONTENT_BYTES_MAX: u64 = 1024 * 1024;
const DATE: &str = "2026-01-02T03:04:05.123456Z";

fn read(bytes: &[u8], options: ReadOptions) -> Result<Vec<WholeRecord>, Error> {
    Reader::with_options(bytes, options)
        .whole_records(CONTENT_BYTES_MAX)
        .collect()
}

/// A source that gives a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(out.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        out[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fn compression() -> impl Strategy<Value = Compression> {
    prop_oneof![
        Just(Compression::None),
        Just(Compression::Gzip),
        Just(Compression::Zstd)
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        // Content that looks like the frame around it.
        "(\r\n|WARC/1\\.1|Content-Length: 5|\r\n\r\n|x|\n){0,20}".prop_map(String::into_bytes),
        (0..200_000usize).prop_map(|length| vec![b'a'; length]),
    ]
}

/// The records of a small crawl.
fn crawl() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec((0..5u8, any::<[u8; 16]>(), "[!-;=?-~]{0,40}", body()), 1..5)
        .prop_map(|parts| parts.iter().map(record).collect())
}

fn record((kind, id, path, body): &(u8, [u8; 16], String, Vec<u8>)) -> Vec<u8> {
    let id = RecordId::from_bytes(*id);
    let target = format!("http://example.com/{path}");
    let capture = Capture {
        target_uri: &target,
        date: DATE,
        ip: Some("2001:db8::1".parse().unwrap()),
        warcinfo_id: Some(id),
    };
    let mut fields = WarcFields::new();
    fields.add("via", &target).unwrap();
    let message = [b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", body.as_slice()].concat();
    let digest = http::payload_digest(&message);
    let original = Original {
        id: Some(id),
        target_uri: &target,
        date: DATE,
    };
    let made = match kind {
        0 => records::warcinfo(id, DATE, Some("a.warc"), &fields),
        1 => records::request(id, &capture, Some(id), &message),
        2 => records::response(id, &capture, digest, Some(Truncated::Length), &message),
        3 => records::revisit(id, &capture, &original, digest, &message),
        _ => records::metadata(id, &capture, Some(id), &fields),
    };
    made.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is written is read, strictly, from any source, and lies where the reader says.
    #[test]
    fn records_are_read_as_they_were_written(
        records in crawl(),
        compression in compression(),
        at_once in 1..5000usize,
    ) {
        let members: Vec<_> = records.iter().map(|r| compression.compress(r).unwrap()).collect();
        let file = members.concat();
        let mut reader = Reader::with_options(Trickle(&file, at_once), ReadOptions::strict());
        let read: Result<Vec<_>, _> = reader.whole_records(CONTENT_BYTES_MAX).collect();
        let read = read.unwrap();
        prop_assert_eq!(read.len(), records.len());
        let mut offset = 0;
        for ((record, member), whole) in records.iter().zip(&members).zip(&read) {
            let bytes = [whole.head.as_bytes(), &whole.content, &whole.finished.ending].concat();
            prop_assert_eq!(&bytes, record);
            prop_assert_eq!(whole.finished.offset, offset);
            prop_assert_eq!(whole.finished.length, Some(member.len() as u64));
            prop_assert_eq!(whole.finished.block_digest, Check::Matches);
            offset += member.len() as u64;
        }
    }

    /// A file that is cut anywhere gives the records before the cut as they were, and then an error;
    /// or it ends cleanly.
    #[test]
    fn a_cut_file_gives_no_wrong_record(
        records in crawl(),
        compression in compression(),
        at in any::<prop::sample::Index>(),
        strict in any::<bool>(),
    ) {
        let members: Vec<_> = records.iter().map(|r| compression.compress(r).unwrap()).collect();
        let file = members.concat();
        let cut = at.index(file.len());
        let options = ReadOptions { strict, ..ReadOptions::default() };
        let mut reader = Reader::with_options(&file[..cut], options);
        let (mut whole, mut failed) = (0, None);
        for result in reader.whole_records(CONTENT_BYTES_MAX) {
            match result {
                Ok(record) => {
                    let bytes = [record.head.as_bytes(), &record.content].concat();
                    prop_assert!(records[whole].starts_with(&bytes));
                    prop_assert_eq!(bytes.len() + 4, records[whole].len());
                    whole += 1;
                }
                Err(error) => failed = Some(error),
            }
        }
        let ends: Vec<_> = members.iter().scan(0, |end, m| { *end += m.len(); Some(*end) }).collect();
        let before = ends.iter().filter(|end| **end <= cut).count();
        let at_end = cut == 0 || ends.contains(&cut);
        if at_end || strict {
            prop_assert_eq!(whole, before);
            prop_assert_eq!(failed.is_some(), !at_end);
        }
        if let Some(error) = failed {
            let start = if whole == 0 { 0 } else { ends[whole - 1] };
            prop_assert_eq!(error.offset, start as u64);
        }
    }

    /// Bytes of any kind give records or an error.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), start in 0..8usize) {
        let starts: [&[u8]; 8] = [
            b"", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18\x09\0\0\0",
            b"WARC/1.0\r\n", b"filedesc://a 0 1 t ", b"\r\n\r\n",
            b"WARC/1.1\r\nWARC-Type: a\r\nWARC-Date: b\r\nWARC-Record-ID: c\r\nContent-Length: 18446744073709551615\r\n\r\n",
        ];
        let bytes = [starts[start], &bytes].concat();
        for options in [ReadOptions::default(), ReadOptions::strict()] {
            let _ = read(&bytes, options);
        }
        for trusts_lengths in [false, true] {
            let options = ReadOptions { trusts_lengths, ..ReadOptions::default() };
            let _ = index(&mut Reader::with_options(bytes.as_slice(), options), "a");
        }
        let _ = WarcFields::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        for line in CdxjLine::parse_all(&text) {
            let _ = line;
        }
        prop_assert!(!surt(&text).contains(char::is_whitespace));
    }

    /// A byte that changed anywhere in a file is no panic, and under a digest no wrong content.
    #[test]
    fn a_changed_byte_is_survived(
        records in crawl(),
        compression in compression(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut file = Vec::new();
        for record in &records {
            file.extend(compression.compress(record).unwrap());
        }
        let at = at.index(file.len());
        file[at] = byte;
        for record in read(&file, ReadOptions::strict()).unwrap_or_default() {
            prop_assert!(record.content.len() as u64 == record.head.content_length());
        }
        let _ = read(&file, ReadOptions::default());
    }

    /// Whatever a value holds, a header has the fields that were given and no other.
    #[test]
    fn a_value_is_one_value(name in "\\PC{0,12}|[A-Za-z-]{1,12}", value in any::<String>()) {
        let id = RecordId::from_bytes([7; 16]);
        let builder = RecordBuilder::new(&RecordKind::Metadata, id, DATE).unwrap();
        if let Ok(builder) = builder.field(&name, &value) {
            let record = builder.build(b"content");
            let read = read(&record, ReadOptions::strict()).unwrap();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].head.fields().len(), 5);
            prop_assert_eq!(read[0].head.get_str(&name), Some(value.trim()));
        }
    }

    /// An index is the same whether the records are read to their ends or passed over.
    #[test]
    fn an_index_needs_only_the_heads(records in crawl(), compression in compression()) {
        let mut file = Vec::new();
        for record in &records {
            file.extend(compression.compress(record).unwrap());
        }
        let lines = |trusts_lengths| {
            let options = ReadOptions { trusts_lengths, ..ReadOptions::default() };
            index(&mut Reader::with_options(file.as_slice(), options), "a").unwrap()
        };
        prop_assert_eq!(lines(true), lines(false));
    }

    /// A line of an index is read as it was written, and lines are in the order of their bytes.
    #[test]
    fn index_lines_are_read_as_they_were_written(records in crawl(), filename in "\\PC{0,20}") {
        let file = records.concat();
        let lines = index(&mut Reader::new(file.as_slice()), &filename).unwrap();
        let text = to_cdxj(&lines);
        let read: Result<Vec<_>, _> = CdxjLine::parse_all(&text).collect();
        prop_assert_eq!(read.unwrap(), lines);
        let sorted = text.lines().zip(text.lines().skip(1)).all(|(a, b)| a <= b);
        prop_assert!(sorted);
    }
}
