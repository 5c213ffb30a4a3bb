//! Sitemaps (sitemaps.org protocol 0.9) and the feeds that stand in for them.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use encoding_rs::{Encoding, UTF_8};
use flate2::read::MultiGzDecoder;

use crate::prescan::xml_encoding;
use crate::sitemap_xml::read_xml;

/// The first bytes of a gzip stream (RFC 1952, 2.3.1).
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// Bounds of one sitemap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SitemapLimits {
    /// Entries kept. Default 50,000, the limit of the protocol.
    pub max_entries: usize,
    /// Bytes read, after inflating. Default 50 MiB (52,428,800), the limit of the protocol.
    pub max_bytes: usize,
    /// Bytes of a URL; entries with a longer one are dropped. Default 2,048, the limit of the protocol.
    pub max_url_bytes: usize,
    /// Alternates kept of one entry. Default 100.
    pub max_alternates: usize,
    /// Elements that may be open at once; reading ends where there are more. Default 32.
    pub max_depth: usize,
}

impl Default for SitemapLimits {
    fn default() -> Self {
        Self {
            max_entries: 50_000,
            max_bytes: 52_428_800,
            max_url_bytes: 2_048,
            max_alternates: 100,
            max_depth: 32,
        }
    }
}

/// What a sitemap lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Sitemap {
    /// What it is.
    pub kind: SitemapKind,
    /// Its entries in order, repetitions included.
    pub entries: Vec<SitemapEntry>,
    /// What was cut or malformed; each at most once.
    pub warnings: Vec<SitemapWarning>,
}

/// What a sitemap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SitemapKind {
    /// A list of pages.
    UrlSet,
    /// A list of sitemaps.
    Index,
    /// Plain text, one URL a line.
    Text,
    /// An RSS feed: 0.9 to 2.0.
    Rss,
    /// An Atom feed.
    Atom,
    /// None of these; it has no entries.
    Unknown,
}

/// One page or, in an index, one sitemap.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SitemapEntry {
    /// Its URL, trimmed; never empty.
    pub loc: String,
    /// When it was last changed, as written: a W3C date in sitemaps, an RFC 822 date in RSS.
    pub lastmod: Option<String>,
    /// How often it changes, as written.
    pub changefreq: Option<String>,
    /// Its priority, from 0.0 to 1.0; `None` when it is no such number.
    pub priority: Option<f32>,
    /// `xhtml:link rel=alternate`: the page in other languages.
    pub alternates: Vec<String>,
}

/// What was cut or malformed in a sitemap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SitemapWarning {
    /// There were more entries than [`SitemapLimits::max_entries`].
    EntriesCut,
    /// It was longer than [`SitemapLimits::max_bytes`].
    BytesCut,
    /// A URL was longer than [`SitemapLimits::max_url_bytes`]; its entry was dropped.
    UrlTooLong,
    /// Elements were open deeper than [`SitemapLimits::max_depth`]; the rest was not read.
    TooDeep,
    /// The gzip stream or the XML is broken; what stands before counts.
    Malformed,
}

impl SitemapWarning {
    /// The stable name, as logs use it.
    pub fn as_str(self) -> &'static str {
        match self {
            SitemapWarning::EntriesCut => "entries_cut",
            SitemapWarning::BytesCut => "bytes_cut",
            SitemapWarning::UrlTooLong => "url_too_long",
            SitemapWarning::TooDeep => "too_deep",
            SitemapWarning::Malformed => "malformed",
        }
    }
}

impl fmt::Display for SitemapWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Sitemap {
    fn new() -> Self {
        Self {
            kind: SitemapKind::Unknown,
            entries: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(crate) fn warn(&mut self, warning: SitemapWarning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Adds an entry that has a URL; whether more can be taken.
    pub(crate) fn push(&mut self, entry: SitemapEntry, limits: &SitemapLimits) -> bool {
        if entry.loc.len() > limits.max_url_bytes {
            self.warn(SitemapWarning::UrlTooLong);
        } else if self.entries.len() >= limits.max_entries {
            self.warn(SitemapWarning::EntriesCut);
            return false;
        } else if !entry.loc.is_empty() {
            self.entries.push(entry);
        }
        true
    }
}

/// Reads a sitemap: a URL set, an index, plain text, RSS or Atom, as it is or as a gzip stream.
///
/// Never fails, and keeps no more than `limits` says. Entities that the document defines are not
/// expanded and nothing is fetched. Namespaces are not looked at: files with a wrong one are common.
pub fn parse_sitemap(body: &[u8], limits: &SitemapLimits) -> Sitemap {
    let mut sitemap = Sitemap::new();
    let body = if body.starts_with(GZIP_MAGIC) {
        Cow::Owned(inflate(body, limits, &mut sitemap))
    } else {
        if body.len() > limits.max_bytes {
            sitemap.warn(SitemapWarning::BytesCut);
        }
        Cow::Borrowed(body.get(..limits.max_bytes).unwrap_or(body))
    };
    let text = decode(&body);
    if text.trim_ascii_start().starts_with('<') {
        read_xml(&text, limits, &mut sitemap);
    } else {
        read_lines(&text, limits, &mut sitemap);
    }
    sitemap
}

fn inflate(body: &[u8], limits: &SitemapLimits, sitemap: &mut Sitemap) -> Vec<u8> {
    let mut inflated = Vec::new();
    let bound = limits.max_bytes as u64 + 1;
    if MultiGzDecoder::new(body)
        .take(bound)
        .read_to_end(&mut inflated)
        .is_err()
    {
        sitemap.warn(SitemapWarning::Malformed);
    }
    if inflated.len() > limits.max_bytes {
        inflated.truncate(limits.max_bytes);
        sitemap.warn(SitemapWarning::BytesCut);
    }
    inflated
}

/// The text of an XML document: by its byte order mark, its declaration, else UTF-8.
fn decode(body: &[u8]) -> Cow<'_, str> {
    let encoding = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let encoding = encoding
        .or_else(|| xml_encoding(body.trim_ascii_start()))
        .unwrap_or(UTF_8);
    encoding.decode_with_bom_removal(body).0
}

fn read_lines(text: &str, limits: &SitemapLimits, sitemap: &mut Sitemap) {
    for line in text.lines().map(str::trim) {
        let has_scheme = |scheme: &str| {
            line.get(..scheme.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        };
        if has_scheme("http://") || has_scheme("https://") {
            sitemap.kind = SitemapKind::Text;
            let entry = SitemapEntry {
                loc: line.to_owned(),
                ..SitemapEntry::default()
            };
            if !sitemap.push(entry, limits) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn locs(sitemap: &Sitemap) -> Vec<&str> {
        sitemap
            .entries
            .iter()
            .map(|entry| entry.loc.as_str())
            .collect()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_text_is_one_url_a_line() {
        let body = b"\xef\xbb\xbfhttp://a/1\r\n\r\n HTTPS://a/2 \nftp://a/3\nnonsense\n";
        let sitemap = parse_sitemap(body, &SitemapLimits::default());
        assert_eq!(sitemap.kind, SitemapKind::Text);
        assert_eq!(locs(&sitemap), ["http://a/1", "HTTPS://a/2"]);
        let other = parse_sitemap(b"not found", &SitemapLimits::default());
        assert_eq!((other.kind, other.entries.len()), (SitemapKind::Unknown, 0));
    }

    #[test]
    fn gzip_is_inflated_under_a_cap() {
        let body = b"http://a/1\nhttp://a/2\n";
        let limits = SitemapLimits {
            max_bytes: 11,
            ..SitemapLimits::default()
        };
        let cut = parse_sitemap(&gzip(body), &limits);
        assert_eq!(locs(&cut), ["http://a/1"]);
        assert_eq!(cut.warnings, [SitemapWarning::BytesCut]);
        assert_eq!(parse_sitemap(body, &limits), cut);
        let bomb = parse_sitemap(&gzip(&vec![b'\n'; 1 << 20]), &limits);
        assert_eq!(bomb.warnings, [SitemapWarning::BytesCut]);
        let whole = gzip(&body.repeat(1000));
        let torn = parse_sitemap(&whole[..whole.len() - 4], &SitemapLimits::default());
        assert_eq!(torn.warnings, [SitemapWarning::Malformed]);
        assert_eq!(torn.entries.len(), 2000);
    }

    #[test]
    fn entries_and_urls_are_bounded() {
        let limits = SitemapLimits {
            max_entries: 1,
            max_url_bytes: 10,
            ..SitemapLimits::default()
        };
        let sitemap = parse_sitemap(b"http://a/long\nhttp://a/1\nhttp://a/2", &limits);
        assert_eq!(locs(&sitemap), ["http://a/1"]);
        let warnings = [SitemapWarning::UrlTooLong, SitemapWarning::EntriesCut];
        assert_eq!(sitemap.warnings, warnings);
    }
}
