//! The report on a crawl: what limited it, where its time went, what it found, and what is wrong with the
//! site. As data here, as one HTML page by [`Report::to_html`].
//!
//! It has three sources, each bounded in memory. The counts are kept while the crawl goes on, and made
//! again by replaying the commit log. The ledger is that of the last run. What is told page by page (broken
//! links, redirects, duplicates, the slowest and the largest) is read from the rows: all of them where
//! somebody asks for it, as many as take a second or two where a run ends. The page says which.

mod duplicate_groups;
pub mod figures;
mod findings;
mod page;
mod ranking;
mod sections;
#[cfg(test)]
mod tests;

use nephila_frontier::Moment;
use nephila_store::{PartPosition, write_whole};

use crate::clock::rfc3339;
use crate::counts::{Counts, HostRankings};
use crate::directory::CrawlDirectory;
use crate::error::Error;
use crate::journal::{Entry, StopReason};
use crate::ledger::{Explanation, LedgerFile, RunLedger};
use crate::options::{CrawlConfig, Settings};
use crate::row_parts::RowParts;
use crate::state::for_each_entry;
use crate::tally::Tally;

pub(crate) use findings::is_broken;
pub use findings::{BrokenPage, DuplicateGroup, Findings};

/// Rows that are read where a run ends, and their bytes: a second or two of reading.
const AT_THE_END: RowBound = RowBound {
    rows: 100_000,
    bytes: 128 << 20,
};

/// How many rows are read at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowBound {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl RowBound {
    pub(crate) const NONE: RowBound = RowBound {
        rows: u64::MAX,
        bytes: u64::MAX,
    };
}

/// What a crawl did and found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seeds, as given.
    pub seeds: Vec<String>,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// Why the last run stopped: `done`, `max_pages`, `max_duration`, `interrupted`; `None` where it runs,
    /// or was broken off.
    pub stopped: Option<&'static str>,
    /// The counts of all runs.
    pub counts: Counts,
    /// The hosts that stand out.
    pub hosts: HostRankings,
    /// The last run's ledger and what it means; `None` where no run has kept one.
    pub run: Option<(RunLedger, Explanation)>,
    /// What stands in the rows.
    pub findings: Findings,
}

/// What a run leaves to its report.
pub(crate) struct EndedRun<'a> {
    pub(crate) directory: &'a CrawlDirectory,
    pub(crate) config: &'a CrawlConfig,
    pub(crate) tally: &'a Tally,
    /// The position behind the last row.
    pub(crate) rows: PartPosition,
    pub(crate) reason: StopReason,
    pub(crate) ledger: &'a RunLedger,
    pub(crate) now: Moment,
}

impl Report {
    /// Reads the report of a crawl, also while the crawl runs: all of its log, and all of its rows, twice.
    /// `now` is the time.
    ///
    /// Memory: the lists, the counts of 200,000 hosts, and a URL for each of 200,000 bodies.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`](crate::ErrorKind::NotACrawl),
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), and whatever the file system has against it.
    pub fn read(directory: &CrawlDirectory, now: Moment) -> Result<Report, Error> {
        let (seeds, settings) = directory.read_config()?;
        let config = settings.check()?;
        let mut tally = Tally::default();
        let (mut rows, mut stopped) = (PartPosition::default(), None);
        for_each_entry(&directory.state(), None, |entry| match entry {
            Entry::Done(done) => {
                tally.add(&done);
                stopped = None;
            }
            Entry::Rows(position) => rows = position,
            Entry::Stop(stop) => stopped = Some(stop.reason.as_str()),
            Entry::Run(_) => stopped = None,
            Entry::Begin { .. } | Entry::Admitted(_) | Entry::Archive(_) | Entry::Published(_) => {}
        })?;
        // A crawl of before there were ledgers has none, and the rest of the report holds without it.
        let ledger = LedgerFile::read(directory).ok();
        let run = ledger.and_then(|mut ledger| ledger.runs.pop());
        let parts = RowParts::of(directory, &config);
        Ok(Report {
            seeds,
            made_at: rfc3339(now),
            stopped,
            counts: Counts::of(&tally),
            hosts: HostRankings::of(&tally),
            run: run.map(|run| explained(run, &config)),
            findings: Findings::read(&parts, rows, RowBound::NONE)?,
        })
    }

    /// The report of a run that has just ended: of the first 100,000 rows, 128 MiB of them at most.
    fn of_ended(of: &EndedRun<'_>) -> Result<Report, Error> {
        let (seeds, _): (Vec<String>, Settings) = of.directory.read_config()?;
        let parts = RowParts::of(of.directory, of.config);
        Ok(Report {
            seeds,
            made_at: rfc3339(of.now),
            stopped: Some(of.reason.as_str()),
            counts: Counts::of(of.tally),
            hosts: HostRankings::of(of.tally),
            run: Some(explained(of.ledger.clone(), of.config)),
            findings: Findings::read(&parts, of.rows, AT_THE_END)?,
        })
    }
}

fn explained(run: RunLedger, config: &CrawlConfig) -> (RunLedger, Explanation) {
    let explanation = Explanation::of(&run, config);
    (run, explanation)
}

/// Writes `report.html` where a run has ended.
///
/// # Errors
/// When the rows cannot be read, or the file cannot be written.
pub(crate) fn write_report(of: &EndedRun<'_>) -> Result<(), Error> {
    let page = Report::of_ended(of)?.to_html();
    Ok(write_whole(
        &of.directory.report_file(),
        page.as_bytes(),
        false,
    )?)
}
