//! CSV (RFC 4180) with line feeds, read strictly.

use anyhow::{Context, bail, ensure};

/// Reads a header and its rows; each row has as many cells as the header, and the last has its end.
pub(super) fn read(text: &str) -> anyhow::Result<(Vec<String>, Vec<Vec<String>>)> {
    ensure!(text.ends_with('\n'), "the last row has no end");
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted)?,
            None => {
                let end = rest.find([',', '\n']).context("a cell without an end")?;
                let (cell, after) = rest.split_at(end);
                (cell.to_owned(), after)
            }
        };
        row.push(cell);
        if after.starts_with('\n') {
            rows.push(std::mem::take(&mut row));
        } else {
            ensure!(after.starts_with(','), "text behind a quoted cell");
        }
        rest = after.get(1..).unwrap_or_default();
    }
    ensure!(row.is_empty(), "the last row is cut");
    let mut rows = rows.into_iter();
    let header = rows.next().context("no header")?;
    let rows: Vec<Vec<String>> = rows.collect();
    if let Some(odd) = rows.iter().find(|row| row.len() != header.len()) {
        bail!("a row of {} cells under {}", odd.len(), header.len());
    }
    Ok((header, rows))
}

/// The cell, and what stands behind its closing quote.
fn quoted_cell(text: &str) -> anyhow::Result<(String, &str)> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"').context("a quote that is not closed")?;
        let (before, after) = rest.split_at(end);
        cell.push_str(before);
        match after.strip_prefix("\"\"") {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Ok((cell, after.get(1..).unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_ends_are_read() {
        let (header, rows) = read("a,b\n\"x,\"\"y\"\"\n\",\n,2\n").unwrap();
        assert_eq!(header, ["a", "b"]);
        assert_eq!(rows, [["x,\"y\"\n", ""], ["", "2"]]);
    }

    #[test]
    fn what_is_cut_is_refused() {
        for text in ["", "a,b", "a,b\n1\n", "a,b\n1,\"2\n", "a,b\n1,2,3\n"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
