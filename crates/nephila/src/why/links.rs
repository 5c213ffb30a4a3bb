//! Which rows link to a URL, and what holds these links back.

use std::net::SocketAddr;

use nephila_fetch::is_public;
use nephila_frontier::{CanonicalUrl, Outcome, UrlKind};
use nephila_parse::{LinkKind, robots_directives};
use nephila_store::PartPosition;
use serde::{Deserialize, Serialize};

use super::search::{parse_row, quoted_needle};
use crate::committed_rows::CommittedRows;
use crate::directory::CrawlDirectory;
use crate::error::Error;
use crate::follow::FollowRules;
use crate::options::{CrawlConfig, OptionValue};
use crate::visit_row::TOO_MANY_COPIES;

/// Links that are told one by one; a link that nothing holds back always is.
const MOST_LINKS: usize = 5;

/// A link to the URL that was asked about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkTo {
    /// The page that it stands on.
    pub page: String,
    /// The kind of link; `redirect` for a redirect's target.
    pub kind: String,
    /// Its `rel` tokens.
    pub rel: String,
    /// The option whose rule holds it back, where one does.
    pub held_by: Option<&'static str>,
    /// The same in words.
    pub reason: Option<String>,
}

/// What is looked for, and the rules that it is held against.
pub(super) struct LinkSearch<'a> {
    pub(super) url: &'a CanonicalUrl,
    pub(super) rules: &'a FollowRules,
    pub(super) config: &'a CrawlConfig,
}

/// The links that were found.
#[derive(Debug, Default)]
pub(super) struct FoundLinks {
    pub(super) first: Vec<LinkTo>,
    pub(super) count: u64,
}

/// What is needed of a row.
#[derive(Deserialize)]
struct LinkingRow {
    url: String,
    host: String,
    outcome: String,
    hops: u16,
    robots: Option<String>,
    address: Option<String>,
    redirect_target: Option<String>,
    #[serde(default)]
    duplicate_of: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    outlinks: Vec<OutlinkHead>,
}

#[derive(Deserialize)]
struct OutlinkHead {
    url: String,
    rel: String,
    kind: String,
}

/// Reads all rows for links to the URL.
pub(super) fn find_links(
    directory: &CrawlDirectory,
    end: PartPosition,
    search: &LinkSearch<'_>,
) -> Result<FoundLinks, Error> {
    let needle = quoted_needle(search.url.as_str())?;
    let mut found = FoundLinks::default();
    let mut rows = CommittedRows::up_to(directory.row_parts()?, end);
    let mut row = Vec::new();
    while rows.next_into(&mut row)? {
        let Some(place) = rows.place().filter(|_| needle.is_match(&row)) else {
            continue;
        };
        search.read_row(&parse_row(&row, &place)?, &mut found);
    }
    Ok(found)
}

impl FoundLinks {
    fn add(&mut self, link: LinkTo) {
        self.count += 1;
        if self.first.len() < MOST_LINKS {
            self.first.push(link);
        } else if link.held_by.is_none()
            && let Some(last) = self.first.last_mut()
        {
            *last = link;
        }
    }
}

impl LinkSearch<'_> {
    fn read_row(&self, row: &LinkingRow, found: &mut FoundLinks) {
        let url = self.url.as_str();
        for link in row.outlinks.iter().filter(|link| link.url == url) {
            let held = self.holds_back(link, row);
            found.add(LinkTo {
                page: row.url.clone(),
                kind: link.kind.clone(),
                rel: link.rel.clone(),
                held_by: held.as_ref().map(|(option, _)| *option),
                reason: held.map(|(_, reason)| reason),
            });
        }
        if row.redirect_target.as_deref() == Some(url) {
            let held = self.holds_redirect_back(row);
            found.add(LinkTo {
                page: row.url.clone(),
                kind: LinkKind::Redirect.as_str().to_owned(),
                rel: String::new(),
                held_by: held.as_ref().map(|(option, _)| *option),
                reason: held.map(|(_, reason)| reason),
            });
        }
    }

    fn holds_back(&self, link: &OutlinkHead, row: &LinkingRow) -> Option<(&'static str, String)> {
        if let Some(first) = &row.duplicate_of {
            return Some(("skip-duplicates", format!("its page duplicates {first}")));
        }
        if row.warnings.iter().any(|name| name == TOO_MANY_COPIES) {
            let reason = "its page is one of too many with the very same body";
            return Some(("max-copies", reason.to_owned()));
        }
        let kind: LinkKind = link.kind.parse().ok()?;
        let Some(admitted_as) = self.rules.kind_of(kind) else {
            let option = if kind == LinkKind::Feed {
                "feeds"
            } else {
                "follow"
            };
            let followed = self.config.follow.show().join(",");
            let reason = match kind {
                LinkKind::Feed => "feeds are not read without --feeds".to_owned(),
                _ => format!("links of kind {kind} do not lead on with --follow {followed}"),
            };
            return Some((option, reason));
        };
        let page_nofollow = row
            .robots
            .as_deref()
            .is_some_and(|directives| robots_directives(directives, &self.config.agent).nofollow);
        let link_nofollow = link.rel.split(' ').any(|token| token == "nofollow");
        let is_own = row.host == self.url.host() && row.is_private();
        if self
            .rules
            .is_held_back(page_nofollow, link_nofollow, is_own)
        {
            let reason = match page_nofollow {
                true => "its page says nofollow in meta robots or X-Robots-Tag",
                false => "it has rel=nofollow",
            };
            return Some(("nofollow", reason.to_owned()));
        }
        (admitted_as == UrlKind::Page)
            .then(|| self.hops_hold_back(row.hops))
            .flatten()
    }

    fn holds_redirect_back(&self, row: &LinkingRow) -> Option<(&'static str, String)> {
        if row.outcome == Outcome::TooManyRedirects.as_str() {
            let most = u16::from(self.config.max_redirects);
            return Some((
                "max-redirects",
                format!("it is redirect {} in a row", most + 1),
            ));
        }
        self.hops_hold_back(row.hops)
    }

    fn hops_hold_back(&self, hops: u16) -> Option<(&'static str, String)> {
        let hops = hops.saturating_add(1);
        let most = self.config.max_hops.filter(|most| hops > *most)?;
        Some((
            "max-hops",
            format!("it would be {hops} hops from a seed, and {most} are taken"),
        ))
    }
}

impl LinkingRow {
    /// Whether the page came from a private or loopback address.
    fn is_private(&self) -> bool {
        let address = self
            .address
            .as_deref()
            .and_then(|text| text.parse::<SocketAddr>().ok());
        address.is_some_and(|address| !is_public(address.ip()))
    }
}
