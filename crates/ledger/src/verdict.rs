//! The verdict: what limits a crawl.

use serde::{Deserialize, Serialize};

use crate::state::State;
use crate::window::{Spent, Window, share_of};

/// What limits a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The delay between two fetches of a host.
    Politeness,
    /// The other side's latency, at this many fetches in flight.
    RemoteLatency,
    /// The way from the net, which is full.
    Bandwidth,
    /// This crawler's own work.
    OwnCpu,
    /// The user's callback.
    Callback,
    /// The outputs: disk, or whoever takes the rows.
    Sink,
    /// Nothing is left to fetch until pages in flight give links.
    Discovery,
    /// Another process has the processors.
    OtherProcess,
}

impl Limit {
    /// All of them, in their order.
    pub const ALL: [Limit; 8] = [
        Limit::Politeness,
        Limit::RemoteLatency,
        Limit::Bandwidth,
        Limit::OwnCpu,
        Limit::Callback,
        Limit::Sink,
        Limit::Discovery,
        Limit::OtherProcess,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Limit::Politeness => "politeness",
            Limit::RemoteLatency => "remote_latency",
            Limit::Bandwidth => "bandwidth",
            Limit::OwnCpu => "own_cpu",
            Limit::Callback => "callback",
            Limit::Sink => "sink",
            Limit::Discovery => "discovery",
            Limit::OtherProcess => "other_process",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Limit::Politeness => "politeness",
            Limit::RemoteLatency => "remote latency",
            Limit::Bandwidth => "bandwidth",
            Limit::OwnCpu => "own CPU",
            Limit::Callback => "the callback",
            Limit::Sink => "the sink",
            Limit::Discovery => "discovery",
            Limit::OtherProcess => "another process",
        }
    }
}

/// From this share of its time on a thread, or a processor, is at its limit: what is left is the pauses
/// between bursts.
const SATURATED: f64 = 0.85;
/// Share of the processors' time from which on there is none to be had.
const FULL: f64 = 0.97;
/// A page takes so many times as long on a thread as on a processor where others are in the way.
const CROWDED: f64 = 1.25;
/// Share of the processors from which on others count as being in the way.
const OTHERS: f64 = 0.2;
/// More bodies bring hardly more bytes below this elasticity (see [`crate::LinkSamples`]).
const FULL_WAY: f64 = 0.35;
/// Share of the waiting for the other side that bodies take when the way is full.
const BODIES: f64 = 0.3;

/// What limits a run, over a stretch of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The limit.
    pub limit: Limit,
    /// How much speaks for it: the share, 0 to 1, of the time or of the slots that it takes.
    pub share: f64,
}

impl Verdict {
    /// Of a stretch; `None` where nothing was done in it.
    pub fn of(window: &Window) -> Option<Verdict> {
        if window.loops <= 0.0 || window.seconds <= 0.0 {
            return None;
        }
        let working = window.loop_share(Spent::Working);
        let processors = window.own_processors() + window.others_processors();
        let is_crowded = is_crowded(window);
        // Full of others' work alone they may be, where this one hardly asks for any.
        let is_full = processors >= FULL && (working >= 0.5 || window.own_processors() >= 0.5);
        if working >= SATURATED || is_full {
            let verdict = |limit| {
                Some(Verdict {
                    limit,
                    share: working.max(processors.min(1.0)),
                })
            };
            return match (is_crowded, callback_of_work(window) >= 0.5) {
                (true, _) => verdict(Limit::OtherProcess),
                (false, true) => verdict(Limit::Callback),
                (false, false) => verdict(Limit::OwnCpu),
            };
        }
        let waits = [
            (Limit::Politeness, window.loop_share(Spent::Politeness)),
            (Limit::Discovery, window.loop_share(Spent::Discovery)),
            (Limit::Sink, window.loop_share(Spent::Sink)),
            (Limit::RemoteLatency, window.loop_share(Spent::SlotsTaken)),
        ];
        let most = waits.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        match most {
            (_, share) if share <= 0.0 => None,
            (Limit::RemoteLatency, share) => Some(of_slots(window, share, is_crowded)),
            // What is in flight would give links, and is held up here.
            (Limit::Discovery, share) if !is_remote(in_slots(window).0) => {
                Some(of_slots(window, share, is_crowded))
            }
            (limit, share) => Some(Verdict { limit, share }),
        }
    }
}

/// What those wait for that have all slots.
fn of_slots(window: &Window, share: f64, is_crowded: bool) -> Verdict {
    let (limit, part) = in_slots(window);
    let limit = match limit {
        Limit::OwnCpu if is_crowded => Limit::OtherProcess,
        other => other,
    };
    match limit {
        Limit::RemoteLatency => Verdict { limit, share },
        _ => Verdict {
            limit,
            share: share * part,
        },
    }
}

/// What visits with a slot spend most of their time on, and its share.
fn in_slots(window: &Window) -> (Limit, f64) {
    let with_slot = State::ALL.into_iter().filter(|state| state.has_slot());
    let all: f64 = with_slot.map(|state| window.state(state)).sum();
    let way = match is_way_full(window) {
        true => Limit::Bandwidth,
        false => Limit::RemoteLatency,
    };
    let parts = [
        (way, window.network()),
        (
            Limit::OwnCpu,
            window.state(State::CpuWait) + window.state(State::Compute),
        ),
        (Limit::Callback, window.state(State::Callback)),
        (Limit::Sink, window.state(State::SinkWait)),
    ];
    let most = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let (limit, seconds) = most.unwrap_or((way, 0.0));
    (limit, share_of(seconds, all))
}

fn is_remote(limit: Limit) -> bool {
    matches!(limit, Limit::RemoteLatency | Limit::Bandwidth)
}

/// Whether the bodies that come share one way that is full.
pub(crate) fn is_way_full(window: &Window) -> bool {
    let bodies = share_of(window.state(State::Body), window.network());
    let elasticity = window.link.elasticity();
    bodies >= BODIES && elasticity.is_some_and(|elasticity| elasticity < FULL_WAY)
}

/// Whether threads wait for processors that others have.
fn is_crowded(window: &Window) -> bool {
    let working = window.loop_seconds.first().copied().unwrap_or(0.0);
    window.others_processors() >= OTHERS && working > window.loop_cpu_seconds * CROWDED
}

/// Share of the work of all threads that is the user's.
fn callback_of_work(window: &Window) -> f64 {
    let working = window.loop_seconds.first().copied().unwrap_or(0.0);
    share_of(
        window.callback_cpu_seconds,
        working + window.worker_seconds + window.callback_cpu_seconds,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds of one thread that did this.
    fn window(spent: Spent, share: f64) -> Window {
        let mut window = Window {
            seconds: 10.0,
            loops: 10.0,
            processors: 20.0,
            slots: 640.0,
            slots_taken: 600.0,
            pages: 100.0,
            loop_cpu_seconds: 1.0,
            ..Window::default()
        };
        window.loop_seconds[spent as usize] += 10.0 * share;
        window.loop_seconds[Spent::Working as usize] += 10.0 * (1.0 - share);
        window.states[State::FirstByte as usize] = 500.0;
        window.states[State::Compute as usize] = 5.0;
        window
    }

    fn limit(window: &Window) -> Option<Limit> {
        Verdict::of(window).map(|verdict| verdict.limit)
    }

    #[test]
    fn each_wait_is_told_by_its_name() {
        let rows = [
            (Spent::SlotsTaken, Limit::RemoteLatency),
            (Spent::Politeness, Limit::Politeness),
            (Spent::Discovery, Limit::Discovery),
            (Spent::Sink, Limit::Sink),
        ];
        for (spent, expected) in rows {
            assert_eq!(limit(&window(spent, 0.9)), Some(expected), "{spent:?}");
        }
        assert_eq!(Verdict::of(&Window::default()), None);
    }

    #[test]
    fn a_thread_that_works_is_limited_by_what_it_works_at() {
        let mut working = window(Spent::Working, 1.0);
        working.loop_cpu_seconds = 9.5;
        working.cpu_seconds = 10.0;
        assert_eq!(limit(&working), Some(Limit::OwnCpu));
        working.callback_cpu_seconds = 12.0;
        assert_eq!(limit(&working), Some(Limit::Callback));
        working.callback_cpu_seconds = 0.0;
        working.loop_cpu_seconds = 5.0;
        working.others_cpu_seconds = 10.0;
        assert_eq!(limit(&working), Some(Limit::OtherProcess));
    }

    #[test]
    fn full_slots_are_told_apart_by_what_the_visits_wait_for() {
        let mut full = window(Spent::SlotsTaken, 0.9);
        full.states[State::Callback as usize] = 5_000.0;
        assert_eq!(limit(&full), Some(Limit::Callback));
        full.states[State::SinkWait as usize] = 9_000.0;
        assert_eq!(limit(&full), Some(Limit::Sink));
        full.states[State::Body as usize] = 20_000.0;
        assert_eq!(limit(&full), Some(Limit::RemoteLatency), "slow servers");
        for bodies in 1..40 {
            full.link.note(f64::from(bodies), 1e6);
        }
        assert_eq!(limit(&full), Some(Limit::Bandwidth));
    }
}
