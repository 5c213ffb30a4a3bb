//! Nephila beside other crawlers: the same webs, the same machine, one sitting, in turn.
//!
//! Every crawler has an adapter in `peers/`, and crawls every reachable page once on one processor,
//! while the server has the other. What a run cost is the operating system's accounting of its
//! process; whether it did the work is told by the server's log and the rows that it wrote.
#![expect(clippy::print_stderr, reason = "a long measurement tells where it is")]

mod check;
mod docs;
mod measure;
mod options;
mod pinned;
mod setup;
mod table;
mod tools;
mod webs;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use check::Verdict;
use measure::{CRAWLER, Run, SERVER};
use options::{Options, SIMULATED};
use table::Entry;
use tools::{Ready, TOOLS};
use webs::Web;

/// A crawler whose first run took longer is run this often at most.
const SLOW: Duration = Duration::from_secs(60);
const SLOW_ROUNDS: usize = 2;

/// How the tables are to be read.
const READING: &str = "The crawler had processor 1, the server processor 0 and segments of 1,448 bytes. CPU \
     is user and system time of the crawler's process, its start included, by pages that it found. Each \
     way in which runs ended stands with their number.";

/// Runs it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{}", options::usage());
        return Ok(());
    }
    let options = Options::parse(arguments)?;
    let folder = tempfile::Builder::new()
        .prefix("nephila-peers-")
        .tempdir()?;
    let webs = options.webs.iter().map(|name| match name.as_str() {
        SIMULATED => Web::simulated(&options),
        site => Web::docs(site, &options, folder.path()),
    });
    let webs: Vec<Web> = webs.collect::<anyhow::Result<_>>()?;
    let (tools, missing) = set_up(&options);
    pin_to(SERVER)?;
    for web in &webs {
        let entries = sit(web, &tools, &options, folder.path())?;
        println!("\n{}\n", web.heading(&options));
        print!("{}", table::render(&entries, &missing));
    }
    let arguments = arguments.iter().map(|word| format!(" {word}"));
    let arguments: String = arguments.collect();
    println!("\n{READING}\n\nRepeat it with `cargo xtask bench peers{arguments}`.");
    Ok(())
}

/// A crawler that was not had, and why.
type Missing = (&'static str, String);

fn set_up(options: &Options) -> (Vec<Ready>, Vec<Missing>) {
    let (mut tools, mut missing) = (Vec::new(), Vec::new());
    for tool in TOOLS.iter().filter(|tool| options.wants(tool.name)) {
        match setup::ready(tool) {
            Ok(ready) => tools.push(ready),
            Err(error) => {
                eprintln!("==> {}: not had: {error:#}", tool.title);
                missing.push((tool.title, error.to_string()));
            }
        }
    }
    (tools, missing)
}

/// All runs on one web: each round runs every crawler once.
fn sit(web: &Web, tools: &[Ready], options: &Options, folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = tools.iter().map(|tool| Entry::new(&tool.title)).collect();
    for round in 1..=options.rounds {
        for (tool, entry) in tools.iter().zip(&mut entries) {
            let is_slow = entry.runs.first().is_some_and(|(run, _)| run.wall >= SLOW);
            if is_slow && round > SLOW_ROUNDS {
                continue;
            }
            let (run, verdict) = once(web, tool, options, folder)
                .with_context(|| format!("{} on {}", tool.title, web.name()))?;
            eprintln!(
                "==> {}, round {round} of {}: {}: {:.1} s, {}",
                web.name(),
                options.rounds,
                tool.title,
                run.wall.as_secs_f64(),
                verdict.told(),
            );
            entry.runs.push((run, verdict));
        }
    }
    Ok(entries)
}

/// One run on a server of its own, and what its log and the rows tell of it.
fn once(
    web: &Web,
    tool: &Ready,
    options: &Options,
    folder: &Path,
) -> anyhow::Result<(Run, Verdict)> {
    let out = folder.join("out");
    let _ = std::fs::remove_dir_all(&out);
    std::fs::create_dir_all(&out)?;
    let served = web.serve(folder)?;
    let command = tool.command(&served.task(options, &out))?;
    let names = if tool.knows_names() {
        &[][..]
    } else {
        &served.names
    };
    let run = measure::run(command, CRAWLER, names, options.limit, &out)?;
    let asked = served.end()?;
    let verdict = Verdict::of(web.truth(), &asked, tool.rows(&out)?.as_deref());
    if verdict.found == 0 {
        bail!("no page was asked for: {}", measure::last_said(&out));
    }
    let _ = std::fs::remove_dir_all(&out);
    Ok((run, verdict))
}

/// What this process starts from here on runs on this processor, unless it is moved.
fn pin_to(processor: &str) -> anyhow::Result<()> {
    let own = std::process::id().to_string();
    let output = Command::new("taskset")
        .args(["--cpu-list", "--pid", processor, &own])
        .output()
        .context("taskset (Debian's util-linux)")?;
    if !output.status.success() {
        bail!(
            "taskset: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
