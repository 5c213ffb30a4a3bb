//! A crawl as a closed network of queues, and what passes through it.
//!
//! What goes round are *turns*: the rights to fetch a host. A turn waits for its host's delay, takes a slot,
//! waits for the other side, is worked on, and goes round again. The slots bound how many are inside at once.
//!
//! Sources: P. J. Denning and J. P. Buzen, "The Operational Analysis of Queueing Network Models", Computing
//! Surveys 10(3), 1978 (utilisation law, Little's law, asymptotic bounds); M. Reiser and S. S. Lavenberg,
//! "Mean-Value Analysis of Closed Multichain Queueing Networks", JACM 27(2), 1980; A. Seidmann, P. J.
//! Schweitzer and S. Shalev-Oren, "Computerized Closed Queueing Network Models of Flexible Manufacturing
//! Systems", Large Scale Systems 12, 1987 (stations with several servers); K. M. Chandy, U. Herzog and L. Woo,
//! "Parametric Analysis of Queuing Networks", IBM JRD 19(1), 1975 (the inside as one station of the outside).

use serde::{Deserialize, Serialize};

/// Customers up to which the inside is computed one by one; beyond, it gives what it gives with so many.
const MOST_INSIDE: usize = 20_000;
/// Turns up to which the outside is computed state by state; beyond, as a fluid.
const MOST_STATES: f64 = 4_096.0;

/// A station of several equal servers: what one page takes of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// Servers; less than one where others have a part of it.
    pub servers: f64,
    /// Seconds of one server for a page.
    pub seconds: f64,
    /// Whether a page may take any server. Otherwise each server has its own queue, as each shard has its
    /// own hosts.
    pub is_shared: bool,
}

impl Station {
    /// One that takes no time.
    pub const FREE: Station = Station {
        servers: 1.0,
        seconds: 0.0,
        is_shared: true,
    };

    /// The most that can pass, in pages a second (utilisation law, at a utilisation of 1).
    pub fn most(&self) -> f64 {
        self.servers / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// A crawl in figures; all for one page in the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Turns that go round: hosts with something to fetch, or what may be fetched at once of fewer hosts.
    pub turns: f64,
    /// Seconds that a turn rests for politeness.
    pub pause_seconds: f64,
    /// Slots: turns that may be inside at once.
    pub slots: f64,
    /// Seconds that the other side takes, whatever happens here.
    pub remote_seconds: f64,
    /// Where pages are fetched, decompressed and parsed.
    pub loops: Station,
    /// Where large bodies are parsed.
    pub workers: Station,
    /// Where the user's callback runs.
    pub callback: Station,
    /// The way from the net: seconds of it that a page takes.
    pub link: Station,
    /// The processors: all that a page costs, on whatever thread.
    pub processors: Station,
    /// The way to the outputs; a page has given its slot back when it goes there.
    pub sink: Station,
    /// How irregular the work of a page is: the squared coefficient of variation of its time. 1 is the
    /// exponential distribution of the textbooks, 0 a constant.
    pub variation: f64,
}

impl Network {
    /// Pages a second, by mean value analysis.
    pub fn throughput(&self) -> f64 {
        let turns = self.turns.max(1.0);
        let inside = self.inside(turns.min(self.slots.max(1.0)));
        let through = if self.pause_seconds <= 0.0 {
            between(&inside, turns.min(self.slots.max(1.0)))
        } else if turns > MOST_STATES {
            self.fluid(&inside, turns)
        } else {
            let (less, more) = (turns.floor(), turns.ceil());
            let part = turns - less;
            self.outside(&inside, less) * (1.0 - part) + self.outside(&inside, more) * part
        };
        // With work more even than exponential the means may say a little more than any bound lets through.
        through.min(self.bound())
    }

    /// The most that any bound allows: `min(N / R, 1 / Dmax)`.
    pub fn bound(&self) -> f64 {
        self.bounds().into_iter().fold(f64::INFINITY, f64::min)
    }

    /// What each of them lets through by itself.
    pub fn bounds(&self) -> [f64; 8] {
        [
            self.bound_by_slots(),
            self.bound_by_turns(),
            self.loops.most(),
            self.workers.most(),
            self.callback.most(),
            self.link.most(),
            self.processors.most(),
            self.sink.most(),
        ]
    }

    /// What all slots give when nothing waits for anything here (Little's law).
    pub fn bound_by_slots(&self) -> f64 {
        self.slots.max(1.0) / self.alone_seconds()
    }

    /// What all turns give when nothing waits but for politeness.
    pub fn bound_by_turns(&self) -> f64 {
        self.turns.max(1.0) / (self.alone_seconds() + self.pause_seconds)
    }

    /// The crossover: the slots at which the processors become the limit.
    pub fn crossover(&self) -> f64 {
        let most = self
            .loops
            .most()
            .min(self.workers.most())
            .min(self.callback.most())
            .min(self.processors.most());
        most * self.alone_seconds()
    }

    /// Seconds that a page is inside when it is alone there.
    fn alone_seconds(&self) -> f64 {
        let work = [self.loops, self.workers, self.callback, self.link];
        let work: f64 = work.iter().map(|station| station.seconds).sum();
        (self.remote_seconds + work).max(f64::MIN_POSITIVE)
    }

    /// Pages a second with 0, 1, 2 ... turns inside, as far as needed.
    fn inside(&self, most: f64) -> Vec<f64> {
        let most = (most.ceil() as usize).clamp(1, MOST_INSIDE);
        let stations = [self.loops, self.workers, self.callback, self.link];
        let mut queues = [Queue::default(); 4];
        let mut given = Vec::with_capacity(most + 1);
        given.push(0.0);
        for turns in 1..=most {
            let mut times = [0.0; 4];
            for ((time, queue), station) in times.iter_mut().zip(&queues).zip(&stations) {
                *time = queue.time(station, self.variation);
            }
            let through =
                turns as f64 / (self.remote_seconds + times.iter().sum::<f64>()).max(1e-9);
            for ((queue, time), station) in queues.iter_mut().zip(times).zip(&stations) {
                queue.note(station, through, time);
            }
            given.push(through);
        }
        given
    }

    /// With `turns` that pause outside: the inside as one station that is as fast as what is in it.
    fn outside(&self, inside: &[f64], turns: f64) -> f64 {
        let turns = turns.max(1.0) as usize;
        // The weight of each number of turns that are not pausing, from none to all; scaled as they grow.
        let (mut weight, mut sum, mut given) = (1.0_f64, 1.0_f64, 0.0_f64);
        for present in 1..=turns {
            let through = between(inside, (present as f64).min(self.slots.max(1.0)));
            let coming = (turns - present + 1) as f64 / self.pause_seconds;
            weight *= coming / through.max(1e-9);
            if weight > 1e200 {
                (sum, given, weight) = (sum / weight, given / weight, 1.0);
            }
            sum += weight;
            given += weight * through;
        }
        given / sum
    }

    /// With so many turns that chance does not count: those that are inside are those that do not pause.
    fn fluid(&self, inside: &[f64], turns: f64) -> f64 {
        let slots = self.slots.max(1.0);
        let (mut least, mut most) = (0.0, turns);
        for _ in 0..60 {
            let present = (least + most) / 2.0;
            let through = between(inside, present.min(slots));
            match present + through * self.pause_seconds > turns {
                true => most = present,
                false => least = present,
            }
        }
        between(inside, least.min(slots))
    }
}

/// What stands at a station in the mean.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    /// Pages at each of its queues, the one that is worked on included.
    length: f64,
    /// Share of the time that each of its servers works.
    busy: f64,
}

impl Queue {
    /// Seconds that one more page is there: its own work, that of those before it, and the rest of what is
    /// worked on, which is half of its time if all are equal, and all of it if they are exponential.
    fn time(&self, station: &Station, variation: f64) -> f64 {
        let servers = station.servers.max(1.0);
        let rest = self.busy * (1.0 - variation.clamp(0.0, 1.0)) / 2.0;
        let waiting = (self.length - rest).max(0.0);
        match station.is_shared {
            true => station.seconds * (1.0 + waiting / servers),
            false => station.seconds * (1.0 + waiting),
        }
    }

    fn note(&mut self, station: &Station, through: f64, time: f64) {
        let servers = station.servers.max(1.0);
        self.busy = (through * station.seconds / servers).min(1.0);
        self.length = match station.is_shared {
            // Of Seidmann's two parts only one is a queue; in the other nothing waits.
            true => (through * (time - station.seconds * (servers - 1.0) / servers)).max(0.0),
            false => through * time / servers,
        };
    }
}

/// The value at a number of turns that need not be whole.
fn between(given: &[f64], turns: f64) -> f64 {
    let last = given.len().saturating_sub(1);
    let place = (turns.max(0.0) as usize).min(last);
    let at = |place: usize| given.get(place.min(last)).copied().unwrap_or(0.0);
    let part = (turns - place as f64).clamp(0.0, 1.0);
    at(place) * (1.0 - part) + at(place + 1) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        Network {
            turns: 1_000.0,
            pause_seconds: 0.0,
            slots: 64.0,
            remote_seconds: 0.2,
            loops: Station {
                servers: 1.0,
                seconds: 0.001,
                is_shared: false,
            },
            workers: Station::FREE,
            callback: Station::FREE,
            link: Station::FREE,
            processors: Station::FREE,
            sink: Station::FREE,
            variation: 1.0,
        }
    }

    /// The machine repairman's exact solution: one exponential server and `turns` that think.
    fn repairman(turns: usize, think: f64, work: f64) -> f64 {
        let mut weight = 1.0;
        let (mut sum, mut idle) = (1.0, 1.0);
        for present in 1..=turns {
            weight *= (turns - present + 1) as f64 * work / think;
            sum += weight;
            if weight > 1e100 {
                (sum, idle, weight) = (sum / weight, idle / weight, 1.0);
            }
        }
        (1.0 - idle / sum) / work
    }

    #[test]
    fn mean_value_analysis_is_exact_for_one_exponential_server() {
        for slots in [1.0, 2.0, 50.0, 190.0, 201.0, 220.0, 400.0] {
            let network = Network { slots, ..network() };
            let exact = repairman(slots as usize, 0.2, 0.001);
            let error = (network.throughput() - exact).abs() / exact;
            assert!(
                error < 1e-6,
                "{slots} slots: {} and {exact}",
                network.throughput()
            );
        }
    }

    #[test]
    fn no_bound_is_passed() {
        let variations = [0.0, 0.5, 1.0];
        let slots = [1.0, 10.0, 100.0, 200.0, 1_000.0];
        for (slots, variation) in slots
            .into_iter()
            .flat_map(|slots| variations.map(|of| (slots, of)))
        {
            for pause_seconds in [0.0, 0.5, 30.0] {
                let network = Network {
                    slots,
                    pause_seconds,
                    variation,
                    ..network()
                };
                assert!(network.throughput() <= network.bound() * (1.0 + 1e-9));
            }
        }
    }

    #[test]
    fn politeness_alone_is_turns_by_their_cycle() {
        let network = Network {
            turns: 20.0,
            pause_seconds: 1.0,
            slots: 1_000.0,
            ..network()
        };
        let ideal = 20.0 / 1.201;
        assert!((network.throughput() - ideal).abs() / ideal < 0.01);
    }

    #[test]
    fn many_turns_as_a_fluid_are_what_they_are_one_by_one() {
        let at = |turns| Network {
            turns,
            pause_seconds: 5.0,
            slots: 100.0,
            ..network()
        };
        let (states, fluid) = (at(MOST_STATES), at(MOST_STATES + 1.0));
        let (states, fluid) = (states.throughput(), fluid.throughput());
        assert!((states - fluid).abs() / states < 0.02, "{states} {fluid}");
    }

    #[test]
    fn regular_work_passes_the_crossover_nearer_to_its_bounds() {
        let at = |variation| {
            let slots = network().crossover();
            Network {
                slots,
                variation,
                ..network()
            }
            .throughput()
        };
        assert!(at(0.0) > at(1.0) && at(0.0) <= network().loops.most());
        assert!((network().crossover() - 201.0).abs() < 1e-9);
    }

    #[test]
    fn several_servers_give_as_much_as_they_are() {
        let workers = Station {
            servers: 4.0,
            seconds: 0.05,
            is_shared: true,
        };
        let network = Network {
            workers,
            ..network()
        };
        assert!((network.throughput() - 80.0).abs() < 1.0);
        let alone = Network {
            slots: 1.0,
            ..network
        };
        assert!((alone.throughput() - 1.0 / 0.251).abs() < 1e-6);
    }
}
