//! The visits of a shard that ended: how their times are distributed, and a few of them whole.

use std::time::Duration;

use hdrhistogram::Histogram;
use nephila_ledger::{State, VisitTimes};
use serde::{Deserialize, Serialize};

/// The slowest visits that are kept whole.
const SLOWEST: usize = 8;
/// Visits that are kept to find a typical one among them.
const SAMPLES: usize = 64;

/// One visit, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisitExample {
    /// Its URL.
    pub url: String,
    /// Seconds in each of [`State::ALL`].
    pub states: [f64; State::ALL.len()],
}

impl VisitExample {
    fn of(times: &VisitTimes, url: &str) -> VisitExample {
        let mut states = [0.0; State::ALL.len()];
        for (seconds, (_, time)) in states.iter_mut().zip(times.iter()) {
            *seconds = time.as_secs_f64();
        }
        VisitExample {
            url: url.to_owned(),
            states,
        }
    }

    /// The visit's time, in seconds, without what it waited for its turn.
    pub fn seconds(&self) -> f64 {
        let with_slot = State::ALL
            .iter()
            .zip(self.states)
            .filter(|(state, _)| state.has_slot());
        with_slot.map(|(_, seconds)| seconds).sum()
    }
}

/// How the times of one state are distributed; all in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quantiles {
    /// Visits that were in that state at all.
    pub visits: u64,
    /// Their mean.
    pub mean: f64,
    /// Half of them took at most this.
    pub p50: f64,
    /// Nine of ten took at most this.
    pub p90: f64,
    /// 99 of 100 took at most this.
    pub p99: f64,
    /// The longest.
    pub most: f64,
}

/// See the module's text. Bounded: a histogram a state, and a few visits.
#[derive(Debug)]
pub(crate) struct Visits {
    /// Microseconds, to two digits.
    histograms: Vec<Histogram<u64>>,
    slowest: Vec<VisitExample>,
    /// One visit in `distance`, of the whole run.
    samples: Vec<VisitExample>,
    distance: usize,
    count: usize,
}

/// Of microseconds up to a day, to two digits, which can be had: that is all that could be wrong.
pub(super) fn histogram() -> Option<Histogram<u64>> {
    const LONGEST: u64 = 86_400_000_000;
    Histogram::new_with_max(LONGEST, 2).ok()
}

impl Quantiles {
    pub(super) fn of(histogram: &Histogram<u64>) -> Quantiles {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let mean = if histogram.is_empty() {
            0.0
        } else {
            histogram.mean() / 1e6
        };
        Quantiles {
            visits: histogram.len(),
            mean,
            p50: seconds(histogram.value_at_quantile(0.5)),
            p90: seconds(histogram.value_at_quantile(0.9)),
            p99: seconds(histogram.value_at_quantile(0.99)),
            most: seconds(histogram.max()),
        }
    }
}

impl Default for Visits {
    fn default() -> Visits {
        Visits {
            histograms: State::ALL.iter().filter_map(|_| histogram()).collect(),
            slowest: Vec::new(),
            samples: Vec::new(),
            distance: 1,
            count: 0,
        }
    }
}

impl Visits {
    pub(crate) fn note(&mut self, times: &VisitTimes, url: &str) {
        for ((_, time), histogram) in times.iter().zip(&mut self.histograms) {
            if !time.is_zero() {
                histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
            }
        }
        self.count += 1;
        let with_slot = times.iter().filter(|(state, _)| state.has_slot());
        let taken: Duration = with_slot.map(|(_, time)| time).sum();
        let is_slow = self.slowest.len() < SLOWEST
            || self
                .slowest
                .last()
                .is_some_and(|last| taken.as_secs_f64() > last.seconds());
        if is_slow {
            self.slowest.push(VisitExample::of(times, url));
            self.slowest
                .sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
            self.slowest.truncate(SLOWEST);
        }
        if self.samples.len() >= SAMPLES {
            // Every other one stays, and those that come are as far from one another.
            let mut is_kept = false;
            self.samples.retain(|_| {
                is_kept = !is_kept;
                !is_kept
            });
            self.distance *= 2;
        }
        if self.count.is_multiple_of(self.distance) {
            self.samples.push(VisitExample::of(times, url));
        }
    }

    /// Adds what another shard noted.
    pub(crate) fn add(&mut self, other: &Visits) {
        for (sum, more) in self.histograms.iter_mut().zip(&other.histograms) {
            // Both have the same bounds.
            let _ = sum.add(more);
        }
        self.slowest.extend(other.slowest.iter().cloned());
        self.slowest
            .sort_by(|a, b| b.seconds().total_cmp(&a.seconds()));
        self.slowest.truncate(SLOWEST);
        self.samples.extend(other.samples.iter().cloned());
    }

    pub(crate) fn quantiles(&self) -> Vec<(State, Quantiles)> {
        State::ALL
            .into_iter()
            .zip(self.histograms.iter().map(Quantiles::of))
            .collect()
    }

    /// The slowest visits, the slowest first.
    pub(crate) fn slowest(&self) -> Vec<VisitExample> {
        self.slowest.clone()
    }

    /// The sample that half of the samples are slower than.
    pub(crate) fn typical(&self) -> Option<VisitExample> {
        let mut samples: Vec<&VisitExample> = self.samples.iter().collect();
        samples.sort_by(|a, b| a.seconds().total_cmp(&b.seconds()));
        samples
            .get(samples.len() / 2)
            .map(|sample| (*sample).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(millis: u64) -> VisitTimes {
        let mut times = VisitTimes::default();
        times.add(State::FirstByte, Duration::from_millis(millis));
        times
    }

    #[test]
    fn quantiles_the_slowest_and_a_typical_one() {
        let (mut one, mut other) = (Visits::default(), Visits::default());
        for millis in 1..=1_000 {
            let of = if millis % 2 == 0 {
                &mut one
            } else {
                &mut other
            };
            of.note(&visit(millis), &format!("http://a.test/{millis}"));
        }
        one.add(&other);
        let (state, quantiles) = one.quantiles()[State::FirstByte as usize];
        assert_eq!(state, State::FirstByte);
        assert_eq!(quantiles.visits, 1_000);
        assert!((quantiles.p50 - 0.5).abs() < 0.01 && (quantiles.most - 1.0).abs() < 0.01);
        assert_eq!(one.slowest().len(), SLOWEST);
        assert_eq!(one.slowest()[0].url, "http://a.test/1000");
        let typical = one.typical().unwrap().seconds();
        assert!((0.3..0.7).contains(&typical), "{typical}");
        assert!(one.samples.len() <= 2 * SAMPLES);
    }
}
