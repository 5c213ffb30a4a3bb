//! Links that a shard met lately, so that what every page of a site links to costs little.
//!
//! Two tables of a fixed size, in each of which a newer entry takes the place of an older one. The first
//! knows the canonical URL of a link as written: no URL is built for it again. The second knows which
//! URLs were handed on to be admitted: the frontier would only say that it has seen them.
//!
//! Both go by keyed 64-bit hashes, as the seen set does: nobody who does not know the crawl's key can
//! write a link that is taken for another.

use nephila_frontier::{CanonicalPolicy, CanonicalUrl, Fingerprinter, Url, UrlKind};
use url::Position;

/// Links as written that are remembered, of a shard.
const LINKS: usize = 1 << 15;
/// A longer URL is not remembered: with the number of links that bounds the memory, at 10 MiB.
const URL_BYTES_MAX: usize = 256;
/// URLs handed on that are remembered, of a shard; 8 bytes each.
const HANDED_ON: usize = 1 << 18;

/// A link that was met.
#[derive(Clone, Debug)]
struct Known {
    key: u64,
    link: KnownLink,
}

/// A link resolved.
#[derive(Clone, Debug)]
pub(crate) struct KnownLink {
    pub(crate) url: CanonicalUrl,
    /// Of the URL, asked for as a page.
    pub(crate) fingerprint: u64,
}

/// What a shard remembers of links.
#[derive(Debug)]
pub(crate) struct KnownLinks {
    fingerprinter: Fingerprinter,
    links: Vec<Option<Known>>,
    handed_on: Vec<u64>,
}

/// The URL that links of a page are resolved against, and what is the same for all of them.
#[derive(Debug)]
pub(crate) struct LinkBase<'a> {
    url: &'a Url,
    /// The hash of scheme and authority.
    origin: u64,
    /// The hash of all up to the last slash of the path.
    directory: u64,
}

impl KnownLinks {
    /// Knows none.
    pub(crate) fn new(fingerprinter: Fingerprinter) -> KnownLinks {
        let mut handed_on = vec![0; HANDED_ON];
        // A zero stands for nothing; at its own place it would stand for itself.
        handed_on.iter_mut().take(1).for_each(|first| *first = 1);
        KnownLinks {
            fingerprinter,
            links: vec![None; LINKS],
            handed_on,
        }
    }

    /// The base of a page's links.
    pub(crate) fn base<'a>(&self, url: &'a Url) -> LinkBase<'a> {
        let before_query = &url[..Position::AfterPath];
        let slash = before_query.rfind('/').unwrap_or(0);
        let directory = before_query.get(..=slash).unwrap_or_default();
        LinkBase {
            url,
            origin: self
                .fingerprinter
                .of_bytes(url[..Position::BeforePath].as_bytes()),
            directory: self.fingerprinter.of_bytes(directory.as_bytes()),
        }
    }

    /// The canonical URL of a link; `None` where it leads nowhere that is crawled.
    pub(crate) fn resolve(
        &mut self,
        base: &LinkBase<'_>,
        href: &str,
        policy: &CanonicalPolicy,
    ) -> Option<KnownLink> {
        // What follows a `#` names a place on the page.
        let end = memchr::memchr(b'#', href.as_bytes()).unwrap_or(href.len());
        let Some(context) = context_of(href.as_bytes().get(..end)?, base) else {
            return self.join(base, href, policy);
        };
        let key = self
            .fingerprinter
            .of_link(context, href.get(..end)?.as_bytes());
        let place = key as usize % LINKS;
        if let Some(Some(known)) = self.links.get(place)
            && known.key == key
        {
            return Some(known.link.clone());
        }
        let link = self.join(base, href, policy)?;
        if link.url.as_str().len() <= URL_BYTES_MAX
            && let Some(slot) = self.links.get_mut(place)
        {
            let link = link.clone();
            *slot = Some(Known { key, link });
        }
        Some(link)
    }

    fn join(&self, base: &LinkBase<'_>, href: &str, policy: &CanonicalPolicy) -> Option<KnownLink> {
        let url = CanonicalUrl::join(base.url, href, policy).ok()?;
        let fingerprint = self.fingerprinter.fingerprint(UrlKind::Page, url.as_str());
        Some(KnownLink { url, fingerprint })
    }

    /// Whether a page was handed on to be admitted, of this run and lately.
    pub(crate) fn was_handed_on(&self, fingerprint: u64) -> bool {
        self.handed_on.get(fingerprint as usize % HANDED_ON) == Some(&fingerprint)
    }

    /// Notes that a page is handed on to be admitted.
    pub(crate) fn note_handed_on(&mut self, fingerprint: u64) {
        if let Some(place) = self.handed_on.get_mut(fingerprint as usize % HANDED_ON) {
            *place = fingerprint;
        }
    }
}

/// What, beside its own letters, decides where a link leads: the base's origin or directory, or nothing.
/// `None` for one that depends on more, and for one that is written strangely.
fn context_of(href: &[u8], base: &LinkBase<'_>) -> Option<u64> {
    match href {
        [] | [b'?' | b'\\', ..] | [b'/', b'/' | b'\\', ..] => None,
        // Stripped at the ends of a link, but not before a `#`.
        [..=b' ', ..] | [.., ..=b' '] => None,
        [b'/', ..] => Some(base.origin),
        _ => match href
            .iter()
            .position(|byte| matches!(byte, b':' | b'/' | b'?'))
        {
            // `http:x` is a relative link, and `http:` the page itself.
            Some(end) if href.get(end) == Some(&b':') => {
                href.get(end..)?.starts_with(b"://").then_some(0)
            }
            _ => Some(base.directory),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASES: [&str; 6] = [
        "http://a.test/",
        "http://a.test/b/c?d/e",
        "http://a.test/b/d?d/f",
        "http://a.test/b/",
        "https://a.test/b/",
        "http://b.test/b/c",
    ];

    fn links() -> KnownLinks {
        KnownLinks::new(Fingerprinter::new([1, 2]))
    }

    #[test]
    fn one_link_on_two_pages_is_one_url_where_it_leads_to_one() {
        let mut links = links();
        let policy = CanonicalPolicy::default();
        let mut resolve = |base: &str, href: &str| {
            let url = Url::parse(base).unwrap();
            let base = links.base(&url);
            links
                .resolve(&base, href, &policy)
                .map(|link| link.url.as_str().to_owned())
        };
        assert_eq!(
            resolve(BASES[1], "x#y").as_deref(),
            Some("http://a.test/b/x")
        );
        assert_eq!(
            resolve(BASES[2], "x#z").as_deref(),
            Some("http://a.test/b/x")
        );
        assert_eq!(
            resolve(BASES[4], "x").as_deref(),
            Some("https://a.test/b/x")
        );
        assert_eq!(resolve(BASES[5], "/x").as_deref(), Some("http://b.test/x"));
        assert_eq!(resolve(BASES[5], "mailto:x"), None);
    }

    #[test]
    fn what_is_handed_on_is_known_until_another_takes_its_place() {
        let mut links = links();
        assert!(!links.was_handed_on(7));
        links.note_handed_on(7);
        assert!(links.was_handed_on(7));
        links.note_handed_on(7 + HANDED_ON as u64);
        assert!(!links.was_handed_on(7));
    }

    proptest! {
        #[test]
        fn a_known_link_is_what_joining_gives(
            pages in prop::collection::vec(
                (0..BASES.len(), "(https?:|HTTP:|//|/|\\\\| ){0,2}[ab.:?/#\\\\ ]{0,6}"), 1..60)
        ) {
            let mut links = links();
            let policy = CanonicalPolicy::default();
            for (base, href) in pages {
                let url = Url::parse(BASES[base]).unwrap();
                let expected = CanonicalUrl::join(&url, &href, &policy).ok();
                let base = links.base(&url);
                for _ in 0..2 {
                    let known = links.resolve(&base, &href, &policy);
                    prop_assert_eq!(known.map(|link| link.url), expected.clone(), "{} on {}", href, url);
                }
            }
        }
    }
}
