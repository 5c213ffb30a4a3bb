//! The crash harness: real commands, killed a thousand times.
//!
//! Each crawl runs over a web of its own server, dies at moments and at named file operations, is gone on
//! with, dies in its recovery, and is judged at its end by an unkilled crawl of the same web: the same
//! rows, each once, in every form; whole files at every moment; politeness over all its lives.

mod archive;
mod csv;
mod death;
mod dice;
mod files;
mod judge;
mod ordeal;
mod politeness;
mod readers;
mod tally;
mod watch;
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

use dice::Dice;
use judge::Output;
use ordeal::{Ordeal, Programs};
use readers::Readers;
use tally::Tally;

/// The formats of a crawl, and mixes of them, where none are asked for.
const FORMATS: &[&str] = &[
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "csv",
    "parquet",
    "warc",
    "warc.zst",
    "jsonl,warc",
    "csv,jsonl.zst,parquet",
    "jsonl,parquet,warc.zst",
    "csv,jsonl.gz,warc",
];

/// Findings after which no further crawl is begun.
const MOST_FINDINGS: usize = 10;

/// Crawls in a row in which no kill fired, after which it is given up.
const MOST_IDLE: u64 = 50;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) kills: u64,
    pub(crate) seed: u64,
    /// Sets of formats; empty for all.
    pub(crate) formats: Vec<String>,
    pub(crate) jobs: usize,
    /// One crawl only.
    pub(crate) only: Option<u64>,
    /// Kept crawl directories, also of crawls without a finding.
    pub(crate) keep: bool,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            kills: 100,
            seed: 1,
            formats: Vec::new(),
            jobs: 1,
            only: None,
            keep: false,
        }
    }
}

/// The commands that are run.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    pub(crate) nephila: PathBuf,
    pub(crate) sim: PathBuf,
}

impl Commands {
    /// Those in a directory that cargo builds into.
    pub(crate) fn in_directory(directory: &Path) -> Commands {
        Commands {
            nephila: directory.join("nephila"),
            sim: directory.join("nephila-sim"),
        }
    }
}

/// Runs the harness with these commands. Returns its table, and whether all was well.
///
/// # Errors
/// When the harness itself cannot do its work.
pub(crate) fn run(request: &Request, commands: &Commands) -> anyhow::Result<(String, bool)> {
    let run = Run {
        programs: Programs {
            nephila: commands.nephila.clone(),
            sim: commands.sim.clone(),
            readers: Readers::start(),
            seed: request.seed,
        },
        request,
        directory: std::env::temp_dir().join(format!("nephila-crash-{}", std::process::id())),
        references: Mutex::default(),
        next: AtomicU64::new(request.only.unwrap_or(0)),
        tally: Mutex::default(),
    };
    std::fs::create_dir_all(&run.directory)?;
    if !run.programs.readers.are_there() {
        eprintln!(
            "skipped: rows in Parquet, and WARC by warcio: no Python that has pyarrow and warcio"
        );
    }
    std::thread::scope(|scope| {
        let work = || run.work();
        let threads: Vec<_> = (0..request.jobs).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| anyhow::bail!("a job panicked"))
        })
    })?;
    let tally = run
        .tally
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let is_well = tally.findings.is_empty();
    let mut table = tally.table(request.seed);
    if is_well && !request.keep {
        std::fs::remove_dir_all(&run.directory)?;
    } else {
        table.push_str(&format!("kept: {}\n", run.directory.display()));
    }
    Ok((table, is_well))
}

/// A run of the harness.
struct Run<'a> {
    programs: Programs,
    request: &'a Request,
    directory: PathBuf,
    /// By formats: crawls that nobody killed.
    references: Mutex<BTreeMap<String, Arc<Output>>>,
    next: AtomicU64,
    tally: Mutex<Tally>,
}

impl Run<'_> {
    fn work(&self) -> anyhow::Result<()> {
        let mut idle = 0;
        while self.wants_more() {
            anyhow::ensure!(
                idle < MOST_IDLE,
                "{MOST_IDLE} crawls in a row were not killed once"
            );
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let tally = self
                .crawl(number)
                .with_context(|| format!("crawl {number}"))?;
            idle = if tally.kills == 0 { idle + 1 } else { 0 };
            let mut all = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            all.add(tally);
            eprintln!(
                "crawl {number}: {} kills, {} findings so far",
                all.kills,
                all.findings.len()
            );
            if self.request.only.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn wants_more(&self) -> bool {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.kills < self.request.kills && tally.findings.len() < MOST_FINDINGS
    }

    fn crawl(&self, number: u64) -> anyhow::Result<Tally> {
        let formats = self.formats(number);
        let reference = self.reference(&formats)?;
        let directory = self.directory.join(format!("crawl-{number}"));
        let ordeal = Ordeal::draw(&self.programs, &formats, number, &directory)?;
        let tally = ordeal.run(number, &reference)?;
        if tally.findings.is_empty() && !self.request.keep {
            std::fs::remove_dir_all(&directory)?;
        }
        Ok(tally)
    }

    fn formats(&self, number: u64) -> String {
        // Other dice than those of the crawl, so that it is drawn alike whatever its formats.
        let mut dice = Dice::of(!self.programs.seed, number);
        let asked = dice.one(&self.request.formats).cloned();
        asked.unwrap_or_else(|| dice.one(FORMATS).copied().unwrap_or("jsonl").to_owned())
    }

    /// The crawl that nobody killed, made when it is wanted first.
    fn reference(&self, formats: &str) -> anyhow::Result<Arc<Output>> {
        let mut references = self
            .references
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(reference) = references.get(formats) {
            return Ok(reference.clone());
        }
        let directory = self.directory.join(format!("whole-{formats}"));
        let ordeal = Ordeal::draw(&self.programs, formats, u64::MAX, &directory)?;
        let reference = Arc::new(ordeal.unkilled()?);
        references.insert(formats.to_owned(), reference.clone());
        Ok(reference)
    }
}
