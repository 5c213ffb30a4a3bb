//! Broad crawls of the simulated web, judged by its own log and its own truth.

use nephila_sim::{Rules, TruthScope, Web, judge};

use super::run::{Site, code, pages, words};

fn rules(delay_millis: u64) -> Rules {
    Rules {
        scope: TruthScope::Any,
        delay_micros: delay_millis * 1_000,
        per_host: 1,
        ..Rules::default()
    }
}

#[test]
fn a_broad_crawl_finds_the_true_set_and_breaks_no_delay() {
    let site = Site::new(Web::light(5, 1_000, 10_000).with_latency_ms(20.0));
    let options = ["--concurrency", "500", "--delay", "100ms"];
    let output = site.crawl("broad").args(options).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    let judgement = judge(site.server.web(), &site.server.log(), &rules(100));
    assert!(!judgement.is_broken(), "{}", judgement.table());
    let found = pages(&site.path("broad"));
    let truth = site.server.web().truth(TruthScope::Any);
    assert!(found.keys().eq(truth.pages.keys()));
}

#[test]
fn a_realistic_web_gives_the_true_outcomes() {
    let mut web = Web::realistic(11, 60, 3_000).with_latency_ms(5.0);
    web.outcomes.hang = 0.0;
    web.robots.hang = 0.0;
    web.max_host_pages = 300;
    web.robots.crawl_delay = 0.0;
    let site = Site::new(web);
    let options = [
        "--concurrency",
        "200",
        "--retry-wait",
        "10ms",
        "--robots-wait",
        "10ms",
    ];
    let more = [
        "--nofollow",
        "ignore",
        "--max-host-failures",
        "0",
        "--accept",
        "*/*",
    ];
    let backoff = ["--backoff", "10ms", "--max-retry-after", "50ms"];
    let output = site
        .crawl("real")
        .args(options)
        .args(more)
        .args(backoff)
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    let truth = site.server.web().truth(TruthScope::Any);
    let found = pages(&site.path("real"));
    let mut wrong = Vec::new();
    for (url, row) in &found {
        let outcome = row["outcome"].as_str().unwrap();
        let is_refused = matches!(outcome, "robots_denied" | "robots_unavailable");
        let is_right = if is_refused {
            truth.denied.contains_key(url)
        } else {
            let status = row["status"].as_u64().unwrap_or(0);
            truth
                .pages
                .get(url)
                .is_some_and(|page| u64::from(page.status) == status)
        };
        if !is_right {
            wrong.push(format!("{url}: {outcome} {}", row["status"]));
        }
    }
    let missing: Vec<_> = truth
        .pages
        .keys()
        .filter(|url| !found.contains_key(*url))
        .collect();
    assert!(
        missing.is_empty(),
        "{} of {} missing: {:?}",
        missing.len(),
        truth.pages.len(),
        missing.first()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
}
