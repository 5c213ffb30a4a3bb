//! `nephila fetch`: one URL, its headers, its timing and what parsing found.

mod waterfall;

use std::fmt::Write as _;

use clap::ArgMatches;
use nephila::options::Source;
use nephila::single::{FoundPage, PageReport, fetch_page};

use crate::Exit;
use crate::arguments::{is_given, settings, value};
use crate::terminal::{bytes, complain, safe, safe_cut, safe_json, safe_lines, say};
use waterfall::waterfall;

/// Links that are shown.
const LINKS_SHOWN: usize = 20;
/// Characters of a title, a description or a link's text that are shown.
const TEXT_SHOWN: usize = 200;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let mut settings = settings(matches)?;
    let with_body = is_given(matches, "show-body");
    let written = vec![with_body.to_string()];
    settings
        .set("body", written, Source::Flag)
        .map_err(nephila::Error::from)?;
    let report = fetch_page(value(matches, "url").unwrap_or_default(), &settings)?;
    if is_given(matches, "json") {
        say(&safe_json(&serde_json::to_string(&report)?))?;
    } else {
        say(report_text(&report).trim_end())?;
        show_texts(&report, with_body)?;
    }
    if report.is_answered() {
        return Ok(Exit::Done);
    }
    if !is_given(matches, "json") {
        complain(&format!("error: {}", failure(&report)));
    }
    Ok(Exit::Failed)
}

/// The visible text and the body, where they were asked for.
fn show_texts(report: &PageReport, with_body: bool) -> anyhow::Result<()> {
    if let Some(text) = report.page.as_ref().and_then(|page| page.text.as_deref()) {
        say(&format!("\ntext\n{}", safe_lines(text)))?;
    }
    match &report.body {
        Some(body) => say(&format!("\nbody\n{}", safe_lines(body)))?,
        None if with_body && report.body_bytes > 0 => {
            say("\nbody         is no text, and is not shown")?;
        }
        None => {}
    }
    Ok(())
}

/// Where and why there is no answer.
fn failure(report: &PageReport) -> String {
    let why = safe(report.error.as_deref().unwrap_or("no answer"));
    let state = report.failed_in.map_or_else(String::new, |state| {
        format!(
            " (in the state {}, after {:.1} ms)",
            state.replace('_', " "),
            total_millis(report)
        )
    });
    format!("{}: {why}{state}", safe(report.url.as_str()))
}

fn total_millis(report: &PageReport) -> f64 {
    report.times.total().as_secs_f64() * 1_000.0
}

/// Everything but text and body.
fn report_text(report: &PageReport) -> String {
    let mut text = format!("GET {}\n", safe(report.url.as_str()));
    if let Some(answer) = &report.answer {
        let _ = writeln!(text, "{} {}", answer.version, answer.status);
        for (name, value) in &answer.headers {
            let _ = writeln!(text, "{}: {}", safe(name), safe(value));
        }
    }
    text.push('\n');
    field(&mut text, "outcome", report.outcome.as_str());
    if let Some(target) = &report.redirect_target {
        field(
            &mut text,
            "redirect to",
            &format!("{} (not followed)", safe(target.as_str())),
        );
    }
    // Without an answer it goes to standard error.
    if let Some(error) = report.error.as_ref().filter(|_| report.is_answered()) {
        field(&mut text, "error", &safe(error));
    }
    if let Some(address) = report.address {
        let reused = report.answer.as_ref().is_some_and(|answer| answer.reused);
        let connection = if reused {
            "a kept connection"
        } else {
            "a new connection"
        };
        field(&mut text, "address", &format!("{address}, {connection}"));
    }
    if report.answer.is_some() {
        sizes(report, &mut text);
    }
    let _ = write!(text, "\n{}", waterfall(&report.times, report.failed_in));
    if let Some(page) = &report.page {
        text.push('\n');
        page_text(report, page, &mut text);
    } else if let Some(charset) = report.charset {
        text.push('\n');
        field(&mut text, "charset", charset);
    }
    text
}

fn sizes(report: &PageReport, text: &mut String) {
    if report.body_skipped {
        let content_type = report
            .answer
            .as_ref()
            .and_then(|answer| answer.header("content-type"));
        let shown = safe_cut(content_type.unwrap_or("its type"), TEXT_SHOWN);
        let what = format!("not read: {shown} is not in --accept, which a crawl cuts off too");
        return field(text, "body", &what);
    }
    let coding = report
        .answer
        .as_ref()
        .and_then(|answer| answer.header("content-encoding"));
    let coding = coding.map_or_else(String::new, |coding| format!(", {}", safe_cut(coding, 40)));
    field(
        text,
        "wire",
        &format!("{}{coding}", bytes(report.wire_bytes)),
    );
    if let Some(digest) = &report.digest {
        field(text, "decoded", &bytes(report.body_bytes));
        field(text, "digest", digest);
    }
}

fn page_text(report: &PageReport, page: &FoundPage, text: &mut String) {
    let charset = report.charset.unwrap_or_default();
    field(
        text,
        "charset",
        &format!("{charset}, from: {}", page.charset_source),
    );
    let robots = report.robots();
    for (name, value) in [
        ("title", page.title.as_deref()),
        ("description", page.description.as_deref()),
        ("language", page.language.as_deref()),
        ("canonical", page.canonical.as_ref().map(|url| url.as_str())),
        ("robots", robots.as_deref()),
    ] {
        let shown = value.map_or_else(|| "-".to_owned(), |value| safe_cut(value, TEXT_SHOWN));
        field(text, name, &shown);
    }
    field(text, "links", &link_counts(page));
    if !page.warnings.is_empty() {
        field(text, "warnings", &page.warnings.join(", "));
    }
    for link in page.links.iter().take(LINKS_SHOWN) {
        let shown = safe(link.url.as_str());
        let _ = writeln!(
            text,
            "  {:<10} {shown}  {}",
            link.kind,
            safe_cut(&link.text, TEXT_SHOWN)
        );
    }
    if page.links.len() > LINKS_SHOWN {
        let _ = writeln!(text, "  and {} more", page.links.len() - LINKS_SHOWN);
    }
}

fn link_counts(page: &FoundPage) -> String {
    let mut shown = page.links.len().to_string();
    let kinds = page.links_by_kind();
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    if !kinds.is_empty() {
        let _ = write!(shown, ": {}", kinds.join(", "));
    }
    if page.other_links > 0 {
        let _ = write!(shown, "; and {} that are not http", page.other_links);
    }
    shown
}

/// One line: a name and what is known of it, which is safe to print.
fn field(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<12} {value}");
}
