//! The report of a crawl, in a browser, from the disk.

use nephila::{Clock, Report};

use crate::chromium::Chromium;
use crate::crawl::Shown;

#[test]
fn the_report_opens_offline_with_its_plots() {
    let Some(mut browser) = Chromium::start() else {
        return;
    };
    let mut shown = Shown::start(400, None);
    shown.ended();
    let file = shown.directory.report_file();
    let offline = serde_json::json!({ "offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.call("Network.emulateNetworkConditions", offline);
    browser.open(&format!("file://{}", file.display()));
    assert_eq!(browser.value("document.title"), "Crawl report");
    browser.wait("document.querySelectorAll('.plot canvas').length === 6");
    let headings = browser.value(
        "Array.from(document.querySelectorAll('h2')).map(function (of) { return of.textContent; })",
    );
    let wanted = [
        "Speed",
        "Where the time of a page goes",
        "What came of it",
        "Hosts",
        "Link problems",
        "Pages",
    ];
    assert_eq!(headings, serde_json::json!(wanted));
    for bars in [
        "A typical page",
        "The slowest page",
        "Outcomes",
        "HTTP status",
    ] {
        let parts = browser.value(&format!(
            "Array.from(document.querySelectorAll('figure')).find(function (of) {{
               return of.querySelector('strong').textContent === '{bars}'; }}).querySelectorAll('.track').length"
        ));
        assert!(parts.as_u64().unwrap() > 0, "{bars}");
    }
    browser.look("report");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_report_that_is_asked_for_is_the_one_that_the_run_left() {
    let mut shown = Shown::start(60, None);
    shown.ended();
    let left = std::fs::read_to_string(shown.directory.report_file()).unwrap();
    let asked = Report::read(&shown.directory, Clock::start().now()).unwrap();
    let (_, rest) = left.split_once("This page was made at ").unwrap();
    let (made_at, _) = rest.split_at(asked.made_at.len());
    assert!(made_at.ends_with('Z') && asked.made_at.ends_with('Z'));
    assert_eq!(
        asked.to_html().replace(&asked.made_at, ""),
        left.replace(made_at, "")
    );
}
