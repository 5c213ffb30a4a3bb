//! Whether the way from the net is the limit: bytes a second beside the bodies that are being read.
//!
//! Where each server sends as it can, twice the bodies bring twice the bytes. Where all share one way that is
//! full, they bring as many as before, each more slowly. So of many short samples the elasticity is taken: by
//! how many percent the bytes grow when the bodies grow by one percent. Near 1 the servers decide, near 0 the
//! way.

use serde::{Deserialize, Serialize};

/// Samples, as sums; each is the logarithm of bytes a second beside that of the bodies being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkSamples {
    count: f64,
    bodies: f64,
    rate: f64,
    bodies_squared: f64,
    product: f64,
    /// The most bytes a second that a sample had.
    pub highest_rate: f64,
}

impl LinkSamples {
    /// Notes a short stretch in which bodies were being read.
    pub fn note(&mut self, bodies: f64, bytes_per_second: f64) {
        if bodies < 0.5 || bytes_per_second <= 0.0 {
            return;
        }
        let (x, y) = (bodies.ln(), bytes_per_second.ln());
        self.count += 1.0;
        self.bodies += x;
        self.rate += y;
        self.bodies_squared += x * x;
        self.product += x * y;
        self.highest_rate = self.highest_rate.max(bytes_per_second);
    }

    pub(crate) fn add(&mut self, other: &LinkSamples) {
        self.count += other.count;
        self.bodies += other.bodies;
        self.rate += other.rate;
        self.bodies_squared += other.bodies_squared;
        self.product += other.product;
        self.highest_rate = self.highest_rate.max(other.highest_rate);
    }

    /// By how many percent the bytes grow with one percent more bodies; `None` where there are too few
    /// samples, or all were taken with about as many bodies.
    pub fn elasticity(&self) -> Option<f64> {
        const FEWEST: f64 = 10.0;
        const LEAST_SPREAD: f64 = 0.0025;
        if self.count < FEWEST {
            return None;
        }
        let spread = self.bodies_squared / self.count - (self.bodies / self.count).powi(2);
        let together =
            self.product / self.count - self.bodies * self.rate / (self.count * self.count);
        (spread > LEAST_SPREAD).then(|| together / spread)
    }

    /// Bytes a second, the geometric mean of the samples.
    pub fn usual_rate(&self) -> f64 {
        match self.count > 0.0 {
            true => (self.rate / self.count).exp(),
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_way_brings_no_more_with_more_bodies() {
        let (mut full, mut free) = (LinkSamples::default(), LinkSamples::default());
        for bodies in 1..50 {
            full.note(f64::from(bodies), 1e6);
            free.note(f64::from(bodies), 2e4 * f64::from(bodies));
        }
        assert!(full.elasticity().unwrap().abs() < 0.01);
        assert!((free.elasticity().unwrap() - 1.0).abs() < 0.01);
        assert!((full.usual_rate() - 1e6).abs() < 1.0);
    }

    #[test]
    fn few_samples_tell_nothing() {
        let mut samples = LinkSamples::default();
        samples.note(3.0, 1e6);
        samples.note(0.0, 1e6);
        assert_eq!(samples.elasticity(), None);
        for _ in 0..100 {
            samples.note(3.0, 1e6);
        }
        assert_eq!(samples.elasticity(), None, "always as many bodies");
    }
}
