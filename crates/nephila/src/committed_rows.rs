//! Reading the rows of a crawl: those that are committed, in their order, one at a time.

use std::fmt;
use std::io::{BufRead, Read, Take};
use std::path::PathBuf;

use nephila_store::PartPosition;

use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::journal::Entry;
use crate::row_parts::RowParts;
use crate::state::for_each_entry;

/// The committed rows of a crawl, as lines of JSON.
///
/// Guarantee: each row that was committed when this was opened comes once, whole, in the order of
/// the files; what a running crawl has written and not yet committed, or a killed one left behind,
/// does not come. Nothing is changed or locked. Memory: one row.
#[derive(Debug)]
pub struct CommittedRows {
    parts: RowParts,
    end: PartPosition,
    /// The part that comes next.
    next_part: u32,
    part: Option<Part>,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RowPlace {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
}

struct Part {
    path: PathBuf,
    reader: Take<Box<dyn BufRead + Send>>,
    line: u64,
    is_last: bool,
}

impl fmt::Debug for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Part({}, line {})",
            self.path.display(),
            self.line
        )
    }
}

impl CommittedRows {
    /// Opens the rows of a crawl directory, up to its last commit.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`], [`ErrorKind::Corrupt`], and whatever the file system has against
    /// it.
    pub fn open(directory: &CrawlDirectory) -> Result<CommittedRows, Error> {
        let mut end = PartPosition::default();
        // The configuration first: without it, it is no crawl.
        let parts = directory.row_parts()?;
        for_each_entry(&directory.state(), None, |entry| {
            if let Entry::Rows(position) = entry {
                end = position;
            }
        })?;
        Ok(CommittedRows::up_to(parts, end))
    }

    /// The rows before `end`, a position that a commit holds.
    pub(crate) fn up_to(parts: RowParts, end: PartPosition) -> CommittedRows {
        CommittedRows {
            parts,
            end,
            next_part: 0,
            part: None,
        }
    }

    /// Reads the next row into `row`, in place of what it held, without its line feed. False when
    /// there is none left.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when rows that were committed are gone.
    pub fn next_into(&mut self, row: &mut Vec<u8>) -> Result<bool, Error> {
        loop {
            row.clear();
            let Some(part) = &mut self.part else {
                if !self.open_next()? {
                    return Ok(false);
                }
                continue;
            };
            let read = part.reader.read_until(b'\n', row);
            let read = read.map_err(|error| Error::io(&part.path, "read", error))?;
            if read > 0 {
                part.line += 1;
                return match row.pop() {
                    Some(b'\n') => Ok(true),
                    _ => Err(part.lost("its last row is torn")),
                };
            }
            if part.is_last && part.reader.limit() > 0 {
                return Err(part.lost("it is shorter than what was committed"));
            }
            self.part = None;
        }
    }

    /// Where the row stands that was read last.
    pub fn place(&self) -> Option<RowPlace> {
        let part = self.part.as_ref()?;
        Some(RowPlace {
            file: part.path.clone(),
            line: part.line,
        })
    }

    /// Opens the next part; false when there is none.
    fn open_next(&mut self) -> Result<bool, Error> {
        let number = self.next_part;
        let is_last = number == self.end.part;
        if number > self.end.part || (is_last && self.end.bytes == 0) {
            return Ok(false);
        }
        self.next_part += 1;
        let opened = self.parts.open(number)?;
        let limit = if is_last { self.end.bytes } else { u64::MAX };
        self.part = Some(Part {
            path: opened.path,
            reader: opened.reader.take(limit),
            line: 0,
            is_last,
        });
        Ok(true)
    }
}

impl Part {
    fn lost(&self, what: &str) -> Error {
        let path = self.path.display();
        Error::new(
            ErrorKind::Corrupt,
            format!("{path}: {what}: rows that were committed are lost"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read_all(directory: &CrawlDirectory, end: PartPosition) -> Result<Vec<String>, Error> {
        let parts = RowParts::of(directory, &crate::Settings::new().check().unwrap());
        let mut rows = CommittedRows::up_to(parts, end);
        let (mut row, mut all) = (Vec::new(), Vec::new());
        while rows.next_into(&mut row)? {
            let place = rows.place().unwrap();
            let name = place.file.file_name().unwrap().to_str().unwrap().to_owned();
            all.push(format!(
                "{name}:{} {}",
                place.line,
                str::from_utf8(&row).unwrap()
            ));
        }
        Ok(all)
    }

    #[test]
    fn rows_come_up_to_the_position_and_not_beyond() {
        let root = tempfile::tempdir().unwrap();
        let directory = CrawlDirectory::at(root.path());
        fs::create_dir(directory.pages()).unwrap();
        fs::write(directory.pages().join("part-00000.jsonl"), "a\nb\n").unwrap();
        fs::write(directory.pages().join("part-00001.jsonl"), "c\nd\ntor").unwrap();
        let at = |part, bytes| PartPosition {
            part,
            bytes,
            rows: 0,
        };
        let first = ["part-00000.jsonl:1 a", "part-00000.jsonl:2 b"];
        assert_eq!(read_all(&directory, at(1, 0)).unwrap(), first);
        let three = read_all(&directory, at(1, 2)).unwrap();
        assert_eq!(three, [first[0], first[1], "part-00001.jsonl:1 c"]);
        assert!(read_all(&directory, at(0, 0)).unwrap().is_empty());
        for lost in [at(1, 3), at(1, 100), at(2, 5)] {
            let error = read_all(&directory, lost).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        }
    }
}
