//! What a right crawler finds.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use crate::address::PageId;
use crate::plan::{PageKind, Plan};
use crate::web::Web;

/// Which hosts a crawl takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruthScope {
    /// Every host.
    Any,
    /// The hosts of the seeds only.
    Host,
}

/// What a right crawler that starts from the seeds finds: it follows the links of `a` and `area`
/// elements, takes a redirect as a link one hop further, and asks for nothing that robots.txt denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Every URL to ask for, in canonical form.
    pub pages: BTreeMap<String, TruthPage>,
    /// Every URL found that robots.txt denies, with its hops.
    pub denied: BTreeMap<String, u32>,
}

/// What is true of one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthPage {
    /// The status that it ends with: 200 for one that answers 503 first, 0 where no answer comes.
    pub status: u16,
    /// The least number of links and redirects from a seed.
    pub hops: u32,
    /// What it is.
    pub kind: PageKind,
}

impl Truth {
    /// The pages as text: a line each with tabs between URL, hops and status.
    pub fn to_tsv(&self) -> String {
        let mut out = String::with_capacity(64 * self.pages.len());
        for (url, page) in &self.pages {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{url}\t{}\t{}", page.hops, page.status);
        }
        out
    }
}

impl Web {
    /// What a right crawler finds. Costs the time to draw every reachable page's links (some 2 us a
    /// page optimised) and, while it runs, 4 bytes a page of the web besides the answer.
    pub fn truth(&self, scope: TruthScope) -> Truth {
        Plan::new(self.clone()).truth(scope)
    }
}

const UNSEEN: u32 = u32::MAX;

impl Plan {
    /// [`Web::truth`].
    pub(crate) fn truth(&self, scope: TruthScope) -> Truth {
        let mut walk = Walk {
            plan: self,
            scope,
            hops: vec![UNSEEN; self.web.pages as usize],
            queue: VecDeque::new(),
        };
        for host in 0..self.web.seed_hosts {
            walk.find(PageId { host, page: 0 }, 0);
        }
        let mut truth = Truth {
            pages: BTreeMap::new(),
            denied: BTreeMap::new(),
        };
        while let Some((id, hops)) = walk.queue.pop_front() {
            let mut url = Vec::with_capacity(64);
            self.web.push_url(id, &mut url);
            let url = String::from_utf8(url).unwrap_or_default();
            if self.is_denied(id) {
                truth.denied.insert(url, hops);
                continue;
            }
            let kind = self.kind(id);
            truth.pages.insert(
                url,
                TruthPage {
                    status: kind.status(),
                    hops,
                    kind,
                },
            );
            match kind {
                PageKind::Html | PageKind::Flaky => {
                    self.each_link(id, |_| (), |link| walk.find(link.to, hops + 1));
                }
                PageKind::Moved | PageKind::Found => {
                    walk.find(self.redirect_target(id), hops + 1);
                }
                _ => {}
            }
        }
        truth
    }
}

/// A breadth-first walk; each page enters the queue once, so the web's size bounds it.
struct Walk<'a> {
    plan: &'a Plan,
    scope: TruthScope,
    hops: Vec<u32>,
    queue: VecDeque<(PageId, u32)>,
}

impl Walk<'_> {
    fn find(&mut self, id: PageId, hops: u32) {
        if self.scope == TruthScope::Host && id.host >= self.plan.web.seed_hosts {
            return;
        }
        let place = self.plan.ordinal(id) as usize;
        if let Some(seen) = self.hops.get_mut(place).filter(|seen| **seen == UNSEEN) {
            *seen = hops;
            self.queue.push_back((id, hops));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_page_of_a_plain_web_is_reached(
            seed in any::<u64>(), hosts in 1_u32..40, pages in 0_u64..1_500, exponent in 0.0..1.2_f64,
        ) {
            let pages = pages + u64::from(hosts);
            let web =
                Web { host_size_exponent: exponent, ..Web::plain(seed, hosts, pages) };
            let truth = web.truth(TruthScope::Any);
            prop_assert_eq!(truth.pages.len() as u64, pages);
            prop_assert!(truth.denied.is_empty());
            prop_assert!(truth.pages.values().all(|page| page.hops <= 10 && page.status == 200));
        }
    }

    #[test]
    fn scope_host_keeps_to_the_hosts_of_the_seeds() {
        let web = Web {
            seed_hosts: 2,
            ..Web::plain(3, 10, 1_000)
        };
        let truth = web.truth(TruthScope::Host);
        assert_eq!(truth.pages.len(), 200);
        assert!(
            truth
                .pages
                .keys()
                .all(|url| url.contains("//h0.") || url.contains("//h1."))
        );
    }

    #[test]
    fn a_page_of_a_chain_is_reached_by_the_page_before_it() {
        let truth = Web::chains(1, 3, 300).truth(TruthScope::Any);
        assert_eq!(truth.pages.len(), 300);
        let deepest = truth.pages.values().map(|page| page.hops).max();
        assert_eq!(deepest, Some(99));
    }

    #[test]
    fn most_of_a_realistic_web_is_reached() {
        let truth = Web::realistic(3, 100, 5_200).truth(TruthScope::Any);
        assert!(
            truth.pages.len() + truth.denied.len() > 4_400,
            "{}",
            truth.pages.len()
        );
        assert!(truth.denied.len() > 100);
        assert!(
            truth
                .pages
                .values()
                .any(|page| page.kind == PageKind::Moved)
        );
    }
}
