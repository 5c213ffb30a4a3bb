//! Whether a shard has more to do than its processor bears while others wait.
//!
//! Hosts are dealt out to shards, and a host's pages are analysed by its shard. That is even on many
//! hosts. Where there is one large host it would leave all processors but one idle: so a shard that hardly
//! waits any more lends analyses to the worker threads, as many as there are shards that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::ledger::Account;

/// For how long a shard is watched before it is said to be saturated or not.
const WINDOW: Duration = Duration::from_millis(5);
/// A shard is saturated that waits for less than this share of the time, one in so many.
const WAITING_SHARE: u64 = 10;
/// Analyses lent for each shard that waits: one that is done, and one that is next.
const LENT_A_WAITING: usize = 2;

/// What all shards of a crawl know of one another.
#[derive(Debug, Default)]
pub(crate) struct Processors {
    waiting: AtomicUsize,
    lent: AtomicUsize,
}

/// How busy one shard's thread is. Its runtime tells when it begins to wait and when it is woken.
#[derive(Debug)]
pub(crate) struct Pulse {
    all: Arc<Processors>,
    account: Arc<Account>,
    /// Microseconds of the crawl's clock.
    window_began: AtomicU64,
    /// Microseconds that were waited in this window.
    waited: AtomicU64,
    is_saturated: AtomicBool,
}

/// An analysis that is done elsewhere; its place is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Lent(Arc<Processors>);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.lent.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pulse {
    /// Of a shard that was not watched yet.
    pub(crate) fn new(all: Arc<Processors>, account: Arc<Account>) -> Pulse {
        Pulse {
            all,
            account,
            window_began: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            is_saturated: AtomicBool::new(false),
        }
    }

    /// The thread has nothing to do from now on.
    pub(crate) fn wait(&self, now: Duration) {
        self.account.wait(now);
        self.all.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// The thread goes on.
    pub(crate) fn wake(&self, now: Duration) {
        self.all.waiting.fetch_sub(1, Ordering::Relaxed);
        let waited = self.account.wake(now);
        self.waited.fetch_add(micros(waited), Ordering::Relaxed);
        self.judge(micros(now));
    }

    /// A place for an analysis elsewhere, where that is of use: this shard is saturated, and another one
    /// waits whose processor can take it.
    pub(crate) fn lend(&self, now: Duration) -> Option<Lent> {
        let waiting = self.all.waiting.load(Ordering::Relaxed);
        if waiting == 0 {
            return None;
        }
        self.judge(micros(now));
        let most = waiting * LENT_A_WAITING;
        if !self.is_saturated.load(Ordering::Relaxed)
            || self.all.lent.load(Ordering::Relaxed) >= most
        {
            return None;
        }
        self.all.lent.fetch_add(1, Ordering::Relaxed);
        Some(Lent(self.all.clone()))
    }

    /// Ends the window where it is long enough.
    fn judge(&self, now: u64) {
        let length = now.saturating_sub(self.window_began.load(Ordering::Relaxed));
        if length < micros(WINDOW) {
            return;
        }
        let waited = self.waited.swap(0, Ordering::Relaxed);
        self.is_saturated
            .store(waited * WAITING_SHARE < length, Ordering::Relaxed);
        self.window_began.store(now, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_shard_lends_as_much_as_waiting_ones_can_take() {
        let all = Arc::new(Processors::default());
        let pulse = || Pulse::new(all.clone(), Arc::default());
        let (busy, other) = (pulse(), pulse());
        let at = |windows: u32| WINDOW * windows;
        assert!(busy.lend(at(1)).is_none(), "nobody waits");
        other.wait(at(1));
        let lent: Vec<_> = std::iter::from_fn(|| busy.lend(at(2))).take(10).collect();
        assert_eq!(lent.len(), LENT_A_WAITING);
        drop(lent);
        assert!(busy.lend(at(2)).is_some(), "places come back");
        busy.wait(at(2));
        busy.wake(at(3));
        assert!(busy.lend(at(3)).is_none(), "it waited itself");
        assert!(busy.lend(at(4)).is_some(), "it is busy again");
        other.wake(at(4));
        assert!(busy.lend(at(5)).is_none(), "nobody waits any more");
    }
}
