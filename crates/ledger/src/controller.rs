//! The controller: how many fetches may be in flight, found out while the crawl runs.
//!
//! It doubles the slots while the rate follows, and stops at the crossover: where the processors are busy, or
//! where more in flight only waits longer. What was enough follows from Little's law: the rate reached, times
//! what a visit took before visits were in one another's way. It begins anew when the rate or a visit's time
//! become others, and backs off when visits fail, when they take longer without more coming of it, and when
//! memory runs short.

use serde::{Deserialize, Serialize};

use crate::state::State;
use crate::window::{Spent, Window, share_of};

/// Why the slots are as many as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// The crawl began with so many.
    Beginning,
    /// The rate followed: with so many times the slots it is so many times as high.
    RateFollows {
        /// Times the slots.
        slots_times: f64,
        /// Times the rate.
        rate_times: f64,
    },
    /// Whether more bring more is being tried.
    Trying,
    /// More were tried and brought so many times the rate, which is not enough.
    NoMoreComes {
        /// Times the slots that were tried.
        slots_times: f64,
        /// Times the rate.
        rate_times: f64,
    },
    /// The processors are busy, for this share of the time.
    ProcessorsBusy {
        /// 0 to 1.
        share: f64,
    },
    /// Visits take so many times as long as before, and no more of them end.
    LatencyGrew {
        /// Times.
        times: f64,
    },
    /// This share of the visits fails.
    VisitsFail {
        /// 0 to 1.
        share: f64,
    },
    /// This share of the memory is taken.
    MemoryShort {
        /// 0 to 1.
        share: f64,
    },
    /// The most that may be: open files, or the option's own bound.
    AtMost,
}

/// A decision, as the ledger keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Seconds since the controller began.
    pub at_seconds: f64,
    /// Slots from then on.
    pub slots: usize,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
}

/// What is measured with so many slots.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measure {
    slots: f64,
    /// Visits a second.
    rate: f64,
    /// Seconds that a visit has its slot (Little's law).
    visit_seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// With the measure of before the last growth, if there was one.
    Growing(Option<Measure>),
    /// With what was measured when it settled, and how often in a row it was otherwise since.
    Settled(Option<Measure>, u32),
}

/// Finds out how many fetches may be in flight. It is given a window after the other, and knows no clock.
#[derive(Clone, Debug)]
pub struct Controller {
    slots: f64,
    most: f64,
    phase: Phase,
    gathered: Window,
    /// Seconds until what was in flight before the last change has ended.
    skip: f64,
    at: f64,
    next_try: f64,
    try_every: f64,
    /// The share of visits that fail whatever is done.
    failing_usually: f64,
}

/// It begins with so many.
const FIRST: usize = 64;
const LEAST: f64 = 8.0;
/// Visits, and seconds, that make a measure; it ends when there are as many of either.
const VISITS: f64 = 300.0;
const LONGEST: f64 = 2.5;
/// Slots are the limit from this share of them on.
const BUSY: f64 = 0.8;
/// A thread that fetches is at its limit from this share of its time on.
const SATURATED: f64 = 0.93;
/// Of what the rate could grow by it has to grow by this share.
const FOLLOWS: f64 = 0.5;
/// Below this share nothing came of it.
const IN_VAIN: f64 = 0.2;
/// What is kept beyond what Little's law says is enough: visits do not come evenly.
const ROOM: f64 = 1.25;
/// The same where the processors are the limit: what waits there costs memory, and nothing else.
const ROOM_BEFORE_PROCESSORS: f64 = 2.0;
const FIRST_TRY: f64 = 8.0;
const LONGEST_TRY: f64 = 60.0;

impl Controller {
    /// Begins; never goes beyond `most` slots.
    pub fn new(most: usize) -> Controller {
        Controller {
            slots: FIRST.min(most.max(1)) as f64,
            most: most.max(1) as f64,
            phase: Phase::Growing(None),
            gathered: Window::default(),
            skip: 1.0,
            at: 0.0,
            next_try: 0.0,
            try_every: FIRST_TRY,
            failing_usually: 0.0,
        }
    }

    /// The slots that it begins with.
    pub fn first(&self) -> Decision {
        self.decision(Reason::Beginning)
    }

    /// Takes what was measured since the last call; a decision where something is to change, or where it stands
    /// for another reason. `memory` is the share of the memory that is taken, 0 to 1.
    pub fn step(&mut self, window: &Window, memory: f64) -> Option<Decision> {
        const MEMORY: f64 = 0.9;
        self.at += window.seconds;
        if self.skip > 0.0 {
            self.skip -= window.seconds;
            return None;
        }
        self.gathered.add(window);
        if self.gathered.visits < VISITS && self.gathered.seconds < LONGEST {
            return None;
        }
        let gathered = std::mem::take(&mut self.gathered);
        if memory > MEMORY {
            return self.back_off(0.7, Reason::MemoryShort { share: memory });
        }
        self.trouble(&gathered).or_else(|| self.judge(&gathered))
    }

    /// Visits that fail more than usual.
    fn trouble(&mut self, gathered: &Window) -> Option<Decision> {
        const LEAST_FAILING: f64 = 0.05;
        const FEWEST: f64 = 20.0;
        let share = share_of(gathered.failures, gathered.visits);
        let usual = self.failing_usually;
        self.failing_usually += (share - usual) / 10.0;
        let is_more = share > LEAST_FAILING && share > usual * 3.0 && gathered.visits >= FEWEST;
        is_more
            .then(|| self.back_off(0.6, Reason::VisitsFail { share }))
            .flatten()
    }

    fn back_off(&mut self, times: f64, reason: Reason) -> Option<Decision> {
        self.phase = Phase::Settled(None, 0);
        self.next_try = self.at + self.try_every;
        self.change(self.slots * times, reason, 1.0)
    }

    fn judge(&mut self, gathered: &Window) -> Option<Decision> {
        let taken = gathered.slots_busy();
        let measure = Measure {
            slots: self.slots,
            rate: share_of(gathered.visits, gathered.seconds),
            visit_seconds: share_of(gathered.slots_taken, gathered.visits),
        };
        if taken < BUSY {
            // What was tried is not taken up, and tells nothing.
            self.phase = Phase::Settled(None, 0);
            self.next_try = self.at;
            return None;
        }
        let busy = gathered.loop_share(Spent::Working);
        let processors = gathered.own_processors() + gathered.others_processors();
        if busy >= SATURATED || (processors >= 0.97 && busy >= 0.5) {
            return self.before_processors(gathered, measure, busy.max(processors.min(1.0)));
        }
        match self.phase {
            Phase::Growing(None) => self.grow(measure, 2.0, Reason::Trying),
            Phase::Growing(Some(before)) => self.follow(before, measure),
            Phase::Settled(settled, changes) => self.watch(settled, changes, measure),
        }
    }

    /// The processors are the limit: as many slots as keep them busy, and some.
    fn before_processors(
        &mut self,
        gathered: &Window,
        measure: Measure,
        share: f64,
    ) -> Option<Decision> {
        self.phase = Phase::Settled(None, 0);
        self.next_try = self.at;
        let own =
            gathered.network() + gathered.state(State::Compute) + gathered.state(State::Callback);
        let enough = measure.rate * share_of(own, gathered.visits) * ROOM_BEFORE_PROCESSORS;
        let enough = enough.max(FIRST as f64);
        let reason = Reason::ProcessorsBusy { share };
        match measure.slots > enough * 1.5 {
            true => self.change(
                enough.max(measure.slots / 2.0),
                reason,
                measure.visit_seconds,
            ),
            false => None,
        }
    }

    fn grow(&mut self, measure: Measure, times: f64, reason: Reason) -> Option<Decision> {
        if measure.slots >= self.most {
            self.phase = Phase::Settled(Some(measure), 0);
            return self.change(self.most, Reason::AtMost, 0.0);
        }
        self.phase = Phase::Growing(Some(measure));
        self.change(measure.slots * times, reason, measure.visit_seconds)
    }

    /// Whether the rate followed the slots.
    fn follow(&mut self, before: Measure, now: Measure) -> Option<Decision> {
        let slots_times = share_of(now.slots, before.slots);
        let rate_times = share_of(now.rate, before.rate);
        let followed = (rate_times - 1.0) / (slots_times - 1.0).max(0.01);
        if followed >= FOLLOWS {
            self.try_every = FIRST_TRY;
            return self.grow(
                now,
                2.0,
                Reason::RateFollows {
                    slots_times,
                    rate_times,
                },
            );
        }
        let enough = match followed < IN_VAIN {
            true => before.slots,
            false => (now.rate * before.visit_seconds * ROOM).clamp(before.slots, now.slots),
        };
        self.phase = Phase::Settled(None, 0);
        self.next_try = self.at + self.try_every;
        self.try_every = (self.try_every * 1.5).min(LONGEST_TRY);
        let reason = Reason::NoMoreComes {
            slots_times,
            rate_times,
        };
        self.change(enough, reason, now.visit_seconds)
    }

    /// Whether things are still as they were when it settled.
    fn watch(&mut self, settled: Option<Measure>, changes: u32, now: Measure) -> Option<Decision> {
        const OTHERWISE: f64 = 0.2;
        const LONGER: f64 = 1.5;
        const IN_A_ROW: u32 = 2;
        let Some(then) = settled else {
            self.phase = Phase::Settled(Some(now), 0);
            return None;
        };
        let rate = share_of(now.rate, then.rate);
        let longer = share_of(now.visit_seconds, then.visit_seconds);
        let is_otherwise = (rate - 1.0).abs() > OTHERWISE;
        if is_otherwise && changes + 1 < IN_A_ROW {
            self.phase = Phase::Settled(settled, changes + 1);
            return None;
        }
        if is_otherwise {
            self.try_every = FIRST_TRY;
            if longer > LONGER && rate < 1.0 {
                // Where servers are slower more in flight make up for it; where the way is fuller they do not.
                self.phase = Phase::Growing(None);
                let enough = now.rate * then.visit_seconds * ROOM;
                let reason = Reason::LatencyGrew { times: longer };
                return self.change(enough.max(now.slots / 2.0), reason, now.visit_seconds);
            }
            return self.grow(now, 2.0, Reason::Trying);
        }
        self.phase = Phase::Settled(settled, 0);
        if self.at < self.next_try {
            return None;
        }
        self.grow(now, 1.5, Reason::Trying)
    }

    /// Other slots from now on, after which `visit_seconds` pass before anything is measured.
    fn change(&mut self, slots: f64, reason: Reason, visit_seconds: f64) -> Option<Decision> {
        const LONGEST_SKIP: f64 = 2.0;
        let slots = slots.round().clamp(LEAST.min(self.most), self.most);
        let is_other = slots != self.slots;
        self.slots = slots;
        if is_other {
            self.skip = (visit_seconds * 1.2).min(LONGEST_SKIP);
        }
        Some(self.decision(reason))
    }

    fn decision(&self, reason: Reason) -> Decision {
        Decision {
            at_seconds: self.at,
            slots: self.slots as usize,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Network, Station};

    /// A crawl that is as fast as its network of queues, with some noise.
    struct Plant {
        network: Network,
        failing: f64,
        noise: u64,
    }

    impl Plant {
        fn new(remote_seconds: f64, loops: f64, link: f64) -> Plant {
            let station = |seconds| Station {
                servers: 1.0,
                seconds,
                is_shared: true,
            };
            Plant {
                network: Network {
                    turns: 100_000.0,
                    pause_seconds: 0.0,
                    slots: 1.0,
                    remote_seconds,
                    loops: station(loops),
                    workers: Station::FREE,
                    callback: Station::FREE,
                    link: station(link),
                    processors: Station::FREE,
                    sink: Station::FREE,
                    variation: 0.5,
                },
                failing: 0.0,
                noise: 1,
            }
        }

        fn rate(&self, slots: f64) -> f64 {
            let network = Network {
                slots,
                ..self.network.clone()
            };
            network.throughput()
        }

        /// Half a second with so many slots.
        fn window(&mut self, slots: f64) -> Window {
            const SECONDS: f64 = 0.5;
            self.noise = self
                .noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let unit = (self.noise >> 33) as f64 / f64::from(1_u32 << 31) - 0.5;
            let visits = (self.rate(slots) * SECONDS * (1.0 + unit * 0.1)).round();
            let mut window = Window {
                seconds: SECONDS,
                visits,
                pages: visits,
                failures: visits * self.failing,
                slots: slots * SECONDS,
                slots_taken: slots * SECONDS * 0.98,
                loops: SECONDS,
                processors: 2.0 * SECONDS,
                ..Window::default()
            };
            window.states[State::FirstByte as usize] = visits * self.network.remote_seconds;
            window.states[State::Compute as usize] = visits * self.network.loops.seconds;
            window.loop_seconds[Spent::Working as usize] = visits * self.network.loops.seconds;
            window
        }
    }

    /// Runs for so long; the mean rate of the last half over the best, and the slots at the end.
    fn run(plant: &mut Plant, controller: &mut Controller, slots: &mut f64, seconds: f64) -> f64 {
        let steps = (seconds / 0.5) as u32;
        let (mut sum, mut count) = (0.0, 0.0);
        for step in 0..steps {
            let window = plant.window(*slots);
            if let Some(decision) = controller.step(&window, 0.2) {
                *slots = decision.slots as f64;
            }
            if step >= steps / 2 {
                sum += plant.rate(*slots);
                count += 1.0;
            }
        }
        let best = (3..14).map(|power| plant.rate(f64::from(1 << power)));
        sum / count / best.fold(0.0, f64::max)
    }

    #[test]
    fn it_finds_the_crossover_within_ten_seconds_and_stays() {
        // Latency, seconds of the processor a page, seconds of the way a page.
        let rows = [
            (0.2, 0.000_2, 0.0),
            (0.05, 0.001, 0.0),
            (0.5, 0.002, 0.0),
            (0.1, 0.000_2, 0.004),
            (0.3, 0.000_3, 0.001),
            (0.001, 0.000_2, 0.0),
        ];
        for row in rows {
            let mut plant = Plant::new(row.0, row.1, row.2);
            let mut controller = Controller::new(10_000);
            let mut slots = controller.first().slots as f64;
            let share = run(&mut plant, &mut controller, &mut slots, 20.0);
            assert!(share > 0.95, "{row:?}: {share} at {slots}");
            let share = run(&mut plant, &mut controller, &mut slots, 60.0);
            assert!(share > 0.95, "{row:?}, later: {share} at {slots}");
            let enough = plant
                .network
                .crossover()
                .min(plant.network.link.most() * row.0);
            assert!(
                slots <= 64.0_f64.max(enough * 4.0),
                "{row:?}: {slots} slots, {enough} are enough"
            );
        }
    }

    #[test]
    fn it_follows_what_changes() {
        let mut plant = Plant::new(0.1, 0.000_5, 0.0);
        let mut controller = Controller::new(10_000);
        let mut slots = controller.first().slots as f64;
        run(&mut plant, &mut controller, &mut slots, 20.0);
        plant.network.remote_seconds = 0.4;
        let share = run(&mut plant, &mut controller, &mut slots, 30.0);
        assert!(share > 0.95, "four times the latency: {share} at {slots}");
        plant.network.link.seconds = 0.01;
        let share = run(&mut plant, &mut controller, &mut slots, 30.0);
        assert!(share > 0.95, "a narrow way: {share} at {slots}");
        plant.network.link.seconds = 0.0;
        let share = run(&mut plant, &mut controller, &mut slots, 60.0);
        assert!(share > 0.95, "a wide one again: {share} at {slots}");
    }

    #[test]
    fn it_backs_off_from_failures_and_short_memory_and_stays_within_its_bound() {
        let mut plant = Plant::new(0.2, 0.000_2, 0.0);
        let mut controller = Controller::new(500);
        let mut slots = controller.first().slots as f64;
        run(&mut plant, &mut controller, &mut slots, 20.0);
        assert_eq!(slots, 500.0);
        plant.failing = 0.5;
        let decision = (0..20).find_map(|_| controller.step(&plant.window(slots), 0.2));
        let decision = decision.unwrap();
        assert!(matches!(decision.reason, Reason::VisitsFail { .. }) && decision.slots == 300);
        plant.failing = 0.0;
        let decision = (0..20).find_map(|_| controller.step(&plant.window(300.0), 0.95));
        let decision = decision.unwrap();
        assert!(matches!(decision.reason, Reason::MemoryShort { .. }) && decision.slots == 210);
    }

    #[test]
    fn free_slots_are_left_as_they_are() {
        let mut controller = Controller::new(10_000);
        let mut plant = Plant::new(0.2, 0.000_2, 0.0);
        for _ in 0..100 {
            let mut window = plant.window(64.0);
            window.slots_taken = window.slots * 0.3;
            assert_eq!(controller.step(&window, 0.2), None);
        }
    }
}
