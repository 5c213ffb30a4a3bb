//! Every form of output of a crawl holds the same rows, in this program's eyes and in others'.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nephila_sim::{Outcomes, ServeOptions, Spread, Web};

use super::python::{self, Server};
use super::run::{Site, code, nephila, pages, summary, words};

/// A web with everything that a row can say, in chunks and compressed.
fn site() -> Site {
    let mut web = Web::plain(11, 5, 600);
    web.page_bytes = Spread::constant(3_000.0);
    web.outcomes = Outcomes {
        not_found: 0.05,
        moved: 0.05,
        truncated: 0.02,
        other_type: 0.02,
        denied: 0.05,
        ..Outcomes::default()
    };
    let options = ServeOptions {
        chunked: true,
        gzip: true,
        ..ServeOptions::default()
    };
    Site::with(web, options)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `nephila export` gives of a crawl, as a file.
fn exported(site: &Site, crawl: &Path) -> PathBuf {
    let path = site.path("exported.jsonl");
    let mut export = nephila();
    export
        .arg("export")
        .arg(crawl)
        .args(["--format", "jsonl", "--all", "--output"]);
    let output = export.arg(&path).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    path
}

#[test]
fn every_form_holds_the_same_rows() {
    let site = site();
    let formats = "jsonl,jsonl.gz,jsonl.zst,csv,parquet,warc";
    let options = [
        "--format",
        formats,
        "--part-size",
        "768KiB",
        "--warc-size",
        "1MiB",
    ];
    let output = site.crawl("all").args(options).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    let crawl = site.path("all");
    assert!(pages(&crawl).len() >= 500);
    let parts = summary(&crawl)["parts"].as_u64().unwrap();
    assert!(parts > 2, "{parts}");
    let written = names(&crawl.join("pages"));
    assert_eq!(written.len() as u64, 5 * parts, "{written:?}");
    assert_eq!(names(&crawl.join("state/rows")), Vec::<String>::new());
    let Some(python) = python::interpreter() else {
        return;
    };
    for part in 0..parts {
        let path = |extension: &str| crawl.join(format!("pages/part-{part:05}.{extension}"));
        let rows = path("jsonl");
        for (script, extension) in [
            ("compare_lines.py", "jsonl.gz"),
            ("compare_lines.py", "jsonl.zst"),
            ("compare_csv.py", "csv"),
        ] {
            python::run(&python, script, &[text(&rows), text(&path(extension))]);
        }
        python::run(
            &python,
            "compare_parquet.py",
            &[text(&rows), text(&path("parquet")), "1"],
        );
    }
    python::run(&python, "check_warc.py", &[text(&crawl)]);
}

#[test]
fn without_json_lines_the_rows_are_kept_and_can_be_asked_for() {
    let site = site();
    let options = ["--format", "parquet,warc.zst", "--part-size", "512KiB"];
    let output = site.crawl("kept").args(options).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    let crawl = site.path("kept");
    assert!(
        names(&crawl.join("pages"))
            .iter()
            .all(|name| name.ends_with(".parquet"))
    );
    let kept = names(&crawl.join("state/rows"));
    assert!(
        kept.iter().all(|name| name.ends_with(".jsonl.zst")),
        "{kept:?}"
    );
    let rows = exported(&site, &crawl);
    let count = fs::read_to_string(&rows).unwrap().lines().count() as u64;
    assert_eq!(count, summary(&crawl)["rows"].as_u64().unwrap());
    let why = nephila()
        .arg("why")
        .arg(site.seed())
        .arg(&crawl)
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&why.stdout).contains("fetched"),
        "{}",
        words(&why)
    );
    // Nothing is left to mend or to publish.
    let output = nephila().arg("resume").arg(&crawl).output().unwrap();
    assert!(!words(&output).contains("repaired"), "{}", words(&output));
}

#[test]
fn after_a_kill_status_makes_every_output_whole() {
    let mut web = Web::plain(3, 20, 4_000);
    web.latency_ms = Spread::constant(5.0);
    let site = Site::new(web);
    let options = [
        "--format",
        "jsonl,csv",
        "--part-size",
        "256KiB",
        "--commit-interval",
        "20ms",
    ];
    let mut child = site
        .crawl("killed")
        .args(options)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let crawl = site.path("killed");
    while names(&crawl.join("pages")).len() < 4 {
        std::thread::sleep(std::time::Duration::from_millis(5)); // paced: polls for the event itself
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        names(&crawl.join("pages"))
            .iter()
            .any(|name| name.ends_with(".open"))
    );

    let mut status = nephila();
    let output = status
        .arg("status")
        .arg(&crawl)
        .arg("--json")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert!(words(&output).contains("repaired: "), "{}", words(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let written = names(&crawl.join("pages"));
    assert!(
        written
            .iter()
            .all(|name| name.ends_with(".csv") || name.ends_with(".jsonl")),
        "{written:?}"
    );
    let lines: usize = written
        .iter()
        .filter(|name| name.ends_with(".jsonl"))
        .map(|name| {
            fs::read_to_string(crawl.join("pages").join(name))
                .unwrap()
                .lines()
                .count()
        })
        .sum();
    assert_eq!(told["rows"], lines as u64);
    // A second look changes nothing.
    let output = nephila().arg("status").arg(&crawl).output().unwrap();
    assert!(!words(&output).contains("repaired"), "{}", words(&output));

    let output = nephila()
        .arg("resume")
        .arg(&crawl)
        .arg("--quiet")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(summary(&crawl)["pages"], 4_000);
    let rows = exported(&site, &crawl);
    assert_eq!(fs::read_to_string(rows).unwrap().lines().count(), 4_020);
}

#[test]
fn outputs_go_to_an_object_store_and_the_state_stays_here() {
    let Some(python) = python::interpreter() else {
        return;
    };
    let site = site();
    let mut store = Server::start(&python, "s3_server.py", &["crawls"]);
    let endpoint = store.line();
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ALLOW_HTTP", "true"),
    ];
    let port = site.server.addr().port();
    let state = site.path("state-of-it");
    let mut crawl = nephila();
    crawl
        .args(["crawl", &site.seed(), "--quiet", "--scope", "any"])
        .args(["--out", "s3://crawls/first", "--state"])
        .arg(&state)
        .args(["--format", "jsonl,parquet,warc", "--part-size", "256KiB"])
        .arg("--resolve")
        .arg(format!("*:{port}:127.0.0.1:{port}"))
        .envs(environment);
    let output = crawl.output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    let keys: Vec<String> = serde_json::from_str(&store.ask("keys crawls")).unwrap();
    let parts = summary(&state)["parts"].as_u64().unwrap();
    let ending = |end: &str| keys.iter().filter(|key| key.ends_with(end)).count() as u64;
    assert_eq!(
        (ending(".jsonl"), ending(".parquet")),
        (parts, parts),
        "{keys:?}"
    );
    assert_eq!((ending(".warc.gz"), ending(".cdxj")), (1, 1), "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("first/")), "{keys:?}");
    // What was put there is not kept here, but for the rows.
    assert_eq!(names(&state.join("warc")), Vec::<String>::new());
    assert_eq!(names(&state.join("state/outbox")), Vec::<String>::new());
    let local = exported(&site, &state);
    let mut fetched = String::new();
    for part in 0..parts {
        let path = site.path("object");
        let key = format!("first/pages/part-{part:05}.jsonl");
        assert_eq!(
            store.ask(&format!("fetch crawls {key} {}", path.display())),
            "true"
        );
        fetched.push_str(&fs::read_to_string(path).unwrap());
    }
    assert_eq!(fetched, fs::read_to_string(local).unwrap());
}

#[test]
fn two_crawls_do_not_mix_their_outputs_in_one_place() {
    let site = site();
    let place = format!("file://{}", site.path("place").display());
    let crawl = |state: &str| {
        let mut crawl = nephila();
        let port = site.server.addr().port();
        crawl
            .args(["crawl", &site.seed(), "--quiet", "--max-pages", "20"])
            .args(["--out", &place, "--state"])
            .arg(site.path(state))
            .arg("--resolve")
            .arg(format!("*:{port}:127.0.0.1:{port}"));
        crawl.output().unwrap()
    };
    let first = crawl("first");
    assert_eq!(code(&first), 0, "{}", words(&first));
    let part = site.path("place/pages/part-00000.jsonl");
    let before = fs::read(&part).unwrap();
    let second = crawl("second");
    assert_eq!(code(&second), 2, "{}", words(&second));
    let told = words(&second);
    assert!(
        told.contains("another crawl has put its outputs there"),
        "{told}"
    );
    assert_eq!(fs::read(part).unwrap(), before);
    assert!(!site.path("second").exists());
}
