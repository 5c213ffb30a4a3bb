//! What the ledger predicts of the crawls, from the one that had nothing made faster.

use nephila_ledger::{Network, Station};
use serde::{Deserialize, Serialize};

use super::crawl::VARIATION;

/// The crawl before anything was made faster: all that the prediction knows. Seconds are those of a page
/// in the mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossoverBase {
    /// Pages that were fetched at once.
    pub slots: usize,
    /// How long the server took.
    pub remote_seconds: f64,
    /// Processor seconds of the analysis.
    pub analysis_seconds: f64,
    /// Processor seconds of the crawl's thread for all the rest, which is the fetch.
    pub fetch_seconds: f64,
    /// Processor seconds of the server, which shares this machine.
    pub server_seconds: f64,
    /// Cores of the machine.
    pub cores: usize,
}

impl CrossoverBase {
    /// The crawl as a network of queues, with the analysis and I/O made faster: one loop that fetches and
    /// analyses, and no politeness. `held_up` is the share of the time that the loop could run in which
    /// other programs had the processors: all that it does takes as much longer.
    fn network(&self, (analysis, io): (f64, f64), held_up: f64) -> Network {
        let loop_seconds = self.fetch_seconds + self.analysis_seconds / analysis;
        let left = (1.0 - held_up).max(0.01);
        Network {
            turns: self.slots as f64,
            pause_seconds: 0.0,
            slots: self.slots as f64,
            remote_seconds: self.remote_seconds / io,
            loops: Station {
                servers: 1.0,
                seconds: loop_seconds / left,
                is_shared: false,
            },
            workers: Station::FREE,
            callback: Station::FREE,
            link: Station::FREE,
            processors: Station {
                servers: self.cores as f64,
                seconds: loop_seconds + self.server_seconds,
                is_shared: true,
            },
            sink: Station::FREE,
            variation: VARIATION,
        }
    }

    /// Pages a second. With few slots and regular work, mean value analysis can come out a little above what
    /// the bounds allow (its approximation for work that is not exponential); they hold.
    pub(super) fn pages_per_second(&self, speeds: (f64, f64), held_up: f64) -> f64 {
        let network = self.network(speeds, held_up);
        network.throughput().min(network.bound())
    }

    /// How many times faster I/O has to be for the processors to become the limit, with nothing held up: where the ledger's
    /// crossover, which it tells in slots, comes down to the slots that there are.
    pub(super) fn crossover(&self, analysis: f64) -> f64 {
        const FASTEST: f64 = 1e6;
        let is_limit = |io: f64| self.network((analysis, io), 0.0).crossover() <= self.slots as f64;
        let (mut below, mut above) = (1.0 / FASTEST, FASTEST);
        for _ in 0..60 {
            let middle = f64::sqrt(below * above);
            match is_limit(middle) {
                true => above = middle,
                false => below = middle,
            }
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: CrossoverBase = CrossoverBase {
        slots: 16,
        remote_seconds: 0.128,
        analysis_seconds: 0.004,
        fetch_seconds: 0.0001,
        server_seconds: 0.0001,
        cores: 2,
    };

    #[test]
    fn far_from_the_crossover_each_bound_holds() {
        let waits = BASE.pages_per_second((10.0, 1.0), 0.0);
        assert!((waits / (16.0 / 0.1285) - 1.0).abs() < 0.02, "{waits}");
        let computes = BASE.pages_per_second((1.0, 64.0), 0.0);
        assert!((computes * 0.0041 - 1.0).abs() < 0.01, "{computes}");
        // Others that have the processor half of the time leave half of what it gives.
        let held_up = BASE.pages_per_second((1.0, 64.0), 0.5);
        assert!((held_up / computes - 0.5).abs() < 0.01, "{held_up}");
        // While waiting is the limit, an analysis ten times faster brings next to nothing.
        assert!(waits / BASE.pages_per_second((1.0, 1.0), 0.0) < 1.1);
    }

    #[test]
    fn the_crossover_is_where_all_slots_just_fill_the_processor() {
        // Fifteen others are away while one is worked on.
        let io = BASE.crossover(1.0);
        assert!((io - 0.128 / (15.0 * 0.0041)).abs() < 1e-3, "{io}");
        assert!(BASE.crossover(10.0) > BASE.crossover(5.0));
    }
}
