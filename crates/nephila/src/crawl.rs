//! A crawl, as a program sees it: made or opened, run, and its summary.

use std::path::PathBuf;
use std::sync::Arc;

use nephila_fetch::Shared;
use nephila_ledger::Controller;
use nephila_store::{remove_file, write_whole};

use crate::analysis::Workers;
use crate::analyst::AnalysisRoom;
use crate::checkpoint::remove_all;
use crate::clock::Clock;
use crate::committer::Committer;
use crate::control::Control;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::ground::Ground;
use crate::handler::{Handler, HandlerSetup};
use crate::journal::StopReason;
use crate::launch::Launch;
use crate::ledger::{Ledger, Line, Sources};
use crate::live::LiveCrawl;
use crate::opening::Opened;
use crate::options::{CrawlConfig, Settings};
use crate::products::Products;
use crate::progress::Progress;
use crate::repairs::Repairs;
use crate::report::{EndedRun, write_report};
use crate::setup;
use crate::sinks::Ended;
use crate::sockets::SocketShare;
use crate::summary::Summary;

/// A crawl that is ready to run: its directory is made or opened, and locked.
pub struct Crawl {
    opened: Opened,
    handler: Option<HandlerSetup>,
    /// With `--concurrency auto`.
    controller: Option<Controller>,
    control: Control,
    progress: Arc<Progress>,
    ledger: Arc<Ledger>,
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
        let directory = CrawlDirectory::at(path);
        Opened::create(directory, seeds, settings, Clock::start()).map(Crawl::of)
    }

    /// Opens a crawl directory to go on with it. `changes` may hold options that may change
    /// between runs.
    ///
    /// What a crash left is repaired: see [`Crawl::repairs`].
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`], [`ErrorKind::Locked`] with the process that has it open,
    /// [`ErrorKind::Usage`] for a change that is not possible, [`ErrorKind::Corrupt`].
    pub fn resume(path: impl Into<PathBuf>, changes: &Settings) -> Result<Crawl, Error> {
        let directory = CrawlDirectory::at(path);
        Opened::resume(directory, changes, Clock::start()).map(Crawl::of)
    }

    fn of(opened: Opened) -> Crawl {
        let share = SocketShare::of(&opened.config);
        let controller = opened.config.concurrency.0.is_none();
        let controller = controller.then(|| Controller::new(share.concurrency));
        let first = controller
            .as_ref()
            .map_or(share.concurrency, |found| found.first().slots);
        Crawl {
            control: Control::new(first, share.most_concurrency(&opened.config)),
            controller,
            progress: Arc::new(Progress::default()),
            ledger: Arc::new(Ledger::new(opened.frontiers.len())),
            opened,
            handler: None,
        }
    }

    /// Has every fetched page handled, on so many threads; 0 are as many as [`Crawl::config`] has for fetching.
    /// Pages wait for the handler, and no fetch does. Where the handler itself waits, more threads bring more.
    #[must_use]
    pub fn with_handler(self, handler: impl Handler, threads: usize) -> Crawl {
        let threads = match threads {
            0 => setup::threads(self.config()),
            threads => threads,
        };
        let handler = Arc::new(handler);
        Crawl {
            handler: Some(HandlerSetup { handler, threads }),
            ..self
        }
    }

    /// Stops the crawl from another thread.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The live counters.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// What limits the crawl, while it runs.
    pub fn live_ledger(&self) -> LiveLedger {
        LiveLedger(self.ledger.clone())
    }

    /// All of it that can be shown while it runs.
    pub fn live(&self) -> LiveCrawl {
        let opened = &self.opened;
        LiveCrawl {
            directory: opened.directory.clone(),
            config: Arc::new(opened.config.clone()),
            control: self.control.clone(),
            progress: self.progress.clone(),
            ledger: self.ledger.clone(),
            clock: opened.clock,
        }
    }

    /// The directory.
    pub fn directory(&self) -> &CrawlDirectory {
        &self.opened.directory
    }

    /// The checked configuration.
    pub fn config(&self) -> &CrawlConfig {
        &self.opened.config
    }

    /// Fetches at once at most: `--concurrency`, or what the limit of open files bears; what it begins with
    /// where the crawl finds that out.
    pub fn concurrency(&self) -> usize {
        self.control.concurrency()
    }

    /// Pages that have their outcome already, from earlier runs.
    pub fn pages_before(&self) -> u64 {
        self.opened.history.tally.pages()
    }

    /// What an earlier run's crash had left, and is mended now.
    pub fn repairs(&self) -> &Repairs {
        &self.opened.repairs
    }

    /// Runs until nothing is left, a limit is reached, or [`Control::stop`]. Blocks.
    ///
    /// All is committed and published when it returns, and `summary.json` and `report.html` are written.
    ///
    /// # Errors
    /// When the crawl cannot go on; what was committed is kept, and [`Crawl::resume`] goes on.
    pub fn run(self) -> Result<Summary, Error> {
        let lock = self.opened.lock.clone();
        lock.leave_note("")?;
        let state = self.opened.directory.state();
        let ended = self.run_locked();
        if let Err(error) = &ended {
            if error.kind() == ErrorKind::Corrupt {
                // It may be of the checkpoint; the log has all that it had.
                let _ = remove_all(&state);
            }
            // For `status`. A disk that takes no byte any more takes no note either.
            let _ = lock.leave_note(&error.to_string());
        }
        ended
    }

    fn run_locked(self) -> Result<Summary, Error> {
        let (mut opened, control) = (self.opened, self.control);
        let (progress, ledger) = (self.progress, self.ledger);
        let fetch_config = setup::fetch_config(&opened.config, &opened.seeds)?;
        let shared = Arc::new(Shared::new(fetch_config, opened.clock.for_fetch())?);
        let first = opened.admit_seeds()?;
        let (common, receivers) = opened.common(&control, &progress);
        let maker = opened.maker(&common, true);
        let Opened {
            directory,
            config,
            seeds,
            clock,
            frontiers,
            sinks,
            history,
            duplicates,
            ..
        } = opened;
        let workers = Workers::start(setup::threads(&config), clock, &ledger.work)?;
        let start = |setup: HandlerSetup| setup.start(clock, &ledger.handler);
        let handlers = self.handler.map(start).transpose()?;
        let committer = Committer::start(
            sinks,
            maker,
            config.commit_interval,
            clock,
            control.clone(),
            ledger.clone(),
        )?;
        let sampler = Sources {
            ledger: ledger.clone(),
            shared: shared.clone(),
            control: control.clone(),
            controller: self.controller,
            clock,
            path: directory.ledger_file(),
        }
        .sample();
        let launch = Launch {
            workers,
            handlers,
            products: Products::default(),
            processors: Arc::default(),
            ledger,
            room: AnalysisRoom::new(config.body_memory.0 / 2),
            config,
            seeds,
            clock,
            duplicates,
            common,
            key: history.key.unwrap_or_default(),
        };
        let guard = launch.watch_duration();
        let shards = frontiers.into_iter().zip(receivers);
        let ended = launch.run(shards, &committer, &shared, committer.send_first(first));
        let reason = control.reason();
        // The committer's own error is the cause of what the shards saw.
        let committed = committer.finish(reason);
        control.end();
        for thread in [sampler, guard].into_iter().flatten() {
            // A panic there would be a bug that a test shows; the crawl's rows are not to suffer for it.
            let _ = thread.join();
        }
        let committed = committed?;
        ended?;
        let summary = summarize(&committed, reason, &launch, &progress, history.ran_millis);
        write_summary(&directory, &summary)?;
        report(&directory, &launch, &committed, reason);
        if reason == StopReason::Done {
            Ground::clear(&directory.state(), &launch.config)?;
        }
        Ok(summary)
    }
}

/// What limits a running crawl, for whoever shows it.
#[derive(Clone, Debug)]
pub struct LiveLedger(Arc<Ledger>);

impl LiveLedger {
    /// Of the last seconds; `None` where nothing was done in them.
    pub fn line(&self) -> Option<Line> {
        self.0.line()
    }
}

/// Writes `report.html`. It tells of the crawl and is not the crawl: where it cannot be written there is none,
/// for that of an earlier run would tell of another.
fn report(directory: &CrawlDirectory, launch: &Launch, ended: &Ended, reason: StopReason) {
    let run = EndedRun {
        directory,
        config: &launch.config,
        tally: &ended.tally,
        rows: ended.rows,
        reason,
        ledger: &launch.ledger.board.run(),
        now: launch.clock.now(),
    };
    if write_report(&run).is_err() {
        let _ = remove_file(&directory.report_file());
    }
}

fn write_summary(directory: &CrawlDirectory, summary: &Summary) -> Result<(), Error> {
    let json = serde_json::to_vec_pretty(summary);
    let json = json.map_err(|error| Error::new(ErrorKind::Bug, error.to_string()))?;
    Ok(write_whole(&directory.summary_file(), &json, true)?)
}

fn summarize(
    ended: &Ended,
    reason: StopReason,
    launch: &Launch,
    progress: &Progress,
    earlier_millis: u64,
) -> Summary {
    let counts = progress.snapshot();
    let elapsed = launch.clock.elapsed();
    Summary {
        seeds: launch.seeds.len() as u64,
        queued: counts.queued + counts.in_flight,
        refused_links: progress
            .refused()
            .map(|(name, count)| (name.to_owned(), count))
            .collect(),
        not_followed: progress.not_followed(),
        ignored_robots: launch.config.ignore_robots,
        run_pages: counts.pages,
        duplicates: launch.duplicates.as_ref().map_or(0, |known| known.count()),
        run_seconds: elapsed.as_secs_f64(),
        total_seconds: elapsed.as_secs_f64() + earlier_millis as f64 / 1_000.0,
        parts: ended.parts.rows,
        rows: ended.rows.rows,
        ..Summary::of(&ended.tally, Some(reason))
    }
}
