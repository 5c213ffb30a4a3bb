//! The crossover of a crawl: a small one, really done with analysis and I/O made faster, and what the
//! crawler's ledger predicted of it.

mod crawl;
mod prediction;
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::cores;
use crate::measure::{Collected, Measure};
use crate::work::Amounts;

use crawl::{ANALYSES, IOS, held_up_name, rate_name};
pub(crate) use crawl::{CrawlPlan, measure_crawls};
pub use prediction::CrossoverBase;

const SLOTS: usize = 16;
/// A server that is not near, and the analysis of a small page: the processors become the limit where I/O
/// is about twice as fast, and with the fastest analysis where it is about seventeen times as fast.
const LATENCY: Duration = Duration::from_millis(128);
const ANALYSIS: Duration = Duration::from_millis(4);

/// The share of its time for which others hold a crawl up from which on it is told.
const WORTH_A_WARNING: f64 = 0.05;

/// Crawls with analysis and I/O made faster, and where the limit changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossover {
    /// What was crawled, in a sentence or two.
    pub description: String,
    /// The crawl before anything was made faster: what the predictions are made from.
    pub base: CrossoverBase,
    /// The crawls, by analysis and then by I/O.
    pub points: Vec<CrossoverPoint>,
    /// For each speed of the analysis, where the processors become the limit.
    pub crossovers: Vec<CrossoverPlace>,
}

/// A crawl.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverPoint {
    /// How many times faster the analysis of a page was made: 1, 2, 5, 10.
    pub analysis_times_faster: f64,
    /// How many times faster I/O was made: 1, 2, 4 ... 64.
    pub io_times_faster: f64,
    /// What was measured. The highest counts: other programs can only slow a crawl down.
    pub pages_per_second: Measure,
    /// The share of the time that the crawl could compute in which other programs had the processors, in the
    /// repetition that was highest. On a quiet machine it is near 0.
    pub held_up: f64,
    /// What the ledger predicted for a crawl that is held up so.
    pub predicted_pages_per_second: f64,
    /// How far the prediction is above the highest that was measured, in percent of it; below zero: under it.
    pub error_percent: f64,
}

/// Where the processors become the limit. I/O so many times faster is the crossover.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverPlace {
    /// How many times faster the analysis of a page was made.
    pub analysis_times_faster: f64,
    /// What was measured: where a line through the slowest I/O meets the most that was reached. None where
    /// the pages a second still rose at the end: it lies beyond what was measured.
    pub io_times_faster: Option<f64>,
    /// What the ledger predicted.
    pub predicted_io_times_faster: f64,
}

/// What is crawled on this machine.
pub(crate) fn crawl_plan() -> CrawlPlan {
    CrawlPlan {
        slots: SLOTS,
        latency_seconds: LATENCY.as_secs_f64(),
        rounds: Amounts::calibrated(ANALYSIS, Duration::ZERO, 0, 0).rounds,
        analysis_seconds: ANALYSIS.as_secs_f64(),
    }
}

impl Crossover {
    /// Of the figures of [`measure_crawls`]; nothing where there are none.
    pub(crate) fn of(collected: &Collected) -> Option<Self> {
        let measure = |name: &str| collected.measure(&format!("crawl/{name}"));
        let base = CrossoverBase {
            slots: SLOTS,
            remote_seconds: measure("held")?.median,
            // Of work the fastest, as with all work: others can only make it longer.
            analysis_seconds: measure("analysis")?.lowest,
            fetch_seconds: measure("fetch")?.lowest.max(0.0),
            server_seconds: measure("server")?.lowest.max(0.0),
            cores: cores(),
        };
        let speeds = ANALYSES
            .into_iter()
            .flat_map(|analysis| IOS.map(|io| (analysis, io)));
        let point = |(analysis, io)| {
            let (rate, held_up) = (rate_name(analysis, io), held_up_name(analysis, io));
            let measured = collected.measure(&rate)?;
            let held_up = collected.where_highest(&rate, &held_up)?;
            let predicted = base.pages_per_second((analysis, io), held_up);
            Some(CrossoverPoint {
                analysis_times_faster: analysis,
                io_times_faster: io,
                pages_per_second: measured,
                held_up,
                predicted_pages_per_second: predicted,
                error_percent: (predicted / measured.highest - 1.0) * 100.0,
            })
        };
        let mut crossover = Self {
            description: description(&base),
            base,
            points: speeds.filter_map(point).collect(),
            crossovers: Vec::new(),
        };
        let places = ANALYSES.map(|analysis| CrossoverPlace {
            analysis_times_faster: analysis,
            io_times_faster: crossover.bend(analysis),
            predicted_io_times_faster: base.crossover(analysis),
        });
        crossover.crossovers = places.to_vec();
        Some(crossover)
    }

    /// The crawl at these speeds.
    pub fn point(&self, analysis: f64, io: f64) -> Option<&CrossoverPoint> {
        let is_it = |point: &&CrossoverPoint| {
            point.analysis_times_faster == analysis && point.io_times_faster == io
        };
        self.points.iter().find(is_it)
    }

    /// The speeds of the analysis, rising.
    pub(crate) fn analyses(&self) -> [f64; ANALYSES.len()] {
        ANALYSES
    }

    /// The speeds of I/O, rising.
    pub(crate) fn ios(&self) -> [f64; IOS.len()] {
        IOS
    }

    fn rate(&self, analysis: f64, io: f64) -> Option<f64> {
        Some(self.point(analysis, io)?.pages_per_second.highest)
    }

    /// Where the measured line of an analysis bends: the line through its first point meets its highest.
    fn bend(&self, analysis: f64) -> Option<f64> {
        /// What doubles with I/O still waits; what grows by less than this does not.
        const STILL_RISES: f64 = 1.3;
        let rates = IOS.map(|io| self.rate(analysis, io));
        let [first, .., before, last] = rates;
        let most = rates.into_iter().flatten().fold(0.0, f64::max);
        (last? < before? * STILL_RISES).then_some(most / first?)
    }

    /// What the crawls say, a sentence each.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let Some(base) = self.rate(1.0, 1.0) else {
            return Vec::new();
        };
        let gain = |analysis, io| self.rate(analysis, io).map_or(f64::NAN, |rate| rate / base);
        let errors = || self.points.iter().map(|point| point.error_percent.abs());
        let worst = errors().fold(0.0, f64::max);
        let mean = errors().sum::<f64>() / self.points.len().max(1) as f64;
        let held_up = self
            .points
            .iter()
            .map(|point| point.held_up)
            .fold(0.0, f64::max);
        let others = match held_up > WORTH_A_WARNING {
            true => format!(
                " Other programs had the processor for up to {:.0} % of the time that a crawl wanted it, which is \
                 in the predictions.",
                held_up * 100.0
            ),
            false => String::new(),
        };
        vec![
            format!(
                "While it waits, a faster analysis changes little: 10 times faster gave {:.2} times the pages. \
                 I/O twice as fast gave {:.2} times.",
                gain(10.0, 1.0),
                gain(1.0, 2.0),
            ),
            format!(
                "Behind the crossover it is the other way round: with I/O 64 times faster, {:.2} times the pages \
                 with the analysis as it was, and {:.1} times with one 10 times faster.",
                gain(1.0, 64.0),
                gain(10.0, 64.0),
            ),
            format!(
                "The ledger predicted all of it from the first crawl alone: it was off by {mean:.0} % in the mean, \
                 and by {worst:.0} % at most.{others}"
            ),
        ]
    }
}

fn description(base: &CrossoverBase) -> String {
    format!(
        "One thread fetches pages over loopback, {} at once, and analyses each: as one shard of the crawler \
         does, without its frontier and outputs. At first the server takes {:.0} ms and the analysis {:.1} ms of a \
         processor, both differing from page to page. I/O is made faster by a server that answers sooner, the \
         analysis by computing less.",
        base.slots,
        base.remote_seconds * 1e3,
        base.analysis_seconds * 1e3
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figures;

    /// A crawl that keeps exactly to its bounds.
    fn collected(rate: fn(f64, f64) -> f64) -> Collected {
        let mut figures = Figures::new();
        for (name, seconds) in [
            ("held", 0.128),
            ("analysis", 0.004),
            ("fetch", 0.000_1),
            ("server", 0.000_1),
        ] {
            figures.insert(format!("crawl/{name}"), seconds);
        }
        for analysis in ANALYSES {
            for io in IOS {
                figures.insert(rate_name(analysis, io), rate(analysis, io));
                figures.insert(held_up_name(analysis, io), 0.0);
            }
        }
        let mut collected = Collected::default();
        collected.add("", figures);
        collected
    }

    #[test]
    fn the_bend_is_where_the_bounds_meet() {
        let bounds = |analysis: f64, io: f64| (125.0 * io).min(250.0 * analysis);
        let crossover = Crossover::of(&collected(bounds)).unwrap();
        assert_eq!(crossover.points.len(), 28);
        let measured: Vec<_> = crossover
            .crossovers
            .iter()
            .map(|place| place.io_times_faster)
            .collect();
        assert_eq!(measured, [2.0, 4.0, 10.0, 20.0].map(Some));
        assert!(
            crossover.sentences()[0]
                .contains("10 times faster gave 1.00 times the pages. I/O twice as fast gave 2.00")
        );
        let beyond = Crossover::of(&collected(|_, io| 125.0 * io)).unwrap();
        assert_eq!(beyond.crossovers[0].io_times_faster, None);
        assert_eq!(Crossover::of(&Collected::default()), None);
    }

    #[test]
    fn the_error_is_how_far_the_prediction_is_above() {
        let crossover = Crossover::of(&collected(|_, _| 100.0)).unwrap();
        let point = crossover.point(1.0, 64.0).unwrap();
        let expected = point.predicted_pages_per_second - 100.0;
        assert!((point.error_percent - expected).abs() < 1e-9);
        assert_eq!(crossover.point(3.0, 1.0), None);
    }
}
