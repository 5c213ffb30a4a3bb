//! The parameters of a web, which all verbs take in the same way.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use nephila_sim::{TruthScope, Web};

/// What the web is like before the other options change it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Profile {
    /// Every page 200, 8 kB.
    Plain,
    /// Every page 200, 22 kB, 35 links: for measurements of CPU.
    Light,
    /// Sizes, links, latency, outcomes, robots.txt and charsets of today's web.
    Realistic,
}

/// Which hosts a crawl takes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Scope {
    /// Every host.
    Any,
    /// The hosts of the seeds.
    Host,
}

impl From<Scope> for TruthScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Any => Self::Any,
            Scope::Host => Self::Host,
        }
    }
}

/// Parameters of the web.
#[derive(Debug, Args)]
pub(crate) struct WebArguments {
    /// What the web is like before the options below change it.
    #[arg(long, value_enum, default_value = "plain")]
    profile: Profile,
    /// From which all is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hosts.
    #[arg(long, default_value_t = 10)]
    hosts: u32,
    /// Pages over all hosts.
    #[arg(long, default_value_t = 1_000)]
    pages: u64,
    /// How many hosts have their page 0 among the seeds.
    #[arg(long)]
    seed_hosts: Option<u32>,
    /// Constant time before the first byte, as `100ms` or `2s`.
    #[arg(long, value_parser = duration)]
    latency: Option<Duration>,
    /// How long a hanging reply hangs.
    #[arg(long, value_parser = duration)]
    hang: Option<Duration>,
    /// Pages of the host of rank r fall as r to the power of minus this.
    #[arg(long)]
    size_exponent: Option<f64>,
    /// The most pages of one host.
    #[arg(long)]
    max_host_pages: Option<u32>,
    /// Requests a second above which a host answers 429 or 503.
    #[arg(long)]
    max_rate: Option<f64>,
    /// Requests that a host works on at once.
    #[arg(long)]
    host_workers: Option<u32>,
    /// Bytes a second that all answers together are sent at.
    #[arg(long)]
    bandwidth: Option<u64>,
    /// Each page of a host is linked by the page before it alone.
    #[arg(long)]
    chain: bool,
    /// The name that the hosts are below.
    #[arg(long)]
    domain: Option<String>,
    /// The port in the URLs where it is not the one listened on.
    #[arg(long)]
    public_port: Option<u16>,
    /// https rather than http.
    #[arg(long)]
    pub(crate) tls: bool,
    /// All parameters as JSON, from a file or from the line that `serve` prints; the options above are
    /// not read then.
    #[arg(long, value_name = "FILE")]
    web: Option<PathBuf>,
}

impl WebArguments {
    /// The web, its parameters within their bounds.
    pub(crate) fn web(&self) -> anyhow::Result<Web> {
        let web = match &self.web {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let json: serde_json::Value = serde_json::from_str(&text)
                    .with_context(|| format!("no JSON in {}", path.display()))?;
                let inner = json.get("web").cloned().unwrap_or(json);
                serde_json::from_value(inner)
                    .with_context(|| format!("no parameters of a web in {}", path.display()))?
            }
            None => self.drawn(),
        };
        web.check()?;
        Ok(web)
    }

    fn drawn(&self) -> Web {
        let mut web = match self.profile {
            Profile::Plain => Web::plain(self.seed, self.hosts, self.pages),
            Profile::Light => Web::light(self.seed, self.hosts, self.pages),
            Profile::Realistic => Web::realistic(self.seed, self.hosts, self.pages),
        };
        if let Some(latency) = self.latency {
            web = web.with_latency_ms(latency.as_secs_f64() * 1e3);
        }
        web.tls = self.tls;
        web.public_port = self.public_port;
        web.max_rate = self.max_rate.or(web.max_rate);
        web.host_workers = self.host_workers.or(web.host_workers);
        web.bandwidth = self.bandwidth.or(web.bandwidth);
        if self.chain {
            let chains = Web::chains(self.seed, self.hosts, self.pages);
            (web.chain, web.seed_hosts) = (true, chains.seed_hosts);
            (web.internal_links, web.external_links) =
                (chains.internal_links, chains.external_links);
        }
        web.seed_hosts = self.seed_hosts.unwrap_or(web.seed_hosts);
        web.host_size_exponent = self.size_exponent.unwrap_or(web.host_size_exponent);
        web.max_host_pages = self.max_host_pages.unwrap_or(web.max_host_pages);
        if let Some(hang) = self.hang {
            web.hang_ms = u64::try_from(hang.as_millis()).unwrap_or(u64::MAX);
        }
        if let Some(domain) = &self.domain {
            web.domain.clone_from(domain);
        }
        web
    }
}

/// Reads `250us`, `100ms`, `1.5s`, `2m` or `1h`.
pub(crate) fn duration(text: &str) -> anyhow::Result<Duration> {
    let units = [
        ("us", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
    ];
    for (unit, seconds) in units {
        let number = text
            .strip_suffix(unit)
            .and_then(|number| number.parse::<f64>().ok());
        if let Some(number) = number {
            return Duration::try_from_secs_f64(number * seconds).context("out of range");
        }
    }
    bail!("no duration; write it as 250us, 100ms, 1.5s, 2m or 1h")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("100ms").unwrap(), Duration::from_millis(100));
        assert_eq!(duration("1.5s").unwrap(), Duration::from_millis(1_500));
        assert_eq!(duration("2m").unwrap(), Duration::from_secs(120));
        for text in ["", "5", "ms", "-1s", "nans", "1e300h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
