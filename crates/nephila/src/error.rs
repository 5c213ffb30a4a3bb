//! Errors: the crawl cannot go on. What happens to a URL is an outcome, never an error.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::options::BadSetting;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// An option, a seed or another input of the user is wrong.
    Usage,
    /// The crawl directory exists already.
    Exists,
    /// The directory is no crawl directory.
    NotACrawl,
    /// Another process has the crawl directory open.
    Locked,
    /// The disk or the quota is full.
    Full,
    /// The place cannot be written to.
    ReadOnly,
    /// What is on the disk is damaged.
    Corrupt,
    /// It was written by another version.
    Version,
    /// Any other failure of the operating system.
    Io,
    /// The network could not be set up, as with an unreadable certificate file.
    Network,
    /// A bug in this program.
    Bug,
}

/// The crawl cannot go on. `Display` says what, where and what to do.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind, in words for the user.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            path: None,
            source: None,
        }
    }

    /// An error of the operating system on this path.
    pub(crate) fn io(path: &Path, doing: &str, error: std::io::Error) -> Error {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
            Io::ReadOnlyFilesystem | Io::PermissionDenied => ErrorKind::ReadOnly,
            _ => ErrorKind::Io,
        };
        let advice = match kind {
            ErrorKind::Full => ": free some space, then go on with `nephila resume`",
            ErrorKind::ReadOnly => ": choose a place that you may write to",
            _ => "",
        };
        Error {
            kind,
            message: format!("cannot {doing} {}: {error}{advice}", path.display()),
            path: Some(path.to_owned()),
            source: Some(Box::new(error)),
        }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The file or directory that it happened on, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<BadSetting> for Error {
    fn from(error: BadSetting) -> Error {
        Error {
            kind: ErrorKind::Usage,
            message: error.to_string(),
            path: None,
            source: Some(Box::new(error)),
        }
    }
}

impl From<nephila_store::Error> for Error {
    fn from(error: nephila_store::Error) -> Error {
        use nephila_store::ErrorKind as Store;
        let kind = match error.kind() {
            Store::Locked => ErrorKind::Locked,
            Store::Full => ErrorKind::Full,
            Store::ReadOnly => ErrorKind::ReadOnly,
            Store::Corrupt => ErrorKind::Corrupt,
            Store::Version => ErrorKind::Version,
            Store::NotACrawl => ErrorKind::NotACrawl,
            _ => ErrorKind::Io,
        };
        Error {
            kind,
            message: error.to_string(),
            path: Some(error.path().to_owned()),
            source: Some(Box::new(error)),
        }
    }
}

/// A failure of the storage under the frontier.
impl From<nephila_frontier::StorageError> for Error {
    fn from(error: nephila_frontier::StorageError) -> Error {
        match error.downcast::<nephila_store::Error>() {
            Ok(error) => Error::from(*error),
            Err(error) => Error {
                kind: ErrorKind::Corrupt,
                message: error.to_string(),
                path: None,
                source: Some(error),
            },
        }
    }
}

impl From<nephila_fetch::Error> for Error {
    fn from(error: nephila_fetch::Error) -> Error {
        Error {
            kind: ErrorKind::Network,
            message: error.to_string(),
            path: None,
            source: Some(Box::new(error)),
        }
    }
}
