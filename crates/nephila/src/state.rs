//! The glue between the frontier's traits and the store, and the replay of a commit log.

use std::collections::HashSet;
use std::path::Path;

use nephila_frontier::{Fingerprinter, Moment, Overflow, QueuedUrl, Seen, StorageError, UrlKind};
use nephila_store::{
    BlockFile, BlockId, ChainFile, LogPosition, PartPosition, SeenSet, replay, replay_at,
};

use crate::error::{Error, ErrorKind};
use crate::journal::{
    DoneEntry, Entry, PartCounts, StopEntry, decode_position, encode_position, take, take_u64,
};
use crate::tally::Tally;

/// The seen set of a shard, on disk beyond its memory.
#[derive(Debug)]
pub(crate) struct DiskSeen(pub(crate) SeenSet);

impl Seen for DiskSeen {
    fn insert(&mut self, fingerprint: u64) -> Result<bool, StorageError> {
        Ok(self.0.insert(fingerprint)?)
    }
}

/// The queues of a shard beyond memory.
#[derive(Debug)]
pub(crate) struct DiskOverflow {
    /// The middle of long queues.
    pub(crate) blocks: BlockFile,
    /// The URLs of hosts that sleep.
    pub(crate) chains: ChainFile,
}

impl Overflow for DiskOverflow {
    fn write(&mut self, block: &[u8]) -> Result<u64, StorageError> {
        Ok(self.blocks.write(block)?.code())
    }

    fn take(&mut self, block: u64) -> Result<Vec<u8>, StorageError> {
        Ok(self.blocks.take(BlockId::from_code(block))?)
    }

    fn append(&mut self, before: Option<u64>, record: &[u8]) -> Result<u64, StorageError> {
        Ok(self.chains.append(before, record)?)
    }

    fn take_chain(&mut self, last: u64) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(self.chains.take(last)?)
    }
}

/// What a commit log tells before its queues are rebuilt.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) key: Option<[u64; 2]>,
    pub(crate) created_at: Moment,
    pub(crate) tally: Tally,
    /// URLs admitted, repetitions apart.
    pub(crate) admitted: u64,
    /// Done URLs, as fingerprints; of a history that goes on from a checkpoint those behind it.
    pub(crate) done: HashSet<u64>,
    pub(crate) rows: PartPosition,
    /// Where the archive is, if one is written.
    pub(crate) archive: PartPosition,
    /// Parts that are published in every form.
    pub(crate) published: PartCounts,
    /// The last stop, if nothing was committed after it.
    pub(crate) stopped: Option<StopEntry>,
    /// Time of all runs that ended in good order, in milliseconds.
    pub(crate) ran_millis: u64,
    /// When the last outcome was committed.
    pub(crate) last_at: Moment,
    pub(crate) commits: u64,
}

impl History {
    /// Reads the whole log once, without changing anything.
    pub(crate) fn read(state: &Path) -> Result<History, Error> {
        let mut history = History::default();
        let read = for_each_entry(state, None, |entry| history.note(entry));
        let is_there = match read {
            Err(error) if error.kind() == ErrorKind::NotACrawl => false,
            read => {
                read?;
                history.key.is_some()
            }
        };
        if is_there {
            return Ok(history);
        }
        let root = state.parent().unwrap_or(state).display();
        let what = format!(
            "{root} holds no log yet: the crawl died before its first fetch; begin it with \
             `nephila resume {root}`"
        );
        Err(Error::new(ErrorKind::NotACrawl, what))
    }

    /// Goes on from what a checkpoint tells, with what was committed behind it.
    pub(crate) fn read_on(mut self, state: &Path, from: LogPosition) -> Result<History, Error> {
        for_each_entry(state, Some(from), |entry| self.note(entry))?;
        Ok(self)
    }

    /// The same without the URLs that are done, of which there may be many.
    pub(crate) fn without_done(&self) -> History {
        History {
            done: HashSet::new(),
            tally: self.tally.clone(),
            ..*self
        }
    }

    /// Appends the stored form, without the URLs that are done, and of a crawl that goes on.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let key = self.key.unwrap_or_default();
        for part in [
            key[0],
            key[1],
            self.created_at.as_micros(),
            self.admitted,
            self.ran_millis,
            self.last_at.as_micros(),
            self.commits,
        ] {
            out.extend_from_slice(&part.to_le_bytes());
        }
        encode_position(&self.rows, out);
        encode_position(&self.archive, out);
        out.extend_from_slice(&self.published.rows.to_le_bytes());
        out.extend_from_slice(&self.published.archive.to_le_bytes());
        self.tally.encode(out);
    }

    /// Reads what [`History::encode`] appended; `None` when it is damaged.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<History> {
        Some(History {
            key: Some([take_u64(bytes)?, take_u64(bytes)?]),
            created_at: Moment::from_micros(take_u64(bytes)?),
            admitted: take_u64(bytes)?,
            ran_millis: take_u64(bytes)?,
            last_at: Moment::from_micros(take_u64(bytes)?),
            commits: take_u64(bytes)?,
            rows: decode_position(bytes)?,
            archive: decode_position(bytes)?,
            published: PartCounts {
                rows: u32::from_le_bytes(take(bytes)?),
                archive: u32::from_le_bytes(take(bytes)?),
            },
            tally: Tally::decode(bytes)?,
            done: HashSet::new(),
            stopped: None,
        })
    }

    pub(crate) fn fingerprinter(&self) -> Fingerprinter {
        Fingerprinter::new(self.key.unwrap_or_default())
    }

    /// Whether the URL has its outcome.
    pub(crate) fn is_done(&self, kind: UrlKind, url: &str) -> bool {
        self.done
            .contains(&self.fingerprinter().fingerprint(kind, url))
    }

    fn note(&mut self, entry: Entry) {
        match entry {
            Entry::Begin { key, at } => {
                self.key = Some(key);
                self.created_at = at;
            }
            Entry::Admitted(_) => self.admitted += 1,
            Entry::Done(done) => self.note_done(&done),
            Entry::Archive(position) => self.archive = position,
            Entry::Published(parts) => self.published = parts,
            Entry::Rows(position) => {
                self.rows = position;
                self.commits += 1;
            }
            Entry::Stop(stop) => {
                self.ran_millis = self.ran_millis.saturating_add(stop.ran_millis);
                self.stopped = Some(stop);
            }
            Entry::Run(_) => self.stopped = None,
        }
    }

    fn note_done(&mut self, done: &DoneEntry) {
        self.tally.add(done);
        self.done
            .insert(self.fingerprinter().fingerprint(done.kind, &done.url));
        self.last_at = self.last_at.max(done.finished_at);
        self.stopped = None;
    }
}

/// Calls `visit` with every URL that was admitted and is not done, in the order of admission.
pub(crate) fn for_each_queued(
    state: &Path,
    history: &History,
    mut visit: impl FnMut(QueuedUrl),
) -> Result<(), Error> {
    for_each_entry(state, None, |entry| {
        if let Entry::Admitted(queued) = entry
            && !history.is_done(queued.kind, queued.url.as_str())
        {
            visit(*queued);
        }
    })
}

/// Calls `visit` with every entry of the log, or of what is behind a position, in order.
pub(crate) fn for_each_entry(
    state: &Path,
    from: Option<LogPosition>,
    mut visit: impl FnMut(Entry),
) -> Result<(), Error> {
    let mut visit = |commit: u64, payload: &[u8]| visit_entries(state, commit, payload, &mut visit);
    match from {
        Some(from) => replay_at(state, from, &mut visit)?,
        None => replay(state, &mut visit)?,
    };
    Ok(())
}

/// Calls `visit` with every entry of one commit.
pub(crate) fn visit_entries(
    state: &Path,
    commit: u64,
    payload: &[u8],
    visit: &mut impl FnMut(Entry),
) -> Result<(), nephila_store::Error> {
    let mut rest = payload;
    while !rest.is_empty() {
        let damaged = || {
            let what = format!("commit {commit} holds an entry that cannot be read");
            nephila_store::Error::corrupt(state, what)
        };
        visit(Entry::decode(&mut rest).ok_or_else(damaged)?);
    }
    Ok(())
}
