//! A run as a network of queues, and what would change it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::network::{Network, Station};
use crate::state::State;
use crate::verdict::{Limit, is_way_full};
use crate::window::{Window, share_of};

/// The squared coefficient of variation that the work of a page is taken to have. Pages differ, but a thread
/// works on many of them in turn.
const VARIATION: f64 = 0.5;
/// The committer is the limit where it works for this share of the time.
const SINK_SATURATED: f64 = 0.9;
/// What a prediction may be off by before anything else is counted, for what no model has in it.
const LEAST_DOUBT: f64 = 0.04;

/// Something that may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change", content = "times")]
pub enum Change {
    /// All of this crawler's work takes so many times less.
    CpuFaster(f64),
    /// So many cores more, each with a thread that fetches.
    MoreCores(f64),
    /// So many times the slots.
    MoreSlots(f64),
    /// So many times less latency.
    LatencyLower(f64),
    /// So many times less delay between two fetches of a host.
    DelayLower(f64),
    /// So many times the hosts.
    MoreHosts(f64),
    /// So many times the bandwidth.
    BandwidthHigher(f64),
    /// The outputs take so many times less.
    DiskFaster(f64),
    /// The callback takes so many times less.
    CallbackFaster(f64),
}

impl Change {
    /// Those of the table, in its order.
    pub const TABLE: [Change; 9] = [
        Change::CpuFaster(2.0),
        Change::CpuFaster(10.0),
        Change::MoreCores(1.0),
        Change::MoreSlots(2.0),
        Change::LatencyLower(2.0),
        Change::DelayLower(2.0),
        Change::MoreHosts(2.0),
        Change::BandwidthHigher(2.0),
        Change::DiskFaster(2.0),
    ];
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |times: f64| match times {
            times if (times - 2.0).abs() < 1e-9 => "twice".to_owned(),
            times if (times - 10.0).abs() < 1e-9 => "ten times".to_owned(),
            times => format!("{times:.1} times"),
        };
        let less = |by: f64| match by {
            by if (by - 2.0).abs() < 1e-9 => "half".to_owned(),
            by => format!("1/{by:.1} of"),
        };
        match *self {
            Change::CpuFaster(by) => write!(formatter, "CPU {} as fast", times(by)),
            Change::MoreCores(by) if (by - 1.0).abs() < 1e-9 => write!(formatter, "one core more"),
            Change::MoreCores(by) => write!(formatter, "{by:.0} cores more"),
            Change::MoreSlots(by) => write!(formatter, "{} the slots", times(by)),
            Change::LatencyLower(by) => write!(formatter, "{} the latency", less(by)),
            Change::DelayLower(by) => write!(formatter, "{} the delay of a host", less(by)),
            Change::MoreHosts(by) => write!(formatter, "{} the hosts", times(by)),
            Change::BandwidthHigher(by) => write!(formatter, "{} the bandwidth", times(by)),
            Change::DiskFaster(by) => write!(formatter, "outputs {} as fast", times(by)),
            Change::CallbackFaster(by) => write!(formatter, "callback {} as fast", times(by)),
        }
    }
}

/// What a change would bring.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The change.
    #[serde(flatten)]
    pub change: Change,
    /// Pages a second with it.
    pub pages_per_second: f64,
    /// At least, and at most: what is in between differs by what a mean does not tell.
    pub least: f64,
    /// See [`Prediction::least`].
    pub most: f64,
}

/// A run as a network of queues, made from what was measured of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    network: Network,
    /// Pages a second that were measured.
    measured: f64,
    /// Measured over computed: what the network does not have in it.
    factor: f64,
    /// Seconds of the processors for a page in the callback.
    callback_cpu_seconds: f64,
    /// Whether hosts have more to fetch than they are fetched now.
    is_held_back: bool,
}

impl Model {
    /// `None` where too little happened to say anything.
    pub fn of(window: &Window) -> Option<Model> {
        const FEWEST_PAGES: f64 = 10.0;
        if window.pages < FEWEST_PAGES || window.seconds <= 0.0 || window.loops <= 0.0 {
            return None;
        }
        let a_page = |sum: f64| sum / window.pages;
        let mean = |sum: f64| sum / window.seconds;
        // What a thread waited for a processor is the processors' to tell.
        let working = window.loop_seconds.first().copied().unwrap_or(0.0);
        let working = (working - window.loop_ready_seconds).max(window.loop_cpu_seconds);
        let callback = window.callback_seconds - window.callback_ready_seconds;
        let callback = callback.max(window.callback_cpu_seconds);
        let is_full = is_way_full(window);
        let body = if is_full {
            window.state(State::Body)
        } else {
            0.0
        };
        let link = match is_full {
            true => Station {
                servers: 1.0,
                seconds: share_of(a_page(window.wire_bytes), window.link.usual_rate()),
                is_shared: true,
            },
            false => Station::FREE,
        };
        let sink_seconds = sink_seconds(window);
        let slots = mean(window.slots).max(1.0);
        let network = Network {
            turns: mean(window.turns).max(mean(window.slots_taken)).max(1.0),
            pause_seconds: a_page(window.state(State::Politeness)),
            slots,
            remote_seconds: a_page((window.network() - body).max(0.0)),
            loops: Station {
                servers: mean(window.loops),
                seconds: a_page(working),
                is_shared: false,
            },
            workers: Station {
                servers: mean(window.workers).max(1.0),
                seconds: a_page(window.worker_seconds),
                is_shared: true,
            },
            callback: Station {
                servers: mean(window.handlers).max(1.0),
                seconds: a_page(callback),
                is_shared: true,
            },
            link,
            processors: Station {
                servers: (mean(window.processors) - mean(window.others_cpu_seconds)).max(0.1),
                seconds: a_page(window.cpu_seconds),
                is_shared: true,
            },
            sink: Station {
                servers: 1.0,
                seconds: a_page(sink_seconds),
                is_shared: true,
            },
            variation: VARIATION,
        };
        let measured = window.pages_per_second();
        let computed = network.throughput();
        Some(Model {
            factor: share_of(measured, computed),
            measured,
            network,
            callback_cpu_seconds: a_page(window.callback_cpu_seconds),
            is_held_back: window.state(State::Politeness) > 0.0 || mean(window.queued) >= 1.0,
        })
    }

    /// The crossover: fetches in flight at which the processors become the limit.
    pub fn crossover(&self) -> f64 {
        self.network.crossover()
    }

    /// Measured over computed, as the run was: 1 is a model that has all in it.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// What each limit would let through if there was no other, in pages a second; the lowest first.
    pub fn bounds(&self) -> Vec<(Limit, f64)> {
        let network = &self.network;
        let mut bounds = vec![
            (Limit::RemoteLatency, network.bound_by_slots()),
            (
                Limit::OwnCpu,
                network
                    .loops
                    .most()
                    .min(network.workers.most())
                    .min(network.processors.most()),
            ),
        ];
        let by_turns = match self.is_held_back {
            true => Limit::Politeness,
            false => Limit::Discovery,
        };
        bounds.push((by_turns, network.bound_by_turns()));
        let stations = [
            (Limit::Callback, network.callback),
            (Limit::Bandwidth, network.link),
            (Limit::Sink, network.sink),
        ];
        let used = stations
            .into_iter()
            .filter(|(_, station)| station.seconds > 0.0);
        bounds.extend(used.map(|(limit, station)| (limit, station.most())));
        bounds.sort_by(|a, b| a.1.total_cmp(&b.1));
        bounds
    }

    /// What a change would bring.
    pub fn predict(&self, change: Change) -> Prediction {
        let changed = self.changed(change);
        let usual = (changed.throughput() * self.factor).min(self.bound_of(&changed));
        // Exponential work waits the longest, even work the shortest.
        let slow = Network {
            variation: 1.0,
            ..changed.clone()
        }
        .throughput();
        let fast = Network {
            variation: 0.0,
            ..changed.clone()
        }
        .throughput();
        let doubt = LEAST_DOUBT + (1.0 - self.factor).abs() / 2.0;
        Prediction {
            change,
            pages_per_second: usual,
            least: (slow * self.factor.min(1.0)).min(usual) * (1.0 - doubt).max(0.0),
            most: (fast * self.factor.max(1.0)).max(usual) * (1.0 + doubt),
        }
    }

    /// The table of predictions.
    pub fn what_if(&self) -> Vec<Prediction> {
        Change::TABLE
            .into_iter()
            .map(|change| self.predict(change))
            .collect()
    }

    /// Pages a second that were measured.
    pub fn pages_per_second(&self) -> f64 {
        self.measured
    }

    /// The same run with other slots, as it would be computed.
    pub fn with_slots(&self, slots: f64) -> f64 {
        let network = Network {
            slots,
            ..self.network.clone()
        };
        network.throughput() * self.factor
    }

    /// What the bounds of a changed network let through; one that was passed as it is was too low by so much.
    fn bound_of(&self, changed: &Network) -> f64 {
        let bounds = changed.bounds().into_iter().zip(self.network.bounds());
        let raised = bounds.map(|(bound, before)| bound * (self.measured / before).max(1.0));
        raised.fold(f64::INFINITY, f64::min)
    }

    fn changed(&self, change: Change) -> Network {
        let mut network = self.network.clone();
        match change {
            Change::CpuFaster(by) => {
                network.loops.seconds /= by;
                network.workers.seconds /= by;
                network.processors.seconds /= by;
                // What it waits for is no faster.
                let waiting = (network.callback.seconds - self.callback_cpu_seconds).max(0.0);
                network.callback.seconds = waiting + (network.callback.seconds - waiting) / by;
            }
            Change::MoreCores(by) => {
                network.processors.servers += by;
                network.loops.servers += by;
                network.workers.servers += by;
                network.callback.servers += by;
            }
            Change::MoreSlots(by) => network.slots *= by,
            Change::LatencyLower(by) => network.remote_seconds /= by,
            Change::DelayLower(by) => network.pause_seconds /= by,
            Change::MoreHosts(by) => network.turns *= by,
            Change::BandwidthHigher(by) => network.link.seconds /= by,
            Change::DiskFaster(by) => network.sink.seconds /= by,
            Change::CallbackFaster(by) => {
                let own = network.processors.seconds - self.callback_cpu_seconds;
                network.processors.seconds = own.max(0.0) + self.callback_cpu_seconds / by;
                network.callback.seconds /= by;
            }
        }
        network
    }
}

/// For how long the committer worked, as far as it works longer for more pages.
fn sink_seconds(window: &Window) -> f64 {
    match window.sink_busy() >= SINK_SATURATED {
        true => window.sink_seconds,
        // A sync serves all that waits for it: more pages do not make more of them.
        false => (window.sink_seconds - window.sync_seconds).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Spent;

    /// A minute at 100 pages a second: 0.2 s of the other side and 1 ms of work for a page.
    fn window(slots: f64) -> Window {
        let pages = 6_000.0;
        let mut window = Window {
            seconds: 60.0,
            pages,
            visits: pages,
            slots: slots * 60.0,
            slots_taken: pages * 0.201,
            turns: 60.0 * 1_000.0,
            loops: 60.0,
            processors: 120.0,
            loop_cpu_seconds: pages * 0.001,
            cpu_seconds: pages * 0.0011,
            ..Window::default()
        };
        window.states[State::FirstByte as usize] = pages * 0.2;
        window.loop_seconds[Spent::Working as usize] = pages * 0.001;
        window.loop_seconds[Spent::SlotsTaken as usize] = 60.0 - pages * 0.001;
        window
    }

    fn gain(model: &Model, change: Change) -> f64 {
        model.predict(change).pages_per_second / model.pages_per_second()
    }

    #[test]
    fn while_it_waits_slots_and_latency_count_and_cpu_does_not() {
        let model = Model::of(&window(20.1)).unwrap();
        assert!((model.factor() - 1.0).abs() < 0.02, "{}", model.factor());
        assert!(gain(&model, Change::CpuFaster(10.0)) < 1.02);
        assert!((gain(&model, Change::MoreSlots(2.0)) - 2.0).abs() < 0.05);
        assert!((gain(&model, Change::LatencyLower(2.0)) - 2.0).abs() < 0.05);
        assert!((gain(&model, Change::DelayLower(2.0)) - 1.0).abs() < 1e-9);
        assert!(
            (model.crossover() - 182.0).abs() < 20.0,
            "{}",
            model.crossover()
        );
    }

    #[test]
    fn the_bounds_name_the_limit_and_the_next_one() {
        let bounds = Model::of(&window(20.1)).unwrap().bounds();
        assert_eq!(bounds[0].0, Limit::RemoteLatency);
        assert_eq!(bounds[1].0, Limit::OwnCpu);
    }

    #[test]
    fn every_prediction_is_within_its_range() {
        let model = Model::of(&window(20.1)).unwrap();
        for prediction in model.what_if() {
            assert!(
                prediction.least <= prediction.pages_per_second,
                "{prediction:?}"
            );
            assert!(
                prediction.most >= prediction.pages_per_second,
                "{prediction:?}"
            );
        }
    }

    #[test]
    fn little_tells_nothing() {
        assert_eq!(Model::of(&Window::default()), None);
    }
}
