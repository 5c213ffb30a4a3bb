//! Crawl-delay and Request-rate as protego and texting_robots read them.

use std::time::Duration;

use nephila_robots::Robots;
use serde_json::Value;

use crate::corpora;

/// protego cases read otherwise. The list may only shrink.
///
/// "harry potter": a line of three words without a colon is no record (RFC 9309 2.2; as Google).
const PROTEGO_DEVIATIONS: [&str; 1] = ["harry potter"];

/// The pause in seconds that a protego case expects.
fn expected(case: &Value) -> Option<f64> {
    let result = &case["result"];
    match case["func"].as_str().unwrap() {
        "crawl_delay" => result.as_f64(),
        _ => Some(result["seconds"].as_f64()? / result["requests"].as_f64()?),
    }
}

fn delay(file: &[u8], agent: &str) -> Option<f64> {
    Robots::parse(file)
        .group_for(agent)
        .crawl_delay()
        .as_ref()
        .map(Duration::as_secs_f64)
}

#[test]
fn protego_extras() {
    let Some(folder) = corpora::folder("protego-tests") else {
        return;
    };
    let mut cases = corpora::cases(&folder.join("extras.json"));
    // Hours at which a site may be visited are not read.
    cases.retain(|case| case["func"] != "visit_time");
    let mut missed = Vec::new();
    for case in &cases {
        let agent = case["args"][0].as_str().unwrap();
        if delay(&corpora::bytes(case, "robots"), agent) != expected(case) {
            missed.push(agent);
        }
    }
    assert_eq!(missed, PROTEGO_DEVIATIONS);
    assert_eq!(cases.len(), 18);
}

/// texting_robots cases read otherwise. The list may only shrink.
///
/// All three have a Crawl-delay above the first user-agent line, which is in no group (RFC 9309 2.2; as
/// protego).
const TEXTING_ROBOTS_DEVIATIONS: [&str; 3] = ["tr-054", "tr-067", "tr-070"];

#[test]
fn texting_robots() {
    let Some(folder) = corpora::folder("texting_robots") else {
        return;
    };
    let mut cases = corpora::cases(&folder.join("cases.json"));
    cases.retain(|case| case.get("crawl_delay").is_some());
    let mut missed: Vec<&str> = Vec::new();
    for case in &cases {
        let file = match case["robots_file"].as_str() {
            Some(name) => std::fs::read(folder.join(name)).unwrap(),
            None => corpora::bytes(case, "robots"),
        };
        let agent = case["user_agent"].as_str().unwrap();
        if delay(&file, agent) != case["crawl_delay"].as_f64() {
            missed.push(case["id"].as_str().unwrap());
        }
    }
    assert_eq!(missed, TEXTING_ROBOTS_DEVIATIONS);
    assert_eq!(cases.len(), 15);
}
