//! Where and for whom the page of a running crawl is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::table::CrawlConfig;
use super::value::{OptionValue, single};

/// The port of [`ServeAddress`] where only an address is given.
const PORT: u16 = 8642;
/// Shortest token, in characters.
const SHORTEST_TOKEN: usize = 16;

/// An address and port to serve at: `127.0.0.1:8642`, `[::1]:8642`, `localhost:8642`, an address or a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeAddress(pub SocketAddr);

impl ServeAddress {
    /// Where a page is where nobody says where: port 8642 of loopback.
    pub fn usual() -> ServeAddress {
        ServeAddress(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT))
    }
}

impl OptionValue for ServeAddress {
    const PLACEHOLDER: &'static str = "ADDRESS";
    const WITHOUT_VALUE: &'static str = "127.0.0.1:8642";

    fn parse(written: &[String]) -> Result<ServeAddress, String> {
        let text = single(written)?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let with_port = text.parse().ok();
        let address_only = || Some(SocketAddr::new(text.parse().ok()?, PORT));
        let port_only = || Some(SocketAddr::new(loopback, text.parse().ok()?));
        let local = || {
            let rest = text.strip_prefix("localhost")?;
            let port = rest.strip_prefix(':').map_or(Ok(PORT), str::parse).ok()?;
            (rest.is_empty() || rest.starts_with(':')).then(|| SocketAddr::new(loopback, port))
        };
        let address = with_port
            .or_else(address_only)
            .or_else(port_only)
            .or_else(local);
        address.map(ServeAddress).ok_or_else(|| {
            format!(
                "{text:?} is no address to serve at: write 127.0.0.1:8642, [::1]:8642 or a port; a seed goes \
                 before --serve"
            )
        })
    }

    fn show(&self) -> Vec<String> {
        vec![self.0.to_string()]
    }
}

/// Whether whoever may reach the page is kept out where that is not this machine alone.
///
/// # Errors
/// The option that is wrong, and why.
pub(super) fn check_serve(config: &CrawlConfig) -> Result<(), (&'static str, String)> {
    if let Some(token) = &config.serve_token {
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.len() < SHORTEST_TOKEN || !is_plain {
            let what = format!(
                "a token is at least {SHORTEST_TOKEN} letters, digits and signs without spaces: try \
                 `openssl rand -hex 16`"
            );
            return Err(("serve-token", what));
        }
    }
    match config.serve {
        Some(ServeAddress(at)) if !at.ip().is_loopback() && config.serve_token.is_none() => {
            let what = format!(
                "{at} can be reached from other machines: that takes --serve-token, or NEPHILA_SERVE_TOKEN"
            );
            Err(("serve", what))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Settings;

    #[test]
    fn an_address_is_written_in_several_forms_and_shown_in_one() {
        for (written, shown) in [
            ("127.0.0.1:8642", "127.0.0.1:8642"),
            ("0.0.0.0", "0.0.0.0:8642"),
            ("9000", "127.0.0.1:9000"),
            ("localhost:1", "127.0.0.1:1"),
            ("localhost", "127.0.0.1:8642"),
            ("[::1]:0", "[::1]:0"),
            ("::1", "[::1]:8642"),
        ] {
            let read = ServeAddress::parse(&[written.to_owned()]).unwrap();
            assert_eq!(read.show(), [shown], "{written}");
        }
        for wrong in [
            "https://a.test/",
            "localhosts",
            "localhost:",
            "a.test:80",
            "70000",
        ] {
            let why = ServeAddress::parse(&[wrong.to_owned()]).unwrap_err();
            assert!(why.contains("a seed goes before --serve"), "{why}");
        }
        let usual = ServeAddress::parse(&[ServeAddress::WITHOUT_VALUE.to_owned()]);
        assert_eq!(usual, Ok(ServeAddress::usual()));
    }

    #[test]
    fn other_machines_take_a_token_and_a_short_one_is_none() {
        let check = |serve: &str, token: &str| {
            let settings = Settings::new().with("serve", serve)?;
            settings.with("serve-token", token)?.check().map(drop)
        };
        let long = "0123456789abcdef";
        assert_eq!(check("127.0.0.1:1", "none"), Ok(()));
        assert_eq!(check("[::1]:1", long), Ok(()));
        assert_eq!(check("0.0.0.0:1", long), Ok(()));
        for (serve, token, what) in [
            ("0.0.0.0:1", "none", "takes --serve-token"),
            ("[::]:1", "none", "takes --serve-token"),
            ("0.0.0.0:1", "short", "at least 16"),
            ("127.0.0.1:1", "0123456789 abcdef", "without spaces"),
        ] {
            let why = check(serve, token).unwrap_err().to_string();
            assert!(why.contains(what) && !why.contains(token), "{why}");
        }
    }
}
