//! What keeps the test web from being served.

use std::error::Error as StdError;

/// Why a server could not be started or a log not be read.
#[derive(Debug, thiserror::Error)]
#[error("{message}: {subject}")]
pub struct Error {
    kind: ErrorKind,
    message: &'static str,
    subject: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter of the web or of the server is out of its bounds.
    Parameter,
    /// The listener could not be opened, or its thread not be started.
    Listen,
    /// The certificates could not be made.
    Certificate,
    /// A line of a log is not what the server writes.
    Log,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, subject: impl Into<String>) -> Self {
        let message = match kind {
            ErrorKind::Parameter => "parameter out of bounds",
            ErrorKind::Listen => "cannot listen",
            ErrorKind::Certificate => "cannot make a certificate",
            ErrorKind::Log => "not a line of a log",
        };
        Self {
            kind,
            message,
            subject: subject.into(),
            source: None,
        }
    }

    pub(crate) fn caused(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Which kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
