//! The command: serve, crawl, stop, judge.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the test's client is test code"
)]

mod client;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use client::{Client, crawl};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nephila-sim"));
    command.args(arguments);
    command
}

const WEB: [&str; 8] = [
    "--profile",
    "light",
    "--seed",
    "7",
    "--hosts",
    "5",
    "--pages",
    "60",
];

/// Serves, crawls, asks for `again` once more, stops by the control host; the port.
fn serve_and_crawl(log: &Path, again: Option<&str>) -> String {
    let log = log.to_str().unwrap();
    let mut serve = command(&["serve", "--log", log]);
    let mut serve = serve.args(WEB).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let start: serde_json::Value = serde_json::from_str(&line).unwrap();
    let addr = start["addr"].as_str().unwrap();
    let port = start["port"].to_string();
    assert_eq!(start["resolve"], format!("*:{port}:{addr}"));
    let seeds: Vec<String> = serde_json::from_value(start["seeds"].clone()).unwrap();
    assert_eq!(seeds, [format!("http://h0.sim.test:{port}/")]);
    let mut client = Client::new(addr.parse().unwrap());
    assert_eq!(crawl(&mut client, &seeds).pages.len(), 60);
    if let Some(path) = again {
        client.get("h1.sim.test", path).unwrap();
    }
    assert_eq!(client.get("control.sim.test", "/stop").unwrap().status, 200);
    assert!(serve.wait().unwrap().success());
    port
}

fn judge(log: &Path, port: &str, more: &[&str]) -> Output {
    let arguments = [
        "judge",
        "--log",
        log.to_str().unwrap(),
        "--public-port",
        port,
    ];
    command(&arguments).args(WEB).args(more).output().unwrap()
}

#[test]
fn a_served_crawl_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let port = serve_and_crawl(&log, None);
    let right = judge(&log, &port, &[]);
    assert!(
        right.status.success(),
        "{}",
        String::from_utf8_lossy(&right.stdout)
    );
    assert_eq!(
        judge(&log, &port, &["--delay", "1h"]).status.code(),
        Some(1)
    );

    let truth = folder.path().join("truth");
    let arguments = [
        "truth",
        "--public-port",
        &port,
        "--out",
        truth.to_str().unwrap(),
    ];
    assert!(command(&arguments).args(WEB).status().unwrap().success());
    let truth = std::fs::read_to_string(truth).unwrap();
    assert_eq!(truth.lines().count(), 60);
    assert!(truth.contains(&format!("http://h0.sim.test:{port}/\t0\t200\n")));
}

#[test]
fn a_url_asked_twice_is_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let port = serve_and_crawl(&log, Some("/"));
    let judged = judge(&log, &port, &[]);
    assert_eq!(judged.status.code(), Some(1));
    let table = String::from_utf8(judged.stdout).unwrap();
    assert!(
        table.contains(&format!("http://h1.sim.test:{port}/")),
        "{table}"
    );
}

#[test]
fn a_parameter_out_of_bounds_is_an_error() {
    let output = command(&["truth", "--hosts", "9", "--pages", "3"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("out of bounds: pages"));
}
