//! The limits and rules of fetching.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::auth::BasicAuth;
use crate::proxy::ProxyConfig;
use crate::resolve::ResolveRule;

/// Everything that can be set. [`Default`] gives values fit for crawling strangers' sites; they are
/// checked by [`crate::Shared::new`].
#[derive(Debug, Clone)]
pub struct FetchConfig {
    /// Limit for looking up a name, from when it is asked for: where as many are asked for as may be
    /// at once, the wait counts only towards `total_timeout`.
    pub dns_timeout: Duration,
    /// Limit for opening a connection, over all addresses of a host; a proxy's CONNECT included.
    pub connect_timeout: Duration,
    /// Limit for the TLS handshake.
    pub tls_timeout: Duration,
    /// Limit from sending the request to the end of the headers.
    pub first_byte_timeout: Duration,
    /// Limit between two reads of the body.
    pub idle_timeout: Duration,
    /// Limit for the whole exchange.
    pub total_timeout: Duration,
    /// Limit for the headers of a response, in bytes, 1 to 1 MiB.
    pub max_header_bytes: usize,
    /// Limit for the number of headers, 1 to 10,000. Up to 100, the default, costs least.
    pub max_headers: usize,
    /// Limit for a body on the wire, in bytes.
    pub max_wire_bytes: u64,
    /// Room for all bodies under way together, in bytes on the wire, over all threads. The first 32 KiB
    /// of each are free, and one at a time may go beyond it up to `max_wire_bytes`. A body for which
    /// there is none waits; one that has held room for ten seconds while others wait times out. The
    /// bytes that are kept for [`crate::Request::keep_raw`] count with their body.
    pub max_bodies_bytes: u64,
    /// Limit for a body after decoding, in bytes. Kept here for the caller of
    /// [`crate::decode_body`]; the exchange itself does not decode.
    pub max_decoded_bytes: u64,
    /// Exchanges at once with one public address, over all threads; `None` is no limit. One too
    /// many gives [`crate::FetchErrorKind::AddressBusy`] at once.
    pub max_connections_per_address: Option<usize>,
    /// Connections that each fetcher keeps open; beyond it a few of the least recently used make way, so
    /// that hosts visited in turn keep a share of theirs.
    pub max_idle_connections: usize,
    /// Whether so many exchanges run at once that what each connection takes counts: then bytes are read in
    /// small pieces, and a few hundred bodies at a time. That costs a few system calls a page.
    pub saves_memory: bool,
    /// How long a connection is kept without use.
    pub idle_connection_lifetime: Duration,
    /// Whether addresses that are not public may be fetched from.
    pub allow_private: bool,
    /// `HOST` or `HOST:PORT` whose addresses may be private, because a seed names it. Only that very
    /// host is allowed, not other names with the same address.
    pub allowed_private_hosts: Vec<String>,
    /// Whether HTTP/2 is offered in the TLS handshake.
    pub http2: bool,
    /// Whether certificates are verified. Without it anyone in between can read and forge.
    pub verify_tls: bool,
    /// A PEM file of certificate authorities that are trusted besides the web's usual ones.
    pub ca_file: Option<PathBuf>,
    /// The User-Agent header.
    pub user_agent: String,
    /// Headers that all requests have. Credentials (Authorization, Cookie) are refused here, because
    /// they would go to every host.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Names and passwords, each bound to its host.
    pub basic_auth: Vec<BasicAuth>,
    /// Whether cookies are kept and sent.
    pub cookies: bool,
    /// The proxy, if there is one.
    pub proxy: Option<ProxyConfig>,
    /// Addresses that the user gives for names; the first rule that matches wins.
    pub resolve: Vec<ResolveRule>,
    /// The name servers to ask; empty means the system's.
    pub name_servers: Vec<SocketAddr>,
}

impl Default for FetchConfig {
    fn default() -> FetchConfig {
        FetchConfig {
            dns_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            tls_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_secs(120),
            max_header_bytes: 64 * 1024,
            max_headers: 100,
            max_wire_bytes: 16 * 1024 * 1024,
            max_bodies_bytes: 32 * 1024 * 1024,
            max_decoded_bytes: 64 * 1024 * 1024,
            max_connections_per_address: None,
            max_idle_connections: 1000,
            saves_memory: false,
            idle_connection_lifetime: Duration::from_secs(60),
            allow_private: false,
            allowed_private_hosts: Vec::new(),
            http2: true,
            verify_tls: true,
            ca_file: None,
            user_agent: concat!("nephila/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            basic_auth: Vec::new(),
            cookies: false,
            proxy: None,
            resolve: Vec::new(),
            name_servers: Vec::new(),
        }
    }
}
