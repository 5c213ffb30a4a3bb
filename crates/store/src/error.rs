//! The one error of the crate.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the store could not do what it was asked; the crawl cannot go on.
///
/// Its text says where, what and what to do, the operating system's reason included; `source()` gives
/// that reason to programs. A clone is the same error, which a poisoned log answers again and again.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(Arc<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{}: {what}{}; {}", path.display(), Reason(source.as_ref()), kind.advice())]
struct Inner {
    kind: ErrorKind,
    path: PathBuf,
    what: Cow<'static, str>,
    source: Option<io::Error>,
}

/// The operating system's reason, after a colon, where there is one.
struct Reason<'a>(Option<&'a io::Error>);

impl std::fmt::Display for Reason<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .map_or(Ok(()), |reason| write!(formatter, ": {reason}"))
    }
}

/// What kind of trouble an [`Error`] is, for a program that acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused, for a reason that is none of the others.
    Io,
    /// Bytes that were once durable are damaged or missing.
    Corrupt,
    /// Another process has the directory open.
    Locked,
    /// No space, or no quota, is left on the disk, or the process may write no larger files
    /// (`ulimit -f`).
    Full,
    /// The directory or its file system may not be written.
    ReadOnly,
    /// The directory holds no commit log.
    NotACrawl,
    /// A crawl is there already where a new one was to be made.
    Exists,
    /// The files were written by another version of the format.
    Version,
    /// A payload or a block is above its documented bound.
    TooLarge,
}

impl ErrorKind {
    fn advice(self) -> &'static str {
        match self {
            Self::Io => "nothing committed is lost: check the disk and the path, then resume",
            Self::Corrupt => "it was damaged after it was written: check the disk, restore a copy",
            Self::Locked => "wait until that process ends, or stop it",
            Self::Full => "nothing committed is lost: free some space there, then resume",
            Self::ReadOnly => "make it writable for this user, or choose another directory",
            Self::NotACrawl => "name a directory that a crawl has made",
            Self::Exists => "resume the crawl that is there, or choose another directory",
            Self::Version => "use the version of Nephila that wrote it",
            Self::TooLarge => "write it in smaller pieces",
        }
    }
}

/// Whether an operation that failed was to change something: permission denied then means read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Error {
    /// An error of kind [`ErrorKind::Corrupt`] that a caller answers from a replay whose payload it
    /// cannot decode. `what` says what was found.
    pub fn corrupt(path: &Path, what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Corrupt, path, what)
    }

    /// What kind of trouble this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file or directory on which it happened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub(crate) fn new(kind: ErrorKind, path: &Path, what: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            path: path.to_owned(),
            what: what.into(),
            source: None,
        }))
    }

    pub(crate) fn io(what: &'static str, path: &Path, access: Access, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => ErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            io::ErrorKind::PermissionDenied if access == Access::Write => ErrorKind::ReadOnly,
            _ => ErrorKind::Io,
        };
        let inner = Inner {
            kind,
            path: path.to_owned(),
            what: what.into(),
            source: Some(source),
        };
        Self(Arc::new(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn the_text_says_where_what_why_and_what_to_do() {
        let full = io::Error::from_raw_os_error(28);
        let error = Error::io("cannot write", Path::new("/crawl/log"), Access::Write, full);
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(error.path(), Path::new("/crawl/log"));
        assert!(
            error
                .source()
                .is_some_and(<dyn std::error::Error>::is::<io::Error>)
        );
        let text = error.to_string();
        for part in [
            "/crawl/log",
            "cannot write",
            "No space left",
            "free some space",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }

    #[test]
    fn permission_denied_means_read_only_only_where_something_was_to_be_written() {
        let kind = |access| {
            let denied = io::Error::from(io::ErrorKind::PermissionDenied);
            Error::io("cannot open", Path::new("x"), access, denied).kind()
        };
        assert_eq!(kind(Access::Write), ErrorKind::ReadOnly);
        assert_eq!(kind(Access::Read), ErrorKind::Io);
    }

    #[test]
    fn a_result_stays_small_on_the_hot_path() {
        assert!(size_of::<Result<bool, Error>>() <= 16);
    }
}
