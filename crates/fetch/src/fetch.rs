//! The exchange, from top to bottom.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::Semaphore;

use crate::body_room::{FREE_BYTES, HeldRoom};
use crate::collected::Collected;
use crate::config::FetchConfig;
use crate::connect::{self, address_busy};
use crate::connection::{Connection, SendFailure};
use crate::deadline::Deadline;
use crate::dns::DnsResolver;
use crate::error::{FetchError, FetchErrorKind, Stage};
use crate::failure::Failure;
use crate::head_checks::{check_head, is_framed_once, version_name};
use crate::limits::{AddressLimit, AddressPermit};
use crate::pool::Pool;
use crate::progress::Progress;
use crate::raw::{Keeper, RecordLimits};
use crate::request::{Request, to_http};
use crate::response::{Response, ResponseHead};
use crate::shared::Shared;
use crate::target::Target;

/// Bodies that one thread reads at once, as long as they come without a pause. Where answers come faster
/// than they can be analysed the others stay with the kernel: a thread that took a piece of each in turn
/// would have all of them in memory before the first is whole.
const BODIES_AT_ONCE: usize = 256;
/// A body that takes longer gives its place to another, and is read beside.
const BODY_PATIENCE: Duration = Duration::from_millis(100);

/// Anything that turns requests into responses: the seam for a simulated web and other transports.
pub trait Fetch {
    /// Makes one exchange. Redirects are reported, not followed.
    ///
    /// # Errors
    ///
    /// A [`FetchError`] where no whole response came.
    fn fetch(&self, request: Request) -> impl Future<Output = Result<Response, FetchError>>;
}

/// Fetches over the network, for one thread.
///
/// Runs inside a `LocalSet` on tokio's current-thread runtime: connections of HTTP/2 are driven by tasks of
/// that set. Any number of exchanges may be under way at once. What is dropped halfway, be it one
/// exchange or the fetcher, closes its connections.
pub struct Fetcher {
    shared: Arc<Shared>,
    pool: Pool,
    dns: DnsResolver,
    /// Places for bodies that come without a pause.
    bodies: Semaphore,
}

impl Fetcher {
    /// A fetcher with no connections yet.
    pub fn new(shared: Arc<Shared>) -> Fetcher {
        let config = &shared.config;
        let pool = Pool::new(config.max_idle_connections, config.idle_connection_lifetime);
        Fetcher {
            shared,
            pool,
            dns: DnsResolver::new(),
            bodies: Semaphore::new(BODIES_AT_ONCE),
        }
    }

    /// What this fetcher has in common with others.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Fetch for Fetcher {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let mut progress = Progress::new(&self.shared.clock);
        let outcome = self.exchange(&request, &mut progress).await;
        progress.leave();
        let Progress {
            times,
            head,
            remote,
            ..
        } = progress;
        match outcome {
            Ok(response) => Ok(Response { times, ..response }),
            Err(failure) => Err(FetchError::new(failure, request.url, times, head, remote)),
        }
    }
}

/// A connection taken for one exchange, and the exchange's place at its address.
struct Taken {
    connection: Connection,
    /// The bytes of the exchange, where they are kept.
    raw: Option<Keeper>,
    _permit: AddressPermit,
}

impl Fetcher {
    async fn exchange(
        &self,
        request: &Request,
        progress: &mut Progress<'_>,
    ) -> Result<Response, Failure> {
        let shared = &*self.shared;
        let target = Target::of(&request.url, shared.config.proxy.as_ref())?;
        let deadline = Deadline::after(shared.config.total_timeout);

        if target.proxy.is_some() {
            connect::check_proxied(shared, &self.dns, &target, deadline, progress).await?;
        }
        let (mut taken, response) = self.ask(request, &target, deadline, progress).await?;
        progress.enter(Stage::Body);
        let (parts, body) = response.into_parts();
        let head = ResponseHead {
            status: parts.status.as_u16(),
            version: version_name(parts.version),
            headers: parts.headers,
        };
        check_head(&head, &target, &shared.config)?;
        if let Some(jar) = shared.cookies.as_ref().filter(|_| !request.anonymous) {
            jar.store(&head.headers, &request.url);
        }

        let wanted = request.take.wants(head.status, &head.headers);
        let reusable = is_framed_once(&head);
        progress.head = Some(head);
        let mut room = match taken.raw {
            None => shared.body_room.enter(),
            Some(_) => shared.body_room.enter_recorded(),
        };
        let (body, body_cut) = if wanted {
            let limit = BodyLimit::of(request, &shared.config);
            let collecting = self.collect(body, limit, deadline, &mut room, &mut taken);
            let collected = collecting.await;
            collected.inspect_err(|failure| self.after_failure(failure, &target, &taken))?
        } else {
            // Dropping the body makes hyper read what is already there and otherwise close the
            // connection (or reset the HTTP/2 stream), without waiting.
            drop(body);
            (Bytes::new(), false)
        };

        let Taken {
            connection, raw, ..
        } = taken;
        let head = progress.head.take();
        let raw = raw
            .filter(|_| wanted && !body_cut)
            .zip(head.as_ref())
            .and_then(|(raw, head)| raw.finish(&request.method, head, &body));
        let room = room.seal();
        let body = room.fill(body);
        let raw = raw.map(|raw| raw.within(&room));
        let (remote, reused) = (Some(connection.remote), connection.reused);
        if reusable && !body_cut {
            self.pool
                .check_in(&target.origin, connection, progress.now());
        }
        let (status, version, headers) = head
            .map(|head| (head.status, head.version, head.headers))
            .unwrap_or_default();
        Ok(Response {
            wire_bytes: body.len() as u64,
            status,
            version,
            headers,
            body,
            body_skipped: !wanted,
            body_cut,
            raw,
            remote,
            reused,
            times: progress.times,
        })
    }

    /// Sends the request and waits for the headers. A request that a kept connection did not answer
    /// is sent once more: the server may close a connection, or refuse a stream, at any time.
    async fn ask(
        &self,
        request: &Request,
        target: &Target<'_>,
        deadline: Deadline,
        progress: &mut Progress<'_>,
    ) -> Result<(Taken, http::Response<Incoming>), Failure> {
        let mut taken = self.take_connection(target, deadline, progress).await?;
        let mut sent_again = false;
        loop {
            progress.enter(Stage::FirstByte);
            progress.remote = Some(taken.connection.remote);
            let http = to_http(request, target, &self.shared, taken.connection.is_http2())?;
            if request.keep_raw {
                let limit = BodyLimit::of(request, &self.shared.config).max;
                let limits = RecordLimits::of(self.shared.config.max_header_bytes, limit);
                taken.raw = Some(taken.connection.keep_raw(&http, limits));
            }
            let limit = self.shared.config.first_byte_timeout;
            let sending = taken.connection.send(http);
            let failure = match deadline.run(Stage::FirstByte, limit, sending).await {
                Ok(Ok(response)) => {
                    taken.raw.as_ref().inspect(|raw| raw.head_came());
                    return Ok((taken, response));
                }
                Ok(Err(SendFailure {
                    unanswered: true,
                    refused,
                    ..
                })) if taken.connection.reused && !sent_again => {
                    sent_again = true;
                    if !refused {
                        self.pool.forget(&target.origin, &taken.connection);
                    }
                    drop(taken);
                    taken = self.take_connection(target, deadline, progress).await?;
                    continue;
                }
                Ok(Err(SendFailure { failure, .. })) => failure,
                Err(timed_out) => timed_out,
            };
            self.after_failure(&failure, target, &taken);
            return Err(failure);
        }
    }

    /// A kept connection, a share of one that is just being made, or a new one.
    async fn take_connection(
        &self,
        target: &Target<'_>,
        deadline: Deadline,
        progress: &mut Progress<'_>,
    ) -> Result<Taken, Failure> {
        if let Some(taken) = self.check_out(target, progress)? {
            return Ok(taken);
        }
        if target.secure && self.shared.config.http2 {
            if let Some(other) = self.pool.connecting(&target.origin) {
                progress.enter(Stage::Connect);
                // The one that connects has limits of its own for each step.
                let made = other.notified();
                deadline.run(Stage::Total, Duration::MAX, made).await?;
                if let Some(taken) = self.check_out(target, progress)? {
                    return Ok(taken);
                }
            }
            let _announcement = self.pool.announce(&target.origin);
            return Box::pin(self.connect(target, deadline, progress)).await;
        }
        // Boxed, because most exchanges need none of its room.
        Box::pin(self.connect(target, deadline, progress)).await
    }

    fn check_out(
        &self,
        target: &Target<'_>,
        progress: &Progress<'_>,
    ) -> Result<Option<Taken>, Failure> {
        let now = progress.now();
        let Some(connection) = self.pool.check_out(&target.origin, now) else {
            return Ok(None);
        };
        let limit = self
            .shared
            .address_limit
            .as_ref()
            .filter(|_| target.proxy.is_none());
        let permit = match limit {
            None => AddressPermit::default(),
            Some(limit) => match AddressLimit::acquire(limit, connection.remote.ip()) {
                Some(permit) => permit,
                None => {
                    self.pool.check_in(&target.origin, connection, now);
                    return Err(address_busy());
                }
            },
        };
        Ok(Some(Taken {
            connection,
            raw: None,
            _permit: permit,
        }))
    }

    async fn connect(
        &self,
        target: &Target<'_>,
        deadline: Deadline,
        progress: &mut Progress<'_>,
    ) -> Result<Taken, Failure> {
        let shared = &*self.shared;
        let mut transport = connect::open(shared, &self.dns, target, deadline, progress).await?;
        let permit = std::mem::take(&mut transport.permit);
        let starting = Connection::start(transport, &shared.config);
        let limit = shared.config.connect_timeout;
        let connection = deadline.run(Stage::Connect, limit, starting).await??;
        self.pool.share(&target.origin, &connection, progress.now());
        Ok(Taken {
            connection,
            raw: None,
            _permit: permit,
        })
    }

    /// A shared connection on which an exchange died is not handed out again. (One of HTTP/1 is
    /// closed by being dropped.)
    fn after_failure(&self, failure: &Failure, target: &Target<'_>, taken: &Taken) {
        let suspect = matches!(
            failure.kind,
            FetchErrorKind::TimedOut(_)
                | FetchErrorKind::ConnectionLost
                | FetchErrorKind::Truncated
        );
        if suspect && taken.connection.is_http2() {
            self.pool.forget(&target.origin, &taken.connection);
        }
    }

    /// Reads the body to its end, or to the limit where it is cut: then `true` is with it. Takes room
    /// for it and for what is kept of its bytes.
    async fn collect(
        &self,
        mut body: Incoming,
        BodyLimit { max, cut }: BodyLimit,
        deadline: Deadline,
        room: &mut HeldRoom,
        Taken {
            connection, raw, ..
        }: &mut Taken,
    ) -> Result<(Bytes, bool), Failure> {
        let announced = body.size_hint().exact().unwrap_or(0);
        if announced > max && !cut {
            return Err(body_too_large(max));
        }
        let mut place = None;
        if self.shared.config.saves_memory {
            let placing = self.bodies.acquire();
            place = deadline
                .run(Stage::Total, Duration::MAX, placing)
                .await?
                .ok();
        }
        // No timer is made where nothing asks for it.
        let patience = async { tokio::time::sleep(BODY_PATIENCE).await };
        tokio::pin!(patience);
        let coming_body = self.shared.traffic.enter();
        let mut collected = Collected::new(if announced > 0 { announced } else { max });
        let kept = |body_bytes| raw.as_ref().map_or(0, |raw| raw.bytes_held(body_bytes));
        // What came with the head.
        let growing = room.grow(collected.bytes_held_with(0) + kept(0));
        deadline.run(Stage::Total, Duration::MAX, growing).await?;
        let limit = self.shared.config.idle_timeout;
        while !body.is_end_stream() {
            let frame = connection.wait_for(body.frame());
            let coming = deadline.run(Stage::Body, limit, frame);
            tokio::pin!(coming);
            let frame = loop {
                tokio::select! {
                    biased;
                    frame = &mut coming => break frame?,
                    () = room.asked_back() => return Err(room_asked_back()),
                    () = &mut patience, if place.is_some() => place = None,
                }
            };
            let Some(frame) = frame else { break };
            // A frame that is no data is a trailer, which nobody asked for.
            if let Ok(data) = frame.map_err(Failure::in_body)?.into_data() {
                coming_body.note(data.len());
                let left = max.saturating_sub(collected.len() as u64);
                if data.len() as u64 > left {
                    if !cut {
                        return Err(body_too_large(max));
                    }
                    let fitting = usize::try_from(left).unwrap_or(data.len());
                    collected.take(data.get(..fitting).unwrap_or(&data));
                    return Ok((collected.into_bytes(), true));
                }
                // A wait for room is not the server's: only the limit for all of it counts.
                let kept = kept(collected.len() + data.len());
                let held = collected.bytes_held_with(data.len()) + kept;
                if held > FREE_BYTES {
                    // The room bounds what is not free, and may have to be waited for.
                    place = None;
                }
                let growing = room.grow(held);
                deadline.run(Stage::Total, Duration::MAX, growing).await?;
                collected.take(&data);
            }
        }
        Ok((collected.into_bytes(), false))
    }
}

fn room_asked_back() -> Failure {
    let message = "too slow while other bodies wait for memory";
    Failure::new(FetchErrorKind::TimedOut(Stage::Body), message)
}

/// How much of a body is read.
#[derive(Clone, Copy)]
struct BodyLimit {
    /// In bytes on the wire.
    max: u64,
    /// Whether a longer body is cut there; else it is a failure.
    cut: bool,
}

impl BodyLimit {
    fn of(request: &Request, config: &FetchConfig) -> BodyLimit {
        BodyLimit {
            max: request.max_wire_bytes.unwrap_or(config.max_wire_bytes),
            cut: request.cut_body,
        }
    }
}

fn body_too_large(max: u64) -> Failure {
    let message = format!("body is larger than the limit of {max} bytes");
    Failure::new(FetchErrorKind::BodyTooLarge, &message)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::Notify;
    use tokio::task::{LocalSet, spawn_local};
    use tokio::time::Instant;
    use url::Url;

    use super::*;

    /// Fetchers of two threads' kind over one `Shared` that allows one exchange with an address.
    fn fetchers() -> (Fetcher, Fetcher) {
        let start = Instant::now();
        let config = FetchConfig {
            allow_private: true,
            ..FetchConfig::default()
        };
        let clock: crate::Clock = Arc::new(move || start.elapsed());
        let mut shared = Shared::new(config, clock).unwrap();
        // A test can have no public address to connect to: here every address counts.
        shared.address_limit = Some(AddressLimit::counting(1, |_| true));
        let shared = Arc::new(shared);
        (Fetcher::new(Arc::clone(&shared)), Fetcher::new(shared))
    }

    /// A server that answers each request when told to.
    async fn server(go: Rc<Notify>) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        spawn_local(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let go = Rc::clone(&go);
                spawn_local(async move {
                    let mut buffer = [0; 4096];
                    while tcp.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                        go.notified().await;
                        tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                            .await
                            .unwrap();
                    }
                });
            }
        });
        url
    }

    /// A server of one answer, with the length of its body announced.
    async fn server_of(body: usize) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        spawn_local(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = tcp.read(&mut [0; 4096]).await.unwrap();
            let mut answer = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3000);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n");
            answer.extend(head.into_bytes());
            answer.resize(answer.len() + body, b'x');
            tcp.write_all(&answer).await.unwrap();
        });
        url
    }

    #[test]
    fn a_record_has_its_room_with_the_body_until_both_are_dropped() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async {
            const BODY: usize = 1_000_000;
            let (fetcher, _) = fetchers();
            let room = &fetcher.shared.body_room;
            let all = room.left_bytes();
            let request = Request {
                keep_raw: true,
                ..Request::get(server_of(BODY).await)
            };
            let response = fetcher.fetch(request).await.unwrap();
            let raw = response.raw.unwrap();
            assert!(raw.response.len() > BODY);
            let taken = (all - room.left_bytes()) as usize;
            let held = response.body.len() + raw.response.len() + raw.request.len();
            assert!(taken + 80 * 1024 >= held, "{taken} taken for {held}");
            assert!(taken <= held + 100_000, "{taken} taken for {held}");
            drop(response.body);
            assert_eq!((all - room.left_bytes()) as usize, taken);
            drop(raw.response);
            assert_eq!(room.left_bytes(), all);
        });
    }

    #[test]
    fn an_address_is_asked_so_many_times_at_once_over_all_fetchers() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        LocalSet::new().block_on(&runtime, async {
            let go = Rc::new(Notify::new());
            let url = server(Rc::clone(&go)).await;
            let (one, two) = fetchers();
            let (one, two) = (Rc::new(one), Rc::new(two));
            for round in 0..3 {
                let first = {
                    let (one, url) = (Rc::clone(&one), url.clone());
                    spawn_local(async move { one.fetch(Request::get(url)).await })
                };
                let limit = one.shared.address_limit.clone().unwrap();
                while limit.is_idle() {
                    tokio::task::yield_now().await;
                }
                for busy in [&one, &two] {
                    let error = busy.fetch(Request::get(url.clone())).await.unwrap_err();
                    assert_eq!(error.kind(), FetchErrorKind::AddressBusy);
                    assert!(error.is_transient());
                }
                go.notify_one();
                assert_eq!(first.await.unwrap().unwrap().reused, round > 0);
                assert!(limit.is_idle());
            }
            go.notify_one();
            assert!(two.fetch(Request::get(url)).await.is_ok());
        });
    }
}
