//! What an exchange gives.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;

use crate::raw::RawExchange;

/// The response to one request, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code, 200 to 999 (1xx responses are passed over).
    pub status: u16,
    /// `"HTTP/1.0"`, `"HTTP/1.1"` or `"HTTP/2"`.
    pub version: &'static str,
    /// The headers as they came; trailers are dropped.
    pub headers: HeaderMap,
    /// The body as on the wire, still content-coded (see [`crate::decode_body`]), without transfer
    /// coding. Empty where [`Response::body_skipped`].
    pub body: Bytes,
    /// Bytes of body that were read, without transfer coding.
    pub wire_bytes: u64,
    /// Whether the request's [`crate::BodyFilter`] did not want the body.
    pub body_skipped: bool,
    /// Whether the body is longer than the limit and was cut there, as [`crate::Request::cut_body`]
    /// asked; a coded body then ends in the middle of its coding.
    pub body_cut: bool,
    /// The messages as they went over the connection, where [`crate::Request::keep_raw`] asked for
    /// them. `None` also where the body is not here whole (skipped or cut), and where chunk framing
    /// is so much longer than the body that it goes beyond twice the limit of the body.
    pub raw: Option<RawExchange>,
    /// The address that answered: the proxy's where there is one.
    pub remote: Option<SocketAddr>,
    /// Whether the connection had served an exchange before.
    pub reused: bool,
    /// How long each state took.
    pub times: Times,
}

/// Status, version and headers of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// The status code.
    pub status: u16,
    /// `"HTTP/1.0"`, `"HTTP/1.1"` or `"HTTP/2"`.
    pub version: &'static str,
    /// The headers as they came.
    pub headers: HeaderMap,
}

/// Time spent in each state of an exchange; zero where a state was not entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Looking up the name.
    pub dns: Duration,
    /// Opening the connection, a proxy's CONNECT included.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From sending the request to the end of the headers.
    pub first_byte: Duration,
    /// From the end of the headers to the end of the body.
    pub body: Duration,
}

impl Times {
    /// The sum of all states.
    pub fn total(&self) -> Duration {
        self.dns + self.connect + self.tls + self.first_byte + self.body
    }
}
