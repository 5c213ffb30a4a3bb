//! The CDXJ index of a WARC file, made when the file is whole.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use nephila_store::NewFile;
use nephila_warc::{Reader, index, to_cdxj};

use crate::error::{Error, ErrorKind};
use crate::publish::in_writing;

/// Reads a WARC file and writes its index, whole or not at all.
///
/// # Errors
/// [`ErrorKind::Corrupt`] with the offset of a record that cannot be read.
pub(crate) fn index_archive(archive: &Path, path: &Path) -> Result<(), Error> {
    let file = File::open(archive).map_err(|error| Error::io(archive, "open", error))?;
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let lines = index(&mut Reader::new(BufReader::new(file)), &name).map_err(|error| {
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
