//! What a running crawl shows of itself beside its counters: as whole pieces that whoever looks takes away,
//! so that nobody who crawls waits for one who looks for longer than it takes to hang up the next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nephila_frontier::{Outcome, UrlKind};
use serde::{Deserialize, Serialize};

use super::RunLedger;
use crate::counts::{Counts, HostRankings};
use crate::report::is_broken;
use crate::tally::Tally;
use crate::visit::Record;

/// Broken pages that are kept: the oldest goes when there are more.
const MOST_PROBLEMS: usize = 200;

/// See the module's text. Written by the committer and by the thread that keeps the ledger.
#[derive(Debug, Default)]
pub(crate) struct Board {
    counts: Mutex<Arc<Counts>>,
    hosts: Mutex<Arc<HostRankings>>,
    /// Whether somebody looked at the hosts since they were ranked.
    is_host_wanted: AtomicBool,
    run: Mutex<Arc<RunLedger>>,
    problems: Mutex<VecDeque<Problem>>,
}

/// A page that could not be had, as it happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Problem {
    /// Its URL.
    pub url: String,
    /// The outcome's stable name.
    pub outcome: &'static str,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The page that linked to it first; `None` for a seed.
    pub referrer: Option<String>,
    /// What went wrong, in words.
    pub error: Option<String>,
}

/// What only the row has.
#[derive(Deserialize)]
struct ProblemRow {
    referrer: Option<String>,
    error: Option<String>,
}

impl Board {
    /// The counts as of the last commit.
    pub(crate) fn counts(&self) -> Arc<Counts> {
        locked(&self.counts).clone()
    }

    /// The hosts as they were ranked last; asks for a newer ranking, which is there within a second or two.
    pub(crate) fn hosts(&self) -> Arc<HostRankings> {
        self.is_host_wanted.store(true, Ordering::Relaxed);
        locked(&self.hosts).clone()
    }

    /// The run as of the last second.
    pub(crate) fn run(&self) -> Arc<RunLedger> {
        locked(&self.run).clone()
    }

    /// The last pages that could not be had, the newest first.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        locked(&self.problems).iter().rev().cloned().collect()
    }

    pub(crate) fn show_run(&self, run: RunLedger) {
        *locked(&self.run) = Arc::new(run);
    }

    /// To be called after each commit, and once a second where there is none.
    pub(crate) fn show_tally(&self, tally: &Tally) {
        *locked(&self.counts) = Arc::new(Counts::of(tally));
        self.show_hosts(tally);
    }

    /// To be called when nothing more is committed.
    pub(crate) fn show_last(&self, tally: &Tally) {
        self.is_host_wanted.store(true, Ordering::Relaxed);
        self.show_tally(tally);
    }

    /// Ranks the hosts where somebody wants to see them: of 200,000 that takes some milliseconds.
    pub(crate) fn show_hosts(&self, tally: &Tally) {
        if self.is_host_wanted.swap(false, Ordering::Relaxed) {
            *locked(&self.hosts) = Arc::new(HostRankings::of(tally));
        }
    }

    /// Keeps a page that could not be had.
    pub(crate) fn note(&self, record: &Record) {
        let done = &record.done;
        if done.kind != UrlKind::Page || !is_broken(done.outcome) {
            return;
        }
        // The row was written by this program; a field that cannot be read is left out.
        let row: Option<ProblemRow> = serde_json::from_slice(&record.row).ok();
        let (referrer, error) = row.map_or((None, None), |row| (row.referrer, row.error));
        let mut problems = locked(&self.problems);
        if problems.len() >= MOST_PROBLEMS {
            problems.pop_front();
        }
        problems.push_back(Problem {
            url: done.url.clone(),
            outcome: Outcome::as_str(done.outcome),
            status: (done.status > 0).then_some(done.status),
            referrer,
            error,
        });
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
