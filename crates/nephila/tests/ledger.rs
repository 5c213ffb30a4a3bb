//! What a program sees of a crawl: each page by its handler, and the ledger.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test does not find, it fails on, and a handler that panics"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use nephila::{
    Crawl, Explanation, Handler, HandlerError, LedgerFile, Outcome, Page, Settings, State,
};
use nephila_sim::{ServeOptions, Server, Web};
use serde_json::Value;

/// Every page once, and what the handler thought of it.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<String, usize>>>);

impl Handler for Seen {
    fn handle(&self, page: &Page) -> Result<(), HandlerError> {
        assert_eq!(page.status(), 200);
        assert!(page.content_type().unwrap().starts_with("text/html"));
        assert!(page.body().starts_with(b"<!DOCTYPE html>"));
        assert!(!page.document().unwrap().outlinks.is_empty());
        let count = {
            let mut seen = self.0.lock().unwrap();
            *seen.entry(page.url().to_owned()).or_default() += 1;
            seen.len()
        };
        match count {
            7 => Err("the seventh".into()),
            9 => panic!("the ninth"),
            _ => Ok(()),
        }
    }
}

fn settings(server: &Server) -> Settings {
    let port = server.addr().port();
    Settings::new()
        .with("resolve", &format!("*:{port}:127.0.0.1:{port}"))
        .and_then(|settings| settings.with("scope", "any"))
        .unwrap()
}

fn rows(directory: &Path) -> Vec<Value> {
    let parts = std::fs::read_dir(directory.join("pages")).unwrap();
    let mut rows = Vec::new();
    for part in parts {
        let text = std::fs::read_to_string(part.unwrap().path()).unwrap();
        rows.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    rows
}

#[test]
fn a_handler_sees_every_page_once_and_its_failures_are_outcomes() {
    let server = Server::start_in_thread(Web::light(3, 5, 300), ServeOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("crawl");
    let seen = Seen::default();
    let crawl = Crawl::create(&out, &server.web().seeds(), &settings(&server)).unwrap();
    let directory = crawl.directory().clone();
    crawl.with_handler(seen.clone(), 2).run().unwrap();

    let seen = seen
        .0
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    assert_eq!(seen.len(), 300);
    assert!(seen.values().all(|times| *times == 1));
    let errors: Vec<String> = rows(&out)
        .iter()
        .filter(|row| row["outcome"] == Outcome::HandlerError.as_str())
        .map(|row| row["error"].as_str().unwrap().to_owned())
        .collect();
    assert!(errors.contains(&"the seventh".to_owned()), "{errors:?}");
    assert!(
        errors.iter().any(|error| error.contains("the ninth")),
        "{errors:?}"
    );

    let ledger = LedgerFile::read(&directory).unwrap();
    let run = ledger.runs.last().unwrap();
    let total = run.series.total().window;
    assert_eq!(total.pages, 300.0);
    assert!(total.callback_seconds > 0.0);
    assert!(total.state(State::Callback) >= total.callback_seconds);
    assert!(total.state(State::Commit) > 0.0);
    let split: f64 = total.loop_seconds.iter().sum();
    assert!(
        (split - total.loops).abs() < total.loops * 0.05 + 0.05,
        "{split} of {}",
        total.loops
    );
    let commits = run.quantiles.iter().find(|of| of.state == State::Commit);
    assert!(commits.unwrap().quantiles.visits >= 300);
    assert_eq!(run.decisions[0].slots, 64);
    assert!(run.typical.is_some() && !run.slowest.is_empty());
}

#[test]
fn a_crawl_explains_itself() {
    let web = Web::light(4, 20, 100).with_latency_ms(50.0);
    let server = Server::start_in_thread(web, ServeOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("crawl");
    let settings = settings(&server).with("concurrency", "2").unwrap();
    let crawl = Crawl::create(&out, &server.web().seeds(), &settings).unwrap();
    let directory = crawl.directory().clone();
    crawl.run().unwrap();
    let explanation = Explanation::read(&directory).unwrap();
    assert_eq!(
        explanation.verdict.unwrap().limit,
        nephila::Limit::RemoteLatency
    );
    assert!(
        explanation.words.contains("at 2 in flight"),
        "{}",
        explanation.words
    );
    assert_eq!(explanation.concurrency, None);
    assert!(explanation.advice[0].options.starts_with("--concurrency "));
    assert!(explanation.crossover.unwrap() > 2.0);
    let missing = nephila::CrawlDirectory::at(folder.path().join("none"));
    assert!(Explanation::read(&missing).is_err());
}
