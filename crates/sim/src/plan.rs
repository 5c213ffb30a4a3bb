//! What each host and each page is: sizes, robots.txt, outcomes, latency.

use serde::{Deserialize, Serialize};

use crate::address::PageId;
use crate::charset::Charset;
use crate::draw::{Draw, Ranks, Topic};
use crate::web::Web;

/// What a page answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PageKind {
    /// 200, HTML with links.
    Html,
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 403.
    Forbidden,
    /// 301 to another page.
    Moved,
    /// 302 to another page.
    Found,
    /// 500, each time.
    ServerError,
    /// 503 when asked first, then HTML.
    Flaky,
    /// The connection is closed without an answer.
    Reset,
    /// No answer for a very long time.
    Hang,
    /// 200, HTML without links, cut off before its end.
    Truncated,
    /// 200, not HTML.
    OtherType,
}

impl PageKind {
    /// The status that it ends with; 0 where no answer comes.
    pub const fn status(self) -> u16 {
        match self {
            Self::Html | Self::Flaky | Self::Truncated | Self::OtherType => 200,
            Self::NotFound => 404,
            Self::Gone => 410,
            Self::Forbidden => 403,
            Self::Moved => 301,
            Self::Found => 302,
            Self::ServerError => 500,
            Self::Reset | Self::Hang => 0,
        }
    }
}

/// What a host's robots.txt answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RobotsKind {
    Rules,
    Empty,
    NotFound,
    Forbidden,
    ServerError,
    Hang,
}

/// A web with its hosts' sizes laid out: the only table there is, 8 bytes a host.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) web: Web,
    /// Of each host the number of pages on all hosts before it, then the number of all pages.
    starts: Vec<u64>,
    pub(crate) linked_hosts: Ranks,
    /// Children of a host in the tree of hosts.
    pub(crate) host_children: u32,
}

impl Plan {
    /// Lays out the hosts of a web. Parameters out of bounds are cut to what can be laid out.
    pub(crate) fn new(mut web: Web) -> Self {
        web.hosts = web.hosts.clamp(1, crate::web::MAX_HOSTS);
        web.pages = web.pages.clamp(u64::from(web.hosts), crate::web::MAX_PAGES);
        web.seed_hosts = web.seed_hosts.clamp(1, web.hosts);
        let starts = share_out(&web);
        let linked_hosts = Ranks::new(web.hosts, web.external_exponent);
        let host_children = children(u64::from(web.hosts), web.children);
        Self {
            web,
            starts,
            linked_hosts,
            host_children,
        }
    }

    /// How many pages a host has.
    pub(crate) fn host_pages(&self, host: u32) -> u32 {
        let start = self.pages_before(host);
        let end = self.pages_before(host.saturating_add(1));
        u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX)
    }

    fn pages_before(&self, host: u32) -> u64 {
        self.starts
            .get(host as usize)
            .copied()
            .unwrap_or(self.web.pages)
    }

    /// The place of a page among all pages of the web.
    pub(crate) fn ordinal(&self, id: PageId) -> u64 {
        self.pages_before(id.host) + u64::from(id.page)
    }

    /// What a page answers; page 0 of a host is always HTML.
    pub(crate) fn kind(&self, id: PageId) -> PageKind {
        if id.page == 0 || self.web.is_private(id) {
            return PageKind::Html;
        }
        let shares = &self.web.outcomes;
        let mut draw = Draw::new(self.web.seed, Topic::Outcome, id.host, id.page);
        // Of the pages that are not private, so that the shares are shares of all pages.
        let mut left = draw.unit() * (1.0 - shares.denied);
        let kinds = [
            (PageKind::NotFound, shares.not_found),
            (PageKind::Gone, shares.gone),
            (PageKind::Forbidden, shares.forbidden),
            (PageKind::Moved, shares.moved),
            (PageKind::Found, shares.found),
            (PageKind::ServerError, shares.server_error),
            (PageKind::Flaky, shares.flaky),
            (PageKind::Reset, shares.reset),
            (PageKind::Hang, shares.hang),
            (PageKind::Truncated, shares.truncated),
            (PageKind::OtherType, shares.other_type),
        ];
        for (kind, share) in kinds {
            left -= share;
            if left < 0.0 {
                return kind;
            }
        }
        PageKind::Html
    }

    /// Where a redirecting page points: to a page of the same host with a smaller number, so that
    /// chains end, and one time in eight to page 0 of another host.
    pub(crate) fn redirect_target(&self, id: PageId) -> PageId {
        let mut draw = Draw::new(self.web.seed, Topic::Redirect, id.host, id.page);
        if draw.below(8) == 0 {
            return PageId {
                host: self.linked_hosts.draw(&mut draw),
                page: 0,
            };
        }
        PageId {
            host: id.host,
            page: draw.below(id.page),
        }
    }

    /// What a host's robots.txt answers.
    pub(crate) fn robots(&self, host: u32) -> RobotsKind {
        if host == 0 {
            return RobotsKind::Rules;
        }
        let mix = &self.web.robots;
        let mut left = Draw::new(self.web.seed, Topic::Robots, host, 0).unit();
        let kinds = [
            (RobotsKind::NotFound, mix.not_found),
            (RobotsKind::Forbidden, mix.forbidden),
            (RobotsKind::ServerError, mix.server_error),
            (RobotsKind::Hang, mix.hang),
            (RobotsKind::Empty, mix.empty),
        ];
        for (kind, share) in kinds {
            left -= share;
            if left < 0.0 {
                return kind;
            }
        }
        RobotsKind::Rules
    }

    /// Whether robots.txt keeps a crawler from this page (RFC 9309 sections 2.2 and 2.3.1).
    pub(crate) fn is_denied(&self, id: PageId) -> bool {
        match self.robots(id.host) {
            RobotsKind::Rules => self.web.is_private(id),
            RobotsKind::ServerError | RobotsKind::Hang => true,
            RobotsKind::Empty | RobotsKind::NotFound | RobotsKind::Forbidden => false,
        }
    }

    /// The charset of all pages of a host.
    pub(crate) fn charset(&self, host: u32) -> Charset {
        let mut left = Draw::new(self.web.seed, Topic::Charset, host, 0).unit();
        for (share, charset) in self.web.charsets.shares().into_iter().zip(Charset::MIXED) {
            left -= share;
            if left < 0.0 {
                return charset;
            }
        }
        Charset::Utf8
    }

    /// Whether the host speaks HTTP/1.1 only.
    pub(crate) fn is_http1_only(&self, host: u32) -> bool {
        Draw::new(self.web.seed, Topic::Protocol, host, 0).unit() < self.web.http1_only
    }

    /// Microseconds before the first byte of a page (or of robots.txt, as page `u32::MAX`).
    pub(crate) fn latency_micros(&self, id: PageId) -> u64 {
        let mut draw = Draw::new(self.web.seed, Topic::Latency, id.host, id.page);
        (self.web.latency_ms.draw(&mut draw) * 1_000.0) as u64
    }

    /// Children of a page in the tree of its host.
    pub(crate) fn page_children(&self, host_pages: u32) -> u32 {
        match self.web.chain {
            true => 1,
            false => children(u64::from(host_pages), self.web.children),
        }
    }
}

/// The least number of children, at least `least`, with which a tree of `count` nodes has at most
/// six levels.
fn children(count: u64, least: u32) -> u32 {
    let fifth_root = (count as f64).powf(0.2).ceil() as u32;
    least.max(fifth_root).max(1)
}

/// Shares the pages out over the hosts: one each, and of the rest by rank, up to the bound.
fn share_out(web: &Web) -> Vec<u64> {
    let hosts = web.hosts as usize;
    let rest = (web.pages - u64::from(web.hosts)) as f64;
    let cap = f64::from(web.max_host_pages.max(1) - 1).max(rest / hosts as f64);
    let weights: Vec<f64> = (1..=hosts)
        .map(|rank| (rank as f64).powf(-web.host_size_exponent))
        .collect();
    let given = |scale: f64| {
        weights
            .iter()
            .map(|weight| (weight * scale).min(cap))
            .sum::<f64>()
    };
    let (mut low, mut high) = (0.0, 1.0);
    while given(high) < rest * (1.0 - 1e-12) && high < 1e30 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if given(middle) < rest {
            low = middle
        } else {
            high = middle
        }
    }
    let mut starts = Vec::with_capacity(hosts + 1);
    let mut sum = 0.0;
    for (host, weight) in weights.iter().enumerate() {
        starts.push(host as u64 + (sum + 1e-6) as u64);
        sum = (sum + (weight * high).min(cap)).min(rest);
    }
    starts.push(web.pages);
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_shared_out_whole() {
        for (hosts, pages, exponent, cap) in [
            (1, 1, 0.0, 10),
            (1, 500, 0.8, 1_000),
            (10, 10, 1.0, 5),
            (10, 1_000, 0.0, 1_000),
            (100, 20_000, 0.8, 1_000_000),
            (1_000, 20_000, 0.8, 100),
            (1_000, 20_000, 0.9, 20),
        ] {
            let web = Web {
                host_size_exponent: exponent,
                max_host_pages: cap,
                ..Web::plain(1, hosts, pages)
            };
            let plan = Plan::new(web);
            let sizes: Vec<u32> = (0..hosts).map(|host| plan.host_pages(host)).collect();
            assert_eq!(
                sizes.iter().map(|size| u64::from(*size)).sum::<u64>(),
                pages
            );
            assert!(
                sizes.iter().all(|size| *size >= 1 && *size <= cap + 1),
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn sizes_fall_with_the_rank() {
        let plan = Plan::new(Web::realistic(1, 1_000, 52_000));
        assert!(plan.host_pages(0) > 20 * plan.host_pages(999));
    }

    #[test]
    fn the_outcome_mix_is_what_was_asked_for() {
        let plan = Plan::new(Web::realistic(5, 1, 50_000));
        let count = |wanted: PageKind| {
            (0..50_000)
                .filter(|page| {
                    plan.kind(PageId {
                        host: 0,
                        page: *page,
                    }) == wanted
                })
                .count()
        };
        for (kind, share) in [
            (PageKind::NotFound, 0.036),
            (PageKind::Moved, 0.0413),
            (PageKind::Hang, 0.01),
        ] {
            let found = count(kind) as f64 / 50_000.0;
            assert!(
                (found - share).abs() < 0.004,
                "{kind:?}: {found} for {share}"
            );
        }
        let denied = (0..50_000).filter(|page| {
            plan.is_denied(PageId {
                host: 0,
                page: *page,
            })
        });
        assert!((denied.count() as f64 / 50_000.0 - 0.095).abs() < 0.006);
    }

    #[test]
    fn redirects_end() {
        let plan = Plan::new(Web::realistic(5, 20, 20_000));
        for page in 1..1_000 {
            let mut id = PageId { host: 3, page };
            let mut steps = 0;
            while matches!(plan.kind(id), PageKind::Moved | PageKind::Found) {
                id = plan.redirect_target(id);
                steps += 1;
                assert!(steps < 20);
            }
        }
    }
}
