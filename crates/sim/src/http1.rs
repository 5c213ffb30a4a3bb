//! HTTP/1.1 by hand (RFC 9112): a request is read, waited over and answered with one write.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::address::push_number;
use crate::conditions::{Conditions, TURN_BYTES};
use crate::control::{self, ControlReply};
use crate::exchange::Shared;
use crate::prepared::OutBody;
use crate::recorder::Asked;
use crate::reply::{Ask, Fate, Reply};

/// The largest head of a request.
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 64;
const CHUNK_BYTES: usize = 8 << 10;

/// What a request asks of the connection.
#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    keep_alive: bool,
    /// HTTP/1.0 knows no chunks.
    takes_chunks: bool,
    head_only: bool,
    gzip: bool,
}

/// A request that was read.
enum Request {
    Web(Box<(Reply, Asked)>),
    Control(ControlReply),
    /// Answered with this status, then the connection is closed.
    Bad(u16),
}

/// Serves requests one after the other until either side closes.
pub(crate) async fn serve<S>(mut stream: S, number: u64, shared: &Arc<Shared>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = BytesMut::with_capacity(1_024);
    let mut head = Vec::with_capacity(256);
    loop {
        let (request, wishes) = loop {
            if let Some(request) = take_request(shared, number, &mut buffer) {
                break request;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        head.clear();
        let open = match request {
            Request::Web(met) => {
                let (reply, mut asked) = *met;
                let exchange = Exchange {
                    shared,
                    reply: &reply,
                    wishes,
                };
                exchange
                    .answer(&mut stream, &mut buffer, &mut head, &mut asked)
                    .await?
            }
            Request::Control(reply) => {
                let kind = reply.content_type;
                push_head(
                    &mut head,
                    reply.status,
                    kind,
                    reply.body.len(),
                    wishes.keep_alive,
                );
                write(&mut stream, &head, &reply.body).await?;
                if reply.stops {
                    shared.stop.send_replace(true);
                }
                wishes.keep_alive
            }
            Request::Bad(status) => {
                push_head(&mut head, status, "text/plain", 0, false);
                write(&mut stream, &head, b"").await?;
                false
            }
        };
        if !open {
            return stream.shutdown().await;
        }
    }
}

/// Takes a whole request off the buffer; none where it is not all there yet.
fn take_request(shared: &Shared, number: u64, buffer: &mut BytesMut) -> Option<(Request, Wishes)> {
    let mut wishes = Wishes::default();
    if buffer.is_empty() {
        return None;
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD_BYTES => return None,
        Ok(httparse::Status::Partial) => return Some((Request::Bad(431), wishes)),
        Err(_) => return Some((Request::Bad(400), wishes)),
    };
    wishes.keep_alive = parsed.version == Some(1);
    wishes.takes_chunks = wishes.keep_alive;
    let mut host = "";
    for header in parsed.headers.iter() {
        let name = header.name;
        if name.eq_ignore_ascii_case("host") {
            host = std::str::from_utf8(header.value).unwrap_or_default();
        } else if name.eq_ignore_ascii_case("connection") {
            wishes.keep_alive &= !contains(header.value, b"close");
        } else if name.eq_ignore_ascii_case("accept-encoding") {
            wishes.gzip = contains(header.value, b"gzip");
        } else if name.eq_ignore_ascii_case("transfer-encoding")
            || (name.eq_ignore_ascii_case("content-length") && header.value != b"0")
        {
            // The body is not read: what follows the answer would be taken for a request.
            wishes.keep_alive = false;
        }
    }
    wishes.head_only = parsed.method == Some("HEAD");
    let request = if !matches!(parsed.method, Some("GET" | "HEAD")) {
        wishes.keep_alive = false;
        Request::Bad(405)
    } else {
        let (host, target) = split_target(host, parsed.path.unwrap_or("/"));
        match control::answer(shared, host, target) {
            Some(reply) => Request::Control(reply),
            None => {
                let ask = Ask::new(&shared.plan, host, target.as_bytes());
                Request::Web(Box::new(shared.meet(number, &ask)))
            }
        }
    };
    buffer.advance(length);
    Some((request, wishes))
}

/// Host and path; a target in absolute form, as a proxy gets it, has both (RFC 9112 section 3.2.2).
fn split_target<'a>(host: &'a str, target: &'a str) -> (&'a str, &'a str) {
    match target
        .strip_prefix("http://")
        .or_else(|| target.strip_prefix("https://"))
    {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => (host, target),
    }
}

fn contains(value: &[u8], word: &[u8]) -> bool {
    value
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

/// One request and its answer.
struct Exchange<'a> {
    shared: &'a Shared,
    reply: &'a Reply,
    wishes: Wishes,
}

impl Exchange<'_> {
    /// Waits the latency and sends the answer; whether the connection stays open.
    async fn answer<S>(
        &self,
        stream: &mut S,
        buffer: &mut BytesMut,
        head: &mut Vec<u8>,
        asked: &mut Asked,
    ) -> io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let conditions = &self.shared.conditions;
        let host = self.reply.resource.host();
        let worker = conditions.worker(host).await;
        let latency = conditions.latency_micros(host, self.reply.latency_micros);
        if !wait(stream, buffer, latency).await || self.reply.fate == Fate::Closed {
            return Ok(false);
        }
        drop(worker);
        let (body, packed) = self.shared.body(self.reply, self.wishes.gzip);
        let body_bytes = body.len();
        let body = self.push_head(head, body, packed);
        let sent: &[u8] = if self.wishes.head_only { b"" } else { &body };
        asked.sending(self.reply.status, body_bytes);
        let written = match conditions.is_limited() {
            true => write_in_turns(stream, head, sent, conditions).await,
            false => write(stream, head, sent).await,
        };
        self.shared.put_back(body);
        written?;
        asked.sent();
        Ok(self.wishes.keep_alive && self.reply.fate == Fate::Sent)
    }

    /// Writes the head; gives the body as it goes over the wire.
    fn push_head(&self, head: &mut Vec<u8>, body: OutBody, packed: bool) -> OutBody {
        push_status(head, self.reply.status);
        for (name, value) in self.reply.headers(&self.shared.plan).iter().flatten() {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        if packed {
            head.extend_from_slice(b"content-encoding: gzip\r\n");
        }
        if !self.wishes.keep_alive {
            head.extend_from_slice(b"connection: close\r\n");
        }
        let whole = self.reply.fate == Fate::Sent;
        let in_chunks = self.shared.options.chunked && self.wishes.takes_chunks;
        if in_chunks && whole && !body.is_empty() {
            head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            return OutBody::Made(chunked(&body));
        }
        let length = if whole { body.len() } else { 2 * body.len() };
        head.extend_from_slice(b"content-length: ");
        push_number(length as u64, head);
        head.extend_from_slice(b"\r\n\r\n");
        body
    }
}

/// Waits while the connection lasts; false where the peer has gone (or has closed its half, which no
/// crawler does before it has its answer). What it sends meanwhile is kept.
async fn wait<S>(stream: &mut S, buffer: &mut BytesMut, micros: u64) -> bool
where
    S: AsyncRead + Unpin,
{
    if micros == 0 {
        return true;
    }
    let sleep = tokio::time::sleep(Duration::from_micros(micros));
    tokio::pin!(sleep);
    loop {
        let room = buffer.len() < MAX_HEAD_BYTES;
        tokio::select! {
            () = &mut sleep => return true,
            read = stream.read_buf(buffer), if room => match read {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            },
        }
    }
}

fn push_status(head: &mut Vec<u8>, status: u16) {
    if status == 200 {
        head.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    let code = http::StatusCode::from_u16(status).unwrap_or_default();
    head.extend_from_slice(b"HTTP/1.1 ");
    head.extend_from_slice(code.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(code.canonical_reason().unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
}

fn push_head(head: &mut Vec<u8>, status: u16, kind: &str, length: usize, keep_alive: bool) {
    push_status(head, status);
    let close = if keep_alive {
        ""
    } else {
        "connection: close\r\n"
    };
    let rest = format!("content-type: {kind}\r\ncontent-length: {length}\r\n{close}\r\n");
    head.extend_from_slice(rest.as_bytes());
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 64);
    for chunk in body.chunks(CHUNK_BYTES) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, head: &[u8], body: &[u8]) -> io::Result<()> {
    stream
        .write_all_buf(&mut bytes::Buf::chain(head, body))
        .await?;
    stream.flush().await
}

/// The same over a way that all connections share: each sends a piece in turn.
async fn write_in_turns<S: AsyncWrite + Unpin>(
    stream: &mut S,
    head: &[u8],
    body: &[u8],
    conditions: &Conditions,
) -> io::Result<()> {
    conditions.send(head.len()).await;
    stream.write_all(head).await?;
    for piece in body.chunks(TURN_BYTES) {
        conditions.send(piece.len()).await;
        stream.write_all(piece).await?;
    }
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_targets_name_their_host() {
        assert_eq!(split_target("a", "/x"), ("a", "/x"));
        assert_eq!(split_target("a", "http://b:80/x?y"), ("b:80", "/x?y"));
    }

    #[test]
    fn chunks_add_up() {
        let body = vec![b'x'; CHUNK_BYTES + 1];
        let sent = chunked(&body);
        assert!(sent.starts_with(b"2000\r\nxx"));
        assert!(sent.ends_with(b"\r\n1\r\nx\r\n0\r\n\r\n"));
    }
}
