//! Each limit made on purpose: is the verdict right, and does a change bring what was predicted?
//!
//! A scenario is drawn: its kind says what the limit is by construction, the rest is chance. It is run, and its
//! ledger gives a verdict and predictions. Then each change is really made, and the prediction is held against
//! what came.

mod kinds;

use anyhow::Context;
use nephila::{Change, Limit};

use kinds::{Chance, Kind, draw};

use crate::scenario::{Measured, Scenario};

/// Scenarios of a whole run.
const SCENARIOS: usize = 42;
/// Seconds that each crawl lasts.
const SECONDS: f64 = 7.0;
const WARM_UP: f64 = 1.5;
const SECONDS_OF_DELAYS: f64 = 16.0;
/// The same where the way to the outputs has to be full first.
const SECONDS_OF_SINK: f64 = 30.0;
const WARM_UP_OF_SINK: f64 = 7.0;

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

/// `nephila-bench whatif [SCENARIOS] [--seed SEED] [--only KIND] [--at NUMBER]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let named = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let seed = named("--seed").map_or(Ok(1), |text| text.parse::<u64>())?;
    let only = named("--only");
    let at = named("--at")
        .map(|text| text.parse::<usize>())
        .transpose()?;
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
    let numbers = at.map_or(0..count, |at| at..at + 1);
    for number in numbers {
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
                points: Vec::new(),
                standing: String::new(),
            };
            for change in changes {
                let new = changed(&scenario, change, &before).unwrap();
                assert_ne!(format!("{scenario:?}"), format!("{new:?}"), "{change:?}");
            }
        }
    }
}
