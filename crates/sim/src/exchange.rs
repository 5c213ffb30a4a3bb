//! What every connection of a server shares, and the part of an exchange that both protocols have.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::watch;

use crate::plan::{PageKind, Plan};
use crate::recorder::{Asked, Mood, Recorder};
use crate::reply::{Ask, Fate, Reply, Resource};
use crate::server::ServeOptions;
use crate::tls::Tls;

/// Body buffers kept for reuse, and the largest that is kept.
const MAX_SPARE_BODIES: usize = 32;
const MAX_SPARE_BYTES: usize = 1 << 20;

/// The state of a server.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) options: ServeOptions,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) tls: Option<Tls>,
    /// True from the moment when the server is to stop.
    pub(crate) stop: watch::Sender<bool>,
    /// Empty buffers: a connection has a body only while it sends one, so that ten thousand waiting
    /// connections cost no more than their sockets.
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Shared {
    pub(crate) fn new(plan: Plan, options: ServeOptions, tls: Option<Tls>) -> Self {
        let recorder = Arc::new(Recorder::new(&plan, options.log));
        let stop = watch::Sender::new(false);
        Self {
            plan,
            options,
            recorder,
            tls,
            stop,
            spare: Mutex::new(Vec::new()),
        }
    }

    /// Waits until the server is to stop.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // The sender is in `self`: it cannot be gone.
        let _ = stop.wait_for(|stopped| *stopped).await;
    }

    /// Notes a request and decides on its answer.
    pub(crate) fn meet(&self, connection: u64, ask: &Ask<'_>) -> (Reply, Asked) {
        let reply = self.plan.reply(ask);
        let flaky = match reply.resource {
            Resource::Page(id) if self.plan.kind(id) == PageKind::Flaky => {
                Some(self.plan.ordinal(id))
            }
            _ => None,
        };
        let (asked, mood) = self.recorder.begin(connection, ask, reply.resource, flaky);
        let reply = match mood {
            Mood::Calm => reply,
            Mood::Flaky => reply.refused(503, false),
            Mood::TooFast => {
                let status = if ask.target.len().is_multiple_of(2) {
                    429
                } else {
                    503
                };
                reply.refused(status, true)
            }
        };
        (reply, asked)
    }

    /// Makes the body of an answer; whether it is compressed comes with it. The buffer goes back by
    /// [`Shared::put_back`].
    pub(crate) fn body(&self, reply: &Reply, accepts_gzip: bool) -> (Vec<u8>, bool) {
        let mut body = self.buffer();
        reply.push_body(&self.plan, &mut body);
        let fit = accepts_gzip && self.options.gzip && reply.fate == Fate::Sent && body.len() > 200;
        if !fit {
            return (body, false);
        }
        let mut encoder = GzEncoder::new(self.buffer(), Compression::fast());
        let packed = encoder.write_all(&body).and_then(|()| encoder.finish());
        match packed {
            Ok(packed) => {
                self.put_back(body);
                (packed, true)
            }
            Err(_) => (body, false),
        }
    }

    fn buffer(&self) -> Vec<u8> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    /// Keeps a buffer for the next body.
    pub(crate) fn put_back(&self, mut body: Vec<u8>) {
        body.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MAX_SPARE_BODIES && body.capacity() <= MAX_SPARE_BYTES {
            spare.push(body);
        }
    }
}
