//! The URLs of pages, both ways: from a page to its path and from a path to its page.

use crate::draw::{Draw, Topic};
use crate::web::Web;

/// A page of the web: which host, and which of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PageId {
    pub(crate) host: u32,
    pub(crate) page: u32,
}

const SECTIONS: [&str; 16] = [
    "news", "docs", "blog", "about", "shop", "team", "archive", "guide", "wiki", "media", "forum",
    "help", "events", "press", "labs", "notes",
];

/// Below this path lie the pages that robots.txt denies.
pub(crate) const PRIVATE: &str = "/private/";

/// Writes a number in decimal.
pub(crate) fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - length));
}

impl Web {
    /// The name of host `number`, without a port.
    pub fn host_name(&self, number: u32) -> String {
        format!("h{number}.{}", self.domain)
    }

    /// The number of the host with this name (upper or lower case, a port is ignored);
    /// none where this web has no such host.
    pub fn host_number(&self, name: &str) -> Option<u32> {
        let (name, _) = name.split_once(':').unwrap_or((name, ""));
        let (label, domain) = name.split_once('.')?;
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return None;
        }
        let digits = label.strip_prefix(['h', 'H'])?;
        let number = parse_number(digits.as_bytes())?;
        (number < self.hosts).then_some(number)
    }

    /// The URL of `path` (which begins with `/`) on the host of this name.
    pub fn url(&self, host: &str, path: &str) -> String {
        let mut out = String::with_capacity(16 + host.len() + path.len());
        out.push_str(if self.tls { "https://" } else { "http://" });
        out.push_str(host);
        if let Some(port) = self.shown_port() {
            out.push(':');
            out.push_str(&port.to_string());
        }
        out.push_str(path);
        out
    }

    /// The seeds: page 0 of the first [`Web::seed_hosts`] hosts.
    pub fn seeds(&self) -> Vec<String> {
        (0..self.seed_hosts.min(self.hosts))
            .map(|host| self.url(&self.host_name(host), "/"))
            .collect()
    }

    /// The port where it is written in URLs.
    pub(crate) fn shown_port(&self) -> Option<u16> {
        let own = if self.tls { 443 } else { 80 };
        self.public_port.filter(|port| *port != own)
    }

    /// Writes `h12.sim.test:8080`.
    pub(crate) fn push_authority(&self, host: u32, out: &mut Vec<u8>) {
        out.push(b'h');
        push_number(u64::from(host), out);
        out.push(b'.');
        out.extend_from_slice(self.domain.as_bytes());
        if let Some(port) = self.shown_port() {
            out.push(b':');
            push_number(u64::from(port), out);
        }
    }

    /// Writes scheme, authority and path of a page.
    pub(crate) fn push_url(&self, id: PageId, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.tls { b"https://" } else { b"http://" });
        self.push_authority(id.host, out);
        self.push_path(id, out);
    }

    /// Whether the page lies below [`PRIVATE`].
    pub(crate) fn is_private(&self, id: PageId) -> bool {
        id.page != 0
            && self.outcomes.denied > 0.0
            && Draw::new(self.seed, Topic::Path, id.host, id.page).unit() < self.outcomes.denied
    }

    /// Writes path and query of a page as a canonical URL has them. The last run of digits before
    /// the query is the number of the page, which is how [`Web::page_at`] finds back.
    pub(crate) fn push_path(&self, id: PageId, out: &mut Vec<u8>) {
        out.push(b'/');
        if id.page == 0 {
            return;
        }
        let mut draw = Draw::new(self.seed, Topic::Path, id.host, id.page);
        let number = u64::from(id.page);
        if draw.unit() < self.outcomes.denied {
            out.pop();
            out.extend_from_slice(PRIVATE.as_bytes());
            push_number(number, out);
            out.extend_from_slice(b".html");
            return;
        }
        let bits = draw.bits();
        let section = |shift: u32| {
            SECTIONS
                .get((bits >> shift) as usize % SECTIONS.len())
                .copied()
                .unwrap_or_default()
        };
        match bits % 16 {
            0 => {
                out.push(b'p');
                push_number(number, out);
            }
            1 => {
                out.extend_from_slice(b"caf%C3%A9/");
                push_number(number, out);
                out.extend_from_slice(b".html");
            }
            2 | 3 => {
                out.extend_from_slice(section(8).as_bytes());
                out.push(b'/');
                push_number(number, out);
                out.extend_from_slice(b"?lang=en&v=");
                push_number(bits >> 16 & 7, out);
            }
            4..=7 => {
                out.extend_from_slice(section(8).as_bytes());
                out.push(b'/');
                out.extend_from_slice(section(16).as_bytes());
                out.push(b'/');
                push_number(number, out);
                out.push(b'/');
            }
            _ => {
                out.extend_from_slice(section(8).as_bytes());
                out.push(b'/');
                push_number(number, out);
                out.extend_from_slice(b".html");
            }
        }
    }

    /// Path and query of a page.
    pub(crate) fn path(&self, id: PageId) -> String {
        let mut out = Vec::with_capacity(48);
        self.push_path(id, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// The page at exactly this path and query on a host of `pages` pages; none where it is written
    /// in any other way than [`Web::push_path`] writes it.
    pub(crate) fn page_at(&self, host: u32, pages: u32, path: &[u8]) -> Option<PageId> {
        if path == b"/" {
            return Some(PageId { host, page: 0 });
        }
        let before_query = path.split(|byte| *byte == b'?').next()?;
        let end = before_query.iter().rposition(u8::is_ascii_digit)? + 1;
        let run = before_query.get(..end)?;
        let start = run.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
        let page = parse_number(run.get(start..)?)?;
        if page == 0 || page >= pages {
            return None;
        }
        let id = PageId { host, page };
        let mut canonical = Vec::with_capacity(64);
        self.push_path(id, &mut canonical);
        (canonical == path).then_some(id)
    }
}

/// A decimal number without leading zeros.
fn parse_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 10 || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let mut number = 0_u64;
    for digit in digits {
        number = number * 10 + u64::from(digit.checked_sub(b'0').filter(|value| *value <= 9)?);
    }
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_at_its_path_and_nowhere_else() {
        let web = Web::realistic(11, 4, 4_000);
        for host in 0..4 {
            for page in 0..1_000 {
                let id = PageId { host, page };
                let path = web.path(id);
                assert_eq!(
                    web.page_at(host, 1_000, path.as_bytes()),
                    Some(id),
                    "{path}"
                );
                assert_eq!(
                    web.page_at(host, 1_000, format!("{path}x").as_bytes()),
                    None
                );
                assert_eq!(path.starts_with(PRIVATE), web.is_private(id));
            }
        }
        assert_eq!(web.page_at(0, 1_000, b"/style.css"), None);
        assert_eq!(web.page_at(0, 1_000, b""), None);
        assert_eq!(web.page_at(0, 1_000, b"?"), None);
    }

    #[test]
    fn hosts_are_found_by_name() {
        let web = Web::plain(1, 20, 100);
        assert_eq!(web.host_number("h7.sim.test"), Some(7));
        assert_eq!(web.host_number("H19.SIM.test:8080"), Some(19));
        for name in [
            "h20.sim.test",
            "h07.sim.test",
            "h.sim.test",
            "x1.sim.test",
            "h1.test",
            "h1",
        ] {
            assert_eq!(web.host_number(name), None, "{name}");
        }
    }

    #[test]
    fn the_scheme_s_own_port_is_not_written() {
        let web = Web {
            public_port: Some(80),
            ..Web::default()
        };
        assert_eq!(web.seeds(), ["http://h0.sim.test/"]);
        let web = Web { tls: true, ..web };
        assert_eq!(web.seeds(), ["https://h0.sim.test:80/"]);
        let web = Web {
            public_port: Some(443),
            seed_hosts: 2,
            ..web
        };
        assert_eq!(
            web.seeds(),
            ["https://h0.sim.test/", "https://h1.sim.test/"]
        );
    }
}
