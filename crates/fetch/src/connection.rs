//! One HTTP connection: hyper's sender, and what drives it.
//!
//! One of HTTP/2 serves several exchanges and is driven by a task of its own. One of HTTP/1 is driven by the
//! exchange that has it: an answer wakes one task instead of two, and a request goes out in the same step in
//! which it is made, not behind all that is ready on this thread. While it is idle nobody drives it.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::config::FetchConfig;
use crate::connect::Transport;
use crate::error::FetchErrorKind;
use crate::failure::{Failure, find_source};
use crate::heads::Heads;
use crate::raw::{Keeper, RecordLimits, Tap};
use crate::stream::Stream;

/// How long a connection that nobody uses any more may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Read buffer of an HTTP/1 connection, in bytes: grows to this at most.
const READ_BUFFER_BYTES: usize = 64 * 1024;
/// hyper takes this many headers without allocating room for them.
const HEADERS_WITHOUT_ALLOCATION: usize = 100;
/// Flow-control windows of HTTP/2, in bytes: what a server may send before it is read. At 200 ms
/// round-trip time 2.6 MB/s a stream, and a bound on what an unread connection holds.
const STREAM_WINDOW_BYTES: u32 = 512 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Requests sent over a new HTTP/2 connection before the server has said how many it takes at once.
const STREAMS_BEFORE_SETTINGS: usize = 8;
/// HTTP/2 headers are let in up to this multiple of the limit and then held against it, because the
/// library does not tell headers that are too large from headers that are malformed.
const HTTP2_HEADER_SLACK: usize = 2;

type Body = Empty<Bytes>;

enum Sender {
    Http1(http1::SendRequest<Body>, Driver),
    Http2(http2::SendRequest<Body>, Rc<Heads>),
}

type Http1Connection = http1::Connection<TokioIo<Stream>, Body>;

/// What moves the bytes of an HTTP/1 connection; empty when that has ended.
struct Driver(Option<Pin<Box<Http1Connection>>>);

impl Driver {
    /// Moves what can be moved now.
    fn advance(&mut self, cx: &mut Context<'_>) {
        // How the connection ended is told to the exchange on it; here it only ends.
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(cx).is_ready()
        {
            self.0 = None;
        }
    }

    /// Waits for what `future` waits for, which is something that the connection gives.
    async fn run<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let step = |cx: &mut Context<'_>| match future.as_mut().poll(cx) {
            Poll::Pending => {
                self.advance(cx);
                future.as_mut().poll(cx)
            }
            ready => ready,
        };
        poll_fn(step).await
    }
}

/// A connection that can take a request. The socket closes when the last handle is dropped: an exchange
/// that is given up leaves nothing behind.
pub(crate) struct Connection {
    sender: Sender,
    pub(crate) remote: SocketAddr,
    /// Whether it has served an exchange before.
    pub(crate) reused: bool,
    tap: Rc<Tap>,
    /// Dropped with the last handle, which tells the driving task.
    in_use: Rc<oneshot::Sender<()>>,
}

/// A request that got no response.
pub(crate) struct SendFailure {
    pub(crate) failure: Failure,
    /// Whether the server cannot have answered it, so that sending it again asks nothing twice.
    pub(crate) unanswered: bool,
    /// Whether the server refused this one request, while the connection is well (HTTP/2).
    pub(crate) refused: bool,
}

impl Connection {
    /// Starts HTTP on a transport.
    pub(crate) async fn start(
        transport: Transport,
        config: &FetchConfig,
    ) -> Result<Connection, Failure> {
        let heads = transport
            .http2
            .then(|| Rc::new(Heads::new(config.max_header_bytes)));
        let (stream, tap) = Stream::new(transport.carrier, heads.clone(), config.saves_memory);
        let io = TokioIo::new(stream);
        let (in_use, unused) = oneshot::channel();
        let sender = if let Some(heads) = heads {
            let started = http2_builder(config).handshake(io).await;
            let (sender, driver) = started.map_err(Failure::before_headers)?;
            spawn_local(drive(driver, unused));
            Sender::Http2(sender, heads)
        } else {
            let started = http1_builder(config).handshake(io).await;
            let (sender, driver) = started.map_err(Failure::before_headers)?;
            Sender::Http1(sender, Driver(Some(Box::pin(driver))))
        };
        let remote = transport.remote;
        Ok(Connection {
            sender,
            remote,
            reused: false,
            tap,
            in_use: Rc::new(in_use),
        })
    }

    /// A second handle on a connection that takes several requests at once (HTTP/2).
    pub(crate) fn share(&self) -> Option<Connection> {
        let Sender::Http2(sender, heads) = &self.sender else {
            return None;
        };
        Some(Connection {
            sender: Sender::Http2(sender.clone(), Rc::clone(heads)),
            remote: self.remote,
            reused: true,
            tap: Rc::clone(&self.tap),
            in_use: Rc::clone(&self.in_use),
        })
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(..))
    }

    /// Whether both are handles on one connection.
    pub(crate) fn is_same(&self, other: &Connection) -> bool {
        Rc::ptr_eq(&self.in_use, &other.in_use)
    }

    /// Whether it can take no request any more. Takes note of what came while it was idle.
    pub(crate) fn is_closed(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender, driver) => {
                // Whoever waits for it next is told by a waker of its own.
                driver.advance(&mut Context::from_waker(Waker::noop()));
                sender.is_closed()
            }
            Sender::Http2(sender, _) => sender.is_closed(),
        }
    }

    /// Waits for a part of the response that is under way.
    pub(crate) async fn wait_for<F: Future>(&mut self, part: F) -> F::Output {
        match &mut self.sender {
            Sender::Http1(_, driver) => driver.run(part).await,
            Sender::Http2(..) => part.await,
        }
    }

    /// Keeps the bytes of the exchange that `request` is about to begin, within `limits`.
    pub(crate) fn keep_raw(&self, request: &http::Request<Body>, limits: RecordLimits) -> Keeper {
        match self.sender {
            Sender::Http1(..) => Keeper::recording(&self.tap, limits),
            Sender::Http2(..) => Keeper::making(request),
        }
    }

    /// Sends a request and waits for the headers of the response.
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Incoming>, SendFailure> {
        let read_before = self.tap.bytes_read();
        let (result, http2) = match &mut self.sender {
            Sender::Http1(sender, driver) => {
                // The last exchange may have to be brought to its end before it is free.
                if self.reused
                    && !sender.is_ready()
                    && let Err(error) = driver.run(sender.ready()).await
                {
                    let failure = Failure::before_headers(error);
                    return Err(SendFailure {
                        failure,
                        unanswered: true,
                        refused: false,
                    });
                }
                (driver.run(sender.try_send_request(request)).await, false)
            }
            Sender::Http2(sender, heads) => {
                let waiting = heads.wait();
                let result = sender.try_send_request(request).await;
                drop(waiting);
                if heads.flooded() && result.is_err() {
                    return Err(flooded());
                }
                (result, true)
            }
        };
        result.map_err(|error| {
            let silent = !http2 && self.tap.bytes_read() == read_before;
            send_failure(error, silent, http2)
        })
    }
}

/// Sending it again would be answered no better.
fn flooded() -> SendFailure {
    let message = "response headers, interim ones included, are larger than the limit";
    SendFailure {
        failure: Failure::new(FetchErrorKind::HeadersTooLarge, message),
        unanswered: false,
        refused: false,
    }
}

/// `silent`: no byte came since the request was sent.
fn send_failure<T>(mut error: TrySendError<T>, silent: bool, http2: bool) -> SendFailure {
    let never_sent = error.take_message().is_some();
    let error = error.into_error();
    let refused = http2 && is_refused(&error);
    let unanswered = never_sent || silent || refused || (http2 && is_connection_lost(&error));
    SendFailure {
        failure: Failure::before_headers(error),
        unanswered,
        refused,
    }
}

/// Whether the server said that it did not process the request (RFC 9113 section 8.7).
fn is_refused(error: &hyper::Error) -> bool {
    find_source::<h2::Error>(error).is_some_and(|h2| {
        h2.is_reset() && h2.is_remote() && h2.reason() == Some(h2::Reason::REFUSED_STREAM)
    })
}

/// Whether the connection as a whole ended, by GOAWAY or without a word.
fn is_connection_lost(error: &hyper::Error) -> bool {
    match find_source::<h2::Error>(error) {
        Some(h2) if h2.is_reset() => false,
        Some(h2) => h2.is_io() || h2.is_remote(),
        None => !error.is_parse() && !error.is_user(),
    }
}

fn http1_builder(config: &FetchConfig) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // RFC 9112 section 5.2: a client reads a folded line of a response as one with spaces.
    builder.allow_obsolete_multiline_headers_in_responses(true);
    builder.max_header_size(config.max_header_bytes);
    // The buffer must hold the longest head whole.
    builder.max_buf_size(READ_BUFFER_BYTES.max(config.max_header_bytes));
    if config.max_headers > HEADERS_WITHOUT_ALLOCATION {
        builder.max_headers(config.max_headers);
    }
    builder
}

fn http2_builder(config: &FetchConfig) -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    let header_bytes = config.max_header_bytes.saturating_mul(HTTP2_HEADER_SLACK);
    builder
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .initial_max_send_streams(STREAMS_BEFORE_SETTINGS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    builder
}

/// Drives a connection until it ends or nobody uses it; then gives it a moment to say goodbye, which
/// a server that reads nothing could otherwise hold open for ever.
async fn drive<F: Future>(connection: F, unused: oneshot::Receiver<()>) {
    let mut connection = pin!(connection);
    // How the connection ended is told to the exchanges on it; here it only ends.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        _ = unused => {}
    }
    let _ = timeout(GOODBYE, connection).await;
}

#[derive(Clone)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor
where
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}
