//! Nephila against itself on one simulated web, in turns: what more in flight, another core or more
//! outputs change. The rows of a table come from alternating runs, each as median and range.

use anyhow::{Context, bail};

use crate::process::{Web, crawl};
use crate::spread::Spread;

/// What is compared.
struct Regime {
    name: &'static str,
    summary: &'static str,
    pages: u32,
    web: &'static [&'static str],
    /// What each row is called, and the options of its crawl.
    rows: &'static [(&'static str, &'static [&'static str])],
}

const REGIMES: &[Regime] = &[
    Regime {
        name: "parallel",
        summary: "light pages on 100 hosts, no latency: one thread and two",
        pages: 20_000,
        web: &["--hosts", "100"],
        rows: &[
            ("1 thread", &["--threads", "1", "--concurrency", "100"]),
            ("2 threads", &["--threads", "2", "--concurrency", "100"]),
        ],
    },
    Regime {
        name: "one-host",
        summary: "light pages on one host, no delay, 64 at once: one thread and two",
        pages: 20_000,
        web: &["--hosts", "1"],
        rows: &[
            (
                "1 thread",
                &["--threads", "1", "--delay", "0", "--per-host", "64"],
            ),
            (
                "2 threads",
                &["--threads", "2", "--delay", "0", "--per-host", "64"],
            ),
        ],
    },
    Regime {
        name: "outputs",
        summary: "light pages on 100 hosts, one thread: rows alone, and with archive and Parquet",
        pages: 20_000,
        web: &["--hosts", "100"],
        rows: &[
            ("jsonl", &["--threads", "1", "--format", "jsonl"]),
            (
                "jsonl, parquet",
                &["--threads", "1", "--format", "jsonl,parquet"],
            ),
            ("jsonl, warc", &["--threads", "1", "--format", "jsonl,warc"]),
            (
                "jsonl, warc, parquet",
                &["--threads", "1", "--format", "jsonl,warc,parquet"],
            ),
        ],
    },
    Regime {
        name: "waiting",
        summary: "200 ms latency, no delay, 2,000 hosts: 1,000 and 10,000 in flight",
        pages: 200_000,
        web: &["--hosts", "2000", "--latency", "200ms"],
        rows: &[
            (
                "1,000 in flight",
                &[
                    "--concurrency",
                    "1000",
                    "--idle-connections",
                    "4000",
                    "--delay",
                    "0",
                ],
            ),
            (
                "10,000 in flight",
                &[
                    "--concurrency",
                    "10000",
                    "--idle-connections",
                    "4000",
                    "--delay",
                    "0",
                    "--per-host",
                    "8",
                ],
            ),
        ],
    },
];

/// The names and summaries, for the usage text.
pub(crate) fn usage() -> String {
    let line = |regime: &Regime| format!("           {:<9} {}\n", regime.name, regime.summary);
    REGIMES.iter().map(line).collect()
}

/// `nephila-bench regime NAME [ROUNDS]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    const ROUNDS: usize = 5;
    let (name, rounds) = match arguments {
        [name] => (name, ROUNDS),
        [name, rounds] => (
            name,
            rounds
                .parse()
                .with_context(|| format!("`{rounds}` rounds"))?,
        ),
        _ => bail!("usage: cargo xtask bench regime NAME [ROUNDS]\n{}", usage()),
    };
    let regime = REGIMES.iter().find(|regime| regime.name == name);
    let regime = regime.with_context(|| format!("there is no regime `{name}`:\n{}", usage()))?;
    let mut rows: Vec<Row> = regime.rows.iter().map(|_| Row::default()).collect();
    for _ in 0..rounds {
        for (row, (_, options)) in rows.iter_mut().zip(regime.rows) {
            row.measure(regime, options)?;
        }
    }
    println!(
        "{}, {} pages, {rounds} alternating rounds\n",
        regime.summary, regime.pages
    );
    println!("| | pages/s | CPU us a page | server's CPU us a page | peak MiB |");
    println!("|---|---|---|---|---|");
    for (row, (name, _)) in rows.into_iter().zip(regime.rows) {
        let shown = |figures| Spread::of(figures).map_or("-".to_owned(), Spread::shown);
        println!(
            "| {name} | {} | {} | {} | {} |",
            shown(row.rate),
            shown(row.cpu),
            shown(row.server),
            shown(row.peak)
        );
    }
    Ok(())
}

/// The figures of one row, a run each.
#[derive(Default)]
struct Row {
    rate: Vec<f64>,
    cpu: Vec<f64>,
    server: Vec<f64>,
    peak: Vec<f64>,
}

impl Row {
    fn measure(&mut self, regime: &Regime, options: &[&str]) -> anyhow::Result<()> {
        let pages = regime.pages.to_string();
        let fixed = ["--profile", "light", "--seed", "7", "--pages", &pages];
        let web = Web::serve(&[&fixed, regime.web].concat())?;
        let folder = tempfile::tempdir()?;
        let cost = crawl(&web, &folder.path().join("crawl"), options)?;
        let page = |seconds: f64| seconds * 1e6 / f64::from(regime.pages);
        self.rate
            .push(f64::from(regime.pages) / cost.wall.max(0.001));
        self.cpu.push(page(cost.user + cost.system));
        self.server.push(page(web.cpu()?.as_secs_f64()));
        self.peak.push((cost.peak_kib / 1024) as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_regime_is_found_by_its_name() {
        assert!(usage().lines().count() == REGIMES.len());
        assert!(run(&["none".to_owned()]).is_err());
        assert!(run(&["waiting".to_owned(), "many".to_owned()]).is_err());
    }
}
