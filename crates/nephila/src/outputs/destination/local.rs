//! A directory as a destination.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{LISTED_MAX, too_many};
use crate::error::Error;

/// The end of the name that a file has until it is whole.
const UNFINISHED: &str = ".unfinished";

/// A directory, made when it is first written to.
#[derive(Debug)]
pub(super) struct Local {
    root: PathBuf,
}

impl Local {
    pub(super) fn at(root: &Path) -> Local {
        Local {
            root: root.to_owned(),
        }
    }

    /// As [`super::Destination::check`].
    pub(super) fn check(&self, probe: &str) -> Result<(), Error> {
        make_directory(&self.root)?;
        let path = self.root.join(probe);
        fs::write(&path, b"").map_err(|error| Error::io(&path, "write", error))?;
        fs::remove_file(&path).map_err(|error| Error::io(&path, "remove", error))
    }

    /// As [`super::Destination::put`].
    pub(super) fn put(&self, name: &str, file: &Path) -> Result<(), Error> {
        let path = self.root.join(name);
        let directory = path.parent().unwrap_or(&self.root);
        make_directory(directory)?;
        let mut unfinished = OsString::from(path.as_os_str());
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let stored = copy_and_sync(file, &unfinished).and_then(|()| {
            fs::rename(&unfinished, &path).map_err(|error| Error::io(&path, "make", error))
        });
        if stored.is_err() {
            // What is left of it is of no use; a failure to remove it changes nothing.
            let _ = fs::remove_file(&unfinished);
        }
        stored?;
        sync_directory(directory)
    }

    /// As [`super::Destination::list`]; symbolic links are not followed.
    pub(super) fn list(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut open = vec![(self.root.clone(), String::new())];
        while let Some((directory, prefix)) = open.pop() {
            let failed = |error| Error::io(&directory, "list", error);
            for entry in fs::read_dir(&directory).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    open.push((entry.path(), format!("{prefix}{name}/")));
                } else if kind.is_file() && !name.ends_with(UNFINISHED) {
                    names.push(format!("{prefix}{name}"));
                }
                if names.len() + open.len() > LISTED_MAX {
                    return Err(too_many(&self.root.display()));
                }
            }
        }
        Ok(names)
    }

    /// As [`super::Destination::get`].
    pub(super) fn get(&self, name: &str, mut out: &mut dyn Write) -> Result<u64, Error> {
        let path = self.root.join(name);
        let mut file = File::open(&path).map_err(|error| Error::io(&path, "open", error))?;
        io::copy(&mut file, &mut out).map_err(|error| Error::io(&path, "copy", error))
    }
}

fn copy_and_sync(from: &Path, to: &Path) -> Result<(), Error> {
    let mut source = File::open(from).map_err(|error| Error::io(from, "open", error))?;
    let mut target = File::create(to).map_err(|error| Error::io(to, "make", error))?;
    io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(|error| Error::io(to, "write", error))
}

/// Makes the directory and those above it, and syncs the name of each that is new.
fn make_directory(directory: &Path) -> Result<(), Error> {
    let missing: Vec<&Path> = directory
        .ancestors()
        .take_while(|ancestor| !ancestor.is_dir())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(directory).map_err(|error| Error::io(directory, "make", error))?;
    for made in missing {
        if let Some(parent) = made.parent() {
            sync_directory(parent)?;
        }
    }
    Ok(())
}

fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| Error::io(directory, "sync", error))
}
