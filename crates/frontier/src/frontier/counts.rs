//! How much of everything there is.

use super::Frontier;
use crate::moment::Moment;
use crate::storage::{Overflow, Seen};

impl<S: Seen, O: Overflow> Frontier<S, O> {
    /// URLs that are still to be given out or are out now; when this is zero the shard is done.
    pub fn live(&self) -> usize {
        self.available + self.leases + self.dormant.urls()
    }

    /// URLs that wait, those held back by a host's page limit included.
    pub fn queued(&self) -> usize {
        self.available + self.held + self.dormant.urls()
    }

    /// Turns that go round: those that are leased, and those that wait for their host's time or for someone
    /// to take them.
    pub fn turns(&self) -> usize {
        self.leases + self.ready.len()
    }

    /// Turns that may be taken now. Looks at all that wait: for once in a second.
    pub fn ready(&self, now: Moment) -> usize {
        self.ready.iter().filter(|turn| turn.0.0 <= now).count()
    }

    /// Leases that are out.
    pub fn leases(&self) -> usize {
        self.leases
    }

    /// Hosts with something queued, waiting or leased, and hosts remembered.
    pub fn hosts(&self) -> usize {
        self.by_name.len() + self.dormant.hosts()
    }

    /// Bytes of queued URLs in memory.
    pub fn queue_memory_bytes(&self) -> usize {
        self.meter.used()
    }
}
