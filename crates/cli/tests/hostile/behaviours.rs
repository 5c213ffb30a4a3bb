//! Every behaviour as a seed: the row, the requests, and where it leads.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use nephila_sim::{Behaviour, Ended, FAMILIES, HostileEntry};
use serde_json::Value;

use super::run::{crawl, page, rows, server, words};

/// Crawls of one family at once: most of their time is waiting.
const AT_ONCE: usize = 3;

/// Crawls every behaviour of a family and fails with everything that is not as the table says.
fn holds(family: &str) {
    let family = FAMILIES.iter().find(|of| of.name == family).unwrap();
    let queue = Mutex::new(family.behaviours.iter());
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(behaviour) = next else { return };
                    if !behaviour.outcome.is_empty() {
                        let found = differences(behaviour);
                        faults.lock().unwrap().extend(found);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Crawls the behaviour, and after it a page of the same host; says what is not as it should be.
fn differences(behaviour: &Behaviour) -> Vec<String> {
    let server = server(false);
    let origin = format!("http://{}", server.addr());
    let seeds = [
        format!("{origin}{}", behaviour.path),
        format!("{origin}/next"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let output = crawl(&seeds, &out, &[]);
    let (rows, log) = (rows(&out), server.log());
    let mut faults = row_faults(behaviour, &rows, &seeds[0]);
    faults.extend(request_faults(behaviour, &log));
    if behaviour.path != "/next"
        && page(&rows, &seeds[1]).is_none_or(|row| row["outcome"] != "fetched")
    {
        faults.push("the next page of the host was not fetched".to_owned());
    }
    if !matches!(output.status.code(), Some(0 | 3)) {
        faults.push(format!(
            "ended with {:?}: {}",
            output.status,
            words(&output)
        ));
    }
    if rows.len() > 60 {
        faults.push(format!("{} rows under a limit of 40 pages", rows.len()));
    }
    faults
        .into_iter()
        .map(|fault| format!("{}: {fault}", behaviour.path))
        .collect()
}

fn row_faults(behaviour: &Behaviour, rows: &[Value], url: &str) -> Vec<String> {
    let Some(row) = page(rows, url) else {
        return vec!["has no row".to_owned()];
    };
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            faults.push(format!(
                "{what}: expected {expected}, found {found}; error {}",
                row["error"]
            ));
        }
    };
    let name = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    expect(
        "outcome",
        behaviour.outcome.to_owned(),
        name(&row["outcome"]),
    );
    expect(
        "status",
        format!("{:?}", behaviour.status),
        format!("{:?}", row["status"].as_u64().map(|n| n as u16)),
    );
    expect(
        "digest",
        behaviour.is_whole.to_string(),
        row["digest"].is_string().to_string(),
    );
    if !behaviour.is_whole {
        expect(
            "outlinks",
            "0".to_owned(),
            row["outlinks"].as_array().unwrap().len().to_string(),
        );
    }
    expect(
        "attempts",
        behaviour.requests.to_string(),
        row["attempts"].to_string(),
    );
    let says = match row["error"].as_str() {
        Some(error) if behaviour.says.is_empty() => format!("no error, not {error}"),
        Some(error) if error.contains(behaviour.says) => String::new(),
        None if behaviour.says.is_empty() => String::new(),
        _ => behaviour.says.to_owned(),
    };
    expect("error text lacks", String::new(), says);
    faults
}

fn request_faults(behaviour: &Behaviour, log: &[HostileEntry]) -> Vec<String> {
    let mut faults = Vec::new();
    let count = log
        .iter()
        .filter(|entry| entry.target == behaviour.path)
        .count();
    let attempts = behaviour.requests as usize;
    // A kept connection that is closed without a byte is no attempt: it may have been idle too long.
    let most = match behaviour.outcome {
        "connection_lost" => 2 * attempts,
        _ => attempts,
    };
    if !(attempts..=most).contains(&count) {
        faults.push(format!("{count} requests, expected {}", behaviour.requests));
    }
    let own = [behaviour.path, "/next", "/robots.txt"];
    let found: BTreeSet<&str> = log
        .iter()
        .map(|entry| entry.target.as_str())
        .filter(|target| !own.contains(target))
        .collect();
    let expected: BTreeSet<&str> = behaviour.leads_to.iter().copied().collect();
    if !behaviour.is_endless && found != expected {
        faults.push(format!("leads to {found:?}, expected {expected:?}"));
    }
    if let Some(evil) = found.iter().find(|target| target.contains("evil")) {
        faults.push(format!("{evil} was asked for"));
    }
    if behaviour.is_endless && found.is_empty() && behaviour.path != "/endless" {
        faults.push("leads nowhere".to_owned());
    }
    faults
}

#[test]
fn pages_that_behave() {
    holds("Pages that behave");
}

#[test]
fn framing() {
    holds("Framing");
}

#[test]
fn statuses() {
    holds("Statuses");
}

#[test]
fn headers() {
    holds("Headers");
}

#[test]
fn redirects() {
    holds("Redirects");
}

#[test]
fn content_codings() {
    holds("Content codings");
}

#[test]
fn charsets() {
    holds("Charsets");
}

#[test]
fn markup() {
    holds("Markup");
}

#[test]
fn limits() {
    holds("Limits");
}

#[test]
fn slow() {
    holds("Slow");
}

#[test]
fn traps() {
    holds("Traps");
}

fn one(path: &str, options: &[&str], out: &Path) -> (Vec<Value>, Vec<HostileEntry>, String) {
    let server = server(false);
    let url = format!("http://{}{path}", server.addr());
    crawl(std::slice::from_ref(&url), out, options);
    (rows(out), server.log(), url)
}

#[test]
fn retry_after_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for (path, least_micros) in [("/429", 2_000_000), ("/503", 1_000_000)] {
        let (_, log, _) = one(path, &[], &folder.path().join(&path[1..]));
        let asked: Vec<u64> = log
            .iter()
            .filter(|entry| entry.target == path)
            .map(|entry| entry.micros)
            .collect();
        assert!(asked.len() >= 2, "{path}");
        for pair in asked.windows(2) {
            assert!(pair[1] - pair[0] >= least_micros, "{path}: {asked:?}");
        }
    }
}

#[test]
fn a_cookie_gate_opens_with_a_jar() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, log, url) = one("/cookie", &["--cookies"], &folder.path().join("c"));
    let row = page(&rows, &url).unwrap();
    assert_eq!(
        (row["outcome"].as_str(), row["status"].as_u64()),
        (Some("fetched"), Some(200))
    );
    let asked: Vec<_> = log
        .iter()
        .filter(|entry| entry.target == "/cookie")
        .collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        (asked[0].cookie.as_deref(), asked[1].cookie.as_deref()),
        (None, Some("seen=1"))
    );
}

#[test]
fn refresh_is_followed_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--follow", "a", "--follow", "refresh"];
    let (rows, log, url) = one("/meta-refresh", &options, &folder.path().join("c"));
    assert_eq!(page(&rows, &url).unwrap()["outlinks"][0]["kind"], "refresh");
    assert!(log.iter().any(|entry| entry.target == "/ok"));
}

#[test]
fn a_body_without_end_is_cut_at_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--max-wire-size", "256KiB"];
    let (rows, log, url) = one("/endless", &options, &folder.path().join("c"));
    assert_eq!(page(&rows, &url).unwrap()["outcome"], "too_large");
    let entry = log.iter().find(|entry| entry.target == "/endless").unwrap();
    // What the sockets' buffers take is beside it.
    assert!(entry.bytes_sent < 16 << 20, "{}", entry.bytes_sent);
    assert_eq!(entry.ended, Ended::ClientLeft);
}
