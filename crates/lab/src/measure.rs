//! Repeated measurements of one figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Figures by name, as one repetition gives them.
pub(crate) type Figures = BTreeMap<String, f64>;

/// What repeated measurements of a figure came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The one in the middle; the mean of the two in the middle where their number is even.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
    /// How many there were.
    pub repetitions: usize,
}

impl Measure {
    /// Of these repetitions; nothing where there are none, or one is no number.
    pub(crate) fn of(repetitions: &[f64]) -> Option<Self> {
        let mut sorted = repetitions.to_vec();
        if sorted.iter().any(|value| !value.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = match sorted.len() % 2 {
            0 => (upper + *sorted.get(middle.checked_sub(1)?)?) / 2.0,
            _ => upper,
        };
        Some(Self {
            median,
            lowest: *sorted.first()?,
            highest: *sorted.last()?,
            repetitions: sorted.len(),
        })
    }

    /// How far apart lowest and highest are, as a share of the median.
    pub fn spread(&self) -> f64 {
        if self.median == 0.0 {
            return 0.0;
        }
        (self.highest - self.lowest) / self.median.abs()
    }

    /// `amount` divided by each: the rate at which it was done.
    pub(crate) fn rate_of(self, amount: f64) -> Self {
        Self {
            median: amount / self.median,
            lowest: amount / self.highest,
            highest: amount / self.lowest,
            ..self
        }
    }
}

/// The repetitions of many figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collected {
    figures: BTreeMap<String, Vec<f64>>,
}

impl Collected {
    /// Adds one repetition, each name with `prefix` before it.
    pub(crate) fn add(&mut self, prefix: &str, figures: Figures) {
        for (name, value) in figures {
            let all = self.figures.entry(format!("{prefix}{name}")).or_default();
            all.push(value);
        }
    }

    /// What the repetitions of a figure came to, where there are any.
    pub(crate) fn measure(&self, name: &str) -> Option<Measure> {
        Measure::of(self.figures.get(name)?)
    }

    /// What a figure was in the repetition in which another one was highest.
    pub(crate) fn where_highest(&self, highest: &str, name: &str) -> Option<f64> {
        let pairs = self
            .figures
            .get(highest)?
            .iter()
            .zip(self.figures.get(name)?);
        let best = pairs.max_by(|a, b| a.0.total_cmp(b.0));
        best.map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Measure::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.lowest, odd.highest), (2.0, 1.0, 3.0));
        assert_eq!(odd.spread(), 1.0);
        assert_eq!(Measure::of(&[4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Measure::of(&[]), None);
        assert_eq!(Measure::of(&[1.0, f64::NAN]), None);
        let rate = odd.rate_of(6.0);
        assert_eq!((rate.median, rate.lowest, rate.highest), (3.0, 2.0, 6.0));
    }

    #[test]
    fn repetitions_are_collected_under_their_prefix() {
        let mut collected = Collected::default();
        for value in [1.0, 5.0, 3.0] {
            collected.add("one/", Figures::from([("lock".to_owned(), value)]));
        }
        assert_eq!(collected.measure("one/lock").unwrap().median, 3.0);
        for value in [7.0, 8.0, 9.0] {
            collected.add("", Figures::from([("rate".to_owned(), value)]));
        }
        assert_eq!(collected.where_highest("one/lock", "rate"), Some(8.0));
        assert_eq!(collected.measure("lock"), None);
    }
}
