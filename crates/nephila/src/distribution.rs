//! How a figure is distributed, in a few counters, whatever there is to count.

use serde::Serialize;

use crate::journal::take_u64;

/// Steps of powers of two: 0, 1, 2 to 3, 4 to 7 ... so that each is twice as wide as the one before.
const STEPS: usize = 65;

/// Counts of figures by their power of two. 520 bytes, whatever is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Distribution {
    counts: [u64; STEPS],
}

/// Figures from `from` to below `below`, and how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The least.
    pub from: u64,
    /// What is no longer among them; `u64::MAX` where there is none.
    pub below: u64,
    /// How many.
    pub count: u64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { counts: [0; STEPS] }
    }
}

impl Distribution {
    pub(crate) fn note(&mut self, figure: u64) {
        let place = (u64::BITS - figure.leading_zeros()) as usize;
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// From the first step with a count to the last, those without one between them too.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let is_some = |count: &u64| *count > 0;
        let (Some(first), Some(last)) = (
            self.counts.iter().position(is_some),
            self.counts.iter().rposition(is_some),
        ) else {
            return Vec::new();
        };
        let places = self.counts.iter().enumerate().skip(first);
        places
            .take(last + 1 - first)
            .map(|(place, count)| Step {
                from: edge(place),
                below: edge(place + 1),
                count: *count,
            })
            .collect()
    }

    /// Appends the stored form.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for count in self.counts {
            out.extend_from_slice(&count.to_le_bytes());
        }
    }

    /// Reads it back; `None` when it is damaged.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Distribution> {
        let mut read = Distribution::default();
        for count in &mut read.counts {
            *count = take_u64(bytes)?;
        }
        Some(read)
    }
}

/// Where a step begins.
fn edge(place: usize) -> u64 {
    match place {
        0 => 0,
        1..=64 => 1 << (place - 1),
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_step() {
        let mut distribution = Distribution::default();
        let figures = [0, 1, 2, 3, 4, 1_000, u64::MAX];
        for figure in figures {
            distribution.note(figure);
        }
        let steps = distribution.steps();
        assert_eq!(steps.iter().map(|step| step.count).sum::<u64>(), 7);
        for figure in figures {
            let of = |step: &&Step| {
                figure >= step.from && (figure < step.below || step.below == u64::MAX)
            };
            assert!(steps.iter().find(of).unwrap().count > 0, "{figure}");
        }
        assert_eq!(
            steps[2],
            Step {
                from: 2,
                below: 4,
                count: 2
            }
        );
        assert!(Distribution::default().steps().is_empty());
        let mut bytes = Vec::new();
        distribution.encode(&mut bytes);
        assert_eq!(
            Distribution::decode(&mut bytes.as_slice()),
            Some(distribution)
        );
        assert_eq!(Distribution::decode(&mut &bytes[1..]), None);
    }
}
