//! What each kind of scenario is like, and what of it is chance.

use nephila::{Change, Limit};

use super::{SECONDS, SECONDS_OF_DELAYS, SECONDS_OF_SINK, WARM_UP, WARM_UP_OF_SINK};
use crate::scenario::{Callback, Scenario};

const SLOTS: Change = Change::MoreSlots(2.0);
const LATENCY: Change = Change::LatencyLower(2.0);
const HOSTS: Change = Change::MoreHosts(2.0);

/// A scenario, and the changes that can really be made to it.
pub(super) type Drawn = (Scenario, Vec<Change>);

/// What the limit is by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Latency,
    Politeness,
    OneAHost,
    OwnCpu,
    CallbackComputes,
    CallbackWaits,
    Bandwidth,
    Sink,
    Discovery,
    OtherProcess,
    /// Near the crossover, where both latency and processors count: its limit is neither's alone.
    Crossover,
}

impl Kind {
    pub(super) const ALL: [Kind; 11] = [
        Kind::Latency,
        Kind::Politeness,
        Kind::OwnCpu,
        Kind::CallbackComputes,
        Kind::Bandwidth,
        Kind::Sink,
        Kind::Discovery,
        Kind::OtherProcess,
        Kind::Crossover,
        Kind::OneAHost,
        Kind::CallbackWaits,
    ];

    pub(super) fn limit(self) -> Option<Limit> {
        Some(match self {
            Kind::Latency => Limit::RemoteLatency,
            Kind::Politeness | Kind::OneAHost => Limit::Politeness,
            Kind::OwnCpu => Limit::OwnCpu,
            Kind::CallbackComputes | Kind::CallbackWaits => Limit::Callback,
            Kind::Bandwidth => Limit::Bandwidth,
            Kind::Sink => Limit::Sink,
            Kind::Discovery => Limit::Discovery,
            Kind::OtherProcess => Limit::OtherProcess,
            Kind::Crossover => return None,
        })
    }
}

/// A seeded source of chance (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between two bounds, evenly in its logarithm.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        least * (most / least).powf(unit)
    }

    fn count(&mut self, least: u32, most: u32) -> u32 {
        self.between(f64::from(least), f64::from(most)).round() as u32
    }
}

/// A scenario of a kind, and the changes that can really be made to it.
pub(super) fn draw(kind: Kind, chance: &mut Chance) -> Drawn {
    let plain = Scenario {
        hosts: chance.count(50, 200),
        page_bytes: chance.count(4_000, 40_000),
        latency_ms: chance.between(20.0, 300.0),
        bandwidth: None,
        chain: false,
        slots: 64,
        per_host: 64,
        delay_ms: 0.0,
        cores: 1,
        handler: None,
        disk: None,
        burners: 0,
        is_auto: false,
        max_rate: None,
        host_workers: None,
        turns: Vec::new(),
        warm_up: WARM_UP,
        seconds: SECONDS,
    };
    match kind {
        Kind::Latency => latency(plain, chance),
        Kind::Politeness => politeness(plain, chance),
        Kind::OneAHost => one_a_host(plain, chance),
        Kind::OwnCpu => own_cpu(plain, chance),
        Kind::CallbackComputes => callback_computes(plain, chance),
        Kind::CallbackWaits => callback_waits(plain, chance),
        Kind::Bandwidth => bandwidth(plain, chance),
        Kind::Sink => sink(plain, chance),
        Kind::Discovery => discovery(plain, chance),
        Kind::OtherProcess => other_process(plain, chance),
        Kind::Crossover => crossover(plain, chance),
    }
}

fn latency(plain: Scenario, chance: &mut Chance) -> Drawn {
    // At most 400 pages a second: far below what a processor does.
    let most = (plain.latency_ms * 0.4).max(6.0);
    let slots_drawn = chance.between(4.0, most) as u32;
    let scenario = Scenario {
        slots: slots_drawn,
        ..plain
    };
    (scenario, vec![SLOTS, LATENCY, HOSTS])
}

fn politeness(plain: Scenario, chance: &mut Chance) -> Drawn {
    let delay_ms = chance.between(200.0, 1_000.0);
    let scenario = Scenario {
        per_host: 1,
        delay_ms,
        slots: 400,
        // All hosts begin together, and rest together.
        seconds: SECONDS_OF_DELAYS,
        ..plain
    };
    (scenario, vec![Change::DelayLower(2.0), HOSTS, SLOTS])
}

fn one_a_host(plain: Scenario, chance: &mut Chance) -> Drawn {
    let (hosts_drawn, latency_ms) = (chance.count(10, 60), chance.between(60.0, 300.0));
    let scenario = Scenario {
        per_host: 1,
        hosts: hosts_drawn,
        latency_ms,
        slots: 400,
        ..plain
    };
    (scenario, vec![LATENCY, HOSTS, SLOTS])
}

fn own_cpu(plain: Scenario, chance: &mut Chance) -> Drawn {
    let scenario = Scenario {
        latency_ms: chance.between(1.0, 10.0),
        slots: chance.count(200, 600),
        page_bytes: chance.count(60_000, 200_000),
        ..plain
    };
    // One core more is tried where the web, which has that core too, hardly takes any of it.
    (scenario, vec![SLOTS, LATENCY])
}

fn callback_computes(plain: Scenario, chance: &mut Chance) -> Drawn {
    let burn_us = chance.between(2_000.0, 6_000.0);
    let handler = Some(Callback {
        burn_us,
        sleep_ms: 0.0,
        threads: 1,
    });
    let scenario = Scenario {
        handler,
        slots: chance.count(64, 200),
        ..plain
    };
    let changes = vec![
        Change::CallbackFaster(2.0),
        Change::CpuFaster(2.0),
        Change::MoreCores(1.0),
        SLOTS,
    ];
    (scenario, changes)
}

fn callback_waits(plain: Scenario, chance: &mut Chance) -> Drawn {
    let (sleep_ms, threads) = (chance.between(10.0, 60.0), chance.count(1, 8) as usize);
    let handler = Some(Callback {
        burn_us: 0.0,
        sleep_ms,
        threads,
    });
    let scenario = Scenario {
        handler,
        // Several times what keeps its threads busy, twice as fast too.
        slots: (threads as f64 * (1.0 + plain.latency_ms / sleep_ms) * chance.between(3.0, 6.0))
            as u32,
        ..plain
    };
    (scenario, vec![Change::CallbackFaster(2.0), SLOTS, LATENCY])
}

fn bandwidth(plain: Scenario, chance: &mut Chance) -> Drawn {
    let (bytes_per_second, page_bytes) = (chance.between(1e6, 8e6), chance.count(20_000, 100_000));
    // Several times what fills the way, and not so many that a page takes as long as the run.
    let fills = plain.latency_ms / 1e3 * bytes_per_second / f64::from(page_bytes);
    let scenario = Scenario {
        bandwidth: Some(bytes_per_second as u64),
        page_bytes,
        slots: (fills * chance.between(3.0, 6.0)).max(12.0) as u32,
        ..plain
    };
    (scenario, vec![Change::BandwidthHigher(2.0), SLOTS, LATENCY])
}

fn sink(plain: Scenario, chance: &mut Chance) -> Drawn {
    let scenario = Scenario {
        // A commit of a thousand pages takes a second or so: there are to be many in the time that counts.
        disk: Some(chance.between(2.5e6, 5e6) as u64),
        slots: chance.count(150, 300),
        latency_ms: chance.between(10.0, 30.0),
        page_bytes: chance.count(4_000, 8_000),
        warm_up: WARM_UP_OF_SINK,
        seconds: SECONDS_OF_SINK,
        ..plain
    };
    (scenario, vec![Change::DiskFaster(2.0), SLOTS, LATENCY])
}

fn discovery(plain: Scenario, chance: &mut Chance) -> Drawn {
    let scenario = Scenario {
        chain: true,
        hosts: chance.count(5, 60),
        slots: 400,
        ..plain
    };
    (scenario, vec![LATENCY, HOSTS, SLOTS])
}

fn other_process(plain: Scenario, chance: &mut Chance) -> Drawn {
    let scenario = Scenario {
        latency_ms: chance.between(1.0, 10.0),
        slots: chance.count(100, 300),
        page_bytes: chance.count(60_000, 200_000),
        burners: chance.count(1, 3) as usize,
        ..plain
    };
    (scenario, vec![SLOTS, LATENCY])
}

fn crossover(plain: Scenario, chance: &mut Chance) -> Drawn {
    // 2.5 ms a page of the processor: so many slots as its latency has of these, and near them.
    let burn_us = chance.between(1_500.0, 3_000.0);
    let share = chance.between(0.5, 1.3);
    let slots_drawn = (plain.latency_ms * 1e3 / (burn_us + 400.0) * share).max(2.0);
    let handler = Some(Callback {
        burn_us,
        sleep_ms: 0.0,
        threads: 1,
    });
    let scenario = Scenario {
        handler,
        slots: slots_drawn as u32,
        ..plain
    };
    (scenario, vec![SLOTS, LATENCY, Change::CallbackFaster(2.0)])
}
