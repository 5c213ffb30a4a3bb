//! The names of lines in a robots.txt file.

/// What a line says something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directive {
    UserAgent,
    Allow,
    Disallow,
    Sitemap,
    CrawlDelay,
    RequestRate,
    /// Any other name: ignored, and no end of a group (RFC 9309 2.2.4).
    Unknown,
}

/// Names by how they begin, lower case. RFC 9309 knows the first of each; the others are the frequent
/// misspellings that Google's parser takes, and like it a longer name (`Disallow-all`) counts as well.
/// Leniency of this kind is left to crawlers (RFC 9309 2.2).
const BEGINNINGS: [(&[u8], Directive); 20] = [
    (b"user-agent", Directive::UserAgent),
    (b"useragent", Directive::UserAgent),
    (b"user agent", Directive::UserAgent),
    (b"allow", Directive::Allow),
    (b"disallow", Directive::Disallow),
    (b"dissallow", Directive::Disallow),
    (b"dissalow", Directive::Disallow),
    (b"disalow", Directive::Disallow),
    (b"diasllow", Directive::Disallow),
    (b"disallaw", Directive::Disallow),
    (b"sitemap", Directive::Sitemap),
    (b"site-map", Directive::Sitemap),
    (b"crawl-delay", Directive::CrawlDelay),
    (b"crawldelay", Directive::CrawlDelay),
    (b"crawl delay", Directive::CrawlDelay),
    (b"crawl_delay", Directive::CrawlDelay),
    (b"request-rate", Directive::RequestRate),
    (b"requestrate", Directive::RequestRate),
    (b"request rate", Directive::RequestRate),
    (b"request_rate", Directive::RequestRate),
];

impl Directive {
    /// The directive that `name` means, in any mixture of cases.
    pub(crate) fn from_name(name: &[u8]) -> Directive {
        BEGINNINGS
            .iter()
            .find(|(beginning, _)| starts_with_ignoring_case(name, beginning))
            .map_or(Directive::Unknown, |(_, directive)| *directive)
    }
}

fn starts_with_ignoring_case(name: &[u8], beginning: &[u8]) -> bool {
    name.get(..beginning.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_with_frequent_misspellings() {
        assert_eq!(Directive::from_name(b"USER-AGENT"), Directive::UserAgent);
        assert_eq!(Directive::from_name(b"User agent"), Directive::UserAgent);
        assert_eq!(Directive::from_name(b"Disalow"), Directive::Disallow);
        assert_eq!(Directive::from_name(b"allow"), Directive::Allow);
        assert_eq!(Directive::from_name(b"Site-Map"), Directive::Sitemap);
        assert_eq!(Directive::from_name(b"Crawl-Delay"), Directive::CrawlDelay);
        assert_eq!(Directive::from_name(b"Noindex"), Directive::Unknown);
        assert_eq!(Directive::from_name(b""), Directive::Unknown);
    }
}
