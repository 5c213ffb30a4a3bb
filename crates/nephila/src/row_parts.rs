//! Where the rows of a crawl lie.
//!
//! Rows are written once, as JSON lines, in parts: they are what every form of output is made from,
//! and what `why`, `export` and `report` read. Where JSON lines are asked for, these parts are that
//! output, in `pages/`. Otherwise they are kept in `state/rows/`, each packed with zstd once its
//! outputs are published.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use nephila_store::PartNames;

use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::options::{CrawlConfig, Format};

/// The prefix of the names of parts.
const PREFIX: &str = "part";

/// The parts of the rows.
#[derive(Clone, Debug)]
pub(crate) struct RowParts {
    names: PartNames,
    is_output: bool,
}

/// A part of rows, to be read from its beginning.
pub(crate) struct RowPart {
    pub(crate) path: PathBuf,
    pub(crate) reader: Box<dyn BufRead + Send>,
}

impl RowParts {
    /// The parts of a crawl.
    pub(crate) fn of(directory: &CrawlDirectory, config: &CrawlConfig) -> RowParts {
        let is_output = config.format.has(Format::Jsonl) && config.output.is_none();
        let dir = match is_output {
            true => directory.pages(),
            false => directory.kept_rows(),
        };
        RowParts {
            names: PartNames::new(dir, PREFIX, "jsonl"),
            is_output,
        }
    }

    /// What they are called.
    pub(crate) fn names(&self) -> &PartNames {
        &self.names
    }

    /// Whether they are themselves an output: then they stay as they are.
    pub(crate) fn is_output(&self) -> bool {
        self.is_output
    }

    /// Where a part lies once it is packed.
    pub(crate) fn packed_path(&self, number: u32) -> PathBuf {
        self.names
            .dir()
            .join(format!("{}.zst", self.names.name(number)))
    }

    /// Opens a part: whole, still open, or packed.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when it is nowhere.
    pub(crate) fn open(&self, number: u32) -> Result<RowPart, Error> {
        let plain = [self.names.path(number), self.names.open_path(number)];
        // Twice, because it may get its name between the two looks.
        for path in plain.iter().chain(&plain) {
            if let Some(file) = open_file(path)? {
                return Ok(RowPart {
                    path: path.clone(),
                    reader: Box::new(BufReader::new(file)),
                });
            }
        }
        let path = self.packed_path(number);
        if let Some(file) = open_file(&path)? {
            let failed = |error| Error::io(&path, "read", error);
            let reader = zstd::stream::read::Decoder::new(file).map_err(failed)?;
            return Ok(RowPart {
                path,
                reader: Box::new(BufReader::new(reader)),
            });
        }
        let path = self.names.path(number);
        let what = format!(
            "{} is missing: rows that were committed are lost or were moved away",
            path.display()
        );
        Err(Error::new(ErrorKind::Corrupt, what))
    }
}

fn open_file(path: &Path) -> Result<Option<File>, Error> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(path, "open", error)),
    }
}
