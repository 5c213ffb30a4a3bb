//! The columns of a row in every form that has columns: one table.

/// What a column holds, and so its type in each form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// A string.
    Text,
    /// A whole number that fits 32 bits with its sign.
    Int32,
    /// A whole number that fits 64 bits with its sign.
    Int64,
    /// A moment as RFC 3339 in UTC with milliseconds.
    Moment,
    /// An array of strings.
    Texts,
    /// An array of objects of [`OUTLINK_PARTS`].
    Outlinks,
    /// An object of [`TIMES_PARTS`].
    Times,
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name: that of the row's field.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: ColumnKind,
    /// Every row has it, and not as `null`.
    pub(crate) is_required: bool,
    /// Its values come again and again, so that a dictionary makes the file smaller.
    pub(crate) repeats: bool,
}

/// How many columns there are.
pub(crate) const COLUMN_COUNT: usize = COLUMNS.len();

/// The parts of one outlink, each a string.
pub(crate) const OUTLINK_PARTS: [&str; 4] = ["url", "text", "rel", "kind"];

/// The parts of `times`, each a number of milliseconds.
pub(crate) const TIMES_PARTS: [&str; 7] = [
    "queue",
    "dns",
    "connect",
    "tls",
    "first_byte",
    "body",
    "parse",
];

/// The name of the column that says which version of the row format a row has.
pub(crate) const VERSION: &str = "version";

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column {
        name,
        kind,
        is_required: false,
        repeats: false,
    }
}

const fn required(name: &'static str, kind: ColumnKind) -> Column {
    Column {
        is_required: true,
        ..column(name, kind)
    }
}

const fn repeating(column: Column) -> Column {
    Column {
        repeats: true,
        ..column
    }
}

use ColumnKind::{Int32, Int64, Moment, Outlinks, Text, Texts, Times};

/// Every column, in the order of the row's fields.
pub(crate) const COLUMNS: &[Column] = &[
    required(VERSION, Int32),
    required("url", Text),
    repeating(required("host", Text)),
    repeating(required("kind", Text)),
    repeating(required("outcome", Text)),
    column("status", Int32),
    repeating(column("http_version", Text)),
    repeating(column("content_type", Text)),
    repeating(column("charset", Text)),
    required("wire_bytes", Int64),
    required("body_bytes", Int64),
    column("redirect_target", Text),
    column("canonical", Text),
    column("title", Text),
    column("description", Text),
    repeating(column("language", Text)),
    column("robots", Text),
    column("digest", Text),
    column("simhash", Text),
    column("duplicate_of", Text),
    required("outlinks", Outlinks),
    required("warnings", Texts),
    column("text", Text),
    column("body", Text),
    required("hops", Int32),
    column("referrer", Text),
    required("fetched_at", Moment),
    required("times", Times),
    required("attempts", Int32),
    column("address", Text),
    column("error", Text),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::ROW_FIELDS;

    #[test]
    fn the_columns_are_the_fields_of_a_row_in_their_order() {
        let mut names = Vec::new();
        for column in COLUMNS {
            names.push(column.name.to_owned());
            let parts: &[&str] = match column.kind {
                Outlinks => &OUTLINK_PARTS,
                Times => &TIMES_PARTS,
                _ => &[],
            };
            names.extend(parts.iter().map(|part| format!("{}.{part}", column.name)));
        }
        let fields: Vec<&str> = ROW_FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(names, fields);
    }

    #[test]
    fn a_column_may_be_absent_where_the_field_may() {
        for column in COLUMNS {
            let Some(field) = ROW_FIELDS.iter().find(|field| field.name == column.name) else {
                continue;
            };
            let is_nullable = field.json.contains("null") || field.json.contains("only with");
            assert_eq!(!column.is_required, is_nullable, "{}", column.name);
        }
    }
}
