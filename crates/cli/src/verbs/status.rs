//! `nephila status`: counts, what is queued, and why a crawl runs or stopped.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use nephila::{Clock, CrawlDirectory, ErrorKind, HostStatus, RunState, Status};

use super::resume::tell_repairs;
use crate::Exit;
use crate::arguments::{is_given, value};
use crate::terminal::{bytes, complain, count, safe_cut, safe_json, say, shell_word, span};

/// Widest host name that is shown.
const HOST_WIDTH: usize = 60;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let directory = CrawlDirectory::at(value(matches, "directory").unwrap_or_default());
    let hosts = matches
        .get_one::<usize>("hosts")
        .copied()
        .unwrap_or_default();
    let clock = Clock::start();
    let mended = nephila::mend(&directory);
    match &mended {
        Ok(repairs) => tell_repairs(repairs),
        // What cannot be written can still be read.
        Err(error) if is_told_by_status(error.kind()) => {}
        Err(error) => complain(&format!("not repaired: {error}")),
    }
    let status = match (Status::read(&directory, hosts, clock.now()), mended) {
        // There is no log, and there was one.
        (Err(error), Err(lost))
            if error.kind() == ErrorKind::NotACrawl && lost.kind() == ErrorKind::Corrupt =>
        {
            return Err(lost.into());
        }
        (status, _) => status?,
    };
    if is_given(matches, "json") {
        say(&safe_json(&serde_json::to_string_pretty(&status)?))?;
    } else {
        let shown = shell_word(&directory.root().display().to_string());
        say(status_text(&status, &shown).trim_end())?;
    }
    Ok(Exit::Done)
}

/// Whether reading the status says the same, or nothing is wrong.
fn is_told_by_status(kind: ErrorKind) -> bool {
    use ErrorKind::{Corrupt, Locked, NotACrawl, Usage, Version};
    matches!(kind, Corrupt | Locked | NotACrawl | Usage | Version)
}

/// The status for a person; `directory` is a word for the shell.
fn status_text(status: &Status, directory: &str) -> String {
    let mut text = String::new();
    let state = match (status.state, status.process) {
        (RunState::Running, Some(process)) => format!("running (process {process})"),
        (RunState::Running, None) => "running".to_owned(),
        (RunState::Stopped, _) => "stopped".to_owned(),
        (RunState::BrokenOff, _) => "broken off".to_owned(),
    };
    let _ = writeln!(text, "{directory}: {state}: {}", status.why);
    let _ = writeln!(
        text,
        "{} pages on {} hosts, {} errors; {} fetches of robots.txt, sitemaps and feeds",
        count(status.pages),
        count(status.hosts_known),
        count(status.errors),
        count(status.side_fetches),
    );
    let _ = writeln!(
        text,
        "{} on the wire, {} decoded; {} rows in {directory}/pages",
        bytes(status.wire_bytes),
        bytes(status.decoded_bytes),
        count(status.rows),
    );
    times(&mut text, status);
    counts(&mut text, "outcomes", status.outcomes.iter());
    counts(&mut text, "HTTP statuses", status.statuses.iter());
    hosts(&mut text, status);
    queue(&mut text, status);
    advice(&mut text, status, directory);
    text
}

fn times(text: &mut String, status: &Status) {
    let _ = write!(text, "made {}", status.created_at);
    if let Some(last) = &status.last_outcome_at {
        let _ = write!(text, ", last outcome {last}");
    }
    if let Some(stopped) = &status.stopped_at {
        let ran = span(Duration::from_secs_f64(status.ran_seconds.max(0.0)));
        let _ = write!(text, ", stopped {stopped} after {ran}");
    }
    text.push('\n');
}

fn counts<K: ToString>(
    text: &mut String,
    heading: &str,
    counts: impl Iterator<Item = (K, impl std::ops::Deref<Target = u64>)>,
) {
    let mut counts = counts.peekable();
    if counts.peek().is_some() {
        let _ = writeln!(text, "{heading}:");
    }
    for (name, number) in counts {
        let _ = writeln!(text, "  {:<20} {:>12}", name.to_string(), count(*number));
    }
}

fn hosts(text: &mut String, status: &Status) {
    if status.hosts.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "hosts with the most pages ({} of {}):\n  {:>9} {:>7} {:>9} {:>9}  {:<11}  host",
        count(status.hosts.len() as u64),
        count(status.hosts_known),
        "pages",
        "errors",
        "mean ms",
        "queued",
        "next fetch",
    );
    for host in &status.hosts {
        let _ = writeln!(
            text,
            "  {:>9} {:>7} {:>9.1} {:>9}  {:<11}  {}",
            count(host.pages),
            count(host.errors),
            host.mean_millis,
            count(host.queued),
            next_fetch(host),
            safe_cut(&host.host, HOST_WIDTH),
        );
    }
}

fn next_fetch(host: &HostStatus) -> String {
    match host.next_in_seconds {
        wait if wait > 0.0 => format!("in {}", span(Duration::from_secs_f64(wait))),
        _ => "now".to_owned(),
    }
}

fn queue(text: &mut String, status: &Status) {
    let queued = &status.queued;
    if queued.urls == 0 {
        return text.push_str("queued: nothing\n");
    }
    let _ = write!(text, "queued: {} URLs", count(queued.urls));
    if queued.held > 0 {
        let _ = write!(
            text,
            ", {} of them held back by --max-pages-per-host",
            count(queued.held)
        );
    }
    if let Some(wait) = queued.next_in_seconds {
        let _ = write!(
            text,
            "; {} hosts have some, {} may be fetched now",
            count(queued.hosts),
            count(queued.ready_hosts)
        );
        if wait > 0.0 {
            let _ = write!(
                text,
                ", the next in {}",
                span(Duration::from_secs_f64(wait))
            );
        }
    }
    text.push('\n');
}

fn advice(text: &mut String, status: &Status, directory: &str) {
    if let Some(change) = going_on(status) {
        let _ = writeln!(text, "go on:        nephila resume {directory}{change}");
    }
    let _ = writeln!(text, "look further: nephila why URL {directory}");
    let _ = writeln!(
        text,
        "              nephila export {directory} --columns url,status,outcome,error"
    );
}

/// What `resume` has to be told; `None` where there is nothing to go on with.
fn going_on(status: &Status) -> Option<&'static str> {
    let is_left = status.queued.urls > status.queued.held;
    match (status.state, status.reason) {
        (RunState::Running, _) => None,
        (RunState::BrokenOff, _) => Some(""),
        (RunState::Stopped, _) if !is_left => None,
        (RunState::Stopped, Some("max_pages")) => Some(" --max-pages none"),
        (RunState::Stopped, Some("max_duration")) => Some(" --max-duration none"),
        (RunState::Stopped, _) => Some(""),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nephila::QueueStatus;

    use super::*;

    fn status(state: RunState, reason: Option<&'static str>) -> Status {
        Status {
            state,
            process: (state == RunState::Running).then_some(7),
            reason,
            why: "because".to_owned(),
            created_at: "2026-11-23T04:26:57.000Z".to_owned(),
            last_outcome_at: None,
            stopped_at: None,
            ran_seconds: 0.0,
            pages: 1_234,
            errors: 2,
            outcomes: BTreeMap::from([("fetched", 1_232), ("http_error", 2)]),
            statuses: BTreeMap::from([(200, 1_232), (404, 2)]),
            side_fetches: 3,
            wire_bytes: 5_000,
            decoded_bytes: 9_000,
            rows: 1_237,
            parts: 1,
            queued: QueueStatus {
                urls: 10,
                held: 0,
                hosts: 2,
                ready_hosts: 0,
                next_in_seconds: Some(0.8),
            },
            hosts_known: 2,
            hosts: vec![HostStatus {
                host: "a.test\u{1b}".to_owned(),
                pages: 1_000,
                errors: 1,
                mean_millis: 12.34,
                queued: 9,
                next_in_seconds: 0.8,
            }],
        }
    }

    #[test]
    fn the_way_on_fits_the_reason_of_the_stop() {
        let rows = [
            (RunState::BrokenOff, None, Some("")),
            (RunState::Running, None, None),
            (
                RunState::Stopped,
                Some("max_pages"),
                Some(" --max-pages none"),
            ),
            (
                RunState::Stopped,
                Some("max_duration"),
                Some(" --max-duration none"),
            ),
            (RunState::Stopped, Some("interrupted"), Some("")),
        ];
        for (state, reason, expected) in rows {
            assert_eq!(
                going_on(&status(state, reason)),
                expected,
                "{state:?} {reason:?}"
            );
        }
        let mut held = status(RunState::Stopped, Some("done"));
        held.queued.held = 10;
        assert_eq!(going_on(&held), None);
    }

    #[test]
    fn a_person_reads_counts_hosts_and_the_queue() {
        let text = status_text(&status(RunState::Running, None), "'a b'");
        for part in [
            "'a b': running (process 7): because\n",
            "1,234 pages on 2 hosts, 2 errors",
            "  404                             2\n",
            "1,000       1      12.3         9  in 0.8 s     a.test\\u{1b}\n",
            "queued: 10 URLs; 2 hosts have some, 0 may be fetched now, the next in 0.8 s\n",
            "look further: nephila why URL 'a b'\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        assert!(!text.contains("resume"));
    }
}
