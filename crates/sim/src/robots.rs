//! robots.txt and sitemaps of the hosts.

use std::io::Write as _;

use crate::address::{PRIVATE, PageId};
use crate::draw::{Draw, Topic};
use crate::plan::{Plan, RobotsKind};

/// URLs a sitemap; the protocol's own bound is 50,000.
pub(crate) const SITEMAP_URLS: u32 = 10_000;

impl Plan {
    /// The Crawl-delay in the robots.txt of a host, in milliseconds.
    pub(crate) fn crawl_delay_ms(&self, host: u32) -> Option<u64> {
        let mix = &self.web.robots;
        let mut draw = self.robots_draw(host);
        let drawn = draw.unit() < mix.crawl_delay;
        (drawn && self.robots(host) == RobotsKind::Rules).then_some(mix.crawl_delay_ms)
    }

    /// Whether the robots.txt of a host answers 301 to where its rules are.
    pub(crate) fn is_robots_moved(&self, host: u32) -> bool {
        let mut draw = self.robots_draw(host);
        draw.bits();
        draw.unit() < self.web.robots.moved && self.robots(host) == RobotsKind::Rules
    }

    fn robots_draw(&self, host: u32) -> Draw {
        Draw::new(self.web.seed, Topic::RobotsBody, host, 0)
    }

    /// Appends the rules of a host: the group for `*` denies what lies below `/private/`.
    pub(crate) fn push_robots(&self, host: u32, out: &mut Vec<u8>) {
        let mut draw = self.robots_draw(host);
        draw.bits();
        draw.bits();
        let has_sitemap = draw.unit() < self.web.robots.sitemap;
        let bits = draw.bits();
        let start = out.len();
        if bits & 7 == 0 {
            out.extend_from_slice(b"\xEF\xBB\xBF");
        }
        if bits >> 3 & 3 == 0 {
            out.extend_from_slice(b"# rules of this host\n\n");
        }
        if bits >> 5 & 3 == 0 {
            out.extend_from_slice(
                b"User-agent: rude-robot\nUser-agent: ruder-robot\nDisallow: /\n\n",
            );
        }
        let agent = if bits >> 7 & 3 == 0 {
            "user-AGENT : *"
        } else {
            "User-agent: *"
        };
        out.extend_from_slice(agent.as_bytes());
        out.extend_from_slice(b"\nAllow: /\nDisallow: ");
        out.extend_from_slice(PRIVATE.as_bytes());
        out.extend_from_slice(if bits >> 9 & 3 == 0 {
            b" # not for robots\n"
        } else {
            b"\n"
        });
        if let Some(delay) = self.crawl_delay_ms(host) {
            out.extend_from_slice(format!("Crawl-delay: {}\n", delay as f64 / 1e3).as_bytes());
        }
        if has_sitemap {
            out.extend_from_slice(b"\nSitemap: ");
            self.web.push_url(PageId { host, page: 0 }, out);
            out.extend_from_slice(b"sitemap.xml\n");
        }
        if bits >> 11 & 3 == 0 {
            let unix = out.split_off(start);
            out.extend(
                unix.split_inclusive(|byte| *byte == b'\n')
                    .flat_map(|line| {
                        let (text, end) =
                            line.split_at(line.len() - usize::from(line.ends_with(b"\n")));
                        let end: &[u8] = if end.is_empty() { b"" } else { b"\r\n" };
                        text.iter().chain(end).copied()
                    }),
            );
        }
    }

    /// How many sitemaps list the pages of a host; where more than one, `/sitemap.xml` is their index.
    pub(crate) fn sitemaps(&self, host: u32) -> u32 {
        self.host_pages(host).div_ceil(SITEMAP_URLS)
    }

    /// Appends `/sitemap.xml` (`part` none) or `/sitemap-{part}.xml`.
    pub(crate) fn push_sitemap(&self, host: u32, part: Option<u32>, out: &mut Vec<u8>) {
        const OPEN: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">";
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let count = self.sitemaps(host);
        if part.is_none() && count > 1 {
            // Writing to memory does not fail.
            let _ = writeln!(out, "<sitemapindex {OPEN}");
            for part in 0..count {
                out.extend_from_slice(b"<sitemap><loc>");
                self.web.push_url(PageId { host, page: 0 }, out);
                let _ = writeln!(out, "sitemap-{part}.xml</loc></sitemap>");
            }
            out.extend_from_slice(b"</sitemapindex>\n");
            return;
        }
        let _ = writeln!(out, "<urlset {OPEN}");
        let first = part.unwrap_or_default().saturating_mul(SITEMAP_URLS);
        let end = first
            .saturating_add(SITEMAP_URLS)
            .min(self.host_pages(host));
        let mut url = Vec::new();
        for page in first..end {
            url.clear();
            self.web.push_url(PageId { host, page }, &mut url);
            out.extend_from_slice(b"<url><loc>");
            for piece in url.split_inclusive(|byte| *byte == b'&') {
                out.extend_from_slice(piece);
                if piece.ends_with(b"&") {
                    out.extend_from_slice(b"amp;");
                }
            }
            let _ = writeln!(out, "</loc><priority>0.{}</priority></url>", 9 - page % 9);
        }
        out.extend_from_slice(b"</urlset>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::RobotsMix;
    use crate::web::Web;

    #[test]
    fn robots_txt_denies_the_private_pages() {
        let robots = RobotsMix {
            crawl_delay: 0.5,
            crawl_delay_ms: 250,
            ..RobotsMix::default()
        };
        let plan = Plan::new(Web {
            robots,
            ..Web::realistic(4, 50, 5_000)
        });
        let mut delays = 0;
        for host in 0..50 {
            let mut out = Vec::new();
            plan.push_robots(host, &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("\nDisallow: /private/"), "{text}");
            assert_eq!(
                text.contains("Crawl-delay: 0.25"),
                plan.crawl_delay_ms(host).is_some()
            );
            delays += usize::from(plan.crawl_delay_ms(host).is_some());
        }
        assert!((10..45).contains(&delays), "{delays}");
    }

    #[test]
    fn sitemaps_list_every_page_once() {
        let plan = Plan::new(Web::plain(1, 1, 25_000));
        let mut index = Vec::new();
        plan.push_sitemap(0, None, &mut index);
        assert_eq!(
            String::from_utf8(index).unwrap().matches("<loc>").count(),
            3
        );
        let mut urls = std::collections::BTreeSet::new();
        for part in 0..3 {
            let mut out = Vec::new();
            plan.push_sitemap(0, Some(part), &mut out);
            let text = String::from_utf8(out).unwrap();
            urls.extend(
                text.lines()
                    .filter(|line| line.contains("<loc>"))
                    .map(str::to_owned),
            );
        }
        assert_eq!(urls.len(), 25_000);
    }
}
