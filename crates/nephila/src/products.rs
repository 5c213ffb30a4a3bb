//! Memory for what pages came to: rows and outlinks on their way to the committer.
//!
//! A page of two kilobytes can name a hundred thousand links. What it comes to is known only when it
//! is made, and it is made in one go: so room is not asked for, it is counted, and the next page
//! waits until enough of it has gone its way. At most the room is exceeded by one page a thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes on their way, beyond which no page is looked into.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What is on its way, over all threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bytes: AtomicUsize,
    less: Notify,
}

/// A part of it; gone when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    inner: Arc<Inner>,
    bytes: usize,
}

impl Products {
    /// Whether there is room to make more.
    pub(crate) fn has_room(&self) -> bool {
        self.0.bytes.load(Ordering::Acquire) < MOST_BYTES
    }

    /// Waits until there is room to make more.
    pub(crate) async fn enter(&self) {
        loop {
            let less = self.0.less.notified();
            if self.has_room() {
                return;
            }
            less.await;
        }
    }

    /// Counts what was made.
    pub(crate) fn hold(&self, bytes: usize) -> Held {
        self.0.bytes.fetch_add(bytes, Ordering::AcqRel);
        Held {
            inner: self.0.clone(),
            bytes,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let before = self.inner.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        if before >= MOST_BYTES {
            self.inner.less.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn the_next_page_waits_until_enough_has_gone() {
        let products = Products::default();
        let (small, large) = (products.hold(10), products.hold(MOST_BYTES));
        let mut context = Context::from_waker(Waker::noop());
        let mut entering = pin!(products.enter());
        assert!(entering.as_mut().poll(&mut context).is_pending());
        drop(small);
        assert!(entering.as_mut().poll(&mut context).is_pending());
        drop(large);
        assert_eq!(entering.as_mut().poll(&mut context), Poll::Ready(()));
    }
}
