//! Sitemaps and feeds: `nephila_parse`.

use std::collections::HashSet;

use nephila_parse::{Sitemap, SitemapKind, SitemapLimits, parse_sitemap};

/// Reads the bytes as a sitemap, plain or a gzip stream.
///
/// Promises: reading never fails; entries, their URLs and alternates are within their limits; URLs
/// are trimmed and never empty; a priority is from 0 to 1; with a smaller limit of entries come the
/// first of them.
pub fn sitemap(data: &[u8]) {
    let wide = SitemapLimits {
        max_bytes: 1 << 20,
        ..SitemapLimits::default()
    };
    let whole = parse_sitemap(data, &wide);
    check_bounds(&whole, &wide);
    let few = SitemapLimits {
        max_entries: 2,
        ..wide
    };
    let cut = parse_sitemap(data, &few);
    assert!(whole.entries.starts_with(&cut.entries));
    assert_eq!(cut.entries.len(), whole.entries.len().min(few.max_entries));
    let small = SitemapLimits {
        max_entries: 3,
        max_bytes: 200,
        max_url_bytes: 16,
        max_alternates: 1,
        max_depth: 3,
    };
    check_bounds(&parse_sitemap(data, &small), &small);
}

fn check_bounds(sitemap: &Sitemap, limits: &SitemapLimits) {
    assert!(sitemap.entries.len() <= limits.max_entries);
    if sitemap.kind == SitemapKind::Unknown {
        assert!(sitemap.entries.is_empty());
    }
    for entry in &sitemap.entries {
        assert!(!entry.loc.is_empty() && entry.loc.len() <= limits.max_url_bytes);
        assert_eq!(entry.loc.trim_ascii(), entry.loc);
        assert!(entry.alternates.len() <= limits.max_alternates);
        let longest = entry.alternates.iter().map(String::len).max();
        assert!(longest.unwrap_or_default() <= limits.max_url_bytes);
        assert!(
            entry
                .priority
                .is_none_or(|priority| (0.0..=1.0).contains(&priority))
        );
    }
    let distinct: HashSet<_> = sitemap.warnings.iter().collect();
    assert_eq!(distinct.len(), sitemap.warnings.len(), "a warning twice");
}
