//! How many sockets the fetches may have: files and threads keep what they need.

use rustix::process::{Resource, getrlimit};

use crate::options::CrawlConfig;
use crate::setup::threads;

/// Open files of a crawl that are no sockets of fetches: its log and parts, what is being published,
/// the directories that are synced, the terminal, the signals.
const OWN_FILES: u64 = 20;

/// As many more for each thread that fetches: its poller and wake-ups, its share of the seen set and
/// the queues, a question to a name server.
const FILES_PER_THREAD: u64 = 6;

/// Fetches at once at most where the crawl finds out how many are enough: ten thousand take half a gigabyte.
const MOST_FOUND: usize = 10_000;

/// Connections kept open where nobody says how many, at least.
const LEAST_IDLE: usize = 1_024;

/// Sockets under the limit of open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketShare {
    /// Fetches at once, over all threads; at least one.
    pub(crate) concurrency: usize,
    /// Connections that each thread keeps open without use.
    pub(crate) idle: usize,
}

impl SocketShare {
    /// What the configuration asks for, as far as the limit of open files (`ulimit -n`) bears it.
    pub(crate) fn of(config: &CrawlConfig) -> SocketShare {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let concurrency = config.concurrency.0.unwrap_or(MOST_FOUND);
        let idle = config.idle_connections.0;
        let asked = SocketShare {
            concurrency,
            idle: idle.unwrap_or((concurrency / 16).max(LEAST_IDLE)),
        };
        asked.within(limit, threads(config) as u64)
    }

    /// Fetches at once that the limit of open files bears beside the connections that are kept open.
    pub(crate) fn most_concurrency(&self, config: &CrawlConfig) -> usize {
        /// The greatest value of `--concurrency`.
        const MOST: usize = 100_000;
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let threads = threads(config) as u64;
        let taken = OWN_FILES + (FILES_PER_THREAD + self.idle as u64) * threads;
        usize::try_from(limit.saturating_sub(taken))
            .unwrap_or(MOST)
            .clamp(self.concurrency, MOST.max(self.concurrency))
    }

    fn within(self, limit: u64, threads: u64) -> SocketShare {
        let own = OWN_FILES + FILES_PER_THREAD * threads;
        let room = limit.saturating_sub(own);
        // A quarter for connections that wait for their host's next fetch.
        let most = (room - room / 4).max(1);
        let concurrency = self
            .concurrency
            .min(usize::try_from(most).unwrap_or(usize::MAX));
        let left = room.saturating_sub(concurrency as u64) / threads.max(1);
        SocketShare {
            concurrency,
            idle: self.idle.min(usize::try_from(left).unwrap_or(usize::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sockets_and_files_fit_below_the_limit() {
        let asked = SocketShare {
            concurrency: 200,
            idle: 1_024,
        };
        for limit in [40, 64, 100, 256, 1_024, 4_096] {
            for threads in 1..=2 {
                let share = asked.within(limit, threads);
                let sockets = share.concurrency as u64 + share.idle as u64 * threads;
                let own = OWN_FILES + FILES_PER_THREAD * threads;
                assert!(share.concurrency >= 1);
                assert!(sockets + own <= limit, "{limit} {threads} {share:?}");
            }
        }
        assert_eq!(asked.within(1 << 20, 8), asked);
        assert_eq!(asked.within(0, 1).concurrency, 1);
    }
}
