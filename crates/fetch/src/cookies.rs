//! Cookies (RFC 6265 and its revision), kept within bounds and away from public suffixes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::{Host, Url};

/// Name and value of a cookie, in bytes (what RFC 6265 section 6.1 asks for).
const COOKIE_BYTES_MAX: usize = 4096;
/// Attributes and all, in bytes.
const SET_COOKIE_BYTES_MAX: usize = 8192;
/// Set-Cookie headers of one response that are looked at.
const SET_COOKIES_MAX: usize = 50;
/// Cookies of one site (all hosts under one registrable domain).
const SITE_COOKIES_MAX: usize = 50;
/// The Cookie header of one request, in bytes: servers refuse more.
const HEADER_BYTES_MAX: usize = 8192;
/// Sites that have cookies; the least recently used is forgotten.
const SITES_MAX: usize = 4096;
/// All cookies together, in bytes of name and value.
const TOTAL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The cookies of all hosts and threads.
#[derive(Default)]
pub(crate) struct CookieJar {
    sites: Mutex<Sites>,
}

/// Cookies by site. A cookie never reaches a host of another site, so that each site's can be kept,
/// counted and forgotten on their own.
#[derive(Default)]
struct Sites {
    by_name: HashMap<Box<str>, Site>,
    bytes: usize,
    uses: u64,
}

#[derive(Default)]
struct Site {
    store: CookieStore,
    bytes: usize,
    last_use: u64,
}

impl CookieJar {
    /// The Cookie header for a request, if there are cookies for it.
    pub(crate) fn header_for(&self, url: &Url) -> Option<HeaderValue> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.uses += 1;
        let uses = sites.uses;
        let site = sites.by_name.get_mut(site_of(url)?.as_str())?;
        site.last_use = uses;
        let mut cookies = site.store.matches(url);
        // The store counts http://localhost as secure; here only https is.
        cookies.retain(|cookie| url.scheme() == "https" || !cookie.secure().unwrap_or(false));
        // Longer paths first (RFC 6265 section 5.4), then by name so that the order is always the same.
        cookies.sort_by(|a, b| {
            let length = |cookie: &Cookie<'_>| String::from(&cookie.path).len();
            length(b)
                .cmp(&length(a))
                .then_with(|| a.name().cmp(b.name()))
        });
        let mut text = String::new();
        for cookie in cookies {
            let (name, value) = cookie.name_value();
            if text.len() + name.len() + value.len() + 3 > HEADER_BYTES_MAX {
                continue;
            }
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.extend([name, "=", value]);
        }
        let mut header = HeaderValue::try_from(text)
            .ok()
            .filter(|value| !value.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Keeps the cookies that a response sets, as far as they may be set and there is room.
    pub(crate) fn store(&self, headers: &HeaderMap, url: &Url) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let Some(name) = site_of(url) else { return };
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        for value in headers.get_all(SET_COOKIE).iter().take(SET_COOKIES_MAX) {
            if let Some(cookie) = parse(value, url) {
                sites.keep(&name, cookie, url);
            }
        }
    }
}

impl Sites {
    fn keep(&mut self, name: &str, cookie: RawCookie<'static>, url: &Url) {
        self.uses += 1;
        let site = self.by_name.entry(name.into()).or_default();
        site.last_use = self.uses;
        // An error is a cookie that may not be set here, or one that takes back nothing.
        let _ = site.store.insert_raw(&cookie, url);
        let before = site.bytes;
        site.recount();
        self.bytes = self.bytes - before + site.bytes;
        if site.bytes == 0 {
            self.by_name.remove(name);
        }
        while self.by_name.len() > SITES_MAX || self.bytes > TOTAL_BYTES_MAX {
            self.forget_least_used();
        }
    }

    fn forget_least_used(&mut self) {
        let least = self.by_name.iter().min_by_key(|(_, site)| site.last_use);
        let Some(name) = least.map(|(name, _)| name.clone()) else {
            return;
        };
        let forgotten = self.by_name.remove(&name).map_or(0, |site| site.bytes);
        self.bytes -= forgotten;
    }
}

impl Site {
    /// Drops what is expired and what is beyond [`SITE_COOKIES_MAX`], and counts the rest.
    fn recount(&mut self) {
        let keys = |cookie: &Cookie<'_>| {
            let domain = cookie.domain.as_cow().map(|domain| domain.into_owned());
            (
                domain.unwrap_or_default(),
                String::from(&cookie.path),
                cookie.name().to_owned(),
            )
        };
        let expired = self.store.iter_any().filter(|cookie| cookie.is_expired());
        let beyond = self.store.iter_unexpired().skip(SITE_COOKIES_MAX);
        let dropped: Vec<_> = expired.chain(beyond).map(keys).collect();
        for (domain, path, name) in dropped {
            self.store.remove(&domain, &path, &name);
        }
        let sizes = self.store.iter_any().map(|cookie| {
            let (name, value) = cookie.name_value();
            name.len() + value.len()
        });
        self.bytes = sizes.sum();
    }
}

/// The site of a URL: its registrable domain, or its host where there is none.
fn site_of(url: &Url) -> Option<String> {
    let host = match url.host()? {
        Host::Domain(host) => host.strip_suffix('.').unwrap_or(host),
        Host::Ipv4(_) | Host::Ipv6(_) => return url.host_str().map(str::to_owned),
    };
    let domain = psl::domain(host.as_bytes()).map(|domain| domain.as_bytes());
    let domain = domain.and_then(|domain| std::str::from_utf8(domain).ok());
    Some(domain.unwrap_or(host).to_owned())
}

/// A Set-Cookie header's cookie, if its size and its attributes allow it to be set from `url`.
fn parse(value: &HeaderValue, url: &Url) -> Option<RawCookie<'static>> {
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= SET_COOKIE_BYTES_MAX)?;
    let mut cookie = RawCookie::parse(text).ok()?.into_owned();
    let (name, value) = cookie.name_value();
    if name.is_empty() || name.len() + value.len() > COOKIE_BYTES_MAX {
        return None;
    }
    let secure = cookie.secure().unwrap_or(false);
    if secure && url.scheme() != "https" {
        return None;
    }
    // Prefixes promise how a cookie was set (RFC 6265 revised, section 4.1.3).
    let (for_secure, for_host) = (has_prefix(name, "__Secure-"), has_prefix(name, "__Host-"));
    let host_only = cookie.domain().is_none() && cookie.path() == Some("/");
    if (for_secure || for_host) && !secure || for_host && !host_only {
        return None;
    }
    if let Some(domain) = cookie.domain() {
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        if is_public_suffix(&domain) {
            // A suffix may set a cookie for itself, but not for the sites under it.
            if url.host_str() != Some(domain.as_str()) {
                return None;
            }
            cookie.unset_domain();
        }
    }
    if url.scheme() == "https" {
        // Stricter than RFC 6265, which leaves it to the server: what was set in secret stays so.
        cookie.set_secure(true);
    }
    Some(cookie)
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_public_suffix(domain: &str) -> bool {
    let suffix = psl::suffix(domain.as_bytes());
    suffix.is_none_or(|suffix| suffix.as_bytes() == domain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn set(jar: &CookieJar, from: &str, lines: &[&str]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, line.parse().unwrap());
        }
        jar.store(&headers, &url(from));
    }

    fn sent(jar: &CookieJar, to: &str) -> String {
        let header = jar.header_for(&url(to));
        header.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_go_back_to_where_they_came_from() {
        let jar = CookieJar::default();
        set(
            &jar,
            "https://a.example.com/x/y",
            &[
                "host=1",
                "deep=2; Path=/x",
                "wide=3; Domain=example.com; Path=/",
            ],
        );
        assert_eq!(
            sent(&jar, "https://a.example.com/x/z"),
            "deep=2; host=1; wide=3"
        );
        assert_eq!(sent(&jar, "https://a.example.com/"), "wide=3");
        assert_eq!(sent(&jar, "https://b.example.com/x/"), "wide=3");
        assert_eq!(sent(&jar, "https://badexample.com/x/"), "");
        assert_eq!(sent(&jar, "https://example.org/"), "");
        set(
            &jar,
            "https://a.example.com/",
            &["wide=; Domain=example.com; Path=/; Max-Age=0"],
        );
        assert_eq!(sent(&jar, "https://b.example.com/"), "");
    }

    #[test]
    fn nothing_is_set_for_a_public_suffix_or_another_host() {
        let jar = CookieJar::default();
        set(
            &jar,
            "https://a.co.uk/",
            &[
                "a=1; Domain=co.uk",
                "b=1; Domain=.uk",
                "c=1; Domain=b.co.uk",
            ],
        );
        set(&jar, "https://x.github.io/", &["d=1; Domain=github.io"]);
        set(&jar, "https://a.internal/", &["e=1; Domain=internal"]);
        for host in [
            "a.co.uk",
            "b.co.uk",
            "co.uk",
            "y.github.io",
            "x.github.io",
            "b.internal",
        ] {
            assert_eq!(sent(&jar, &format!("https://{host}/")), "", "{host}");
        }
        set(&jar, "https://github.io/", &["own=1; Domain=github.io"]);
        assert_eq!(sent(&jar, "https://github.io/"), "own=1");
        assert_eq!(sent(&jar, "https://x.github.io/"), "");
    }

    #[test]
    fn secure_cookies_need_https() {
        let jar = CookieJar::default();
        set(&jar, "https://localhost/", &["s=1; Secure", "t=2"]);
        assert_eq!(sent(&jar, "https://localhost/"), "s=1; t=2");
        assert_eq!(sent(&jar, "http://localhost/"), "", "set over https");
        set(&jar, "http://127.0.0.1/", &["v=3"]);
        assert_eq!(sent(&jar, "http://127.0.0.1/"), "v=3");
        set(
            &jar,
            "http://localhost/",
            &["u=1; Secure", "__Secure-a=1; Secure"],
        );
        assert_eq!(sent(&jar, "https://localhost/"), "s=1; t=2");
    }

    #[test]
    fn prefixes_are_kept_to() {
        let jar = CookieJar::default();
        let lines = [
            "__Secure-a=1",
            "__Host-b=1; Secure",
            "__Host-c=1; Secure; Path=/; Domain=example.com",
            "__Secure-d=1; Secure",
            "__host-e=1; Secure; Path=/",
        ];
        set(&jar, "https://example.com/", &lines);
        assert_eq!(
            sent(&jar, "https://example.com/"),
            "__Secure-d=1; __host-e=1"
        );
    }

    #[test]
    fn a_site_cannot_have_more_than_its_share() {
        let jar = CookieJar::default();
        for n in 0..500 {
            let from = format!("https://h{}.example.com/", n % 20);
            set(
                &jar,
                &from,
                &[&format!("n{n}={}; Domain=example.com", "x".repeat(100))],
            );
        }
        let sites = jar.sites.lock().unwrap();
        let site = sites.by_name.get("example.com").unwrap();
        assert!(site.store.iter_any().count() <= SITE_COOKIES_MAX);
        assert_eq!(site.bytes, sites.bytes);
        drop(sites);
        assert!(sent(&jar, "https://example.com/").len() <= HEADER_BYTES_MAX);
        set(
            &jar,
            "https://big.test/",
            &[&format!("big={}", "x".repeat(COOKIE_BYTES_MAX))],
        );
        assert_eq!(sent(&jar, "https://big.test/"), "");
    }

    #[test]
    fn sites_are_bounded_and_the_least_used_is_forgotten() {
        let jar = CookieJar::default();
        set(&jar, "https://first.test/", &["a=1"]);
        set(&jar, "https://second.test/", &["a=1"]);
        for n in 0..SITES_MAX {
            set(&jar, &format!("https://s{n}.test/"), &["a=1"]);
            assert_eq!(sent(&jar, "https://first.test/"), "a=1");
        }
        assert_eq!(sent(&jar, "https://second.test/"), "");
        assert!(jar.sites.lock().unwrap().by_name.len() <= SITES_MAX);
    }
}
