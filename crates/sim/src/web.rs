//! The parameters of a simulated web and its three profiles.

use serde::{Deserialize, Serialize};

use crate::draw::Draw;
use crate::error::{Error, ErrorKind};

/// The largest number of pages of one web.
pub const MAX_PAGES: u64 = 1 << 31;

/// The largest number of hosts of one web.
pub const MAX_HOSTS: u32 = 10_000_000;

/// A simulated web: every host, page, link, byte and outcome follows from these parameters.
///
/// The names of hosts are `h0` to `h{hosts - 1}` below [`Web::domain`]. Page 0 of a host is `/` and
/// always answers 200. Page 0 of every host is reached from page 0 of host 0 over a tree of hosts,
/// and every page of a host from its page 0 over a tree of at most six levels, as long as the pages
/// on the way answer 200 and may be fetched.
///
/// The figures of [`Web::realistic`] are those of `shared/corpora/DISTRIBUTIONS.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// From which all else is drawn. Default 1.
    pub seed: u64,
    /// Hosts, at least 1, at most [`MAX_HOSTS`]. Default 10.
    pub hosts: u32,
    /// Pages over all hosts, at least one a host, at most [`MAX_PAGES`]. Default 1,000.
    pub pages: u64,
    /// How many hosts, from host 0 on, have their page 0 among the seeds. Default 1.
    pub seed_hosts: u32,
    /// The name that the hosts are below. Default `sim.test`.
    pub domain: String,
    /// Whether the URLs are https. A server sets it to what it serves. Default false.
    pub tls: bool,
    /// The port in the URLs; none is written where it is the scheme's own or `None`. A server
    /// started with `None` sets it to the port that it listens on. Default `None`.
    pub public_port: Option<u16>,
    /// Pages of the host of rank r fall as r to the power of minus this; 0 shares pages out equally.
    /// Default 0, realistic 0.8.
    pub host_size_exponent: f64,
    /// The most pages that one host gets (one more by rounding). Default 1,000,000.
    pub max_host_pages: u32,
    /// The least number of children of a page in the tree of its host and of a host in the tree of
    /// hosts; large trees get more, so that they are at most six levels deep. Default 8.
    pub children: u32,
    /// How many of a host's first pages its navigation links point to. Default 40.
    pub nav_pages: u32,
    /// Share of the internal links outside the tree that point to the navigation set. Default 0.85.
    pub nav_share: f64,
    /// Links to the same host a page. Default 32, realistic lognormal with median 43, sigma 1.1.
    pub internal_links: Spread,
    /// Links to other hosts a page. Default 3, realistic lognormal with median 6, sigma 1.05.
    pub external_links: Spread,
    /// The host of rank r is linked to with a probability that falls as r to the power of minus
    /// this. Default 0.7.
    pub external_exponent: f64,
    /// Bytes of a page before compression; a page whose links need more is longer. Default 8,192,
    /// light 22,000, realistic lognormal with median 60,000, sigma 1, most 2 MB.
    pub page_bytes: Spread,
    /// Milliseconds before the first byte. Default 0, realistic lognormal(350, 0.85).
    pub latency_ms: Spread,
    /// Milliseconds that a hanging reply hangs before its connection is closed. Default one hour.
    pub hang_ms: u64,
    /// Share of the pages on which one link has a twin with `rel=nofollow`. Default 0, realistic 0.323.
    pub nofollow: f64,
    /// Share of the hosts that speak HTTP/1.1 only where the server offers HTTP/2. Default 0,
    /// realistic 0.25.
    pub http1_only: f64,
    /// Requests a second that a host answers before it answers 429 or 503 with `Retry-After: 1`;
    /// bursts of one second's worth pass. Default `None`.
    pub max_rate: Option<f64>,
    /// What the pages answer. Default all 200.
    pub outcomes: Outcomes,
    /// What the hosts' robots.txt answer. Default 200 with rules everywhere.
    pub robots: RobotsMix,
    /// In which charsets the hosts write. Default UTF-8 everywhere.
    pub charsets: CharsetMix,
}

/// A lognormal distribution between two bounds; constant where `sigma` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    /// The least value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// Always `value`.
    pub const fn constant(value: f64) -> Self {
        Self {
            median: value,
            sigma: 0.0,
            min: value,
            max: value,
        }
    }

    /// Lognormal, cut to `min..=max`.
    pub const fn lognormal(median: f64, sigma: f64, min: f64, max: f64) -> Self {
        Self {
            median,
            sigma,
            min,
            max,
        }
    }

    /// The next value.
    pub(crate) fn draw(&self, draw: &mut Draw) -> f64 {
        if self.sigma == 0.0 {
            return self.median;
        }
        (self.median * (self.sigma * draw.normal()).exp())
            .max(self.min)
            .min(self.max)
    }

    fn holds(&self, most: f64) -> bool {
        self.min >= 0.0
            && self.min <= self.median
            && self.median <= self.max
            && self.max <= most
            && (0.0..=10.0).contains(&self.sigma)
    }
}

/// Shares of the pages (page 0 of a host apart) by what they answer; the rest is 200.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outcomes {
    /// Below `/private/`, which robots.txt denies where the host has one with rules. Realistic 0.095.
    pub denied: f64,
    /// 404. Realistic 0.036.
    pub not_found: f64,
    /// 410. Realistic 0.0012.
    pub gone: f64,
    /// 403. Realistic 0.0004.
    pub forbidden: f64,
    /// 301 to another page; chains happen, loops do not. Realistic 0.0413.
    pub moved: f64,
    /// 302 to another page. Realistic 0.0198.
    pub found: f64,
    /// 500, each time. Realistic 0.003.
    pub server_error: f64,
    /// 503 when asked first, then 200. Realistic 0.003.
    pub flaky: f64,
    /// The connection is closed without an answer. Realistic 0.003.
    pub reset: f64,
    /// No answer for [`Web::hang_ms`]. Realistic 0.01.
    pub hang: f64,
    /// 200 with a Content-Length of twice what is sent before the connection is closed; no links.
    /// Default and realistic 0.
    pub truncated: f64,
    /// 200 with `application/pdf`. Realistic 0.01.
    pub other_type: f64,
}

impl Outcomes {
    fn shares(&self) -> [f64; 12] {
        [
            self.denied,
            self.not_found,
            self.gone,
            self.forbidden,
            self.moved,
            self.found,
            self.server_error,
            self.flaky,
            self.reset,
            self.hang,
            self.truncated,
            self.other_type,
        ]
    }
}

/// Shares of the hosts by what their robots.txt answers; the rest is 200 with rules.
/// Host 0 always has rules.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobotsMix {
    /// 404: all is allowed. Realistic 0.13.
    pub not_found: f64,
    /// 403: all is allowed (RFC 9309 section 2.3.1.3). Realistic 0.005.
    pub forbidden: f64,
    /// 503, each time: all is denied (RFC 9309 section 2.3.1.4). Realistic 0.001.
    pub server_error: f64,
    /// No answer for [`Web::hang_ms`]: all is denied. Realistic 0.01.
    pub hang: f64,
    /// 200 and empty: all is allowed. Realistic 0.015.
    pub empty: f64,
    /// Of the hosts with rules, those whose robots.txt answers 301 to the rules. Realistic 0.02.
    pub moved: f64,
    /// Of the hosts with rules, those with a Crawl-delay. Realistic 0.02.
    pub crawl_delay: f64,
    /// That Crawl-delay in milliseconds. Default 1,000.
    pub crawl_delay_ms: u64,
    /// Of the hosts with rules, those with a Sitemap line. Default 0.52.
    pub sitemap: f64,
}

impl Default for RobotsMix {
    fn default() -> Self {
        Self {
            not_found: 0.0,
            forbidden: 0.0,
            server_error: 0.0,
            hang: 0.0,
            empty: 0.0,
            moved: 0.0,
            crawl_delay: 0.0,
            crawl_delay_ms: 1_000,
            sitemap: 0.52,
        }
    }
}

/// Shares of the hosts by the charset that their pages are really in; the rest is UTF-8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CharsetMix {
    /// UTF-8 that no header and no meta element declares. Realistic 0.02.
    pub undeclared: f64,
    /// ISO-8859-1. Realistic 0.047.
    pub latin1: f64,
    /// windows-1251. Realistic 0.018.
    pub windows_1251: f64,
    /// GBK. Realistic 0.015.
    pub gbk: f64,
    /// windows-1252. Realistic 0.008.
    pub windows_1252: f64,
    /// Shift_JIS. Realistic 0.005.
    pub shift_jis: f64,
    /// EUC-JP. Realistic 0.004.
    pub euc_jp: f64,
    /// ISO-8859-2. Realistic 0.003.
    pub iso_8859_2: f64,
}

impl Default for Web {
    /// A plain web: 10 hosts of 100 pages, every page 200, no latency, all reachable.
    fn default() -> Self {
        Self {
            seed: 1,
            hosts: 10,
            pages: 1_000,
            seed_hosts: 1,
            domain: "sim.test".to_owned(),
            tls: false,
            public_port: None,
            host_size_exponent: 0.0,
            max_host_pages: 1_000_000,
            children: 8,
            nav_pages: 40,
            nav_share: 0.85,
            internal_links: Spread::constant(32.0),
            external_links: Spread::constant(3.0),
            external_exponent: 0.7,
            page_bytes: Spread::constant(8_192.0),
            latency_ms: Spread::constant(0.0),
            hang_ms: 3_600_000,
            nofollow: 0.0,
            http1_only: 0.0,
            max_rate: None,
            outcomes: Outcomes::default(),
            robots: RobotsMix::default(),
            charsets: CharsetMix::default(),
        }
    }
}

impl Web {
    /// Every page 200 and reachable, no latency, 8 kB pages with 35 links: [`Web::default`] at a size.
    pub fn plain(seed: u64, hosts: u32, pages: u64) -> Self {
        Self {
            seed,
            hosts,
            pages,
            ..Self::default()
        }
    }

    /// For measurements of CPU: 22 kB pages with 35 links (page 0 of a host a few more), no latency,
    /// all fetchable.
    pub fn light(seed: u64, hosts: u32, pages: u64) -> Self {
        Self {
            page_bytes: Spread::constant(22_000.0),
            ..Self::plain(seed, hosts, pages)
        }
    }

    /// The mix of `DISTRIBUTIONS.md`: sizes, links, latency, outcomes, robots.txt, charsets.
    pub fn realistic(seed: u64, hosts: u32, pages: u64) -> Self {
        Self {
            host_size_exponent: 0.8,
            internal_links: Spread::lognormal(43.0, 1.1, 0.0, 2_000.0),
            external_links: Spread::lognormal(6.0, 1.05, 0.0, 500.0),
            page_bytes: Spread::lognormal(60_000.0, 1.0, 500.0, 2_000_000.0),
            latency_ms: Spread::lognormal(350.0, 0.85, 1.0, 30_000.0),
            nofollow: 0.323,
            http1_only: 0.25,
            outcomes: Outcomes {
                denied: 0.095,
                not_found: 0.036,
                gone: 0.0012,
                forbidden: 0.0004,
                moved: 0.0413,
                found: 0.0198,
                server_error: 0.003,
                flaky: 0.003,
                reset: 0.003,
                hang: 0.01,
                truncated: 0.0,
                other_type: 0.01,
            },
            robots: RobotsMix {
                not_found: 0.13,
                forbidden: 0.005,
                server_error: 0.001,
                hang: 0.01,
                empty: 0.015,
                moved: 0.02,
                crawl_delay: 0.02,
                ..RobotsMix::default()
            },
            charsets: CharsetMix {
                undeclared: 0.02,
                latin1: 0.047,
                windows_1251: 0.018,
                gbk: 0.015,
                windows_1252: 0.008,
                shift_jis: 0.005,
                euc_jp: 0.004,
                iso_8859_2: 0.003,
            },
            ..Self::plain(seed, hosts, pages)
        }
    }

    /// The same web with a constant latency of `milliseconds`.
    #[must_use]
    pub fn with_latency_ms(self, milliseconds: f64) -> Self {
        Self {
            latency_ms: Spread::constant(milliseconds),
            ..self
        }
    }

    /// Holds every parameter against its bounds.
    ///
    /// # Errors
    /// [`ErrorKind::Parameter`] names the first that is out of them.
    pub fn check(&self) -> Result<(), Error> {
        let robots = &self.robots;
        let checks = [
            ("hosts", (1..=MAX_HOSTS).contains(&self.hosts)),
            (
                "pages",
                self.pages >= u64::from(self.hosts) && self.pages <= MAX_PAGES,
            ),
            ("seed_hosts", (1..=self.hosts).contains(&self.seed_hosts)),
            ("domain", is_domain(&self.domain)),
            (
                "host_size_exponent",
                (0.0..=4.0).contains(&self.host_size_exponent),
            ),
            (
                "max_host_pages",
                u64::from(self.max_host_pages) * u64::from(self.hosts) >= self.pages,
            ),
            ("children", (1..=64).contains(&self.children)),
            ("nav_pages", (1..=10_000).contains(&self.nav_pages)),
            ("internal_links", self.internal_links.holds(20_000.0)),
            ("external_links", self.external_links.holds(20_000.0)),
            (
                "external_exponent",
                (0.0..=4.0).contains(&self.external_exponent),
            ),
            ("page_bytes", self.page_bytes.holds(100e6)),
            ("latency_ms", self.latency_ms.holds(86_400e3)),
            (
                "max_rate",
                self.max_rate
                    .is_none_or(|rate| (0.001..=1e6).contains(&rate)),
            ),
            (
                "crawl_delay_ms",
                (1..=3_600_000).contains(&robots.crawl_delay_ms),
            ),
            ("nav_share, nofollow, http1_only", {
                [self.nav_share, self.nofollow, self.http1_only]
                    .iter()
                    .all(|share| is_share(*share))
            }),
            ("outcomes", are_shares(&self.outcomes.shares())),
            ("robots", {
                let answers = [
                    robots.not_found,
                    robots.forbidden,
                    robots.server_error,
                    robots.hang,
                    robots.empty,
                ];
                are_shares(&answers)
                    && [robots.moved, robots.crawl_delay, robots.sitemap]
                        .iter()
                        .all(|s| is_share(*s))
            }),
            ("charsets", are_shares(&self.charsets.shares())),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some((name, _)) => Err(Error::new(ErrorKind::Parameter, *name)),
            None => Ok(()),
        }
    }
}

impl CharsetMix {
    pub(crate) fn shares(&self) -> [f64; 8] {
        [
            self.undeclared,
            self.latin1,
            self.windows_1251,
            self.gbk,
            self.windows_1252,
            self.shift_jis,
            self.euc_jp,
            self.iso_8859_2,
        ]
    }
}

fn is_share(share: f64) -> bool {
    (0.0..=1.0).contains(&share)
}

fn are_shares(shares: &[f64]) -> bool {
    shares.iter().all(|share| is_share(*share)) && shares.iter().sum::<f64>() <= 1.0 + 1e-9
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= 200 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_hold_their_own_bounds() {
        for web in [
            Web::default(),
            Web::light(1, 100, 20_000),
            Web::realistic(1, 10_000, 200_000),
        ] {
            assert!(web.check().is_ok());
        }
    }

    #[test]
    fn a_parameter_out_of_bounds_is_named() {
        let webs = [
            ("hosts", Web::plain(1, 0, 10)),
            ("pages", Web::plain(1, 10, 9)),
            (
                "seed_hosts",
                Web {
                    seed_hosts: 11,
                    ..Web::default()
                },
            ),
            (
                "domain",
                Web {
                    domain: "Sim Test".to_owned(),
                    ..Web::default()
                },
            ),
            (
                "max_host_pages",
                Web {
                    max_host_pages: 9,
                    ..Web::default()
                },
            ),
            ("latency_ms", Web::default().with_latency_ms(f64::NAN)),
            (
                "outcomes",
                Web {
                    outcomes: Outcomes {
                        hang: 0.6,
                        reset: 0.6,
                        ..Outcomes::default()
                    },
                    ..Web::default()
                },
            ),
        ];
        for (name, web) in webs {
            let error = web.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Parameter);
            assert!(error.to_string().ends_with(name), "{error} for {name}");
        }
    }

    #[test]
    fn parameters_survive_json() {
        let web = Web::realistic(9, 50, 500);
        let text = serde_json::to_string(&web).unwrap();
        assert_eq!(serde_json::from_str::<Web>(&text).unwrap(), web);
        assert!(serde_json::from_str::<Web>("{\"sead\": 1}").is_err());
    }
}
