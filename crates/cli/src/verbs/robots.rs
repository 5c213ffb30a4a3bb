//! `nephila robots`: whether robots.txt allows a URL, and which rule decides.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use nephila::single::{RobotsMeaning, RobotsReport, check_robots};

use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::terminal::{bytes, safe, safe_json, say};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let settings = settings(matches)?;
    let url = value(matches, "url").unwrap_or_default();
    let report = check_robots(url, &settings)?;
    if is_given(matches, "json") {
        say(&safe_json(&serde_json::to_string(&report)?))?;
    } else {
        let max_crawl_delay = settings
            .check()
            .map_err(nephila::Error::from)?
            .max_crawl_delay;
        say(report_text(&report, max_crawl_delay).trim_end())?;
    }
    Ok(if report.allowed {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn report_text(report: &RobotsReport, max_crawl_delay: Duration) -> String {
    let mut text = String::new();
    let verdict = if report.allowed {
        "allowed"
    } else {
        "not allowed"
    };
    let _ = writeln!(text, "{verdict}: {}", safe(report.url.as_str()));
    field(&mut text, "agent", &safe(&report.agent));
    field(&mut text, "rule", &rule(report));
    if let Some(group) = report.group {
        field(&mut text, "group", &group.to_string());
    }
    field(&mut text, "robots.txt", &file(report));
    field(&mut text, "meaning", report.meaning.words());
    if let Some(delay) = report.crawl_delay {
        let obeyed = match delay > max_crawl_delay {
            true => format!(" (a crawl waits {max_crawl_delay:?}: --max-crawl-delay)"),
            false => String::new(),
        };
        field(&mut text, "crawl-delay", &format!("{delay:?}{obeyed}"));
    }
    for (place, sitemap) in report.sitemaps.iter().enumerate() {
        let name = if place == 0 { "sitemaps" } else { "" };
        field(&mut text, name, &safe(sitemap));
    }
    text
}

/// What decided.
fn rule(report: &RobotsReport) -> String {
    match (&report.rule, report.meaning) {
        (Some(rule), _) => format!("line {}: {}", rule.line, safe(&rule.rule)),
        (None, RobotsMeaning::Rules) => "none matches, which allows it".to_owned(),
        (None, _) => "none was read".to_owned(),
    }
}

/// Where it was looked for, and what answered.
fn file(report: &RobotsReport) -> String {
    let mut text = safe(report.robots_url.as_str());
    if report.redirects > 0 {
        let last = safe(&report.answered_by);
        let _ = write!(text, ", after {} redirects {last}", report.redirects);
    }
    match (report.status, &report.error) {
        (Some(status), _) => {
            let _ = write!(text, ": status {status}");
        }
        (None, Some(error)) => {
            let _ = write!(text, ": {}", safe(error));
        }
        (None, None) => {}
    }
    if report.meaning == RobotsMeaning::Rules {
        let _ = write!(text, ", {}", bytes(report.bytes));
    }
    if report.cut {
        text.push_str(", cut there: it is longer than --max-robots-size, or broken");
    }
    text
}

fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<12} {value}");
}
