//! The visits that are under way on one shard.
//!
//! They are polled by the shard's loop itself, one after the other: so that as soon as one has ended its
//! lease is finished, and the next request is on its way before the other pages that have come are analysed.
//! Else all that came together would go out together, and come together again.
//!
//! Not futures-util's `FuturesUnordered`: that gives way to the runtime as soon as two futures have woken
//! themselves, which every exchange does, and the runtime then asks the system for news each time.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::error::Error;
use crate::visit::Visited;

type Ended = Result<Visited, Error>;
type Running = Pin<Box<dyn Future<Output = Ended>>>;

/// Visits that are polled before the runtime may look for news from the network.
const POLLS_IN_A_ROW: usize = 32;

/// See the module's text.
#[derive(Default)]
pub(super) struct Visits {
    /// Each in its place; an empty one is in `free`.
    running: Vec<Option<(Running, Arc<Bell>)>>,
    free: Vec<usize>,
    woken: Arc<Woken>,
    /// Those that ended while the shard waited for something else.
    ended: VecDeque<Ended>,
}

/// Which visits can go on.
#[derive(Default)]
struct Woken {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    places: VecDeque<usize>,
    /// Whom to wake when there is one.
    shard: Option<Waker>,
}

/// What wakes one visit; no longer than the visit does it name its place.
struct Bell {
    place: usize,
    is_rung: AtomicBool,
    woken: Arc<Woken>,
}

impl Woken {
    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut queue = self.woken.queue();
        queue.places.push_back(self.place);
        let shard = queue.shard.take();
        drop(queue);
        shard.into_iter().for_each(Waker::wake);
    }
}

impl Visits {
    /// Begins a visit at once: what it can do without waiting is done when this returns.
    pub(super) fn start(&mut self, visit: impl Future<Output = Ended> + 'static) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.running.push(None);
            self.running.len() - 1
        });
        let bell = Arc::new(Bell {
            place,
            is_rung: AtomicBool::new(false),
            woken: self.woken.clone(),
        });
        if let Some(slot) = self.running.get_mut(place) {
            *slot = Some((Box::pin(visit), bell));
        }
        if let Some(ended) = self.poll_visit(place) {
            self.ended.push_back(ended);
        }
    }

    /// Visits that have a lease.
    pub(super) fn len(&self) -> usize {
        self.running.len() - self.free.len() + self.ended.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next one that has ended. Waits for it, and for ever where none is under way. Nothing is lost where
    /// the wait is given up.
    pub(super) async fn next(&mut self) -> Ended {
        if let Some(ended) = self.ended.pop_front() {
            return ended;
        }
        // What the runtime would let a task do in a row is counted here.
        tokio::task::unconstrained(poll_fn(|cx| self.poll_next(cx))).await
    }

    /// Waits for something else, while the visits go on.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let next = tokio::task::unconstrained(poll_fn(|cx| self.poll_next(cx)));
            let ended = tokio::select! {
                biased;
                done = &mut work => return done,
                ended = next => ended,
            };
            self.ended.push_back(ended);
        }
    }

    /// Gives up those that are under way.
    pub(super) fn abort_all(&mut self) {
        *self = Visits::default();
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        for _ in 0..POLLS_IN_A_ROW {
            let mut queue = self.woken.queue();
            let Some(place) = queue.places.pop_front() else {
                let is_known = queue
                    .shard
                    .as_ref()
                    .is_some_and(|shard| shard.will_wake(cx.waker()));
                if !is_known {
                    queue.shard = Some(cx.waker().clone());
                }
                return Poll::Pending;
            };
            drop(queue);
            if let Some(ended) = self.poll_visit(place) {
                return Poll::Ready(ended);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Lets a visit go on; `Some` when it has ended.
    fn poll_visit(&mut self, place: usize) -> Option<Ended> {
        let slot = self.running.get_mut(place)?;
        let (visit, bell) = slot.as_mut()?;
        bell.is_rung.store(false, Ordering::Release);
        let waker = Waker::from(bell.clone());
        let Poll::Ready(ended) = visit.as_mut().poll(&mut Context::from_waker(&waker)) else {
            return None;
        };
        // A bell that outlives its visit rings for nobody, and not for the next one in its place.
        bell.is_rung.store(true, Ordering::Release);
        *slot = None;
        self.free.push(place);
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn ended(number: usize) -> Ended {
        Err(Error::new(ErrorKind::Bug, number.to_string()))
    }

    fn number(ended: Ended) -> usize {
        ended.err().unwrap().to_string().parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_visit_ends_once_in_the_order_of_their_ends() {
        let mut visits = Visits::default();
        for number in 0..200 {
            let pause = std::time::Duration::from_millis(200 - number as u64);
            visits.start(async move {
                tokio::time::sleep(pause).await; // paced: virtual time
                tokio::task::yield_now().await;
                ended(number)
            });
        }
        visits.start(async { ended(1_000) });
        assert_eq!(visits.len(), 201);
        assert_eq!(number(visits.next().await), 1_000);
        for expected in (0..200).rev() {
            assert_eq!(number(visits.next().await), expected);
        }
        assert!(visits.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn visits_go_on_beside_something_else_and_are_kept() {
        let mut visits = Visits::default();
        for number in 0..3 {
            visits.start(async move {
                let pause = std::time::Duration::from_secs(number as u64);
                tokio::time::sleep(pause).await; // paced: virtual time
                ended(number)
            });
        }
        let pause = std::time::Duration::from_millis(1_500);
        let pause = tokio::time::sleep(pause); // paced: virtual time
        visits.beside(pause).await;
        assert_eq!(visits.len(), 3);
        assert_eq!(visits.ended.len(), 2);
        assert_eq!(number(visits.next().await), 0);
        assert_eq!(number(visits.next().await), 1);
        assert_eq!(number(visits.next().await), 2);
    }

    #[test]
    fn a_bell_that_outlives_its_visit_wakes_no_other() {
        let mut visits = Visits::default();
        let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
        let waker = kept.clone();
        let mut is_first = true;
        visits.start(poll_fn(move |cx| {
            *waker.lock().unwrap() = Some(cx.waker().clone());
            match std::mem::replace(&mut is_first, false) {
                true => Poll::Pending,
                false => Poll::Ready(ended(1)),
            }
        }));
        let ring = || kept.lock().unwrap().as_ref().unwrap().wake_by_ref();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(visits.poll_next(&mut cx).is_pending());
        ring();
        assert!(visits.poll_next(&mut cx).is_ready());
        visits.start(std::future::pending());
        ring();
        assert!(visits.woken.queue().places.is_empty());
    }
}
