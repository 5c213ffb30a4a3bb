//! `/metrics`: that it is what Prometheus reads, what is documented, and what happened.

use std::path::Path;

use crate::asking::ask;
use crate::crawl::Shown;
use crate::exposition::{Family, read};

#[test]
fn the_figures_are_those_of_the_crawl() {
    let mut shown = Shown::start(200, None);
    let address = shown.server().address();
    let summary = shown.ended();
    let answer = ask(address, "GET", "/metrics", &[], "");
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4; charset=utf-8")
    );
    let families = read(&answer.body);
    let value = |name: &str| families[name].samples[0].1;
    assert_eq!(value("nephila_pages_total"), summary.pages as f64);
    assert_eq!(
        value("nephila_side_fetches_total"),
        summary.side_fetches as f64
    );
    assert_eq!(value("nephila_wire_bytes_total"), summary.wire_bytes as f64);
    assert_eq!(
        value("nephila_decoded_bytes_total"),
        summary.decoded_bytes as f64
    );
    for (outcome, count) in &summary.outcomes {
        let told = families["nephila_outcomes_total"].labelled("outcome", outcome);
        assert_eq!(told, *count as f64, "{outcome}");
    }
    for (status, count) in &summary.statuses {
        let told = families["nephila_responses_total"].labelled("status", &status.to_string());
        assert_eq!(told, *count as f64, "{status}");
    }
    assert_eq!(
        (value("nephila_running"), value("nephila_queued_urls")),
        (0.0, 0.0)
    );
    assert_eq!(
        families["nephila_limit"].samples.len(),
        nephila::Limit::ALL.len()
    );
    assert!(families["nephila_visit_seconds_total"].labelled("state", "first_byte") > 0.0);
}

#[test]
fn a_pause_shows_in_the_figures() {
    let shown = Shown::start(100_000, None);
    let address = shown.server().address();
    shown.control.pause();
    let families = read(&ask(address, "GET", "/metrics", &[], "").body);
    let value = |name: &str| families[name].samples[0].1;
    assert_eq!(
        (value("nephila_running"), value("nephila_paused")),
        (1.0, 1.0)
    );
    assert_eq!(value("nephila_slots"), 8.0);
    let limits = families["nephila_limit"].samples.iter();
    assert_eq!(
        limits.map(|(_, sample)| sample).sum::<f64>(),
        0.0,
        "nothing limits what is paused"
    );
}

/// docs/serve.md has a line for each family, with its type and what it says, and no others.
#[test]
fn every_name_is_documented_as_it_is() {
    let shown = Shown::start(100_000, None);
    let families = read(&ask(shown.server().address(), "GET", "/metrics", &[], "").body);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/serve.md")).unwrap();
    let documented: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `nephila_"))
        .collect();
    let line = |(name, family): (&String, &Family)| {
        let label = family
            .samples
            .first()
            .and_then(|(labels, _)| labels.keys().next());
        let label = label.map_or_else(String::new, |label| format!("{{{label}}}"));
        let help = family.help.trim_end_matches('.');
        (
            name.clone(),
            format!("| `{name}{label}` | {} | {help} |", family.kind),
            name.ends_with("total"),
        )
    };
    for (name, wanted, _) in families.iter().map(line) {
        let start = format!("| `{name}");
        let is_of = |found: &&&str| {
            found
                .strip_prefix(start.as_str())
                .is_some_and(|rest| rest.starts_with(['`', '{']))
        };
        let found = documented.iter().find(is_of);
        // A family may have no sample yet, and then no label to compare.
        let is_empty = families[&name].samples.is_empty();
        assert!(
            found.is_some_and(|found| is_empty || **found == wanted),
            "wanted in docs/serve.md:\n{wanted}"
        );
    }
    assert_eq!(
        documented.len(),
        families.len(),
        "docs/serve.md names what is not there"
    );
}
