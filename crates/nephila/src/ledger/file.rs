//! `ledger.json`: the ledger of each run of a crawl.

use std::path::Path;

use nephila_ledger::{Decision, Series, State};
use nephila_store::write_whole;
use serde::{Deserialize, Serialize};

use super::visits::{Quantiles, VisitExample};
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};

/// The version of `ledger.json`.
const LEDGER_VERSION: u32 = 1;
/// Runs that it keeps: the first goes when there are more.
const MOST_RUNS: usize = 8;

/// The ledger of a crawl, as `ledger.json` has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LedgerFile {
    /// 1.
    pub version: u32,
    /// Of each run, the last eight, the oldest first.
    pub runs: Vec<RunLedger>,
    /// Whether the last one is of the run that goes on.
    #[serde(skip)]
    has_own: bool,
}

/// The ledger of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunLedger {
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// The run over time.
    pub series: Series,
    /// How long visits were in each state.
    pub quantiles: Vec<StateQuantiles>,
    /// A visit that took about as long as half of them.
    pub typical: Option<VisitExample>,
    /// The slowest visits, the slowest first.
    pub slowest: Vec<VisitExample>,
    /// What `--concurrency auto` decided, in their order; of many the first and the last. Empty without it.
    pub decisions: Vec<Decision>,
}

/// How long visits were in a state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateQuantiles {
    /// The state.
    pub state: State,
    /// In seconds, of the visits that were in it at all.
    #[serde(flatten)]
    pub quantiles: Quantiles,
}

impl From<(State, Quantiles)> for StateQuantiles {
    fn from((state, quantiles): (State, Quantiles)) -> StateQuantiles {
        StateQuantiles { state, quantiles }
    }
}

impl LedgerFile {
    /// Reads the ledger of a crawl, also of one that runs: its last seconds are then not in it yet.
    ///
    /// # Errors
    /// [`ErrorKind::NotACrawl`] where there is none, [`ErrorKind::Version`], [`ErrorKind::Corrupt`], and what
    /// the file system has against it.
    pub fn read(directory: &CrawlDirectory) -> Result<LedgerFile, Error> {
        let path = directory.ledger_file();
        let shown = path.display();
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let message =
                    format!("{shown} is not there: no run of this crawl has kept a ledger yet");
                Error::new(ErrorKind::NotACrawl, message)
            }
            _ => Error::io(&path, "read", error),
        })?;
        let file: LedgerFile = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("{shown} cannot be read: {error}; the next run writes it anew");
            Error::new(ErrorKind::Corrupt, message)
        })?;
        if file.version != LEDGER_VERSION {
            let message = format!(
                "{shown} has version {}, this program {LEDGER_VERSION}",
                file.version
            );
            return Err(Error::new(ErrorKind::Version, message));
        }
        Ok(file)
    }

    /// What is there, for a run that adds to it; one that cannot be read is begun anew.
    pub(crate) fn read_or_new(path: &Path) -> LedgerFile {
        let bytes = std::fs::read(path).unwrap_or_default();
        let read: Option<LedgerFile> = serde_json::from_slice(&bytes).ok();
        read.filter(|file| file.version == LEDGER_VERSION)
            .unwrap_or(LedgerFile {
                version: LEDGER_VERSION,
                runs: Vec::new(),
                has_own: false,
            })
    }

    /// Sets the ledger of the run that goes on.
    pub(crate) fn set_last(&mut self, run: RunLedger) {
        if std::mem::replace(&mut self.has_own, true) {
            self.runs.pop();
        }
        self.runs.push(run);
        if self.runs.len() > MOST_RUNS {
            self.runs.remove(0);
        }
    }

    /// Writes it in one step; not synced, because it is of use only as long as the machine runs.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let json = serde_json::to_vec(self);
        let json = json.map_err(|error| Error::new(ErrorKind::Bug, error.to_string()))?;
        Ok(write_whole(path, &json, false)?)
    }
}
