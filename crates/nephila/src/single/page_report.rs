//! What one exchange gave: the answer, its timing, and what parsing found.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use nephila_frontier::{CanonicalUrl, Moment, Outcome};

/// One URL, asked for once. Serialised it is a row with a few fields more: see `docs/rows.md`.
#[derive(Debug)]
pub struct PageReport {
    /// The canonical URL that was asked for.
    pub url: CanonicalUrl,
    /// What happened. A redirect is told, not followed.
    pub outcome: Outcome,
    /// When the exchange began.
    pub fetched_at: Moment,
    /// Status and headers, where the exchange came that far.
    pub answer: Option<Answer>,
    /// What went wrong, in words without control characters.
    pub error: Option<String>,
    /// The state in which it went wrong: a name of [`PageTimes::states`].
    pub failed_in: Option<&'static str>,
    /// The address that answered, or that the exchange ended with.
    pub address: Option<SocketAddr>,
    /// How long each state took.
    pub times: PageTimes,
    /// Bytes of the body on the wire.
    pub wire_bytes: u64,
    /// Bytes of the body after decompression; 0 where it could not be decompressed.
    pub body_bytes: u64,
    /// Whether the body was left unread because its type is none of the `accept` option's.
    pub body_skipped: bool,
    /// `blake3:` and the digest of the decompressed body in hex.
    pub digest: Option<String>,
    /// Where a redirect points.
    pub redirect_target: Option<CanonicalUrl>,
    /// The X-Robots-Tag headers, joined by `, `.
    pub robots_header: Option<String>,
    /// The encoding that a body of text was read in.
    pub charset: Option<&'static str>,
    /// What parsing found in a body of HTML, whatever the status.
    pub page: Option<FoundPage>,
    /// The body as text, where the `body` option is on and it is text.
    pub body: Option<String>,
}

/// Status and headers of an answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// Names in lower case and values, in the order in which they came; octets that are not UTF-8
    /// stand as U+FFFD.
    pub headers: Vec<(String, String)>,
    /// Whether the connection had served an exchange before.
    pub reused: bool,
}

impl Answer {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Time spent in each state; zero where a state was not entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageTimes {
    /// Looking up the name.
    pub dns: Duration,
    /// Connecting.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From the request to the end of the answer's headers.
    pub first_byte: Duration,
    /// From there to the end of the body.
    pub body: Duration,
    /// Decompressing and parsing.
    pub parse: Duration,
}

impl PageTimes {
    pub(super) fn of(times: nephila_fetch::Times) -> PageTimes {
        PageTimes {
            dns: times.dns,
            connect: times.connect,
            tls: times.tls,
            first_byte: times.first_byte,
            body: times.body,
            parse: Duration::ZERO,
        }
    }

    /// The states in their order, by the names that rows use.
    pub fn states(&self) -> [(&'static str, Duration); 6] {
        [
            ("dns", self.dns),
            ("connect", self.connect),
            ("tls", self.tls),
            ("first_byte", self.first_byte),
            ("body", self.body),
            ("parse", self.parse),
        ]
    }

    /// The sum of all states.
    pub fn total(&self) -> Duration {
        self.states().iter().map(|(_, spent)| *spent).sum()
    }
}

/// What parsing found in a page of HTML.
#[derive(Debug)]
pub struct FoundPage {
    /// Where the encoding was learnt: `bom`, `header`, `meta`, `detected` or `default`.
    pub charset_source: &'static str,
    /// The title.
    pub title: Option<String>,
    /// The meta description.
    pub description: Option<String>,
    /// The language attribute.
    pub language: Option<String>,
    /// The target of `link rel=canonical`, where it is an http or https URL.
    pub canonical: Option<CanonicalUrl>,
    /// The robots metas that speak to all or to the `agent`, joined by `, `.
    pub robots_meta: Option<String>,
    /// The http and https links, in the page's order.
    pub links: Vec<FoundLink>,
    /// Links to elsewhere, as `mailto:`, and those that are no URL.
    pub other_links: usize,
    /// What was cut or unclear, by the names that rows use.
    pub warnings: Vec<&'static str>,
    /// The visible text, where the `text` option is on.
    pub text: Option<String>,
    /// The SimHash of the visible text; `None` where there is too little of it.
    pub simhash: Option<u64>,
}

impl FoundPage {
    /// How many links of each kind there are, by the names that rows use.
    pub fn links_by_kind(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for link in &self.links {
            *counts.entry(link.kind).or_default() += 1;
        }
        counts
    }
}

/// One link of a page.
#[derive(Debug)]
pub struct FoundLink {
    /// Where it leads, resolved and canonical.
    pub url: CanonicalUrl,
    /// Its text, cut at the `max-anchor-length` option.
    pub text: String,
    /// Its `rel` tokens.
    pub rel: String,
    /// Its kind, by the names that rows use.
    pub kind: &'static str,
}

impl PageReport {
    /// A report without an answer yet.
    pub(super) fn begun(url: CanonicalUrl, fetched_at: Moment) -> PageReport {
        PageReport {
            url,
            outcome: Outcome::HttpError,
            fetched_at,
            answer: None,
            error: None,
            failed_in: None,
            address: None,
            times: PageTimes::default(),
            wire_bytes: 0,
            body_bytes: 0,
            body_skipped: false,
            digest: None,
            redirect_target: None,
            robots_header: None,
            charset: None,
            page: None,
            body: None,
        }
    }

    /// Whether a whole answer came and its body could be read, whatever its status.
    pub fn is_answered(&self) -> bool {
        self.failed_in.is_none() && self.answer.is_some()
    }
}
