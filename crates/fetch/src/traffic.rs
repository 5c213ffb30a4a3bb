//! What comes from the net at this moment, over all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of bodies. Reading them costs the fetching nothing.
#[derive(Debug, Default)]
pub struct Traffic {
    bytes: AtomicU64,
    bodies: AtomicU64,
}

impl Traffic {
    /// Bytes of bodies that came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bodies that are being read.
    pub fn bodies(&self) -> u64 {
        self.bodies.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(self: &Arc<Traffic>) -> ComingBody {
        self.bodies.fetch_add(1, Ordering::Relaxed);
        ComingBody(Arc::clone(self))
    }
}

/// A body that is being read, until this is dropped.
pub(crate) struct ComingBody(Arc<Traffic>);

impl ComingBody {
    pub(crate) fn note(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for ComingBody {
    fn drop(&mut self) {
        self.0.bodies.fetch_sub(1, Ordering::Relaxed);
    }
}
