//! Export: committed rows as CSV or JSON lines, with the columns that were named.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use crate::committed_rows::CommittedRows;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::options::edit_distance;
use crate::outputs::csv_cell::{Formulas, push_json};
use crate::row::ROW_FIELDS;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180 with line feeds: a header line, then a line a row. Cells with a comma, a quote or
    /// a line break are quoted. `null` is an empty cell, an empty string is `""`; an array or
    /// object stands as JSON text. Text that a spreadsheet would run as a formula gets a leading
    /// `'` ([`RowForm::Csv`](crate::RowForm::Csv) says which), unless
    /// [`Export::with_raw_cells`] is used.
    Csv,
    /// One JSON object a line, its keys in the order of the columns, its values as they stand in
    /// the rows.
    Jsonl,
}

/// The columns of a CSV where none are named.
const CSV_COLUMNS: [&str; 6] = ["url", "status", "outcome", "content_type", "title", "hops"];

/// What to export, and how.
#[derive(Clone, Debug)]
pub struct Export {
    format: ExportFormat,
    /// Empty: rows as they are.
    columns: Vec<Column>,
    is_all: bool,
    formulas: Formulas,
}

/// A field of the rows, or a part of one.
#[derive(Clone, Copy, Debug)]
struct Column {
    name: &'static str,
    field: &'static str,
    part: Option<&'static str>,
}

type Fields<'a> = HashMap<&'a str, &'a RawValue>;

impl Export {
    /// An export of these columns, in this order: names of [`ROW_FIELDS`]. A part of an object has
    /// a dot (`times.dns`); of an array it is the array of that part (`outlinks.url`). Without
    /// columns a CSV has six and JSON lines have all. Page rows only, unless `is_all` asks for the
    /// fetches of robots.txt, sitemaps and feeds too.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a name that is no field, with the nearest; and for one given twice.
    pub fn new(format: ExportFormat, columns: &[&str], is_all: bool) -> Result<Export, Error> {
        let named = match (format, columns) {
            (ExportFormat::Csv, []) => &CSV_COLUMNS[..],
            _ => columns,
        };
        let mut columns: Vec<Column> = Vec::with_capacity(named.len());
        for name in named {
            let column = column(name)?;
            if columns.iter().any(|earlier| earlier.name == column.name) {
                let what = format!("the column {name:?} is named twice");
                return Err(Error::new(ErrorKind::Usage, what));
            }
            columns.push(column);
        }
        Ok(Export {
            format,
            columns,
            is_all,
            formulas: Formulas::Guarded,
        })
    }

    /// The same export with text as it stands in the rows, also where a spreadsheet would run it as
    /// a formula: for readers that are no spreadsheets.
    pub fn with_raw_cells(self) -> Export {
        Export {
            formulas: Formulas::Kept,
            ..self
        }
    }

    /// Writes the committed rows of a crawl to `out`, which the caller buffers and flushes. Returns
    /// how many. Also while the crawl runs: up to its last commit. Memory: one row.
    ///
    /// # Errors
    /// Those of [`CommittedRows`]; an error of `out` is in [`std::error::Error::source`].
    pub fn write(&self, directory: &CrawlDirectory, out: &mut dyn Write) -> Result<u64, Error> {
        self.write_rows(
            CommittedRows::open(directory)?,
            out,
            Path::new("the output"),
        )
    }

    /// Writes to a new file, whole or not at all, as [`Export::write`] does.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when something is at `path`; those of [`Export::write`].
    pub fn write_file(&self, directory: &CrawlDirectory, path: &Path) -> Result<u64, Error> {
        let rows = CommittedRows::open(directory)?;
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        let fresh = unfinished_name(path);
        let file = File::options().write(true).create_new(true).open(&fresh);
        let file = file.map_err(|error| Error::io(path, "make", error))?;
        let written = self.write_and_sync(rows, file, path);
        let done = written.and_then(|count| rename_new(&fresh, path).map(|()| count));
        if done.is_err() {
            // What is left of it is of no use; a failure to remove it changes nothing.
            let _ = std::fs::remove_file(&fresh);
        }
        done
    }

    fn write_and_sync(&self, rows: CommittedRows, file: File, path: &Path) -> Result<u64, Error> {
        let mut out = BufWriter::new(file);
        let count = self.write_rows(rows, &mut out, path)?;
        let synced = out.flush().and_then(|()| out.get_ref().sync_all());
        synced.map_err(|error| Error::io(path, "write", error))?;
        Ok(count)
    }

    fn write_rows(
        &self,
        mut rows: CommittedRows,
        out: &mut dyn Write,
        place: &Path,
    ) -> Result<u64, Error> {
        let failed = |error| Error::io(place, "write to", error);
        let (mut row, mut line) = (Vec::new(), Vec::new());
        if self.format == ExportFormat::Csv {
            self.header(&mut line);
            out.write_all(&line).map_err(failed)?;
        }
        let mut count = 0;
        while rows.next_into(&mut row)? {
            let fields: Fields<'_> =
                serde_json::from_slice(&row).map_err(|error| unreadable(&rows, &error))?;
            let is_page = fields
                .get("kind")
                .is_some_and(|kind| kind.get() == "\"page\"");
            if !is_page && !self.is_all {
                continue;
            }
            line.clear();
            self.line(&row, &fields, &mut line)
                .map_err(|error| unreadable(&rows, &error))?;
            out.write_all(&line).map_err(failed)?;
            count += 1;
        }
        Ok(count)
    }

    fn header(&self, line: &mut Vec<u8>) {
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                line.push(b',');
            }
            line.extend_from_slice(column.name.as_bytes());
        }
        line.push(b'\n');
    }

    fn line(
        &self,
        row: &[u8],
        fields: &Fields<'_>,
        line: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        match self.format {
            ExportFormat::Jsonl if self.columns.is_empty() => line.extend_from_slice(row),
            ExportFormat::Jsonl => {
                for (place, column) in self.columns.iter().enumerate() {
                    line.push(if place == 0 { b'{' } else { b',' });
                    // Names are plain: nothing in them is escaped.
                    line.extend_from_slice(format!("\"{}\":", column.name).as_bytes());
                    line.extend_from_slice(column.value(fields)?.as_bytes());
                }
                line.push(b'}');
            }
            ExportFormat::Csv => {
                for (place, column) in self.columns.iter().enumerate() {
                    if place > 0 {
                        line.push(b',');
                    }
                    let value = column.value(fields)?;
                    push_json(&value, self.formulas, self.columns.len() == 1, line)?;
                }
            }
        }
        line.push(b'\n');
        Ok(())
    }
}

impl Column {
    /// Its value in a row, as JSON text; `null` where there is none.
    fn value<'a>(&self, fields: &Fields<'a>) -> Result<Cow<'a, str>, serde_json::Error> {
        let null = Cow::Borrowed("null");
        let Some(raw) = fields.get(self.field) else {
            return Ok(null);
        };
        let Some(part) = self.part else {
            return Ok(Cow::Borrowed(raw.get()));
        };
        let raw: &'a str = raw.get();
        match raw.as_bytes().first() {
            Some(b'{') => {
                let inner: Fields<'a> = serde_json::from_str(raw)?;
                Ok(inner
                    .get(part)
                    .map_or(null, |value| Cow::Borrowed(value.get())))
            }
            Some(b'[') => {
                let items: Vec<Fields<'a>> = serde_json::from_str(raw)?;
                let parts: Vec<&str> = items
                    .iter()
                    .map(|item| item.get(part).map_or("null", |value| value.get()))
                    .collect();
                Ok(Cow::Owned(format!("[{}]", parts.join(","))))
            }
            _ => Ok(null),
        }
    }
}

fn column(name: &str) -> Result<Column, Error> {
    let known = ROW_FIELDS
        .iter()
        .find(|field| field.name == name)
        .map(|field| field.name);
    let Some(name) = known else {
        return Err(unknown_column(name));
    };
    let (field, part) = match name.split_once('.') {
        Some((field, part)) => (field, Some(part)),
        None => (name, None),
    };
    Ok(Column { name, field, part })
}

fn unknown_column(name: &str) -> Error {
    const FARTHEST: usize = 3;
    let names = ROW_FIELDS.iter().map(|field| field.name);
    let nearest = names
        .clone()
        .map(|known| (edit_distance(name, known), known))
        .min();
    let nearest = nearest.filter(|(distance, _)| *distance <= FARTHEST);
    let advice = nearest.map_or_else(String::new, |(_, known)| {
        format!("; did you mean {known:?}?")
    });
    let all: Vec<&str> = names.collect();
    let what = format!(
        "there is no column {name:?}{advice} (columns: {})",
        all.join(", ")
    );
    Error::new(ErrorKind::Usage, what)
}

fn unreadable(rows: &CommittedRows, error: &serde_json::Error) -> Error {
    let place = rows.place().map_or_else(String::new, |place| {
        format!("{}, line {}: ", place.file.display(), place.line)
    });
    Error::new(
        ErrorKind::Corrupt,
        format!("{place}this is no row: {error}"),
    )
}

fn exists(path: &Path) -> Error {
    let what = format!(
        "{} exists already; choose another file, or remove it",
        path.display()
    );
    Error::new(ErrorKind::Exists, what)
}

/// The name that a file has until it is whole.
fn unfinished_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

/// Renames, unless something has come to `path` meanwhile.
fn rename_new(fresh: &Path, path: &Path) -> Result<(), Error> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, fresh, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(exists(path)),
        // Some file systems cannot say "unless"; nothing was there a moment ago.
        Err(Errno::INVAL | Errno::NOSYS) => {
            std::fs::rename(fresh, path).map_err(|error| Error::io(path, "make", error))
        }
        Err(error) => Err(Error::io(path, "make", error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"url":"http://a.test/","kind":"page","status":200,"title":"a, \"b\"\n=c","description":"=1+1","language":"","outlinks":[{"url":"u","text":"t"},{"url":"v","text":"w"}],"times":{"dns":0.1,"tls":1e2},"error":null}"#;

    fn line(format: ExportFormat, columns: &[&str]) -> String {
        let export = Export::new(format, columns, false).unwrap();
        let fields: Fields<'_> = serde_json::from_str(ROW).unwrap();
        let mut line = Vec::new();
        export.line(ROW.as_bytes(), &fields, &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let csv = |columns: &[&str]| line(ExportFormat::Csv, columns);
        assert_eq!(
            csv(&["status", "title", "error"]),
            "200,\"a, \"\"b\"\"\n=c\",\n"
        );
        assert_eq!(csv(&["times.dns", "times.tls", "times.body"]), "0.1,1e2,\n");
        assert_eq!(csv(&["outlinks.url"]), "\"[\"\"u\"\",\"\"v\"\"]\"\n");
        assert_eq!(csv(&["error"]), "\"\"\n", "a row is never an empty line");
        assert_eq!(csv(&["description", "language"]), "'=1+1,\"\"\n");
        assert_eq!(csv(&["text", "url"]), ",http://a.test/\n");
    }

    #[test]
    fn raw_cells_are_asked_for() {
        let export = Export::new(ExportFormat::Csv, &["description"], false).unwrap();
        let fields: Fields<'_> = serde_json::from_str(ROW).unwrap();
        let mut line = Vec::new();
        let export = export.with_raw_cells();
        export.line(ROW.as_bytes(), &fields, &mut line).unwrap();
        assert_eq!(line, b"=1+1\n");
    }

    #[test]
    fn json_keeps_its_types_and_the_order_of_the_columns() {
        let json = line(
            ExportFormat::Jsonl,
            &["times.tls", "url", "outlinks.text", "text"],
        );
        let expected =
            r#"{"times.tls":1e2,"url":"http://a.test/","outlinks.text":["t","w"],"text":null}"#;
        assert_eq!(json.trim_end(), expected);
        assert_eq!(line(ExportFormat::Jsonl, &[]).trim_end(), ROW);
    }

    #[test]
    fn a_column_that_is_none_names_the_nearest_and_all() {
        let refused = |columns: &[&str]| {
            let error = Export::new(ExportFormat::Csv, columns, false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            error.to_string()
        };
        let text = refused(&["url", "stauts"]);
        assert!(
            text.starts_with("there is no column \"stauts\"; did you mean \"status\"?"),
            "{text}"
        );
        assert!(text.contains("times.first_byte"), "{text}");
        assert!(refused(&["times.lunch"]).contains("\" (columns: version, url"));
        assert!(refused(&["url", "url"]).contains("twice"));
        assert!(refused(&[""]).contains("there is no column \"\""));
    }

    #[test]
    fn a_file_is_not_replaced_also_when_it_comes_late() {
        let root = tempfile::tempdir().unwrap();
        let (fresh, path) = (root.path().join("fresh"), root.path().join("out.csv"));
        std::fs::write(&fresh, "new").unwrap();
        std::fs::write(&path, "old").unwrap();
        assert_eq!(
            rename_new(&fresh, &path).unwrap_err().kind(),
            ErrorKind::Exists
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        std::fs::remove_file(&path).unwrap();
        rename_new(&fresh, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
