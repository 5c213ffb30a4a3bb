//! The one error of the crate.

use std::io;
use std::path::Path;

/// Why a measurement could not be made. What a machine merely lacks is not an error: it stands in the
/// report.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Inner);

#[derive(Debug, thiserror::Error)]
enum Inner {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("cannot start {program}: {source}")]
    NotStarted { program: String, source: io::Error },
    #[error("{0}")]
    Task(String),
}

/// What kind of trouble an [`Error`] is, for a program that acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused.
    Io,
    /// A program that was named is not there, or may not be run.
    NotStarted,
    /// A measuring process of the lab failed, or its arithmetic came out wrong.
    Task,
}

impl Error {
    /// What kind of trouble this is.
    pub fn kind(&self) -> ErrorKind {
        match self.0 {
            Inner::Io { .. } => ErrorKind::Io,
            Inner::NotStarted { .. } => ErrorKind::NotStarted,
            Inner::Task(_) => ErrorKind::Task,
        }
    }

    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Inner::Io { what, source }.into()
    }

    pub(crate) fn not_started(program: &Path, source: io::Error) -> Self {
        let program = program.display().to_string();
        Inner::NotStarted { program, source }.into()
    }

    pub(crate) fn task(what: impl Into<String>) -> Self {
        Inner::Task(what.into()).into()
    }
}
