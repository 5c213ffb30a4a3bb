//! Whether a crawl that ended is what it would have been had nobody killed it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::archive::Record;
use super::files::{self, Holds, Row};
use super::readers::Readers;

/// Cases of a finding that are shown.
const SHOWN: usize = 3;

/// All that a crawl has put out.
#[derive(Default)]
pub(super) struct Output {
    /// By file name without its form: `part-00000`.
    rows: BTreeMap<String, Vec<Row>>,
    /// The same rows in each other form, by the form's file name.
    forms: BTreeMap<String, Vec<Row>>,
    records: Vec<Record>,
    /// Whether one of the forms is an archive.
    has_archive: bool,
    index: Vec<String>,
    summary: Value,
}

/// Names that may be left of a crawl that has ended: no file that is begun and not whole.
pub(super) fn left_over(crawl: &Path) -> Vec<String> {
    let mut left = Vec::new();
    for path in files::below(crawl) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if [".open", ".new", ".aside"]
            .iter()
            .any(|end| name.contains(end))
        {
            left.push(format!("{} is left over", path.display()));
        }
    }
    left
}

impl Output {
    /// Reads everything in a crawl directory. `formats` as the command has them.
    ///
    /// # Errors
    /// When a file cannot be read to its end.
    pub(super) fn read(
        crawl: &Path,
        formats: &[&str],
        readers: &Readers,
    ) -> anyhow::Result<Output> {
        let mut output = Output {
            has_archive: formats.iter().any(|format| format.starts_with("warc")),
            ..Output::default()
        };
        let kept = match formats.contains(&"jsonl") {
            true => "pages",
            false => "state/rows",
        };
        for directory in [kept, "pages", "warc"] {
            for path in files::below(&crawl.join(directory)) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let part = name.split('.').next().unwrap_or_default().to_owned();
                let is_kept = match directory {
                    "pages" => kept == "pages" && name.ends_with(".jsonl"),
                    directory => directory == kept,
                };
                match files::read(&path, readers)? {
                    // A part may be there plain and packed: then they have to be the same.
                    Holds::Rows(rows) if is_kept && !output.rows.contains_key(&part) => {
                        output.rows.insert(part, rows);
                    }
                    Holds::Rows(rows) => {
                        output.forms.insert(name.into_owned(), rows);
                    }
                    Holds::Records(records) => output.records.extend(records),
                    Holds::Index(urls) => output.index.extend(urls),
                    Holds::Unread => {}
                }
            }
        }
        let summary = std::fs::read(crawl.join("summary.json")).unwrap_or_default();
        output.summary = serde_json::from_slice(&summary).unwrap_or_default();
        Ok(output)
    }

    /// What is wrong with it by itself, once the crawl has come to its end.
    pub(super) fn faults(&self, crawl: &Path, formats: &[&str]) -> Vec<String> {
        let mut faults = self.form_faults(crawl, formats);
        faults.extend(left_over(crawl));
        let rows = self.rows.values().flatten();
        let pages = rows.filter(|row| row.key.0 == "page").count();
        if self.summary.get("pages").and_then(Value::as_u64) != Some(pages as u64) {
            faults.push(format!("summary.json does not count {pages} pages"));
        }
        if self.summary.get("stopped").and_then(Value::as_str) != Some("done") {
            faults.push("summary.json does not say that it is done".to_owned());
        }
        faults
    }

    /// What is wrong with it whether or not the crawl has come to its end: the forms are not the same.
    pub(super) fn form_faults(&self, crawl: &Path, formats: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut keys = BTreeSet::new();
        let all = || self.rows.values().flatten();
        let twice = all().filter(|row| !keys.insert(&row.key));
        tell(
            &mut faults,
            "rows stand twice",
            twice.map(|row| row.key.1.clone()),
        );
        for form in formats.iter().filter(|form| !form.starts_with("warc")) {
            for part in self.rows.keys() {
                let name = format!("{part}.{form}");
                if *form != "jsonl" && !self.forms.contains_key(&name) && *form != "parquet" {
                    faults.push(format!("{name} is not there"));
                }
                if *form == "parquet" && !crawl.join("pages").join(&name).is_file() {
                    faults.push(format!("{name} is not there"));
                }
            }
        }
        for (name, rows) in &self.forms {
            let part = name.split('.').next().unwrap_or_default();
            let Some(truth) = self.rows.get(part) else {
                faults.push(format!("{name} is of a part that is not there"));
                continue;
            };
            let same = rows.iter().map(|row| (&row.key, &row.facts));
            if !same.eq(truth.iter().map(|row| (&row.key, &row.facts))) {
                faults.push(format!("{name} has other rows than its part"));
            }
        }
        self.archive_faults(&mut faults);
        faults
    }

    /// Every answer has its records once, every revisit what it stands for, every answer its line.
    fn archive_faults(&self, faults: &mut Vec<String>) {
        let mut ids = BTreeSet::new();
        let twice = self.records.iter().filter(|record| !ids.insert(&record.id));
        tell(
            faults,
            "WARC records stand twice",
            twice.map(|record| record.url.clone()),
        );
        let responses: BTreeSet<&str> = self
            .records
            .iter()
            .filter(|record| record.kind == "response")
            .map(|record| record.url.as_str())
            .collect();
        let dangling = self.records.iter().filter(|record| {
            let original = record.refers_to.as_deref();
            record.kind == "revisit" && !original.is_some_and(|url| responses.contains(url))
        });
        tell(
            faults,
            "revisits of nothing",
            dangling.map(|record| record.url.clone()),
        );
        let archived = self.archived();
        for kind in ["request", "metadata"] {
            let same: Vec<&str> = self.urls_of(&[kind]);
            if same != archived {
                faults.push(format!("answers and their {kind} records are not the same"));
            }
        }
        let mut index: Vec<&str> = self.index.iter().map(String::as_str).collect();
        index.sort_unstable();
        if index != archived {
            faults.push("the index has other URLs than the archive".to_owned());
        }
    }

    /// The URLs of answers in the archive, sorted, each as often as it stands there.
    fn archived(&self) -> Vec<&str> {
        self.urls_of(&["response", "revisit"])
    }

    fn urls_of(&self, kinds: &[&str]) -> Vec<&str> {
        let records = self.records.iter();
        let mut urls: Vec<&str> = records
            .filter(|record| kinds.contains(&record.kind.as_str()))
            .map(|record| record.url.as_str())
            .collect();
        urls.sort_unstable();
        urls
    }

    /// How it differs from the crawl that nobody killed.
    pub(super) fn differences(&self, reference: &Output) -> Vec<String> {
        let mut found = Vec::new();
        let (ours, theirs) = (self.by_key(), reference.by_key());
        let missing = theirs.keys().filter(|key| !ours.contains_key(*key));
        tell(
            &mut found,
            "rows are missing",
            missing.map(|key| key.1.clone()),
        );
        let unknown = ours.keys().filter(|key| !theirs.contains_key(*key));
        tell(
            &mut found,
            "rows are too many",
            unknown.map(|key| key.1.clone()),
        );
        let differs = ours
            .iter()
            .filter(|(key, row)| theirs.get(*key).is_some_and(|other| other != *row));
        tell(
            &mut found,
            "rows differ",
            differs.map(|(key, _)| key.1.clone()),
        );
        if self.has_archive && self.archived() != reference.archived() {
            let theirs: BTreeSet<&str> = reference.archived().into_iter().collect();
            let ours: BTreeSet<&str> = self.archived().into_iter().collect();
            let odd = theirs
                .symmetric_difference(&ours)
                .map(|url| (*url).to_owned());
            tell(&mut found, "URLs are archived in one of the two only", odd);
            if ours == theirs {
                found.push("URLs are archived another number of times".to_owned());
            }
        }
        found
    }

    fn by_key(&self) -> BTreeMap<&(String, String), &str> {
        let rows = self.rows.values().flatten();
        rows.map(|row| (&row.key, row.whole.as_str())).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// How many parts they are in.
    pub(super) fn parts(&self) -> usize {
        self.rows.len()
    }
}

/// Adds a finding with its first cases, where there is one.
fn tell(found: &mut Vec<String>, what: &str, cases: impl Iterator<Item = String>) {
    let cases: Vec<String> = cases.collect();
    if !cases.is_empty() {
        let shown = cases
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        found.push(format!("{} {what}: {shown}", cases.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(url: &str, facts: &str) -> Row {
        Row {
            key: ("page".into(), url.into()),
            facts: facts.into(),
            whole: facts.into(),
        }
    }

    fn output(rows: Vec<Row>) -> Output {
        let pages = rows.len();
        Output {
            rows: BTreeMap::from([("part-00000".to_owned(), rows)]),
            summary: serde_json::json!({ "pages": pages, "stopped": "done" }),
            ..Output::default()
        }
    }

    #[test]
    fn lost_added_changed_and_doubled_rows_are_found() {
        let nowhere = Path::new("/nowhere");
        let right = || vec![row("a", "1"), row("b", "2")];
        let reference = output(right());
        assert_eq!(output(right()).differences(&reference), [""; 0]);
        assert_eq!(output(right()).faults(nowhere, &["jsonl"]), [""; 0]);
        let planted = [
            vec![row("a", "1")],
            vec![row("a", "1"), row("b", "2"), row("c", "3")],
            vec![row("a", "1"), row("b", "other")],
        ];
        for rows in planted {
            assert_eq!(output(rows).differences(&reference).len(), 1);
        }
        let twice = output([right(), right()].concat());
        assert_eq!(twice.faults(nowhere, &["jsonl"]).len(), 1);
        let mut missing = output(right());
        missing
            .forms
            .insert("part-00000.csv".to_owned(), vec![row("a", "1")]);
        assert_eq!(missing.faults(nowhere, &["jsonl", "csv"]).len(), 1);
    }

    #[test]
    fn an_archive_has_each_answer_once() {
        let record = |kind: &str, id: &str| Record {
            kind: kind.to_owned(),
            id: id.to_owned(),
            url: "http://a.test/".to_owned(),
            refers_to: None,
        };
        let of = |records: Vec<Record>| Output {
            records,
            index: vec!["http://a.test/".to_owned()],
            has_archive: true,
            ..output(vec![row("a", "1")])
        };
        let right = || {
            vec![
                record("response", "1"),
                record("request", "2"),
                record("metadata", "3"),
            ]
        };
        let nowhere = Path::new("/nowhere");
        assert_eq!(of(right()).faults(nowhere, &["jsonl"]), [""; 0]);
        assert!(
            !of([right(), right()].concat())
                .faults(nowhere, &["jsonl"])
                .is_empty()
        );
        let mut dangling = right();
        dangling[0].kind = "revisit".to_owned();
        assert!(!of(dangling).faults(nowhere, &["jsonl"]).is_empty());
        assert!(!of(Vec::new()).differences(&of(right())).is_empty());
    }
}
