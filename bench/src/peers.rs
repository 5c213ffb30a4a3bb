//! Nephila beside other crawlers: the same webs, the same machine, one sitting, in turn.
//!
//! Every crawler has an adapter in `peers/`, and crawls every reachable page once on one processor,
//! while the server has the other. What a run cost is the operating system's accounting of its
//! process; whether it did the work is told by the server's log and the rows that it wrote.
#![expect(clippy::print_stderr, reason = "a long measurement tells where it is")]

mod check;
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
use options::Options;
use table::Entry;
use tools::{Ready, TOOLS};
use webs::Web;

/// A crawler whose first run took longer is run this often at most.
const SLOW: Duration = Duration::from_secs(60);
const SLOW_ROUNDS: usize = 2;

/// Runs it.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(arguments)?;
    let wanted: Vec<_> = TOOLS
        .iter()
        .filter(|tool| options.wants(tool.name))
        .collect();
    let (mut tools, mut missing) = (Vec::new(), Vec::new());
    for tool in wanted {
        match setup::ready(tool) {
            Ok(ready) => tools.push(ready),
            Err(error) => {
                let why = error
                    .chain()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(": ");
                eprintln!("==> {}: not had: {why}", tool.title);
                missing.push((tool.title, why));
            }
        }
    }
    pin_to(SERVER)?;
    let folder = std::env::temp_dir().join(format!("nephila-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for kind in &options.webs {
        let web = Web::open(*kind, &options)?;
        let entries = sit(&web, &tools, &options, &folder)?;
        println!("\n{}\n", web.heading(&options));
        print!("{}", table::render(&entries, &missing));
    }
    println!(
        "\nRepeat it with `cargo xtask bench peers {}`.",
        arguments.join(" ")
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(())
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
