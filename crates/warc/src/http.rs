//! The parts of an HTTP message that stands in a record.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use crate::digest::Digest;

/// The length of the head of an HTTP message, the empty line included. Lines may end in LF alone,
/// as they do in some files. `None` where no empty line comes.
pub fn head_length(message: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', message).find_map(|at| match message.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The payload of an HTTP message as it is stored: what follows the head, chunk framing and content
/// coding included. Empty where the head has no end.
pub fn payload(message: &[u8]) -> &[u8] {
    let start = head_length(message).unwrap_or(message.len());
    message.get(start..).unwrap_or_default()
}

/// The entity body of an HTTP message: the payload without chunk framing, where the head says
/// `Transfer-Encoding: chunked`; with its content coding. Framing that is broken, or not there at
/// all although the head says so (as in files whose writer took it off), leaves the payload as it is.
pub fn entity(message: &[u8]) -> Cow<'_, [u8]> {
    let start = head_length(message).unwrap_or(message.len());
    let (head, payload) = message.split_at_checked(start).unwrap_or((message, &[]));
    if !is_chunked(head) {
        return Cow::Borrowed(payload);
    }
    let mut dechunker = Dechunker::default();
    let mut body = Vec::new();
    dechunker.feed(payload, &mut |data| body.extend_from_slice(data));
    if dechunker.is_whole() {
        Cow::Owned(body)
    } else {
        Cow::Borrowed(payload)
    }
}

/// The digest of [`payload`]: what warcio and FastWARC compare WARC-Payload-Digest to (both take the
/// bytes behind the head as they are stored, chunk framing included).
pub fn payload_digest(message: &[u8]) -> Digest {
    Digest::of(payload(message))
}

/// The digest of [`entity`]: the same for one content however it was cut into chunks.
pub fn entity_digest(message: &[u8]) -> Digest {
    Digest::of(&entity(message))
}

/// The status code of a response's head.
pub fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/")?;
    let mut words = rest.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let code = words.nth(1)?;
    if code.len() != 3 {
        return None;
    }
    std::str::from_utf8(code).ok()?.parse().ok()
}

/// The value of the first header field of that name, without the white space around it.
pub fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    headers(head)
        .find_map(|(own, value)| own.eq_ignore_ascii_case(name.as_bytes()).then_some(value))
}

fn headers(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|byte| *byte == b'\n')
        .skip(1)
        .filter_map(|line| {
            let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
            Some((name.trim_ascii_end(), value.get(1..)?.trim_ascii()))
        })
}

/// Whether the last transfer coding is `chunked` (RFC 9112 section 6.1).
pub(crate) fn is_chunked(head: &[u8]) -> bool {
    let codings = headers(head).filter(|(name, _)| name.eq_ignore_ascii_case(b"Transfer-Encoding"));
    codings.last().is_some_and(|(_, value)| {
        let last = value.rsplit(|byte| *byte == b',').next();
        last.unwrap_or_default()
            .trim_ascii()
            .eq_ignore_ascii_case(b"chunked")
    })
}

/// Takes chunk framing off a body that comes in pieces (RFC 9112 section 7.1). Holds no bytes.
#[derive(Debug, Default)]
pub(crate) struct Dechunker {
    state: ChunkState,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ChunkState {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// Within the digits of a size.
    Size(u64),
    /// Behind the digits, up to the end of the line.
    Extension(u64),
    /// Within data of which so many bytes are left.
    Data(u64),
    /// Behind data, before its line end.
    AfterData,
    /// In the trailer section: whether the line has anything but its end.
    Trailer { empty: bool },
    /// Behind the message.
    Done,
    /// This is no chunked body.
    Broken,
}

impl Dechunker {
    /// Takes the next piece; gives its data to `sink`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
        while let Some((first, rest)) = bytes.split_first() {
            if let ChunkState::Data(left) = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let (data, behind) = bytes.split_at(here);
                sink(data);
                bytes = behind;
                let left = left - here as u64;
                self.state = match left {
                    0 => ChunkState::AfterData,
                    _ => ChunkState::Data(left),
                };
                continue;
            }
            self.state = next_state(self.state, *first);
            if self.state == ChunkState::Broken {
                return;
            }
            bytes = rest;
        }
    }

    /// Whether the last chunk and the trailers have come, with nothing behind them.
    pub(crate) fn is_whole(&self) -> bool {
        self.state == ChunkState::Done
    }
}

fn next_state(state: ChunkState, byte: u8) -> ChunkState {
    let digit = char::from(byte).to_digit(16).map(u64::from);
    match (state, byte) {
        (ChunkState::Start, _) => digit.map_or(ChunkState::Broken, ChunkState::Size),
        (ChunkState::Size(size) | ChunkState::Extension(size), b'\n') => match size {
            0 => ChunkState::Trailer { empty: true },
            _ => ChunkState::Data(size),
        },
        (ChunkState::Size(size), b'\r' | b' ' | b'\t' | b';') => ChunkState::Extension(size),
        (ChunkState::Size(size), _) => match (digit, size.checked_mul(16)) {
            (Some(digit), Some(size)) => ChunkState::Size(size + digit),
            _ => ChunkState::Broken,
        },
        (ChunkState::Extension(size), _) => ChunkState::Extension(size),
        (ChunkState::AfterData, b'\r') => ChunkState::AfterData,
        (ChunkState::AfterData, b'\n') => ChunkState::Start,
        (ChunkState::Trailer { empty: true }, b'\n') => ChunkState::Done,
        (ChunkState::Trailer { .. }, b'\n') => ChunkState::Trailer { empty: true },
        (ChunkState::Trailer { empty: true }, b'\r') => ChunkState::Trailer { empty: true },
        (ChunkState::Trailer { .. }, _) => ChunkState::Trailer { empty: false },
        _ => ChunkState::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n";

    #[test]
    fn a_message_is_taken_apart() {
        let head = CHUNKED.get(..head_length(CHUNKED).unwrap()).unwrap();
        assert_eq!(status(head), Some(200));
        assert_eq!(
            header(head, "transfer-encoding"),
            Some(&b"gzip, Chunked"[..])
        );
        assert!(payload(CHUNKED).starts_with(b"5;x=y"));
        assert_eq!(&*entity(CHUNKED), b"hello world");
        assert_eq!(payload(b"HTTP/1.0 200 OK\n\nx"), b"x");
        assert_eq!(payload(b"HTTP/1.0 200 OK\r\n"), b"");
        assert_eq!(status(b"HTTP/1.1 99"), None);
        assert_eq!(status(b"HTTP/1.1 404\r\n\r\n"), Some(404));
    }

    #[test]
    fn pieces_of_any_size_give_the_same() {
        let body = payload(CHUNKED);
        for size in 1..body.len() {
            let (mut dechunker, mut out) = (Dechunker::default(), Vec::new());
            for piece in body.chunks(size) {
                dechunker.feed(piece, &mut |data| out.extend_from_slice(data));
            }
            assert!(dechunker.is_whole());
            assert_eq!(out, b"hello world");
        }
    }

    #[test]
    fn what_is_no_chunked_body_stays_as_it_is() {
        for body in [
            "<html>",
            "5\r\nhel",
            "5\r\nhelloworld\r\n0\r\n\r\n",
            "0\r\n\r\nmore",
            "fffffffffffffffff\r\n",
        ] {
            let message = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            assert_eq!(&*entity(message.as_bytes()), body.as_bytes());
        }
    }
}
