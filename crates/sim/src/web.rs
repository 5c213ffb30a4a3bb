//! The parameters of a simulated web and its three profiles.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::mix::{CharsetMix, Outcomes, RobotsMix, Spread};

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
    /// Requests that a host works on at once; those beyond wait, and the host becomes slower the more it is asked.
    /// Default `None`: all.
    pub host_workers: Option<u32>,
    /// Bytes a second that all answers together are sent at. Default `None`.
    pub bandwidth: Option<u64>,
    /// Whether each page of a host is linked by the page before it alone, but for what
    /// [`Web::internal_links`] adds. Default false.
    pub chain: bool,
    /// What the pages answer. Default all 200.
    pub outcomes: Outcomes,
    /// What the hosts' robots.txt answer. Default 200 with rules everywhere.
    pub robots: RobotsMix,
    /// In which charsets the hosts write. Default UTF-8 everywhere.
    pub charsets: CharsetMix,
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
            host_workers: None,
            bandwidth: None,
            chain: false,
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

    /// A chain of pages a host, each host a seed: as many pages can be known at a time as there are hosts.
    pub fn chains(seed: u64, hosts: u32, pages: u64) -> Self {
        Self {
            chain: true,
            seed_hosts: hosts,
            internal_links: Spread::constant(0.0),
            external_links: Spread::constant(0.0),
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
                "host_workers",
                self.host_workers
                    .is_none_or(|workers| (1..=10_000).contains(&workers)),
            ),
            (
                "bandwidth",
                self.bandwidth.is_none_or(|bandwidth| bandwidth >= 1_000),
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
