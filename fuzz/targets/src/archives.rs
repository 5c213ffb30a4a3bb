//! WARC and ARC records and their index: `nephila_warc`.

use nephila_warc::{
    CdxjLine, Compression, ReadOptions, Reader, WarcFields, WholeRecord, http, index, surt, to_cdxj,
};

use crate::choice;

/// The longest content that is held, in bytes.
const CONTENT_BYTES_MAX: u64 = 1 << 20;

/// Reads the bytes as a WARC or ARC file, plain or compressed; an odd first byte has them made one gzip
/// member first.
///
/// Promises: reading ends, with records or an error; what is read strictly is read the same without
/// strictness; the records of a plain file are its bytes again; a record can be read by itself from the
/// place that was told; the index of a file reads back.
pub fn warc_reader(data: &[u8]) {
    let (variant, rest) = choice(data);
    let compressed = (variant % 2 == 1)
        .then(|| Compression::Gzip.compress(rest))
        .and_then(Result::ok);
    let file = compressed.as_deref().unwrap_or(rest);
    let (lenient, is_whole) = records(file, &ReadOptions::default());
    for record in &lenient {
        check_place(file, record);
        if record.head.is_http() {
            check_message(&record.content);
        }
        WarcFields::parse(&record.content);
    }
    let strict = ReadOptions {
        verify_digests: false,
        ..ReadOptions::strict()
    };
    let (strict, _) = records(file, &strict);
    // Without strictness more line ends may belong to the last record.
    let read = |record: &WholeRecord| {
        let WholeRecord { head, content, .. } = record;
        (head.clone(), content.clone(), record.finished.offset)
    };
    let lenient_first = lenient.iter().take(strict.len()).map(read);
    assert!(
        strict.iter().map(read).eq(lenient_first),
        "strictness changes a record"
    );
    let (verified, _) = records(file, &ReadOptions::strict());
    assert!(verified.len() <= strict.len());
    if let Ok(lines) = index(&mut Reader::new(file), "a \"b\".warc") {
        assert!(is_whole && lines.len() <= lenient.len());
        check_index(&lines);
    }
}

/// The records up to the first error, and whether there was none.
fn records(file: &[u8], options: &ReadOptions) -> (Vec<WholeRecord>, bool) {
    let mut reader = Reader::with_options(file, options.clone());
    let mut records = Vec::new();
    for record in reader.whole_records(CONTENT_BYTES_MAX) {
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                assert!(!error.to_string().chars().any(char::is_control), "{error}");
                return (records, false);
            }
        }
    }
    (records, true)
}

/// A record that has a place in the file is there, and can be read by itself.
fn check_place(file: &[u8], record: &WholeRecord) {
    let Some(length) = record.finished.length else {
        return;
    };
    let (start, end) = (record.finished.offset, record.finished.offset + length);
    let bytes = usize::try_from(start)
        .ok()
        .zip(usize::try_from(end).ok())
        .and_then(|(start, end)| file.get(start..end));
    let Some(bytes) = bytes else {
        assert_eq!((start, end), (0, 0), "a record beyond the file");
        return;
    };
    let parts = [
        record.head.as_bytes(),
        &record.content,
        &record.finished.ending,
    ];
    if bytes.starts_with(record.head.as_bytes()) {
        assert_eq!(bytes, parts.concat());
    }
    // How a file of ARC is read follows from its first record.
    if !record.head.is_arc() {
        let (alone, _) = records(bytes, &ReadOptions::default());
        let alone = alone.first().map(|alone| (&alone.head, &alone.content));
        assert_eq!(alone, Some((&record.head, &record.content)));
    }
}

fn check_message(message: &[u8]) {
    let head = http::head_length(message).unwrap_or(message.len());
    assert_eq!(head + http::payload(message).len(), message.len());
    assert!(http::entity(message).len() <= message.len());
    let head = message.get(..head).unwrap_or_default();
    assert!(http::status(head).is_none_or(|status| status < 1_000));
    http::header(head, "content-type");
}

/// An index reads back, line for line.
fn check_index(lines: &[CdxjLine]) {
    let text = to_cdxj(lines);
    let read: Vec<_> = CdxjLine::parse_all(&text).collect();
    let expected: Vec<_> = lines.iter().cloned().map(Ok).collect();
    assert_eq!(read, expected);
}

/// Reads the bytes as an index, and each line of them as a URL to make a key of.
///
/// Promises: a bad line is one error; a good one, written again, reads back the same; a key has no
/// white space.
pub fn cdxj(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for line in CdxjLine::parse_all(&text).flatten() {
        let written = line.to_string();
        assert_eq!(CdxjLine::parse(&written).as_ref(), Ok(&line));
        assert_eq!(to_cdxj(std::slice::from_ref(&line)), written + "\n");
    }
    for url in text.lines() {
        let key = surt(url);
        assert!(!key.contains(char::is_whitespace), "{url:?}: {key:?}");
    }
}
