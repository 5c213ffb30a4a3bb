//! A running crawl for whoever shows it: everything here is read without holding up the crawl.

use std::sync::Arc;
use std::time::Duration;

use nephila_frontier::Moment;

use crate::clock::Clock;
use crate::control::Control;
use crate::counts::{Counts, HostRankings};
use crate::directory::CrawlDirectory;
use crate::ledger::{Explanation, Ledger, Problem, RunLedger};
use crate::options::CrawlConfig;
use crate::progress::{Progress, Snapshot};

/// What a crawl shows of itself while it runs, and after its end what it was then. Clones show the same crawl.
#[derive(Clone, Debug)]
pub struct LiveCrawl {
    pub(crate) directory: CrawlDirectory,
    pub(crate) config: Arc<CrawlConfig>,
    pub(crate) control: Control,
    pub(crate) progress: Arc<Progress>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: Clock,
}

impl LiveCrawl {
    /// Its directory.
    pub fn directory(&self) -> &CrawlDirectory {
        &self.directory
    }

    /// Its checked configuration.
    pub fn config(&self) -> &CrawlConfig {
        &self.config
    }

    /// Stops, pauses and changes it.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The counters of this run, now.
    pub fn snapshot(&self) -> Snapshot {
        self.progress.snapshot()
    }

    /// The counts of all runs, as of the last commit: half a second ago, where pages come.
    pub fn counts(&self) -> Arc<Counts> {
        self.ledger.board.counts()
    }

    /// The hosts that stand out, as they were when somebody asked last; asks for a newer ranking, which is
    /// there within a second or two.
    pub fn hosts(&self) -> Arc<HostRankings> {
        self.ledger.board.hosts()
    }

    /// The ledger of this run, as of the last second; its visits as of the last five.
    pub fn run(&self) -> Arc<RunLedger> {
        self.ledger.board.run()
    }

    /// What the ledger means.
    pub fn explanation(&self) -> Explanation {
        Explanation::of(&self.run(), &self.config)
    }

    /// The last 200 pages of this run that could not be had, the newest first.
    pub fn problems(&self) -> Vec<Problem> {
        self.ledger.board.problems()
    }

    /// Now, on the crawl's clock.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Since the crawl was made or opened by this process.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}
