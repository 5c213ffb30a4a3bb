//! From what a page says to what is admitted: links are resolved, made canonical, held against
//! the scope and against nofollow.

use std::sync::Arc;

use nephila_frontier::{
    CanonicalPolicy, CanonicalUrl, DEFAULT_PRIORITY, LinkBase, Moment, QueuedUrl, Scope, Url,
    UrlKind,
};
use nephila_parse::{Document, LinkKind, Outlink, Sitemap, SitemapKind};

use crate::known_links::KnownLinks;
use crate::options::{Follow, Nofollow};

/// What decides whether a link leads on; one for the crawl.
#[derive(Debug)]
pub(crate) struct FollowRules {
    pub(crate) scope: Scope,
    pub(crate) policy: CanonicalPolicy,
    pub(crate) kinds: Vec<Follow>,
    pub(crate) feeds: bool,
    pub(crate) nofollow: Nofollow,
}

/// Deepest nesting of sitemap indexes; the protocol allows one level.
const DEEPEST_SITEMAP: u16 = 3;

/// What the links of a body may take when they are resolved, in bytes: four times the body, and
/// this much more. Honest links are shorter than their markup; short ones under a long base are not.
const LINK_BYTES_FREE: usize = 1024 * 1024;
/// The most that they may take, in bytes.
const LINK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes that a URL usually has, and how many of them room is made for at once.
const USUAL_URL_BYTES: usize = 64;
const MOST_FORESEEN: usize = 1024;
/// What is kept beside each, in bytes: its place in a row, a queue and the log.
const LINK_BYTES_BESIDE: usize = 64;

/// Room for the links of one body.
#[derive(Debug)]
struct LinkRoom {
    left: usize,
    /// What is kept with each link.
    beside: usize,
}

impl LinkRoom {
    /// Room for the links of a body; each is kept with its referrer.
    fn of(body_bytes: u64, referrer: usize) -> LinkRoom {
        let body_bytes = usize::try_from(body_bytes).unwrap_or(usize::MAX);
        LinkRoom {
            left: body_bytes
                .saturating_mul(4)
                .saturating_add(LINK_BYTES_FREE)
                .min(LINK_BYTES_MAX),
            beside: referrer + LINK_BYTES_BESIDE,
        }
    }

    /// Takes the room of a link; whether there is some left.
    fn take(&mut self, url_bytes: usize) -> bool {
        let left = self.left.checked_sub(url_bytes + self.beside);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

/// The links of a page, resolved: http and https only, in the order of the page.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Their canonical URLs, one behind the other.
    text: String,
    /// Where each ends there, and its place among the document's outlinks.
    links: Vec<(usize, usize)>,
    /// The target of `link rel=canonical`.
    pub(crate) canonical: Option<String>,
    /// There was no room for all of them.
    pub(crate) is_cut: bool,
}

impl Resolved {
    /// None, be it because there was no room.
    pub(crate) fn none(is_cut: bool) -> Resolved {
        Resolved {
            is_cut,
            ..Resolved::default()
        }
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// The canonical URL of each, with what the document says of it.
    pub(crate) fn iter<'a>(
        &'a self,
        document: &'a Document,
    ) -> impl Iterator<Item = (&'a str, &'a Outlink)> {
        let mut from = 0;
        self.links.iter().filter_map(move |(end, place)| {
            let url = self.text.get(std::mem::replace(&mut from, *end)..*end)?;
            Some((url, document.outlinks.get(*place)?))
        })
    }
}

/// How many links were refused by the rule of each option.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Vec<(&'static str, u64)>);

impl Refusals {
    fn add(&mut self, option: &'static str, count: u64) {
        // Few rules ever decide on one page: a walk is faster than a hash.
        match self.0.iter_mut().find(|(known, _)| *known == option) {
            Some((_, sum)) => *sum += count,
            None => self.0.push((option, count)),
        }
    }

    /// Each option with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.0.iter().copied()
    }
}

/// What came out of a page's links.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// To be admitted.
    pub(crate) urls: Vec<QueuedUrl>,
    /// The fingerprints of those among them that are a page's links to pages.
    pub(crate) fingerprints: Vec<u64>,
    /// Links refused.
    pub(crate) refused: Refusals,
    /// Frames and refreshes in scope that `--follow` does not name.
    pub(crate) not_followed: u64,
    /// There was no room for all that a sitemap names.
    pub(crate) is_cut: bool,
}

impl Candidates {
    /// Refuses all that would be admitted, by one rule.
    pub(crate) fn refuse_all(&mut self, option: &'static str) {
        let count = std::mem::take(&mut self.urls).len() as u64;
        self.fingerprints.clear();
        self.refused.add(option, count);
    }

    /// What they take in memory.
    pub(crate) fn bytes(&self) -> usize {
        let each = |queued: &QueuedUrl| queued.url.as_str().len() + size_of::<QueuedUrl>();
        self.urls.iter().map(each).sum()
    }

    fn refuse(&mut self, option: &'static str) {
        self.refused.add(option, 1);
    }
}

/// Where the links of a page come from.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) url: &'a Url,
    pub(crate) referrer: Arc<str>,
    pub(crate) hops: u16,
    /// Whether its host is on a private or loopback address.
    pub(crate) is_private: bool,
    pub(crate) now: Moment,
}

impl FollowRules {
    /// Every http(s) link of the document, resolved against its base, in its order, as far as there
    /// is room for those of a body of this length.
    pub(crate) fn resolve(
        &self,
        document: &Document,
        url: &Url,
        body_bytes: u64,
        known: &mut KnownLinks,
    ) -> Resolved {
        let own_base = document.base.as_ref().and_then(|base| url.join(base).ok());
        let base = LinkBase::new(own_base.as_ref().unwrap_or(url), &self.policy);
        let mut room = LinkRoom::of(body_bytes, url.as_str().len());
        let count = document.outlinks.len();
        let mut resolved = Resolved {
            links: Vec::with_capacity(count),
            text: String::with_capacity(count.min(MOST_FORESEEN) * USUAL_URL_BYTES),
            ..Resolved::default()
        };
        if let Some(written) = &document.canonical {
            let mut url = String::new();
            let found = known.resolve_onto(&mut url, &base, written);
            resolved.canonical = found.is_ok().then_some(url);
        }
        for (place, link) in document.outlinks.iter().enumerate() {
            let href = document.charset.encode_query(&link.href);
            let from = resolved.text.len();
            let text = &mut resolved.text;
            if known.resolve_onto(text, &base, &href).is_err() {
                continue;
            }
            let end = resolved.text.len();
            if !room.take(end - from) {
                resolved.text.truncate(from);
                resolved.is_cut = true;
                break;
            }
            resolved.links.push((end, place));
        }
        resolved
    }

    /// Which of a page's links lead on.
    pub(crate) fn follow(
        &self,
        document: &Document,
        links: &Resolved,
        page_nofollow: bool,
        origin: &Origin<'_>,
        known: &KnownLinks,
    ) -> Candidates {
        let mut candidates = Candidates::default();
        let hops = origin.hops.saturating_add(1);
        let is_within = self.scope.allows_hops(hops);
        for (url, link) in links.iter(document) {
            let canonical = || CanonicalUrl::from_serialized(url);
            let Some(kind) = self.kind_of(link.kind) else {
                let is_way_on = matches!(link.kind, LinkKind::Frame | LinkKind::Refresh);
                let would_be = |url: CanonicalUrl| self.scope.check(&url, hops).is_ok();
                let is_missed = is_way_on && canonical().is_some_and(would_be);
                candidates.not_followed += u64::from(is_missed);
                continue;
            };
            let is_own = origin.is_private && link.nofollow && is_on_host(url, origin);
            if self.is_held_back(page_nofollow, link.nofollow, is_own) {
                candidates.refuse("nofollow");
                continue;
            }
            let page = (kind == UrlKind::Page).then(|| known.fingerprint(url));
            let is_known = page.is_some_and(|fingerprint| known.was_handed_on(fingerprint));
            if is_known && is_within {
                continue;
            }
            let Some(url) = canonical() else { continue };
            let referrer = Some(origin.referrer.clone());
            let queued = QueuedUrl::page(url, hops, referrer, origin.now);
            if self.check(QueuedUrl { kind, ..queued }, &mut candidates) {
                candidates.fingerprints.extend(page);
            }
        }
        candidates
    }

    /// The URLs of a sitemap or feed that lead on, as far as there is room for those of a body of this
    /// length.
    pub(crate) fn follow_sitemap(
        &self,
        sitemap: &Sitemap,
        origin: &Origin<'_>,
        body_bytes: u64,
    ) -> Candidates {
        let mut room = LinkRoom::of(body_bytes, origin.referrer.len());
        let mut candidates = Candidates::default();
        let kind = match sitemap.kind {
            SitemapKind::Index if origin.hops >= DEEPEST_SITEMAP => return candidates,
            SitemapKind::Index => UrlKind::Sitemap,
            _ => UrlKind::Page,
        };
        let hops = origin.hops.saturating_add(1);
        for entry in &sitemap.entries {
            let priority = entry.priority.map_or(DEFAULT_PRIORITY, tenths);
            let alternates = entry.alternates.iter();
            for location in std::iter::once(&entry.loc).chain(alternates) {
                let Ok(url) = CanonicalUrl::join(origin.url, location, &self.policy) else {
                    continue;
                };
                if !room.take(url.as_str().len()) {
                    candidates.is_cut = true;
                    return candidates;
                }
                // An index names sitemaps of its own site (sitemaps.org), or of the scope.
                let is_elsewhere =
                    kind == UrlKind::Sitemap && Some(url.host()) != origin_host(origin);
                if is_elsewhere && let Err(refusal) = self.scope.check_host(&url) {
                    candidates.refuse(refusal.option());
                    continue;
                }
                let referrer = Some(origin.referrer.clone());
                let queued = QueuedUrl::page(url, hops, referrer, origin.now);
                self.check(
                    QueuedUrl {
                        kind,
                        priority,
                        ..queued
                    },
                    &mut candidates,
                );
            }
        }
        candidates
    }

    /// The target of a redirect, if it leads on.
    pub(crate) fn follow_redirect(
        &self,
        target: &CanonicalUrl,
        from: &QueuedUrl,
        now: Moment,
    ) -> Candidates {
        let mut candidates = Candidates::default();
        let hops = from
            .hops
            .saturating_add(u16::from(from.kind == UrlKind::Page));
        let queued = QueuedUrl {
            redirects: from.redirects.saturating_add(1),
            kind: from.kind,
            priority: from.priority,
            ..QueuedUrl::page(target.clone(), hops, Some(from.url.as_str().into()), now)
        };
        self.check(queued, &mut candidates);
        candidates
    }

    /// The sitemaps of a host, as its robots.txt names them, and the usual place.
    pub(crate) fn sitemaps_of(
        &self,
        robots: &CanonicalUrl,
        named: &[String],
        now: Moment,
    ) -> Vec<QueuedUrl> {
        let usual = robots.sibling("/sitemap.xml");
        let named = named
            .iter()
            .filter_map(|text| CanonicalUrl::parse(text, &self.policy).ok());
        let referrer: Arc<str> = robots.as_str().into();
        named
            .chain(usual)
            .filter(|url| self.scope.check_beside(url).is_ok())
            .map(|url| {
                let queued = QueuedUrl::page(url, 0, Some(referrer.clone()), now);
                QueuedUrl {
                    kind: UrlKind::Sitemap,
                    ..queued
                }
            })
            .collect()
    }

    /// Whether a URL leads on; it is then among the candidates, else among the refused.
    fn check(&self, queued: QueuedUrl, candidates: &mut Candidates) -> bool {
        let checked = match queued.kind {
            // It may live on another host than its pages (sitemaps.org, cross submits): its entries
            // are held against the scope, and of it only what it is like.
            UrlKind::Sitemap => self.scope.check_beside(&queued.url),
            _ => self.scope.check(&queued.url, queued.hops),
        };
        let now = queued.admitted_at;
        match checked.and_then(|()| self.scope.check_date(&queued.url, now)) {
            Ok(()) => {
                candidates.urls.push(queued);
                true
            }
            Err(refusal) => {
                candidates.refuse(refusal.option());
                false
            }
        }
    }

    /// Whether nofollow, of the page or of the link, holds a link back. `is_own`: it stays on a
    /// host that is on a private or loopback address.
    pub(crate) fn is_held_back(&self, page: bool, link: bool, is_own: bool) -> bool {
        match self.nofollow {
            Nofollow::Ignore => false,
            Nofollow::Obey => page || link,
            Nofollow::Auto => page || (link && !is_own),
        }
    }

    /// What a link of this kind is admitted as; `None` when it does not lead on.
    pub(crate) fn kind_of(&self, kind: LinkKind) -> Option<UrlKind> {
        let follow = match kind {
            LinkKind::Anchor | LinkKind::SvgAnchor => Follow::Anchor,
            LinkKind::Area => Follow::Area,
            LinkKind::Frame => Follow::Frame,
            LinkKind::Refresh => Follow::Refresh,
            LinkKind::Next | LinkKind::Prev => Follow::Pagination,
            LinkKind::Canonical => Follow::Canonical,
            LinkKind::Alternate => Follow::Alternate,
            LinkKind::Feed => return self.feeds.then_some(UrlKind::Feed),
            LinkKind::Sitemap | LinkKind::Redirect => return None,
        };
        self.kinds.contains(&follow).then_some(UrlKind::Page)
    }
}

/// Whether a canonical URL is on the page's host.
fn is_on_host(url: &str, origin: &Origin<'_>) -> bool {
    let after = url.split_once("://").map(|(_, after)| after);
    let host = after.and_then(|after| after.split(['/', '?']).next());
    host.is_some() && host == origin_host(origin)
}

/// The host of the page, as canonical URLs name it.
fn origin_host<'a>(origin: &'a Origin<'_>) -> Option<&'a str> {
    let authority = origin.url.authority();
    Some(
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host),
    )
}

/// A sitemap's priority, 0.0 to 1.0, in tenths.
fn tenths(priority: f32) -> u8 {
    const MOST: f32 = 10.0;
    (priority * MOST).round().clamp(0.0, MOST) as u8
}

#[cfg(test)]
mod tests {
    use nephila_frontier::{Fingerprinter, ScopeLimits, ScopeRule};
    use nephila_parse::{ParseOptions, SitemapLimits, parse_html, parse_sitemap};
    use regex::RegexSet;

    use super::*;

    fn rules(kinds: Vec<Follow>) -> FollowRules {
        let policy = CanonicalPolicy::default();
        let seed = CanonicalUrl::parse("http://a.test/", &policy).unwrap();
        let limits = ScopeLimits {
            max_url_bytes: 2_000,
            max_hops: Some(3),
            max_repeated_segments: 3,
            max_query_variants: 0,
            max_path_depth: 0,
            max_date_ahead: None,
        };
        let (include, exclude) = (RegexSet::empty(), RegexSet::empty());
        let scope = Scope::new(ScopeRule::Host, &[seed], include, exclude, limits);
        FollowRules {
            scope,
            policy,
            kinds,
            feeds: false,
            nofollow: Nofollow::Auto,
        }
    }

    fn known() -> KnownLinks {
        KnownLinks::new(Fingerprinter::new([1, 2]))
    }

    fn refused(candidates: &Candidates, option: &str) -> u64 {
        let mut all = candidates.refused.iter();
        all.find(|(name, _)| *name == option)
            .map_or(0, |(_, count)| count)
    }

    fn follow(
        rules: &FollowRules,
        html: &str,
        nofollow: bool,
        is_private: bool,
    ) -> (Vec<String>, Candidates) {
        let url = Url::parse("http://a.test/dir/page").unwrap();
        let document = parse_html(html.as_bytes(), None, &ParseOptions::default());
        let links = rules.resolve(&document, &url, html.len() as u64, &mut known());
        let origin = Origin {
            url: &url,
            referrer: "r".into(),
            hops: 1,
            is_private,
            now: Moment::from_micros(1),
        };
        let candidates = rules.follow(&document, &links, nofollow, &origin, &known());
        let urls = candidates
            .urls
            .iter()
            .map(|queued| queued.url.as_str().to_owned());
        (urls.collect(), candidates)
    }

    #[test]
    fn links_are_resolved_against_the_base_and_held_against_the_rules() {
        let rules = rules(vec![Follow::Anchor]);
        let html = r#"<base href="/root/"><a href="x?a&amp;b#f">x</a><a href="mailto:m@a.test">m</a>
            <a href="http://b.test/">out</a><a rel="external nofollow" href="y">y</a>
            <iframe src="frame"></iframe>"#;
        let (urls, candidates) = follow(&rules, html, false, false);
        assert_eq!(urls, ["http://a.test/root/x?a&b"]);
        assert_eq!(candidates.urls[0].hops, 2);
        assert_eq!(refused(&candidates, "scope"), 1);
        assert_eq!(refused(&candidates, "nofollow"), 1);
        assert_eq!(candidates.not_followed, 1);
        let (urls, candidates) = follow(&rules, html, true, true);
        assert!(urls.is_empty());
        assert_eq!(refused(&candidates, "nofollow"), 3);
        let (urls, _) = follow(&rules, html, false, true);
        assert_eq!(
            urls,
            ["http://a.test/root/x?a&b", "http://a.test/root/y"],
            "one's own host"
        );
    }

    #[test]
    fn an_index_leads_to_sitemaps_and_a_sitemap_to_pages_of_the_scope() {
        let rules = rules(vec![Follow::Anchor]);
        let url = Url::parse("http://a.test/sitemap.xml").unwrap();
        let origin = Origin {
            url: &url,
            referrer: "s".into(),
            hops: 0,
            is_private: false,
            now: Moment::from_micros(1),
        };
        let index = b"<sitemapindex><sitemap><loc>http://a.test/1.xml</loc></sitemap>\
            <sitemap><loc>http://victim.test/1.xml</loc></sitemap></sitemapindex>";
        let index = parse_sitemap(index, &SitemapLimits::default());
        let found = rules.follow_sitemap(&index, &origin, 200);
        assert_eq!(found.urls[0].kind, UrlKind::Sitemap);
        assert_eq!((found.urls.len(), refused(&found, "scope")), (1, 1));
        let set = b"<urlset><url><loc>http://a.test/p</loc><priority>0.9</priority></url>\
            <url><loc>http://b.test/q</loc></url></urlset>";
        let set = parse_sitemap(set, &SitemapLimits::default());
        let found = rules.follow_sitemap(&set, &origin, 200);
        assert_eq!(found.urls.len(), 1);
        assert_eq!(
            (found.urls[0].kind, found.urls[0].priority),
            (UrlKind::Page, 9)
        );
        assert_eq!(refused(&found, "scope"), 1);
    }

    #[test]
    fn short_links_under_a_long_base_are_cut() {
        let rules = rules(vec![Follow::Anchor]);
        let url = Url::parse("http://a.test/").unwrap();
        let html = format!(
            "<base href='/{}/'>{}",
            "x".repeat(60_000),
            "<a href=1>".repeat(10_000)
        );
        let document = parse_html(html.as_bytes(), None, &ParseOptions::default());
        let resolved = rules.resolve(&document, &url, html.len() as u64, &mut known());
        let bytes = resolved.text.len();
        assert!(resolved.is_cut);
        assert!(bytes <= 4 * html.len() + LINK_BYTES_FREE, "{bytes}");
        let entry = "<url><loc>1</loc></url>".repeat(10_000);
        let set = format!("<urlset>{entry}</urlset>");
        let set = parse_sitemap(set.as_bytes(), &SitemapLimits::default());
        let long = Url::parse(&format!("http://a.test/{}/", "x".repeat(1_900))).unwrap();
        let origin = Origin {
            url: &long,
            referrer: long.as_str().into(),
            hops: 0,
            is_private: false,
            now: Moment::from_micros(1),
        };
        let found = rules.follow_sitemap(&set, &origin, 1_000);
        assert!(
            found.is_cut && found.urls.len() < 1_000,
            "{}",
            found.urls.len()
        );
    }
}
