//! Files of other tools: WARC and ARC files that are well, and ones that are not. Read from
//! `$NEPHILA_CORPORA` (else `../shared/corpora` beside the project); skipped where they are missing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may fail, and reads files"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use nephila_warc::{Error, ReadOptions, Reader, WholeRecord, index};

const CONTENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Where the first bad record of each file begins, and a part of what is said of it.
const REFUSED: &[(&str, u64, &str)] = &[
    ("resiliparse-clipped.warc.gz", 0, "ends within the content"),
    // A draft of the format, with dates of no form and payload digests that are the block's.
    ("resiliparse-clueweb-quirk.warc.gz", 0, "WARC/0.18"),
    ("warcio-bad.arc", 0, "Archive-length"),
    // One gzip member over six records.
    (
        "warcio-example-bad-non-chunked.warc.gz",
        0,
        "goes on behind",
    ),
    ("warcio-example-bad.warc.gz.bad", 0, "goes on behind"),
    ("warcio-example-digest.warc", 0, "WARC-Payload-Digest"),
    (
        "warcio-example-space-in-target-uri.warc.gz",
        241,
        "WARC-Target-URI",
    ),
    ("warcio-example-space-in-url.arc", 151, "URL"),
    // Two bytes of the content were cut out: the digest is the first to tell.
    ("warcio-example-trunc.warc", 1197, "WARC-Block-Digest"),
    // Three members over two records.
    ("warcio-example-wrong-chunks.warc.gz", 0, "member ends"),
];

/// Files among the bad ones that a reader has no reason to refuse.
const NOT_BAD: &[(&str, &str)] = &[(
    "warcio-example-wget-bad-target-uri.warc.gz",
    "<...> around WARC-Target-URI is what the grammar of WARC 1.0 says, which the file names",
)];

fn corpus(part: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let corpora = std::env::var_os("NEPHILA_CORPORA").map_or_else(|| default.into(), PathBuf::from);
    let path = corpora.join("warc").join(part);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn read(bytes: &[u8], options: ReadOptions) -> Result<Vec<WholeRecord>, Error> {
    Reader::with_options(bytes, options)
        .whole_records(CONTENT_BYTES_MAX)
        .collect()
}

fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes)
            .read_to_end(&mut out)
            .unwrap();
    } else {
        out.extend_from_slice(bytes);
    }
    out
}

fn rewrite(records: &[WholeRecord]) -> Vec<u8> {
    let parts = records.iter().flat_map(|record| {
        [
            record.head.as_bytes(),
            &record.content,
            &record.finished.ending,
        ]
    });
    parts.collect::<Vec<_>>().concat()
}

/// The number of records that another reader found in each file.
fn expected_counts(path: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(path).unwrap();
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let counts = entries.iter().filter_map(|entry| {
        let count = entry["warcio"]["records"].as_u64()?;
        Some((entry["file"].as_str()?.to_owned(), count))
    });
    counts.collect()
}

/// Every record can be read from its offset and length alone, and the records fill the file.
fn read_each_alone(name: &str, bytes: &[u8], records: &[WholeRecord]) {
    let mut next = 0;
    for record in records {
        let offset = record.finished.offset;
        assert_eq!(offset, next, "{name}");
        next += record.finished.length.unwrap();
        // A record of an ARC file is told from anything else by the file's first.
        if !record.head.is_arc() {
            let own = &bytes[offset as usize..next as usize];
            let alone = read(own, ReadOptions::default()).unwrap();
            assert_eq!(alone.len(), 1, "{name}");
            assert!(alone[0].content == record.content, "{name}");
        }
    }
    assert_eq!(next, bytes.len() as u64, "{name}");
}

#[test]
fn good_files_are_read_and_written_again() {
    let (Some(folder), Some(expected)) = (corpus("good"), corpus("expected.json")) else {
        return;
    };
    let counts = expected_counts(&expected);
    let (mut total, mut compared) = (0, 0);
    for (name, bytes) in files(&folder) {
        let options = ReadOptions {
            verify_digests: true,
            ..ReadOptions::default()
        };
        let records = read(&bytes, options).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            rewrite(&records) == inflate(&bytes),
            "{name} is written otherwise"
        );
        if let Some(count) = counts.get(&name) {
            assert_eq!(records.len() as u64, *count, "{name}");
            compared += 1;
        }
        read_each_alone(&name, &bytes, &records);
        total += records.len();
    }
    eprintln!("{total} records written again; {compared} files hold as many as expected");
    assert!(
        total >= 80 && compared >= 11,
        "{total} records, {compared} files compared"
    );
}

#[test]
fn good_files_are_good_to_a_strict_reader() {
    let Some(folder) = corpus("good") else {
        return;
    };
    let mut good = 0;
    for (name, bytes) in files(&folder) {
        match read(&bytes, ReadOptions::strict()) {
            Ok(_) => good += 1,
            Err(error) => eprintln!("{name}: {error}"),
        }
    }
    eprintln!("{good} good files are good to a strict reader");
    assert!(good >= 11, "only {good} are good to a strict reader");
}

#[test]
fn bad_files_are_refused_where_they_are_bad() {
    let Some(folder) = corpus("bad") else {
        return;
    };
    let mut wrong = Vec::new();
    let files = files(&folder);
    for (name, bytes) in &files {
        let known = NOT_BAD.iter().any(|(own, _)| own == name);
        let listed = REFUSED.iter().find(|(own, ..)| own == name);
        match (read(bytes, ReadOptions::strict()), listed) {
            (Ok(_), _) if known => {}
            (Ok(_), _) => wrong.push(format!("{name} was accepted")),
            (Err(error), Some((_, offset, message))) => {
                if error.offset != *offset || !error.to_string().contains(message) {
                    wrong.push(format!("{name}: {error}"));
                }
            }
            (Err(error), None) if known => {
                wrong.push(format!("{name} is no longer accepted: {error}"))
            }
            // A file that is not on the list has to be refused, with whatever message.
            (Err(error), None) => eprintln!("{name}: {error}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    eprintln!(
        "{} bad files refused, {} known not to be bad",
        files.len() - NOT_BAD.len(),
        NOT_BAD.len()
    );
}

#[test]
fn a_reader_that_is_not_strict_reads_what_others_wrote() {
    let Some(folder) = corpus("bad") else {
        return;
    };
    for (name, count) in [
        ("resiliparse-clueweb-quirk.warc.gz", 30),
        ("warcio-example-bad-non-chunked.warc.gz", 6),
        ("warcio-example-bad.warc.gz.bad", 6),
        ("warcio-example-digest.warc", 4),
        ("warcio-example-space-in-target-uri.warc.gz", 2),
        ("warcio-example-wget-bad-target-uri.warc.gz", 6),
    ] {
        let Ok(bytes) = fs::read(folder.join(name)) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        let records = read(&bytes, ReadOptions::default());
        let records = records.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(records.len(), count, "{name}");
        assert_eq!(rewrite(&records), inflate(&bytes), "{name}");
    }
}

#[test]
fn the_index_is_that_of_other_tools() {
    let Some(folder) = corpus("good") else {
        return;
    };
    let Ok(bytes) = fs::read(folder.join("warcio-example.warc.gz")) else {
        eprintln!("skipped: warcio-example.warc.gz is not there");
        return;
    };
    let lines = index(&mut Reader::new(bytes.as_slice()), "example.warc.gz").unwrap();
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    // As `cdx-indexer -j` of pywb 2.10.0 has them, but for the space behind colons and commas.
    assert_eq!(
        lines,
        [
            r#"com,example)/ 20170306040206 {"url":"http://example.com/","mime":"text/html","status":"200","digest":"G7HRM7BGOKSKMSXZAHMUQTTV53QOFSMK","length":"1228","offset":"784","filename":"example.warc.gz"}"#,
            r#"com,example)/ 20170306040348 {"url":"http://example.com/","mime":"warc/revisit","digest":"G7HRM7BGOKSKMSXZAHMUQTTV53QOFSMK","length":"586","offset":"2621","filename":"example.warc.gz"}"#,
        ]
    );
}
