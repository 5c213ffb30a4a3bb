//! Where outputs go: a directory or an object store.
//!
//! `address.rs` reads what the user wrote, `local.rs` is a directory, `remote.rs` an object store,
//! `store_error.rs` says what went wrong with one.

mod address;
mod local;
mod remote;
mod store_error;

use std::io::Write;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use address::Address;
use local::Local;
use remote::Remote;

/// The name of the object that [`Destination::check`] writes and removes.
const PROBE: &str = ".nephila-write-check";

/// A place for whole files: a directory, or a prefix of a bucket of an object store.
///
/// Every call blocks the thread it is made on, which must not be one of an asynchronous runtime:
/// an object store is spoken to on a runtime of this value's own. Names are relative paths with
/// `/` between their parts.
#[derive(Debug)]
pub struct Destination {
    address: Address,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Local(Local),
    Remote(Box<Remote>),
}

impl Destination {
    /// Reads `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or
    /// `file:///absolute/path`; the prefix may be missing. Nothing is asked of the place yet.
    ///
    /// Credentials, region and endpoint of an object store come from the environment, under the
    /// names that its own tools have: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`; `GOOGLE_APPLICATION_CREDENTIALS`;
    /// `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for another form, for credentials in the address, and for a setting of
    /// the environment that cannot be used.
    pub fn parse(text: &str) -> Result<Destination, Error> {
        let settings: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let settings = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Destination::with_settings(text, settings)
    }

    /// As [`Destination::parse`], with these settings in place of the environment's.
    ///
    /// # Errors
    /// Those of [`Destination::parse`].
    pub fn with_settings<'s>(
        text: &str,
        settings: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Result<Destination, Error> {
        let address = Address::parse(text)?;
        let place = match &address {
            Address::Directory(path) => Place::Local(Local::at(path)),
            Address::Bucket(bucket) => {
                let settings: Vec<(&str, &str)> = settings.into_iter().collect();
                Place::Remote(Box::new(Remote::open(bucket, &settings)?))
            }
        };
        Ok(Destination { address, place })
    }

    /// Writes an empty object, `.nephila-write-check`, and removes it again: proves that the place
    /// is there and that it may be written to. In an object store whose credentials may write and
    /// not remove, it stays. Takes at most 30 seconds.
    ///
    /// # Errors
    /// Says what, where and what to do: no credentials, no such bucket, no connection, no right.
    pub fn check(&self) -> Result<(), Error> {
        match &self.place {
            Place::Local(local) => local.check(PROBE),
            Place::Remote(remote) => remote.check(PROBE),
        }
    }

    /// Stores the file under this name, in place of what has the name. A reader sees the earlier
    /// object or the new one whole. When this returns it is durable: in a directory it is synced
    /// and renamed. A call that failed may be made again.
    ///
    /// A file over 8 MiB goes to an object store in parts; memory stays below 40 MiB for files of
    /// up to 60 GiB. What fails in passing is tried again with growing waits. Takes at most two
    /// minutes and a second for each 128 KiB.
    ///
    /// # Errors
    /// Those of [`Destination::check`], and of reading the file.
    pub fn put(&self, name: &str, file: &Path) -> Result<(), Error> {
        check_name(name)?;
        match &self.place {
            Place::Local(local) => local.put(name, file),
            Place::Remote(remote) => remote.put(name, file),
        }
    }

    /// The names of all objects, sorted.
    ///
    /// # Errors
    /// Those of [`Destination::check`]; [`ErrorKind::Usage`] when there are more than 100,000.
    pub fn list(&self) -> Result<Vec<String>, Error> {
        let mut names = match &self.place {
            Place::Local(local) => local.list(),
            Place::Remote(remote) => remote.list(),
        }?;
        names.sort();
        Ok(names)
    }

    /// Writes the object of this name to `out`; returns its length in bytes. Memory: 8 MiB.
    ///
    /// # Errors
    /// Those of [`Destination::check`], for a name that is not there, and of `out`.
    pub fn get(&self, name: &str, out: &mut dyn Write) -> Result<u64, Error> {
        check_name(name)?;
        match &self.place {
            Place::Local(local) => local.get(name, out),
            Place::Remote(remote) => remote.get(name, out),
        }
    }
}

impl std::fmt::Display for Destination {
    /// The address, as it is written.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address.fmt(formatter)
    }
}

/// Names stay below the place, and every part of them is a name to any file system.
fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control)
    };
    if name.split('/').all(is_plain) && !name.contains('\\') {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!("{name:?} is no name for an output: use a relative path without `..`"),
    ))
}

/// More names than this are not listed.
const LISTED_MAX: usize = 100_000;

fn too_many(place: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("{place} holds more than {LISTED_MAX} objects: choose a longer prefix"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_place() {
        for name in ["a", "pages/part-00000.csv", "a..b/c d"] {
            check_name(name).unwrap();
        }
        for name in ["", "/a", "a/", "a//b", "../a", "a/..", ".", "a\nb", "a\\b"] {
            let error = check_name(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{name:?}");
        }
    }

    #[test]
    fn a_directory_takes_and_gives_back() {
        let root = tempfile::tempdir().unwrap();
        let url = format!("file://{}/out/here", root.path().display());
        let place = Destination::with_settings(&url, []).unwrap();
        place.check().unwrap();
        assert_eq!(place.list().unwrap(), Vec::<String>::new(), "no probe left");
        let file = root.path().join("made");
        for text in ["first", "second, longer", "3"] {
            std::fs::write(&file, text).unwrap();
            place.put("pages/a.csv", &file).unwrap();
            place.put("b", &file).unwrap();
            let mut found = Vec::new();
            let length = place.get("pages/a.csv", &mut found).unwrap();
            assert_eq!(
                (found.as_slice(), length),
                (text.as_bytes(), text.len() as u64)
            );
        }
        assert_eq!(place.list().unwrap(), ["b", "pages/a.csv"]);
        let error = place.get("c", &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("out/here/c"), "{error}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_told() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        let url = format!("file://{}/file/under", root.path().display());
        let error = Destination::with_settings(&url, [])
            .unwrap()
            .check()
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot make "), "{error}");
    }
}
