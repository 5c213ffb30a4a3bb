//! What is no row is refused, with its line, in every form.

use std::io::{self, Write};

use nephila::{ConvertError, RowForm, convert_rows};
use serde_json::{Value, json};

use crate::rows;

fn converted(form: RowForm, lines: &[u8]) -> Result<u64, ConvertError> {
    convert_rows(form, lines, io::sink())
}

/// Two good rows, then this.
fn third(line: &str) -> Vec<u8> {
    let mut lines = rows::lines(2);
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
    lines
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut row = rows::row(5);
    change(&mut row);
    row.to_string()
}

fn without(field: &str) -> String {
    changed(|row| {
        row.as_object_mut().unwrap().remove(field);
    })
}

fn assert_refused(form: RowForm, line: &str, problem: &str) {
    let error = converted(form, &third(line)).unwrap_err();
    assert!(
        matches!(error, ConvertError::Row { line: 3, .. }),
        "{form:?}: {error}"
    );
    let text = error.to_string();
    assert!(text.contains(problem), "{form:?}, {problem}: {text}");
    assert!(text.len() < 400 && !text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn what_is_no_row_is_refused_by_every_form() {
    let cut = rows::row(1).to_string();
    for form in RowForm::ALL {
        assert_refused(form, "", "EOF");
        assert_refused(form, "[]", "an object");
        assert_refused(form, &format!("\"{}\"", "x".repeat(10_000)), "invalid type");
        assert_refused(form, &cut[..cut.len() - 1], "EOF");
        assert_refused(form, &without("url"), "no `url`");
        assert_refused(form, &without("times"), "no `times`");
        assert_refused(
            form,
            &changed(|row| row["outlinks"] = Value::Null),
            "no `outlinks`",
        );
        let escape = changed(|row| row["\u{1b}[31mnew"] = json!(1));
        assert_refused(form, &escape, "a field \"\\u{1b}[31mnew\"");
    }
}

#[test]
fn values_of_another_type_are_refused_where_columns_have_types() {
    let wrong = [
        ("status", json!("200")),
        ("title", json!(1)),
        ("outlinks", json!({})),
        ("times", json!([])),
        ("fetched_at", json!(0)),
    ];
    for (field, value) in wrong {
        let line = changed(|row| row[field] = value);
        for form in [RowForm::Csv, RowForm::Parquet] {
            assert_refused(form, &line, &format!("`{field}`"));
        }
    }
    let wrong = [
        ("wire_bytes", json!(1.5)),
        ("body_bytes", json!(u64::MAX)),
        ("hops", json!(1_u64 << 31)),
        ("warnings", json!([1])),
        ("fetched_at", json!("yesterday")),
        ("outlinks", json!([{"url": "u"}])),
        (
            "outlinks",
            json!([{"url": "u", "text": "", "rel": "", "kind": "", "x": 1}]),
        ),
        ("times", json!({"queue": 1})),
    ];
    for (field, value) in wrong {
        let line = changed(|row| row[field] = value);
        assert_refused(RowForm::Parquet, &line, &format!("`{field}`"));
    }
}

#[test]
fn what_a_newer_version_knows_more_is_passed_by() {
    let line = changed(|row| {
        row["version"] = json!(2);
        row["mood"] = json!({"a": [1]});
        row["times"]["tea"] = json!(1);
        row["outlinks"][0]["colour"] = json!("red");
    });
    for form in RowForm::ALL {
        assert_eq!(converted(form, &third(&line)).unwrap(), 3, "{form:?}");
    }
}

/// Takes so many bytes and then says that the disk is full.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_one() {
    let lines = rows::lines(300);
    for form in RowForm::ALL {
        let mut whole = Vec::new();
        convert_rows(form, lines.as_slice(), &mut whole).unwrap();
        for room in [0, 100, whole.len() / 2, whole.len() - 1] {
            match convert_rows(form, lines.as_slice(), Full(room)) {
                Err(ConvertError::Write(error)) => {
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{form:?}");
                }
                other => panic!("{form:?} with room for {room}: {other:?}"),
            }
        }
    }
}
