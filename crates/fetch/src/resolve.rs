//! `--resolve` rules: addresses that the user gives for names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use url::Host;

use crate::authority::parse_port;
use crate::error::{Error, ErrorKind};

/// `HOST:PORT:ADDR[:PORT]`: a connection that is meant for HOST and PORT goes to ADDR.
///
/// HOST `*` is any name and PORT `*` any port; IPv6 stands in brackets. The first rule that matches
/// wins. The address counts as allowed even if it is private: the user named it. `*` does not stand
/// for hosts that are addresses already (as in curl): a link to `http://169.254.169.254/` stays what
/// it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveRule {
    /// The host as the `url` crate writes it; `None` is any name.
    pub host: Option<String>,
    /// The port; `None` is any.
    pub port: Option<u16>,
    /// The address to connect to.
    pub address: IpAddr,
    /// The port to connect to; `None` keeps the URL's.
    pub to_port: Option<u16>,
}

impl ResolveRule {
    /// Where to connect for `host` (as in a URL) and `port`, if this rule is meant.
    pub(crate) fn resolve(&self, host: &str, is_literal: bool, port: u16) -> Option<SocketAddr> {
        let host_matches = match &self.host {
            Some(own) => own == host,
            None => !is_literal,
        };
        let meant = host_matches && self.port.is_none_or(|own| own == port);
        meant.then(|| SocketAddr::new(self.address, self.to_port.unwrap_or(port)))
    }
}

impl FromStr for ResolveRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<ResolveRule, Error> {
        parse(text).map_err(|words| {
            let message = format!(
                "resolve rule `{text}`: {words}; write HOST:PORT:ADDR or HOST:PORT:ADDR:PORT, \
                 where HOST and the first PORT may be *, and IPv6 stands in brackets"
            );
            Error::new(ErrorKind::ResolveRule, message)
        })
    }
}

fn parse(text: &str) -> Result<ResolveRule, String> {
    let (host, rest) = take_field(text.trim())?;
    let (port, rest) = take_field(rest.ok_or("PORT and ADDR are missing")?)?;
    let (address, rest) = take_field(rest.ok_or("ADDR is missing")?)?;
    let host = match host {
        "*" => None,
        host => Some(
            Host::parse(host)
                .map_err(|e| format!("`{host}` is no host: {e}"))?
                .to_string(),
        ),
    };
    let port = if port == "*" {
        None
    } else {
        Some(parse_port(port)?)
    };
    Ok(ResolveRule {
        host,
        port,
        address: parse_address(address)?,
        to_port: rest.map(parse_port).transpose()?,
    })
}

/// The next field, which may stand in brackets, and what follows its colon.
fn take_field(text: &str) -> Result<(&str, Option<&str>), String> {
    let end = if text.starts_with('[') {
        text.find(']')
            .ok_or_else(|| format!("`{text}` has no closing bracket"))?
            + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (field, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    match rest.strip_prefix(':') {
        Some(rest) => Ok((field, Some(rest))),
        None if rest.is_empty() => Ok((field, None)),
        None => Err(format!("a colon is missing before `{rest}`")),
    }
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        let address = inner.parse::<Ipv6Addr>();
        return address
            .map(IpAddr::V6)
            .map_err(|_| format!("`{inner}` is no IPv6 address"));
    }
    let address = text.parse::<Ipv4Addr>();
    address
        .map(IpAddr::V4)
        .map_err(|_| format!("`{text}` is no IP address"))
}

impl fmt::Display for ResolveRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.host.as_deref().unwrap_or("*"))?;
        match self.port {
            Some(port) => write!(f, "{port}:")?,
            None => f.write_str("*:")?,
        }
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}")?,
            IpAddr::V6(address) => write!(f, "[{address}]")?,
        }
        self.to_port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> ResolveRule {
        text.parse().unwrap()
    }

    #[test]
    fn rules_are_read_and_written() {
        for (text, written) in [
            ("Example.com:80:127.0.0.1", "example.com:80:127.0.0.1"),
            (
                "example.com:80:127.0.0.1:8080",
                "example.com:80:127.0.0.1:8080",
            ),
            ("*:*:127.0.0.1:8080", "*:*:127.0.0.1:8080"),
            ("*:443:[0::1]:8443", "*:443:[::1]:8443"),
            ("[::2]:80:[::1]", "[::2]:80:[::1]"),
            ("bücher.de:80:10.0.0.1", "xn--bcher-kva.de:80:10.0.0.1"),
        ] {
            assert_eq!(rule(text).to_string(), written);
            assert_eq!(rule(written), rule(text));
        }
    }

    #[test]
    fn errors_say_what_and_what_to_do() {
        for (text, words) in [
            ("example.com", "PORT and ADDR are missing"),
            ("example.com:80", "ADDR is missing"),
            ("example.com:80:", "`` is no IP address"),
            (
                "example.com:80:other.example",
                "`other.example` is no IP address",
            ),
            ("example.com:x:127.0.0.1", "`x` is no port"),
            ("example.com:0:127.0.0.1", "`0` is no port"),
            ("example.com:80:127.0.0.1:", "`` is no port"),
            ("example.com:80:127.0.0.1:80:1", "`80:1` is no port"),
            ("example.com:80:[::1", "no closing bracket"),
            ("example.com:80:[::1]8080", "a colon is missing"),
            ("example.com:80:[1.2.3.4]", "`1.2.3.4` is no IPv6 address"),
            (":80:127.0.0.1", "is no host"),
            ("", "PORT and ADDR are missing"),
        ] {
            let error = text.parse::<ResolveRule>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(error.contains("HOST:PORT:ADDR:PORT"), "{text}: {error}");
        }
    }

    #[test]
    fn rules_match_host_and_port() {
        let to = |text: &str| text.parse::<SocketAddr>().ok();
        let exact = rule("example.com:80:127.0.0.1:8080");
        assert_eq!(
            exact.resolve("example.com", false, 80),
            to("127.0.0.1:8080")
        );
        assert_eq!(exact.resolve("example.com", false, 81), None);
        assert_eq!(exact.resolve("www.example.com", false, 80), None);
        let any = rule("*:*:[::1]");
        assert_eq!(any.resolve("example.com", false, 81), to("[::1]:81"));
        assert_eq!(
            any.resolve("10.0.0.1", true, 80),
            None,
            "* is no literal address"
        );
        assert_eq!(
            rule("10.0.0.1:80:127.0.0.1").resolve("10.0.0.1", true, 80),
            to("127.0.0.1:80")
        );
    }
}
