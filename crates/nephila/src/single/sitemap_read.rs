//! What came where a sitemap was asked for.

use nephila_frontier::CanonicalUrl;
use nephila_parse::{Sitemap, SitemapEntry, SitemapKind};
use serde::Serialize;

/// A sitemap that was asked for, whatever came.
#[derive(Debug)]
pub struct SitemapRead {
    /// The URL that was asked for.
    pub url: CanonicalUrl,
    /// The index or robots.txt that names it; `None` for the URL that a person named and for
    /// `/sitemap.xml`, the usual place.
    pub named_by: Option<CanonicalUrl>,
    /// The status of the last answer, after redirects; `None` without one.
    pub status: Option<u16>,
    /// What came.
    pub result: SitemapResult,
}

/// What came where a sitemap was asked for.
#[derive(Debug)]
pub enum SitemapResult {
    /// A sitemap, or a feed that stands in for one.
    Read {
        /// `urlset`, `index`, `text`, `rss` or `atom`.
        kind: &'static str,
        /// Its entries in order, repetitions included: at most as the `max-sitemap-urls` option
        /// says. Those of an index name sitemaps.
        entries: Vec<SitemapItem>,
        /// What was cut or malformed: `entries_cut`, `bytes_cut`, `url_too_long`, `too_deep` or
        /// `malformed`.
        warnings: Vec<&'static str>,
    },
    /// A page or a file that is no sitemap.
    NotASitemap,
    /// Nothing that can be read: why, in words.
    Failed(String),
}

/// One entry.
#[derive(Debug, Serialize)]
pub struct SitemapItem {
    /// Its URL, as written.
    pub loc: String,
    /// When it was last changed, as written.
    pub lastmod: Option<String>,
    /// How often it changes, as written.
    pub changefreq: Option<String>,
    /// Its priority, 0.0 to 1.0.
    pub priority: Option<f32>,
    /// The page in other languages.
    pub alternates: Vec<String>,
}

/// What reading sitemaps came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SitemapTotals {
    /// Sitemaps, indexes and feeds that were read.
    pub read: u64,
    /// Those that could not be had, or were none.
    pub failed: u64,
    /// Entries in those that were read, of indexes too.
    pub entries: u64,
    /// How often a sitemap was named that is not read, because [`super::MOST_SITEMAPS`] were or it
    /// was in an index of an index of an index of an index.
    pub left_out: u64,
}

impl From<Sitemap> for SitemapResult {
    fn from(sitemap: Sitemap) -> SitemapResult {
        let kind = match sitemap.kind {
            SitemapKind::UrlSet => "urlset",
            SitemapKind::Index => "index",
            SitemapKind::Text => "text",
            SitemapKind::Rss => "rss",
            SitemapKind::Atom => "atom",
            SitemapKind::Unknown => return SitemapResult::NotASitemap,
        };
        SitemapResult::Read {
            kind,
            entries: sitemap.entries.into_iter().map(SitemapItem::from).collect(),
            warnings: sitemap
                .warnings
                .iter()
                .map(|warning| warning.as_str())
                .collect(),
        }
    }
}

impl From<SitemapEntry> for SitemapItem {
    fn from(entry: SitemapEntry) -> SitemapItem {
        let SitemapEntry {
            loc,
            lastmod,
            changefreq,
            priority,
            alternates,
        } = entry;
        SitemapItem {
            loc,
            lastmod,
            changefreq,
            priority,
            alternates,
        }
    }
}
