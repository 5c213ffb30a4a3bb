//! Every form holds the same rows, to the programs that people read them with.

use std::path::{Path, PathBuf};

use nephila::{RowForm, convert_rows};

use crate::{python, rows};

struct Files {
    root: tempfile::TempDir,
    rows: PathBuf,
}

impl Files {
    fn new(lines: &[u8]) -> Files {
        let root = tempfile::tempdir().unwrap();
        let rows = root.path().join("rows.jsonl");
        std::fs::write(&rows, lines).unwrap();
        Files { root, rows }
    }

    fn convert(&self, form: RowForm) -> PathBuf {
        let path = self
            .root
            .path()
            .join(format!("part-00000.{}", form.extension()));
        let reader = std::io::BufReader::new(std::fs::File::open(&self.rows).unwrap());
        let count = convert_rows(form, reader, std::fs::File::create(&path).unwrap()).unwrap();
        let lines = std::fs::read(&self.rows).unwrap();
        assert_eq!(
            count,
            lines.iter().filter(|byte| **byte == b'\n').count() as u64
        );
        path
    }

    fn compare(&self, python: &Path, script: &str, path: &Path, more: &[&str]) {
        let mut arguments = vec![self.rows.to_str().unwrap(), path.to_str().unwrap()];
        arguments.extend(more);
        python::run(python, script, &arguments);
    }
}

const ROWS: usize = 3_000;

#[test]
fn parquet_is_read_by_pyarrow_duckdb_and_polars() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let files = Files::new(&rows::lines(ROWS));
    let path = files.convert(RowForm::Parquet);
    files.compare(&python, "compare_parquet.py", &path, &["1"]);
}

#[test]
fn a_large_parquet_file_has_several_row_groups() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let files = Files::new(&rows::heavy_lines(40));
    let path = files.convert(RowForm::Parquet);
    files.compare(&python, "compare_parquet.py", &path, &["2"]);
}

#[test]
fn csv_is_read_by_python_and_duckdb() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let files = Files::new(&rows::lines(ROWS));
    let path = files.convert(RowForm::Csv);
    files.compare(&python, "compare_csv.py", &path, &["1000"]);
}

#[test]
fn json_lines_come_back_from_each_compression() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let files = Files::new(&rows::lines(ROWS));
    for form in [RowForm::Jsonl, RowForm::JsonlGzip, RowForm::JsonlZstd] {
        // The rows themselves are `rows.jsonl`.
        let path = files.convert(form);
        files.compare(&python, "compare_lines.py", &path, &[]);
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let files = Files::new(&rows::lines(500));
    for form in RowForm::ALL {
        let first = std::fs::read(files.convert(form)).unwrap();
        let second = std::fs::read(files.convert(form)).unwrap();
        assert!(first == second, "{form:?}");
    }
}

#[test]
fn no_rows_are_a_whole_file_too() {
    for form in RowForm::ALL {
        let mut out = Vec::new();
        assert_eq!(convert_rows(form, &b""[..], &mut out).unwrap(), 0);
        let is_empty = form == RowForm::Jsonl;
        assert_eq!(out.is_empty(), is_empty, "{form:?}");
    }
    let Some(python) = python::interpreter() else {
        return;
    };
    // A header, or a footer, without rows.
    let files = Files::new(b"");
    let path = files.convert(RowForm::Parquet);
    let script = "import sys, polars; assert polars.read_parquet(sys.argv[1]).shape == (0, 31)";
    let mut command = std::process::Command::new(python);
    let status = command.args(["-c", script]).arg(path).status();
    assert!(status.unwrap().success());
}
