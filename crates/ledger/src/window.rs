//! What was measured over a stretch of a run.

use serde::{Deserialize, Serialize};

use crate::link::LinkSamples;
use crate::state::State;

/// What the thread of a shard does with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// It works.
    Working,
    /// It waits, and all slots are taken.
    SlotsTaken,
    /// It waits for a host's delay to pass; there are free slots.
    Politeness,
    /// It waits for pages in flight to give links; nothing is queued.
    Discovery,
    /// It waits for room on the way to the outputs.
    Sink,
    /// It waits for another shard, for a checkpoint, for a pause that was asked for, or for the end.
    Other,
}

impl Spent {
    /// All of them, in their order.
    pub const ALL: [Spent; 6] = [
        Spent::Working,
        Spent::SlotsTaken,
        Spent::Politeness,
        Spent::Discovery,
        Spent::Sink,
        Spent::Other,
    ];
}

/// A stretch of a run. Everything is a sum over it, so that stretches add up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// How long it is.
    pub seconds: f64,
    /// Pages that got their outcome.
    pub pages: f64,
    /// Visits that ended: pages, robots.txt, sitemaps, and what is tried again.
    pub visits: f64,
    /// Of these without an answer: failed, timed out.
    pub failures: f64,
    /// Of these answered by 429 or 503.
    pub throttled: f64,
    /// Bytes of bodies on the wire.
    pub wire_bytes: f64,
    /// Seconds that visits spent in each state of [`State::ALL`].
    pub states: [f64; State::ALL.len()],
    /// Slots, times seconds.
    pub slots: f64,
    /// Slots that were taken, times seconds.
    pub slots_taken: f64,
    /// Turns that go round (hosts with something to fetch or being fetched), times seconds.
    pub turns: f64,
    /// Hosts that might have been fetched at once, times seconds.
    pub ready: f64,
    /// URLs queued, times seconds.
    pub queued: f64,
    /// Threads that fetch, times seconds.
    pub loops: f64,
    /// What they did with it, in seconds, for each of [`Spent::ALL`].
    pub loop_seconds: [f64; Spent::ALL.len()],
    /// Their time on a processor.
    pub loop_cpu_seconds: f64,
    /// For how long they could have worked, and others had the processors.
    pub loop_ready_seconds: f64,
    /// The longest that one of them did not look at the network.
    pub longest_stall_seconds: f64,
    /// Threads beside that analyse large bodies, times seconds.
    pub workers: f64,
    /// For how long they worked.
    pub worker_seconds: f64,
    /// Threads that run the user's callback, times seconds; 0 without one.
    pub handlers: f64,
    /// For how long they were in it.
    pub callback_seconds: f64,
    /// Of it, on a processor.
    pub callback_cpu_seconds: f64,
    /// Of it, waiting for a processor.
    pub callback_ready_seconds: f64,
    /// Time on a processor of the whole process.
    pub cpu_seconds: f64,
    /// Of the other processes of the machine.
    pub others_cpu_seconds: f64,
    /// Processors that this process may use, times seconds.
    pub processors: f64,
    /// Seconds for which some task of the machine waited for a processor (Linux's pressure).
    pub pressure_seconds: f64,
    /// For how long the committer worked: wrote, synced.
    pub sink_seconds: f64,
    /// Of it, waiting for the disk.
    pub sync_seconds: f64,
    /// The way from the net.
    pub link: LinkSamples,
}

impl Window {
    /// Adds a stretch that follows, or one of another thread.
    pub fn add(&mut self, other: &Window) {
        self.combine(other, 1.0);
        self.longest_stall_seconds = self.longest_stall_seconds.max(other.longest_stall_seconds);
        self.link.add(&other.link);
    }

    /// What came since an earlier sum of the same things; the longest stall and the way from the net are as
    /// they are here.
    #[must_use]
    pub fn since(&self, earlier: &Window) -> Window {
        let mut since = self.clone();
        since.combine(earlier, -1.0);
        since
    }

    /// Adds so many times every sum of the other; none is under zero after it.
    fn combine(&mut self, other: &Window, times: f64) {
        let pairs = [
            (&mut self.seconds, other.seconds),
            (&mut self.pages, other.pages),
            (&mut self.visits, other.visits),
            (&mut self.failures, other.failures),
            (&mut self.throttled, other.throttled),
            (&mut self.wire_bytes, other.wire_bytes),
            (&mut self.slots, other.slots),
            (&mut self.slots_taken, other.slots_taken),
            (&mut self.turns, other.turns),
            (&mut self.ready, other.ready),
            (&mut self.queued, other.queued),
            (&mut self.loops, other.loops),
            (&mut self.loop_cpu_seconds, other.loop_cpu_seconds),
            (&mut self.loop_ready_seconds, other.loop_ready_seconds),
            (&mut self.workers, other.workers),
            (&mut self.worker_seconds, other.worker_seconds),
            (&mut self.handlers, other.handlers),
            (&mut self.callback_seconds, other.callback_seconds),
            (&mut self.callback_cpu_seconds, other.callback_cpu_seconds),
            (
                &mut self.callback_ready_seconds,
                other.callback_ready_seconds,
            ),
            (&mut self.cpu_seconds, other.cpu_seconds),
            (&mut self.others_cpu_seconds, other.others_cpu_seconds),
            (&mut self.processors, other.processors),
            (&mut self.pressure_seconds, other.pressure_seconds),
            (&mut self.sink_seconds, other.sink_seconds),
            (&mut self.sync_seconds, other.sync_seconds),
        ];
        let states = self.states.iter_mut().zip(other.states);
        let spent = self.loop_seconds.iter_mut().zip(other.loop_seconds);
        for (sum, more) in pairs.into_iter().chain(states).chain(spent) {
            *sum = (*sum + more * times).max(0.0);
        }
    }

    /// Seconds that visits spent in a state.
    pub fn state(&self, state: State) -> f64 {
        self.states.get(state as usize).copied().unwrap_or(0.0)
    }

    /// Seconds that visits waited for the other side.
    pub fn network(&self) -> f64 {
        let network = State::ALL.into_iter().filter(|state| state.is_network());
        network.map(|state| self.state(state)).sum()
    }

    /// Share of the loops' time, 0 to 1.
    pub fn loop_share(&self, spent: Spent) -> f64 {
        let seconds = self
            .loop_seconds
            .get(spent as usize)
            .copied()
            .unwrap_or(0.0);
        share(seconds, self.loops)
    }

    /// Pages a second.
    pub fn pages_per_second(&self) -> f64 {
        share_of(self.pages, self.seconds)
    }

    /// Share of the slots that were taken, 0 to 1.
    pub fn slots_busy(&self) -> f64 {
        share(self.slots_taken, self.slots)
    }

    /// Slots, in the mean.
    pub fn slot_count(&self) -> f64 {
        share_of(self.slots, self.seconds)
    }

    /// Fetches in flight, in the mean.
    pub fn in_flight(&self) -> f64 {
        share_of(self.slots_taken, self.seconds)
    }

    /// Share of the processors that this process used, 0 to 1.
    pub fn own_processors(&self) -> f64 {
        share(self.cpu_seconds, self.processors)
    }

    /// Share of the processors that others used, 0 to 1.
    pub fn others_processors(&self) -> f64 {
        share(self.others_cpu_seconds, self.processors)
    }

    /// Share of the time that the committer worked, 0 to 1.
    pub fn sink_busy(&self) -> f64 {
        share(self.sink_seconds, self.seconds)
    }

    /// Share of the time that the threads of the callback were in it, 0 to 1.
    pub fn handlers_busy(&self) -> f64 {
        share(self.callback_seconds, self.handlers)
    }

    /// Share of the time that the workers worked, 0 to 1.
    pub fn workers_busy(&self) -> f64 {
        share(self.worker_seconds, self.workers)
    }

    /// Bytes a second.
    pub fn bytes_per_second(&self) -> f64 {
        share_of(self.wire_bytes, self.seconds)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    share_of(part, whole).min(1.0)
}

/// 0 where there is no whole.
pub(crate) fn share_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).max(0.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_add_up() {
        let one = Window {
            seconds: 1.0,
            pages: 10.0,
            slots: 64.0,
            slots_taken: 32.0,
            states: [0.5; State::ALL.len()],
            longest_stall_seconds: 0.2,
            ..Window::default()
        };
        let mut both = one.clone();
        both.add(&Window {
            longest_stall_seconds: 0.1,
            ..one.clone()
        });
        assert_eq!(both.pages_per_second(), one.pages_per_second());
        assert_eq!(both.slots_busy(), 0.5);
        assert_eq!(both.state(State::Body), 1.0);
        assert_eq!(both.longest_stall_seconds, 0.2);
        assert_eq!(Window::default().slots_busy(), 0.0);
    }

    #[test]
    fn a_field_that_a_file_has_not_is_zero() {
        let window: Window = serde_json::from_str("{\"seconds\": 2.0}").unwrap();
        assert_eq!(window.seconds, 2.0);
        assert_eq!(window.pages, 0.0);
    }
}
