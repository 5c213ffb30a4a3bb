//! Running the programs, several at once, and telling what came of each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};

use super::build::Program;
use crate::process;

/// Above this an input needs too much memory.
const MEMORY_MEBIBYTES_MAX: u32 = 1_024;

/// Above this an input takes too long.
const INPUT_SECONDS_MAX: u32 = 10;

/// The longest input that is made.
const INPUT_BYTES_MAX: u32 = 8_192;

/// How long, and how many at once.
pub(super) struct Campaign {
    pub(super) minutes: u32,
    pub(super) jobs: u32,
}

impl Campaign {
    /// Runs every program. An error names those with findings.
    pub(super) fn run(&self, programs: &[Program]) -> anyhow::Result<()> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let jobs = usize::try_from(self.jobs).unwrap_or(1);
            for _ in 0..jobs.min(programs.len()) {
                scope.spawn(|| {
                    while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = self.run_one(program);
                        tell(program, &result);
                        if let Ok(mut results) = results.lock() {
                            results.push((program.name.as_str(), result));
                        }
                    }
                });
            }
        });
        let results = results.into_inner().unwrap_or_default();
        let bad = results
            .iter()
            .filter(|(_, result)| !matches!(result, Ok(Ended { finding: None, .. })));
        let bad: Vec<&str> = bad.map(|(name, _)| *name).collect();
        if bad.is_empty() {
            return Ok(());
        }
        bail!("findings in: {}", bad.join(", "))
    }

    fn run_one(&self, program: &Program) -> anyhow::Result<Ended> {
        let found = program.found();
        fs::create_dir_all(&found).with_context(|| format!("making {}", found.display()))?;
        let log = program.work.join("log");
        let file = File::create(&log).with_context(|| format!("making {}", log.display()))?;
        let mut command = limited(program);
        command
            .arg(format!("-max_total_time={}", u64::from(self.minutes) * 60))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg("-print_final_stats=1");
        let dictionary = program.dictionary();
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        command.arg(&found).arg(program.corpus());
        command.stdout(Stdio::null()).stderr(file);
        let status = command
            .status()
            .with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        let text = String::from_utf8_lossy(
            &fs::read(&log).with_context(|| format!("reading {}", log.display()))?,
        )
        .into_owned();
        let ended = Ended::read(&text);
        if !status.success() && ended.finding.is_none() {
            bail!("ended with {status}: see {}", log.display());
        }
        Ok(ended)
    }
}

/// Runs the target on these inputs alone. An error when one breaks it.
pub(super) fn replay(program: &Program, files: &[PathBuf]) -> anyhow::Result<()> {
    fs::create_dir_all(&program.work)?;
    process::run(limited(program).args(files))
}

/// The program under its limits of memory and time, its findings put into its directory.
fn limited(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command
        .current_dir(Path::new("/"))
        .arg(format!("-rss_limit_mb={MEMORY_MEBIBYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-artifact_prefix={}/", program.work.display()));
    command
}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ended {
    executions: u64,
    /// Edges of the program that were reached.
    edges: u64,
    /// Edges and how often they were taken, in classes.
    features: u64,
    /// The input that ended the run.
    finding: Option<PathBuf>,
}

impl Ended {
    /// Reads libFuzzer's own words.
    fn read(log: &str) -> Ended {
        let mut ended = Ended::default();
        for line in log.lines() {
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                let mut value = || words.next().and_then(|word| word.parse().ok());
                match word {
                    "cov:" => ended.edges = value().unwrap_or(ended.edges),
                    "ft:" => ended.features = value().unwrap_or(ended.features),
                    "stat::number_of_executed_units:" => {
                        ended.executions = value().unwrap_or_default();
                    }
                    _ => {}
                }
            }
            if let Some((_, path)) = line.split_once("Test unit written to ") {
                ended.finding = Some(PathBuf::from(path));
            }
        }
        ended
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the caller reads")]
fn tell(program: &Program, result: &anyhow::Result<Ended>) {
    let name = &program.name;
    match result {
        Ok(ended) => {
            println!(
                "{name:<16}{:>13} executions{:>8} edges{:>8} features",
                ended.executions, ended.edges, ended.features
            );
            if let Some(finding) = &ended.finding {
                println!(
                    "{name}: FINDING: cargo xtask fuzz {name} {}",
                    finding.display()
                );
            }
        }
        Err(error) => println!("{name}: {error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_is_read_from_its_log() {
        let log = "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                   #70\tNEW    cov: 12 ft: 40 corp: 3/9b lim: 4 exec/s: 0 rss: 31Mb L: 3/3\n\
                   Done 99 runs in 2 second(s)\n\
                   stat::number_of_executed_units: 99\n";
        let expected = Ended {
            executions: 99,
            edges: 12,
            features: 40,
            finding: None,
        };
        assert_eq!(Ended::read(log), expected);
        let crash = "artifact_prefix='/w/'; Test unit written to /w/crash-1a\nBase64: AA==\n";
        let finding = Ended::read(crash).finding;
        assert_eq!(finding, Some(PathBuf::from("/w/crash-1a")));
    }
}
