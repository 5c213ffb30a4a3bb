//! The files of a crawl that people read: each read to its end, by its form.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::archive::{self, Record};
use super::csv;
use super::readers::Readers;

/// Fields that differ between two runs over the same web, whether or not one of them was killed: when
/// and how long, from where, how often asked, and which of the pages that link here was read first
/// (fetches of several hosts end in any order), with the distance that follows from it.
const OF_THE_RUN: [&str; 6] = [
    "fetched_at",
    "times",
    "attempts",
    "address",
    "referrer",
    "hops",
];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Kind and URL: unique in a crawl.
    pub(super) key: (String, String),
    /// What each form tells alike.
    pub(super) facts: String,
    /// All but [`OF_THE_RUN`]; only from JSON lines.
    pub(super) whole: String,
}

/// What a file holds.
pub(super) enum Holds {
    Rows(Vec<Row>),
    Records(Vec<Record>),
    /// URLs of an index.
    Index(Vec<String>),
    /// Its form cannot be read here; its two ends are right.
    Unread,
}

/// Reads a file to its end.
///
/// # Errors
/// When it is not whole, or not of its form.
pub(super) fn read(path: &Path, readers: &Readers) -> anyhow::Result<Holds> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = |end: &str| name.ends_with(end);
    let held = if ends(".jsonl") {
        json_lines(&std::fs::read(path)?).map(Holds::Rows)
    } else if ends(".jsonl.gz") {
        let mut text = Vec::new();
        MultiGzDecoder::new(std::fs::File::open(path)?).read_to_end(&mut text)?;
        json_lines(&text).map(Holds::Rows)
    } else if ends(".jsonl.zst") {
        let text = zstd::stream::decode_all(std::fs::File::open(path)?)?;
        json_lines(&text).map(Holds::Rows)
    } else if ends(".csv") {
        csv_rows(&std::fs::read_to_string(path)?).map(Holds::Rows)
    } else if ends(".parquet") {
        parquet(path, readers)
    } else if ends(".warc.gz") || ends(".warc.zst") {
        warc(path, readers).map(Holds::Records)
    } else if ends(".cdxj") {
        archive::index(path).map(Holds::Index)
    } else {
        Err(anyhow::anyhow!("no form has this name"))
    };
    held.with_context(|| name.clone().into_owned())
}

fn json_lines(text: &[u8]) -> anyhow::Result<Vec<Row>> {
    let text = std::str::from_utf8(text)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "its last line has no end"
    );
    text.lines().map(json_row).collect()
}

fn json_row(line: &str) -> anyhow::Result<Row> {
    let mut row: Value = serde_json::from_str(line).context("a row that is no JSON")?;
    let (key, facts) = facts(|name| match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    });
    if let Value::Object(fields) = &mut row {
        fields.retain(|name, _| !OF_THE_RUN.contains(&name.as_str()));
    }
    Ok(Row {
        key,
        facts,
        whole: row.to_string(),
    })
}

fn facts(field: impl Fn(&str) -> String) -> ((String, String), String) {
    let facts = ["outcome", "status", "digest", "hops"]
        .map(&field)
        .join(" ");
    ((field("kind"), field("url")), facts)
}

fn csv_rows(text: &str) -> anyhow::Result<Vec<Row>> {
    let (header, rows) = csv::read(text)?;
    let row = |cells: &Vec<String>| {
        let (key, facts) = facts(|name| {
            let place = header.iter().position(|column| column == name);
            place
                .and_then(|place| cells.get(place))
                .cloned()
                .unwrap_or_default()
        });
        Row {
            key,
            facts,
            whole: String::new(),
        }
    };
    Ok(rows.iter().map(row).collect())
}

fn parquet(path: &Path, readers: &Readers) -> anyhow::Result<Holds> {
    let bytes = std::fs::read(path)?;
    let is_framed = bytes.len() > 12 && bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1");
    ensure!(is_framed, "it does not begin and end as Parquet does");
    let Some(rows) = readers.read("parquet", path)? else {
        return Ok(Holds::Unread);
    };
    let row = |row: &Value| {
        json_row(&row.to_string()).map(|row| Row {
            whole: String::new(),
            ..row
        })
    };
    Ok(Holds::Rows(
        rows.iter().map(row).collect::<anyhow::Result<_>>()?,
    ))
}

fn warc(path: &Path, readers: &Readers) -> anyhow::Result<Vec<Record>> {
    let records = archive::records(path)?;
    // warcio reads gzip; zstd is no format of its own.
    if path.extension().is_some_and(|extension| extension == "gz")
        && let Some(told) = readers.read("warc", path)?
    {
        let told = told.iter().map(|record| {
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
            (text("kind"), text("url"))
        });
        let ours = records
            .iter()
            .map(|record| (record.kind.as_str(), record.url.as_str()));
        ensure!(told.eq(ours), "warcio reads other records");
    }
    Ok(records)
}

/// The files of a directory and those below it, sorted; of one that is not there none.
pub(super) fn below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        match path.is_dir() {
            true => files.extend(below(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}
