//! The rate that a host bears, found out: how long to leave between the starts of two fetches.
//!
//! A host that answers 429 or 503, or that answers the slower the more it is asked at once, is asked less
//! often: the pause between two starts becomes half as long again as it was. It shrinks while the host is
//! content, quickly down to what was borne before, and below that so slowly that a refusal is one in some
//! hundreds of answers (additive-increase, multiplicative-decrease: D.-M. Chiu and R. Jain, "Analysis of the
//! Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks", Computer Networks and ISDN
//! Systems 17, 1989). The crawl-delay is the floor: it is held beside, whatever is found out here.

use std::time::Duration;

use crate::moment::Moment;

/// The longest pause that is found out; longer ones the server has to ask for.
const LONGEST: Duration = Duration::from_secs(60);
/// Where a refusal came before any rate was seen.
const FIRST: Duration = Duration::from_millis(100);
/// A pause this short is none.
const NONE: Duration = Duration::from_millis(1);
/// Answers after which the pause shrinks by a twentieth, on the way back to what was borne.
const ANSWERS: u32 = 20;
/// The same where it was refused before.
const ANSWERS_BELOW: u32 = 150;

/// What is known of a host's pace.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    started_at: Moment,
    /// Between the starts of the last fetches, in the mean; none before the second.
    interval: Duration,
    /// To leave between two starts; zero where nothing was found to be too much.
    pause: Duration,
    /// The pause with which it last was too much.
    refused: Duration,
    changed_at: Moment,
    /// Answers since the last change.
    answers: u32,
}

impl Pace {
    /// When the next fetch may start.
    pub(crate) fn next_at(&self) -> Moment {
        match self.pause.is_zero() {
            true => Moment::EPOCH,
            false => self.started_at.after(self.pause),
        }
    }

    /// A fetch starts.
    pub(crate) fn note_start(&mut self, now: Moment) {
        let gap = now.since(self.started_at);
        self.interval = match (self.started_at == Moment::EPOCH, self.interval.is_zero()) {
            (true, _) => Duration::ZERO,
            (false, true) => gap,
            // A host that had nothing queued for a while was not asked slowly.
            (false, false) => (self.interval * 7 + gap.min(self.interval * 4)) / 8,
        };
        self.started_at = now;
    }

    /// An answer came that asks for no rest.
    pub(crate) fn note_answer(&mut self, now: Moment) {
        self.answers += 1;
        if self.pause.is_zero() {
            return;
        }
        let shorter = self.pause * 19 / 20;
        let needed = match shorter < self.refused + self.refused / 10 {
            true => ANSWERS_BELOW,
            false => ANSWERS,
        };
        if self.answers >= needed {
            self.pause = if shorter < NONE {
                Duration::ZERO
            } else {
                shorter
            };
            (self.answers, self.changed_at) = (0, now);
        }
    }

    /// The host refused, or answers far slower than it did. `usual` is how long an answer takes: those that
    /// were on their way when the pause last grew say nothing new.
    pub(crate) fn note_too_much(&mut self, usual: Duration, now: Moment) {
        let is_known = !self.pause.is_zero() && now < self.changed_at.after(usual + self.pause);
        if is_known {
            return;
        }
        let was = self.pause.max(self.interval);
        let was = if was.is_zero() { FIRST } else { was };
        self.refused = was.min(LONGEST);
        self.pause = (was + was / 2).min(LONGEST);
        (self.answers, self.changed_at) = (0, now);
    }

    /// The pause, where one was found out.
    #[cfg(test)]
    fn pause(&self) -> Option<Duration> {
        Some(self.pause).filter(|pause| !pause.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// A host that has a token every `every`, ten of them at most, and refuses without one; asked one fetch
    /// after the other. Returns refusals and answers over so many fetches.
    fn ask(pace: &mut Pace, every: Duration, fetches: u32) -> (u32, u32, Duration) {
        let (mut now, mut tokens, mut refusals) = (Moment::from_micros(1_000_000), 10.0_f64, 0);
        let began = now;
        for _ in 0..fetches {
            let start = now.max(pace.next_at());
            tokens = (tokens + start.since(now).as_secs_f64() / every.as_secs_f64()).min(10.0);
            pace.note_start(start);
            let end = start.after(20 * MILLI);
            tokens = (tokens + 20.0 / every.as_secs_f64() / 1e3).min(10.0);
            now = end;
            if tokens >= 1.0 {
                tokens -= 1.0;
                pace.note_answer(end);
            } else {
                refusals += 1;
                pace.note_too_much(20 * MILLI, end);
                // Retry-After.
                now = end.after(1_000 * MILLI);
                tokens = (tokens + 1.0 / every.as_secs_f64()).min(10.0);
            }
        }
        (refusals, fetches - refusals, now.since(began))
    }

    #[test]
    fn a_host_that_refuses_is_asked_at_the_rate_that_it_bears() {
        for every in [50, 100, 500] {
            let every = every * MILLI;
            let mut pace = Pace::default();
            ask(&mut pace, every, 300);
            let (refusals, answers, took) = ask(&mut pace, every, 3_000);
            assert!(refusals * 100 <= answers, "{refusals} of {answers} refused");
            let rate = f64::from(answers) / took.as_secs_f64();
            let borne = 1.0 / every.as_secs_f64();
            assert!(rate > borne * 0.8, "{rate} a second of {borne}");
        }
    }

    #[test]
    fn a_host_that_is_content_has_no_pause() {
        let mut pace = Pace::default();
        let (refusals, _, _) = ask(&mut pace, MILLI, 1_000);
        assert_eq!((refusals, pace.pause()), (0, None));
        assert_eq!(pace.next_at(), Moment::EPOCH);
    }

    #[test]
    fn what_was_on_its_way_counts_once() {
        let mut pace = Pace::default();
        let at = |millis| Moment::EPOCH.after(millis * MILLI);
        (1..10).for_each(|number| pace.note_start(at(number * 100)));
        pace.note_too_much(50 * MILLI, at(1_000));
        let once = pace.pause();
        pace.note_too_much(50 * MILLI, at(1_010));
        assert_eq!(pace.pause(), once);
        pace.note_too_much(50 * MILLI, at(3_000));
        assert!(pace.pause() > once);
    }
}
