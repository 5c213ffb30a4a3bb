//! What is asked for, and how it is put into an HTTP request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri};
use http_body_util::Empty;
use url::Url;

use crate::error::FetchErrorKind;
use crate::failure::Failure;
use crate::shared::Shared;
use crate::target::Target;

/// What is accepted where a request does not say: pages first.
const ACCEPT_PAGES: HeaderValue =
    HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// Room for the headers that every request has; more makes the map grow.
const HEADERS_EXPECTED: usize = 10;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to fetch: http or https. Fragment and userinfo are never sent.
    pub url: Url,
    /// GET, or HEAD. Other methods are sent as they are, without a body.
    pub method: Method,
    /// The Accept header; by default pages before all else.
    pub accept: HeaderValue,
    /// Headers of this request (If-None-Match and the like), in place of ones of the same name that
    /// all requests have. Host, Connection and those that frame a message are passed over.
    pub extra_headers: Vec<(HeaderName, HeaderValue)>,
    /// Decides from status and headers whether the body is read.
    pub take: BodyFilter,
    /// Limit for the body on the wire, in bytes, in place of [`crate::FetchConfig::max_wire_bytes`].
    pub max_wire_bytes: Option<u64>,
    /// Whether a body beyond that limit is cut there and given ([`crate::Response::body_cut`]),
    /// instead of [`crate::FetchErrorKind::BodyTooLarge`]. An HTTP/1 connection is then closed.
    pub cut_body: bool,
    /// Whether the bytes of both messages are given as they went over the connection
    /// ([`crate::Response::raw`]), at the cost of a copy of each.
    pub keep_raw: bool,
    /// Whether the request goes without Authorization and Cookie, and its answer sets no cookie:
    /// for a target that the user did not choose.
    pub anonymous: bool,
}

impl Request {
    /// A GET of `url` that takes any body, whole.
    pub fn get(url: Url) -> Request {
        Request {
            url,
            method: Method::GET,
            accept: ACCEPT_PAGES,
            extra_headers: Vec::new(),
            take: BodyFilter::all(),
            max_wire_bytes: None,
            cut_body: false,
            keep_raw: false,
            anonymous: false,
        }
    }
}

/// Decides from status and headers whether the body of a response is read.
#[derive(Clone, Default)]
pub struct BodyFilter(Option<Arc<Predicate>>);

type Predicate = dyn Fn(u16, &HeaderMap) -> bool + Send + Sync;

impl BodyFilter {
    /// Takes every body.
    pub fn all() -> BodyFilter {
        BodyFilter(None)
    }

    /// Takes the bodies for which `wants` says true.
    pub fn new(wants: impl Fn(u16, &HeaderMap) -> bool + Send + Sync + 'static) -> BodyFilter {
        BodyFilter(Some(Arc::new(wants)))
    }

    /// Whether it wants the body of an answer with this head.
    pub fn wants(&self, status: u16, headers: &HeaderMap) -> bool {
        self.0.as_ref().is_none_or(|wants| wants(status, headers))
    }
}

impl fmt::Debug for BodyFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "BodyFilter(..)"
        } else {
            "BodyFilter(all)"
        })
    }
}

/// Whether a header belongs to the connection or frames the message, which is not the caller's to set.
pub(crate) fn is_framing(name: &HeaderName) -> bool {
    [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
    ]
    .contains(name)
}

/// The HTTP request for `request`: with Host and origin form for HTTP/1.1, with an absolute URI for
/// HTTP/2 (which makes its pseudo-headers of it) and for a proxy (RFC 9112 section 3.2.2).
pub(crate) fn to_http(
    request: &Request,
    target: &Target<'_>,
    shared: &Shared,
    http2: bool,
) -> Result<http::Request<Empty<Bytes>>, Failure> {
    let mut headers = HeaderMap::with_capacity(HEADERS_EXPECTED);
    if !http2 {
        let host = HeaderValue::from_str(target.authority);
        headers.insert(
            header::HOST,
            host.map_err(|error| unsendable(error, target))?,
        );
    }
    headers.insert(header::ACCEPT, request.accept.clone());
    for (name, value) in &shared.headers {
        headers.insert(name, value.clone());
    }
    if let Some(value) = shared
        .authorization_for(target)
        .filter(|_| !request.anonymous)
    {
        headers.insert(header::AUTHORIZATION, value.clone());
    }
    if let Some(proxy) = target.proxy.filter(|_| !target.secure)
        && let Some(value) = &proxy.authorization
    {
        headers.insert(header::PROXY_AUTHORIZATION, value.clone());
    }
    if let Some(value) = shared
        .cookies
        .as_ref()
        .filter(|_| !request.anonymous)
        .and_then(|jar| jar.header_for(&request.url))
    {
        headers.insert(header::COOKIE, value);
    }
    for (name, value) in request
        .extra_headers
        .iter()
        .filter(|(name, _)| !is_framing(name))
    {
        headers.insert(name, value.clone());
    }

    let mut out = http::Request::new(Empty::new());
    *out.method_mut() = request.method.clone();
    *out.uri_mut() = request_uri(target, http2)?;
    *out.headers_mut() = headers;
    Ok(out)
}

fn request_uri(target: &Target<'_>, http2: bool) -> Result<Uri, Failure> {
    if http2 || (target.proxy.is_some() && !target.secure) {
        let scheme = if target.secure { "https://" } else { "http://" };
        let uri = Uri::try_from([scheme, target.authority, target.path].concat());
        return uri.map_err(|error| unsendable(error, target));
    }
    let path = PathAndQuery::try_from(target.path);
    path.map(Uri::from)
        .map_err(|error| unsendable(error, target))
}

fn unsendable(
    error: impl std::error::Error + Send + Sync + 'static,
    target: &Target<'_>,
) -> Failure {
    let message = format!(
        "URL of {} cannot be put into a request: {error}",
        target.authority
    );
    Failure::new(FetchErrorKind::BadRequest, &message).because(error)
}
