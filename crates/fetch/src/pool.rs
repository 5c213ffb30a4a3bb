//! The connections that one fetcher keeps open.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::connection::Connection;

/// When the pool is full, of so many connections that come in one takes the place of the least recently
/// used; the others are closed.
///
/// Hosts are visited in turn. With more of them than places each connection would otherwise be closed just
/// before its host's next turn, and none ever used again: so most of those that are here stay.
const KEPT_OF: u64 = 4;

/// Connections by origin.
///
/// HTTP/1 connections are here while they are idle and are taken out for an exchange; an HTTP/2
/// connection stays and hands out shares. Bounded by `max`: exchanges hold their own handles, so
/// that dropping an entry never ends one. No timer runs: what outlived `lifetime` is dropped when the
/// pool is next used.
pub(crate) struct Pool {
    max: usize,
    lifetime: Duration,
    kept: RefCell<Kept>,
    /// Origins that a first connection is being made to, where it may turn out to be shareable.
    connecting: RefCell<HashMap<Rc<str>, Rc<Notify>>>,
}

#[derive(Default)]
struct Kept {
    /// By a number that grows with each use, so that the first is the least recently used.
    by_use: BTreeMap<u64, Entry>,
    /// The numbers of each origin's connections, the latest last. No list is ever empty.
    by_origin: HashMap<Rc<str>, Vec<u64>>,
    next: u64,
    /// Connections that came in while there was no place.
    surplus: u64,
}

struct Entry {
    origin: Rc<str>,
    connection: Connection,
    since: Duration,
}

impl Pool {
    pub(crate) fn new(max: usize, lifetime: Duration) -> Pool {
        Pool {
            max,
            lifetime,
            kept: RefCell::default(),
            connecting: RefCell::default(),
        }
    }

    /// A connection to `origin` that was alive when last heard of.
    pub(crate) fn check_out(&self, origin: &Rc<str>, now: Duration) -> Option<Connection> {
        let mut kept = self.kept.borrow_mut();
        kept.expire(self.lifetime, now);
        loop {
            let number = *kept.by_origin.get(origin)?.last()?;
            let mut entry = kept.remove(number)?;
            if entry.connection.is_closed() {
                continue;
            }
            let mut connection = match entry.connection.share() {
                Some(share) => {
                    kept.insert(Rc::clone(origin), entry.connection, now);
                    share
                }
                None => entry.connection,
            };
            connection.reused = true;
            return Some(connection);
        }
    }

    /// Takes back a connection after a whole exchange. A share of an HTTP/2 connection is only
    /// dropped: the connection itself was put in by [`Pool::share`].
    pub(crate) fn check_in(&self, origin: &Rc<str>, mut connection: Connection, now: Duration) {
        if connection.is_http2() || connection.is_closed() {
            return;
        }
        self.insert(origin, connection, now);
    }

    /// Puts a new connection in at once if it can be shared.
    pub(crate) fn share(&self, origin: &Rc<str>, connection: &Connection, now: Duration) {
        if let Some(share) = connection.share() {
            self.insert(origin, share, now);
        }
    }

    fn insert(&self, origin: &Rc<str>, connection: Connection, now: Duration) {
        let mut kept = self.kept.borrow_mut();
        kept.expire(self.lifetime, now);
        // One of HTTP/2 serves all exchanges of its origin: it is always taken in.
        if kept.by_use.len() >= self.max && !connection.is_http2() {
            kept.surplus += 1;
            if !kept.surplus.is_multiple_of(KEPT_OF) {
                return;
            }
        }
        kept.insert(Rc::clone(origin), connection, now);
        while kept.by_use.len() > self.max {
            kept.remove_oldest();
        }
    }

    /// Hands out a connection that turned out to be dead no more. Where one idle HTTP/1 connection
    /// is dead the others of its origin are too: the server closed them or went away.
    pub(crate) fn forget(&self, origin: &Rc<str>, dead: &Connection) {
        let mut kept = self.kept.borrow_mut();
        for number in kept.by_origin.get(origin).cloned().unwrap_or_default() {
            let is_dead = |entry: &Entry| match dead.is_http2() {
                true => entry.connection.is_same(dead),
                false => !entry.connection.is_http2(),
            };
            if kept.by_use.get(&number).is_some_and(is_dead) {
                kept.remove(number);
            }
        }
    }

    /// Whether a first connection to `origin` is being made; notified when that has ended.
    pub(crate) fn connecting(&self, origin: &Rc<str>) -> Option<Rc<Notify>> {
        self.connecting.borrow().get(origin).cloned()
    }

    /// Announces that a connection to `origin` is being made, until the announcement is dropped.
    pub(crate) fn announce(&self, origin: &Rc<str>) -> Announcement<'_> {
        let mut connecting = self.connecting.borrow_mut();
        let notify = Rc::new(Notify::new());
        let first = !connecting.contains_key(origin);
        if first {
            connecting.insert(Rc::clone(origin), Rc::clone(&notify));
        }
        Announcement {
            pool: self,
            origin: Rc::clone(origin),
            notify: first.then_some(notify),
        }
    }
}

impl Kept {
    fn insert(&mut self, origin: Rc<str>, connection: Connection, now: Duration) {
        let number = self.next;
        self.next += 1;
        self.by_origin
            .entry(Rc::clone(&origin))
            .or_default()
            .push(number);
        self.by_use.insert(
            number,
            Entry {
                origin,
                connection,
                since: now,
            },
        );
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.by_use.remove(&number)?;
        if let Some(numbers) = self.by_origin.get_mut(&entry.origin) {
            numbers.retain(|own| *own != number);
            if numbers.is_empty() {
                self.by_origin.remove(&entry.origin);
            }
        }
        Some(entry)
    }

    fn remove_oldest(&mut self) {
        if let Some((number, _)) = self.by_use.first_key_value() {
            self.remove(*number);
        }
    }

    fn expire(&mut self, lifetime: Duration, now: Duration) {
        while self
            .by_use
            .first_key_value()
            .is_some_and(|(_, entry)| now >= entry.since + lifetime)
        {
            self.remove_oldest();
        }
    }
}

/// That a connection is being made. Dropping it, however that comes about, wakes those who wait.
pub(crate) struct Announcement<'a> {
    pool: &'a Pool,
    origin: Rc<str>,
    /// `None` where another announcement was there before.
    notify: Option<Rc<Notify>>,
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        if let Some(notify) = self.notify.take() {
            self.pool.connecting.borrow_mut().remove(&self.origin);
            notify.notify_waiters();
        }
    }
}
