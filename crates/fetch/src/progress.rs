//! How far one exchange has come: the time spent in each state, and what is known of the response.

use std::net::SocketAddr;
use std::time::Duration;

use crate::error::Stage;
use crate::response::{ResponseHead, Times};
use crate::shared::Clock;

/// The exchange's own notes, from which a response or an error is filled at the end.
pub(crate) struct Progress<'a> {
    clock: &'a Clock,
    current: Option<(Stage, Duration)>,
    pub(crate) times: Times,
    pub(crate) head: Option<ResponseHead>,
    pub(crate) remote: Option<SocketAddr>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(clock: &'a Clock) -> Progress<'a> {
        Progress {
            clock,
            current: None,
            times: Times::default(),
            head: None,
            remote: None,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Leaves the state that the exchange is in, if any, and enters `stage`.
    pub(crate) fn enter(&mut self, stage: Stage) {
        let now = self.now();
        self.leave_at(now);
        self.current = Some((stage, now));
    }

    pub(crate) fn leave(&mut self) {
        if self.current.is_some() {
            self.leave_at(self.now());
        }
    }

    fn leave_at(&mut self, now: Duration) {
        let Some((stage, since)) = self.current.take() else {
            return;
        };
        let spent = now.saturating_sub(since);
        match stage {
            Stage::Dns => self.times.dns += spent,
            Stage::Connect => self.times.connect += spent,
            Stage::Tls => self.times.tls += spent,
            Stage::FirstByte => self.times.first_byte += spent,
            Stage::Body => self.times.body += spent,
            Stage::Total => {}
        }
    }
}
