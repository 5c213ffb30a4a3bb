//! The sink: one thread that makes rows, outcomes and admitted outlinks durable together.
//!
//! Shards hand over entries, encoded already. The committer gathers them for at most
//! `commit_interval` or [`MOST_PAGES`] pages, writes the rows, makes them durable, and then
//! appends one commit to the log that holds the outcomes, the outlinks and the position behind
//! the rows. Only then is a URL done: a crash before it leaves rows behind the last position,
//! which `resume` cuts off.
//!
//! What waits here is bounded: a shard that hands over more than [`MOST_WAITING`] waits, and its
//! slots stay taken, until a commit made room. That is the back-pressure of the disk.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use tokio::sync::Semaphore;

use crate::checkpoint::{Duty, Maker};
use crate::clock::Clock;
use crate::control::Control;
use crate::error::{Error, ErrorKind};
use crate::journal::{DoneEntry, Entry, StopEntry, StopReason};
use crate::ledger::{Ledger, thread_cpu};
use crate::products::Held;
use crate::sinks::{Ended, Sinks};
use crate::visit::Record;

/// Pages in one commit at most.
const MOST_PAGES: u64 = 1_000;

/// Entries that wait for a commit at most, counted in pieces of [`PIECE_BYTES`]: 64 MiB.
const MOST_WAITING: usize = 4 * 1024;

/// Bytes of entries in one commit, beyond which no page is added to others. It is well below what
/// the log takes, and one page's entries are bounded where its links are resolved.
const MOST_PAYLOAD: usize = 16 * 1024 * 1024;

/// What a handover is counted in; a smaller one counts as one piece.
const PIECE_BYTES: usize = 16 * 1024;

/// How long the committer rests between two looks at what was handed over. Waking it for every
/// page would cost the shard a system call a page. The end of a run does wake it.
const REST: Duration = Duration::from_millis(5);

/// How long it waits for the first of what is to be committed before it looks whether somebody wants to see
/// how the crawl stands.
const LOOK: Duration = Duration::from_secs(1);

/// What a shard hands over: all of it becomes durable in one commit, or none.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    /// Encoded [`Entry::Admitted`]s.
    pub(crate) admitted: Vec<u8>,
    /// How many URLs `admitted` holds.
    pub(crate) admitted_count: u64,
    /// The outcome of a URL, its row and its exchange.
    pub(crate) done: Option<Record>,
    /// The room that all of it takes, until the committer has it.
    pub(crate) held: Option<Held>,
}

impl Handover {
    fn pieces(&self) -> u32 {
        let done = self.done.as_ref().map_or(0, Record::bytes);
        let pieces = (self.admitted.len() + done) / PIECE_BYTES + 1;
        pieces.min(MOST_WAITING) as u32
    }
}

pub(crate) enum Message {
    Handover(Handover, u32),
    Stop(StopReason),
}

/// The shards' end of the way to the committer.
#[derive(Clone)]
pub(crate) struct CommitSender {
    messages: Sender<Message>,
    room: Arc<Semaphore>,
}

impl CommitSender {
    /// Hands over; waits while too much waits for a commit.
    pub(crate) async fn send(&self, handover: Handover) -> Result<(), Error> {
        let gone = |_| Error::new(ErrorKind::Io, "the committer has stopped");
        let pieces = handover.pieces();
        self.room
            .acquire_many(pieces)
            .await
            .map_err(|_| gone(()))?
            .forget();
        // There is a place for each piece of room: a message that has its room never waits here.
        self.messages
            .try_send(Message::Handover(handover, pieces))
            .map_err(|_| gone(()))
    }
}

impl CommitSender {
    /// Hands over what stands before the first fetch; blocks while too many wait.
    pub(crate) fn send_first(&self, handover: Handover) -> Result<(), Error> {
        // It takes no room: the seeds are in memory anyway.
        let message = Message::Handover(handover, 0);
        let gone = |_| Error::new(ErrorKind::Io, "the committer has stopped");
        self.messages.send(message).map_err(gone)
    }

    /// Tells the committer why the run ends.
    pub(crate) fn stop(&self, reason: StopReason) {
        // A committer that failed has closed its end; its error is told by its end.
        let _ = self.messages.send(Message::Stop(reason));
    }
}

/// The way to a committer: the shards' end, its own, and the room that it gives back.
pub(crate) fn channel() -> (CommitSender, Receiver<Message>, Arc<Semaphore>) {
    let (messages, receiver) = bounded(MOST_WAITING + 1);
    let room = Arc::new(Semaphore::new(MOST_WAITING));
    let sender = CommitSender {
        messages,
        room: room.clone(),
    };
    (sender, receiver, room)
}

/// The committer's thread.
pub(crate) struct Committer {
    sender: CommitSender,
    thread: JoinHandle<Result<Ended, Error>>,
}

impl Committer {
    /// Starts the thread. When it fails it ends the crawl through `control`.
    pub(crate) fn start(
        mut sinks: Sinks,
        maker: Maker,
        interval: Duration,
        clock: Clock,
        control: Control,
        ledger: Arc<Ledger>,
    ) -> Result<Committer, Error> {
        let (sender, receiver, room) = channel();
        sinks.begin_run(true, clock.now())?;
        let work = move || {
            let mut desk = Desk::new(sinks, maker, clock, room.clone(), ledger);
            let ran = desk.run(&receiver, interval);
            // However it ended, nothing writes to the crawl directory when this thread is joined.
            let made = desk.maker.finish();
            let ended = match ran.and(made) {
                Ok(()) => desk.end(),
                // What the publisher has failed of is the cause of what was seen here.
                Err(error) => Err(desk.sinks.abandon().unwrap_or(error)),
            };
            if ended.is_err() {
                room.close();
                control.end();
            }
            ended
        };
        let thread = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(work)
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))
            })?;
        Ok(Committer { sender, thread })
    }

    /// Hands over what stands before the first fetch, from a thread that may block.
    pub(crate) fn send_first(
        &self,
        handovers: impl IntoIterator<Item = Handover>,
    ) -> Result<(), Error> {
        let mut handovers = handovers.into_iter();
        handovers.try_for_each(|handover| self.sender.send_first(handover))
    }

    pub(crate) fn sender(&self) -> CommitSender {
        self.sender.clone()
    }

    /// Commits what was handed over, notes why the run ended, and joins the thread.
    pub(crate) fn finish(self, reason: StopReason) -> Result<Ended, Error> {
        self.sender.stop(reason);
        drop(self.sender);
        self.thread.thread().unpark();
        self.thread
            .join()
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Bug, "the committer panicked")))
    }
}

/// The committer at work.
pub(crate) struct Desk {
    sinks: Sinks,
    maker: Maker,
    clock: Clock,
    room: Arc<Semaphore>,
    ledger: Arc<Ledger>,
    payload: Vec<u8>,
    pages: u64,
    /// URLs in `payload` that were admitted.
    admitted: u64,
    /// Pieces of room to give back after the commit.
    pieces: usize,
    waiting_tally: Vec<DoneEntry>,
}

impl Desk {
    pub(crate) fn new(
        sinks: Sinks,
        maker: Maker,
        clock: Clock,
        room: Arc<Semaphore>,
        ledger: Arc<Ledger>,
    ) -> Desk {
        Desk {
            ledger,
            sinks,
            maker,
            clock,
            room,
            payload: Vec::new(),
            pages: 0,
            admitted: 0,
            pieces: 0,
            waiting_tally: Vec::new(),
        }
    }

    fn run(&mut self, messages: &Receiver<Message>, interval: Duration) -> Result<(), Error> {
        self.ledger.board.show_tally(&self.sinks.history.tally);
        loop {
            // Nothing waits for a commit here, so the first message may take its time.
            let is_busy = self.maker.is_busy();
            let first = self.rest(|| messages.recv_timeout(if is_busy { REST } else { LOOK }));
            let first = match first {
                Ok(first) => first,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.ledger.board.show_hosts(&self.sinks.history.tally);
                    if let Some(reason) = self.advance_checkpoint(messages)? {
                        return self.stop(reason);
                    }
                    continue;
                }
            };
            if let Some(reason) = self.take(first)? {
                return self.stop(reason);
            }
            let due = self.clock.elapsed() + interval;
            while self.pages < MOST_PAGES
                && self.pieces < MOST_WAITING / 2
                && self.payload.len() < MOST_PAYLOAD
            {
                match messages.try_recv() {
                    Ok(message) => {
                        if let Some(reason) = self.take(message)? {
                            return self.stop(reason);
                        }
                    }
                    Err(TryRecvError::Disconnected) => break,
                    Err(TryRecvError::Empty) if self.clock.elapsed() >= due => break,
                    Err(TryRecvError::Empty) => self.rest(|| std::thread::park_timeout(REST)),
                }
            }
            self.commit()?;
            if let Some(reason) = self.advance_checkpoint(messages)? {
                return self.stop(reason);
            }
        }
    }

    /// Waits, which is no work of the committer's.
    fn rest<T>(&self, wait: impl FnOnce() -> T) -> T {
        let thread = &self.ledger.sink.thread;
        thread.wait(self.clock.elapsed());
        let waited = wait();
        thread.wake(self.clock.elapsed());
        waited
    }

    /// Goes on with a checkpoint as far as can be done at once. A reason to stop may be among what is
    /// committed for it.
    pub(crate) fn advance_checkpoint(
        &mut self,
        messages: &Receiver<Message>,
    ) -> Result<Option<StopReason>, Error> {
        let sinks = &self.sinks;
        if self.maker.step(|from| sinks.log_bytes_since(from))? == Duty::Nothing {
            return Ok(None);
        }
        while let Ok(message) = messages.try_recv() {
            if let Some(reason) = self.take(message)? {
                return Ok(Some(reason));
            }
        }
        self.commit()?;
        let (_, position) = self.sinks.log_span();
        self.maker.save(position, self.sinks.history.clone());
        Ok(None)
    }

    pub(crate) fn take(&mut self, message: Message) -> Result<Option<StopReason>, Error> {
        let (handover, pieces) = match message {
            Message::Stop(reason) => return Ok(Some(reason)),
            Message::Handover(handover, pieces) => (handover, pieces),
        };
        if self.payload.len() + handover.admitted.len() > MOST_PAYLOAD {
            self.commit()?;
        }
        self.pieces += pieces as usize;
        self.payload.extend_from_slice(&handover.admitted);
        self.admitted += handover.admitted_count;
        if let Some(mut record) = handover.done {
            self.ledger.board.note(&record);
            self.sinks.take(&mut record, self.clock.now())?;
            let entry = Entry::Done(Box::new(record.done));
            entry.encode(&mut self.payload);
            if let Entry::Done(done) = entry {
                self.waiting_tally.push(*done);
            }
            self.pages += 1;
        }
        // It waits for its commit in the room that `pieces` stands for.
        drop(handover.held);
        Ok(None)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        if self.payload.is_empty() {
            return Ok(());
        }
        let began = (self.clock.elapsed(), thread_cpu());
        self.sinks.commit(&mut self.payload)?;
        let took = self.clock.elapsed().saturating_sub(began.0);
        let synced = took.saturating_sub(thread_cpu().saturating_sub(began.1));
        let now = self.clock.now();
        let waits = self
            .waiting_tally
            .iter()
            .map(|done| now.since(done.finished_at));
        self.ledger.sink.note_commit(waits, synced);
        let history = &mut self.sinks.history;
        history.admitted += std::mem::take(&mut self.admitted);
        for done in self.waiting_tally.drain(..) {
            history.last_at = history.last_at.max(done.finished_at);
            history.tally.add(&done);
        }
        self.ledger.board.show_tally(&history.tally);
        self.payload.clear();
        self.pages = 0;
        self.room.add_permits(std::mem::take(&mut self.pieces));
        Ok(())
    }

    pub(crate) fn stop(&mut self, reason: StopReason) -> Result<(), Error> {
        self.maker.finish()?;
        let ran_millis = self.clock.elapsed().as_millis() as u64;
        let stop = StopEntry {
            reason,
            at: self.clock.now(),
            ran_millis,
        };
        Entry::Stop(stop).encode(&mut self.payload);
        self.commit()?;
        self.ledger.board.show_last(&self.sinks.history.tally);
        Ok(())
    }

    /// Pages that commits have counted.
    #[cfg(test)]
    pub(crate) fn pages_counted(&self) -> u64 {
        self.sinks.history.tally.pages()
    }

    pub(crate) fn end(self) -> Result<Ended, Error> {
        self.sinks.end()
    }
}

#[cfg(test)]
mod tests {
    use nephila_frontier::{CanonicalUrl, Moment, QueuedUrl};

    use super::*;
    use crate::directory::CrawlDirectory;
    use crate::journal::encode_admitted;
    use crate::opening::Opened;
    use crate::options::Settings;
    use crate::state::History;

    /// The log takes 64 MiB at once, and seeds come faster than they are committed.
    #[test]
    fn what_is_too_much_for_one_commit_becomes_several() {
        const HANDOVERS: u64 = 100;
        let folder = tempfile::tempdir().unwrap();
        let directory = CrawlDirectory::at(folder.path().join("crawl"));
        let (clock, control) = (Clock::start(), Control::new(1, 1));
        let seeds = ["http://a.test/".to_owned()];
        let opened = Opened::create(directory.clone(), &seeds, &Settings::new(), clock).unwrap();
        let url = format!("http://a.test/{}", "x".repeat(1_000));
        let url = CanonicalUrl::from_serialized(&url).unwrap();
        let queued = QueuedUrl::page(url, 0, None, Moment::from_micros(1));
        let mut admitted = Vec::new();
        (0..1_000).for_each(|_| encode_admitted(&queued, &mut admitted));
        assert!(HANDOVERS as usize * admitted.len() > 96 << 20);
        let hour = Duration::from_secs(3_600);
        let (common, _) = opened.common(&control, &Arc::default());
        let maker = opened.maker(&common, true);
        let ledger = Arc::new(Ledger::new(1));
        let committer =
            Committer::start(opened.sinks, maker, hour, clock, control, ledger).unwrap();
        for _ in 0..HANDOVERS {
            let handover = Handover {
                admitted: admitted.clone(),
                admitted_count: 1_000,
                ..Handover::default()
            };
            committer.send_first([handover]).unwrap();
        }
        committer.finish(StopReason::Interrupted).unwrap();
        let history = History::read(&directory.state()).unwrap();
        assert_eq!(history.admitted, HANDOVERS * 1_000);
        let least = HANDOVERS as usize * admitted.len() / MOST_PAYLOAD;
        assert!(history.commits as usize >= least, "{}", history.commits);
    }
}
