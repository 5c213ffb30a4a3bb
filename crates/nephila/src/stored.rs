//! A crawl directory that is followed: what a crawl shows of itself, read from what it leaves on the disk.

use std::sync::Arc;
use std::time::SystemTime;

use nephila_store::{DirectoryLock, LogPosition, replay_on};

use crate::counts::{Counts, HostRankings};
use crate::directory::CrawlDirectory;
use crate::error::Error;
use crate::journal::Entry;
use crate::ledger::{Explanation, LedgerFile, RunLedger};
use crate::options::CrawlConfig;
use crate::state::visit_entries;
use crate::status::RunState;
use crate::tally::Tally;
use crate::why::is_unqueued;

/// A crawl that ended, or that another process runs. Nothing is changed or locked.
///
/// Memory: the counts of 200,000 hosts, and the ledger.
#[derive(Debug)]
pub struct StoredCrawl {
    directory: CrawlDirectory,
    config: CrawlConfig,
    seeds: Vec<String>,
    tally: Tally,
    /// URLs admitted, repetitions apart, and those of them that are done.
    admitted: u64,
    done: u64,
    /// The log has been read up to here.
    position: Option<LogPosition>,
    stopped: Option<&'static str>,
    state: RunState,
    run: Option<Arc<RunLedger>>,
    /// When the ledger was written that `run` is of, and how long it was.
    ledger_seen: Option<(SystemTime, u64)>,
}

impl StoredCrawl {
    /// Opens a crawl directory; its log is read by [`StoredCrawl::refresh`].
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`](crate::ErrorKind::NotACrawl), and whatever the file system has against it.
    pub fn open(directory: CrawlDirectory) -> Result<StoredCrawl, Error> {
        let (seeds, settings) = directory.read_config()?;
        Ok(StoredCrawl {
            config: settings.check()?,
            directory,
            seeds,
            tally: Tally::default(),
            admitted: 0,
            done: 0,
            position: None,
            stopped: None,
            state: RunState::BrokenOff,
            run: None,
            ledger_seen: None,
        })
    }

    /// Reads what was written since the last time: of the log that is what was committed, the first time all
    /// of it, which takes a second for some million URLs.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`](crate::ErrorKind::NotACrawl),
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), and whatever the file system has against it.
    pub fn refresh(&mut self) -> Result<(), Error> {
        let state = self.directory.state();
        // Before the log: a run that ends in between has then told why in the log.
        let is_held = DirectoryLock::holder(&state)?.is_some();
        let (tally, stopped) = (&mut self.tally, &mut self.stopped);
        let (admitted, done) = (&mut self.admitted, &mut self.done);
        let position = replay_on(&state, self.position, &mut |commit, payload| {
            visit_entries(&state, commit, payload, &mut |entry| match entry {
                Entry::Done(entry) => {
                    tally.add(&entry);
                    *done += u64::from(!is_unqueued(entry.kind, entry.outcome));
                }
                Entry::Admitted(_) => *admitted += 1,
                Entry::Stop(stop) => *stopped = Some(stop.reason.as_str()),
                Entry::Run(_) => *stopped = None,
                Entry::Begin { .. } | Entry::Archive(_) | Entry::Published(_) | Entry::Rows(_) => {}
            })
        })?;
        self.position = Some(position);
        self.state = match (is_held, self.stopped) {
            (true, _) => RunState::Running,
            (false, Some(_)) => RunState::Stopped,
            (false, None) => RunState::BrokenOff,
        };
        self.refresh_run();
        Ok(())
    }

    /// A crawl may have no ledger, and one that cannot be read is written anew within seconds.
    fn refresh_run(&mut self) {
        let seen = std::fs::metadata(self.directory.ledger_file())
            .ok()
            .and_then(|file| Some((file.modified().ok()?, file.len())));
        if seen.is_none() || seen == self.ledger_seen {
            return;
        }
        if let Ok(mut file) = LedgerFile::read(&self.directory) {
            self.ledger_seen = seen;
            self.run = file.runs.pop().map(Arc::new);
        }
    }

    /// Its directory.
    pub fn directory(&self) -> &CrawlDirectory {
        &self.directory
    }

    /// The seeds, as given.
    pub fn seeds(&self) -> &[String] {
        &self.seeds
    }

    /// How it stands.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Why the last run stopped: `done`, `max_pages`, `max_duration` or `interrupted`.
    pub fn stopped(&self) -> Option<&'static str> {
        self.stopped.filter(|_| self.state == RunState::Stopped)
    }

    /// URLs that wait, or are in flight.
    pub fn queued(&self) -> u64 {
        self.admitted.saturating_sub(self.done)
    }

    /// The counts of all runs.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.tally)
    }

    /// The hosts that stand out.
    pub fn hosts(&self) -> HostRankings {
        HostRankings::of(&self.tally)
    }

    /// The ledger of the last run, where one was kept.
    pub fn run(&self) -> Option<Arc<RunLedger>> {
        self.run.clone()
    }

    /// What it means.
    pub fn explanation(&self) -> Option<Explanation> {
        Some(Explanation::of(self.run.as_deref()?, &self.config))
    }
}
