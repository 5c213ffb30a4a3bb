//! What a run begins on: the log, what it tells, and the frontiers that follow from it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use nephila_frontier::{CanonicalUrl, Fingerprinter, UrlKind};
use nephila_store::{CommitLog, LogPosition};

use crate::checkpoint::{EmptyFrontier, Manifest, is_of_the_checkpoint, remove_all};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::journal::Entry;
use crate::opening::{DiskFrontier, open_log};
use crate::options::CrawlConfig;
use crate::pace::Pace;
use crate::publish::Outputs;
use crate::setup;
use crate::state::{History, for_each_entry, for_each_queued};

/// A log that is open, and all that was rebuilt from it.
pub(crate) struct Ground {
    pub(crate) log: CommitLog,
    pub(crate) history: History,
    pub(crate) frontiers: Vec<DiskFrontier>,
    /// The checkpoint that this goes on from.
    pub(crate) checkpoint: Option<(u32, LogPosition)>,
}

impl Ground {
    /// From the last checkpoint and what was committed behind it, or else from the whole log.
    pub(crate) fn of(
        outputs: &Outputs,
        state: &Path,
        config: &CrawlConfig,
        clock: &Clock,
    ) -> Result<Ground, Error> {
        if let Some(manifest) = Manifest::latest(state, config)? {
            match Ground::at(&manifest, state, config, clock) {
                // A checkpoint is derived from the log: what is wrong with it is mended by the log, and
                // what is wrong with the log shows below.
                Err(error) if is_of_the_checkpoint(&error) => {
                    remove_all(state)?;
                }
                ground => return ground,
            }
        }
        let (log, is_new) = open_log(outputs, state, clock)?;
        let history = History::read(state)?;
        let shards = Shards::of(state, config, &history);
        shards.clear_others()?;
        let frontiers = (0..shards.count).map(|number| shards.empty(number).open());
        let mut frontiers = frontiers.collect::<Result<Vec<_>, _>>()?;
        let pace = Pace::after(&history, config, clock.now(), is_new);
        for (number, frontier) in frontiers.iter_mut().enumerate() {
            shards.prepare(frontier, number, &pace);
        }
        shards.replay(&mut frontiers, &pace)?;
        Ok(Ground {
            log,
            history,
            frontiers,
            checkpoint: None,
        })
    }

    /// Removes what is of no use when nothing is left to fetch: checkpoints, and what they name. The log
    /// has all of it.
    pub(crate) fn clear(state: &Path, config: &CrawlConfig) -> Result<(), Error> {
        if !remove_all(state)? {
            return Ok(());
        }
        let history = History::default();
        let shards = Shards::of(state, config, &history);
        (0..shards.count).try_for_each(|number| shards.empty(number).open().map(drop))
    }

    fn at(
        manifest: &Manifest,
        state: &Path,
        config: &CrawlConfig,
        clock: &Clock,
    ) -> Result<Ground, Error> {
        let position = manifest.position;
        let (log, _) = CommitLog::open_at(state, position, &mut |_, _| Ok(()))?;
        let history = manifest.history.clone().read_on(state, position)?;
        let pace = Pace::after(&history, config, clock.now(), false);
        let shards = Shards::of(state, config, &history);
        let mut frontiers = std::thread::scope(|scope| {
            let restore = |number| {
                let (shards, pace) = (&shards, &pace);
                scope.spawn(move || {
                    let prepare = |frontier: &mut DiskFrontier| {
                        shards.prepare(frontier, number, pace);
                    };
                    let empty = shards.empty(number);
                    empty.restore(manifest, state, number, pace.now, &prepare)
                })
            };
            let threads: Vec<_> = (0..shards.count).map(restore).collect();
            let panicked = |_| Err(Error::new(ErrorKind::Bug, "restoring a shard panicked"));
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(panicked)
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        shards.go_on(&mut frontiers, position, &pace)?;
        Ok(Ground {
            log,
            history,
            frontiers,
            checkpoint: Some((manifest.number, position)),
        })
    }
}

/// What the frontiers of all shards are made with.
struct Shards<'a> {
    state: &'a Path,
    config: nephila_frontier::FrontierConfig,
    history: &'a History,
    fingerprinter: Fingerprinter,
    seen_bytes: usize,
    count: usize,
}

impl<'a> Shards<'a> {
    fn of(state: &'a Path, config: &CrawlConfig, history: &'a History) -> Shards<'a> {
        let count = setup::threads(config);
        let share = |bytes: u64| (bytes / count as u64) as usize;
        Shards {
            state,
            config: setup::frontier_config(config, share(config.queue_memory.0)),
            history,
            fingerprinter: history.fingerprinter(),
            seen_bytes: share(config.seen_memory.0).max(nephila_store::MINIMUM_MEMORY_BYTES),
            count,
        }
    }

    fn empty(&self, number: usize) -> EmptyFrontier<'_> {
        EmptyFrontier {
            config: &self.config,
            fingerprinter: self.fingerprinter,
            seen_bytes: self.seen_bytes,
            dir: self.dir(number),
        }
    }

    fn dir(&self, number: usize) -> PathBuf {
        self.state.join(format!("shard-{number}"))
    }

    /// Removes what a checkpoint kept of shards that there are no more: the last run had more threads.
    fn clear_others(&self) -> Result<(), Error> {
        let mut others = (self.count..).take_while(|number| self.dir(*number).is_dir());
        others.try_for_each(|number| self.empty(number).open().map(drop))
    }

    /// Tells a frontier when its hosts may be fetched, those that it will meet included.
    fn prepare(&self, frontier: &mut DiskFrontier, number: usize, pace: &Pace<'_>) {
        for (name, host) in self.history.tally.hosts() {
            if self.fingerprinter.shard_of(name, self.count) == number {
                frontier.restore_host(name, pace.next_at(name, host), host.pages);
            }
        }
        if let Some(pause) = pace.of_unknown() {
            frontier.restore_pause(pause);
        }
    }

    /// From the whole log: what was admitted is seen, what is not done is queued.
    fn replay(&self, frontiers: &mut [DiskFrontier], pace: &Pace<'_>) -> Result<(), Error> {
        let mut failed = None;
        for_each_entry(self.state, None, |entry| {
            let Some((shard, fingerprint, _)) = self.place(&entry) else {
                return;
            };
            if let Some(frontier) = frontiers.get_mut(shard)
                && let Err(error) = frontier.restore_seen(fingerprint)
            {
                failed = Some(error);
            }
        })?;
        for_each_queued(self.state, self.history, |queued| {
            let shard = self.fingerprinter.shard_of(queued.url.host(), self.count);
            if let Some(frontier) = frontiers.get_mut(shard)
                && let Err(error) = frontier.restore_queued(queued, pace.now)
            {
                failed = Some(error);
            }
        })?;
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// From a checkpoint, with what was committed behind it: of that, what was admitted before is in the
    /// queues that were restored, and what was not is queued now, unless it is done.
    fn go_on(
        &self,
        frontiers: &mut [DiskFrontier],
        position: LogPosition,
        pace: &Pace<'_>,
    ) -> Result<(), Error> {
        let done = &self.history.done;
        let mut done_shards = HashMap::with_capacity(done.len());
        let mut never_queued = HashSet::new();
        let mut failed = None;
        for_each_entry(self.state, Some(position), |entry| {
            let Some((shard, fingerprint, kind)) = self.place(&entry) else {
                return;
            };
            let Some(frontier) = frontiers.get_mut(shard) else {
                return;
            };
            let mut restored = frontier.restore_seen(fingerprint);
            match entry {
                Entry::Admitted(_) if done.contains(&fingerprint) => {
                    never_queued.insert(fingerprint);
                }
                Entry::Admitted(queued) => {
                    restored = restored.and_then(|()| frontier.restore_queued(*queued, pace.now));
                }
                // A robots.txt comes from no queue.
                _ if kind == UrlKind::Robots => {}
                _ => {
                    done_shards.insert(fingerprint, shard);
                }
            }
            if let Err(error) = restored {
                failed = Some(error);
            }
        })?;
        for (fingerprint, shard) in done_shards {
            if let Some(frontier) = frontiers.get_mut(shard)
                && !never_queued.contains(&fingerprint)
            {
                frontier.restore_done(fingerprint);
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Of an entry about a URL: its shard, its fingerprint and its kind.
    fn place(&self, entry: &Entry) -> Option<(usize, u64, UrlKind)> {
        let (kind, url) = match entry {
            Entry::Admitted(queued) => (queued.kind, queued.url.as_str()),
            Entry::Done(done) => (done.kind, done.url.as_str()),
            _ => return None,
        };
        let canonical = CanonicalUrl::from_serialized(url)?;
        let shard = self.fingerprinter.shard_of(canonical.host(), self.count);
        Some((shard, self.fingerprinter.fingerprint(kind, url), kind))
    }
}
