//! A whole crawl directory: the entries in the log and the rows beside it.

use std::path::Path;

use nephila::{CommittedRows, CrawlDirectory, Export, ExportFormat, Moment, Status, Why};

use super::in_empty_directory;
use super::segments::Segments;

/// A configuration with every option at its default: another target is about configurations.
const CRAWL_FILE: &str = "version = 1\nseeds = [\"http://a.test/\"]\n";

/// Columns of an export: plain ones, a part of an object, and a part of a list.
const COLUMNS: [&str; 4] = ["url", "title", "times.dns", "outlinks.url"];

/// Reads a crawl directory whose log and rows are the bytes: two bytes of length, that many bytes as
/// the entries of one commit, and the rest as the file of rows.
///
/// Promises: `status`, `why`, the rows and both exports end, with a result or an error; an export has a
/// line for each row it counts; reading changes no row.
pub fn crawl_state(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (entries, rows) = rest.split_at(length);
    in_empty_directory(|path| {
        let directory = CrawlDirectory::at(path);
        if make(&directory, entries, rows).is_some() {
            read(&directory);
            let part = std::fs::read(part(&directory));
            assert_eq!(part.ok().as_deref(), Some(rows), "reading changes the rows");
        }
    });
}

fn part(directory: &CrawlDirectory) -> std::path::PathBuf {
    directory.pages().join("part-00000.jsonl")
}

fn make(directory: &CrawlDirectory, entries: &[u8], rows: &[u8]) -> Option<()> {
    let make_directory = |path: &Path| std::fs::create_dir(path).ok();
    make_directory(&directory.state())?;
    make_directory(&directory.pages())?;
    std::fs::write(directory.crawl_file(), CRAWL_FILE).ok()?;
    let mut segments = Segments::new();
    segments.commit(entries);
    segments.write(&directory.state()).ok()?;
    std::fs::write(part(directory), rows).ok()
}

fn read(directory: &CrawlDirectory) {
    let now = Moment::from_micros(1 << 50);
    if let Ok(status) = Status::read(directory, 3, now) {
        assert!(status.hosts.len() <= 3);
    }
    for url in ["http://a.test/", "a.test/x", "no url"] {
        let _ = Why::ask(directory, url, now);
    }
    let mut count = 0;
    let mut row = Vec::new();
    if let Ok(mut rows) = CommittedRows::open(directory) {
        while rows.next_into(&mut row).is_ok_and(|is_row| is_row) {
            count += 1;
        }
    }
    for (format, heading) in [(ExportFormat::Csv, 1), (ExportFormat::Jsonl, 0)] {
        let mut out = Vec::new();
        let export = Export::new(format, &COLUMNS, true);
        let written = export.and_then(|export| export.write(directory, &mut out));
        if let Ok(written) = written {
            assert_eq!(written, count, "an export without an error has every row");
            let lines = out.iter().filter(|byte| **byte == b'\n').count() as u64;
            assert!(lines >= written + heading);
        }
    }
}
