//! Starting the threads of a run: one a shard, and what they share.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::thread::JoinHandle;

use nephila_fetch::{Fetcher, Shared};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::analysis::{AnalysisOptions, Workers};
use crate::analyst::{AnalysisRoom, Analyst};
use crate::archive;
use crate::checkpoint::Gate;
use crate::clock::Clock;
use crate::committer::{CommitSender, Committer};
use crate::control::Control;
use crate::duplicates::Duplicates;
use crate::error::{Error, ErrorKind};
use crate::handler::Handlers;
use crate::journal::StopReason;
use crate::known_links::KnownLinks;
use crate::ledger::Ledger;
use crate::opening::{DiskFrontier, Opened};
use crate::options::CrawlConfig;
use crate::products::Products;
use crate::progress::Progress;
use crate::pulse::{Processors, Pulse};
use crate::seeds::Seed;
use crate::setup;
use crate::shard::{Common, Levels, MOST_MESSAGES, Message, Shard};
use crate::visit::{Archiving, VisitContext};

/// What is a shard's own.
pub(crate) struct Place {
    pub(crate) number: usize,
    pub(crate) frontier: DiskFrontier,
    pub(crate) inbox: mpsc::Receiver<Message>,
    pub(crate) committer: CommitSender,
}

/// What every shard is started with.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) config: CrawlConfig,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) clock: Clock,
    /// With `--skip-duplicates`.
    pub(crate) duplicates: Option<Arc<Duplicates>>,
    pub(crate) workers: Workers,
    pub(crate) handlers: Option<Handlers>,
    pub(crate) room: AnalysisRoom,
    pub(crate) products: Products,
    pub(crate) processors: Arc<Processors>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) common: Arc<Common>,
    /// The crawl's key.
    pub(crate) key: [u64; 2],
}

impl Launch {
    /// Runs all shards until the last has ended; none is started where `begun` is an error. What was begun
    /// comes to its end, whatever the rest says.
    pub(crate) fn run(
        &self,
        shards: impl Iterator<Item = (DiskFrontier, mpsc::Receiver<Message>)>,
        committer: &Committer,
        shared: &Arc<Shared>,
        begun: Result<(), Error>,
    ) -> Result<(), Error> {
        let mut threads = Vec::new();
        let mut started = begun;
        for (number, (frontier, inbox)) in shards.enumerate() {
            let place = Place {
                number,
                frontier,
                inbox,
                committer: committer.sender(),
            };
            let thread = started.and_then(|()| self.start(place, shared.clone()));
            started = thread.map(|thread| threads.push(thread));
        }
        let control = &self.common.control;
        if started.is_err() {
            control.end();
        }
        join_all(threads).and(started)
    }

    /// Starts the thread of one shard.
    fn start(
        &self,
        place: Place,
        shared: Arc<Shared>,
    ) -> Result<JoinHandle<Result<(), Error>>, Error> {
        let launch = self.clone();
        let name = format!("shard-{}", place.number);
        let work = move || {
            let pulse = launch.pulse(place.number);
            let account = launch.ledger.account(place.number);
            account.note_thread(rustix::thread::gettid().as_raw_nonzero().get());
            let (waits, wakes, clock) = (pulse.clone(), pulse.clone(), launch.clock);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .on_thread_park(move || waits.wait(clock.elapsed()))
                .on_thread_unpark(move || wakes.wake(clock.elapsed()))
                .build();
            let runtime = runtime.map_err(|error| {
                launch.common.control.end();
                Error::new(ErrorKind::Io, format!("cannot start a runtime: {error}"))
            })?;
            let shard = launch.shard(place, pulse, Fetcher::new(shared))?;
            tokio::task::LocalSet::new().block_on(&runtime, shard.run())
        };
        std::thread::Builder::new()
            .name(name)
            .spawn(work)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start a thread: {error}")))
    }

    /// Of one shard's thread.
    pub(crate) fn pulse(&self, shard: usize) -> Arc<Pulse> {
        Arc::new(Pulse::new(
            self.processors.clone(),
            self.ledger.account(shard),
        ))
    }

    /// A shard that fetches with `fetcher`.
    pub(crate) fn shard<F>(
        &self,
        place: Place,
        pulse: Arc<Pulse>,
        fetcher: F,
    ) -> Result<Shard<F>, Error> {
        let (config, clock) = (self.config.clone(), self.clock);
        let archiving = archive::compression(&config).map(|compression| Archiving {
            compression,
            key: self.key,
        });
        let context = VisitContext {
            account: self.ledger.account(place.number),
            archiving,
            fetcher,
            rules: setup::follow_rules(&config, &self.seeds)?,
            analyst: Analyst {
                options: Arc::new(AnalysisOptions {
                    keep_body: self.handlers.is_some(),
                    ..setup::analysis_options(&config)
                }),
                workers: self.workers.clone(),
                offload_bytes: config.offload_size.0,
                room: self.room.clone(),
                pulse,
                clock,
            },
            take: setup::body_filter(&config),
            duplicates: self.duplicates.clone(),
            products: self.products.clone(),
            handlers: self.handlers.clone(),
            traps: RefCell::new(setup::content_traps(&config, self.common.fingerprinter)),
            known: RefCell::new(KnownLinks::new(self.common.fingerprinter)),
            config,
            clock,
        };
        Ok(Shard {
            number: place.number,
            common: self.common.clone(),
            frontier: place.frontier,
            context: Rc::new(context),
            inbox: place.inbox,
            committer: place.committer,
            clock,
            outgoing: std::collections::VecDeque::new(),
            published: Levels::default(),
            ready: (0, None),
        })
    }

    /// Ends the crawl after the time that it has, if it has one; the thread ends with the crawl at the latest.
    pub(crate) fn watch_duration(&self) -> Option<JoinHandle<()>> {
        let limit = self.config.max_duration?;
        let control = self.common.control.clone();
        Some(std::thread::spawn(move || {
            if !control.wait_for_end(limit) {
                control.drain(StopReason::MaxDuration);
            }
        }))
    }
}

fn join_all(threads: Vec<JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
    let mut first = Ok(());
    for thread in threads {
        let ended = thread
            .join()
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Bug, "a shard panicked")));
        if first.is_ok() {
            first = ended;
        }
    }
    first
}

impl Opened {
    /// What the shards share, and the inbox of each.
    pub(crate) fn common(
        &self,
        control: &Control,
        progress: &Arc<Progress>,
    ) -> (Arc<Common>, Vec<mpsc::Receiver<Message>>) {
        let shards = self.frontiers.len();
        let max_pages = self.config.max_pages.unwrap_or(u64::MAX);
        let asked = self.history.tally.pages_asked();
        let (inboxes, receivers) = (0..shards)
            .map(|_| mpsc::channel::<Message>(MOST_MESSAGES))
            .unzip();
        if asked >= max_pages {
            control.drain(StopReason::MaxPages);
        }
        let message_room = Arc::new(Semaphore::new(MOST_MESSAGES));
        let gate = Gate::new(self.directory.state(), shards, message_room.clone());
        let common = Common {
            gate: Arc::new(gate),
            control: control.clone(),
            progress: progress.clone(),
            fingerprinter: self.fingerprinter,
            live: AtomicI64::new(shards as i64),
            pages_started: AtomicU64::new(asked),
            pages_ended: AtomicU64::new(asked),
            max_pages,
            message_room,
            drained: AtomicUsize::new(0),
            one_drained: Notify::new(),
            inboxes,
        };
        (Arc::new(common), receivers)
    }
}
