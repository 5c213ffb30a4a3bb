//! `--concurrency auto` against the best fixed setting that a sweep finds, also where things change in mid-run.

use anyhow::Context;

use crate::scenario::{Callback, Measured, Scenario, Turn};

/// Seconds after which it has to have found what it looks for: from the beginning, and from a change.
const FOUND_AFTER: f64 = 10.0;
/// When things change, and when the crawl ends.
const TURN: f64 = 18.0;
const END: f64 = 36.0;
/// Seconds of each fixed setting.
const FIXED_SECONDS: f64 = 7.0;
const WARM_UP: f64 = 2.0;
/// Of its answers at most this share may be 429 or 503.
const THROTTLED: f64 = 0.01;

/// What is swept for the best fixed setting.
#[derive(Clone, Copy)]
enum Sweep {
    Slots(&'static [u32]),
    /// In milliseconds.
    Delay(&'static [f64]),
}

const SLOTS: Sweep = Sweep::Slots(&[16, 64, 128, 256, 512, 1_024, 2_048]);
const FEW_SLOTS: Sweep = Sweep::Slots(&[8, 16, 32, 64, 128, 256]);
const DELAYS: Sweep = Sweep::Delay(&[0.0, 10.0, 20.0, 25.0, 30.0, 40.0, 60.0]);

struct Row {
    name: &'static str,
    scenario: Scenario,
    turn: Option<Turn>,
    sweep: Sweep,
}

fn plain() -> Scenario {
    Scenario {
        hosts: 200,
        page_bytes: 8_000,
        latency_ms: 100.0,
        bandwidth: None,
        chain: false,
        slots: 64,
        per_host: 64,
        delay_ms: 0.0,
        cores: 1,
        handler: None,
        disk: None,
        burners: 0,
        is_auto: true,
        max_rate: None,
        host_workers: None,
        turns: Vec::new(),
        warm_up: FOUND_AFTER,
        seconds: TURN,
    }
}

impl Row {
    fn new(name: &'static str, sweep: Sweep, change: impl Fn(&mut Scenario)) -> Row {
        let mut scenario = plain();
        change(&mut scenario);
        Row {
            name,
            scenario,
            turn: None,
            sweep,
        }
    }

    fn turning(self, turn: Turn) -> Row {
        Row {
            turn: Some(turn),
            ..self
        }
    }
}

fn rows() -> Vec<Row> {
    let handler = |burn_us, sleep_ms, threads| {
        Some(Callback {
            burn_us,
            sleep_ms,
            threads,
        })
    };
    vec![
        Row::new("far servers", SLOTS, |s| s.latency_ms = 300.0),
        Row::new("near servers", SLOTS, |s| s.latency_ms = 10.0),
        Row::new("heavy pages", SLOTS, |s| {
            (s.page_bytes, s.latency_ms) = (150_000, 50.0);
        }),
        Row::new("a narrow way", FEW_SLOTS, |s| {
            (s.bandwidth, s.page_bytes) = (Some(4_000_000), 40_000);
        }),
        Row::new("a callback that computes", FEW_SLOTS, |s| {
            s.handler = handler(3_000.0, 0.0, 1);
        }),
        Row::new("a callback that waits", FEW_SLOTS, |s| {
            s.handler = handler(0.0, 30.0, 8);
        }),
        Row::new("latency becomes three times as long", SLOTS, |_| {}).turning(Turn::Latency(3.0)),
        Row::new("bandwidth halves", SLOTS, |s| {
            (s.bandwidth, s.page_bytes) = (Some(8_000_000), 40_000);
        })
        .turning(Turn::Bandwidth(4_000_000)),
        Row::new("another process takes half a core", SLOTS, |_| {}).turning(Turn::Burner),
        Row::new("a host of four slows down", SLOTS, |s| {
            (s.hosts, s.latency_ms, s.per_host) = (4, 40.0, 1_000);
        })
        .turning(Turn::FirstHost(5.0)),
        Row::new("hosts that refuse above 20 a second", DELAYS, |s| {
            (s.hosts, s.latency_ms, s.per_host, s.max_rate) = (20, 20.0, 1, Some(20.0));
        }),
        Row::new("hosts of four workers", SLOTS, |s| {
            (s.hosts, s.host_workers) = (20, Some(4));
        }),
    ]
}

/// `nephila-bench controller [--only NAME]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let only = arguments.iter().position(|argument| argument == "--only");
    let only = only.and_then(|place| arguments.get(place + 1));
    println!(
        "| scenario | best fixed | pages/s | auto | share | within 5 % after | swing | 429, 503 | why there |\n|---|---|---|---|---|---|---|---|---|"
    );
    for row in rows() {
        if only.is_some_and(|only| !row.name.contains(only.as_str())) {
            continue;
        }
        row.measure()?;
    }
    Ok(())
}

impl Row {
    fn measure(&self) -> anyhow::Result<()> {
        let mut auto = self.scenario.clone();
        if let Some(turn) = self.turn {
            auto.turns = vec![(TURN, turn)];
            auto.seconds = END;
        }
        let auto = auto.measure(&[])?;
        let best = self.best(None)?;
        self.print(self.name, &auto, &best, 0.0, TURN)?;
        if self.turn.is_some() {
            let best = self.best(self.turn)?;
            self.print("... and after it", &auto, &best, TURN, END)?;
        }
        Ok(())
    }

    /// The best of the fixed settings whose servers do not refuse, by its name and rate.
    fn best(&self, turn: Option<Turn>) -> anyhow::Result<(String, f64)> {
        let fixed = |change: &dyn Fn(&mut Scenario)| {
            let mut scenario = Scenario {
                is_auto: false,
                warm_up: WARM_UP,
                seconds: FIXED_SECONDS,
                turns: turn.map(|turn| (0.0, turn)).into_iter().collect(),
                ..self.scenario.clone()
            };
            change(&mut scenario);
            scenario.measure(&[])
        };
        let mut all = Vec::new();
        match self.sweep {
            Sweep::Slots(values) => {
                for value in values {
                    let measured = fixed(&|scenario| scenario.slots = *value)?;
                    all.push((format!("{value} slots"), measured));
                }
            }
            Sweep::Delay(values) => {
                for value in values {
                    let measured = fixed(&|scenario| {
                        (scenario.delay_ms, scenario.slots) = (*value, 256);
                    })?;
                    all.push((format!("delay {value} ms"), measured));
                }
            }
        }
        let borne = all
            .into_iter()
            .filter(|(_, measured)| throttled(measured, WARM_UP, FIXED_SECONDS) <= THROTTLED);
        let rate = |measured: &Measured| measured.pages_per_second;
        borne
            .map(|(name, measured)| (name, rate(&measured)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .context("every fixed setting was refused too often")
    }

    fn print(
        &self,
        name: &str,
        auto: &Measured,
        best: &(String, f64),
        from: f64,
        to: f64,
    ) -> anyhow::Result<()> {
        let rate = rate(auto, from + FOUND_AFTER, to);
        println!(
            "| {name} | {} | {:.0} | {rate:.0} | {:.0} % | {} | {:.0} % | {:.2} % | {} |",
            best.0,
            best.1,
            rate / best.1 * 100.0,
            reached(auto, best.1 * 0.95, from, to),
            swing(auto, from + FOUND_AFTER, to) * 100.0,
            throttled(auto, from, to) * 100.0,
            auto.standing
        );
        Ok(())
    }
}

fn between(
    measured: &Measured,
    from: f64,
    to: f64,
) -> impl Iterator<Item = &crate::scenario::Point> {
    let within = move |point: &&crate::scenario::Point| {
        point.at - point.seconds >= from - 1e-3 && point.at <= to + 1e-3
    };
    measured.points.iter().filter(within)
}

fn rate(measured: &Measured, from: f64, to: f64) -> f64 {
    let (pages, seconds) = between(measured, from, to).fold((0.0, 0.0), |sum, point| {
        (sum.0 + point.pages, sum.1 + point.seconds)
    });
    pages / f64::max(seconds, 1e-9)
}

/// The share of answers by which servers refused.
fn throttled(measured: &Measured, from: f64, to: f64) -> f64 {
    let (refused, all) = between(measured, from, to).fold((0.0, 0.0), |sum, point| {
        (sum.0 + point.throttled, sum.1 + point.visits)
    });
    refused / f64::max(all, 1.0)
}

/// The rates of each two seconds.
fn rates(measured: &Measured, from: f64, to: f64) -> Vec<(f64, f64)> {
    const SECONDS: f64 = 2.0;
    let count = ((to - from) / SECONDS) as usize;
    let begin = |number: usize| from + number as f64 * SECONDS;
    (0..count)
        .map(|number| {
            let (begin, end) = (begin(number), begin(number + 1));
            (end - from, rate(measured, begin - 0.3, end + 0.3))
        })
        .collect()
}

/// When the rate first was this high, in seconds.
fn reached(measured: &Measured, enough: f64, from: f64, to: f64) -> String {
    let first = rates(measured, from, to)
        .into_iter()
        .find(|(_, rate)| *rate >= enough);
    first.map_or_else(|| "-".to_owned(), |(at, _)| format!("{at:.0} s"))
}

/// By how much the rate of two seconds goes up and down: nine in ten of them are within so much of their median,
/// both ways.
fn swing(measured: &Measured, from: f64, to: f64) -> f64 {
    let rates = rates(measured, from, to);
    let mut rates: Vec<f64> = rates.into_iter().map(|(_, rate)| rate).collect();
    rates.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (rates.len().saturating_sub(1) as f64 * share).round() as usize;
        rates.get(place).copied().unwrap_or(0.0)
    };
    let middle = at(0.5).max(1e-9);
    ((at(0.95) - middle).max(middle - at(0.05))) / middle
}
