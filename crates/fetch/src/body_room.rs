//! Room in memory for the bodies that are being read, over all threads.
//!
//! A body may be as large as its limit, and a thousand may be under way: what they hold together is
//! bounded here. The first bytes of each are free, so that ordinary pages never wait. Beyond them a
//! body takes room before it reads on, and waits where there is none. Two rules keep that from
//! standing still: one body at a time, the *last*, may go on without room, up to its own limit; and
//! while others wait, a body that has held room for long has to give it back.
//!
//! Together bodies hold at most: the room, one body's limit, and [`FREE_BYTES`] for each exchange.
//! Where an exchange is recorded for an archive as well, its record counts with its body, and
//! [`FREE_WITH_RECORD_BYTES`] are free. What comes before the final head has a bound of its own (`raw`).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// What every body may hold without taking room, in bytes: compressed, three pages of four are smaller.
pub(crate) const FREE_BYTES: u64 = 32 * 1024;
/// The same for a body and its record, which has a head and is not as closely packed.
const FREE_WITH_RECORD_BYTES: u64 = 2 * FREE_BYTES + PIECE_BYTES;
/// Room is taken in pieces, in bytes.
const PIECE_BYTES: u64 = 16 * 1024;
/// How long a body keeps its room while others wait for some.
const PATIENCE: Duration = Duration::from_secs(10);

/// The room of all bodies.
#[derive(Debug)]
pub(crate) struct BodyRoom {
    pieces: Arc<Semaphore>,
    /// One permit: who has it is the last.
    last: Arc<Semaphore>,
    waiting: AtomicUsize,
    someone_waits: Notify,
}

/// What one body holds; given back when dropped.
pub(crate) struct HeldRoom {
    room: Arc<BodyRoom>,
    held: Option<OwnedSemaphorePermit>,
    last: Option<OwnedSemaphorePermit>,
    covered: u64,
    patience: Option<Pin<Box<Sleep>>>,
}

/// The room of a body that was read and of what was recorded with it: given back as a whole, when all
/// that it was filled with is dropped.
pub(crate) struct SealedRoom(Option<Arc<Permits>>);

struct Permits {
    _held: Option<OwnedSemaphorePermit>,
    _last: Option<OwnedSemaphorePermit>,
}

/// Bytes, and the room that they are in.
struct Roomed {
    bytes: Bytes,
    _room: Arc<Permits>,
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Counts a body among the waiting until dropped: a wait may be given up at any moment.
struct Waiting<'a>(&'a BodyRoom);

impl<'a> Waiting<'a> {
    fn begin(room: &'a BodyRoom) -> Waiting<'a> {
        room.waiting.fetch_add(1, Ordering::AcqRel);
        room.someone_waits.notify_waiters();
        Waiting(room)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl BodyRoom {
    /// Room for `bytes`, in whole pieces, at least one.
    pub(crate) fn new(bytes: u64) -> Arc<BodyRoom> {
        let pieces = usize::try_from(bytes / PIECE_BYTES).unwrap_or(usize::MAX);
        Arc::new(BodyRoom {
            pieces: Arc::new(Semaphore::new(pieces.clamp(1, Semaphore::MAX_PERMITS))),
            last: Arc::new(Semaphore::new(1)),
            waiting: AtomicUsize::new(0),
            someone_waits: Notify::new(),
        })
    }

    /// Nothing held yet but the bytes that are free.
    pub(crate) fn enter(self: &Arc<BodyRoom>) -> HeldRoom {
        self.enter_with(FREE_BYTES)
    }

    /// The same for a body and its record.
    pub(crate) fn enter_recorded(self: &Arc<BodyRoom>) -> HeldRoom {
        self.enter_with(FREE_WITH_RECORD_BYTES)
    }

    fn enter_with(self: &Arc<BodyRoom>, free: u64) -> HeldRoom {
        HeldRoom {
            room: Arc::clone(self),
            held: None,
            last: None,
            covered: free,
            patience: None,
        }
    }

    /// What is not taken, in bytes.
    #[cfg(test)]
    pub(crate) fn left_bytes(&self) -> u64 {
        self.pieces.available_permits() as u64 * PIECE_BYTES
    }
}

impl HeldRoom {
    /// Waits until `bytes` may be held in all. In order of asking; never for ever, as long as bodies
    /// end: the last one needs no room.
    pub(crate) async fn grow(&mut self, bytes: u64) {
        let missing = bytes.saturating_sub(self.covered);
        if missing == 0 || self.last.is_some() {
            return;
        }
        let pieces = u32::try_from(missing.div_ceil(PIECE_BYTES)).unwrap_or(u32::MAX);
        let all = Arc::clone(&self.room.pieces);
        if let Ok(taken) = Arc::clone(&all).try_acquire_many_owned(pieces) {
            return self.take(taken, pieces);
        }
        let room = Arc::clone(&self.room);
        let _waiting = Waiting::begin(&room);
        let last = Arc::clone(&room.last);
        tokio::select! {
            biased;
            taken = all.acquire_many_owned(pieces) => {
                // Closed never; then there would be no room to keep to.
                if let Ok(taken) = taken {
                    self.take(taken, pieces);
                }
            }
            last = last.acquire_owned() => self.last = last.ok(),
        }
    }

    /// No more is taken.
    pub(crate) fn seal(self) -> SealedRoom {
        let holds_some = self.held.is_some() || self.last.is_some();
        SealedRoom(holds_some.then(|| {
            Arc::new(Permits {
                _held: self.held,
                _last: self.last,
            })
        }))
    }

    fn take(&mut self, taken: OwnedSemaphorePermit, pieces: u32) {
        self.covered += u64::from(pieces) * PIECE_BYTES;
        match &mut self.held {
            Some(held) => held.merge(taken),
            None => self.held = Some(taken),
        }
        if self.patience.is_none() {
            self.patience = Some(Box::pin(tokio::time::sleep(PATIENCE)));
        }
    }

    /// Comes back when this body has held room for long and others wait for it; never for one that
    /// holds none.
    pub(crate) async fn asked_back(&mut self) {
        let Some(patience) = &mut self.patience else {
            return std::future::pending().await;
        };
        if !patience.is_elapsed() {
            patience.await;
        }
        loop {
            let someone = self.room.someone_waits.notified();
            if self.room.waiting.load(Ordering::Acquire) > 0 {
                return;
            }
            someone.await;
        }
    }
}

impl SealedRoom {
    /// `bytes` with the room, which they keep until the last handle on them is dropped: a body takes
    /// room until it was analysed, a record until it was archived.
    pub(crate) fn fill(&self, bytes: Bytes) -> Bytes {
        match &self.0 {
            None => bytes,
            Some(room) => Bytes::from_owner(Roomed {
                bytes,
                _room: Arc::clone(room),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_ready(future: impl Future<Output = ()>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(future).poll(&mut context) == Poll::Ready(())
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(test);
    }

    #[test]
    fn the_first_bytes_are_free_and_all_is_given_back() {
        run(async {
            let room = BodyRoom::new(4 * PIECE_BYTES);
            let mut body = room.enter();
            assert!(is_ready(body.grow(FREE_BYTES)));
            assert_eq!(room.left_bytes(), 4 * PIECE_BYTES);
            assert!(is_ready(body.grow(FREE_BYTES + 1)));
            assert!(is_ready(body.grow(FREE_BYTES + PIECE_BYTES)));
            assert_eq!(room.left_bytes(), 3 * PIECE_BYTES);
            assert!(is_ready(body.grow(FREE_BYTES + 4 * PIECE_BYTES)));
            assert_eq!(room.left_bytes(), 0);
            let sealed = body.seal();
            let bytes = sealed.fill(Bytes::from_static(b"whole"));
            let record = sealed.fill(Bytes::from_static(b"record"));
            drop(sealed);
            let part = bytes.slice(1..3);
            drop(bytes);
            assert_eq!((&part[..], room.left_bytes()), (&b"ho"[..], 0));
            drop(part);
            assert_eq!((&record[..], room.left_bytes()), (&b"record"[..], 0));
            drop(record);
            assert_eq!(room.left_bytes(), 4 * PIECE_BYTES);
        });
    }

    #[test]
    fn where_none_is_left_one_goes_on_and_the_others_wait() {
        run(async {
            let room = BodyRoom::new(2 * PIECE_BYTES);
            let mut bodies: Vec<HeldRoom> = (0..4).map(|_| room.enter()).collect();
            let full = FREE_BYTES + 2 * PIECE_BYTES;
            assert!(is_ready(bodies[0].grow(full)));
            assert!(is_ready(bodies[1].grow(full)), "the last needs no room");
            assert!(is_ready(bodies[1].grow(100 * full)), "up to its own limit");
            assert!(!is_ready(bodies[2].grow(full)));
            assert!(!is_ready(bodies[3].grow(full)));
            bodies.remove(1);
            assert!(is_ready(bodies[1].grow(full)), "another is the last now");
            assert!(!is_ready(bodies[2].grow(full)));
            bodies.remove(0);
            assert!(is_ready(bodies[1].grow(full)), "room was given back");
            bodies.clear();
            assert_eq!(room.left_bytes(), 2 * PIECE_BYTES);
        });
    }

    #[test]
    fn room_is_asked_back_only_while_others_wait() {
        run(async {
            let room = BodyRoom::new(PIECE_BYTES);
            let (mut slow, mut last, mut other) = (room.enter(), room.enter(), room.enter());
            let full = FREE_BYTES + PIECE_BYTES;
            slow.grow(full).await;
            last.grow(full).await;
            let long = tokio::time::timeout(10 * PATIENCE, slow.asked_back());
            assert!(long.await.is_err(), "nobody waits");
            let asked = async {
                slow.asked_back().await;
                drop(slow);
            };
            tokio::join!(other.grow(full), asked);
            let mut idle = room.enter();
            let never = tokio::time::timeout(10 * PATIENCE, idle.asked_back());
            assert!(never.await.is_err(), "it holds nothing");
        });
    }
}
