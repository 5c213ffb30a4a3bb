//! The CDXJ index of a WARC file, made when the file is whole.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use nephila_store::NewFile;
use nephila_warc::{ReadOptions, Reader, index, to_cdxj};

use crate::error::{Error, ErrorKind};
use crate::publish::in_writing;

/// Reads a WARC file and writes its index, whole or not at all.
///
/// # Errors
/// [`ErrorKind::Corrupt`] with the offset of a record that cannot be read.
pub(crate) fn index_archive(archive: &Path, path: &Path) -> Result<(), Error> {
    let file = File::open(archive).map_err(|error| Error::io(archive, "open", error))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    // What was synced is whole: to inflate it all would take as long as to crawl it.
    let options = ReadOptions {
        trusts_lengths: true,
        ..ReadOptions::default()
    };
    let mut reader = Reader::with_options(BufReader::new(file), options);
    let lines = index(&mut reader, &name).map_err(|error| {
        Error::new(
            ErrorKind::Corrupt,
            format!("{}: {error}", archive.display()),
        )
    })?;
    let mut file = NewFile::create(path, false)?;
    file.write_all(to_cdxj(&lines).as_bytes())
        .map_err(|error| in_writing(path, error))?;
    Ok(file.publish()?)
}
