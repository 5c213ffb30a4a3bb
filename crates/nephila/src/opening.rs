//! Making and opening a crawl: its directory, its lock, its log, its sinks and its frontiers.

use std::path::Path;
use std::sync::Arc;

use nephila_frontier::{Fingerprinter, Frontier};
use nephila_store::{CommitLog, DirectoryLock, LogPosition, make_dir};

use crate::checkpoint::Maker;
use crate::clock::Clock;
use crate::directory::CrawlDirectory;
use crate::duplicates::Duplicates;
use crate::error::{Error, ErrorKind};
use crate::ground::Ground;
use crate::journal::Entry;
use crate::options::{CrawlConfig, Settings, Source, option};
use crate::publish::Outputs;
use crate::repairs::Repairs;
use crate::row_parts::RowParts;
use crate::seeds::{Seed, parse_seeds};
use crate::setup;
use crate::shard::Common;
use crate::sinks::Sinks;
use crate::state::{DiskOverflow, DiskSeen, History};

pub(crate) type DiskFrontier = Frontier<DiskSeen, DiskOverflow>;

/// A crawl whose directory is made or opened, and locked: all that a run needs.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) directory: CrawlDirectory,
    pub(crate) config: CrawlConfig,
    pub(crate) seeds: Vec<Seed>,
    pub(crate) clock: Clock,
    pub(crate) frontiers: Vec<DiskFrontier>,
    pub(crate) fingerprinter: Fingerprinter,
    pub(crate) sinks: Sinks,
    pub(crate) history: History,
    pub(crate) repairs: Repairs,
    /// With `--skip-duplicates`.
    pub(crate) duplicates: Option<Arc<Duplicates>>,
    pub(crate) lock: Arc<DirectoryLock>,
    /// The checkpoint that it goes on from.
    pub(crate) checkpoint: Option<(u32, LogPosition)>,
}

impl Opened {
    /// Makes a new crawl: see [`crate::Crawl::create`].
    pub(crate) fn create(
        directory: CrawlDirectory,
        seeds: &[String],
        settings: &Settings,
        clock: Clock,
    ) -> Result<Opened, Error> {
        let config = settings.check()?;
        let seeds = parse_seeds(seeds, &config)?;
        setup::check_network(&config, &seeds)?;
        let outputs = Outputs::of(&directory, &config)?;
        // A place that cannot be written to is told before anything is made here.
        outputs.check()?;
        outputs.check_unused()?;
        directory.create()?;
        let lock = DirectoryLock::acquire(&directory.state())?;
        let texts: Vec<String> = seeds.iter().map(|seed| seed.written.clone()).collect();
        directory.write_config(&config, &texts)?;
        Opened::open(directory, config, seeds, outputs, lock, clock)
    }

    /// Opens a crawl to go on with it: see [`crate::Crawl::resume`].
    pub(crate) fn resume(
        directory: CrawlDirectory,
        changes: &Settings,
        clock: Clock,
    ) -> Result<Opened, Error> {
        let (texts, mut settings) = directory.read_config()?;
        let has_changes = add_changes(&mut settings, changes)?;
        let config = settings.check()?;
        let seeds = parse_seeds(&texts, &config)?;
        setup::check_network(&config, &seeds)?;
        let outputs = Outputs::of(&directory, &config)?;
        outputs.check()?;
        make_dir(&directory.state())?;
        let lock = DirectoryLock::acquire(&directory.state())?;
        if has_changes {
            directory.write_config(&config, &texts)?;
        }
        Opened::open(directory, config, seeds, outputs, lock, clock)
    }

    fn open(
        directory: CrawlDirectory,
        config: CrawlConfig,
        seeds: Vec<Seed>,
        outputs: Outputs,
        lock: DirectoryLock,
        clock: Clock,
    ) -> Result<Opened, Error> {
        let ground = Ground::of(&outputs, &directory.state(), &config, &clock)?;
        let Ground {
            log,
            history,
            frontiers,
            checkpoint,
        } = ground;
        let (sinks, repairs) = Sinks::open(log, Arc::new(outputs), &config, &history)?;
        let fingerprinter = history.fingerprinter();
        let rows = RowParts::of(&directory, &config);
        let duplicates = Duplicates::restore(&config, rows, history.rows)?;
        Ok(Opened {
            duplicates: duplicates.map(Arc::new),
            directory,
            config,
            seeds,
            clock,
            frontiers,
            fingerprinter,
            sinks,
            history,
            repairs,
            lock: Arc::new(lock),
            checkpoint,
        })
    }

    /// What makes the checkpoints of its run.
    pub(crate) fn maker(&self, common: &Common, is_beside: bool) -> Maker {
        let (beginning, _) = self.sinks.log_span();
        let (number, since) = self.checkpoint.unwrap_or((0, beginning));
        Maker::new(common.gate.clone(), &self.config, is_beside, number, since)
    }
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

/// Opens the log of a crawl, or begins it where the crawl died before it had one; true where it did.
pub(crate) fn open_log(
    outputs: &Outputs,
    state: &Path,
    clock: &Clock,
) -> Result<(CommitLog, bool), Error> {
    if let Some(log) = existing_log(outputs, state)? {
        return Ok((log, false));
    }
    let mut log = match CommitLog::open(state, &mut |_, _| Ok(())) {
        Ok((log, _)) => log,
        Err(error) if error.kind() == nephila_store::ErrorKind::NotACrawl => {
            CommitLog::create(state)?
        }
        Err(error) => return Err(error.into()),
    };
    let mut payload = Vec::new();
    Entry::Begin {
        key: setup::random_key()?,
        at: clock.now(),
    }
    .encode(&mut payload);
    log.append(&payload)?;
    Ok((log, true))
}

/// The log of a crawl that has committed something; `None` where none has ever been written.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where there are rows, and no log that knows of them: it is made before the
/// first of them, so it was lost.
pub(crate) fn existing_log(outputs: &Outputs, state: &Path) -> Result<Option<CommitLog>, Error> {
    let mut commits = 0;
    let opened = CommitLog::open(state, &mut |_, _| {
        commits += 1;
        Ok(())
    });
    let log = match opened {
        Ok((log, _)) if commits > 0 => return Ok(Some(log)),
        Ok(_) => None,
        Err(error) if error.kind() == nephila_store::ErrorKind::NotACrawl => None,
        Err(error) => return Err(error.into()),
    };
    check_not_lost(outputs, state)?;
    Ok(log)
}

/// Finds out that there are no rows where there is no log.
///
/// # Errors
/// [`ErrorKind::Corrupt`] where there are.
pub(crate) fn check_not_lost(outputs: &Outputs, state: &Path) -> Result<(), Error> {
    let parts = outputs.parts_with_content()?;
    if parts == 0 {
        return Ok(());
    }
    let what = format!(
        "{}: the commit log is missing, and {parts} parts of a crawl are there: nothing was changed; \
         put the log (commit-*.log) back, or begin another crawl elsewhere",
        state.display()
    );
    Err(Error::new(ErrorKind::Corrupt, what))
}
