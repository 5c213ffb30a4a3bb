//! What is sent for one request: steps of raw bytes, and how the connection ends.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use super::server::HostileOptions;

/// A request, as far as an answer depends on it.
pub(crate) struct Asked<'a> {
    /// Path and query as they came.
    pub(crate) target: &'a str,
    /// Header names in lower case and their values.
    pub(crate) headers: &'a HashMap<String, String>,
    /// How often this path was asked for before.
    pub(crate) asked_before: u32,
    /// The port that the server listens on.
    pub(crate) port: u16,
    /// Seconds since 1970.
    pub(crate) unix_seconds: u64,
    pub(crate) options: &'a HostileOptions,
}

impl Asked<'_> {
    /// The value of a parameter of the query, as written.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.parameter(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0)
    }
}

/// One thing that the server does on the connection.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Bytes),
    /// One byte, then a pause, and so on: to the end of the bytes, which are begun again, or of the time.
    Drip {
        bytes: Bytes,
        every: Duration,
        most: Duration,
    },
    /// The same piece until so many bytes were sent or the time is over.
    Repeat {
        piece: Bytes,
        most_bytes: u64,
        most: Duration,
    },
    Wait(Duration),
}

/// How a connection goes on after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    KeepAlive,
    Close,
    /// RST instead of FIN.
    Reset,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
}

/// Raw bytes, then close.
pub(crate) fn raw(bytes: impl Into<Bytes>) -> Reply {
    Reply {
        steps: vec![Step::Send(bytes.into())],
        end: End::Close,
    }
}

/// A well-framed answer; the connection stays. `head` is the status and headers, its lines ended by LF.
pub(crate) fn framed(head: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = head_bytes(head);
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    Reply {
        end: End::KeepAlive,
        ..raw(bytes)
    }
}

/// A head that lacks its length and end. Lines are ended by LF in `head`, by CR LF in what is sent.
pub(crate) fn head_bytes(head: &str) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.replace('\n', "\r\n")).into_bytes();
    bytes.reserve(64);
    bytes
}

/// 200 with HTML.
pub(crate) fn html(body: impl AsRef<[u8]>) -> Reply {
    framed("200 OK\nContent-Type: text/html; charset=utf-8", body)
}

/// 200 with HTML that ends when the connection does: `bytes` begins after the common headers.
pub(crate) fn html_until_close(bytes: impl AsRef<[u8]>) -> Reply {
    let mut all = head_bytes("200 OK\nContent-Type: text/html");
    all.extend_from_slice(bytes.as_ref());
    raw(all)
}

/// 302 to `location`.
pub(crate) fn found(location: &str) -> Reply {
    framed(&format!("302 Found\nLocation: {location}"), b"")
}

impl Reply {
    pub(crate) fn closing(self) -> Reply {
        Reply {
            end: End::Close,
            ..self
        }
    }
}
