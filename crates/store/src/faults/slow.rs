//! A disk that writes no faster than it is told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{ASKED, Act};

/// Nanoseconds that a byte takes; 0 is as fast as the disk is.
static NANOS_A_BYTE: AtomicU64 = AtomicU64::new(0);

/// From now on every write of this process takes as long as on a disk of so many bytes a second. For
/// measurements of what a slow disk does to a crawl.
pub fn slow_disk(bytes_per_second: u64) {
    let nanos = 1_000_000_000 / bytes_per_second.max(1);
    NANOS_A_BYTE.store(nanos.max(1), Ordering::Relaxed);
    ASKED.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn before(act: Act<'_>) {
    let nanos = NANOS_A_BYTE.load(Ordering::Relaxed);
    if let (Act::Write(_, _, bytes), true) = (act, nanos > 0) {
        std::thread::sleep(Duration::from_nanos(
            nanos.saturating_mul(bytes.len() as u64),
        ));
    }
}
