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
mod resources;
mod sampler;
mod timer;
mod visits;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use nephila_ledger::{Spent, Window};

pub(crate) use account::{Account, Levels, VisitEnd};
pub(crate) use board::Board;
pub use board::Problem;
pub use explanation::{Advice, Bound, Concurrency, Explanation, LimitShare, verdict_words};
pub use file::{LedgerFile, RunLedger, StateQuantiles};
pub(crate) use machine::thread_cpu;
pub use resources::{Busy, InState};
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
    pub(crate) handler: Arc<HandlerAccount>,
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
            handler: Arc::default(),
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

/// What the threads of the user's handler note; times in microseconds.
#[derive(Debug, Default)]
pub(crate) struct HandlerAccount {
    threads: AtomicU64,
    wall: AtomicU64,
    on_processor: AtomicU64,
    /// As the system knows them.
    numbers: Mutex<Vec<i32>>,
}

impl HandlerAccount {
    pub(crate) fn set_threads(&self, threads: usize) {
        self.threads.store(threads as u64, Ordering::Relaxed);
    }

    /// A page was handled; it took so long, and so long of it on a processor.
    pub(crate) fn note(&self, took: Duration, on_processor: Duration) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.wall.fetch_add(micros(took), Ordering::Relaxed);
        self.on_processor
            .fetch_add(micros(on_processor), Ordering::Relaxed);
    }

    /// One of the threads begins.
    pub(crate) fn note_thread(&self, number: i32) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.push(number);
    }

    fn add_to(&self, window: &mut Window) {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = numbers
            .iter()
            .map(|number| machine::thread_seconds(*number).1);
        window.callback_ready_seconds = ready.sum();
        window.callback_seconds = self.wall.load(Ordering::Relaxed) as f64 / 1e6;
        window.callback_cpu_seconds = self.on_processor.load(Ordering::Relaxed) as f64 / 1e6;
    }

    fn threads(&self) -> f64 {
        self.threads.load(Ordering::Relaxed) as f64
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
