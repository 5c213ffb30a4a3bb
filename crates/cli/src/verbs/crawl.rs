//! `nephila crawl`: crawls from seeds into a new crawl directory.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ArgMatches;
use nephila::options::Source;
use nephila::{Clock, Crawl, Summary, raise_file_limit, rfc3339};
use nephila_serve::Bound;

use super::serve;
use crate::arguments::{is_given, settings, value};
use crate::progress_display::{Display, show};
use crate::summary_text::summary_text;
use crate::terminal::{complain, shell_word};
use crate::{Exit, interrupt};

/// Seeds that are read from files and standard input at most.
const MOST_SEEDS: usize = 10_000_000;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    prepare_process();
    let display = Display::chosen(is_given(matches, "quiet"), value(matches, "log-format"));
    let mut settings = settings(matches)?;
    let written = matches.get_many::<String>("seeds").into_iter().flatten();
    let seeds = read_seeds(written)?;
    let out = value(matches, "out");
    let (directory, output) = match out.filter(|out| out.contains("://")) {
        Some(url) => (value(matches, "state"), Some(url)),
        None if value(matches, "state").is_some() => {
            anyhow::bail!("--state is for --out with a URL: a directory is its own state")
        }
        None => (out, None),
    };
    if let Some(url) = output {
        settings.set("output", vec![url.to_owned()], Source::Flag)?;
    }
    let directory = directory.map_or_else(|| default_directory(&seeds), PathBuf::from);
    let bound = serve::bind(&settings.check().map_err(nephila::Error::from)?)?;
    let crawl = Crawl::create(directory, &seeds, &settings)?;
    drive(crawl, display, bound)
}

/// Every connection is a file descriptor: take as many as the system gives.
pub(crate) fn prepare_process() {
    // Where it cannot be raised the crawl runs with what there is.
    let _ = raise_file_limit();
}

/// Runs a crawl with signals, progress and its page, and shows its summary.
pub(crate) fn drive(crawl: Crawl, display: Display, bound: Option<Bound>) -> anyhow::Result<Exit> {
    let directory = crawl.directory().root().to_owned();
    let hint = format!(
        "nephila resume {}",
        shell_word(&directory.display().to_string())
    );
    let borne = crawl.concurrency();
    if let Some(asked) = crawl.config().concurrency.0
        && borne < asked
        && display != Display::Quiet
    {
        complain(&format!(
            "{borne} fetches at once, not {asked}: more open files are not allowed (`ulimit -n`)"
        ));
    }
    let server = serve::start(bound, &crawl)?;
    let control = crawl.control();
    interrupt::watch(control.clone(), hint.clone()).context("cannot watch for signals")?;
    if display != Display::Quiet && display != Display::Json {
        complain(&format!("crawling into {}", directory.display()));
        server.iter().for_each(|server| serve::tell(server, &crawl));
    }
    let max_pages = crawl.config().max_pages;
    let shown = show(
        display,
        crawl.progress(),
        crawl.live_ledger(),
        control.clone(),
        max_pages,
    );
    let ended = crawl.run();
    control.note_end();
    if let Some(shown) = shown {
        let _ = shown.join();
    }
    if let Some(server) = server {
        server.finish();
    }
    let summary = ended.with_context(|| format!("the crawl cannot go on; when it can: {hint}"))?;
    tell(&summary, &directory, display);
    Ok(exit_of(&summary))
}

fn tell(summary: &Summary, directory: &Path, display: Display) {
    match display {
        Display::Quiet => {}
        Display::Json => {
            let line = serde_json::json!({ "event": "summary", "summary": summary });
            complain(&line.to_string());
        }
        Display::Live | Display::Lines => {
            complain(summary_text(summary, directory).trim_end());
            if summary.seeds_fetched == 0 {
                complain("no seed could be fetched: `nephila status` and the rows say why");
            }
        }
    }
}

fn exit_of(summary: &Summary) -> Exit {
    if summary.is_interrupted() {
        return Exit::Interrupted;
    }
    if summary.seeds_fetched == 0 {
        Exit::NoSeed
    } else {
        Exit::Done
    }
}

/// Reads what was named as seeds: URLs, `@file` and `-`.
fn read_seeds<'a>(written: impl Iterator<Item = &'a String>) -> anyhow::Result<Vec<String>> {
    let mut seeds = Vec::new();
    for seed in written {
        match seed.strip_prefix('@') {
            Some(path) => {
                let file = std::fs::File::open(path);
                let file = file.with_context(|| format!("cannot read the seeds in {path}"))?;
                read_lines(std::io::BufReader::new(file), path, &mut seeds)?;
            }
            None if seed == "-" => {
                read_lines(std::io::stdin().lock(), "standard input", &mut seeds)?;
            }
            None => seeds.push(seed.clone()),
        }
    }
    Ok(seeds)
}

/// One seed a line; empty lines and lines that start with `#` are passed over.
fn read_lines(lines: impl BufRead, from: &str, seeds: &mut Vec<String>) -> anyhow::Result<()> {
    for line in lines.lines() {
        let line = line.with_context(|| format!("cannot read the seeds in {from}"))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        anyhow::ensure!(
            seeds.len() < MOST_SEEDS,
            "more than {MOST_SEEDS} seeds in {from}"
        );
        seeds.push(line.to_owned());
    }
    Ok(())
}

/// `example.com-20261123-042657`: the first host and the time, in UTC.
pub(super) fn default_directory(seeds: &[String]) -> PathBuf {
    let first = seeds.first().map_or("crawl", String::as_str);
    let rest = first.split_once("://").map_or(first, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or("crawl");
    let name: String = host
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    let name = name.trim_matches(['.', '-']);
    let name = if name.is_empty() { "crawl" } else { name };
    let time: String = rfc3339(Clock::start().now())
        .chars()
        .take("2026-11-23T04:26:57".len())
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .collect();
    PathBuf::from(format!("{name}-{}", time.replace('T', "-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_is_a_plain_name() {
        for (seed, start) in [
            ("https://example.com:8080/a", "example.com-8080-"),
            ("example.com", "example.com-"),
            ("http://../../etc", "crawl-"),
        ] {
            let name = default_directory(&[seed.to_owned()]);
            let name = name.to_str().unwrap();
            assert!(name.starts_with(start), "{name}");
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
        }
    }

    #[test]
    fn seeds_are_read_a_line_each() {
        let mut seeds = Vec::new();
        read_lines(
            &b"http://a.test/\n\n# note\n  http://b.test/ \n"[..],
            "x",
            &mut seeds,
        )
        .unwrap();
        assert_eq!(seeds, ["http://a.test/", "http://b.test/"]);
    }
}
