//! `nephila why`: what became of a URL, or which rule keeps it out.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ArgMatches;
use nephila::{Clock, CrawlDirectory, DoneVisit, HostFacts, RowPlace, VisitFacts, Why};

use crate::Exit;
use crate::arguments::{is_given, value};
use crate::terminal::{count, safe, safe_json, say, shell_word, span};

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let directory = CrawlDirectory::at(value(matches, "directory").unwrap_or_default());
    let url = value(matches, "url").unwrap_or_default();
    let why = Why::ask(&directory, url, Clock::start().now())?;
    if is_given(matches, "json") {
        say(&safe_json(&serde_json::to_string_pretty(&why)?))?;
    } else {
        let shown = shell_word(&directory.root().display().to_string());
        say(why_text(&why, &shown).trim_end())?;
    }
    Ok(Exit::Done)
}

/// The answer for a person; `directory` is a word for the shell.
fn why_text(why: &Why, directory: &str) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n  {}", safe(&why.url), safe(&why.explanation));
    for visit in &why.visits {
        visit_text(&mut text, visit);
    }
    for link in &why.links {
        let rel = if link.rel.is_empty() {
            String::new()
        } else {
            format!(", rel={}", link.rel)
        };
        let reason = link
            .reason
            .as_ref()
            .map_or_else(String::new, |why| format!(": {why}"));
        let shown = format!("{} ({}{rel}){reason}", link.page, link.kind);
        let _ = writeln!(text, "  linked from: {}", safe(&shown));
    }
    let more = why.links_found.saturating_sub(why.links.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "               and {} more links", count(more));
    }
    host_text(&mut text, &why.host);
    if let Some(process) = why.process {
        let _ = writeln!(text, "  at work:     process {process}");
    }
    let _ = writeln!(text, "look further: nephila status {directory}");
    text
}

fn visit_text(text: &mut String, visit: &VisitFacts) {
    let referrer = match &visit.referrer {
        Some(referrer) => format!(", linked from {}", safe(referrer)),
        None if visit.hops == 0 && visit.kind == "page" => ", a seed".to_owned(),
        None => String::new(),
    };
    if let Some(at) = &visit.admitted_at {
        let hops = match visit.hops {
            1 => "1 hop".to_owned(),
            hops => format!("{hops} hops"),
        };
        let kind = visit.kind;
        let _ = writeln!(text, "  admitted:    {at} as {kind}, {hops}{referrer}");
    }
    if let Some(done) = &visit.done {
        done_text(text, done);
    }
}

fn done_text(text: &mut String, done: &DoneVisit) {
    let took = count(u64::from(done.fetch_millis));
    let at = &done.finished_at;
    let _ = writeln!(text, "  done:        {at}, fetch took {took} ms");
    if let Some(title) = &done.title {
        let _ = writeln!(text, "  title:       {}", safe(title));
    }
    if let Some(target) = &done.redirect_target {
        let _ = writeln!(text, "  redirect to: {}", safe(target));
    }
    if let Some(row) = &done.row {
        let _ = writeln!(text, "  row:         {}", row_command(row));
    }
}

/// What prints a row.
fn row_command(row: &RowPlace) -> String {
    format!(
        "sed -n {}p {}",
        row.line,
        shell_word(&row.file.display().to_string())
    )
}

fn host_text(text: &mut String, host: &HostFacts) {
    let name = safe(&host.host);
    if host.pages + host.queued == 0 && host.robots.is_none() {
        let _ = writeln!(text, "  host:        {name}: nothing of it was asked for");
        return;
    }
    let next = match &host.next_at {
        Some(at) => {
            let wait = span(Duration::from_secs_f64(host.next_in_seconds.max(0.0)));
            format!("may next be fetched in {wait} ({at})")
        }
        None => "may be fetched now".to_owned(),
    };
    let _ = writeln!(
        text,
        "  host:        {name}: {next}; {} pages, {} errors, {} queued",
        count(host.pages),
        count(host.errors),
        count(host.queued),
    );
    let robots = match &host.robots {
        Some(robots) => {
            let status = robots
                .status
                .map_or_else(String::new, |status| format!(", status {status}"));
            let error = robots
                .error
                .as_ref()
                .map_or_else(String::new, |why| format!(": {why}"));
            let row = robots
                .row
                .as_ref()
                .map_or_else(String::new, |row| format!("; row: {}", row_command(row)));
            format!("{}{status}{}{row}", robots.outcome, safe(&error))
        }
        None if host.ignores_robots => "not asked for (--ignore-robots)".to_owned(),
        None => "not fetched so far".to_owned(),
    };
    let _ = writeln!(text, "  robots.txt:  {robots}");
}

#[cfg(test)]
mod tests {
    use nephila::Standing;

    use super::*;

    #[test]
    fn what_comes_from_the_web_is_shown_and_not_obeyed() {
        let why = Why {
            url: "http://a.test/".to_owned(),
            standing: Standing::Done,
            explanation: "fetched, status 200: \u{1b}[2J".to_owned(),
            refused_by: None,
            visits: vec![VisitFacts {
                kind: "page",
                admitted_at: Some("T1".to_owned()),
                referrer: None,
                hops: 0,
                done: Some(DoneVisit {
                    outcome: "fetched",
                    meaning: "m",
                    status: Some(200),
                    finished_at: "T2".to_owned(),
                    fetch_millis: 12,
                    row: Some(RowPlace {
                        file: "a b/part-00000.jsonl".into(),
                        line: 3,
                    }),
                    error: None,
                    title: Some("red\u{1b}[31m".to_owned()),
                    redirect_target: None,
                    duplicate_of: None,
                }),
            }],
            links: Vec::new(),
            links_found: 0,
            host: HostFacts {
                host: "a.test".to_owned(),
                pages: 1,
                errors: 0,
                mean_millis: 12.0,
                queued: 0,
                next_at: Some("T3".to_owned()),
                next_in_seconds: 1.5,
                robots: None,
                ignores_robots: false,
            },
            is_running: false,
            process: None,
        };
        let text = why_text(&why, "dir");
        assert!(!text.contains('\u{1b}'), "{text}");
        for part in [
            "  admitted:    T1 as page, 0 hops, a seed\n",
            "  title:       red\\u{1b}[31m\n",
            "  row:         sed -n 3p 'a b/part-00000.jsonl'\n",
            "  done:        T2, fetch took 12 ms\n",
            "may next be fetched in 1.5 s (T3); 1 pages",
            "  robots.txt:  not fetched so far\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }
}
