//! Nephila against itself on one simulated web, in turns: what more in flight, another core or more
//! outputs change. The rows of a table come from alternating runs, each as median and range.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::{Cores, Cost, Web, crawl_from_all};
use crate::spread::Spread;
use crate::{start, today};

/// What is compared.
struct Regime {
    name: &'static str,
    summary: &'static str,
    pages: u32,
    web: WebOf,
    /// What each row is called, and the options of its crawl.
    rows: &'static [(&'static str, &'static [&'static str])],
    told: Told,
}

/// Which web is crawled.
enum WebOf {
    /// Light pages, with these options of the server.
    Light(&'static [&'static str]),
    /// Pages as those of today's web, through TLS and compressed.
    Today,
}

/// What is told below the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// How much faster the last row is than the first, whose crawler has one core for itself.
    SpeedUp,
    /// What share of the fetches that may be in flight were, by the latency.
    Shares(Duration),
}

const REGIMES: &[Regime] = &[
    Regime {
        name: "parallel",
        summary: "light pages on 100 hosts, no latency: one core and two",
        pages: 20_000,
        web: WebOf::Light(&["--hosts", "100", "--prepared"]),
        rows: &[
            ("1 core", &["--threads", "1", "--concurrency", "100"]),
            ("2 cores", &["--threads", "2", "--concurrency", "100"]),
        ],
        told: Told::SpeedUp,
    },
    Regime {
        name: "parallel-today",
        summary: "pages as today's web has them, TLS and gzip, 200 hosts: one core and two",
        pages: today::PAGES,
        web: WebOf::Today,
        rows: &[
            (
                "1 core",
                &["--threads", "1", "--concurrency", "100", "--delay", "0"],
            ),
            (
                "2 cores",
                &["--threads", "2", "--concurrency", "100", "--delay", "0"],
            ),
        ],
        told: Told::SpeedUp,
    },
    Regime {
        name: "one-host",
        summary: "light pages on one host, no delay, 64 at once: one core and two",
        pages: 20_000,
        web: WebOf::Light(&["--hosts", "1", "--prepared"]),
        rows: &[
            (
                "1 core",
                &["--threads", "1", "--delay", "0", "--per-host", "64"],
            ),
            (
                "2 cores",
                &["--threads", "2", "--delay", "0", "--per-host", "64"],
            ),
        ],
        told: Told::SpeedUp,
    },
    Regime {
        name: "outputs",
        summary: "light pages on 100 hosts, one thread: rows alone, and with archive and Parquet",
        pages: 20_000,
        web: WebOf::Light(&["--hosts", "100", "--prepared"]),
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
        told: Told::Nothing,
    },
    Regime {
        name: "waiting",
        summary: "200 ms latency, no delay, 2,000 hosts: 1,000 and 10,000 in flight",
        pages: 200_000,
        web: WebOf::Light(&[
            "--hosts",
            "2000",
            "--seed-hosts",
            "2000",
            "--latency",
            "200ms",
        ]),
        rows: &[
            (
                "1,000 in flight",
                &["--concurrency", "1000", "--delay", "0"],
            ),
            (
                "10,000 in flight",
                &["--concurrency", "10000", "--delay", "0", "--per-host", "8"],
            ),
        ],
        told: Told::Shares(Duration::from_millis(200)),
    },
];

/// The names and summaries, for the usage text.
pub(crate) fn usage() -> String {
    let line = |name: &str, summary: &str| format!("           {name:<14} {summary}\n");
    let compared: String = REGIMES
        .iter()
        .map(|regime| line(regime.name, regime.summary))
        .collect();
    let today = line("today", "a page of today's web beside the sum of its parts");
    compared
        + &today
        + &line(
            "start",
            "`nephila --version`, and one page fetched and recorded",
        )
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
    match name.as_str() {
        "today" => return today::run(rounds),
        "start" => return start::run(),
        _ => {}
    }
    let regime = REGIMES.iter().find(|regime| regime.name == name);
    let regime = regime.with_context(|| format!("there is no regime `{name}`:\n{}", usage()))?;
    let rows = regime.measure(rounds)?;
    println!(
        "{}, {} pages, {rounds} alternating rounds\n",
        regime.summary, regime.pages
    );
    println!("| | pages/s | CPU us a page | server's CPU us a page | peak MiB |");
    println!("|---|---|---|---|---|");
    for (row, (name, _)) in rows.iter().zip(regime.rows) {
        println!(
            "| {name} | {} | {} | {} | {} |",
            shown(&row.rate, 0),
            shown(&row.cpu, 0),
            shown(&row.server, 0),
            shown(&row.peak, 0)
        );
    }
    match regime.told {
        Told::Nothing => {}
        Told::SpeedUp => tell_speed_up(&rows),
        Told::Shares(_) => {
            println!(
                "\n| | fetches in flight, of those that may be: steady part, % | whole run, % |"
            );
            println!("|---|---|---|");
            for (row, (name, _)) in rows.iter().zip(regime.rows) {
                println!(
                    "| {name} | {} | {} |",
                    shown(&row.steady, 1),
                    shown(&row.whole, 1)
                );
            }
        }
    }
    Ok(())
}

fn shown(figures: &[f64], digits: usize) -> String {
    Spread::of(figures.to_vec()).map_or("-".to_owned(), |spread| spread.shown_with(digits))
}

fn median(figures: &[f64]) -> f64 {
    Spread::of(figures.to_vec()).map_or(f64::NAN, |spread| spread.median)
}

/// What was measured, and what follows from the CPU that pages cost: the server runs on the same cores,
/// and with a core for each thread it takes its CPU from the crawler.
fn tell_speed_up(rows: &[Row]) {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return;
    };
    let (rate, cpu, server) = (median(&last.rate), median(&last.cpu), median(&last.server));
    let before = median(&first.rate);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("\nspeed-up, measured: {:.2} times", rate / before);
    println!(
        "busy cores of {cores}: {:.2} with the crawler, {:.2} with the server",
        rate * cpu / 1e6,
        rate * server / 1e6
    );
    println!(
        "most that {cores} cores can give beside this server, computed: {:.2} times",
        cores as f64 * median(&first.cpu) / (cpu + server)
    );
    println!(
        "were the server elsewhere and its CPU the crawler's, computed: {:.2} times",
        rate * (cpu + server) / cpu / before
    );
}

/// The figures of one row, a run each.
#[derive(Default)]
struct Row {
    rate: Vec<f64>,
    cpu: Vec<f64>,
    server: Vec<f64>,
    peak: Vec<f64>,
    steady: Vec<f64>,
    whole: Vec<f64>,
}

impl Regime {
    fn measure(&self, rounds: usize) -> anyhow::Result<Vec<Row>> {
        let folder = tempfile::tempdir()?;
        let web = self.serve(folder.path())?;
        let ca = today::ca(folder.path());
        let mut rows: Vec<Row> = self.rows.iter().map(|_| Row::default()).collect();
        for _ in 0..rounds {
            for (place, (row, (_, options))) in rows.iter_mut().zip(self.rows).enumerate() {
                let cores = match self.told == Told::SpeedUp && place == 0 {
                    true => Cores::One,
                    false => Cores::All,
                };
                let mut options = options.to_vec();
                if let WebOf::Today = self.web {
                    options.extend(["--ca", &ca]);
                }
                let served = web.cpu()?;
                let (cost, steady) = self.crawl(&web, folder.path(), &options, cores)?;
                let served = web.cpu()? - served;
                row.note(self, &options, &cost, served, steady);
            }
        }
        Ok(rows)
    }

    fn serve(&self, folder: &Path) -> anyhow::Result<Web> {
        match self.web {
            WebOf::Today => today::serve(folder),
            WebOf::Light(options) => {
                let pages = self.pages.to_string();
                let fixed = ["--profile", "light", "--seed", "7", "--pages", &pages];
                Web::serve(&[&fixed, options].concat())
            }
        }
    }

    /// Crawls; gives pages a second in the steady part too, where that is told.
    fn crawl(
        &self,
        web: &Web,
        folder: &Path,
        options: &[&str],
        cores: Cores,
    ) -> anyhow::Result<(Cost, f64)> {
        if !matches!(self.told, Told::Shares(_)) {
            return Ok((crawl_from_all(web, folder, options, cores)?, 0.0));
        }
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| steady_rate(web, self.pages, &ended));
            let cost = crawl_from_all(web, folder, options, cores);
            ended.store(true, Ordering::Relaxed);
            let steady = looking.join().ok().context("the look at the server")??;
            Ok((cost?, steady))
        })
    }
}

/// Requests a second between a fifth and four fifths of the pages, by the server's count.
#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
fn steady_rate(web: &Web, pages: u32, ended: &AtomicBool) -> anyhow::Result<f64> {
    let before = web.requests()?;
    let (fifth, mut first, mut last) = (u64::from(pages) / 5, None, None);
    while !ended.load(Ordering::Relaxed) {
        let asked = (web.requests()? - before, Instant::now());
        if asked.0 >= fifth && asked.0 <= 4 * fifth {
            first.get_or_insert(asked);
            last = Some(asked);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (first, last) = first
        .zip(last)
        .context("too short a run to have a steady part")?;
    let took = last.1.duration_since(first.1).as_secs_f64();
    Ok((last.0 - first.0) as f64 / took.max(0.001))
}

impl Row {
    fn note(
        &mut self,
        regime: &Regime,
        options: &[&str],
        cost: &Cost,
        served: Duration,
        steady: f64,
    ) {
        let page = |seconds: f64| seconds * 1e6 / f64::from(regime.pages);
        let rate = f64::from(regime.pages) / cost.wall.max(0.001);
        self.rate.push(rate);
        self.cpu.push(page(cost.user + cost.system));
        self.server.push(page(served.as_secs_f64()));
        self.peak.push((cost.peak_kib / 1024) as f64);
        if let Told::Shares(latency) = regime.told {
            let mut after = options
                .iter()
                .skip_while(|option| **option != "--concurrency");
            let in_flight = after.nth(1).and_then(|count| count.parse().ok());
            let most: f64 = in_flight.unwrap_or(f64::NAN) / latency.as_secs_f64();
            self.steady.push(100.0 * steady / most);
            self.whole.push(100.0 * rate / most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_regime_is_found_by_its_name() {
        assert!(usage().lines().count() == REGIMES.len() + 2);
        assert!(run(&["none".to_owned()]).is_err());
        assert!(run(&["waiting".to_owned(), "many".to_owned()]).is_err());
    }
}
