//! The bytes of an exchange as they went over the connection, for archives.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};

use crate::body_room::SealedRoom;
use crate::collected::Collected;
use crate::response::ResponseHead;

/// Room beside body and head for what frames them: interim responses, chunk extensions, trailers.
const FRAMING_BYTES_MAX: u64 = 256 * 1024;
/// Room beside the heads before the final one is known: as much of the body may have come with it.
const AHEAD_BYTES_MAX: u64 = 128 * 1024;

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
///
/// A large one takes room among the bodies (`max_bodies_bytes`), together with its response's body,
/// until both are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawExchange {
    /// The request.
    pub request: Bytes,
    /// The response.
    pub response: Bytes,
}

impl RawExchange {
    /// The same, with the room that was taken for it.
    pub(crate) fn within(self, room: &SealedRoom) -> RawExchange {
        RawExchange {
            response: room.fill(self.response),
            ..self
        }
    }
}

/// What is known of a connection's bytes: how many were read and, while an exchange is recorded, the
/// bytes themselves. Shared by the stream, which notes them, and the connection.
#[derive(Default)]
pub(crate) struct Tap {
    bytes_read: Cell<u64>,
    recorded: RefCell<Option<Box<Recorded>>>,
}

/// What was recorded, in pieces: nothing of it grows by moving.
struct Recorded {
    sent: Collected,
    /// What came before it is known that the head of the final response is there; interim responses
    /// are dropped when they are whole.
    before_head: Option<Vec<u8>>,
    /// All of the response from then on.
    received: Collected,
    limits: RecordLimits,
}

/// The most bytes that are recorded of an exchange; of one with more, none are kept.
#[derive(Clone, Copy)]
pub(crate) struct RecordLimits {
    /// Until the head of the final response is there. A server may send interim ones without end, and
    /// nobody has made room for them.
    before_head: u64,
    in_all: u64,
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
        self.note(bytes, Recorded::receive);
    }

    /// Notes bytes that were written.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        self.note(bytes, |recorded, bytes| recorded.sent.take(bytes));
    }

    fn note(&self, bytes: &[u8], take: impl Fn(&mut Recorded, &[u8])) {
        let mut recorded = self.recorded.borrow_mut();
        if let Some(kept) = recorded.as_deref_mut() {
            if kept.has_room_for(bytes.len()) {
                take(kept, bytes);
            } else {
                *recorded = None;
            }
        }
    }

    /// The bytes that the record of the exchange under way holds.
    fn bytes_held(&self) -> u64 {
        let recorded = self.recorded.borrow();
        recorded.as_deref().map_or(0, |recorded| {
            let before_head = recorded.before_head.as_ref().map_or(0, Vec::capacity) as u64;
            let pieces = [&recorded.sent, &recorded.received];
            let held = pieces.map(|side| side.bytes_held_with(0));
            before_head + held.iter().sum::<u64>()
        })
    }
}

impl Recorded {
    fn has_room_for(&self, more: usize) -> bool {
        let (received, max) = match &self.before_head {
            None => (self.received.len(), self.limits.in_all),
            Some(bytes) => (bytes.len(), self.limits.before_head),
        };
        (self.sent.len() + received + more) as u64 <= max
    }

    fn receive(&mut self, bytes: &[u8]) {
        let Some(before_head) = &mut self.before_head else {
            return self.received.take(bytes);
        };
        before_head.extend_from_slice(bytes);
        // A head ends with its line: without one, nothing can have become whole.
        if bytes.contains(&b'\n') {
            let passed = interim_length(before_head);
            if passed > 0 {
                before_head.drain(..passed);
                before_head.shrink_to_fit();
            }
        }
    }
}

impl RecordLimits {
    /// In all: two heads, the body, and as much again for the framing of chunks. A body in chunks of a
    /// few bytes each takes more, and is then not kept raw.
    pub(crate) fn of(max_header_bytes: usize, max_wire_bytes: u64) -> RecordLimits {
        let heads = (max_header_bytes as u64).saturating_mul(2);
        RecordLimits {
            before_head: heads.saturating_add(AHEAD_BYTES_MAX),
            in_all: max_wire_bytes
                .saturating_mul(2)
                .saturating_add(heads)
                .saturating_add(FRAMING_BYTES_MAX),
        }
    }
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
    pub(crate) fn recording(tap: &Rc<Tap>, limits: RecordLimits) -> Keeper {
        let recorded = Recorded {
            sent: Collected::of_record(Vec::new()),
            before_head: Some(Vec::new()),
            received: Collected::of_record(Vec::new()),
            limits,
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

    /// The head of the final response is there: what follows is its body, for which room is taken.
    pub(crate) fn head_came(&self) {
        if let Source::Recorded(Recorder(tap)) = &self.0
            && let Some(recorded) = tap.recorded.borrow_mut().as_deref_mut()
            && let Some(beginning) = recorded.before_head.take()
        {
            recorded.received = Collected::of_record(beginning);
        }
    }

    /// The bytes that are held beside a body of so many: what was recorded, or what will be made.
    pub(crate) fn bytes_held(&self, body_bytes: usize) -> u64 {
        match &self.0 {
            Source::Recorded(Recorder(tap)) => tap.bytes_held(),
            Source::Made(request) => (request.len() + body_bytes) as u64,
        }
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
        let received = recorded.received.into_bytes();
        let (start, end) = response_range(&received, method, head, body.len())?;
        Some(RawExchange {
            request: recorded.sent.into_bytes(),
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
    let heads = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    let length = start.len() + heads.sum::<usize>() + 2 + body.len();
    let mut out = BytesMut::with_capacity(length);
    out.extend_from_slice(start.as_bytes());
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
    let start = interim_length(received);
    let rest = received.get(start..)?;
    if status(rest)? != head.status {
        return None;
    }
    let body_start = start + head_length(rest)?;
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

/// The length of the whole interim responses that come first, and of empty lines before a status line,
/// which are passed over (RFC 9112 section 2.2).
fn interim_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let empty = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        at += empty.count();
        let rest = bytes.get(at..).unwrap_or_default();
        match (status(rest), head_length(rest)) {
            (Some(100..=199), Some(length)) => at += length,
            _ => return at,
        }
    }
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

    fn recorded_bytes(tap: &Tap) -> Option<(usize, usize)> {
        let recorded = tap.recorded.borrow();
        recorded.as_ref().map(|recorded| {
            let before_head = recorded.before_head.as_ref().map_or(0, Vec::len);
            (recorded.sent.len(), before_head + recorded.received.len())
        })
    }

    #[test]
    fn what_is_recorded_is_bounded_and_let_go() {
        let tap = Rc::new(Tap::default());
        let limits = RecordLimits {
            before_head: 10,
            in_all: 20,
        };
        tap.received(b"before");
        let keeper = Keeper::recording(&tap, limits);
        tap.sent(b"12345");
        tap.received(b"12345");
        assert_eq!(recorded_bytes(&tap), Some((5, 5)));
        keeper.head_came();
        tap.received(b"1234567890");
        assert_eq!(recorded_bytes(&tap), Some((5, 15)));
        tap.received(b"6");
        tap.sent(b"7");
        assert_eq!((recorded_bytes(&tap), tap.bytes_held()), (None, 0));
        let keeper = Keeper::recording(&tap, limits);
        tap.received(b"1");
        assert_eq!(recorded_bytes(&tap), Some((0, 1)));
        tap.received(b"1234567890");
        assert_eq!(recorded_bytes(&tap), None, "before the head less is kept");
        drop(keeper);
        let keeper = Keeper::recording(&tap, limits);
        tap.received(b"1");
        drop(keeper);
        assert_eq!((recorded_bytes(&tap), tap.bytes_held()), (None, 0));
        assert_eq!(tap.bytes_read(), 34);
    }

    /// However the 20 MB are parted.
    #[test]
    fn interim_responses_are_not_held() {
        const FINAL: &[u8] = b"HTTP/1.1 200 OK\r\n";
        let hint = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n",
            "x".repeat(16_000)
        );
        let all = hint.repeat(20_000_000 / hint.len()).into_bytes();
        for step in [997, 16_384, 65_536] {
            let tap = Rc::new(Tap::default());
            let keeper = Keeper::recording(&tap, RecordLimits::of(64 * 1024, 16 << 20));
            let mut most = 0;
            for part in all.chunks(step) {
                tap.received(part);
                most = most.max(keeper.bytes_held(0));
            }
            assert!(most <= 40 * 1024, "{most} bytes held, {step} at a time");
            tap.received(FINAL);
            assert_eq!(recorded_bytes(&tap), Some((0, FINAL.len())), "{step}");
        }
    }

    #[test]
    fn before_the_final_head_little_is_held_whatever_comes() {
        let limits = RecordLimits::of(64 * 1024, 16 << 20);
        for flood in [b"x".as_slice(), b"X-Flood: yes\r\n"] {
            let tap = Rc::new(Tap::default());
            let keeper = Keeper::recording(&tap, limits);
            let flood = flood.repeat(1000);
            let mut most = 0;
            for _ in 0..1000 {
                tap.received(&flood);
                most = most.max(keeper.bytes_held(0));
            }
            assert!(most <= 2 * limits.before_head, "{most} bytes held");
            assert_eq!(keeper.bytes_held(0), 0, "none of what is too much");
            keeper.head_came();
            tap.received(b"x");
            assert_eq!(keeper.bytes_held(0), 0, "nor of what follows");
        }
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
