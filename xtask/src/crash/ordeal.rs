//! One crawl that is killed again and again until it is done, and is judged then.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::death::Death;
use super::dice::Dice;
use super::judge::{Output, left_over};
use super::politeness;
use super::readers::Readers;
use super::tally::{Finding, Tally};
use super::watch::Watch;
use super::web::Server;

/// A process that has not ended by then hangs.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// After so many deaths a crawl is let go on to its end.
const MOST_DEATHS: usize = 24;

/// What all crawls of a run share.
pub(super) struct Programs {
    pub(super) nephila: PathBuf,
    pub(super) sim: PathBuf,
    pub(super) readers: Readers,
    pub(super) seed: u64,
}

/// How one crawl is run.
pub(super) struct Ordeal<'a> {
    programs: &'a Programs,
    server: Server,
    formats: &'a str,
    crawl: PathBuf,
    delay: Duration,
    options: Vec<String>,
    dice: Dice,
    watch: Watch,
    past: Vec<String>,
    found: Vec<String>,
    tally: Tally,
}

/// How a process ended.
enum End {
    Killed,
    Exited(ExitStatus, String),
    Hung,
}

impl<'a> Ordeal<'a> {
    /// Draws how the crawl of this number is run, and starts its server. `directory` is its own.
    pub(super) fn draw(
        programs: &'a Programs,
        formats: &'a str,
        number: u64,
        directory: &Path,
    ) -> anyhow::Result<Ordeal<'a>> {
        let mut dice = Dice::of(programs.seed, number);
        let server = Server::start(&programs.sim, programs.seed, directory)?;
        let delay = *dice.one(&[0, 0, 0, 12]).unwrap_or(&0);
        let mut draw = |of: &[&str]| dice.one(of).copied().unwrap_or_default().to_owned();
        let options = [
            ("--format", formats.to_owned()),
            (
                "--commit-interval",
                draw(&["10ms", "30ms", "100ms", "400ms"]),
            ),
            ("--concurrency", draw(&["3", "16", "64"])),
            ("--threads", draw(&["1", "2"])),
            ("--delay", format!("{delay}ms")),
            ("--checkpoint-size", draw(&["0", "4KiB", "30KiB"])),
            ("--part-size", "64KiB".to_owned()),
            ("--warc-size", "1MiB".to_owned()),
            ("--resolve", server.resolve.clone()),
            ("--scope", "any".to_owned()),
        ];
        Ok(Ordeal {
            programs,
            server,
            formats,
            crawl: directory.join("crawl"),
            delay: Duration::from_millis(delay),
            options: options
                .into_iter()
                .flat_map(|(name, value)| [name.to_owned(), value])
                .collect(),
            dice,
            watch: Watch::default(),
            past: Vec::new(),
            found: Vec::new(),
            tally: Tally::default(),
        })
    }

    /// Runs it to its end without a kill, and reads what it has put out.
    pub(super) fn unkilled(mut self) -> anyhow::Result<Output> {
        self.step("crawl", None)?;
        let output = self.judge(None)?;
        anyhow::ensure!(
            self.found.is_empty(),
            "a crawl that nobody killed ({}) is wrong: {}",
            self.formats,
            self.found.join("; ")
        );
        output.context("a crawl that nobody killed has put out nothing")
    }

    /// Kills it until it is done, and judges it. `number` is told with what is found.
    pub(super) fn run(mut self, number: u64, reference: &Output) -> anyhow::Result<Tally> {
        let mut is_done = false;
        while !is_done && self.found.is_empty() {
            let verb = match self.crawl.join("crawl.toml").exists() {
                true => "resume",
                false => "crawl",
            };
            let is_over = self.past.len() >= MOST_DEATHS;
            let death = (!is_over).then(|| Death::draw(&mut self.dice, self.formats, false));
            is_done = self.step(verb, death)?;
            self.look();
            if self.dice.happens(0.3) {
                let death = Death::draw(&mut self.dice, self.formats, true);
                let is_killed = self.dice.happens(0.7);
                let is_mended = self.step("status", is_killed.then_some(death))?;
                self.look();
                if is_mended && !is_killed {
                    self.look_at_mended();
                }
            }
        }
        // Going on with what is done changes nothing.
        if self.found.is_empty() && self.dice.happens(0.2) {
            self.step("resume", None)?;
            self.look();
        }
        if self.found.is_empty() {
            self.judge(Some(reference))?;
        }
        let mut tally = self.tally;
        tally.crawls += 1;
        let finding = |what| Finding {
            crawl: number,
            formats: self.formats.to_owned(),
            options: self.options.join(" "),
            what,
            past: self.past.clone(),
        };
        tally.findings.extend(self.found.into_iter().map(finding));
        Ok(tally)
    }

    /// Runs one process; true when it ended by itself and all is well.
    fn step(&mut self, verb: &str, death: Option<Death>) -> anyhow::Result<bool> {
        let had_crawl = self.crawl.join("crawl.toml").exists();
        let mut command = self.command(verb);
        if let Some(point) = death.as_ref().and_then(Death::point) {
            command.env("NEPHILA_KILL_AT", point);
        }
        let moment = match &death {
            Some(Death::Moment(moment)) => Some(*moment),
            _ => None,
        };
        let end = end_of(&mut command, moment)?;
        let how = death.as_ref().map_or("to its end".to_owned(), Death::words);
        let (ended, is_well) = match (end, &death) {
            (End::Killed, Some(death)) => {
                self.tally.killed(&death.kind(), verb, self.formats);
                ("killed".to_owned(), false)
            }
            (End::Killed, None) => {
                self.found
                    .push(format!("`nephila {verb}` was killed by somebody else"));
                ("killed".to_owned(), false)
            }
            (End::Hung, _) => {
                self.found.push(format!("`nephila {verb}` does not end"));
                ("hung".to_owned(), false)
            }
            (End::Exited(status, said), _) => {
                self.tally.spared += u64::from(death.is_some());
                // Before there is a crawl, there is none to tell of.
                let is_told = !had_crawl || said.contains("begin it with `nephila resume");
                let is_well = status.success() || (verb == "status" && is_told);
                if !is_well {
                    self.found
                        .push(format!("`nephila {verb}` ended with {status}: {said}"));
                }
                (format!("{status}"), is_well)
            }
        };
        self.past.push(format!("{verb}, {how}: {ended}"));
        Ok(is_well)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.programs.nephila);
        command.arg(verb);
        match verb {
            "crawl" => {
                command.args(&self.server.seeds).args(&self.options);
                command.arg("--quiet").arg("--out").arg(&self.crawl);
            }
            "resume" => {
                command.arg("--quiet").arg(&self.crawl);
            }
            _ => {
                command.arg(&self.crawl);
            }
        }
        command
    }

    fn look(&mut self) {
        let wrong = self.watch.look(&self.crawl, &self.programs.readers);
        self.found.extend(wrong);
    }

    /// After `status`, all that was committed is in every form, whether or not anyone goes on.
    fn look_at_mended(&mut self) {
        let formats: Vec<&str> = self.formats.split(',').collect();
        match Output::read(&self.crawl, &formats, &self.programs.readers) {
            Ok(output) => {
                let mut faults = output.form_faults(&self.crawl, &formats);
                for directory in ["pages", "warc", "state/rows"] {
                    faults.extend(left_over(&self.crawl.join(directory)));
                }
                let faults = faults
                    .into_iter()
                    .map(|fault| format!("after `status`: {fault}"));
                self.found.extend(faults);
            }
            Err(error) => self.found.push(format!("after `status`: {error:#}")),
        }
    }

    /// Judges what the crawl has put out, and what its server saw.
    fn judge(&mut self, reference: Option<&Output>) -> anyhow::Result<Option<Output>> {
        let formats: Vec<&str> = self.formats.split(',').collect();
        let output = match Output::read(&self.crawl, &formats, &self.programs.readers) {
            Ok(output) => output,
            Err(error) => {
                self.found.push(format!("{error:#}"));
                return Ok(None);
            }
        };
        self.found.extend(output.faults(&self.crawl, &formats));
        if let Some(reference) = reference {
            self.found.extend(output.differences(reference));
        }
        let log = self.server.log()?;
        let hosts: std::collections::BTreeSet<String> =
            log.iter().map(|asked| asked.host.clone()).collect();
        let delays = self.server.crawl_delays(hosts.into_iter())?;
        self.found
            .extend(politeness::broken(&log, self.delay, &delays));
        self.tally.rows += output.rows() as u64;
        self.tally.parts += output.parts() as u64;
        Ok(Some(output))
    }
}

/// Runs a process until it ends, or kills it after a time.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness measures how long a process lives"
)]
fn end_of(command: &mut Command, moment: Option<Duration>) -> anyhow::Result<End> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start nephila")?;
    let began = Instant::now();
    let limit = moment.unwrap_or(LONGEST_RUN);
    while began.elapsed() < limit && child.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(1).min(limit));
    }
    let is_late = child.try_wait()?.is_none();
    if is_late {
        child.kill()?;
    }
    let (status, said) = ended(child)?;
    if is_late && moment.is_none() {
        return Ok(End::Hung);
    }
    // SIGKILL: by us, or by itself at its point.
    Ok(match status.signal() {
        Some(9) => End::Killed,
        _ => End::Exited(status, said),
    })
}

fn ended(child: Child) -> anyhow::Result<(ExitStatus, String)> {
    let output = child.wait_with_output()?;
    Ok((
        output.status,
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}
