//! The committer's part in making checkpoints.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use nephila_store::{LogPosition, sync_files};

use super::manifest::{Manifest, remove_others};
use super::{Gate, SavedShard, Stage};
use crate::error::{Error, ErrorKind};
use crate::options::CrawlConfig;
use crate::state::History;

/// A log may grow by as much as the last checkpoint has bytes before the next is made, and by so many times
/// `--checkpoint-size` at most: what is written for checkpoints is bounded by what is written to the log.
const MOST_SIZES: u64 = 4;

/// Makes checkpoints when the log has grown. [`Maker::step`] does what can be done without waiting.
#[derive(Debug)]
pub(crate) struct Maker {
    gate: Arc<Gate>,
    config: CrawlConfig,
    state: PathBuf,
    /// Whether to sync on a thread, beside the commits.
    is_beside: bool,
    number: u32,
    /// Where the log was at the last checkpoint, or at the beginning of this run.
    since: LogPosition,
    /// How much it may grow from there.
    size: u64,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// None is being made.
    Idle,
    /// The shards come to a pause.
    Pausing,
    /// The shards save their frontiers; the log stood here, and had told this.
    Saving(LogPosition, Box<History>),
    /// All is being made durable.
    Publishing(JoinHandle<Result<u64, Error>>, LogPosition),
}

/// What the committer has to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Nothing.
    Nothing,
    /// To take everything that was handed over, to commit it, and to call [`Maker::save`].
    CommitAll,
}

impl Maker {
    /// One for a run that goes on from `since`, after the checkpoint of this number, if there was one.
    pub(crate) fn new(
        gate: Arc<Gate>,
        config: &CrawlConfig,
        is_beside: bool,
        number: u32,
        since: LogPosition,
    ) -> Maker {
        Maker {
            state: gate.state.clone(),
            gate,
            config: config.clone(),
            is_beside,
            number,
            since,
            size: config.checkpoint_size.0,
            step: Step::Idle,
        }
    }

    /// Whether one is being made, so that [`Maker::step`] has to be called from time to time.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    /// After a commit, or some time: goes on as far as it can. `grown` is what the log has grown by since
    /// a position.
    ///
    /// # Errors
    /// As the file system has it.
    pub(crate) fn step(&mut self, grown: impl Fn(LogPosition) -> u64) -> Result<Duty, Error> {
        match &self.step {
            Step::Idle if self.size > 0 && grown(self.since) >= self.size => {
                self.gate.set(Stage::Pause(self.number + 1));
                self.step = Step::Pausing;
            }
            Step::Pausing if self.gate.is_quiet() => return Ok(Duty::CommitAll),
            Step::Saving(..) => {
                if let Some(saved) = self.gate.take_saved() {
                    self.publish(saved)?;
                }
            }
            Step::Publishing(thread, _) if thread.is_finished() => self.finish()?,
            _ => {}
        }
        Ok(Duty::Nothing)
    }

    /// All is committed that was admitted: the shards save their frontiers.
    pub(crate) fn save(&mut self, position: LogPosition, history: History) {
        self.number += 1;
        self.step = Step::Saving(position, Box::new(history));
        self.gate.set(Stage::Save(self.number));
    }

    /// Waits for what is being made durable, and gives up what is not that far.
    ///
    /// # Errors
    /// As the file system has it.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        let step = std::mem::replace(&mut self.step, Step::Idle);
        if let Step::Publishing(thread, position) = step {
            let panicked = |_| Err(Error::new(ErrorKind::Bug, "making a checkpoint panicked"));
            let bytes = thread.join().unwrap_or_else(panicked)?;
            self.note(bytes, position);
        }
        Ok(())
    }

    fn note(&mut self, bytes: u64, position: LogPosition) {
        let size = self.config.checkpoint_size.0;
        self.size = bytes.clamp(size, size.saturating_mul(MOST_SIZES));
        self.since = position;
    }

    fn publish(&mut self, saved: Vec<SavedShard>) -> Result<(), Error> {
        let step = std::mem::replace(&mut self.step, Step::Idle);
        let Step::Saving(position, history) = step else {
            return Ok(());
        };
        // What the shards do from here on is in the log behind that position.
        self.gate.set(Stage::Open);
        let (state, number, config) = (self.state.clone(), self.number, self.config.clone());
        let work = move || -> Result<u64, Error> {
            let mut bytes = 0;
            for shard in saved {
                sync_files(&shard.files)?;
                bytes += shard.writer.bytes();
                shard.writer.publish()?;
            }
            Manifest::write(&state, number, &config, position, &history)?.publish()?;
            remove_others(&state, Some(number))?;
            Ok(bytes)
        };
        if !self.is_beside {
            let bytes = work()?;
            self.note(bytes, position);
            return Ok(());
        }
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(work)
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))
            })?;
        self.step = Step::Publishing(thread, position);
        Ok(())
    }
}
