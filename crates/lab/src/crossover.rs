//! The crossover of a crawl: measured by the caller, who has the crawler; shown here.

use serde::{Deserialize, Serialize};

/// Crawls of one small web with analysis and I/O made faster, and where the limit changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Crossover {
    /// What was crawled, in a sentence.
    pub description: String,
    /// The crawls, by analysis and then by I/O.
    pub points: Vec<CrossoverPoint>,
    /// For each speed of the analysis: how many times faster I/O has to be for the processors to become
    /// the limit.
    pub crossovers: Vec<CrossoverPlace>,
}

/// A crawl.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverPoint {
    /// How many times faster the analysis of a page was made: 1, 2, 5, 10.
    pub analysis_times_faster: f64,
    /// How many times faster I/O was made: 1, 2, 4 ... 64.
    pub io_times_faster: f64,
    /// What was measured.
    pub pages_per_second: f64,
    /// What the ledger had predicted, where it had.
    pub predicted_pages_per_second: Option<f64>,
}

/// Where the processors become the limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverPlace {
    /// How many times faster the analysis of a page was made.
    pub analysis_times_faster: f64,
    /// I/O this many times faster is the crossover; none: it lies beyond what was measured.
    pub io_times_faster: Option<f64>,
}

impl Crossover {
    /// The speeds of the analysis, each once, rising.
    pub(crate) fn analyses(&self) -> Vec<f64> {
        each_once(self.points.iter().map(|point| point.analysis_times_faster))
    }

    /// The speeds of I/O, each once, rising.
    pub(crate) fn ios(&self) -> Vec<f64> {
        each_once(self.points.iter().map(|point| point.io_times_faster))
    }

    pub(crate) fn point(&self, analysis: f64, io: f64) -> Option<&CrossoverPoint> {
        let is_it = |point: &&CrossoverPoint| {
            point.analysis_times_faster == analysis && point.io_times_faster == io
        };
        self.points.iter().find(is_it)
    }
}

fn each_once(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
