//! Canonical URLs: one spelling for each address, so that each is fetched once.
//!
//! The policy, rule by rule, is the table in `docs/urls.md`. In short: the WHATWG URL Standard's
//! parse and serialisation (<https://url.spec.whatwg.org/>), without fragment and without
//! credentials; the query is kept as it is unless the user asks otherwise. Nothing is guessed:
//! two spellings that a server may tell apart stay two URLs.

use std::fmt;
use std::sync::Arc;

pub use url::Url;

use crate::sessions::{is_session, without_session};

/// The schemes that are crawled.
pub const SCHEMES: [&str; 2] = ["http", "https"];

/// What becomes of a URL's query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryPolicy {
    /// Kept as written: `?b=2&a=1` and `?a=1&b=2` are two URLs.
    #[default]
    Keep,
    /// Parameters are sorted by name, then by value; empty ones go.
    Sort,
    /// Cut off: all variants of a path are one URL.
    Drop,
}

/// How a URL is made canonical.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalPolicy {
    /// What becomes of the query.
    pub query: QueryPolicy,
    /// Names of query parameters that are removed; a trailing `*` matches any ending.
    pub drop_parameters: Vec<String>,
    /// Whether known session identifiers are removed from path and query (see `docs/urls.md`).
    pub strip_sessions: bool,
}

/// Why a string is no URL that can be crawled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// The URL Standard's parser refuses it.
    #[error("not a URL: {0}")]
    Invalid(String),
    /// It is a URL of a scheme that is not crawled, such as `mailto:`.
    #[error("the scheme {0}: is not crawled (http and https are)")]
    Scheme(String),
}

/// A URL in its canonical form. Equal strings, and only those, are the same address.
///
/// Guarantee: making the canonical form canonical again under the same policy changes nothing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalUrl {
    text: Arc<str>,
    authority_start: u32,
    authority_end: u32,
}

impl CanonicalUrl {
    /// Parses an absolute URL and makes it canonical.
    ///
    /// # Errors
    /// [`NotCanonical`] when the text is no http or https URL.
    pub fn parse(text: &str, policy: &CanonicalPolicy) -> Result<CanonicalUrl, NotCanonical> {
        CanonicalUrl::from_url(parse_url(text)?, policy)
    }

    /// Resolves `href` against `base` as browsers do and makes the result canonical.
    ///
    /// # Errors
    /// [`NotCanonical`] when the result is no http or https URL.
    pub fn join(
        base: &Url,
        href: &str,
        policy: &CanonicalPolicy,
    ) -> Result<CanonicalUrl, NotCanonical> {
        let url = base
            .join(href)
            .map_err(|error| NotCanonical::Invalid(error.to_string()))?;
        CanonicalUrl::from_url(url, policy)
    }

    /// Makes an already parsed URL canonical.
    ///
    /// # Errors
    /// [`NotCanonical::Scheme`] when it is neither http nor https.
    pub fn from_url(mut url: Url, policy: &CanonicalPolicy) -> Result<CanonicalUrl, NotCanonical> {
        if !SCHEMES.contains(&url.scheme()) {
            return Err(NotCanonical::Scheme(url.scheme().to_owned()));
        }
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            // Infallible for http(s) URLs, which always have a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        if policy.strip_sessions
            && let Some(path) = without_session(url.path())
        {
            url.set_path(&path);
        }
        apply_query_policy(&mut url, policy);
        CanonicalUrl::from_serialized(url.as_str())
            .ok_or_else(|| NotCanonical::Invalid("it has no host".to_owned()))
    }

    /// Takes back a string that was a canonical URL before, as read from the commit log.
    /// `None` when it does not look like one.
    pub fn from_serialized(text: &str) -> Option<CanonicalUrl> {
        let authority_start = text.find("://")? + 3;
        let rest = text.get(authority_start..)?;
        let length = rest.find(['/', '?']).unwrap_or(rest.len());
        if length == 0 {
            return None;
        }
        Some(CanonicalUrl {
            text: Arc::from(text),
            authority_start: u32::try_from(authority_start).ok()?,
            authority_end: u32::try_from(authority_start + length).ok()?,
        })
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.slice(0, self.authority_start.saturating_sub(3))
    }

    /// The host as politeness knows it: the name and, where it is not the scheme's default, the
    /// port. `http://a/` and `https://a/` are one host.
    pub fn host(&self) -> &str {
        self.slice(self.authority_start, self.authority_end)
    }

    /// The host's name without its port.
    pub fn host_name(&self) -> &str {
        let host = self.host();
        match host.rfind(':') {
            Some(colon) if !host.ends_with(']') => host.get(..colon).unwrap_or(host),
            _ => host,
        }
    }

    /// Path and query: what a request line asks for and what robots.txt rules match.
    pub fn path_and_query(&self) -> &str {
        self.text.get(self.authority_end as usize..).unwrap_or("/")
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        let whole = self.path_and_query();
        whole.split('?').next().unwrap_or(whole)
    }

    /// The query without its `?`, where there is one.
    pub fn query(&self) -> Option<&str> {
        self.path_and_query()
            .split_once('?')
            .map(|(_, query)| query)
    }

    /// The URL parsed, for joining and for fetching.
    ///
    /// # Errors
    /// [`NotCanonical::Invalid`] only when the text was never canonical.
    pub fn to_url(&self) -> Result<Url, NotCanonical> {
        parse_url(&self.text)
    }

    /// The URL of another path on the same scheme and host.
    pub fn sibling(&self, path: &str) -> Option<CanonicalUrl> {
        CanonicalUrl::from_serialized(&format!("{}://{}{}", self.scheme(), self.host(), path))
    }

    /// Scheme and authority, as in `http://a.test:8080`.
    pub fn origin(&self) -> &str {
        self.slice(0, self.authority_end)
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

impl fmt::Debug for CanonicalUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Parses an absolute URL by the URL Standard, without making it canonical.
///
/// # Errors
/// [`NotCanonical::Invalid`] with the parser's reason.
pub fn parse_url(text: &str) -> Result<Url, NotCanonical> {
    Url::parse(text).map_err(|error| NotCanonical::Invalid(error.to_string()))
}

fn apply_query_policy(url: &mut Url, policy: &CanonicalPolicy) {
    let Some(query) = url.query() else { return };
    if policy.query == QueryPolicy::Drop {
        url.set_query(None);
        return;
    }
    let is_dropped = |parameter: &&str| is_dropped(parameter, policy);
    if policy.query == QueryPolicy::Keep && !query.split('&').any(|one| is_dropped(&one)) {
        return;
    }
    let mut parameters: Vec<&str> = query.split('&').filter(|one| !is_dropped(one)).collect();
    if policy.query == QueryPolicy::Sort {
        parameters.retain(|parameter| !parameter.is_empty());
        parameters.sort_by_key(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    }
    let joined = parameters.join("&");
    url.set_query((!joined.is_empty()).then_some(joined.as_str()));
}

/// Whether a query parameter, `name` or `name=value`, is taken out.
pub(crate) fn is_dropped(parameter: &str, policy: &CanonicalPolicy) -> bool {
    (policy.strip_sessions && is_session(parameter)) || is_named(parameter, &policy.drop_parameters)
}

fn is_named(parameter: &str, patterns: &[String]) -> bool {
    let name = parameter.split('=').next().unwrap_or(parameter);
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        CanonicalUrl::parse(text, &CanonicalPolicy::default())
            .unwrap()
            .as_str()
            .to_owned()
    }

    /// The table of docs/urls.md, row by row.
    #[test]
    fn the_policy_is_the_table_in_the_docs() {
        let rows = [
            ("HTTP://Example.COM/", "http://example.com/"),
            ("http://example.com", "http://example.com/"),
            ("http://example.com:80/a", "http://example.com/a"),
            ("https://example.com:443/a", "https://example.com/a"),
            ("http://example.com:8080/a", "http://example.com:8080/a"),
            ("http://example.com/a/./b/../c", "http://example.com/a/c"),
            ("http://example.com/a/%2e%2e/c", "http://example.com/c"),
            ("http://example.com/a#part", "http://example.com/a"),
            ("http://example.com/a?", "http://example.com/a?"),
            (
                "http://example.com/a?b=2&a=1",
                "http://example.com/a?b=2&a=1",
            ),
            ("http://user:word@example.com/", "http://example.com/"),
            (
                "http://example.com/ä ö",
                "http://example.com/%C3%A4%20%C3%B6",
            ),
            ("http://example.com/%7euser", "http://example.com/%7euser"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://2130706433/", "http://127.0.0.1/"),
            ("http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/"),
            ("http:\\\\example.com\\a", "http://example.com/a"),
            ("  http://example.com/a\n", "http://example.com/a"),
            ("http://example.com//a//b", "http://example.com//a//b"),
            ("http://example.com./", "http://example.com./"),
        ];
        for (written, expected) in rows {
            assert_eq!(canonical(written), expected, "{written}");
        }
    }

    #[test]
    fn the_query_is_sorted_or_dropped_on_request() {
        let with = |query, names: &[&str]| CanonicalPolicy {
            query,
            drop_parameters: names.iter().map(|name| (*name).to_owned()).collect(),
            strip_sessions: false,
        };
        let url = "http://a.test/p?b=2&utm_source=x&a=1&&utm_medium=y";
        let to = |policy| {
            CanonicalUrl::parse(url, &policy)
                .unwrap()
                .as_str()
                .to_owned()
        };
        assert_eq!(
            to(with(QueryPolicy::Sort, &[])),
            "http://a.test/p?a=1&b=2&utm_medium=y&utm_source=x"
        );
        assert_eq!(to(with(QueryPolicy::Drop, &[])), "http://a.test/p");
        assert_eq!(
            to(with(QueryPolicy::Keep, &["utm_*"])),
            "http://a.test/p?b=2&a=1&"
        );
        assert_eq!(
            to(with(QueryPolicy::Sort, &["utm_*", "b", "a"])),
            "http://a.test/p"
        );
    }

    #[test]
    fn sessions_are_removed_on_request() {
        let policy = CanonicalPolicy {
            strip_sessions: true,
            ..CanonicalPolicy::default()
        };
        let rows = [
            ("http://a.test/p;jsessionid=0A1B?x=1", "http://a.test/p?x=1"),
            (
                "http://a.test/(S(lit3py55t21z5v55vlm25s55))/p",
                "http://a.test/p",
            ),
            ("http://a.test/p?PHPSESSID=1&x=1", "http://a.test/p?x=1"),
            ("http://a.test/p?sid=0123456789abcdef", "http://a.test/p"),
            ("http://a.test/p?sid=1234&", "http://a.test/p?sid=1234&"),
            ("http://a.test/p?", "http://a.test/p?"),
        ];
        for (written, expected) in rows {
            let url = CanonicalUrl::parse(written, &policy).unwrap();
            assert_eq!(url.as_str(), expected, "{written}");
        }
    }

    #[test]
    fn the_parts_are_found() {
        let url = CanonicalUrl::from_serialized("http://[::1]:8080/a/b?c=d").unwrap();
        assert_eq!(url.scheme(), "http");
        assert_eq!(url.host(), "[::1]:8080");
        assert_eq!(url.host_name(), "[::1]");
        assert_eq!(url.path_and_query(), "/a/b?c=d");
        assert_eq!(url.path(), "/a/b");
        assert_eq!(url.query(), Some("c=d"));
        let bare = CanonicalUrl::from_serialized("https://[::1]/").unwrap();
        assert_eq!(bare.host_name(), "[::1]");
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        let refused = CanonicalUrl::parse("mailto:a@b.test", &CanonicalPolicy::default());
        assert_eq!(refused, Err(NotCanonical::Scheme("mailto".to_owned())));
        assert!(CanonicalUrl::parse("no url", &CanonicalPolicy::default()).is_err());
    }
}
