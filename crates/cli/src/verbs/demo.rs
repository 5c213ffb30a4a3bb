//! `nephila demo`: a small simulated web, served on loopback and crawled.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ArgMatches;
use nephila::{CommittedRows, Crawl, CrawlDirectory, Settings};
use nephila_sim::{LogMode, Outcomes, RobotsMix, ServeOptions, Server, Spread, Web};
use serde::Deserialize;

use super::crawl::{default_directory, drive, prepare_process};
use super::serve;
use crate::Exit;
use crate::arguments::{self, is_given, value};
use crate::progress_display::Display;
use crate::terminal::{complain, count, shell_word};

/// The same web each time.
const SEED: u64 = 2026;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    prepare_process();
    let display = Display::chosen(is_given(matches, "quiet"), value(matches, "log-format"));
    let is_told = matches!(display, Display::Live | Display::Lines);
    let pages = matches.get_one::<u64>("pages").copied().unwrap_or_default();
    let out = value(matches, "out").map_or_else(
        || default_directory(&["nephila-demo".to_owned()]),
        PathBuf::from,
    );
    let options = ServeOptions {
        log: LogMode::Off,
        ..ServeOptions::default()
    };
    let server = Server::start_in_thread(web(pages), options);
    let server = server.context("cannot serve the simulated web on loopback")?;
    let mut settings = settings(server.addr().port())?;
    settings.merge(arguments::settings(matches)?);
    let bound = serve::bind(&settings.check().map_err(nephila::Error::from)?)?;
    let crawl = Crawl::create(&out, &server.web().seeds(), &settings)?;
    if is_told {
        complain(&format!(
            "serving a simulated web of {} pages on {} hosts at {}",
            count(server.web().pages),
            count(u64::from(server.web().hosts)),
            server.addr(),
        ));
    }
    let exit = drive(crawl, display, bound)?;
    drop(server);
    if is_told {
        complain(&match exit {
            Exit::Done => next_steps(&out),
            _ => "the simulated web has gone, so this crawl cannot go on; run the demo again"
                .to_owned(),
        });
    }
    Ok(exit)
}

/// A web like the real one in its mix of hosts, links and answers, but small and quick: a page
/// takes some 15 ms, nothing hangs, and no host asks for a long delay.
fn web(pages: u64) -> Web {
    const PAGES_A_HOST: u64 = 50;
    const MOST_HOSTS: u64 = 10_000;
    let hosts = (pages / PAGES_A_HOST).clamp(4, MOST_HOSTS) as u32;
    let real = Web::realistic(SEED, hosts, pages);
    Web {
        // The largest host is fetched one page at a time: it decides how long the demo takes.
        host_size_exponent: 0.4,
        page_bytes: Spread::lognormal(12_000.0, 0.6, 500.0, 200_000.0),
        latency_ms: Spread::lognormal(15.0, 0.4, 3.0, 60.0),
        outcomes: Outcomes {
            hang: 0.0,
            ..real.outcomes
        },
        robots: RobotsMix {
            hang: 0.0,
            server_error: 0.0,
            crawl_delay: 0.0,
            ..real.robots
        },
        ..real
    }
}

/// The settings that crawl it: every host of it lives on this port.
fn settings(port: u16) -> Result<Settings, nephila::Error> {
    let resolve = format!("*:{port}:127.0.0.1:{port}");
    let values = [
        ("scope", "any"),
        ("resolve", resolve.as_str()),
        ("allow-private", "true"),
        ("concurrency", "64"),
        // What fails here fails on purpose, and passes at once.
        ("retry-wait", "50ms"),
        ("backoff", "50ms"),
    ];
    let mut settings = Settings::new();
    for (name, written) in values {
        settings = settings.with(name, written)?;
    }
    Ok(settings)
}

/// Where the output is and what to do with it, in commands that work as they stand.
fn next_steps(directory: &Path) -> String {
    let program = program();
    let shown = shell_word(&directory.display().to_string());
    let url = url_worth_asking(directory).unwrap_or_default();
    let commands = [
        format!("{program} status {shown}"),
        format!("{program} export {shown} --columns url,status,title,times.first_byte | head"),
        format!("{program} why {} {shown}", shell_word(&url)),
        format!("head -n 1 {shown}/pages/part-00000.jsonl"),
    ];
    let commands: String = commands
        .iter()
        .map(|command| format!("\n  {command}"))
        .collect();
    format!("what to try next:{commands}")
}

/// How this command was called, so that what is shown can be pasted.
fn program() -> String {
    let called = std::env::args().next().filter(|name| name.contains('/'));
    called.map_or_else(|| "nephila".to_owned(), |name| shell_word(&name))
}

/// A URL of the crawl with something to tell: one that robots.txt denies, or else the first.
fn url_worth_asking(directory: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Row {
        url: String,
        kind: String,
        outcome: String,
    }
    let mut rows = CommittedRows::open(&CrawlDirectory::at(directory)).ok()?;
    let mut first = None;
    let mut line = Vec::new();
    while rows.next_into(&mut line).ok()? {
        let row: Row = serde_json::from_slice(&line).ok()?;
        if row.outcome == "robots_denied" {
            return Some(row.url);
        }
        if row.kind == "page" && first.is_none() {
            first = Some(row.url);
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_of_the_demo_can_be_served_and_crawled() {
        for pages in [10, 60, 2_000, 1_000_000] {
            web(pages).check().unwrap();
        }
        settings(1).unwrap().check().unwrap();
    }
}
