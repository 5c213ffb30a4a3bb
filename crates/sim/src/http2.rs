//! HTTP/2 over hyper's connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::control;
use crate::exchange::Shared;
use crate::prepared::OutBody;
use crate::recorder::Asked;
use crate::reply::{Ask, Fate, Reply};

const MAX_STREAMS: u32 = 128;

/// Serves streams until either side closes.
pub(crate) async fn serve<S>(stream: S, number: u64, shared: &Arc<Shared>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(shared);
        async move { answer(&shared, number, &request).await }
    });
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(MAX_STREAMS)
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(io::Error::other)
}

/// A stream that is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

async fn answer(
    shared: &Shared,
    number: u64,
    request: &Request<Incoming>,
) -> Result<Response<Payload>, Closed> {
    let host = request
        .uri()
        .authority()
        .map_or("", http::uri::Authority::as_str);
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    if let Some(reply) = control::answer(shared, host, target) {
        let mut response = Response::new(Payload::control(reply.body));
        *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or_default();
        if reply.stops {
            shared.stop.send_replace(true);
        }
        return Ok(response);
    }
    let (reply, asked) = shared.meet(number, &Ask::new(&shared.plan, host, target.as_bytes()));
    let host = reply.resource.host();
    let worker = shared.conditions.worker(host).await;
    let latency = shared.conditions.latency_micros(host, reply.latency_micros);
    if !wait(shared, latency).await || reply.fate == Fate::Closed {
        return Err(Closed);
    }
    drop(worker);
    let gzip = request.headers().get(http::header::ACCEPT_ENCODING);
    let gzip = gzip.is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("gzip")));
    let (body, packed) = shared.body(&reply, gzip);
    // Streams of one connection have the way of it in common anyway: a body takes its turn as a whole.
    shared.conditions.send(body.len()).await;
    let head_only = request.method() == http::Method::HEAD;
    Ok(respond(shared, &reply, asked, body, packed, head_only))
}

fn respond(
    shared: &Shared,
    reply: &Reply,
    mut asked: Asked,
    body: OutBody,
    packed: bool,
    head_only: bool,
) -> Response<Payload> {
    let status = http::StatusCode::from_u16(reply.status).unwrap_or_default();
    let mut builder = Response::builder().status(status);
    for (name, value) in reply.headers(&shared.plan).iter().flatten() {
        builder = builder.header(*name, value.as_ref());
    }
    if packed {
        builder = builder.header(http::header::CONTENT_ENCODING, "gzip");
    }
    let payload = if head_only || body.is_empty() {
        builder = builder.header(http::header::CONTENT_LENGTH, body.len());
        asked.sending(reply.status, 0);
        asked.sent();
        Payload {
            data: None,
            cut: false,
            status: reply.status,
            asked: Some(asked),
        }
    } else {
        let data = Some(Bytes::from(body));
        Payload {
            data,
            cut: reply.fate == Fate::Cut,
            status: reply.status,
            asked: Some(asked),
        }
    };
    // The parts are ours and valid; an empty answer is what is left if one were not.
    builder
        .body(payload)
        .unwrap_or_else(|_| Response::new(Payload::control(Vec::new())))
}

/// Waits the latency; false where the server stops meanwhile. A stream that the peer resets is
/// dropped with its request by hyper.
async fn wait(shared: &Shared, micros: u64) -> bool {
    if micros == 0 {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(Duration::from_micros(micros)) => true,
        () = shared.stopped() => false,
    }
}

/// A body in one piece, which ends the request in the log when it is gone.
struct Payload {
    data: Option<Bytes>,
    /// Whether an error follows the data in place of the end.
    cut: bool,
    status: u16,
    asked: Option<Asked>,
}

impl Payload {
    fn control(body: Vec<u8>) -> Self {
        let data = (!body.is_empty()).then(|| Bytes::from(body));
        Self {
            data,
            cut: false,
            status: 200,
            asked: None,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(data) = self.data.take() else {
            return Poll::Ready(self.cut.then(|| Err(Closed.into())));
        };
        let status = self.status;
        if let Some(asked) = &mut self.asked {
            asked.sending(status, data.len());
            asked.sent();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            Some(data) if !self.cut => SizeHint::with_exact(data.len() as u64),
            Some(data) => SizeHint::with_exact(2 * data.len() as u64),
            None => SizeHint::new(),
        }
    }
}
