//! Whom a request goes to: scheme, host and port of its URL, and the proxy between, if any.

use std::net::IpAddr;
use std::rc::Rc;

use url::{Position, Url};

use crate::error::FetchErrorKind;
use crate::failure::Failure;
use crate::proxy::{ProxyConfig, ProxyServer, literal};

/// The parts of a URL that decide about connection, credentials and address rules.
pub(crate) struct Target<'a> {
    /// Whether the scheme is https.
    pub(crate) secure: bool,
    /// The host as in the URL: lower case, punycode, IPv6 in brackets.
    pub(crate) host: &'a str,
    /// The port, the scheme's own where the URL has none.
    pub(crate) port: u16,
    /// The address that the host is, unless it is a name.
    pub(crate) literal: Option<IpAddr>,
    /// `host[:port]` as the Host header has it.
    pub(crate) authority: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    /// The proxy, if the request goes through one.
    pub(crate) proxy: Option<&'a ProxyServer>,
    /// What connections are pooled by: requests with the same origin may share one.
    pub(crate) origin: Rc<str>,
}

impl<'a> Target<'a> {
    pub(crate) fn of(url: &'a Url, proxy: Option<&'a ProxyConfig>) -> Result<Target<'a>, Failure> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            scheme => {
                let message =
                    format!("scheme `{scheme}` is not supported: only http and https are");
                return Err(Failure::new(FetchErrorKind::UnsupportedScheme, &message));
            }
        };
        let no_host = || Failure::new(FetchErrorKind::BadRequest, "the URL has no host");
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(no_host)?;
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        let authority = part(url, Position::BeforeHost, Position::AfterPort);
        let proxy = proxy.and_then(|proxy| proxy.server_for(secure, host, port));
        Ok(Target {
            secure,
            host,
            port,
            literal: literal(host),
            authority,
            path: part(url, Position::BeforePath, Position::AfterQuery),
            proxy,
            origin: origin(secure, authority, proxy),
        })
    }
}

fn part(url: &Url, from: Position, to: Position) -> &str {
    // Positions of a Url are always within it.
    &url[from..to]
}

/// https connections are one host's own; over http one connection to a proxy serves any host. Which
/// hosts go through which proxy never changes, so that a proxy need not be named in a tunnel's origin.
fn origin(secure: bool, authority: &str, proxy: Option<&ProxyServer>) -> Rc<str> {
    match (secure, proxy) {
        (true, _) => ["https://", authority].concat().into(),
        (false, None) => ["http://", authority].concat().into(),
        (false, Some(proxy)) => format!("proxy {proxy}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::NoProxy;

    #[test]
    fn parts_of_a_url() {
        let url = Url::parse("http://u:p@EXAMPLE.com:80/a?b#c").unwrap();
        let target = Target::of(&url, None).unwrap();
        assert_eq!(
            (target.host, target.port, target.secure),
            ("example.com", 80, false)
        );
        assert_eq!((target.authority, target.path), ("example.com", "/a?b"));
        assert_eq!(&*target.origin, "http://example.com");
        let url = Url::parse("https://[0::1]:8443?q").unwrap();
        let target = Target::of(&url, None).unwrap();
        assert_eq!((target.authority, target.path), ("[::1]:8443", "/?q"));
        assert_eq!(target.literal, Some("::1".parse().unwrap()));
        let url = Url::parse("http://0x7f.1/").unwrap();
        assert_eq!(
            Target::of(&url, None).unwrap().literal,
            Some("127.0.0.1".parse().unwrap())
        );
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in [
            "ftp://example.com/",
            "mailto:a@b",
            "data:,x",
            "file:///etc/passwd",
        ] {
            let failure = Target::of(&Url::parse(text).unwrap(), None).err().unwrap();
            assert_eq!(failure.kind, FetchErrorKind::UnsupportedScheme, "{text}");
        }
    }

    #[test]
    fn http_through_a_proxy_shares_connections_and_https_does_not() {
        let proxy = ProxyConfig::all("p:1".parse().unwrap(), NoProxy::default());
        let origin = |text| {
            let url = Url::parse(text).unwrap();
            Target::of(&url, Some(&proxy)).unwrap().origin.to_string()
        };
        assert_eq!(origin("http://a.test/"), origin("http://b.test/"));
        assert_ne!(origin("https://a.test/"), origin("https://b.test/"));
        assert_ne!(origin("http://a.test/"), origin("http://localhost/"));
    }
}
