//! `nephila export`: rows as CSV or JSON lines.

use std::io::{BufWriter, Write};
use std::path::Path;

use clap::ArgMatches;
use nephila::{CrawlDirectory, Export, ExportFormat};

use crate::Exit;
use crate::arguments::{is_given, value};
use crate::terminal::{complain, count};

/// Bytes that are gathered before they are written to standard output.
const BUFFER_BYTES: usize = 64 * 1024;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let format = match value(matches, "format") {
        Some("jsonl") => ExportFormat::Jsonl,
        _ => ExportFormat::Csv,
    };
    let columns: Vec<&str> = match value(matches, "columns") {
        Some(names) => names.split(',').map(str::trim).collect(),
        None => Vec::new(),
    };
    let mut export = Export::new(format, &columns, is_given(matches, "all"))?;
    if is_given(matches, "raw-cells") {
        export = export.with_raw_cells();
    }
    let directory = CrawlDirectory::at(value(matches, "directory").unwrap_or_default());
    if let Some(path) = value(matches, "output") {
        let rows = export.write_file(&directory, Path::new(path))?;
        complain(&format!("{} rows in {path}", count(rows)));
        return Ok(Exit::Done);
    }
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, std::io::stdout().lock());
    export.write(&directory, &mut out)?;
    out.flush()?;
    Ok(Exit::Done)
}
