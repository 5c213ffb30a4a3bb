//! The two kinds of work that everything is measured with: waiting and computing.

use std::hint::black_box;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Stopwatch;
use crate::error::Error;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Waits for a timer, as a fetch waits for a server: no processor is needed.
    Waiting,
    /// Computes a fixed number of rounds, as the analysis of a page does: a processor is needed all the
    /// time.
    Computing,
}

impl Work {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Waiting, Self::Computing];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Computing => "computing",
        }
    }
}

/// How much work there is, the same for every way of doing it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    /// How long a job that waits waits, in microseconds.
    pub wait_micros: u64,
    /// Rounds of a job that computes.
    pub rounds: u64,
    /// What those rounds must give.
    pub checksum: u64,
    /// Jobs in all: a multiple of the workers.
    pub jobs: usize,
    /// Tasks, threads or processes that share them out, each doing its own one after the other.
    pub workers: usize,
}

/// Rounds of xorshift and a multiplication, each of which needs the one before: no optimiser can
/// shorten them, and no processor can do two at once.
pub(crate) fn compute(rounds: u64) -> u64 {
    let mut state = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..rounds {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state = state.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1;
    }
    black_box(state)
}

impl Amounts {
    /// Chooses the rounds so that a job that computes takes about `compute` on this machine.
    pub(crate) fn calibrated(
        compute_time: Duration,
        wait: Duration,
        jobs: usize,
        workers: usize,
    ) -> Self {
        const TRIAL_ROUNDS: u64 = 200_000;
        const TRIALS: usize = 7;
        let trial = |_| {
            let stopwatch = Stopwatch::start();
            compute(TRIAL_ROUNDS);
            stopwatch.seconds()
        };
        let fastest = (0..TRIALS).map(trial).fold(f64::INFINITY, f64::min);
        let rounds = (compute_time.as_secs_f64() / fastest * TRIAL_ROUNDS as f64).max(1.0) as u64;
        Self {
            wait_micros: wait.as_micros() as u64,
            rounds,
            checksum: compute(rounds),
            jobs,
            workers,
        }
    }

    /// Does jobs of a kind on this thread, one after the other.
    pub(crate) fn work(&self, work: Work, jobs: usize) -> Result<(), Error> {
        for _ in 0..jobs {
            match work {
                Work::Waiting => std::thread::sleep(self.wait()),
                Work::Computing => self.compute_one()?,
            }
        }
        Ok(())
    }

    /// Does jobs of a kind in an async task, which lets others run while it waits and between jobs.
    pub(crate) async fn work_async(self, work: Work, jobs: usize) -> Result<(), Error> {
        for _ in 0..jobs {
            match work {
                Work::Waiting => tokio::time::sleep(self.wait()).await,
                Work::Computing => {
                    self.compute_one()?;
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }

    /// Jobs of one worker.
    pub(crate) fn share(&self) -> usize {
        self.jobs / self.workers.max(1)
    }

    fn wait(&self) -> Duration {
        Duration::from_micros(self.wait_micros)
    }

    fn compute_one(&self) -> Result<(), Error> {
        if compute(self.rounds) == self.checksum {
            return Ok(());
        }
        Err(Error::task(
            "a computation came out wrong: this machine's arithmetic cannot be trusted",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_computes_is_checked() {
        assert_ne!(compute(1_000), compute(1_001));
        let amounts = Amounts {
            wait_micros: 0,
            rounds: 1_000,
            checksum: compute(1_000),
            jobs: 4,
            workers: 2,
        };
        amounts.work(Work::Computing, 2).unwrap();
        amounts.work(Work::Waiting, 2).unwrap();
        let wrong = Amounts {
            checksum: 1,
            ..amounts
        };
        assert!(wrong.work(Work::Computing, 1).is_err());
        assert_eq!(amounts.share(), 2);
    }
}
