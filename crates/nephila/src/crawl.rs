//! A crawl, wired once: directory, frontiers, fetchers, committer, and the threads that run them.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::thread::JoinHandle;
use std::time::Duration;

use nephila_fetch::{Fetcher, Shared};
use nephila_frontier::{Admission, CanonicalUrl, Fingerprinter, Frontier, QueuedUrl, UrlKind};
use nephila_store::{BlockFile, CommitLog, DirectoryLock, PartWriter, Repaired, SeenSet};
use tokio::sync::{Semaphore, mpsc};

use crate::analysis::{Analyst, Workers};
use crate::clock::Clock;
use crate::committer::{Committed, Committer, Handover, Sinks};
use crate::control::{Control, Phase};
use crate::directory::{CrawlDirectory, PART_EXTENSION, PART_PREFIX};
use crate::error::{Error, ErrorKind};
use crate::journal::{Entry, StopReason, encode_admitted};
use crate::options::{CrawlConfig, Settings, Source, option};
use crate::progress::Progress;
use crate::seeds::{Seed, parse_seeds, refused_seed};
use crate::setup;
use crate::shard::{Common, Levels, MOST_MESSAGES, Message, Shard};
use crate::state::{DiskOverflow, DiskSeen, History, for_each_queued};
use crate::summary::Summary;
use crate::visit::VisitContext;

type DiskFrontier = Frontier<DiskSeen, DiskOverflow>;

/// A crawl that is ready to run: its directory is made or opened, and locked.
#[derive(Debug)]
pub struct Crawl {
    directory: CrawlDirectory,
    config: CrawlConfig,
    seeds: Vec<Seed>,
    clock: Clock,
    control: Control,
    progress: Arc<Progress>,
    frontiers: Vec<DiskFrontier>,
    fingerprinter: Fingerprinter,
    log: CommitLog,
    rows: PartWriter,
    history: History,
    repaired: Repaired,
    _lock: DirectoryLock,
}

impl Crawl {
    /// Makes a crawl directory and everything in it. Nothing is fetched before [`Crawl::run`].
    ///
    /// `seeds` are URLs, as a person writes them: without a scheme they are taken as https, or
    /// http where the host is local.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for no seed, a seed that is no URL and settings that do not check;
    /// [`ErrorKind::Exists`] for a directory that is not empty; the rest as the file system has it.
    pub fn create(
        path: impl Into<PathBuf>,
        seeds: &[String],
        settings: &Settings,
    ) -> Result<Crawl, Error> {
        let config = settings.check()?;
        let seeds = parse_seeds(seeds, &config)?;
        setup::check_network(&config, &seeds)?;
        let directory = CrawlDirectory::at(path);
        directory.create()?;
        let lock = DirectoryLock::acquire(&directory.state())?;
        let clock = Clock::start();
        let key = setup::random_key()?;
        let texts: Vec<String> = seeds.iter().map(|seed| seed.written.clone()).collect();
        directory.write_config(&config, &texts)?;
        let mut log = CommitLog::create(&directory.state())?;
        let rows = PartWriter::create(
            &directory.pages(),
            PART_PREFIX,
            PART_EXTENSION,
            config.part_size.0,
        )?;
        let mut payload = Vec::new();
        Entry::Begin {
            key,
            at: clock.now(),
        }
        .encode(&mut payload);
        log.append(&payload)?;
        let fingerprinter = Fingerprinter::new(key);
        let frontiers = make_frontiers(&directory.state(), &config, fingerprinter)?;
        Ok(Crawl {
            control: Control::new(config.concurrency),
            progress: Arc::new(Progress::default()),
            history: History {
                created_at: clock.now(),
                ..History::default()
            },
            repaired: Repaired::default(),
            directory,
            config,
            seeds,
            clock,
            frontiers,
            fingerprinter,
            log,
            rows,
            _lock: lock,
        })
    }

    /// Opens a crawl directory to go on with it. `changes` may hold options that may change
    /// between runs.
    ///
    /// What a crash left is repaired: see [`Crawl::repaired`].
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`], [`ErrorKind::Locked`] with the process that has it open,
    /// [`ErrorKind::Usage`] for a change that is not possible, [`ErrorKind::Corrupt`].
    pub fn resume(path: impl Into<PathBuf>, changes: &Settings) -> Result<Crawl, Error> {
        let directory = CrawlDirectory::at(path);
        let (texts, mut settings) = directory.read_config()?;
        let has_changes = add_changes(&mut settings, changes)?;
        let config = settings.check()?;
        let seeds = parse_seeds(&texts, &config)?;
        setup::check_network(&config, &seeds)?;
        let lock = DirectoryLock::acquire(&directory.state())?;
        let clock = Clock::start();
        let state = directory.state();
        let log = open_log(&state, &clock)?;
        let history = History::read(&state)?;
        let (rows, repaired) = PartWriter::open_at(
            &directory.pages(),
            PART_PREFIX,
            PART_EXTENSION,
            config.part_size.0,
            history.rows,
        )?;
        if has_changes {
            directory.write_config(&config, &texts)?;
        }
        let fingerprinter = history.fingerprinter();
        let mut frontiers = make_frontiers(&state, &config, fingerprinter)?;
        restore(&state, &history, &mut frontiers, &clock)?;
        Ok(Crawl {
            control: Control::new(config.concurrency),
            progress: Arc::new(Progress::default()),
            directory,
            config,
            seeds,
            clock,
            frontiers,
            fingerprinter,
            log,
            rows,
            history,
            repaired,
            _lock: lock,
        })
    }

    /// Stops the crawl from another thread.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The live counters.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// The directory.
    pub fn directory(&self) -> &CrawlDirectory {
        &self.directory
    }

    /// The checked configuration.
    pub fn config(&self) -> &CrawlConfig {
        &self.config
    }

    /// Pages that have their outcome already, from earlier runs.
    pub fn pages_before(&self) -> u64 {
        self.history.tally.pages()
    }

    /// What was written and never committed before this run, and is now cut off: bytes of rows.
    pub fn repaired(&self) -> u64 {
        self.repaired.cut_bytes
    }

    /// Runs until nothing is left, a limit is reached, or [`Control::stop`]. Blocks.
    ///
    /// All is committed when it returns, and `summary.json` is written.
    ///
    /// # Errors
    /// When the crawl cannot go on; what was committed is kept, and [`Crawl::resume`] goes on.
    pub fn run(mut self) -> Result<Summary, Error> {
        let shared = Shared::new(setup::fetch_config(&self.config, &self.seeds)?, {
            self.clock.for_fetch()
        })?;
        let first = self.admit_seeds()?;
        let (common, receivers) = self.common();
        let sinks = Sinks {
            log: self.log,
            rows: self.rows,
            tally: std::mem::take(&mut self.history.tally),
        };
        let interval = self.config.commit_interval;
        let committer = Committer::start(
            sinks,
            self.history.rows,
            interval,
            self.clock,
            self.control.clone(),
        )?;
        for handover in first {
            committer.send_first(handover)?;
        }
        let launch = Launch {
            config: self.config.clone(),
            seeds: self.seeds.clone(),
            clock: self.clock,
            shared: Arc::new(shared),
            workers: Workers::start(setup::threads(&self.config))?,
            common,
        };
        let frontiers = std::mem::take(&mut self.frontiers);
        let mut threads = Vec::new();
        for (number, (frontier, inbox)) in frontiers.into_iter().zip(receivers).enumerate() {
            threads.push(launch.start(number, frontier, inbox, committer.sender())?);
        }
        let guard = self
            .config
            .max_duration
            .map(|limit| launch.watch_duration(limit));
        let ended = join_all(threads);
        let reason = match self.control.phase() {
            Phase::Draining(reason) => reason,
            Phase::Running | Phase::Ended => StopReason::Interrupted,
        };
        self.control.end();
        drop(launch);
        // The committer's own error is the cause of what the shards saw.
        let committed = committer.finish(reason);
        if let Some(guard) = guard {
            let _ = guard.join();
        }
        let committed = committed?;
        ended?;
        let summary = summarize(
            committed,
            reason,
            &self.config,
            self.seeds.len(),
            &self.progress,
            self.clock.elapsed(),
            self.history.ran_millis,
        );
        let json = serde_json::to_vec_pretty(&summary);
        let json = json.map_err(|error| Error::new(ErrorKind::Bug, error.to_string()))?;
        self.directory
            .write_whole(&self.directory.summary_file(), &json)?;
        Ok(summary)
    }

    /// What the shards share, and the inbox of each.
    fn common(&self) -> (Arc<Common>, Vec<mpsc::Receiver<Message>>) {
        let shards = self.frontiers.len();
        let max_pages = self.config.max_pages.unwrap_or(u64::MAX);
        let asked = self.history.tally.pages_asked();
        let (inboxes, receivers) = (0..shards)
            .map(|_| mpsc::channel::<Message>(MOST_MESSAGES))
            .unzip();
        if asked >= max_pages {
            self.control.drain(StopReason::MaxPages);
        }
        let common = Common {
            control: self.control.clone(),
            progress: self.progress.clone(),
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

    /// Admits the seeds that were not admitted before; one that the scope refuses gets its row.
    fn admit_seeds(&mut self) -> Result<Vec<Handover>, Error> {
        let rules = setup::follow_rules(&self.config, &self.seeds)?;
        let now = self.clock.now();
        let mut handovers = Vec::new();
        for seed in &self.seeds {
            let queued = QueuedUrl::page(seed.url.clone(), 0, None, now);
            let mut handover = Handover::default();
            match rules.scope.check(&seed.url, 0) {
                Ok(()) => {
                    if admit_to(&mut self.frontiers, self.fingerprinter, &queued, now)? {
                        encode_admitted(&queued, &mut handover.admitted);
                        handover.admitted_count = 1;
                        handovers.push(handover);
                    }
                }
                Err(refusal) => {
                    if note_seen(&mut self.frontiers, self.fingerprinter, &seed.url)? {
                        handovers.push(refused_seed(queued, &refusal, now));
                    }
                }
            }
        }
        Ok(handovers)
    }
}

fn admit_to(
    frontiers: &mut [DiskFrontier],
    fingerprinter: Fingerprinter,
    queued: &QueuedUrl,
    now: nephila_frontier::Moment,
) -> Result<bool, Error> {
    let shard = fingerprinter.shard_of(queued.url.host(), frontiers.len());
    let Some(frontier) = frontiers.get_mut(shard) else {
        return Ok(false);
    };
    Ok(frontier.admit(queued.clone(), now)? == Admission::Admitted)
}

fn note_seen(
    frontiers: &mut [DiskFrontier],
    fingerprinter: Fingerprinter,
    url: &CanonicalUrl,
) -> Result<bool, Error> {
    let shard = fingerprinter.shard_of(url.host(), frontiers.len());
    let Some(frontier) = frontiers.get_mut(shard) else {
        return Ok(false);
    };
    Ok(frontier.note_seen(UrlKind::Page, url)?)
}

/// What every shard's thread is started with.
struct Launch {
    config: CrawlConfig,
    seeds: Vec<Seed>,
    clock: Clock,
    shared: Arc<Shared>,
    workers: Workers,
    common: Arc<Common>,
}

impl Launch {
    fn start(
        &self,
        number: usize,
        frontier: DiskFrontier,
        inbox: mpsc::Receiver<Message>,
        committer: crate::committer::CommitSender,
    ) -> Result<JoinHandle<Result<(), Error>>, Error> {
        let (config, clock, common) = (self.config.clone(), self.clock, self.common.clone());
        let rules = setup::follow_rules(&config, &self.seeds)?;
        let analyst = Analyst {
            options: Arc::new(setup::analysis_options(&config)),
            workers: self.workers.clone(),
            offload_bytes: config.offload_size.0,
            clock,
        };
        let shared = self.shared.clone();
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
            let context = VisitContext {
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
    fn watch_duration(&self, limit: Duration) -> JoinHandle<()> {
        let control = self.common.control.clone();
        std::thread::spawn(move || {
            if !control.wait_for_end(limit) {
                control.drain(StopReason::MaxDuration);
            }
        })
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

fn make_frontiers(
    state: &Path,
    config: &CrawlConfig,
    fingerprinter: Fingerprinter,
) -> Result<Vec<DiskFrontier>, Error> {
    let shards = setup::threads(config);
    let share = |bytes: u64| (bytes / shards as u64) as usize;
    let frontier_config = setup::frontier_config(config, share(config.queue_memory.0));
    (0..shards)
        .map(|number| {
            let dir = state.join(format!("shard-{number}"));
            let memory = share(config.seen_memory.0).max(nephila_store::MINIMUM_MEMORY_BYTES);
            let seen = DiskSeen(SeenSet::new(&dir.join("seen"), memory)?);
            let overflow = DiskOverflow::new(BlockFile::new(&dir.join("queues"))?);
            Ok(Frontier::new(
                frontier_config.clone(),
                fingerprinter,
                seen,
                overflow,
            ))
        })
        .collect()
}

/// Rebuilds the frontiers from the log: what was admitted is seen, what is not done is queued.
fn restore(
    state: &Path,
    history: &History,
    frontiers: &mut [DiskFrontier],
    clock: &Clock,
) -> Result<(), Error> {
    let now = clock.now();
    let shards = frontiers.len();
    let fingerprinter = history.fingerprinter();
    for (name, host) in history.tally.hosts() {
        let shard = fingerprinter.shard_of(name, shards);
        if let Some(frontier) = frontiers.get_mut(shard) {
            frontier.restore_host(name, host.next_at, host.pages);
        }
    }
    let mut failed = None;
    crate::state::for_each_entry(state, |entry| {
        let (kind, url) = match &entry {
            Entry::Admitted(queued) => (queued.kind, queued.url.as_str()),
            Entry::Done(done) => (done.kind, done.url.as_str()),
            _ => return,
        };
        let Some(canonical) = CanonicalUrl::from_serialized(url) else {
            return;
        };
        let shard = fingerprinter.shard_of(canonical.host(), shards);
        let fingerprint = fingerprinter.fingerprint(kind, url);
        if let Some(frontier) = frontiers.get_mut(shard)
            && let Err(error) = frontier.restore_seen(fingerprint)
        {
            failed = Some(error);
        }
    })?;
    for_each_queued(state, history, |queued| {
        let shard = fingerprinter.shard_of(queued.url.host(), shards);
        if let Some(frontier) = frontiers.get_mut(shard)
            && let Err(error) = frontier.restore_queued(queued, now)
        {
            failed = Some(error);
        }
    })?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Opens the log of a crawl, or begins it where the crawl died before it had one.
fn open_log(state: &Path, clock: &Clock) -> Result<CommitLog, Error> {
    let mut commits = 0;
    let opened = CommitLog::open(state, &mut |_, _| {
        commits += 1;
        Ok(())
    });
    let mut log = match opened {
        Ok((log, _)) => log,
        Err(error) if error.kind() == nephila_store::ErrorKind::NotACrawl => {
            CommitLog::create(state)?
        }
        Err(error) => return Err(error.into()),
    };
    if commits == 0 {
        let mut payload = Vec::new();
        Entry::Begin {
            key: setup::random_key()?,
            at: clock.now(),
        }
        .encode(&mut payload);
        log.append(&payload)?;
    }
    Ok(log)
}

/// Adds changes to the settings of a crawl; true when there was one.
fn add_changes(settings: &mut Settings, changes: &Settings) -> Result<bool, Error> {
    for (name, source) in changes.names() {
        let is_flag = matches!(source, Source::Flag | Source::Caller);
        if is_flag && !option(name).is_some_and(|option| option.on_resume) {
            let what =
                format!("--{name} is fixed when a crawl begins: start another crawl to change it");
            return Err(Error::new(ErrorKind::Usage, what));
        }
    }
    let flags = changes.only_explicit();
    let has_changes = flags.names().next().is_some();
    settings.merge(flags);
    Ok(has_changes)
}

fn summarize(
    committed: Committed,
    reason: StopReason,
    config: &CrawlConfig,
    seeds: usize,
    progress: &Progress,
    elapsed: Duration,
    earlier_millis: u64,
) -> Summary {
    let tally = &committed.tally;
    let counts = progress.snapshot();
    Summary {
        seeds: seeds as u64,
        queued: counts.queued + counts.in_flight,
        refused_links: progress
            .refused()
            .map(|(name, count)| (name.to_owned(), count))
            .collect(),
        not_followed: progress.not_followed(),
        ignored_robots: config.ignore_robots,
        run_pages: counts.pages,
        run_seconds: elapsed.as_secs_f64(),
        total_seconds: elapsed.as_secs_f64() + earlier_millis as f64 / 1_000.0,
        parts: committed.position.part + u32::from(committed.position.rows > 0),
        rows: committed.position.rows,
        ..Summary::of(tally, Some(reason))
    }
}
