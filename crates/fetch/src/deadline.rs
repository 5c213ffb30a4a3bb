//! The limits of time of one exchange.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::Stage;
use crate::failure::Failure;

/// A limit beyond which none is meant; keeps sums of instants from overflowing.
const LIMIT_MAX: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The end of the whole exchange. Each state has its own limit under it.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    total: Instant,
    limit: Duration,
}

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Deadline {
        Deadline {
            total: Instant::now() + limit.min(LIMIT_MAX),
            limit,
        }
    }

    /// Runs `future` for at most `limit` and not beyond the end of the exchange. The timer is armed
    /// only when `future` has to wait.
    pub(crate) async fn run<F: Future>(
        &self,
        stage: Stage,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, Failure> {
        let stage_end = Instant::now() + limit.min(LIMIT_MAX);
        let end = stage_end.min(self.total);
        timeout_at(end, future).await.map_err(|_| {
            if self.total < stage_end {
                Failure::timed_out(Stage::Total, self.limit)
            } else {
                Failure::timed_out(stage, limit)
            }
        })
    }
}
