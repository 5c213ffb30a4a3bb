//! What can go wrong: [`FetchError`] with one exchange, [`Error`] with the configuration.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use url::Url;

use crate::failure::Failure;
use crate::response::{ResponseHead, Times};

/// A state of an exchange that has a limit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Looking up the addresses of the host.
    Dns,
    /// Opening the connection, a proxy's CONNECT included.
    Connect,
    /// The TLS handshake.
    Tls,
    /// From sending the request to the end of the response's headers.
    FirstByte,
    /// Between two pieces of the body.
    Body,
    /// The whole exchange.
    Total,
}

impl Stage {
    /// What was being done, in plain words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Stage::Dns => "looking up the name",
            Stage::Connect => "connecting",
            Stage::Tls => "in the TLS handshake",
            Stage::FirstByte => "waiting for the response",
            Stage::Body => "waiting for more of the body",
            Stage::Total => "fetching (limit for the whole exchange)",
        }
    }
}

/// Why an exchange gave no response: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchErrorKind {
    /// The host's name has no address, or the name servers did not say.
    DnsFailed,
    /// No address of the host could be connected to.
    ConnectFailed,
    /// The TLS handshake failed: certificate, protocol, or closed meanwhile.
    TlsFailed,
    /// A limit of time ran out in this state.
    TimedOut(Stage),
    /// The connection was reset or closed before the headers were whole.
    ConnectionLost,
    /// What came is not HTTP, or its framing contradicts itself.
    BadResponse,
    /// The headers are more, or longer, than the limit.
    HeadersTooLarge,
    /// The body on the wire is longer than the limit.
    BodyTooLarge,
    /// The body did not come whole. [`FetchError::head`] has status and headers.
    Truncated,
    /// The address is not public and was not allowed.
    BlockedAddress(IpAddr),
    /// As many exchanges as allowed are with that address already, or this machine has no socket to
    /// spare (EMFILE, ENFILE, ENOBUFS, ENOMEM); nothing was sent: ask again later.
    AddressBusy,
    /// The proxy could not be reached or refused.
    ProxyFailed,
    /// The URL is neither http nor https.
    UnsupportedScheme,
    /// The URL or a header of the request cannot be put into an HTTP request.
    BadRequest,
}

/// Why an exchange gave no (whole) response, how far it came and how long each state took.
///
/// `Display` is plain words for a user, without control characters whatever the server sent; the URL
/// is in [`FetchError::url`] and not repeated.
pub struct FetchError(Box<Inner>);

struct Inner {
    failure: Failure,
    url: Url,
    times: Times,
    head: Option<ResponseHead>,
    remote: Option<SocketAddr>,
}

impl FetchError {
    pub(crate) fn new(
        failure: Failure,
        url: Url,
        times: Times,
        head: Option<ResponseHead>,
        remote: Option<SocketAddr>,
    ) -> FetchError {
        FetchError(Box::new(Inner {
            failure,
            url,
            times,
            head,
            remote,
        }))
    }

    /// An error made by another implementation of [`crate::Fetch`] (a simulated transport).
    ///
    /// Control characters in `message` are escaped.
    pub fn simulated(kind: FetchErrorKind, message: &str, url: Url, times: Times) -> FetchError {
        FetchError::new(Failure::new(kind, message), url, times, None, None)
    }

    /// Why.
    pub fn kind(&self) -> FetchErrorKind {
        self.0.failure.kind
    }

    /// Whether the same request may well succeed later.
    ///
    /// `false` where asking again cannot help: no such name, a certificate for another name, too large.
    pub fn is_transient(&self) -> bool {
        self.0.failure.transient
    }

    /// The URL that was asked for.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// How long each state took as far as the exchange came.
    pub fn times(&self) -> Times {
        self.0.times
    }

    /// Status and headers, where the exchange came that far (truncated, too large, timed out later).
    pub fn head(&self) -> Option<&ResponseHead> {
        self.0.head.as_ref()
    }

    /// The address that the exchange was with, where there was a connection.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.0.remote
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.failure.message)
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchError")
            .field("kind", &self.0.failure.kind)
            .field("message", &self.0.failure.message)
            .field("url", &self.0.url.as_str())
            .field("times", &self.0.times)
            .field("status", &self.0.head.as_ref().map(|head| head.status))
            .field("remote", &self.0.remote)
            .finish()
    }
}

impl std::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.failure.source.as_deref()?;
        Some(source)
    }
}

/// Which part of a configuration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The file of certificate authorities.
    CertificateFile,
    /// The TLS library refused its set-up.
    Tls,
    /// A proxy's URL, from an option or the environment.
    Proxy,
    /// A `--resolve` rule.
    ResolveRule,
    /// A host that a credential or an address rule is bound to.
    Authority,
    /// A request header or the user agent.
    Header,
    /// A limit that is zero or out of bounds.
    Limit,
}

/// A configuration that cannot be used: says what, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: String) -> Error {
        Error {
            kind,
            message,
            source: None,
        }
    }

    pub(crate) fn because(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.source = Some(source.into());
        self
    }

    /// Which part of the configuration.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
