//! Starting the threads of a run: one a shard, and what they share.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::thread::JoinHandle;
use std::time::Duration;

use nephila_fetch::{Fetcher, Shared};
use tokio::sync::{Semaphore, mpsc};

use crate::analysis::{Analyst, Workers};
use crate::archive;
use crate::clock::Clock;
use crate::committer::CommitSender;
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::journal::StopReason;
use crate::opening::{DiskFrontier, Opened};
use crate::options::CrawlConfig;
use crate::progress::Progress;
use crate::seeds::Seed;
use crate::setup;
use crate::shard::{Common, Levels, MOST_MESSAGES, Message, Shard};
use crate::visit::{Archiving, VisitContext};

/// What every shard's thread is started with.
pub(crate) struct Launch {
    pub(crate) config: CrawlConfig,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) clock: Clock,
    pub(crate) shared: Arc<Shared>,
    pub(crate) workers: Workers,
    pub(crate) common: Arc<Common>,
    /// The crawl's key.
    pub(crate) key: [u64; 2],
}

impl Launch {
    pub(crate) fn start(
        &self,
        number: usize,
        frontier: DiskFrontier,
        inbox: mpsc::Receiver<Message>,
        committer: CommitSender,
    ) -> Result<JoinHandle<Result<(), Error>>, Error> {
        let (config, clock, common) = (self.config.clone(), self.clock, self.common.clone());
        let rules = setup::follow_rules(&config, &self.seeds)?;
        let analyst = Analyst {
            options: Arc::new(setup::analysis_options(&config)),
            workers: self.workers.clone(),
            offload_bytes: config.offload_size.0,
            clock,
        };
        let (shared, key) = (self.shared.clone(), self.key);
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(|error| {
                common.control.end();
                Error::new(ErrorKind::Io, format!("cannot start a runtime: {error}"))
            })?;
            let take = setup::body_filter(&config);
            let fetcher = Fetcher::new(shared);
            let archiving =
                archive::compression(&config).map(|compression| Archiving { compression, key });
            let context = VisitContext {
                archiving,
                config,
                fetcher,
                rules,
                analyst,
                take,
                clock,
            };
            let shard = Shard {
                number,
                common,
                frontier,
                context: Rc::new(context),
                inbox,
                committer,
                clock,
                outgoing: std::collections::VecDeque::new(),
                published: Levels::default(),
            };
            tokio::task::LocalSet::new().block_on(&runtime, shard.run())
        };
        std::thread::Builder::new()
            .name(format!("shard-{number}"))
            .spawn(work)
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start a thread: {error}")))
    }

    /// Ends the crawl after `limit`; the thread ends with the crawl at the latest.
    pub(crate) fn watch_duration(&self, limit: Duration) -> JoinHandle<()> {
        let control = self.common.control.clone();
        std::thread::spawn(move || {
            if !control.wait_for_end(limit) {
                control.drain(StopReason::MaxDuration);
            }
        })
    }
}

pub(crate) fn join_all(threads: Vec<JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
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
        let common = Common {
            control: control.clone(),
            progress: progress.clone(),
            fingerprinter: self.fingerprinter,
            live: AtomicI64::new(shards as i64),
            pages_started: AtomicU64::new(asked),
            pages_ended: AtomicU64::new(asked),
            max_pages,
            message_room: Arc::new(Semaphore::new(MOST_MESSAGES)),
            drained: AtomicUsize::new(0),
            inboxes,
        };
        (Arc::new(common), receivers)
    }
}
