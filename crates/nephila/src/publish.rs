//! From a part that was ended to the files that people read.
//!
//! A part of rows that is ended never changes again, so each other form of it is a pure function of
//! it: `part-00007.parquet` is made from `part-00007.jsonl`, under another name, synced, renamed. A
//! crash in between leaves the part, from which it is made again; the same rows give the same
//! bytes under the same name. So no form can have a row that another has not, none has one twice,
//! and a file that a reader sees is whole.

use std::io;
use std::path::{Path, PathBuf};

use nephila_store::{NewFile, PartNames, make_dir, remove_file, remove_unfinished, store_error};

use crate::archive::{index_archive, index_path};
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::journal::PartCounts;
use crate::options::{CrawlConfig, Format};
use crate::outputs::{ConvertError, Destination, RowForm};
use crate::row_parts::RowParts;

/// The prefix of the names of WARC files.
const ARCHIVE_PREFIX: &str = "crawl";

/// Everything that a crawl puts out, and where.
#[derive(Debug)]
pub(crate) struct Outputs {
    rows: RowParts,
    /// The forms of the rows, apart from the parts themselves.
    forms: Vec<RowForm>,
    pages: PathBuf,
    archive: Option<PartNames>,
    destination: Option<Destination>,
    outbox: PathBuf,
}

impl Outputs {
    /// The outputs of a crawl.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a destination that is none.
    pub(crate) fn of(directory: &CrawlDirectory, config: &CrawlConfig) -> Result<Outputs, Error> {
        let rows = RowParts::of(directory, config);
        let forms = config.format.iter().filter_map(row_form);
        let forms = forms.filter(|form| !(*form == RowForm::Jsonl && rows.is_output()));
        let destination = config.output.as_deref().map(Destination::parse);
        Ok(Outputs {
            forms: forms.collect(),
            pages: directory.pages(),
            archive: archive_names(directory, config),
            destination: destination.transpose()?,
            outbox: directory.outbox(),
            rows,
        })
    }

    /// Where the rows are written first.
    pub(crate) fn row_names(&self) -> &PartNames {
        self.rows.names()
    }

    /// Where the WARC files are written, if any are.
    pub(crate) fn archive_names(&self) -> Option<&PartNames> {
        self.archive.as_ref()
    }

    /// Whether they go to another place than the crawl directory.
    pub(crate) fn is_remote(&self) -> bool {
        self.destination.is_some()
    }

    /// Finds out whether the place can be written to.
    ///
    /// # Errors
    /// When it cannot, with what to do.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.destination.as_ref().map_or(Ok(()), Destination::check)
    }

    /// Finds out that no crawl has put its outputs there before. (A crawl directory is new itself.)
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] where one has: its files would be mixed with those of this one.
    pub(crate) fn check_unused(&self) -> Result<(), Error> {
        let Some(destination) = &self.destination else {
            return Ok(());
        };
        let is_ours = |name: &String| {
            let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
            (folder == "pages" && is_row_file(file))
                || (folder == "warc" && file.starts_with(&format!("{ARCHIVE_PREFIX}-")))
        };
        match destination.list()?.into_iter().find(is_ours) {
            None => Ok(()),
            Some(name) => {
                let what = format!(
                    "{destination}: another crawl has put its outputs there ({name}): name another place"
                );
                Err(Error::new(ErrorKind::Exists, what))
            }
        }
    }

    /// How many parts hold something, open or whole.
    pub(crate) fn parts_with_content(&self) -> Result<usize, Error> {
        let mut count = 0;
        for names in [Some(self.rows.names()), self.archive.as_ref()] {
            let Some(names) = names.filter(|names| names.dir().is_dir()) else {
                continue;
            };
            let open = names.open_parts()?.into_iter();
            let open = open.map(|number| names.open_path(number));
            let whole = names.whole_parts()?.into_iter();
            let whole = whole.map(|number| names.path(number));
            let has_content = |path: &PathBuf| path.metadata().is_ok_and(|file| file.len() > 0);
            count += open.chain(whole).filter(has_content).count();
        }
        Ok(count)
    }

    /// Whether some part is still open, as a crash leaves it.
    pub(crate) fn has_open_parts(&self) -> Result<bool, Error> {
        for names in [Some(self.rows.names()), self.archive.as_ref()] {
            if let Some(names) = names.filter(|names| names.dir().is_dir())
                && !names.open_parts()?.is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether some part has its name, and is not known to be there in every form.
    pub(crate) fn has_unpublished(&self, published: PartCounts) -> Result<bool, Error> {
        let rows = (Some(self.rows.names()), published.rows);
        for (names, published) in [rows, (self.archive.as_ref(), published.archive)] {
            if let Some(names) = names.filter(|names| names.dir().is_dir())
                && names
                    .whole_parts()?
                    .last()
                    .is_some_and(|last| *last >= published)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether ending a part leads to work.
    pub(crate) fn has_work(&self) -> bool {
        !self.forms.is_empty() || !self.rows.is_output() || self.archive.is_some()
    }

    /// Publishes a part of the rows in every form. May be done again.
    pub(crate) fn publish_rows(&self, number: u32) -> Result<(), Error> {
        for form in &self.forms {
            let name = format!("part-{number:05}.{}", form.extension());
            let make = |path: &Path| self.convert(*form, number, path);
            self.put("pages", &self.pages, &name, make)?;
        }
        if self.rows.is_output() {
            return Ok(());
        }
        let packed = self.rows.packed_path(number);
        if packed.exists() {
            return Ok(());
        }
        self.convert(RowForm::JsonlZstd, number, &packed)
    }

    /// Indexes and publishes a part of the archive. May be done again.
    pub(crate) fn publish_archive(&self, number: u32) -> Result<(), Error> {
        let Some(names) = &self.archive else {
            return Ok(());
        };
        let path = names.path(number);
        let index = index_path(&path);
        if !index.exists() {
            index_archive(&path, &index)?;
        }
        let Some(destination) = &self.destination else {
            return Ok(());
        };
        for path in [&path, &index] {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            destination.put(&format!("warc/{name}"), path)?;
        }
        Ok(())
    }

    /// Removes what is not needed any more now that these parts are known to be published.
    pub(crate) fn clear_published(&self, published: PartCounts) -> Result<(), Error> {
        if !self.rows.is_output() {
            let names = self.rows.names();
            let whole = names.whole_parts()?;
            for number in whole.into_iter().filter(|number| *number < published.rows) {
                if self.rows.packed_path(number).exists() {
                    remove_file(&names.path(number))?;
                }
            }
        }
        let Some(names) = self.archive.as_ref().filter(|_| self.is_remote()) else {
            return Ok(());
        };
        let whole = names.whole_parts()?;
        for number in whole
            .into_iter()
            .filter(|number| *number < published.archive)
        {
            let path = names.path(number);
            remove_file(&index_path(&path))?;
            remove_file(&path)?;
        }
        Ok(())
    }

    /// Removes files that a crash left unfinished, and returns how many.
    pub(crate) fn remove_unfinished(&self) -> Result<u32, Error> {
        let is_index = |name: &str| {
            let number = name
                .strip_prefix(&format!("{ARCHIVE_PREFIX}-"))
                .and_then(|rest| rest.strip_suffix(".cdxj"));
            number.is_some_and(is_part_number)
        };
        let mut count = remove_unfinished(&self.pages, &is_row_file)?;
        count += remove_unfinished(self.rows.names().dir(), &is_row_file)?;
        count += remove_unfinished(&self.outbox, &is_row_file)?;
        if let Some(names) = &self.archive {
            count += remove_unfinished(names.dir(), &is_index)?;
        }
        Ok(count)
    }

    /// Makes a file and puts it in its place, here or far away.
    fn put(
        &self,
        folder: &str,
        dir: &Path,
        name: &str,
        make: impl Fn(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(destination) = &self.destination else {
            let path = dir.join(name);
            make_dir(dir)?;
            return match path.exists() {
                true => Ok(()),
                false => make(&path),
            };
        };
        make_dir(&self.outbox)?;
        let path = self.outbox.join(name);
        if !path.exists() {
            make(&path)?;
        }
        destination.put(&format!("{folder}/{name}"), &path)?;
        Ok(remove_file(&path)?)
    }

    fn convert(&self, form: RowForm, number: u32, path: &Path) -> Result<(), Error> {
        let mut part = self.rows.open(number)?;
        let mut file = NewFile::create(path, false)?;
        form.convert(&mut part.reader, &mut file)
            .map_err(|error| not_converted(&part.path, path, error))?;
        Ok(file.publish()?)
    }
}

/// Whether a name is one that a form of the rows has.
fn is_row_file(name: &str) -> bool {
    let parts = name
        .strip_prefix("part-")
        .and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(number, extension)| {
        let forms = RowForm::ALL.iter();
        is_part_number(number)
            && forms
                .map(|form| form.extension())
                .any(|own| own == extension)
    })
}

/// Numbers are written with five digits, and more where they need them.
fn is_part_number(text: &str) -> bool {
    text.parse::<u32>()
        .is_ok_and(|number| format!("{number:05}") == text)
}

fn archive_names(directory: &CrawlDirectory, config: &CrawlConfig) -> Option<PartNames> {
    let extension = if config.format.has(Format::WarcGzip) {
        "warc.gz"
    } else if config.format.has(Format::WarcZstd) {
        "warc.zst"
    } else {
        return None;
    };
    Some(PartNames::new(directory.warc(), ARCHIVE_PREFIX, extension))
}

fn row_form(format: Format) -> Option<RowForm> {
    match format {
        Format::Jsonl => Some(RowForm::Jsonl),
        Format::JsonlGzip => Some(RowForm::JsonlGzip),
        Format::JsonlZstd => Some(RowForm::JsonlZstd),
        Format::Csv => Some(RowForm::Csv),
        Format::Parquet => Some(RowForm::Parquet),
        Format::WarcGzip | Format::WarcZstd => None,
    }
}

fn not_converted(part: &Path, path: &Path, error: ConvertError) -> Error {
    match error {
        ConvertError::Write(error) => in_writing(path, error),
        ConvertError::Read(error) => Error::io(part, "read", error),
        ConvertError::Row { .. } => {
            Error::new(ErrorKind::Corrupt, format!("{}: {error}", part.display()))
        }
        error => Error::new(ErrorKind::Bug, format!("{}: {error}", path.display())),
    }
}

/// An error of writing a new file, as the store had it.
pub(crate) fn in_writing(path: &Path, error: io::Error) -> Error {
    match store_error(&error) {
        Some(error) => error.into(),
        None => Error::io(path, "write", error),
    }
}
