//! The frontier: which URL next, and when.
//!
//! Ordering: hosts by the moment when they may next be fetched; within a host by the order of the
//! crawl (hops, or priority), and within that first in, first out.
//! Guarantee: at most `per_host` leases of a host are out, none is given out before its host's
//! time, and every admitted URL leaves exactly once: by [`Finish`] with [`Then::Done`], or as
//! [`Refused`].
//! Protocol: [`Frontier::admit`], [`Frontier::next`], [`Frontier::finish`]. A host whose turns are
//! all leased is not in the ready heap: fetching it once too often cannot be written.

mod config;
mod counts;
mod robots_gate;
mod saved;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::canonical::CanonicalUrl;
use crate::dormant::Dormant;
use crate::fingerprint::{Fingerprinter, UrlKind};
use crate::host::{Host, RobotsState, Waiting};
use crate::host_queue::MemoryMeter;
use crate::lease::{Finish, Lease, Refused, RobotsAnswer, Then, Turn};
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::queued::QueuedUrl;
use crate::scope::Refusal;
use crate::storage::{Overflow, Seen, StorageError};
use crate::traps::QueryVariants;
pub use config::{FrontierConfig, Order};
use robots_gate::{Gate, robots_gate};
pub use saved::{FirstPause, SavePiece};

/// What became of a URL at [`Frontier::admit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is queued, for the first time in this crawl.
    Admitted,
    /// It was admitted before.
    AlreadySeen,
    /// A trap rule refuses it.
    Refused(Refusal),
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Fetch this.
    Lease(Lease),
    /// Record this; it is not to be fetched.
    Refused(Box<Refused>),
    /// Nothing before this moment.
    WaitUntil(Moment),
    /// Nothing until a lease is finished or a URL is admitted.
    Idle,
    /// Nothing, and no lease is out: the crawl is over unless a URL is admitted.
    Done,
}

/// What [`Frontier::advance`] decided for one turn.
enum Step {
    Lease(u32, QueuedUrl),
    Refuse(Box<Refused>),
    Later(Moment),
    Park,
    Rest,
}

/// One shard's frontier. See the module's text for its guarantee.
#[derive(Debug)]
pub struct Frontier<S, O> {
    config: FrontierConfig,
    fingerprinter: Fingerprinter,
    seen: S,
    overflow: O,
    /// Hosts by number; a slot is reused when its host was forgotten.
    hosts: Vec<Host>,
    by_name: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
    /// Hosts that have something to do.
    awake: usize,
    dormant: Dormant,
    /// Hosts at rest in the order in which they came to rest, with their generation.
    resting: VecDeque<(u32, u32)>,
    /// Turns by the moment they wait for; equal moments in the order of arrival.
    ready: BinaryHeap<Reverse<(Moment, u64, Turn)>>,
    arrivals: u64,
    meter: MemoryMeter,
    variants: QueryVariants,
    robots_bytes: usize,
    robots_hand: usize,
    /// URLs queued or waiting for a retry, of hosts that are not closed.
    available: usize,
    /// URLs queued in closed hosts.
    held: usize,
    leases: usize,
    /// URLs, as fingerprints, that stand in restored queues and have their outcome.
    ended: HashSet<u64>,
    first_pause: FirstPause,
}

impl<S: Seen, O: Overflow> Frontier<S, O> {
    /// An empty frontier.
    pub fn new(
        config: FrontierConfig,
        fingerprinter: Fingerprinter,
        seen: S,
        overflow: O,
    ) -> Frontier<S, O> {
        let meter = MemoryMeter::new(config.queue_memory_bytes);
        Frontier {
            config,
            fingerprinter,
            seen,
            overflow,
            hosts: Vec::new(),
            by_name: HashMap::new(),
            free: Vec::new(),
            awake: 0,
            dormant: Dormant::default(),
            resting: VecDeque::new(),
            ready: BinaryHeap::new(),
            arrivals: 0,
            meter,
            variants: QueryVariants::default(),
            robots_bytes: 0,
            robots_hand: 0,
            available: 0,
            held: 0,
            leases: 0,
            ended: HashSet::new(),
            first_pause: FirstPause::none(),
        }
    }

    /// Queues a URL unless it was admitted before or is a variant too many.
    ///
    /// The scope is the caller's to check: it needs no frontier.
    ///
    /// # Errors
    /// When the storage below fails; the crawl cannot go on.
    pub fn admit(&mut self, url: QueuedUrl, now: Moment) -> Result<Admission, StorageError> {
        let fingerprint = self.fingerprinter.fingerprint(url.kind, url.url.as_str());
        if !self.seen.insert(fingerprint)? {
            return Ok(Admission::AlreadySeen);
        }
        let most = self.config.max_query_variants;
        if most > 0 && url.kind == UrlKind::Page && url.url.query().is_some() {
            let path_bytes = url.url.as_str().split('?').next().unwrap_or_default();
            let path = self.fingerprinter.of_bytes(path_bytes.as_bytes());
            if !self.variants.allow(path, most) {
                return Ok(Admission::Refused(Refusal::QueryVariants));
            }
        }
        self.enqueue(url, now)?;
        Ok(Admission::Admitted)
    }

    /// What to do now. Asks nothing of the network and never waits.
    ///
    /// # Errors
    /// When the storage below fails; the crawl cannot go on.
    pub fn next(&mut self, now: Moment) -> Result<Next, StorageError> {
        loop {
            let is_due = |first: &Reverse<(Moment, u64, Turn)>| first.0.0 <= now;
            let has_due = self.ready.peek().is_some_and(is_due);
            let room = self.config.max_awake_hosts * if has_due { 1 } else { 2 };
            if self.awake < room.max(1) && self.wake_one(now)? {
                continue;
            }
            match self.ready.peek() {
                Some(Reverse((at, ..))) if *at > now => return Ok(Next::WaitUntil(*at)),
                Some(_) => {}
                None if self.leases > 0 => return Ok(Next::Idle),
                None => return Ok(Next::Done),
            }
            let Some(Reverse((ready_at, _, turn))) = self.ready.pop() else {
                return Ok(Next::Done);
            };
            let step = self.advance(turn.host, now)?;
            let Some(host) = self.hosts.get_mut(turn.host as usize) else {
                continue;
            };
            host.waiting -= 1;
            match step {
                Step::Lease(key, url) => {
                    return Ok(Next::Lease(self.lease(turn, key, url, ready_at, now)));
                }
                Step::Refuse(refused) => {
                    self.place(turn, now);
                    return Ok(Next::Refused(refused));
                }
                Step::Later(at) => self.wait(turn, at),
                Step::Park => host.parked.push(turn),
                Step::Rest => {
                    host.idle += 1;
                    self.note_rest(turn.host, now);
                }
            }
        }
    }

    /// Ends a lease. Returns when its host may next be fetched.
    pub fn finish(&mut self, lease: Lease, finish: Finish, now: Moment) -> Moment {
        let Lease { turn, url, key, .. } = lease;
        self.leases -= 1;
        let politeness = &self.config.politeness;
        let Some(host) = self.hosts.get_mut(turn.host as usize) else {
            return now;
        };
        let is_robots = url.kind == UrlKind::Robots;
        let is_this = |(of, leased): &(u32, Option<QueuedUrl>)| {
            *of == key
                && leased
                    .as_ref()
                    .map_or(is_robots, |leased| leased.url == url.url)
        };
        if let Some(place) = host.leased.iter().position(is_this) {
            host.leased.swap_remove(place);
        }
        if let Some(is_private) = finish.is_private {
            host.manners.is_private = is_private;
        }
        if let Then::Robots(RobotsAnswer::Rules(rules)) = &finish.then {
            host.manners.crawl_delay = rules.crawl_delay();
        }
        host.manners.note_end(finish.contact, politeness, now);
        match finish.then {
            Then::Done => {}
            Then::Retry(after) => {
                let url = QueuedUrl {
                    attempts: url.attempts.saturating_add(1),
                    ..url
                };
                host.retries.push(Reverse(Waiting {
                    at: now.after(after),
                    key,
                    url,
                }));
                self.available += 1;
            }
            Then::Defer(rest) if url.kind == UrlKind::Robots => {
                host.manners.next_at = host.manners.next_at.max(now.after(rest));
                if let Some(state) = host.robots_mut(url.url.scheme()) {
                    *state = RobotsState::Unknown;
                }
            }
            Then::Defer(rest) => {
                host.manners.next_at = host.manners.next_at.max(now.after(rest));
                host.pages_started -= u64::from(url.kind == UrlKind::Page && url.attempts == 0);
                host.queue.push_front(key, url, &mut self.meter);
                self.available += 1;
            }
            Then::Robots(answer) => self.note_robots(turn.host, &url, answer, now),
        }
        let number = turn.host;
        self.unpark(number, now);
        self.place(turn, now);
        self.hosts
            .get(number as usize)
            .map_or(now, |host| host.manners.next_at)
    }

    /// Notes that this address was recorded for this kind of fetch; true the first time. For what
    /// is never queued, as a robots.txt.
    ///
    /// # Errors
    /// When the storage below fails; the crawl cannot go on.
    pub fn note_seen(&mut self, kind: UrlKind, url: &CanonicalUrl) -> Result<bool, StorageError> {
        self.seen
            .insert(self.fingerprinter.fingerprint(kind, url.as_str()))
    }

    fn enqueue(&mut self, url: QueuedUrl, now: Moment) -> Result<(), StorageError> {
        if self.by_name.contains_key(url.url.host()) {
            return self.enqueue_awake(url, now);
        }
        let name = self.fingerprinter.of_bytes(url.url.host().as_bytes());
        let chain = self.dormant.chain(name);
        if chain.is_none() && self.awake < self.config.max_awake_hosts {
            return self.enqueue_awake(url, now);
        }
        let mut record = Vec::new();
        url.encode(&mut record);
        let chain = self.overflow.append(chain, &record)?;
        self.dormant.note(name, chain);
        Ok(())
    }

    /// Wakes the host that was found first, if one sleeps.
    fn wake_one(&mut self, now: Moment) -> Result<bool, StorageError> {
        let Some(host) = self.dormant.wake() else {
            return Ok(false);
        };
        for record in self.overflow.take_chain(host.chain)? {
            let url = QueuedUrl::decode(&mut record.as_slice());
            let url = url.ok_or("a URL of a host that slept is damaged")?;
            self.enqueue_awake(url, now)?;
        }
        Ok(true)
    }

    fn enqueue_awake(&mut self, url: QueuedUrl, now: Moment) -> Result<(), StorageError> {
        let key = self.key_of(&url);
        let number = self.host_number(url.url.host());
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return Ok(());
        };
        host.queue
            .push(key, url, &mut self.meter, &mut self.overflow)?;
        self.note_queued(number, 1, now);
        Ok(())
    }

    /// So many URLs more are queued for a host.
    fn note_queued(&mut self, number: u32, urls: usize, now: Moment) {
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return;
        };
        self.awake += usize::from(!std::mem::replace(&mut host.is_awake, true));
        if host.is_closed {
            self.held += urls;
            return;
        }
        self.available += urls;
        let waiting = host.waiting as usize + host.parked.len();
        let turns = (host.idle as usize).min(host.available().saturating_sub(waiting));
        host.idle -= turns as u16;
        for _ in 0..turns {
            let turn = Turn {
                host: number,
                since: now,
            };
            self.wait(turn, now);
        }
    }

    fn key_of(&self, url: &QueuedUrl) -> u32 {
        const TENTHS: u32 = 10;
        let hops = u32::from(url.hops);
        match self.config.order {
            Order::BreadthFirst => hops,
            Order::Priority => (hops + 1) * TENTHS - u32::from(url.priority.min(TENTHS as u8)),
        }
    }

    fn host_number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let name: Arc<str> = Arc::from(name);
        let per_host = self.config.politeness.per_host;
        let number = match self.free.pop() {
            Some(number) => {
                if let Some(slot) = self.hosts.get_mut(number as usize) {
                    *slot = Host::new(name.clone(), per_host, slot.generation.wrapping_add(1));
                }
                number
            }
            None => {
                self.hosts.push(Host::new(name.clone(), per_host, 0));
                (self.hosts.len() - 1) as u32
            }
        };
        if let Some(at) = self.first_pause.of(&name)
            && let Some(host) = self.hosts.get_mut(number as usize)
        {
            host.manners.next_at = at;
        }
        self.by_name.insert(name, number);
        number
    }

    /// Decides what the turn of a host, taken from the ready heap, is for.
    fn advance(&mut self, number: u32, now: Moment) -> Result<Step, StorageError> {
        if !self.ended.is_empty() {
            self.drop_ended(number)?;
        }
        let politeness = &self.config.politeness;
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return Ok(Step::Rest);
        };
        let limit = self.config.max_pages_per_host.unwrap_or(u64::MAX);
        if !host.is_closed && host.pages_started >= limit {
            host.is_closed = true;
            self.held += host.queue.len();
            self.available -= host.queue.len();
        }
        let has_queue = !host.is_closed && host.queue.len() > 0;
        // While a host fails, a page that was not asked for yet goes before one that failed: it tells
        // whether the host or the page is at fault, and a few broken pages do not hold up the others.
        let may_retry = host.manners.failures == 0 || !has_queue;
        let is_retry = host
            .retries
            .peek()
            .is_some_and(|Reverse(first)| may_retry && first.at <= now);
        let (key, next) = match host.retries.peek() {
            Some(Reverse(first)) if is_retry => (first.key, &first.url),
            later => {
                let later = later.map(|Reverse(first)| first.at);
                match (has_queue, later) {
                    (false, None) => return Ok(Step::Rest),
                    (false, Some(at)) => return Ok(Step::Later(at)),
                    (true, _) => match host.queue.peek(&mut self.meter, &mut self.overflow)? {
                        Some(next) => next,
                        None => return Ok(Step::Rest),
                    },
                }
            }
        };
        if host.manners.is_given_up(politeness) {
            let why = format!("its host failed {} times in a row", host.manners.failures);
            return self.refuse(number, is_retry, Outcome::GaveUp, why);
        }
        let may_start_at = host.manners.may_start_at(politeness);
        if now < may_start_at {
            return Ok(Step::Later(may_start_at));
        }
        let is_early = self.config.order == Order::BreadthFirst
            && host.leased.iter().any(|(leased, _)| *leased < key);
        if is_early {
            return Ok(Step::Park);
        }
        let gate = if politeness.ignore_robots {
            Gate::Allowed
        } else {
            let url = next.url.clone();
            robots_gate(host, &url, politeness, &mut self.robots_bytes, now)
        };
        match gate {
            Gate::Allowed => match self.take(number, is_retry)? {
                Some((key, url)) => Ok(Step::Lease(key, url)),
                None => Ok(Step::Rest),
            },
            Gate::Ask(robots) => Ok(Step::Lease(key, robots)),
            Gate::Wait => Ok(Step::Park),
            Gate::WaitUntil(at) => Ok(Step::Later(at)),
            Gate::Denied(outcome, why) => self.refuse(number, is_retry, outcome, why),
        }
    }

    fn take(
        &mut self,
        number: u32,
        is_retry: bool,
    ) -> Result<Option<(u32, QueuedUrl)>, StorageError> {
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return Ok(None);
        };
        let taken = if is_retry {
            host.retries
                .pop()
                .map(|Reverse(first)| (first.key, first.url))
        } else {
            host.queue.pop(&mut self.meter, &mut self.overflow)?
        };
        self.available -= usize::from(taken.is_some());
        Ok(taken)
    }

    fn refuse(
        &mut self,
        number: u32,
        is_retry: bool,
        outcome: Outcome,
        why: String,
    ) -> Result<Step, StorageError> {
        Ok(match self.take(number, is_retry)? {
            Some((_, url)) => Step::Refuse(Box::new(Refused { url, outcome, why })),
            None => Step::Rest,
        })
    }

    fn lease(
        &mut self,
        turn: Turn,
        key: u32,
        url: QueuedUrl,
        ready_at: Moment,
        now: Moment,
    ) -> Lease {
        if let Some(host) = self.hosts.get_mut(turn.host as usize) {
            // It may have to be told to a snapshot; two counters, no copy of a text.
            let copy = (url.kind != UrlKind::Robots).then(|| url.clone());
            host.leased.push((key, copy));
            host.manners.note_start(&self.config.politeness, now);
            host.pages_started += u64::from(url.kind == UrlKind::Page && url.attempts == 0);
            debug_assert!(host.leased.len() <= self.config.politeness.per_host.max(1) as usize);
        }
        self.leases += 1;
        Lease {
            turn,
            url,
            key,
            ready_at,
            leased_at: now,
        }
    }

    /// Puts a turn where it belongs after its host changed: waiting, or idle.
    fn place(&mut self, turn: Turn, now: Moment) {
        let Some(host) = self.hosts.get_mut(turn.host as usize) else {
            return;
        };
        let waiting = host.waiting as usize + host.parked.len();
        if waiting >= host.available() {
            host.idle += 1;
            return self.note_rest(turn.host, now);
        }
        let at = now.max(host.manners.may_start_at(&self.config.politeness));
        self.wait(Turn { since: now, ..turn }, at);
    }

    fn unpark(&mut self, number: u32, now: Moment) {
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return;
        };
        for turn in std::mem::take(&mut host.parked) {
            self.wait(Turn { since: now, ..turn }, now);
        }
    }

    fn wait(&mut self, turn: Turn, at: Moment) {
        if let Some(host) = self.hosts.get_mut(turn.host as usize) {
            host.waiting += 1;
        }
        self.arrivals += 1;
        self.ready.push(Reverse((at, self.arrivals, turn)));
    }

    /// A host came to rest: remembered, until there are too many of them.
    fn note_rest(&mut self, number: u32, now: Moment) {
        let Some(host) = self.hosts.get_mut(number as usize) else {
            return;
        };
        if !host.is_at_rest() {
            return;
        }
        self.awake -= usize::from(std::mem::replace(&mut host.is_awake, false));
        self.resting.push_back((number, host.generation));
        while self.resting.len() > self.config.max_resting_hosts {
            let Some((number, generation)) = self.resting.pop_front() else {
                return;
            };
            let Some(host) = self.hosts.get_mut(number as usize) else {
                continue;
            };
            // Stale entries are hosts that woke up since; a host with a page limit is counted.
            let is_stale = host.generation != generation || !host.is_at_rest();
            let may_start_at = host.manners.may_start_at(&self.config.politeness);
            let is_needed = may_start_at > now || host.pages_limited(&self.config);
            if is_stale || is_needed || host.waiting > 0 {
                continue;
            }
            self.robots_bytes = self.robots_bytes.saturating_sub(host.forget_robots());
            if self.by_name.remove(&host.name).is_some() {
                self.free.push(number);
            }
        }
    }
}

impl Host {
    fn pages_limited(&self, config: &FrontierConfig) -> bool {
        config.max_pages_per_host.is_some() && self.pages_started > 0
    }
}
