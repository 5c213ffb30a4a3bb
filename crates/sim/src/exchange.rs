//! What every connection of a server shares, and the part of an exchange that both protocols have.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::conditions::Conditions;
use crate::plan::{PageKind, Plan};
use crate::prepared::{MIN_PACKED_BYTES, OutBody, Prepared, pack};
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
    pub(crate) conditions: Arc<Conditions>,
    prepared: Prepared,
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
        let prepared = match options.prepared {
            true => Prepared::all(&plan, options.gzip),
            false => Prepared::default(),
        };
        let conditions = Conditions::new(plan.web.bandwidth, plan.web.host_workers);
        Self {
            conditions: Arc::new(conditions),
            prepared,
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

    /// The body of an answer; whether it is compressed comes with it. It goes back by
    /// [`Shared::put_back`].
    pub(crate) fn body(&self, reply: &Reply, accepts_gzip: bool) -> (OutBody, bool) {
        if let (Resource::Page(id), 200, Fate::Sent) = (reply.resource, reply.status, reply.fate)
            && let Some((body, packed)) = self.prepared.get(&self.plan, id, accepts_gzip)
        {
            return (OutBody::Prepared(body), packed);
        }
        let mut body = self.buffer();
        reply.push_body(&self.plan, &mut body);
        let is_worth_it = body.len() > MIN_PACKED_BYTES && reply.fate == Fate::Sent;
        if !(accepts_gzip && self.options.gzip && is_worth_it) {
            return (OutBody::Made(body), false);
        }
        match pack(&body, self.buffer()) {
            Ok(packed) => {
                self.put_back(OutBody::Made(body));
                (OutBody::Made(packed), true)
            }
            Err(_) => (OutBody::Made(body), false),
        }
    }

    fn buffer(&self) -> Vec<u8> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    /// Keeps the buffer of a body for the next one.
    pub(crate) fn put_back(&self, body: OutBody) {
        let OutBody::Made(mut body) = body else {
            return;
        };
        body.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MAX_SPARE_BODIES && body.capacity() <= MAX_SPARE_BYTES {
            spare.push(body);
        }
    }
}
