//! Chance that can be thrown again: everything drawn follows from a seed.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of the crawl of this number.
    pub(super) fn of(seed: u64, crawl: u64) -> Dice {
        let mut dice = Dice(seed ^ crawl.wrapping_mul(0xD1B5_4A32_D192_ED03));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether it happens, with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// Between `low` and `high`, each order of magnitude as likely as another.
    pub(super) fn logarithmic(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.share())
    }

    /// One of them; the slice is not empty.
    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let place = self.share() * of.len() as f64;
        of.get(place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_another_crawl_another() {
        let thrown = |crawl| {
            let mut dice = Dice::of(7, crawl);
            (0..8).map(|_| dice.next()).collect::<Vec<_>>()
        };
        assert_eq!(thrown(3), thrown(3));
        assert_ne!(thrown(3), thrown(4));
    }

    #[test]
    fn what_is_drawn_is_within_its_bounds() {
        let mut dice = Dice::of(1, 1);
        for _ in 0..10_000 {
            let drawn = dice.logarithmic(5.0, 1_500.0);
            assert!((5.0..=1_500.0).contains(&drawn));
            assert!(dice.one(&[1, 2, 3]).is_some());
        }
        assert_eq!(dice.one::<u8>(&[]), None);
    }
}
