//! What the fetchers of all threads have in common.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};

use crate::address::is_public;
use crate::auth::BoundAuth;
use crate::authority::Authority;
use crate::body_room::BodyRoom;
use crate::config::FetchConfig;
use crate::cookies::CookieJar;
use crate::dns::{DnsCache, DnsSetup};
use crate::error::{Error, ErrorKind};
use crate::limits::AddressLimit;
use crate::request::is_framing;
use crate::target::Target;
use crate::traffic::Traffic;

/// Monotonic time since an origin of the caller's choosing.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The checked configuration and the state that threads share. Dropped with its last fetcher.
pub struct Shared {
    pub(crate) config: FetchConfig,
    pub(crate) clock: Clock,
    /// User-Agent, Accept-Encoding and the configured headers, ready to be copied into a request.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// TLS settings; the cache of sessions inside is one for all threads.
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// Answers of the name servers, positive and negative.
    pub(crate) dns_cache: DnsCache,
    /// What every thread's resolver is made from.
    pub(crate) dns_setup: DnsSetup,
    /// Cookies of all hosts, where they are kept.
    pub(crate) cookies: Option<CookieJar>,
    /// Counts of exchanges by address, where they are limited.
    pub(crate) address_limit: Option<Arc<AddressLimit>>,
    /// Room for the bodies under way.
    pub(crate) body_room: Arc<BodyRoom>,
    pub(crate) traffic: Arc<Traffic>,
    auth: Vec<BoundAuth>,
    allowed_private: Vec<Authority>,
}

impl Shared {
    /// Checks `config` and reads the files that it names (`ca_file`, the system's resolver settings).
    ///
    /// # Errors
    ///
    /// An [`Error`] for whatever cannot be used: a certificate file, a header, an authority, a limit
    /// of zero.
    pub fn new(config: FetchConfig, clock: Clock) -> Result<Shared, Error> {
        check_limits(&config)?;
        let auth = config
            .basic_auth
            .iter()
            .map(BoundAuth::new)
            .collect::<Result<_, _>>()?;
        let allowed_private = config
            .allowed_private_hosts
            .iter()
            .map(|text| allowed_host(text));
        Ok(Shared {
            headers: common_headers(&config)?,
            tls: crate::tls::client_config(&config)?,
            dns_cache: DnsCache::default(),
            dns_setup: DnsSetup::new(&config),
            cookies: config.cookies.then(CookieJar::default),
            address_limit: config.max_connections_per_address.map(AddressLimit::new),
            body_room: BodyRoom::new(config.max_bodies_bytes),
            traffic: Arc::default(),
            auth,
            allowed_private: allowed_private.collect::<Result<_, _>>()?,
            clock,
            config,
        })
    }

    /// The configuration as it was given.
    pub fn config(&self) -> &FetchConfig {
        &self.config
    }

    /// What comes from the net at this moment.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Whether a connection for `target` may go to `address`.
    pub(crate) fn permits(&self, target: &Target<'_>, address: IpAddr) -> bool {
        is_public(address) || self.permits_any(target)
    }

    /// Whether a connection for `target` may go to any address.
    pub(crate) fn permits_any(&self, target: &Target<'_>) -> bool {
        self.config.allow_private
            || self
                .allowed_private
                .iter()
                .any(|own| own.matches(target.host, target.port))
    }

    /// The Authorization header for `target`: only where a credential is bound to it.
    pub(crate) fn authorization_for(&self, target: &Target<'_>) -> Option<&HeaderValue> {
        self.auth.iter().find_map(|bound| bound.value_for(target))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

fn allowed_host(text: &str) -> Result<Authority, Error> {
    Authority::parse(text).map_err(|words| {
        let message = format!("allowed host `{text}`: {words}; write HOST or HOST:PORT");
        Error::new(ErrorKind::Authority, message)
    })
}

fn common_headers(config: &FetchConfig) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let user_agent = HeaderValue::from_str(&config.user_agent).map_err(|error| {
        let message = format!(
            "user agent {:?} cannot be a header: use visible ASCII characters only",
            config.user_agent
        );
        Error::new(ErrorKind::Header, message).because(error)
    })?;
    let codings = HeaderValue::from_static("gzip, deflate, br, zstd");
    let mut headers = vec![
        (header::USER_AGENT, user_agent),
        (header::ACCEPT_ENCODING, codings),
    ];
    for (name, value) in &config.headers {
        if is_framing(name) {
            let message = format!("header `{name}` is set by the connection; leave it out");
            return Err(Error::new(ErrorKind::Header, message));
        }
        if [
            header::AUTHORIZATION,
            header::PROXY_AUTHORIZATION,
            header::COOKIE,
        ]
        .contains(name)
        {
            let message = format!(
                "header `{name}` would be sent to every host; bind credentials to their host with \
                 basic authentication, or set the header on the requests that it is for"
            );
            return Err(Error::new(ErrorKind::Header, message));
        }
        headers.push((name.clone(), value.clone()));
    }
    Ok(headers)
}

fn check_limits(config: &FetchConfig) -> Result<(), Error> {
    let zero = Duration::ZERO;
    let checks = [
        ("DNS timeout", config.dns_timeout > zero, "more than zero"),
        (
            "connect timeout",
            config.connect_timeout > zero,
            "more than zero",
        ),
        ("TLS timeout", config.tls_timeout > zero, "more than zero"),
        (
            "first-byte timeout",
            config.first_byte_timeout > zero,
            "more than zero",
        ),
        ("idle timeout", config.idle_timeout > zero, "more than zero"),
        (
            "total timeout",
            config.total_timeout > zero,
            "more than zero",
        ),
        (
            "limit of header bytes",
            (1..=1 << 20).contains(&config.max_header_bytes),
            "1 to 1 MiB",
        ),
        (
            "limit of headers",
            (1..=10_000).contains(&config.max_headers),
            "1 to 10000",
        ),
        (
            "limit of connections per address",
            config.max_connections_per_address != Some(0),
            "at least 1",
        ),
    ];
    match checks.iter().find(|(_, holds, _)| !holds) {
        None => Ok(()),
        Some((what, _, bound)) => Err(Error::new(
            ErrorKind::Limit,
            format!("the {what} must be {bound}"),
        )),
    }
}
