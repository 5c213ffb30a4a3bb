//! What a thousand hostile hosts do to the good ones: memory, rate, and the longest fetch.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process::{Cores, Cost, Web, crawl_with};

/// The good web: polite hosts, so that the rate is bound by them and not by the machine.
const GOOD: [&str; 13] = [
    "--profile",
    "light",
    "--seed",
    "11",
    "--hosts",
    "100",
    "--seed-hosts",
    "100",
    "--pages",
    "8000",
    "--size-exponent=0",
    "--latency",
    "20ms",
];
const OPTIONS: [&str; 12] = [
    "--concurrency",
    "2500",
    "--delay",
    "500ms",
    "--retries",
    "0",
    "--first-byte-timeout",
    "30s",
    "--idle-timeout",
    "20s",
    "--total-timeout",
    "40s",
];
/// What holds a connection for as long as it is let, and how many hosts do it.
const HOLDING: [&str; 3] = ["/slow-hdr", "/slow-body", "/hang"];
const HOLDING_HOSTS: usize = 1_050;
/// What comes with force and ends soon, and how many hosts do it.
const FORCEFUL: [&str; 10] = [
    "/endless",
    "/bomb",
    "/bomb2",
    "/hdr-big",
    "/hdr-many",
    "/1xx-many",
    "/html-deep",
    "/html-attr",
    "/garbage",
    "/html-longurl",
];
const FORCEFUL_HOSTS: usize = 250;

/// The bars.
const MEMORY_MIB: u64 = 300;
const RATE_SHARE: f64 = 0.9;
const LONGEST_SECONDS: f64 = 41.0;
const AT_ONCE: u64 = 1_000;

/// A crawl, as its rows tell it.
struct Run {
    cost: Cost,
    good_pages: usize,
    rate: f64,
    longest_seconds: f64,
}

/// Runs it: the good hosts alone, then all together.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("nephila-bench-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let alone = crawl(&folder, None)?;
    let hostile = Web::start("hostile", &["--drip", "1s", "--hang", "120s"])?;
    let together = crawl(&folder, Some(&hostile))?;
    let state = hostile.ask("/control/state")?;
    let _ = std::fs::remove_dir_all(&folder);
    let body = state
        .split("\r\n\r\n")
        .nth(1)
        .context("the server's state")?;
    let state: Value = serde_json::from_str(body)?;
    let at_once = state.get("most_open").and_then(Value::as_u64).unwrap_or(0);

    println!("| run | good pages | pages/s of good hosts | peak MiB | CPU s | longest fetch s |");
    println!("|---|---|---|---|---|---|");
    for (name, run) in [("alone", &alone), ("with the hostile", &together)] {
        println!(
            "| {name} | {} | {:.0} | {} | {:.1} | {:.1} |",
            run.good_pages,
            run.rate,
            run.cost.peak_kib / 1024,
            run.cost.user + run.cost.system,
            run.longest_seconds
        );
    }
    let share = together.rate / alone.rate.max(0.001);
    let peak_mib = together.cost.peak_kib / 1024;
    let bars = [
        (
            format!("hostile connections at once: {at_once}, wanted {AT_ONCE}"),
            at_once >= AT_ONCE,
        ),
        (
            format!("peak memory: {peak_mib} MiB, wanted below {MEMORY_MIB}"),
            peak_mib < MEMORY_MIB,
        ),
        (
            format!("share of the rate: {share:.2}, wanted {RATE_SHARE}"),
            share >= RATE_SHARE,
        ),
        (
            format!(
                "longest fetch: {:.1} s, limit 40 s",
                together.longest_seconds
            ),
            together.longest_seconds <= LONGEST_SECONDS,
        ),
        (
            format!(
                "good pages: {}, alone {}",
                together.good_pages, alone.good_pages
            ),
            together.good_pages == alone.good_pages,
        ),
    ];
    println!();
    for (what, holds) in &bars {
        println!("- {}: {what}", if *holds { "holds" } else { "BROKEN" });
    }
    match bars.iter().all(|(_, holds)| *holds) {
        true => Ok(()),
        false => bail!("a bar does not hold"),
    }
}

fn crawl(folder: &Path, hostile: Option<&Web>) -> anyhow::Result<Run> {
    let good = Web::serve(&GOOD)?;
    let mut seeds = good_seeds(&good)?;
    let mut resolve = vec![format!("*:{0}:127.0.0.1:{0}", good.port)];
    if let Some(hostile) = hostile {
        resolve.push(format!("*:{0}:127.0.0.1:{0}", hostile.port));
        seeds.extend(hostile_seeds(hostile.port));
    }
    let list = folder.join("seeds.txt");
    std::fs::write(&list, seeds.join("\n"))?;
    let list = format!("@{}", list.display());
    let mut arguments = OPTIONS.to_vec();
    arguments.push(&list);
    for rule in &resolve {
        arguments.extend(["--resolve", rule]);
    }
    let out = folder.join("crawl");
    let cost = crawl_with(&out, &arguments, Cores::All)?;
    read(&out, cost, &format!(":{}", good.port))
}

fn good_seeds(good: &Web) -> anyhow::Result<Vec<String>> {
    let start: Value = serde_json::from_str(&good.start)?;
    let seeds = start
        .get("seeds")
        .and_then(Value::as_array)
        .context("seeds")?;
    Ok(seeds
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect())
}

fn hostile_seeds(port: u64) -> Vec<String> {
    let holding = HOLDING.iter().cycle().take(HOLDING_HOSTS);
    let forceful = FORCEFUL.iter().cycle().take(FORCEFUL_HOSTS);
    holding
        .chain(forceful)
        .enumerate()
        .map(|(number, path)| format!("http://h{number}.hostile.test:{port}{path}"))
        .collect()
}

/// The rate is that of the rows of good hosts, from the first of them to the last.
fn read(out: &Path, cost: Cost, good_port: &str) -> anyhow::Result<Run> {
    let mut moments = Vec::new();
    let mut longest_seconds: f64 = 0.0;
    for part in std::fs::read_dir(out.join("pages"))? {
        for line in std::fs::read_to_string(part?.path())?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let times = row.get("times").and_then(Value::as_object);
            let fetch_millis: f64 = times
                .into_iter()
                .flatten()
                .filter(|(state, _)| !["queue", "parse"].contains(&state.as_str()))
                .filter_map(|(_, millis)| millis.as_f64())
                .sum();
            longest_seconds = longest_seconds.max(fetch_millis / 1_000.0);
            let is_good = text("host").ends_with(good_port) && text("kind") == "page";
            if is_good && text("outcome") == "fetched" {
                moments.push(seconds_of_day(text("fetched_at")));
            }
        }
    }
    moments.sort_by(f64::total_cmp);
    let first = moments.first().copied().unwrap_or_default();
    let last = moments.last().copied().unwrap_or_default();
    Ok(Run {
        cost,
        good_pages: moments.len(),
        rate: moments.len() as f64 / (last - first).max(0.001),
        longest_seconds,
    })
}

/// Of `2026-01-02T03:04:05.678Z`. A run over midnight is to be repeated.
fn seconds_of_day(moment: &str) -> f64 {
    let clock = moment
        .split('T')
        .nth(1)
        .unwrap_or_default()
        .trim_end_matches('Z');
    clock.split(':').fold(0.0, |sum, part| {
        sum * 60.0 + part.parse::<f64>().unwrap_or(0.0)
    })
}
