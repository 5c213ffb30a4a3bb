//! The bytes of an exchange as they went over the connection, for archives.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};

use crate::response::ResponseHead;

/// Room beside body and head for what frames them: interim responses, chunk extensions, trailers.
const FRAMING_BYTES_MAX: u64 = 256 * 1024;

/// The messages of one exchange, as [`crate::Request::keep_raw`] asked for.
///
/// Over HTTP/1 exactly the bytes that were sent and that came (after TLS): the response from its
/// status line to the last byte of its body, chunk framing and trailers included, without interim
/// (1xx) responses before it and without whatever the server sent behind it.
///
/// Over HTTP/2, which has no such form, messages of HTTP/1.1 are made of what was sent and came:
/// `HTTP/1.1 STATUS REASON`, the headers, the body without any framing.
///
/// The request has its credentials in it: Authorization, Cookie and, where a proxy is asked for an
/// http URL, Proxy-Authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawExchange {
    /// The request.
    pub request: Bytes,
    /// The response.
    pub response: Bytes,
}

/// What is known of a connection's bytes: how many were read and, while an exchange is recorded, the
/// bytes themselves. Shared by the stream, which notes them, and the connection.
#[derive(Default)]
pub(crate) struct Tap {
    bytes_read: Cell<u64>,
    recorded: RefCell<Option<Box<Recorded>>>,
}

#[derive(Default)]
struct Recorded {
    sent: BytesMut,
    received: BytesMut,
    max_bytes: u64,
    /// There were more than `max_bytes`: none are kept.
    overflowed: bool,
}

impl Tap {
    /// Bytes read from the connection so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.get()
    }

    /// Notes bytes that were read.
    pub(crate) fn received(&self, bytes: &[u8]) {
        self.bytes_read
            .set(self.bytes_read.get() + bytes.len() as u64);
        if let Some(recorded) = self.recorded.borrow_mut().as_deref_mut() {
            recorded.note(bytes, |recorded| &mut recorded.received);
        }
    }

    /// Notes bytes that were written.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        if let Some(recorded) = self.recorded.borrow_mut().as_deref_mut() {
            recorded.note(bytes, |recorded| &mut recorded.sent);
        }
    }
}

impl Recorded {
    fn note(&mut self, bytes: &[u8], side: impl Fn(&mut Recorded) -> &mut BytesMut) {
        let held = (self.sent.len() + self.received.len()) as u64;
        if self.overflowed || held + bytes.len() as u64 > self.max_bytes {
            *self = Recorded {
                overflowed: true,
                ..Recorded::default()
            };
        } else {
            side(self).extend_from_slice(bytes);
        }
    }
}

/// The most bytes that are recorded of an exchange: two heads, the body, and as much again for the
/// framing of chunks. A body in chunks of a few bytes each takes more, and is then not kept raw.
pub(crate) fn max_recorded_bytes(max_header_bytes: usize, max_wire_bytes: u64) -> u64 {
    let heads = (max_header_bytes as u64).saturating_mul(2);
    max_wire_bytes
        .saturating_mul(2)
        .saturating_add(heads)
        .saturating_add(FRAMING_BYTES_MAX)
}

/// Records one exchange until it is dropped.
struct Recorder(Rc<Tap>);

impl Drop for Recorder {
    fn drop(&mut self) {
        self.0.recorded.take();
    }
}

/// Where the raw bytes of an exchange will come from.
pub(crate) struct Keeper(Source);

enum Source {
    Recorded(Recorder),
    /// The request as a message of HTTP/1.1.
    Made(Bytes),
}

impl Keeper {
    /// Records what goes over an HTTP/1 connection from now on.
    pub(crate) fn recording(tap: &Rc<Tap>, max_bytes: u64) -> Keeper {
        let recorded = Recorded {
            max_bytes,
            ..Recorded::default()
        };
        tap.recorded.replace(Some(Box::new(recorded)));
        Keeper(Source::Recorded(Recorder(Rc::clone(tap))))
    }

    /// Makes a message of a request that goes over HTTP/2.
    pub(crate) fn making<B>(request: &http::Request<B>) -> Keeper {
        let uri = request.uri();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let start = format!(
            "{} {path} HTTP/1.1\r\nhost: {authority}\r\n",
            request.method()
        );
        Keeper(Source::Made(message(&start, request.headers(), b"")))
    }

    /// The messages of an exchange whose body came whole. `None` where they are longer than what is
    /// recorded, or are not what hyper took them for.
    pub(crate) fn finish(
        self,
        method: &Method,
        head: &ResponseHead,
        body: &Bytes,
    ) -> Option<RawExchange> {
        let recorder = match self.0 {
            Source::Made(request) => {
                let response = made_response(head, body);
                return Some(RawExchange { request, response });
            }
            Source::Recorded(recorder) => recorder,
        };
        let recorded = recorder.0.recorded.take()?;
        if recorded.overflowed {
            return None;
        }
        let received = recorded.received.freeze();
        let (start, end) = response_range(&received, method, head, body.len())?;
        Some(RawExchange {
            request: recorded.sent.freeze(),
            response: received.slice(start..end),
        })
    }
}

fn made_response(head: &ResponseHead, body: &[u8]) -> Bytes {
    let reason = StatusCode::from_u16(head.status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let start = format!("HTTP/1.1 {} {}\r\n", head.status, reason.unwrap_or(""));
    message(&start, &head.headers, body)
}

fn message(start: &str, headers: &HeaderMap, body: &[u8]) -> Bytes {
    let mut out = BytesMut::from(start);
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out.freeze()
}

/// Where the response begins and ends in what came, given the body that hyper found in it.
fn response_range(
    received: &[u8],
    method: &Method,
    head: &ResponseHead,
    body_length: usize,
) -> Option<(usize, usize)> {
    let mut start = 0;
    let body_start = loop {
        // Empty lines before a status line are passed over (RFC 9112 section 2.2).
        let rest = received.get(start..)?;
        start += rest.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
        let rest = received.get(start..)?;
        let length = head_length(rest)?;
        match status(rest)? {
            100..=199 => start += length,
            status if status == head.status => break start + length,
            _ => return None,
        }
    };
    let has_body = *method != Method::HEAD && !matches!(head.status, 204 | 304);
    let end = if has_body && is_chunked(&head.headers) {
        let (length, data) = chunked_length(received.get(body_start..)?)?;
        if data != body_length {
            return None;
        }
        body_start + length
    } else {
        body_start + body_length
    };
    (end <= received.len()).then_some((start, end))
}

/// The length of a head with its empty line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += line_length(bytes.get(at..)?)?;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
}

/// The length of the first line with its end.
fn line_length(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|b| *b == b'\n').map(|at| at + 1)
}

fn status(head: &[u8]) -> Option<u16> {
    let code = head.split(|b| *b == b' ').nth(1)?.get(..3)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// Whether the last transfer coding is `chunked` (RFC 9112 section 6.1).
fn is_chunked(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::TRANSFER_ENCODING);
    let last = codings.iter().next_back().map(|value| value.as_bytes());
    let last = last.and_then(|value| value.rsplit(|b| *b == b',').next());
    last.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// The length of a whole chunked body with its trailers, and of the data in it (RFC 9112 section
/// 7.1).
fn chunked_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut data) = (0, 0);
    loop {
        let line = bytes.get(at..)?;
        let length = line_length(line)?;
        let digits = line
            .get(..length)?
            .split(|b| !b.is_ascii_hexdigit())
            .next()?;
        let size = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        at += length;
        if size == 0 {
            break;
        }
        data += size;
        at = at.checked_add(size)?;
        at += line_length(bytes.get(at..)?)?;
    }
    loop {
        let line = bytes.get(at..)?;
        let length = line_length(line)?;
        at += length;
        if line.get(..length)?.trim_ascii().is_empty() {
            return Some((at, data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_bounded_and_let_go() {
        let tap = Rc::new(Tap::default());
        tap.received(b"before");
        let keeper = Keeper::recording(&tap, 10);
        tap.sent(b"12345");
        tap.received(b"12345");
        assert_eq!(tap.recorded.borrow().as_ref().unwrap().sent, "12345");
        tap.received(b"6");
        tap.sent(b"7");
        let held = tap.recorded.borrow();
        let held_bytes = held
            .as_ref()
            .map(|r| (r.sent.len(), r.received.len(), r.overflowed));
        assert_eq!(held_bytes, Some((0, 0, true)));
        drop(held);
        drop(keeper);
        assert!(tap.recorded.borrow().is_none());
        assert_eq!(tap.bytes_read(), 12);
    }

    #[test]
    fn the_end_of_a_chunked_body_is_found() {
        for (body, found) in [
            ("0\r\n\r\n", Some((5, 0))),
            ("5;x=\"y\"\r\nhello\r\n0\r\n\r\nmore", Some((21, 5))),
            (
                "a \r\n0123456789\r\n00\r\nT: u\r\nV: w\r\n\r\n",
                Some((34, 10)),
            ),
            ("5\r\nhel", None),
            ("5\r\nhello\r\n0\r\n", None),
            ("x\r\n", None),
            ("fffffffffffffffff\r\n", None),
            ("ffffffffffffffff\r\n", None),
            ("", None),
        ] {
            assert_eq!(chunked_length(body.as_bytes()), found, "{body:?}");
        }
    }
}
