//! HTTP proxies: which one a request goes through, from options or the environment.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::HeaderValue;
use url::{Host, Url};

use crate::auth::basic_value;
use crate::authority::Authority;
use crate::error::{Error, ErrorKind};

/// The proxies for each scheme and the hosts that go without one.
///
/// http is asked of the proxy in absolute form, https tunnels through CONNECT. Through a proxy the
/// proxy looks the names up, so that only literal addresses can be held against the address rules.
/// Loopback addresses and `localhost` never go through a proxy: they mean this machine.
#[derive(Debug, Clone, Default)]
pub struct ProxyConfig {
    /// For http URLs.
    pub http: Option<ProxyServer>,
    /// For https URLs.
    pub https: Option<ProxyServer>,
    /// Hosts that are asked directly.
    pub no_proxy: NoProxy,
}

impl ProxyConfig {
    /// One proxy for both schemes.
    pub fn all(server: ProxyServer, no_proxy: NoProxy) -> ProxyConfig {
        ProxyConfig {
            http: Some(server.clone()),
            https: Some(server),
            no_proxy,
        }
    }

    /// Reads `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` through `get`, each in lower
    /// case first and then in upper case; `None` where no proxy is named.
    ///
    /// `HTTP_PROXY` in upper case is not read, as in curl: a web server puts a request's `Proxy`
    /// header into that very variable of a CGI program ("httpoxy", CVE-2016-5385), so that a stranger
    /// could choose the proxy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Proxy`], naming the variable, where a value is no proxy's URL.
    pub fn from_env(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<ProxyConfig>, Error> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                get(name)
                    .filter(|value| !value.trim().is_empty())
                    .map(|value| (*name, value))
            })
        };
        let server = |names: &[&'static str]| match first(names) {
            None => Ok(None),
            Some((name, value)) => parse_server(&value)
                .map(Some)
                .map_err(|words| refuse(&format!("environment variable {name}"), &words)),
        };
        let http = server(&["http_proxy", "all_proxy", "ALL_PROXY"])?;
        let https = server(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
        if http.is_none() && https.is_none() {
            return Ok(None);
        }
        let no_proxy = first(&["no_proxy", "NO_PROXY"]).map_or("".into(), |(_, value)| value);
        Ok(Some(ProxyConfig {
            http,
            https,
            no_proxy: NoProxy::parse(&no_proxy),
        }))
    }

    /// The proxy for a host (as in a URL), if it goes through one.
    pub(crate) fn server_for(&self, secure: bool, host: &str, port: u16) -> Option<&ProxyServer> {
        let server = if secure {
            self.https.as_ref()
        } else {
            self.http.as_ref()
        }?;
        let direct = is_this_machine(host) || self.no_proxy.covers(host, port);
        (!direct).then_some(server)
    }
}

fn is_this_machine(host: &str) -> bool {
    is_localhost(host) || literal(host).is_some_and(|address| address.is_loopback())
}

/// `localhost` and the names under it (RFC 6761 section 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// The address that a URL's host is, unless it is a name.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// An HTTP proxy: where it listens, and name and password for it.
#[derive(Clone)]
pub struct ProxyServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) authorization: Option<HeaderValue>,
}

impl FromStr for ProxyServer {
    type Err = Error;

    /// Parses `[http://][user:password@]host[:port]`; the port is 80 where none is given.
    fn from_str(text: &str) -> Result<ProxyServer, Error> {
        parse_server(text).map_err(|words| refuse("proxy", &words))
    }
}

/// The words of an error never repeat `text`: it may have a password in it.
fn parse_server(text: &str) -> Result<ProxyServer, String> {
    let text = text.trim();
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&with_scheme).map_err(|error| format!("not a URL ({error})"))?;
    if url.scheme() != "http" {
        return Err(format!(
            "a proxy of scheme `{}` is not supported",
            url.scheme()
        ));
    }
    let host = url.host_str().ok_or("the host is missing")?.to_owned();
    let authorization = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => {
            let decode = |text: &str| percent_decode(text).ok_or("user or password is not UTF-8");
            let value = basic_value(&decode(user)?, &decode(password.unwrap_or_default())?);
            Some(value.map_err(|error| error.to_string())?)
        }
    };
    Ok(ProxyServer {
        host,
        port: url.port().unwrap_or(80),
        authorization,
    })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut rest = bytes.clone();
        let digits = (rest.next(), rest.next());
        let decoded = match (byte, digits) {
            (b'%', (Some(high), Some(low))) => hex(high).zip(hex(low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        if decoded.is_some() {
            bytes = rest;
        }
        out.push(decoded.unwrap_or(byte));
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn refuse(what: &str, words: &str) -> Error {
    let message = format!("{what}: {words}; write it as http://[USER:PASSWORD@]HOST[:PORT]");
    Error::new(ErrorKind::Proxy, message)
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyServer({self})")
    }
}

/// Hosts that are asked directly, as `no_proxy` lists them.
///
/// Separated by commas or spaces: `*` (all hosts), `example.com` or `.example.com` (that name and
/// those under it), an address, a network (`10.0.0.0/8`), each of the first kinds with `:PORT` if only
/// that port is meant. An entry that is none of these is passed over, as curl does.
#[derive(Debug, Clone, Default)]
pub struct NoProxy {
    entries: Vec<NoProxyEntry>,
}

#[derive(Debug, Clone)]
enum NoProxyEntry {
    All,
    Host(Authority),
    Network(IpAddr, u32),
}

impl NoProxy {
    /// Reads a list.
    pub fn parse(list: &str) -> NoProxy {
        let words = list.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        NoProxy {
            entries: words.filter_map(parse_entry).collect(),
        }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        self.entries.iter().any(|entry| match entry {
            NoProxyEntry::All => true,
            NoProxyEntry::Host(own) => {
                own.port.is_none_or(|own| own == port) && is_or_is_under(host, &own.host)
            }
            NoProxyEntry::Network(network, length) => {
                literal(host).is_some_and(|address| is_in_network(address, *network, *length))
            }
        })
    }
}

fn parse_entry(word: &str) -> Option<NoProxyEntry> {
    if word == "*" {
        return Some(NoProxyEntry::All);
    }
    if let Some((network, length)) = word.split_once('/') {
        return Some(NoProxyEntry::Network(
            network.parse().ok()?,
            length.parse().ok()?,
        ));
    }
    let name = word
        .strip_prefix("*.")
        .or_else(|| word.strip_prefix('.'))
        .unwrap_or(word);
    Authority::parse(name).ok().map(NoProxyEntry::Host)
}

fn is_or_is_under(host: &str, name: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.strip_suffix(name) {
        Some("") => true,
        // Only a name has names under it: 1.10.0.0.1 is no host of 10.0.0.1.
        Some(before) => before.ends_with('.') && matches!(Host::parse(name), Ok(Host::Domain(_))),
        None => false,
    }
}

fn is_in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32_u32.saturating_sub(length);
            let prefix = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
            prefix(address.to_bits()) == prefix(network.to_bits())
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128_u32.saturating_sub(length);
            let prefix = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
            prefix(address.to_bits()) == prefix(network.to_bits())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_env(variables: &[(&str, &str)]) -> Result<Option<ProxyConfig>, Error> {
        ProxyConfig::from_env(&|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn proxy_of(config: &ProxyConfig, secure: bool, host: &str, port: u16) -> Option<String> {
        config
            .server_for(secure, host, port)
            .map(ToString::to_string)
    }

    #[test]
    fn environment_variables_are_read_as_curl_reads_them() {
        assert!(from_env(&[]).unwrap().is_none());
        assert!(
            from_env(&[("HTTP_PROXY", "http://evil.example")])
                .unwrap()
                .is_none()
        );
        assert!(from_env(&[("http_proxy", "  ")]).unwrap().is_none());

        let config = from_env(&[("http_proxy", "a:1"), ("HTTPS_PROXY", "b:2")])
            .unwrap()
            .unwrap();
        assert_eq!(
            proxy_of(&config, false, "example.com", 80).as_deref(),
            Some("a:1")
        );
        assert_eq!(
            proxy_of(&config, true, "example.com", 443).as_deref(),
            Some("b:2")
        );

        let config = from_env(&[("ALL_PROXY", "http://a"), ("https_proxy", "b:2")])
            .unwrap()
            .unwrap();
        assert_eq!(
            proxy_of(&config, false, "example.com", 80).as_deref(),
            Some("a:80")
        );
        assert_eq!(
            proxy_of(&config, true, "example.com", 443).as_deref(),
            Some("b:2")
        );
    }

    #[test]
    fn errors_name_the_variable_and_hide_the_password() {
        let error = from_env(&[("all_proxy", "socks5://u:secret@a:1")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy);
        let words = error.to_string();
        assert!(
            words.contains("all_proxy") && words.contains("socks5"),
            "{words}"
        );
        assert!(!words.contains("secret"), "{words}");
        for bad in ["http://", "http://a:99999", "https://a", "a b"] {
            assert!(bad.parse::<ProxyServer>().is_err(), "{bad}");
        }
        let server: ProxyServer = "http://u:secret@a:1".parse().unwrap();
        assert!(!format!("{server:?} {server}").contains("secret"));
        assert!(!format!("{:?}", server.authorization).contains("dTpz"));
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let server: ProxyServer = "http://us%40er:p%3Ass%zz@a:1".parse().unwrap();
        let value = server.authorization.unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            basic_value("us@er", "p:ss%zz").unwrap()
        );
    }

    #[test]
    fn hosts_without_a_proxy() {
        let no_proxy =
            "example.com,.example.org, 10.0.0.0/8 fd00::/8,192.0.3.1,[::2],a.test:8080,%";
        let config = ProxyConfig::all("p:1".parse().unwrap(), NoProxy::parse(no_proxy));
        for (host, port, direct) in [
            ("example.com", 80, true),
            ("www.example.com", 80, true),
            ("example.com.", 80, true),
            ("badexample.com", 80, false),
            ("example.com.evil.test", 80, false),
            ("example.org", 80, true),
            ("www.example.org", 80, true),
            ("10.1.2.3", 80, true),
            ("11.1.2.3", 80, false),
            ("[fd12::1]", 80, true),
            ("[fe12::1]", 80, false),
            ("192.0.3.1", 80, true),
            ("1.192.0.3.1", 80, false),
            ("[::2]", 80, true),
            ("a.test", 8080, true),
            ("a.test", 80, false),
            ("localhost", 80, true),
            ("x.localhost.", 80, true),
            ("127.0.0.9", 80, true),
            ("[::1]", 80, true),
            ("other.test", 80, false),
        ] {
            assert_eq!(
                proxy_of(&config, false, host, port).is_none(),
                direct,
                "{host}:{port}"
            );
        }
        let none = ProxyConfig::all("p:1".parse().unwrap(), NoProxy::parse("*"));
        assert_eq!(proxy_of(&none, true, "example.com", 443), None);
        let zero = ProxyConfig::all("p:1".parse().unwrap(), NoProxy::parse("0.0.0.0/0"));
        assert_eq!(proxy_of(&zero, true, "8.8.8.8", 443), None);
        assert!(proxy_of(&zero, true, "[2000::1]", 443).is_some());
    }
}
