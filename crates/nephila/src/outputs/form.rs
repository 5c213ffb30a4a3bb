//! The forms that rows can be had in.

use std::io::{BufRead, Write};

use super::convert_error::ConvertError;
use super::{csv, json_lines, parquet};

/// A form of rows. Whatever it is, it holds the same rows in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowForm {
    /// JSON lines, as a crawl writes them.
    Jsonl,
    /// JSON lines in one gzip member (RFC 1952).
    JsonlGzip,
    /// JSON lines in one zstd frame (RFC 8878) with a checksum.
    JsonlZstd,
    /// RFC 4180 with line feeds: a header, then a line a row. `null` is an empty cell, an empty
    /// string is `""`; `outlinks`, `warnings` and `times` stand as JSON text. Text that a
    /// spreadsheet would run as a formula gets a leading `'`: text whose first character is `=`,
    /// `+`, `-`, `@` or a full-width form of these, a tab or a line break, also after white space,
    /// control characters, quotes or marks of no width (OWASP, "CSV Injection"). Numbers do not.
    /// An apostrophe that is followed by such text is always one that was added.
    Csv,
    /// Apache Parquet: `outlinks` is a list of structs, `warnings` a list of strings, `times` a
    /// struct of doubles, `fetched_at` a timestamp in milliseconds, UTC. zstd; statistics and page
    /// indexes; a Bloom filter on `url`; the row format's version in the key-value metadata as
    /// `nephila.row_version`.
    Parquet,
}

impl RowForm {
    /// Every form.
    pub const ALL: [RowForm; 5] = [
        RowForm::Jsonl,
        RowForm::JsonlGzip,
        RowForm::JsonlZstd,
        RowForm::Csv,
        RowForm::Parquet,
    ];

    /// The end of its files' names, without the first dot; also its name.
    pub fn extension(self) -> &'static str {
        match self {
            RowForm::Jsonl => "jsonl",
            RowForm::JsonlGzip => "jsonl.gz",
            RowForm::JsonlZstd => "jsonl.zst",
            RowForm::Csv => "csv",
            RowForm::Parquet => "parquet",
        }
    }

    /// Reads JSON lines to their end and writes them in this form. Returns how many rows there
    /// were. The same rows give the same bytes. `out` is flushed; it is whole only when this
    /// returns without an error.
    ///
    /// Memory: some 64 MiB for Parquet and 8 MiB for the others, whatever the number of rows; and
    /// where a row is longer than 4 MiB, up to six times its length for Parquet and three times
    /// for the others. A row is at most 1 GiB.
    ///
    /// # Errors
    /// [`ConvertError::Row`] with its number for a line that is no row: no JSON object, a required
    /// field missing, a value of another type, or a field that this version of the rows does not
    /// have (those are passed by in rows of a newer version). [`ConvertError::Read`] and
    /// [`ConvertError::Write`] where reading and writing fail.
    pub fn convert<W: Write + Send>(
        self,
        rows: &mut dyn BufRead,
        out: W,
    ) -> Result<u64, ConvertError> {
        match self {
            RowForm::Jsonl => json_lines::write_plain(rows, out),
            RowForm::JsonlGzip => json_lines::write_gzip(rows, out),
            RowForm::JsonlZstd => json_lines::write_zstd(rows, out),
            RowForm::Csv => csv::write(rows, out),
            RowForm::Parquet => parquet::write(rows, out),
        }
    }
}

/// Writes rows, read as JSON lines, in another form: [`RowForm::convert`] for any reader.
///
/// # Errors
/// Those of [`RowForm::convert`].
///
/// # Examples
///
/// ```no_run
/// use std::fs::File;
/// use std::io::BufReader;
///
/// use nephila::{RowForm, convert_rows};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let rows = BufReader::new(File::open("crawl/pages/part-00000.jsonl")?);
/// let file = File::create_new("rows.parquet")?;
/// let count = convert_rows(RowForm::Parquet, rows, &file)?;
/// file.sync_all()?;
/// # let _ = count;
/// # Ok(())
/// # }
/// ```
pub fn convert_rows<R: BufRead, W: Write + Send>(
    form: RowForm,
    mut rows: R,
    out: W,
) -> Result<u64, ConvertError> {
    form.convert(&mut rows, out)
}
