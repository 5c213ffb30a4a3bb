//! The rules that every world is held against, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use nephila_sim::TruthScope;
use nephila_warc::{ReadOptions, Reader};
use serde_json::Value;

use super::world::{Request, World};
use crate::committed_rows::CommittedRows;
use crate::directory::CrawlDirectory;
use crate::options::Format;

/// Every rule, on the directory and the log of a world whose crawl is done.
pub(super) fn check(world: &World) -> Result<(), String> {
    let directory = CrawlDirectory::at(world.directory());
    let rows = rows_once(&directory)?;
    nothing_is_lost(world, &rows)?;
    if !world.has_faults && world.crashes == 0 {
        is_true(world, &rows)?;
    }
    every_file_is_whole(world, &directory, &rows)?;
    let log = world.log.borrow();
    politeness_holds(world, &log)?;
    robots_comes_first(&log)
}

type Rows = BTreeMap<(String, String), Value>;

/// Each URL has one row for what it was asked for, and each row can be read.
fn rows_once(directory: &CrawlDirectory) -> Result<Rows, String> {
    let mut found = Rows::new();
    let mut rows = CommittedRows::open(directory).map_err(|error| error.to_string())?;
    let mut row = Vec::new();
    while rows
        .next_into(&mut row)
        .map_err(|error| error.to_string())?
    {
        let row: Value = serde_json::from_slice(&row).map_err(|error| error.to_string())?;
        let name = (text(&row, "kind"), text(&row, "url"));
        if found.insert(name.clone(), row).is_some() {
            return Err(format!("two rows for {name:?}"));
        }
    }
    Ok(found)
}

/// Every seed has a row, and so has what every row leads to.
fn nothing_is_lost(world: &World, rows: &Rows) -> Result<(), String> {
    let has = |url: &str| rows.contains_key(&("page".to_owned(), url.to_owned()));
    for seed in world.seeds() {
        if !has(&seed) {
            return Err(format!("the seed {seed} has no row"));
        }
    }
    for ((_, url), row) in rows {
        let links = row["outlinks"].as_array().into_iter().flatten();
        let followed = links.filter(|link| {
            let is_followed = matches!(link["kind"].as_str(), Some("anchor" | "area"));
            is_followed && row["outcome"] == "fetched"
        });
        let targets = followed.map(|link| text(link, "url"));
        let target = (row["outcome"] == "redirected").then(|| text(row, "redirect_target"));
        for target in targets.chain(target.filter(|_| row["kind"] == "page")) {
            if !has(&target) {
                return Err(format!("{url} leads to {target}, which has no row"));
            }
        }
    }
    Ok(())
}

/// Without faults the rows are what the web says: each page with its status, and what is denied.
fn is_true(world: &World, rows: &Rows) -> Result<(), String> {
    let truth = world.answers.web().truth(TruthScope::Any);
    let pages: BTreeSet<&String> = rows
        .keys()
        .filter(|key| key.0 == "page")
        .map(|key| &key.1)
        .collect();
    let expected: BTreeSet<&String> = truth.pages.keys().chain(truth.denied.keys()).collect();
    if pages != expected {
        let missing = expected.difference(&pages).next();
        let unknown = pages.difference(&expected).next();
        return Err(format!("missing: {missing:?}, unknown: {unknown:?}"));
    }
    for (url, page) in &truth.pages {
        let status = rows[&("page".to_owned(), url.clone())]["status"].as_u64();
        if page.status > 0 && status.is_some_and(|status| status != u64::from(page.status)) {
            return Err(format!("{url} has status {status:?}, not {}", page.status));
        }
    }
    Ok(())
}

/// Each file has its name, no file is unfinished, and each form holds the same rows.
fn every_file_is_whole(
    world: &World,
    directory: &CrawlDirectory,
    rows: &Rows,
) -> Result<(), String> {
    let formats = world
        .settings
        .check()
        .map_err(|error| error.to_string())?
        .format;
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut archived = BTreeSet::new();
    for dir in [directory.pages(), directory.warc(), directory.kept_rows()] {
        for path in files(&dir) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let extension = name.split_once('.').map_or("", |(_, rest)| rest).to_owned();
            if ["open", "new", "aside"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                return Err(format!("{name} is left over"));
            }
            match extension.as_str() {
                "warc.gz" | "warc.zst" => read_archive(&path, &mut archived)?,
                "cdxj" | "parquet" => {}
                _ => *counts.entry(extension.clone()).or_default() += lines(&path, &extension)?,
            }
        }
    }
    for (extension, count) in counts {
        if count != rows.len() {
            return Err(format!("{count} rows as {extension}, not {}", rows.len()));
        }
    }
    if !formats.has(Format::WarcGzip) && !formats.has(Format::WarcZstd) {
        return Ok(());
    }
    let answered = rows.iter().filter(|(_, row)| is_whole_answer(row));
    let answered: BTreeSet<String> = answered.map(|((_, url), _)| url.clone()).collect();
    match answered.symmetric_difference(&archived).next() {
        None => Ok(()),
        Some(url) => Err(format!(
            "{url} is in the rows or in the archive, not in both"
        )),
    }
}

/// Whether a whole answer came to a page.
fn is_whole_answer(row: &Value) -> bool {
    let outcome = text(row, "outcome");
    let is_whole = [
        "fetched",
        "redirected",
        "http_error",
        "not_modified",
        "too_many_redirects",
    ];
    row["kind"] == "page" && is_whole.contains(&outcome.as_str()) && row["digest"].is_string()
}

/// Reads an archive file, which has to hold to every rule; adds the URLs of its answers, but for
/// those of robots.txt.
fn read_archive(path: &Path, archived: &mut BTreeSet<String>) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let options = ReadOptions::strict();
    let mut reader = Reader::with_options(BufReader::new(file), options);
    let wrong = |error: nephila_warc::Error| format!("{}: {error}", path.display());
    while let Some(record) = reader.next_record().map_err(wrong)? {
        let kind = record.head().kind().to_string();
        let url = record.head().target_uri().unwrap_or_default().to_owned();
        let is_answer = kind == "response" || kind == "revisit";
        if is_answer && !url.ends_with("/robots.txt") && !archived.insert(url.clone()) {
            return Err(format!("two answers of {url} in the archive"));
        }
        record.finish().map_err(wrong)?;
    }
    Ok(())
}

fn lines(path: &Path, extension: &str) -> Result<usize, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let (reader, header): (Box<dyn BufRead>, usize) = match extension {
        "jsonl" => (Box::new(BufReader::new(file)), 0),
        "csv" => return csv_records(BufReader::new(file)),
        "jsonl.gz" => (
            Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
            0,
        ),
        "jsonl.zst" => {
            let decoder = zstd::stream::read::Decoder::new(file);
            (
                Box::new(BufReader::new(decoder.map_err(|error| error.to_string())?)),
                0,
            )
        }
        other => return Err(format!("{}: what is {other}?", path.display())),
    };
    let mut count = 0;
    for line in reader.lines() {
        let line = line.map_err(|error| format!("{}: {error}", path.display()))?;
        let row: Result<Value, _> = serde_json::from_str(&line);
        row.map_err(|error| format!("{}: {error}", path.display()))?;
        count += 1;
    }
    Ok(count - header)
}

/// Records behind the header; a line break in quotes is part of its record.
fn csv_records(reader: impl BufRead) -> Result<usize, String> {
    let (mut records, mut is_quoted) = (0, false);
    for line in reader.lines() {
        let line = line.map_err(|error| error.to_string())?;
        is_quoted ^= line.matches('"').count() % 2 == 1;
        records += usize::from(!is_quoted);
    }
    match is_quoted {
        true => Err("a CSV ends in the midst of a record".to_owned()),
        false => Ok(records - 1),
    }
}

/// One fetch of a host at a time, and its delay between two of them, also over a crash.
fn politeness_holds(world: &World, log: &[Request]) -> Result<(), String> {
    let mut last: HashMap<&str, Duration> = HashMap::new();
    for request in log {
        // The redirects of a robots.txt are followed within one visit (RFC 9309 section 2.3.1.2).
        let is_redirected = request.target == "/robots-moved.txt";
        if let Some(free) = last.get(request.host.as_str()).filter(|_| !is_redirected) {
            let least = *free + world.delay;
            // Moments are whole microseconds.
            if request.at + Duration::from_micros(2) < least {
                return Err(format!(
                    "{} was asked for {} at {:?}, not from {least:?} on",
                    request.host, request.target, request.at
                ));
            }
        }
        last.insert(&request.host, request.ended.unwrap_or(request.at));
    }
    Ok(())
}

/// In every run, the robots.txt of a host is asked for before anything else of it.
fn robots_comes_first(log: &[Request]) -> Result<(), String> {
    let mut known = HashSet::new();
    for request in log {
        let host = (request.run, request.host.as_str());
        if request.target == "/robots.txt" {
            known.insert(host);
        } else if request.target != "/robots-moved.txt" && !known.contains(&host) {
            return Err(format!(
                "{}{} before its robots.txt",
                request.host, request.target
            ));
        }
    }
    Ok(())
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
