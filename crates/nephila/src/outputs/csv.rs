//! Rows as CSV.

use std::io::{BufRead, BufWriter, Write};

use super::BUFFER_BYTES;
use super::columns::{COLUMNS, Column, ColumnKind};
use super::convert_error::ConvertError;
use super::csv_cell::{Formulas, push_json};
use super::row_lines::RowLines;
use super::row_values::{self, RowValues, named};

/// Writes the rows as RFC 4180 with line feeds: a header, then a line a row.
pub(crate) fn write(rows: &mut dyn BufRead, out: impl Write) -> Result<u64, ConvertError> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let mut lines = RowLines::new(rows);
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let mut cells = names.join(",").into_bytes();
    cells.push(b'\n');
    out.write_all(&cells).map_err(ConvertError::Write)?;
    while let Some((number, line)) = lines.next_line()? {
        let values = RowValues::read(line).and_then(|row| {
            cells.clear();
            push_row(&row, &mut cells)
        });
        values.map_err(|problem| ConvertError::Row {
            line: number,
            problem,
        })?;
        out.write_all(&cells).map_err(ConvertError::Write)?;
    }
    out.flush().map_err(ConvertError::Write)?;
    Ok(lines.count())
}

fn push_row(row: &RowValues<'_>, cells: &mut Vec<u8>) -> Result<(), String> {
    for (place, (column, value)) in row.each().enumerate() {
        if place > 0 {
            cells.push(b',');
        }
        let Some(value) = value else { continue };
        check(column, value.get())?;
        push_json(value.get(), Formulas::Guarded, false, cells)
            .map_err(|error| named(column, &error.to_string()))?;
    }
    cells.push(b'\n');
    Ok(())
}

/// A value of another type than the column's would not be found by the reader of a CSV.
fn check(column: &Column, json: &str) -> Result<(), String> {
    let starts: &[u8] = match column.kind {
        ColumnKind::Text | ColumnKind::Moment => b"\"",
        ColumnKind::Int32 | ColumnKind::Int64 => b"-0123456789",
        ColumnKind::Texts | ColumnKind::Outlinks => b"[",
        ColumnKind::Times => b"{",
    };
    match json.as_bytes().first() {
        Some(first) if starts.contains(first) => Ok(()),
        _ => Err(named(
            column,
            &format!("is of another type: {}", row_values::quoted(json)),
        )),
    }
}
