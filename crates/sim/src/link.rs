//! Where the links of a page point.

use crate::address::PageId;
use crate::draw::{Draw, Topic};
use crate::plan::Plan;

/// A link of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) to: PageId,
    /// From which the way it is written is drawn.
    pub(crate) style: u64,
}

/// How many links a page has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkCounts {
    /// To pages of the same host.
    pub(crate) internal: u32,
    /// To other hosts.
    pub(crate) external: u32,
}

impl LinkCounts {
    pub(crate) fn all(self) -> u32 {
        self.internal + self.external
    }
}

impl Plan {
    /// Gives every link of a page in the page's order: the children in the tree of the host, on
    /// page 0 the children in the tree of hosts, then navigation and other links, then links to
    /// other hosts. `begin` is told how many there will be.
    pub(crate) fn each_link(
        &self,
        from: PageId,
        begin: impl FnOnce(LinkCounts),
        mut visit: impl FnMut(Link),
    ) {
        let web = &self.web;
        let pages = self.host_pages(from.host);
        let mut draw = Draw::new(web.seed, Topic::Links, from.host, from.page);
        let own = tree(from.page, self.page_children(pages), pages);
        let other = match from.page {
            0 => tree(from.host, self.host_children, web.hosts),
            _ => (0, 0),
        };
        let counts = self.link_counts(own.1, other.1, &mut draw);
        begin(counts);
        for child in 0..own.1 {
            let to = PageId {
                host: from.host,
                page: own.0 + child,
            };
            visit(Link {
                to,
                style: draw.bits(),
            });
        }
        for child in 0..other.1 {
            let to = PageId {
                host: other.0 + child,
                page: 0,
            };
            visit(Link {
                to,
                style: draw.bits(),
            });
        }
        let nav = web.nav_pages.min(pages);
        for _ in own.1..counts.internal {
            let within = if draw.unit() < web.nav_share {
                nav
            } else {
                pages
            };
            let to = PageId {
                host: from.host,
                page: draw.below(within),
            };
            visit(Link {
                to,
                style: draw.bits(),
            });
        }
        for _ in other.1..counts.external {
            let host = self.linked_hosts.draw(&mut draw);
            // Most links to other sites point to their front page.
            let deep = draw.below(10) < 3;
            let page = if deep {
                draw.below(self.host_pages(host))
            } else {
                0
            };
            visit(Link {
                to: PageId { host, page },
                style: draw.bits(),
            });
        }
    }

    /// As drawn, but never less than the trees need; all internal where there is one host only.
    fn link_counts(&self, own: u32, other: u32, draw: &mut Draw) -> LinkCounts {
        let internal = self.web.internal_links.draw(draw) as u32;
        let external = self.web.external_links.draw(draw) as u32;
        if self.web.hosts == 1 {
            return LinkCounts {
                internal: (internal + external).max(own),
                external: 0,
            };
        }
        LinkCounts {
            internal: internal.max(own),
            external: external.max(other),
        }
    }
}

/// First child and number of children of `node` in a tree of `count` nodes.
fn tree(node: u32, children: u32, count: u32) -> (u32, u32) {
    let first = u64::from(node) * u64::from(children) + 1;
    let end = (first + u64::from(children)).min(u64::from(count));
    (
        first.min(u64::from(count)) as u32,
        end.saturating_sub(first) as u32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Web;

    #[test]
    fn every_node_but_the_root_is_a_child_once() {
        for (children, count) in [(1, 5), (8, 1), (8, 9), (8, 1_000), (3, 100)] {
            let mut seen = vec![0; count as usize];
            for node in 0..count {
                let (first, own) = tree(node, children, count);
                (first..first + own).for_each(|child| seen[child as usize] += 1);
            }
            assert_eq!(seen[0], 0);
            assert!(seen.iter().skip(1).all(|times| *times == 1));
        }
    }

    #[test]
    fn the_light_profile_has_35_links_a_page() {
        let plan = Plan::new(Web::light(3, 100, 20_000));
        for page in 1..200 {
            let mut links = 0;
            plan.each_link(
                PageId { host: 5, page },
                |counts| assert_eq!(counts.all(), 35),
                |_| {
                    links += 1;
                },
            );
            assert_eq!(links, 35);
        }
    }
}
