//! A line as the values of its columns, checked as far as every form needs it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::columns::{COLUMN_COUNT, COLUMNS, Column, VERSION};
use super::json_object::{JsonObject, Names};
use crate::row::ROW_VERSION;

/// The names of the columns.
const NAMES: Names<COLUMN_COUNT> = Names(names());

const fn names() -> [&'static str; COLUMN_COUNT] {
    let mut names = [""; COLUMN_COUNT];
    let mut place = 0;
    while place < COLUMN_COUNT {
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated by the compiler; the bound is the length of both"
        )]
        {
            names[place] = COLUMNS[place].name;
        }
        place += 1;
    }
    names
}

/// The values of one row.
pub(crate) struct RowValues<'a> {
    values: [Option<&'a RawValue>; COLUMN_COUNT],
    /// The row was written by a program that knows more: what this one does not know is passed by.
    pub(crate) is_newer: bool,
}

impl<'a> RowValues<'a> {
    /// Takes a line apart. What a required column lacks, and a field that no column takes, is
    /// an error; the latter not where the row's version is above [`ROW_VERSION`].
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn read(line: &'a [u8]) -> Result<RowValues<'a>, String> {
        let JsonObject { values, unknown } = NAMES.read(line).map_err(|error| shown(&error))?;
        let mut is_newer = false;
        for (column, value) in COLUMNS.iter().zip(&values) {
            if column.is_required && value.is_none() {
                return Err(format!("it has no `{}`", column.name));
            }
            if let (VERSION, Some(value)) = (column.name, value) {
                let version: i32 = number(value).map_err(|what| named(column, &what))?;
                is_newer = i64::from(version) > i64::from(ROW_VERSION);
            }
        }
        match unknown {
            Some(name) if !is_newer => Err(format!(
                "it has a field {} that version {ROW_VERSION} of the format does not",
                quoted(&name)
            )),
            _ => Ok(RowValues { values, is_newer }),
        }
    }

    /// Each column with its value, in the order of the table.
    pub(crate) fn each(
        &self,
    ) -> impl Iterator<Item = (&'static Column, Option<&'a RawValue>)> + '_ {
        COLUMNS.iter().zip(self.values.iter().copied())
    }
}

/// A problem of this column's value.
pub(crate) fn named(column: &Column, what: &str) -> String {
    format!("`{}` {what}", column.name)
}

/// Text of a row as part of a message: escaped and cut.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    format!("{shown:?}")
}

/// An error of the JSON reader, cut: it may quote the row.
pub(crate) fn shown(error: &serde_json::Error) -> String {
    const SHOWN_CHARS: usize = 200;
    error.to_string().chars().take(SHOWN_CHARS).collect()
}

/// A number.
pub(crate) fn number<T: std::str::FromStr>(value: &RawValue) -> Result<T, String> {
    let wrong = || format!("is no number that fits: {}", quoted(value.get()));
    value.get().parse().map_err(|_| wrong())
}

/// A JSON string, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// A string, borrowed where nothing in it is escaped.
pub(crate) fn text(value: &RawValue) -> Result<Cow<'_, str>, String> {
    // A value is JSON: without an escape a string is what stands between its quotes.
    let inner = value.get().strip_prefix('"');
    if let Some(inner) = inner.and_then(|rest| rest.strip_suffix('"'))
        && !inner.contains('\\')
    {
        return Ok(Cow::Borrowed(inner));
    }
    let wrong = |_| format!("is no string: {}", quoted(value.get()));
    serde_json::from_str(value.get())
        .map(|Text(text)| text)
        .map_err(wrong)
}
