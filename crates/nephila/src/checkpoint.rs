//! Checkpoints: what the frontiers hold at one moment, and where the commit log was at it.
//!
//! `resume` goes on from the last one and replays only what was committed behind it, however long the
//! crawl has run. One is made whenever the log has grown by `--checkpoint-size`, in four steps:
//!
//! 1. The committer asks for a pause. Each shard goes on fetching but completes no visit and gives out no
//!    lease ([`Gate`]); pages that travel between shards arrive.
//! 2. When every shard pauses and nothing travels, all that was admitted has been handed over. The
//!    committer commits it: from here the log and the frontiers say the same.
//! 3. Each shard saves its frontier: a file of its own, and beside it the files that seen set and queues
//!    have on the disk already. Those are named, not copied, and stay until the next checkpoint. Leased
//!    URLs are saved as queued. Then the shards go on.
//! 4. Beside them everything is synced, and the manifest gets its name. Only then does the checkpoint hold,
//!    and the one before it goes.
//!
//! It is derived data: where it is missing, damaged, or made for another number of shards, the whole log is
//! replayed. `state/checkpoint-000007.dat` is a manifest, `checkpoint-000007-shard-0.dat` a frontier.

mod maker;
mod manifest;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nephila_frontier::{Fingerprinter, Frontier, FrontierConfig, Moment};
use nephila_store::{BlockFile, ChainFile, Error as StoreError, PieceWriter, SeenSet, read_pieces};
use tokio::sync::{Semaphore, watch};

use crate::error::Error;
use crate::opening::DiskFrontier;
use crate::shard::MOST_MESSAGES;
use crate::state::{DiskOverflow, DiskSeen};
pub(crate) use maker::{Duty, Maker};
pub(crate) use manifest::{Manifest, is_of_the_checkpoint, remove_all};

/// What the shards are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To crawl.
    Open,
    /// To complete no visit, and to let travel what travels, for the checkpoint of this number.
    Pause(u32),
    /// To save their frontiers for it.
    Save(u32),
}

/// Where the shards wait while a checkpoint is made.
#[derive(Debug)]
pub(crate) struct Gate {
    stage: watch::Sender<Stage>,
    /// Shards that pause, and have handed on everything.
    paused: AtomicUsize,
    saved: Mutex<Vec<SavedShard>>,
    shards: usize,
    /// Room for messages between shards: all of it is there when nothing travels.
    message_room: Arc<Semaphore>,
    state: PathBuf,
}

/// The frontier of one shard, saved but not yet for good.
#[derive(Debug)]
pub(crate) struct SavedShard {
    writer: PieceWriter,
    /// Files of its seen set and its queues that are new since the last checkpoint.
    files: Vec<PathBuf>,
}

impl Gate {
    pub(crate) fn new(state: PathBuf, shards: usize, message_room: Arc<Semaphore>) -> Gate {
        Gate {
            stage: watch::channel(Stage::Open).0,
            paused: AtomicUsize::new(0),
            saved: Mutex::default(),
            shards,
            message_room,
            state,
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// A shard pauses, and has handed on everything.
    pub(crate) fn note_pause(&self) {
        self.paused.fetch_add(1, Ordering::AcqRel);
    }

    /// Saves a shard's frontier for the checkpoint of this number.
    pub(crate) fn save(
        &self,
        number: u32,
        shard: usize,
        frontier: &mut DiskFrontier,
    ) -> Result<(), Error> {
        let saved = save_frontier(&shard_file(&self.state, number, shard), frontier)?;
        self.lock().push(saved);
        Ok(())
    }

    /// Whether every shard pauses and nothing is on its way between them.
    fn is_quiet(&self) -> bool {
        self.paused.load(Ordering::Acquire) == self.shards
            && self.message_room.available_permits() == MOST_MESSAGES
    }

    /// The frontiers, when all are saved.
    fn take_saved(&self) -> Option<Vec<SavedShard>> {
        let mut saved = self.lock();
        (saved.len() == self.shards).then(|| std::mem::take(&mut *saved))
    }

    fn set(&self, stage: Stage) {
        if matches!(stage, Stage::Pause(_)) {
            self.paused.store(0, Ordering::Release);
        }
        self.stage.send_replace(stage);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SavedShard>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of one shard's frontier.
fn shard_file(state: &Path, number: u32, shard: usize) -> PathBuf {
    state.join(format!("checkpoint-{number:06}-shard-{shard}.dat"))
}

fn save_frontier(path: &Path, frontier: &mut DiskFrontier) -> Result<SavedShard, Error> {
    let mut writer = PieceWriter::create(path)?;
    let mut described = Vec::new();
    let (seen, overflow) = frontier.storage();
    let mut files = seen.0.save(&mut described)?;
    files.extend(overflow.blocks.save(&mut described));
    files.extend(overflow.chains.save(&mut described)?);
    writer.add(&described)?;
    frontier.save(&mut |piece| Ok(writer.add(piece)?))?;
    Ok(SavedShard { writer, files })
}

/// A shard's frontier before anything is in it.
pub(crate) struct EmptyFrontier<'a> {
    pub(crate) config: &'a FrontierConfig,
    pub(crate) fingerprinter: Fingerprinter,
    pub(crate) seen_bytes: usize,
    /// `state/shard-N`.
    pub(crate) dir: PathBuf,
}

impl EmptyFrontier<'_> {
    /// One that begins with nothing.
    pub(crate) fn open(self) -> Result<DiskFrontier, Error> {
        let queues = self.dir.join("queues");
        let seen = SeenSet::new(&self.dir.join("seen"), self.seen_bytes)?;
        let overflow = DiskOverflow {
            blocks: BlockFile::new(&queues)?,
            chains: ChainFile::new(&queues)?,
        };
        Ok(self.over(seen, overflow))
    }

    /// One that `prepare` is called with, and that then gets back what a checkpoint holds of it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Corrupt`] where that is not what was saved.
    pub(crate) fn restore(
        self,
        checkpoint: &Manifest,
        state: &Path,
        shard: usize,
        now: Moment,
        prepare: &(dyn Fn(&mut DiskFrontier) + Sync),
    ) -> Result<DiskFrontier, Error> {
        let path = shard_file(state, checkpoint.number, shard);
        let queues = self.dir.join("queues");
        let mut empty = Some(self);
        let mut frontier = None;
        read_pieces(&path, &mut |piece| {
            if let Some(frontier) = &mut frontier {
                let restored = DiskFrontier::restore(frontier, piece, now);
                return restored.map_err(|error| store_error(&path, error));
            }
            let Some(empty) = empty.take() else {
                return Ok(());
            };
            let mut rest = piece;
            let seen = SeenSet::restore(&empty.dir.join("seen"), empty.seen_bytes, &mut rest)?;
            let overflow = DiskOverflow {
                blocks: BlockFile::restore(&queues, &mut rest)?,
                chains: ChainFile::restore(&queues, &mut rest)?,
            };
            prepare(frontier.insert(empty.over(seen, overflow)));
            Ok(())
        })?;
        let nothing = || StoreError::corrupt(&path, "holds nothing".to_owned());
        Ok(frontier.ok_or_else(nothing)?)
    }

    fn over(self, seen: SeenSet, overflow: DiskOverflow) -> DiskFrontier {
        let config = self.config.clone();
        Frontier::new(config, self.fingerprinter, DiskSeen(seen), overflow)
    }
}

fn store_error(path: &Path, error: nephila_frontier::StorageError) -> StoreError {
    match error.downcast::<StoreError>() {
        Ok(error) => *error,
        Err(error) => StoreError::corrupt(path, error.to_string()),
    }
}
