//! How sizes, outcomes, robots.txt and charsets are spread over pages and hosts.

use serde::{Deserialize, Serialize};

use crate::draw::Draw;

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

    /// Whether it is a distribution whose values are at most `most`.
    pub(crate) fn holds(&self, most: f64) -> bool {
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
    pub(crate) fn shares(&self) -> [f64; 12] {
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
