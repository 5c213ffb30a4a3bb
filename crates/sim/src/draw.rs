//! Seeded numbers: everything that the web is follows from these and the seed.

/// What a number is drawn for, so that two draws for one page never share a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    Path = 1,
    Outcome,
    Redirect,
    Links,
    Body,
    Bytes,
    Latency,
    Robots,
    RobotsBody,
    Charset,
    Protocol,
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// A number in [0, 1) from the upper 53 bits.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A stream of numbers (splitmix64) that follows from the seed, the topic, the host and the page.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The stream of `topic` for one page of one host.
    pub(crate) fn new(seed: u64, topic: Topic, host: u32, page: u32) -> Self {
        let topic = mix(seed.wrapping_add(STEP.wrapping_mul(topic as u64)));
        let place = (u64::from(host) << 32) | u64::from(page);
        Self(mix(topic ^ mix(place.wrapping_add(STEP))))
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// The next number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// The next whole number below `bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// The next standard normal number (Box and Muller 1958, the cosine half).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// Draws ranks 0..count with probability falling as (rank + 1) to the power of -exponent,
/// by the inverse of the continuous distribution: no table, constant time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranks {
    count: u32,
    power: f64,
    span: f64,
}

impl Ranks {
    /// Ranks below `count`; exponent 0 is uniform.
    pub(crate) fn new(count: u32, exponent: f64) -> Self {
        let power = 1.0 - exponent;
        let end = f64::from(count) + 1.0;
        let span = if power.abs() < 1e-9 {
            end.ln()
        } else {
            end.powf(power) - 1.0
        };
        Self { count, power, span }
    }

    /// The next rank.
    pub(crate) fn draw(&self, draw: &mut Draw) -> u32 {
        let share = draw.unit() * self.span;
        let place = if self.power.abs() < 1e-9 {
            share.exp()
        } else {
            (share + 1.0).powf(1.0 / self.power)
        };
        ((place - 1.0).max(0.0) as u32).min(self.count.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_topics_differ() {
        let first = Draw::new(7, Topic::Path, 1, 2).bits();
        assert_eq!(first, Draw::new(7, Topic::Path, 1, 2).bits());
        assert_ne!(first, Draw::new(7, Topic::Links, 1, 2).bits());
        assert_ne!(first, Draw::new(8, Topic::Path, 1, 2).bits());
        assert_ne!(first, Draw::new(7, Topic::Path, 2, 1).bits());
    }

    #[test]
    fn first_numbers_of_neighbouring_streams_are_spread_evenly() {
        for topic in [
            Topic::Robots,
            Topic::RobotsBody,
            Topic::Outcome,
            Topic::Path,
        ] {
            for seed in 0..5 {
                let unit = |host| Draw::new(seed, topic, host, 0).unit();
                let low = (0..10_000).filter(|host| unit(*host) < 0.02).count();
                assert!((140..260).contains(&low), "{topic:?} {seed}: {low}");
            }
        }
    }

    #[test]
    fn ranks_stay_below_the_count_and_lean_to_the_front() {
        for exponent in [0.0, 0.7, 1.0, 1.4] {
            let ranks = Ranks::new(100, exponent);
            let mut draw = Draw::new(1, Topic::Links, 0, 0);
            let drawn: Vec<u32> = (0..10_000).map(|_| ranks.draw(&mut draw)).collect();
            assert!(drawn.iter().all(|rank| *rank < 100));
            let front = drawn.iter().filter(|rank| **rank < 50).count();
            let least = if exponent == 0.0 { 4_700 } else { 5_500 };
            assert!(front >= least, "exponent {exponent}: {front}");
        }
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut draw = Draw::new(3, Topic::Bytes, 0, 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| draw.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let square = drawn.iter().map(|number| number * number).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.05, "{mean}");
        assert!((square - 1.0).abs() < 0.05, "{square}");
    }
}
