//! Each limit made on purpose: is the verdict right, and does a change bring what was predicted?
//!
//! A scenario is drawn: its kind says what the limit is by construction, the rest is chance. It is run, and its
//! ledger gives a verdict and predictions. Then each change is really made, and the prediction is held against
//! what came.

use anyhow::Context;
use nephila::{Change, Limit};

use crate::scenario::{Callback, Measured, Scenario};

/// Scenarios of a whole run.
const SCENARIOS: usize = 42;
/// Seconds that each crawl lasts.
const SECONDS: f64 = 7.0;

/// What the limit is by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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
    const ALL: [Kind; 11] = [
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

    fn limit(self) -> Option<Limit> {
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
struct Chance(u64);

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
fn draw(kind: Kind, chance: &mut Chance) -> (Scenario, Vec<Change>) {
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
        seconds: SECONDS,
    };
    let slots = Change::MoreSlots(2.0);
    let latency = Change::LatencyLower(2.0);
    let hosts = Change::MoreHosts(2.0);
    match kind {
        Kind::Latency => {
            // At most 400 pages a second: far below what a processor does.
            let most = (plain.latency_ms * 0.4).max(6.0);
            let slots_drawn = chance.between(4.0, most) as u32;
            let scenario = Scenario {
                slots: slots_drawn,
                ..plain
            };
            (scenario, vec![slots, latency, hosts])
        }
        Kind::Politeness => {
            let delay_ms = chance.between(200.0, 1_000.0);
            let scenario = Scenario {
                per_host: 1,
                delay_ms,
                slots: 400,
                ..plain
            };
            (scenario, vec![Change::DelayLower(2.0), hosts, slots])
        }
        Kind::OneAHost => {
            let (hosts_drawn, latency_ms) = (chance.count(10, 60), chance.between(60.0, 300.0));
            let scenario = Scenario {
                per_host: 1,
                hosts: hosts_drawn,
                latency_ms,
                slots: 400,
                ..plain
            };
            (scenario, vec![latency, hosts, slots])
        }
        Kind::OwnCpu => {
            let scenario = Scenario {
                latency_ms: chance.between(1.0, 10.0),
                slots: chance.count(200, 600),
                page_bytes: chance.count(60_000, 200_000),
                ..plain
            };
            (scenario, vec![slots, latency, Change::MoreCores(1.0)])
        }
        Kind::CallbackComputes => {
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
                slots,
            ];
            (scenario, changes)
        }
        Kind::CallbackWaits => {
            let (sleep_ms, threads) = (chance.between(10.0, 60.0), chance.count(1, 8) as usize);
            let handler = Some(Callback {
                burn_us: 0.0,
                sleep_ms,
                threads,
            });
            let scenario = Scenario {
                handler,
                slots: chance.count(100, 400),
                ..plain
            };
            (scenario, vec![Change::CallbackFaster(2.0), slots, latency])
        }
        Kind::Bandwidth => {
            let scenario = Scenario {
                bandwidth: Some(chance.between(1e6, 8e6) as u64),
                page_bytes: chance.count(40_000, 200_000),
                slots: chance.count(60, 200),
                ..plain
            };
            (scenario, vec![Change::BandwidthHigher(2.0), slots, latency])
        }
        Kind::Sink => {
            let scenario = Scenario {
                disk: Some(chance.between(150e3, 600e3) as u64),
                slots: chance.count(100, 300),
                ..plain
            };
            (scenario, vec![Change::DiskFaster(2.0), slots, latency])
        }
        Kind::Discovery => {
            let scenario = Scenario {
                chain: true,
                hosts: chance.count(5, 60),
                slots: 400,
                ..plain
            };
            (scenario, vec![latency, hosts, slots])
        }
        Kind::OtherProcess => {
            let scenario = Scenario {
                latency_ms: chance.between(1.0, 10.0),
                slots: chance.count(100, 300),
                page_bytes: chance.count(60_000, 200_000),
                burners: chance.count(1, 3) as usize,
                ..plain
            };
            (scenario, vec![slots, latency])
        }
        Kind::Crossover => {
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
            (scenario, vec![slots, latency, Change::CallbackFaster(2.0)])
        }
    }
}

/// The scenario with a change really made.
fn changed(scenario: &Scenario, change: Change, before: &Measured) -> anyhow::Result<Scenario> {
    let mut new = scenario.clone();
    match change {
        Change::MoreSlots(by) => new.slots = (f64::from(new.slots) * by).round() as u32,
        Change::LatencyLower(by) => new.latency_ms /= by,
        Change::DelayLower(by) => new.delay_ms /= by,
        Change::MoreHosts(by) => new.hosts = (f64::from(new.hosts) * by).round() as u32,
        Change::BandwidthHigher(by) => {
            new.bandwidth = new.bandwidth.map(|bytes| (bytes as f64 * by) as u64);
        }
        Change::DiskFaster(by) => new.disk = new.disk.map(|bytes| (bytes as f64 * by) as u64),
        Change::MoreCores(by) => {
            new.cores += by as usize;
            if let Some(callback) = &mut new.handler {
                callback.threads += by as usize;
            }
        }
        Change::CallbackFaster(by) => {
            let callback = new.handler.as_mut().context("no callback to make faster")?;
            callback.burn_us /= by;
            callback.sleep_ms /= by;
        }
        Change::CpuFaster(by) => {
            // The crawler's own work cannot be made faster: so much more is taken off the callback's that
            // all of it together is what it would be.
            let callback = new.handler.as_mut().context("no callback to make faster")?;
            callback.burn_us = (callback.burn_us + before.own_cpu_us) / by - before.own_cpu_us;
        }
    }
    Ok(new)
}

/// `nephila-bench whatif [SCENARIOS] [--seed SEED] [--only KIND]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let named = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let seed = named("--seed").map_or(Ok(1), |text| text.parse::<u64>())?;
    let only = named("--only");
    let count = match arguments.first().filter(|first| !first.starts_with("--")) {
        Some(count) => count.parse().context("how many scenarios")?,
        None => SCENARIOS,
    };
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| only.is_none_or(|only| format!("{kind:?}") == *only))
        .collect();
    let mut table = Table::default();
    println!(
        "| scenario | verdict | change | before | predicted | came | error |\n|---|---|---|---|---|---|---|"
    );
    for number in 0..count {
        let kind = *kinds
            .get(number % kinds.len().max(1))
            .context("no such kind")?;
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let (scenario, changes) = draw(kind, &mut chance);
        table.try_out(number, kind, &scenario, &changes)?;
    }
    table.print();
    Ok(())
}

/// What came out so far.
#[derive(Default)]
struct Table {
    verdicts: usize,
    right: usize,
    errors: Vec<f64>,
}

impl Table {
    fn try_out(
        &mut self,
        number: usize,
        kind: Kind,
        scenario: &Scenario,
        changes: &[Change],
    ) -> anyhow::Result<()> {
        let before = scenario.measure(changes)?;
        let verdict = before.limit.map_or("none", Limit::as_str);
        let mark = match kind.limit() {
            None => "-".to_owned(),
            limit if limit == before.limit => "right".to_owned(),
            _ => "WRONG".to_owned(),
        };
        if kind.limit().is_some() {
            self.verdicts += 1;
            self.right += usize::from(kind.limit() == before.limit);
        }
        println!(
            "| {number} {kind:?} | {verdict}: {mark}; {} | | {:.1} | | | |",
            before.words, before.pages_per_second
        );
        for (change, prediction) in changes.iter().zip(&before.predictions) {
            let after = changed(scenario, *change, &before)?.measure(&[])?;
            let (predicted, came) = (prediction.pages_per_second, after.pages_per_second);
            let error = predicted / came - 1.0;
            self.errors.push(error.abs());
            println!(
                "| {number} {kind:?} | | {change} | {:.1} | {predicted:.1} ({:.1} - {:.1}) | {came:.1} | {:+.1} % |",
                before.pages_per_second,
                prediction.least,
                prediction.most,
                error * 100.0
            );
        }
        Ok(())
    }

    fn print(&mut self) {
        self.errors.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (self.errors.len() as f64 * share) as usize;
            self.errors.get(place).copied().unwrap_or(0.0) * 100.0
        };
        println!(
            "\nverdicts right: {} of {}; predictions: {}, error {:.1} % in the median, {:.1} % at the ninetieth percentile",
            self.right,
            self.verdicts,
            self.errors.len(),
            at(0.5),
            at(0.9)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_scenario_and_each_change_changes_it() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            let drawn = || draw(kind, &mut Chance(number as u64));
            let (scenario, changes) = drawn();
            assert_eq!(format!("{scenario:?}"), format!("{:?}", drawn().0));
            let before = Measured {
                pages_per_second: 1.0,
                limit: None,
                words: String::new(),
                own_cpu_us: 300.0,
                predictions: Vec::new(),
                crossover: 1.0,
                rates: Vec::new(),
            };
            for change in changes {
                let new = changed(&scenario, change, &before).unwrap();
                assert_ne!(format!("{scenario:?}"), format!("{new:?}"), "{change:?}");
            }
        }
    }
}
