//! The loop of one shard: hosts that belong together, on one thread.
//!
//! A shard owns the frontier of its hosts and fetches for them on a current-thread runtime. What a
//! page of its hosts leads to on other shards' hosts is handed over in one message that goes from
//! shard to shard, each admitting what is its own, and ends at the committer: so that a page's
//! outcome and all its outlinks are one commit. Nothing is locked.
//!
//! How it ends: all shards share one count of live URLs (to be given out, or out now) and of
//! messages under way. The shard that brings it to zero ends the crawl for all.

mod hold;
mod outlinks;
mod visits;

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use nephila_fetch::Fetch;
use nephila_frontier::{
    Contact, Fingerprinter, Finish, Frontier, Lease, Moment, Next, Outcome, QueuedUrl, Refusal,
    Refused, Then, UrlKind,
};
use nephila_ledger::Spent;
use tokio::sync::mpsc;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::checkpoint::{Gate, Stage};
use crate::clock::Clock;
use crate::committer::{CommitSender, Handover};
use crate::control::{Control, Phase};
use crate::error::Error;
use crate::journal::{DoneEntry, StopReason};
use crate::ledger::VisitEnd;
use crate::progress::Progress;
use crate::state::{DiskOverflow, DiskSeen};
use crate::visit::{Record, VisitContext, Visited, visit};
use crate::visit_row::write_refused_row;
use visits::Visits;

/// Messages between shards under way at once, over all shards.
pub(crate) const MOST_MESSAGES: usize = 1_024;

/// What all shards of a crawl share.
pub(crate) struct Common {
    pub(crate) control: Control,
    /// Where the shards wait for a checkpoint.
    pub(crate) gate: Arc<Gate>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) fingerprinter: Fingerprinter,
    /// Live URLs and messages under way, over all shards.
    pub(crate) live: AtomicI64,
    /// Pages given out, against `--max-pages`.
    pub(crate) pages_started: AtomicU64,
    /// Of these, pages that have their outcome.
    pub(crate) pages_ended: AtomicU64,
    pub(crate) max_pages: u64,
    /// Room for messages between shards: never more are under way than an inbox has places.
    pub(crate) message_room: Arc<Semaphore>,
    /// Shards whose last visit has ended.
    pub(crate) drained: AtomicUsize,
    /// Tells those that wait for the others when one more is drained.
    pub(crate) one_drained: Notify,
    pub(crate) inboxes: Vec<mpsc::Sender<Message>>,
}

/// URLs, by the shard that owns them.
pub(crate) type ForShards = Vec<(usize, Vec<QueuedUrl>)>;

/// A page's outlinks on their way to the shards that own them.
pub(crate) struct Message {
    /// What becomes durable when every shard has admitted its own.
    handover: Handover,
    /// The URLs for each shard that is still to be visited.
    rest: ForShards,
    _room: OwnedSemaphorePermit,
}

/// One shard.
pub(crate) struct Shard<F> {
    pub(crate) number: usize,
    pub(crate) common: Arc<Common>,
    pub(crate) frontier: Frontier<DiskSeen, DiskOverflow>,
    pub(crate) context: Rc<VisitContext<F>>,
    pub(crate) inbox: mpsc::Receiver<Message>,
    pub(crate) committer: CommitSender,
    pub(crate) clock: Clock,
    /// Pages with foreign outlinks that wait for room for a message.
    pub(crate) outgoing: VecDeque<(Handover, ForShards)>,
    pub(crate) published: Levels,
    /// Turns that could be taken, and when they were counted.
    pub(crate) ready: (u64, Option<Duration>),
}

/// What this shard last added to the common counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Levels {
    live: i64,
    in_flight: i64,
    queued: i64,
    hosts: i64,
}

impl Default for Levels {
    /// A shard counts as one live URL until it has published its own, so that the crawl does not
    /// end before every shard has looked at what it has: [`Common::live`] starts at their number.
    fn default() -> Levels {
        Levels {
            live: 1,
            in_flight: 0,
            queued: 0,
            hosts: 0,
        }
    }
}

/// Why the loop woke up.
enum Wake {
    Visited(Box<Result<Visited, Error>>),
    Message(Message),
    Other,
}

impl<F: Fetch + 'static> Shard<F> {
    /// Runs until the crawl ends. To be called inside a `LocalSet`.
    ///
    /// # Errors
    /// When the crawl cannot go on; the other shards are told to end.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let ended = self.crawl().await;
        if ended.is_err() {
            self.common.control.end();
        }
        ended
    }

    async fn crawl(&mut self) -> Result<(), Error> {
        let mut visits = Visits::default();
        let mut phase = self.common.control.subscribe();
        let mut stage = self.common.gate.subscribe();
        let mut deadline: Option<Duration> = None;
        self.publish();
        loop {
            if *stage.borrow_and_update() != Stage::Open {
                self.hold(&mut visits, &mut stage, &mut phase).await?;
            }
            let now = *phase.borrow_and_update();
            match now {
                Phase::Ended => return Ok(()),
                Phase::Draining(_) => {
                    let until = self.clock.elapsed() + Control::GRACE;
                    let until = *deadline.get_or_insert(until);
                    let is_late = self.clock.elapsed() >= until;
                    if is_late || (visits.is_empty() && self.outgoing.is_empty()) {
                        visits.abort_all();
                        self.publish();
                        return self.drain_inbox(&mut visits, &mut phase).await;
                    }
                }
                Phase::Running | Phase::Paused => {}
            }
            let wait_until = match now {
                Phase::Running => self.start_visits(&mut visits).await?,
                Phase::Paused => None,
                _ => deadline.map(|at| self.clock.started_at().after(at)),
            };
            // Before what has ended here, of which there may always be something: others wait for these.
            while let Ok(message) = self.inbox.try_recv() {
                self.receive(message, &mut visits).await?;
            }
            self.send_outgoing();
            self.publish();
            self.context
                .account
                .set_reason(self.reason_to_wait(now, &visits, wait_until));
            let changes = (&mut phase, &mut stage);
            match self.wake(&mut visits, changes, wait_until).await? {
                Wake::Visited(visited) => self.complete(*visited, &mut visits).await?,
                Wake::Message(message) => self.receive(message, &mut visits).await?,
                Wake::Other => {}
            }
        }
    }

    /// What this shard waits for, if it has to wait now.
    fn reason_to_wait(&self, phase: Phase, visits: &Visits, wait_until: Option<Moment>) -> Spent {
        let given_out = self.common.pages_started.load(Ordering::Relaxed);
        if phase != Phase::Running || given_out >= self.common.max_pages {
            return Spent::Other;
        }
        if visits.len() >= self.slots() {
            return Spent::SlotsTaken;
        }
        match (self.outgoing.is_empty(), wait_until) {
            (false, _) => Spent::Other,
            (true, Some(_)) => Spent::Politeness,
            // What is queued waits for the fetches of its hosts that are in flight.
            (true, None) if self.frontier.live() > self.frontier.leases() => Spent::Politeness,
            (true, None) => Spent::Discovery,
        }
    }

    /// Hands over to the committer; meanwhile the visits go on.
    async fn hand_over(&self, handover: Handover, visits: &mut Visits) -> Result<(), Error> {
        self.context.account.set_reason(Spent::Sink);
        visits.beside(self.committer.send(handover)).await
    }

    /// Gives out leases until the slots are full; returns when to look again, if ever.
    async fn start_visits(&mut self, visits: &mut Visits) -> Result<Option<Moment>, Error> {
        const LIMIT_RECHECK: Duration = Duration::from_millis(20);
        const MOST_REFUSALS: usize = 256;
        let slots = self.slots();
        let mut refusals = 0;
        while visits.len() < slots && self.outgoing.is_empty() {
            let now = self.clock.now();
            if !self.reserve_page() {
                // Another shard may give its reservation back.
                return Ok(Some(now.after(LIMIT_RECHECK)));
            }
            let next = self.frontier.next(now)?;
            let is_new_page = matches!(&next, Next::Lease(lease)
                if lease.url().kind == UrlKind::Page && lease.url().attempts == 0);
            if !is_new_page {
                self.common.pages_started.fetch_sub(1, Ordering::Relaxed);
            }
            match next {
                Next::Lease(lease) if self.trapped(&lease).is_some() => {
                    self.common.pages_started.fetch_sub(1, Ordering::Relaxed);
                    self.refuse_trapped(lease, visits).await?;
                    refusals += 1;
                    if refusals >= MOST_REFUSALS {
                        return Ok(Some(now));
                    }
                }
                Next::Lease(lease) => {
                    visits.start(visit(self.context.clone(), lease));
                }
                Next::Refused(refused) => {
                    self.record_refused(*refused, visits).await?;
                    refusals += 1;
                    if refusals >= MOST_REFUSALS {
                        // Let what was fetched meanwhile come to its turn.
                        return Ok(Some(now));
                    }
                }
                Next::WaitUntil(at) => return Ok(Some(at)),
                Next::Idle | Next::Done => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The rule against traps that refuses a page since it was queued; one that is tried again is
    /// left alone.
    fn trapped(&self, lease: &Lease) -> Option<Refusal> {
        let queued = lease.url();
        let is_new_page = queued.kind == UrlKind::Page && queued.attempts == 0;
        let refusal = is_new_page.then(|| self.context.traps.borrow().check(&queued.url).err());
        refusal.flatten()
    }

    /// Gives a lease back without a fetch: its URL has its outcome.
    async fn refuse_trapped(&mut self, lease: Lease, visits: &mut Visits) -> Result<(), Error> {
        let why = self.trapped(&lease).map(|refusal| refusal.to_string());
        let refused = Refused {
            url: lease.url().clone(),
            outcome: Outcome::Trapped,
            why: why.unwrap_or_default(),
        };
        let finish = Finish {
            contact: Contact::None,
            is_private: None,
            then: Then::Done,
        };
        self.frontier.finish(lease, finish, self.clock.now());
        self.record_refused(refused, visits).await
    }

    fn reserve_page(&self) -> bool {
        let started = &self.common.pages_started;
        if started.fetch_add(1, Ordering::Relaxed) < self.common.max_pages {
            return true;
        }
        started.fetch_sub(1, Ordering::Relaxed);
        false
    }

    async fn wake(
        &mut self,
        visits: &mut Visits,
        (phase, stage): (&mut watch::Receiver<Phase>, &mut watch::Receiver<Stage>),
        wait_until: Option<Moment>,
    ) -> Result<Wake, Error> {
        let pause = wait_until.map(|at| at.since(self.clock.now()));
        let room = self.common.message_room.clone();
        let has_outgoing = !self.outgoing.is_empty();
        Ok(tokio::select! {
            biased;
            visited = visits.next() => Wake::Visited(Box::new(visited)),
            Some(message) = self.inbox.recv() => Wake::Message(message),
            _ = phase.changed() => Wake::Other,
            _ = stage.changed() => Wake::Other,
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => Wake::Other,
            _ = room.acquire(), if has_outgoing => Wake::Other,
        })
    }

    /// A visit has ended: its outlinks are admitted, its outcome is handed over, its lease ends.
    async fn complete(
        &mut self,
        visited: Result<Visited, Error>,
        visits: &mut Visits,
    ) -> Result<(), Error> {
        let Visited {
            lease,
            finish,
            record,
            candidates,
            held,
            split,
            ..
        } = visited?;
        let now = self.clock.now();
        let progress = self.common.progress.clone();
        for (option, count) in candidates.refused.iter() {
            progress.add_refusals(option, count);
        }
        progress.add_not_followed(candidates.not_followed);
        let (own, foreign) = self.share_out(candidates.urls);
        let mut handover = Handover {
            held,
            ..Handover::default()
        };
        self.admit(own, &mut handover)?;
        let is_first_robots = !lease.is_robots()
            || (record.is_some() && self.frontier.note_seen(UrlKind::Robots, &lease.url().url)?);
        let is_page = lease.url().kind == UrlKind::Page;
        if is_page && matches!(finish.then, Then::Defer(_)) && lease.url().attempts == 0 {
            self.common.pages_started.fetch_sub(1, Ordering::Relaxed);
        }
        let end = VisitEnd {
            is_page: is_page && record.is_some(),
            is_failure: finish.contact == Contact::Failed,
            is_throttled: matches!(finish.contact, Contact::Overloaded(_)),
            wire_bytes: record.as_ref().map_or(0, |record| record.done.wire_bytes),
        };
        let times = split.end(self.clock.elapsed());
        self.context
            .account
            .note_visit(&times, end, lease.url().url.as_str());
        let next_at = self.frontier.finish(lease, finish, now);
        if let Some(mut record) = record.filter(|_| is_first_robots) {
            record.done.host_next_at = next_at;
            let outcome = record.done.outcome;
            if is_page {
                let is_error = !outcome.is_answer() || outcome == Outcome::HttpError;
                progress.add_page(is_error, record.done.wire_bytes);
                self.count_ended_page();
            }
            handover.done = Some(record);
        }
        self.pass_on(handover, foreign, visits).await
    }

    /// The last page that may be given out ends the crawl.
    fn count_ended_page(&self) {
        let ended = self.common.pages_ended.fetch_add(1, Ordering::AcqRel) + 1;
        if ended >= self.common.max_pages {
            self.common.control.drain(StopReason::MaxPages);
        }
    }

    async fn record_refused(&mut self, refused: Refused, visits: &mut Visits) -> Result<(), Error> {
        let now = self.clock.now();
        let queued = &refused.url;
        let done = DoneEntry {
            url: queued.url.as_str().to_owned(),
            kind: queued.kind,
            outcome: refused.outcome,
            status: 0,
            hops: queued.hops,
            wire_bytes: 0,
            decoded_bytes: 0,
            fetch_millis: 0,
            finished_at: now,
            host_next_at: now,
        };
        if queued.kind == UrlKind::Page {
            let is_error = !matches!(refused.outcome, Outcome::RobotsDenied | Outcome::Trapped);
            self.common.progress.add_page(is_error, 0);
            if queued.attempts > 0 {
                self.count_ended_page();
            }
        }
        let row = write_refused_row(&refused, now);
        let handover = Handover {
            done: Some(Record::new(done, row)),
            ..Handover::default()
        };
        self.hand_over(handover, visits).await
    }

    /// After the last visit: messages under way are still received, so that no page that was
    /// fetched is lost, until every shard is there.
    async fn drain_inbox(
        &mut self,
        visits: &mut Visits,
        phase: &mut watch::Receiver<Phase>,
    ) -> Result<(), Error> {
        self.common.drained.fetch_add(1, Ordering::AcqRel);
        self.common.one_drained.notify_waiters();
        let shards = self.common.inboxes.len();
        let common = self.common.clone();
        let is_waited_for = || common.drained.load(Ordering::Acquire) < shards;
        loop {
            // Made before it is looked, so that no word of another shard is missed in between.
            let one_drained = common.one_drained.notified();
            if !is_waited_for() && !self.messages_under_way() {
                return Ok(());
            }
            if *phase.borrow_and_update() == Phase::Ended {
                return Ok(());
            }
            const POLL: Duration = Duration::from_millis(5);
            tokio::select! {
                Some(message) = self.inbox.recv() => self.receive(message, visits).await?,
                _ = phase.changed() => {}
                () = one_drained => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    fn messages_under_way(&self) -> bool {
        self.common.message_room.available_permits() < MOST_MESSAGES
    }

    /// Adds what changed in this shard to the common counts, and ends the crawl when nothing is
    /// left anywhere.
    fn publish(&mut self) {
        let change = self.publish_levels();
        self.count_live(change);
    }

    /// Publishes all levels but the live URLs, whose change it returns.
    fn publish_levels(&mut self) -> i64 {
        let levels = Levels {
            live: self.frontier.live() as i64,
            in_flight: self.frontier.leases() as i64,
            queued: self.frontier.queued() as i64,
            hosts: self.frontier.hosts() as i64,
        };
        self.note_levels(levels);
        let before = std::mem::replace(&mut self.published, levels);
        self.common.progress.add_levels(
            levels.in_flight - before.in_flight,
            levels.queued - before.queued,
            levels.hosts - before.hosts,
        );
        levels.live - before.live
    }

    fn note_levels(&mut self, levels: Levels) {
        const READY_LASTS: Duration = Duration::from_secs(1);
        let now = self.clock.elapsed();
        if self.ready.1.is_none_or(|at| now >= at + READY_LASTS) {
            let ready = self.frontier.ready(self.clock.now());
            self.ready = (ready as u64, Some(now));
        }
        let levels = crate::ledger::Levels {
            slots: self.slots() as u64,
            in_flight: levels.in_flight.unsigned_abs(),
            turns: self.frontier.turns() as u64,
            ready: self.ready.0,
            queued: levels.queued.unsigned_abs(),
        };
        self.context.account.note_levels(levels, now);
    }

    /// Fetches at once at most, of this shard.
    fn slots(&self) -> usize {
        let shards = self.common.inboxes.len().max(1);
        let all = self.common.control.concurrency();
        (all / shards + usize::from(self.number < all % shards)).max(1)
    }

    fn count_live(&self, change: i64) {
        let before = self.common.live.fetch_add(change, Ordering::AcqRel);
        if before + change == 0 {
            self.common.control.drain(StopReason::Done);
        }
    }
}
