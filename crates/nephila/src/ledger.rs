//! The ledger of a run: where its time goes, and what limits it.
//!
//! Every thread notes what it does in an account of its own (`account.rs`), every visit in which state it is
//! (`timer.rs`). A thread of its own (`sampler.rs`) reads the accounts and what the system says (`machine.rs`)
//! once a second, makes a window of it, and keeps the run as a series of such windows. What they mean is the
//! crate `nephila-ledger`'s: it knows no clock and no files.

mod account;
mod board;
mod explanation;
mod file;
mod machine;
mod sampler;
mod timer;
mod visits;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use nephila_ledger::Spent;

pub(crate) use account::{Account, Levels, VisitEnd};
pub(crate) use board::Board;
pub use board::Problem;
pub use explanation::{Advice, Bound, Explanation, LimitShare};
pub use file::{LedgerFile, RunLedger, StateQuantiles};
pub(crate) use machine::thread_cpu;
pub(crate) use sampler::Sources;
pub(crate) use timer::VisitTimer;
pub use visits::{Quantiles, VisitExample};

/// What all threads of a run note things in.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) shards: Vec<Arc<Account>>,
    pub(crate) sink: SinkAccount,
    pub(crate) work: Arc<WorkAccount>,
    /// What whoever looks at the crawl is shown.
    pub(crate) board: Board,
    /// The last seconds, in one line.
    line: Mutex<Option<Line>>,
}

/// What a progress display shows of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What limits the crawl now, in words and figures.
    pub verdict: String,
    /// Share of the slots that are taken, 0 to 1.
    pub slots_busy: f64,
    /// Share of the processors that the crawl uses, 0 to 1.
    pub processors_busy: f64,
}

/// What the committer notes.
#[derive(Debug, Default)]
pub(crate) struct SinkAccount {
    /// Whether its thread works or waits.
    pub(crate) thread: Account,
    sync_micros: AtomicU64,
    commits: Mutex<Commits>,
}

/// How long rows waited to become durable, in microseconds.
#[derive(Debug, Default)]
struct Commits {
    sum: u64,
    histogram: Option<Histogram<u64>>,
}

/// What the threads beside the shards note.
#[derive(Debug, Default)]
pub(crate) struct WorkAccount {
    pub(crate) threads: AtomicU64,
    micros: AtomicU64,
}

impl Ledger {
    pub(crate) fn new(shards: usize) -> Ledger {
        let sink = SinkAccount::default();
        sink.thread.set_reason(Spent::Other);
        Ledger {
            shards: (0..shards).map(|_| Arc::default()).collect(),
            sink,
            work: Arc::default(),
            board: Board::default(),
            line: Mutex::default(),
        }
    }

    /// Of a shard, by its number.
    pub(crate) fn account(&self, shard: usize) -> Arc<Account> {
        self.shards.get(shard).cloned().unwrap_or_default()
    }

    pub(crate) fn line(&self) -> Option<Line> {
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_line(&self, line: Option<Line>) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

impl SinkAccount {
    /// A commit is durable: the rows in it had waited so long, and the disk took this much of it.
    pub(crate) fn note_commit(&self, waits: impl Iterator<Item = Duration>, synced: Duration) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.sync_micros
            .fetch_add(micros(synced), Ordering::Relaxed);
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let Commits { sum, histogram } = &mut *commits;
        if histogram.is_none() {
            *histogram = visits::histogram();
        }
        for wait in waits {
            *sum += micros(wait);
            if let Some(histogram) = histogram {
                histogram.saturating_record(micros(wait));
            }
        }
    }

    fn sync_seconds(&self) -> f64 {
        self.sync_micros.load(Ordering::Relaxed) as f64 / 1e6
    }

    fn commit_seconds(&self) -> f64 {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.sum as f64 / 1e6
    }

    fn quantiles(&self) -> Quantiles {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits
            .histogram
            .as_ref()
            .map_or_else(Quantiles::default, Quantiles::of)
    }
}

impl WorkAccount {
    pub(crate) fn note(&self, worked: Duration) {
        let micros = u64::try_from(worked.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn seconds(&self) -> f64 {
        self.micros.load(Ordering::Relaxed) as f64 / 1e6
    }
}
