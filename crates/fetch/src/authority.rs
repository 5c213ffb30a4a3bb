//! `HOST` and `HOST:PORT` as users write them in options, made comparable with the hosts of URLs.

use std::net::Ipv6Addr;

use url::Host;

/// A host as the `url` crate writes it (lower case, punycode, IPv6 in brackets) and maybe a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Parses `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
    pub(crate) fn parse(text: &str) -> Result<Authority, String> {
        let text = text.trim();
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Authority {
                host: format!("[{address}]"),
                port: None,
            });
        }
        let (host, port) = split_port(text)?;
        let host = Host::parse(host).map_err(|error| format!("`{host}` is no host: {error}"))?;
        Ok(Authority {
            host: host.to_string(),
            port,
        })
    }

    /// Whether a URL's host and port are meant: without a port of its own, any port is.
    pub(crate) fn matches(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port.is_none_or(|own| own == port)
    }
}

/// Splits `host[:port]`; an IPv6 host keeps its brackets.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let host_end = match (text.starts_with('['), text.find(']')) {
        (true, Some(bracket)) => bracket + 1,
        (true, None) => return Err(format!("`{text}` has no closing bracket")),
        (false, _) => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_end).unwrap_or((text, ""));
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(parse_port(port)?))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(format!("`{text}` is not HOST or HOST:PORT")),
    }
}

/// A port from 1 to 65535.
pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(format!("`{text}` is no port (1 to 65535)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_write() {
        let parse = |text| Authority::parse(text).map(|a| (a.host, a.port));
        assert_eq!(parse("Example.COM"), Ok(("example.com".into(), None)));
        assert_eq!(
            parse("example.com:80"),
            Ok(("example.com".into(), Some(80)))
        );
        assert_eq!(parse("bücher.de"), Ok(("xn--bcher-kva.de".into(), None)));
        assert_eq!(parse("127.1:8080"), Ok(("127.0.0.1".into(), Some(8080))));
        assert_eq!(parse("[0:0::1]:443"), Ok(("[::1]".into(), Some(443))));
        assert_eq!(parse("::1"), Ok(("[::1]".into(), None)));
        for bad in [
            "", ":80", "a:b", "a:0", "a:65536", "a:+5", "[::1", "[::1]x", "a b", "a:1:2",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
