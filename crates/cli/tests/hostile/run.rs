//! Running the command against a hostile server, and reading what it made.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use nephila_sim::{HostileOptions, HostileServer};
use serde_json::Value;

/// Limits short enough that the slow behaviours run into them within seconds.
pub(crate) const SHORT: [&str; 20] = [
    "--quiet",
    "--retry-wait=20ms",
    "--backoff=20ms",
    "--robots-wait=20ms",
    "--max-retry-after=10s",
    "--connect-timeout=2s",
    "--tls-timeout=700ms",
    "--first-byte-timeout=700ms",
    "--idle-timeout=700ms",
    "--total-timeout=2s",
    "--max-wire-size=10MiB",
    "--max-body-size=16MiB",
    "--max-pages=40",
    "--scope=any",
    "--retries=2",
    "--robots-attempts=3",
    "--threads=1",
    "--per-host=1",
    "--max-redirects=10",
    "--order=breadth-first",
];

/// The command under test: the release build where the test runner made one.
pub(crate) fn nephila() -> Command {
    let built = std::env::var_os("NEPHILA_BIN");
    let mut command = Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_nephila").into()));
    // A proxy of the machine's is none of the tests'.
    for name in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    command
}

/// A hostile server whose slow answers are slow for the limits of [`SHORT`].
pub(crate) fn server(tls: bool) -> HostileServer {
    let options = HostileOptions {
        tls,
        drip: Duration::from_millis(100),
        hang: Duration::from_secs(20),
        ..HostileOptions::default()
    };
    HostileServer::start_in_thread(options).unwrap()
}

/// Crawls these seeds with `options`, and with the limits of [`SHORT`] that they do not name.
pub(crate) fn crawl(seeds: &[String], out: &Path, options: &[&str]) -> Output {
    let is_named = |short: &&str| {
        let name = short.split('=').next().unwrap();
        options
            .iter()
            .any(|option| option.split('=').next() == Some(name))
    };
    nephila()
        .arg("crawl")
        .args(seeds)
        .args(SHORT.iter().filter(|short| !is_named(short)))
        .args(options)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap()
}

/// All rows of a crawl, in order.
pub(crate) fn rows(directory: &Path) -> Vec<Value> {
    let Ok(parts) = std::fs::read_dir(directory.join("pages")) else {
        return Vec::new();
    };
    let mut parts: Vec<_> = parts.map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    let texts = parts
        .iter()
        .map(|part| std::fs::read_to_string(part).unwrap());
    texts
        .flat_map(|text| {
            let rows: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            rows
        })
        .collect()
}

/// The row of a page.
pub(crate) fn page<'a>(rows: &'a [Value], url: &str) -> Option<&'a Value> {
    rows.iter()
        .find(|row| row["kind"] == "page" && row["url"] == url)
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
