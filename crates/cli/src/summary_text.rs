//! The summary at the end of a crawl, for a person.

use std::fmt::Write as _;
use std::path::Path;

use nephila::Summary;

use crate::terminal::{bytes, count, safe_cut, shell_word, span};

/// Widest host name that is shown.
const HOST_WIDTH: usize = 60;

/// The summary, some twenty lines.
pub(crate) fn summary_text(summary: &Summary, directory: &Path) -> String {
    let mut text = String::new();
    let rate = summary.run_pages as f64 / summary.run_seconds.max(0.001);
    let _ = writeln!(
        text,
        "{}: {} pages on {} hosts in {} ({rate:.1}/s), {} on the wire, {} decoded",
        ended(&summary.stopped),
        count(summary.pages),
        count(summary.hosts),
        span(summary.run_time()),
        bytes(summary.wire_bytes),
        bytes(summary.decoded_bytes),
    );
    for (outcome, number) in &summary.outcomes {
        let _ = writeln!(text, "  {outcome:<20} {:>12}", count(*number));
    }
    hosts(&mut text, summary);
    refused(&mut text, summary);
    if summary.duplicates > 0 {
        let _ = writeln!(
            text,
            "{} pages duplicate others; their links were not followed (--skip-duplicates)",
            count(summary.duplicates)
        );
    }
    if summary.ignored_robots {
        let _ = writeln!(text, "robots.txt was ignored (--ignore-robots)");
    }
    if summary.not_followed > 0 {
        let _ = writeln!(
            text,
            "{} frames and meta refreshes were not followed; \
             --follow a --follow area --follow frame --follow refresh does",
            count(summary.not_followed)
        );
    }
    let shown = shell_word(&directory.display().to_string());
    let _ = writeln!(text, "rows: {shown}/pages ({} rows)", count(summary.rows));
    if directory.join("report.html").exists() {
        let _ = writeln!(text, "report: {shown}/report.html");
    }
    if summary.queued > 0 {
        let _ = writeln!(text, "{} URLs are still queued", count(summary.queued));
        let _ = writeln!(
            text,
            "go on:       nephila resume {shown}{}",
            change(summary)
        );
    }
    let _ = writeln!(text, "look further: nephila status {shown}");
    text
}

fn ended(stopped: &str) -> &'static str {
    match stopped {
        "done" => "done",
        "max_pages" => "stopped at --max-pages",
        "max_duration" => "stopped at --max-duration",
        _ => "interrupted",
    }
}

/// What `resume` needs to be told to go on after a limit.
fn change(summary: &Summary) -> &'static str {
    match summary.stopped.as_str() {
        "max_pages" => " --max-pages none",
        "max_duration" => " --max-duration none",
        _ => "",
    }
}

fn hosts(text: &mut String, summary: &Summary) {
    if summary.hosts > 1 {
        let _ = writeln!(text, "slowest hosts (mean time of a fetch):");
        for host in &summary.slowest_hosts {
            let name = safe_cut(&host.host, HOST_WIDTH);
            let _ = writeln!(
                text,
                "  {:>7} ms  {name} ({} pages)",
                host.mean_millis, host.pages
            );
        }
    }
    if !summary.failing_hosts.is_empty() {
        let _ = writeln!(text, "hosts with errors:");
        for host in &summary.failing_hosts {
            let name = safe_cut(&host.host, HOST_WIDTH);
            let _ = writeln!(text, "  {:>7} of {} pages  {name}", host.errors, host.pages);
        }
    }
}

fn refused(text: &mut String, summary: &Summary) {
    if summary.refused_links.is_empty() {
        return;
    }
    let parts: Vec<String> = summary
        .refused_links
        .iter()
        .map(|(option, number)| format!("{} by {option}", count(*number)))
        .collect();
    let _ = writeln!(text, "links not taken: {}", parts.join(", "));
}
