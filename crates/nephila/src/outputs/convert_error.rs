//! Why rows could not be converted.

use std::io;

use parquet::errors::ParquetError;

/// Rows could not be converted. What was written until then is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The rows could not be read.
    #[error("cannot read the rows: {0}")]
    Read(#[source] io::Error),
    /// A line is no row of this program.
    #[error("line {line} is no row: {problem}")]
    Row {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it; text from the row is quoted and escaped.
        problem: String,
    },
    /// The output could not be written.
    #[error("cannot write the rows: {0}")]
    Write(#[source] io::Error),
    /// The Parquet writer refused: a bug of this program.
    #[error("cannot make the Parquet file: {0}")]
    Parquet(#[source] ParquetError),
}

impl From<ParquetError> for ConvertError {
    /// A failure to write stays one, so that a full disk can be told from a bug.
    fn from(error: ParquetError) -> ConvertError {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(error) => ConvertError::Write(*error),
                Err(source) => ConvertError::Parquet(ParquetError::External(source)),
            },
            error => ConvertError::Parquet(error),
        }
    }
}
