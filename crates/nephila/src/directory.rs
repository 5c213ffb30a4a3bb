//! The crawl directory: what lies where, and how it is made and opened.
//!
//! ```text
//! DIR/crawl.toml          the checked configuration and the seeds
//! DIR/pages/part-*        the rows, in the forms that --format names
//! DIR/warc/crawl-*        the exchanges and their index, with --format warc
//! DIR/state/              the commit log, the lock, and what is derived from the log
//! DIR/state/rows/         the rows, where JSON lines are none of the forms
//! DIR/state/outbox/       files on their way to an object store
//! DIR/summary.json        the counts, written at the end of a run
//! DIR/ledger.json         where the time of each run went, written as it goes on
//! DIR/report.html         the report, written at the end of a run
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use nephila_store::{make_dir, write_whole};

use crate::error::{Error, ErrorKind};
use crate::options::{CrawlConfig, Settings, read_seeds, write_crawl_file};
use crate::row_parts::RowParts;

/// A crawl directory's paths.
#[derive(Clone, Debug)]
pub struct CrawlDirectory {
    root: PathBuf,
}

impl CrawlDirectory {
    /// Names a crawl directory; nothing is touched.
    pub fn at(root: impl Into<PathBuf>) -> CrawlDirectory {
        CrawlDirectory { root: root.into() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `crawl.toml`.
    pub fn crawl_file(&self) -> PathBuf {
        self.root.join("crawl.toml")
    }

    /// `pages/`.
    pub fn pages(&self) -> PathBuf {
        self.root.join("pages")
    }

    /// `state/`.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// `summary.json`.
    pub fn summary_file(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    /// `ledger.json`.
    pub fn ledger_file(&self) -> PathBuf {
        self.root.join("ledger.json")
    }

    /// `report.html`.
    pub fn report_file(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// `warc/`.
    pub fn warc(&self) -> PathBuf {
        self.root.join("warc")
    }

    /// `state/rows/`.
    pub(crate) fn kept_rows(&self) -> PathBuf {
        self.state().join("rows")
    }

    /// `state/outbox/`.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.state().join("outbox")
    }

    /// Where its rows lie, by its configuration.
    pub(crate) fn row_parts(&self) -> Result<RowParts, Error> {
        let (_, settings) = self.read_config()?;
        Ok(RowParts::of(self, &settings.check()?))
    }

    /// Makes the directory for a new crawl. It may exist if it is empty.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] when something is there, and whatever the file system has against it.
    pub(crate) fn create(&self) -> Result<(), Error> {
        match fs::read_dir(&self.root) {
            Ok(mut entries) => {
                if entries.next().is_some() && !self.is_abandoned() {
                    return Err(self.exists());
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.root)
                    .map_err(|error| Error::io(&self.root, "make the directory", error))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(self.exists());
            }
            Err(error) => return Err(Error::io(&self.root, "read", error)),
        }
        Ok(make_dir(&self.state())?)
    }

    /// Whether a crawl died here before it had its `crawl.toml`: nothing is lost by beginning anew.
    fn is_abandoned(&self) -> bool {
        let names = |path: &Path| -> Option<Vec<std::ffi::OsString>> {
            fs::read_dir(path)
                .ok()?
                .map(|entry| Some(entry.ok()?.file_name()))
                .collect()
        };
        let only = |path: &Path, known: &[&str]| {
            names(path).is_some_and(|names| {
                names
                    .iter()
                    .all(|name| known.iter().any(|known| name.as_os_str() == *known))
            })
        };
        only(
            &self.root,
            &["pages", "warc", "state", "crawl.new", "crawl.toml.new"],
        ) && (!self.pages().exists() || only(&self.pages(), &[]))
            && (!self.warc().exists() || only(&self.warc(), &[]))
            && (!self.state().exists() || only(&self.state(), &["lock"]))
    }

    fn exists(&self) -> Error {
        let root = self.root.display();
        let advice = if self.crawl_file().exists() {
            format!("it is a crawl: go on with `nephila resume {root}`, or choose another --out")
        } else {
            "it is not empty: choose another --out".to_owned()
        };
        Error::new(
            ErrorKind::Exists,
            format!("{root} exists already; {advice}"),
        )
    }

    /// Writes `crawl.toml`, whole or not at all. Only its owner may read it: it may hold
    /// credentials.
    pub(crate) fn write_config(&self, config: &CrawlConfig, seeds: &[String]) -> Result<(), Error> {
        let text = write_crawl_file(config, seeds);
        Ok(write_whole(&self.crawl_file(), text.as_bytes(), true)?)
    }

    /// Reads `crawl.toml`: the seeds and the settings.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`] when there is none, [`ErrorKind::Usage`] when it was changed into
    /// something that cannot be read.
    pub fn read_config(&self) -> Result<(Vec<String>, Settings), Error> {
        let path = self.crawl_file();
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                let root = self.root.display();
                let what = if self.root.exists() {
                    format!("{root} is no crawl directory: it holds no crawl.toml")
                } else {
                    format!("there is no crawl directory {root}")
                };
                Error::new(ErrorKind::NotACrawl, what)
            }
            _ => Error::io(&path, "read", error),
        })?;
        let mut settings = Settings::new();
        settings.add_file(&path, &text)?;
        let seeds = read_seeds(&text).ok_or_else(|| {
            let what = format!(
                "{} is no crawl.toml of this version: it has no `version = 1` and `seeds = [...]`",
                path.display()
            );
            Error::new(ErrorKind::Version, what)
        })?;
        Ok((seeds, settings))
    }
}
