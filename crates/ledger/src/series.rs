//! A run over time, in constant memory: stretches that grow longer as the run does.

use serde::{Deserialize, Serialize};

use crate::verdict::{Limit, Verdict};
use crate::window::Window;

/// Stretches that are kept; when there are more, each two become one.
const MOST: usize = 240;

/// One stretch of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// What was measured in it.
    pub window: Window,
    /// Seconds of it under each of [`Limit::ALL`].
    pub limits: [f64; Limit::ALL.len()],
}

impl Stretch {
    fn of(window: Window) -> Stretch {
        let mut limits = [0.0; Limit::ALL.len()];
        let verdict = Verdict::of(&window);
        if let Some(seconds) = verdict.and_then(|verdict| limits.get_mut(verdict.limit as usize)) {
            *seconds = window.seconds;
        }
        Stretch { window, limits }
    }

    fn add(&mut self, other: &Stretch) {
        self.window.add(&other.window);
        for (seconds, more) in self.limits.iter_mut().zip(other.limits) {
            *seconds += more;
        }
    }
}

/// A run over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    stretches: Vec<Stretch>,
    /// Windows that make one stretch.
    windows_each: u32,
    /// Windows in the last one.
    windows_last: u32,
}

impl Series {
    /// Adds the window that follows. All windows are about as long.
    pub fn push(&mut self, window: Window) {
        let stretch = Stretch::of(window);
        match self.stretches.last_mut() {
            Some(last) if self.windows_last < self.windows_each => {
                last.add(&stretch);
                self.windows_last += 1;
                return;
            }
            _ => {
                self.stretches.push(stretch);
                self.windows_each = self.windows_each.max(1);
                self.windows_last = 1;
            }
        }
        if self.stretches.len() > MOST {
            self.halve();
        }
    }

    /// From the first to the last.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// The whole run.
    pub fn total(&self) -> Stretch {
        self.stretches
            .iter()
            .fold(Stretch::default(), |mut sum, stretch| {
                sum.add(stretch);
                sum
            })
    }

    /// The last stretches that have so many seconds together, or all.
    pub fn last(&self, seconds: f64) -> Stretch {
        let mut sum = Stretch::default();
        for stretch in self.stretches.iter().rev() {
            if sum.window.seconds >= seconds {
                break;
            }
            sum.add(stretch);
        }
        sum
    }

    /// The run without its first and its last tenth, in which it fills and empties.
    pub fn steady(&self) -> Stretch {
        let whole = self.total().window.seconds;
        let (mut at, mut sum) = (0.0, Stretch::default());
        for stretch in &self.stretches {
            let middle = at + stretch.window.seconds / 2.0;
            at += stretch.window.seconds;
            if middle >= whole * 0.1 && middle <= whole * 0.9 {
                sum.add(stretch);
            }
        }
        if sum.window.seconds > 0.0 {
            sum
        } else {
            self.total()
        }
    }

    fn halve(&mut self) {
        let before = std::mem::take(&mut self.stretches);
        self.windows_last += match before.len().is_multiple_of(2) {
            true => self.windows_each,
            false => 0,
        };
        for pair in before.chunks(2) {
            let mut pair = pair.iter();
            let mut both = pair.next().cloned().unwrap_or_default();
            pair.for_each(|second| both.add(second));
            self.stretches.push(both);
        }
        self.windows_each *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_takes_no_more_room_and_loses_nothing() {
        let mut series = Series::default();
        for number in 0..100_000 {
            series.push(Window {
                seconds: 1.0,
                pages: f64::from(number % 7),
                ..Window::default()
            });
            assert!(series.stretches().len() <= MOST);
        }
        let total = series.total();
        assert_eq!(total.window.seconds, 100_000.0);
        let pages: u32 = (0..100_000).map(|number| number % 7).sum();
        assert_eq!(total.window.pages, f64::from(pages));
        let lengths: Vec<f64> = series
            .stretches()
            .iter()
            .map(|of| of.window.seconds)
            .collect();
        let (last, others) = lengths.split_last().unwrap();
        assert!(others.iter().all(|length| length == &others[0]) && last <= &others[0]);
    }

    #[test]
    fn the_steady_part_leaves_out_both_ends() {
        let mut series = Series::default();
        for number in 0..100 {
            let pages = if (10..90).contains(&number) {
                100.0
            } else {
                0.0
            };
            series.push(Window {
                seconds: 1.0,
                pages,
                ..Window::default()
            });
        }
        assert_eq!(series.steady().window.pages_per_second(), 100.0);
        assert_eq!(series.last(10.0).window.pages, 0.0);
    }
}
