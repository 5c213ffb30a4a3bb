//! Crawl directories that earlier versions wrote still open, are read, and go on.
//!
//! `fixtures/README.md` says how and by which version each was made.

#![expect(clippy::unwrap_used, reason = "what a test does not find, it fails on")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use nephila_sim::{ServeOptions, Server, Web};
use serde_json::Value;

/// Rows that the last commit of `crawl-v1-killed` holds.
const KILLED_ROWS: usize = 16;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A copy that may be written to; the fixture itself never is.
fn copy_of(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_directory(&fixture(name), copy.path());
    copy
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The command under test.
fn nephila() -> Command {
    let built = std::env::var_os("NEPHILA_BIN");
    Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_nephila").into()))
}

/// What the command printed, where it ended well.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a verb printed of a crawl directory, which every verb but `why` takes first.
fn printed(directory: &Path, verb: &str, arguments: &[&str]) -> String {
    let mut command = nephila();
    command.arg(verb);
    if verb == "why" {
        run(command.args(arguments).arg(directory))
    } else {
        run(command.arg(directory).args(arguments))
    }
}

fn printed_json(directory: &Path, verb: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(directory, verb, arguments)).unwrap()
}

fn part(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join("pages/part-00000.jsonl")).unwrap()
}

/// The rows of a file of rows; the last may be torn and is then left out.
fn rows(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// How often each thing that was fetched has a row: kind and URL.
fn counted(rows: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let key = ["kind", "url"].map(|name| row[name].as_str().unwrap().to_owned());
        *counts.entry(key.into()).or_insert(0) += 1;
    }
    counts
}

/// All rows of a crawl in all of its parts, each whole.
fn all_rows(directory: &Path) -> Vec<Value> {
    let mut parts: Vec<PathBuf> = std::fs::read_dir(directory.join("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    parts.sort();
    let bytes: Vec<u8> = parts
        .iter()
        .flat_map(|part| std::fs::read(part).unwrap())
        .collect();
    assert!(bytes.ends_with(b"\n"), "the last row is torn");
    rows(&bytes)
}

#[test]
fn a_finished_crawl_of_version_1_is_read() {
    let copy = copy_of("crawl-v1-done");
    let directory = copy.path();
    let status = printed_json(directory, "status", &["--json"]);
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["reason"], "done");
    assert_eq!([&status["pages"], &status["rows"]], [30, 38]);
    let outcomes = &status["outcomes"];
    for (outcome, count) in [
        ("fetched", 21),
        ("http_error", 3),
        ("redirected", 3),
        ("robots_denied", 1),
        ("truncated", 1),
        ("wrong_type", 1),
    ] {
        assert_eq!(outcomes[outcome], count, "{outcome}");
    }

    let why = printed_json(directory, "why", &["http://h0.v1.test/", "--json"]);
    assert_eq!(why["standing"], "done");
    let done = &why["visits"][0]["done"];
    assert_eq!([&done["status"], &done["row"]["line"]], [200, 5]);

    let csv = printed(directory, "export", &["--columns", "url,outcome"]);
    assert_eq!(csv.lines().count(), 31, "{csv}");
    assert!(csv.contains("http://h0.v1.test/,fetched"), "{csv}");
    let lines = printed(directory, "export", &["--format", "jsonl", "--all"]);
    assert_eq!(rows(lines.as_bytes()), rows(&part(directory)));
}

#[test]
fn a_finished_crawl_of_version_1_goes_on_to_nothing() {
    let copy = copy_of("crawl-v1-done");
    let before = part(copy.path());
    printed(copy.path(), "resume", &["--quiet"]);
    assert_eq!(part(copy.path()), before);
    assert_eq!(all_rows(copy.path()).len(), 38);
    let status = printed_json(copy.path(), "status", &["--json"]);
    assert_eq!([&status["pages"], &status["queued"]["urls"]], [30, 0]);
}

#[test]
fn a_killed_crawl_of_version_1_shows_what_was_committed() {
    let copy = copy_of("crawl-v1-killed");
    let written = part(copy.path());
    let whole = rows(&written);
    assert!(whole.len() > KILLED_ROWS && !written.ends_with(b"\n"));
    let status = printed_json(copy.path(), "status", &["--json"]);
    assert_eq!(status["state"], "broken_off");
    assert_eq!([&status["pages"], &status["rows"]], [8, KILLED_ROWS]);

    let lines = printed(copy.path(), "export", &["--format", "jsonl", "--all"]);
    assert_eq!(rows(lines.as_bytes()), whole[..KILLED_ROWS]);
    let torn_off = whole[KILLED_ROWS]["url"].as_str().unwrap();
    let why = printed_json(copy.path(), "why", &[torn_off, "--json"]);
    assert_eq!(why["standing"], "queued", "{torn_off}");
    assert_eq!(part(copy.path()), written, "reading changes nothing");
}

#[test]
fn a_killed_crawl_of_version_1_goes_on_with_no_row_lost_and_none_twice() {
    let copy = copy_of("crawl-v1-killed");
    let written = part(copy.path());
    let committed: usize = written
        .split_inclusive(|byte| *byte == b'\n')
        .take(KILLED_ROWS)
        .map(<[u8]>::len)
        .sum();
    let web = std::fs::read(fixture("crawl-v1-killed.web.json")).unwrap();
    let web: Web = serde_json::from_slice(&web).unwrap();
    let server = Server::start_in_thread(web, ServeOptions::default()).unwrap();
    let resolve = format!("*:80:127.0.0.1:{}", server.addr().port());
    printed(copy.path(), "resume", &["--quiet", "--resolve", &resolve]);

    let after = part(copy.path());
    assert_eq!(
        after[..committed],
        written[..committed],
        "a committed row was changed"
    );
    let rows = all_rows(copy.path());
    let counts = counted(&rows);
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");

    let fresh = tempfile::tempdir().unwrap();
    let fresh = fresh.path().join("fresh");
    let mut options = vec!["--quiet", "--scope", "any", "--delay", "0", "--sitemaps"];
    options.extend(["--resolve", &resolve, "--out", fresh.to_str().unwrap()]);
    let seeds = server.web().seeds();
    options.extend(seeds.iter().map(String::as_str));
    run(nephila().arg("crawl").args(&options));
    assert_eq!(counts, counted(&all_rows(&fresh)), "not what a crawl finds");
    let status = printed_json(copy.path(), "status", &["--json"]);
    assert_eq!([&status["pages"], &status["queued"]["urls"]], [30, 0]);
    assert_eq!(status["rows"], rows.len());
}
