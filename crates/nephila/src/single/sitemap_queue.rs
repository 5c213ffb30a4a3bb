//! Which sitemaps are still to be read, each once and not without end.

use std::collections::{HashSet, VecDeque};

use nephila_frontier::CanonicalUrl;

/// Sitemaps that are read at most for one URL.
pub const MOST_SITEMAPS: usize = 1_000;

/// How deep indexes are read: the protocol allows one level, and some sites have two.
const DEEPEST: u8 = 3;

/// A sitemap that is to be read.
#[derive(Debug)]
pub(super) struct NamedSitemap {
    pub(super) url: CanonicalUrl,
    /// The index or robots.txt that names it; `None` for what the person named and for the usual
    /// place.
    pub(super) named_by: Option<CanonicalUrl>,
    /// Indexes above it.
    pub(super) depth: u8,
}

/// Sitemaps in the order in which they were named, none twice, [`MOST_SITEMAPS`] in all.
#[derive(Debug, Default)]
pub(super) struct SitemapQueue {
    waiting: VecDeque<NamedSitemap>,
    known: HashSet<CanonicalUrl>,
    left_out: u64,
}

impl SitemapQueue {
    /// Takes a sitemap, unless it is known already. One that is too deep or one too many is counted.
    pub(super) fn push(&mut self, sitemap: NamedSitemap) {
        if self.known.contains(&sitemap.url) {
            return;
        }
        if self.known.len() >= MOST_SITEMAPS || sitemap.depth > DEEPEST {
            self.left_out += 1;
            return;
        }
        self.known.insert(sitemap.url.clone());
        self.waiting.push_back(sitemap);
    }

    pub(super) fn pop(&mut self) -> Option<NamedSitemap> {
        self.waiting.pop_front()
    }

    /// How often a sitemap was named that is not read.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(number: usize, depth: u8) -> NamedSitemap {
        let url = CanonicalUrl::from_serialized(&format!("http://a.test/{number}.xml")).unwrap();
        NamedSitemap {
            url,
            named_by: None,
            depth,
        }
    }

    #[test]
    fn each_is_read_once_and_not_without_end() {
        let mut queue = SitemapQueue::default();
        queue.push(named(0, DEEPEST + 1));
        for number in (0..MOST_SITEMAPS + 5).chain(0..MOST_SITEMAPS) {
            queue.push(named(number, DEEPEST));
        }
        assert_eq!(queue.left_out(), 6);
        let read: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(read.len(), MOST_SITEMAPS);
        assert_eq!(read[1].url.as_str(), "http://a.test/1.xml");
    }
}
