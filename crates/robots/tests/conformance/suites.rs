//! The suites of four other parsers: google/robotstxt, scrapy/protego, seomoz/reppy and
//! Smerity/texting_robots. A case counts in full where those four and Python's urllib agree; where they
//! do not, RFC 9309 decides, and each case decided otherwise than its suite is named below.

use std::path::Path;

use nephila_robots::Robots;
use serde_json::Value;

use crate::corpora;
use crate::path::path_of;

/// Cases decided otherwise than their suites do, by the paragraph of RFC 9309 that decides. The list may
/// only shrink.
const DEVIATIONS: [(&str, &[&str]); 8] = [
    // Google compares octets as written; its own list of the standard's examples says otherwise.
    (
        "2.2.2: octets outside ASCII are percent-encoded before comparison",
        &["google-064", "google-066"],
    ),
    (
        "2.2.2: percent-encoded unreserved octets are decoded before comparison",
        &["google-067"],
    ),
    // Google and protego let `Allow: /x/index.html` allow `/x/`.
    (
        "2.2.2: a rule matches by its octets",
        &["google-079", "protego-267"],
    ),
    // protego matches names by substring, by `*` in them, and finds them in whole User-Agent headers.
    (
        "2.2.1: a group is found by its product token",
        &[
            "protego-117",
            "protego-252",
            "protego-313",
            "protego-319",
            "protego-320",
            "protego-322",
            "protego-323",
        ],
    ),
    // reppy and protego end a group at a line that they do not know.
    (
        "2.2.4: other records do not end a group",
        &["protego-240", "protego-241", "protego-242", "reppy-010"],
    ),
    // reppy and texting_robots take rules before the first user-agent line to hold for everyone.
    (
        "2.2: a group begins with a user-agent line",
        &["reppy-002", "tr-066", "tr-069"],
    ),
    // A record has a colon. Without one, a line of two words is read as one all the same (as Google
    // does, reppy does not), a longer line is not (protego does).
    (
        "2.2: name, colon, value",
        &["protego-249", "protego-298", "reppy-016"],
    ),
    (
        "2.2.3: `$` at the end of a pattern is the end of the path",
        &["protego-295", "protego-296"],
    ),
];

/// The ids of the cases decided otherwise, and how many cases there are.
fn run(suite: &str, folder: &Path) -> (Vec<String>, usize) {
    let mut cases = corpora::cases(&folder.join("cases.json"));
    cases.retain(|case| case["allowed"].is_boolean());
    let mut missed = Vec::new();
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        if allowed(folder, case) != case["allowed"] {
            assert_ne!(
                case["engines_agree_of_5"], 5,
                "{suite}: all engines agree on {id}"
            );
            missed.push(id.to_owned());
        }
    }
    (missed, cases.len())
}

fn allowed(folder: &Path, case: &Value) -> bool {
    let file = match case["robots_file"].as_str() {
        Some(name) => std::fs::read(folder.join(name)).unwrap(),
        None => corpora::bytes(case, "robots"),
    };
    let rules = Robots::parse(&file).group_for(case["user_agent"].as_str().unwrap());
    let path = path_of(case["url"].as_str().unwrap());
    assert_eq!(rules.allows(&path), rules.decide(&path).allowed);
    rules.allows(&path)
}

/// Runs a suite of `count` cases and holds it against the deviations whose ids begin with `prefix`.
fn check(suite: &str, prefix: &str, count: usize) {
    let Some(folder) = corpora::folder(suite) else {
        return;
    };
    let (missed, cases) = run(suite, &folder);
    let named = DEVIATIONS.iter().flat_map(|(_, ids)| ids.iter().copied());
    let named: Vec<&str> = named.filter(|id| id.starts_with(prefix)).collect();
    let mut sorted = named.clone();
    sorted.sort_unstable();
    assert_eq!(
        missed, sorted,
        "{suite}: the named deviations and no others"
    );
    assert_eq!(cases, count, "{suite}: its size");
    eprintln!(
        "{suite}: {} of {cases} as the suite has them",
        cases - missed.len()
    );
}

#[test]
fn google() {
    check("google-robots_test", "google-", 145);
}

#[test]
fn protego() {
    check("protego-tests", "protego-", 376);
}

#[test]
fn reppy() {
    check("reppy", "reppy-", 79);
}

#[test]
fn texting_robots() {
    check("texting_robots", "tr-", 72);
}
