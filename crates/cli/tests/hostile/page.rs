//! The table is the page, and serves every path of the corpus.

use std::path::{Path, PathBuf};

use nephila_sim::{behaviours, hostile_page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn docs_hostile_is_what_the_tables_say() {
    let kept = std::fs::read_to_string(root().join("docs/hostile.md")).unwrap_or_default();
    assert!(
        kept == hostile_page(),
        "write it again: cargo run -p nephila-sim -- hostile --page > docs/hostile.md"
    );
}

#[test]
fn every_path_of_the_corpus_is_served() {
    let corpora = std::env::var_os("NEPHILA_CORPORA")
        .map_or_else(|| root().join("../shared/corpora"), PathBuf::from);
    let file = corpora.join("http/hostile/behaviours.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is missing", file.display());
        return;
    };
    let listed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let missing: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["path"].as_str())
        .filter(|path| behaviours().all(|behaviour| behaviour.path != *path))
        .collect();
    assert!(missing.is_empty(), "not served: {missing:?}");
}

#[test]
fn paths_are_unique_and_outcomes_exist() {
    let mut paths: Vec<_> = behaviours().map(|behaviour| behaviour.path).collect();
    paths.sort_unstable();
    let count = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), count);
    let rows = std::fs::read_to_string(root().join("docs/rows.md")).unwrap();
    for behaviour in behaviours().filter(|behaviour| !behaviour.outcome.is_empty()) {
        let listed = format!("| `{}` |", behaviour.outcome);
        assert!(rows.contains(&listed), "{}", behaviour.path);
    }
}
