//! Outputs: the rows of a crawl in other forms, and the places that they go to.
//!
//! A form is a pure function of JSON lines (`form.rs`); every one of them takes the columns from the
//! one table in `columns.rs`. A destination (`destination/`) takes whole files.

mod columns;
mod convert_error;
mod csv;
pub(crate) mod csv_cell;
mod destination;
mod form;
mod json_lines;
mod json_object;
mod parquet;
mod parquet_column;
mod row_lines;
mod row_values;
mod timestamp;

pub use convert_error::ConvertError;
pub use destination::Destination;
pub use form::{RowForm, convert_rows};

/// Bytes that are gathered before they go to an output.
const BUFFER_BYTES: usize = 64 * 1024;
