//! From the checked configuration to the configuration of each crate.

use std::net::IpAddr;

use nephila_fetch::{
    BasicAuth, BodyFilter, FetchConfig, NoProxy, ProxyConfig, ProxyServer, is_public,
};
use nephila_frontier::{
    CanonicalPolicy, CanonicalUrl, ContentLimits, ContentTraps, Fingerprinter, FrontierConfig,
    Politeness, Scope, ScopeLimits,
};
use nephila_parse::{ParseOptions, SitemapLimits};
use regex::RegexSet;

use crate::analysis::AnalysisOptions;
use crate::error::{Error, ErrorKind};
use crate::follow::FollowRules;
use crate::options::{CrawlConfig, Nofollow, Pattern};
use crate::seeds::Seed;
use crate::sockets::SocketShare;

/// From this many fetches at once on, the memory that each connection takes is saved.
const MANY_AT_ONCE: usize = 2_000;

/// The name and version that stand in the user agent.
const PRODUCT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Threads that fetch, each with its shards.
pub(crate) fn threads(config: &CrawlConfig) -> usize {
    match config.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// Raises the limit of open files to what the system allows this process. Returns the new limit.
///
/// # Errors
/// When the system refuses.
pub fn raise_file_limit() -> std::io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// The User-Agent header: the token, the version, and who can be reached.
pub(crate) fn user_agent(config: &CrawlConfig) -> String {
    let contact = config.contact.as_deref();
    let contact = contact.map_or_else(String::new, |contact| format!(" (+{contact})"));
    let product = if config.agent == "nephila" {
        "Nephila"
    } else {
        config.agent.as_str()
    };
    format!("{product}/{PRODUCT_VERSION}{contact}")
}

pub(crate) fn canonical_policy(config: &CrawlConfig) -> CanonicalPolicy {
    CanonicalPolicy {
        query: config.query,
        drop_parameters: config.query_drop.clone(),
        strip_sessions: config.strip_sessions,
    }
}

/// A key that nobody can guess, for the fingerprints.
pub(crate) fn random_key() -> Result<[u64; 2], Error> {
    use std::hash::{BuildHasher, RandomState};
    // The standard library seeds each RandomState from the operating system's random numbers.
    let draw = || RandomState::new().hash_one(0u64);
    Ok([draw(), draw()])
}

pub(crate) fn scope(config: &CrawlConfig, seeds: &[Seed]) -> Result<Scope, Error> {
    let set = |patterns: &[Pattern]| {
        RegexSet::new(patterns.iter().map(|pattern| pattern.0.as_str()))
            .map_err(|error| Error::new(ErrorKind::Usage, format!("--include, --exclude: {error}")))
    };
    let limits = ScopeLimits {
        max_url_bytes: config.max_url_length.0 as usize,
        max_hops: config.max_hops,
        max_repeated_segments: config.max_repeated_segments,
        max_query_variants: config.max_query_variants,
        max_path_depth: config.max_path_depth,
        max_date_ahead: config.max_date_ahead,
    };
    let urls: Vec<CanonicalUrl> = seeds.iter().map(|seed| seed.url.clone()).collect();
    let (include, exclude) = (set(&config.include)?, set(&config.exclude)?);
    Ok(Scope::new(config.scope, &urls, include, exclude, limits))
}

pub(crate) fn follow_rules(config: &CrawlConfig, seeds: &[Seed]) -> Result<FollowRules, Error> {
    let nofollow = match config.nofollow {
        Nofollow::Auto if config.ignore_robots => Nofollow::Ignore,
        other => other,
    };
    Ok(FollowRules {
        scope: scope(config, seeds)?,
        policy: canonical_policy(config),
        kinds: config.follow.clone(),
        feeds: config.feeds,
        nofollow,
    })
}

/// The traps that show in what pages say, for the hosts of one shard.
pub(crate) fn content_traps(config: &CrawlConfig, fingerprinter: Fingerprinter) -> ContentTraps {
    let limits = ContentLimits {
        max_shape_repeats: config.max_shape_repeats,
        max_copies: config.max_copies,
    };
    ContentTraps::new(limits, fingerprinter)
}

pub(crate) fn frontier_config(config: &CrawlConfig, queue_memory_bytes: usize) -> FrontierConfig {
    FrontierConfig {
        politeness: Politeness {
            delay: config.delay.0,
            max_crawl_delay: config.max_crawl_delay,
            per_host: config.per_host,
            backoff_first: config.backoff,
            backoff_most: config.max_retry_after,
            max_host_failures: config.max_host_failures,
            robots_lifetime: config.robots_lifetime,
            robots_attempts: config.robots_attempts,
            robots_retry_first: config.robots_wait,
            ignore_robots: config.ignore_robots,
        },
        order: config.order,
        max_pages_per_host: config.max_pages_per_host,
        max_query_variants: config.max_query_variants,
        queue_memory_bytes,
        ..FrontierConfig::default()
    }
}

pub(crate) fn analysis_options(config: &CrawlConfig) -> AnalysisOptions {
    AnalysisOptions {
        parse: ParseOptions {
            max_links: config.max_links,
            max_anchor_chars: config.max_anchor_length,
            max_text_bytes: config.max_text_size.0 as usize,
            want_text: config.text,
            want_simhash: true,
            agent: config.agent.clone(),
            ..ParseOptions::default()
        },
        sitemap: SitemapLimits {
            max_entries: config.max_sitemap_urls,
            max_bytes: config.max_sitemap_size.0 as usize,
            max_url_bytes: config.max_url_length.0 as usize,
            ..SitemapLimits::default()
        },
        max_body_bytes: config.max_body_size.0,
        max_sitemap_bytes: config.max_sitemap_size.0,
        want_body: config.body,
        keep_body: false,
    }
}

/// Which bodies are read: of 2xx answers those of a wanted type, of others all, so that the
/// connection stays usable.
pub(crate) fn body_filter(config: &CrawlConfig) -> BodyFilter {
    let accepted: Vec<String> = config
        .accept
        .iter()
        .map(|accept| accept.trim().to_ascii_lowercase())
        .collect();
    BodyFilter::new(move |status, headers| {
        let content_type = headers.get(http::header::CONTENT_TYPE);
        match content_type.and_then(|value| value.to_str().ok()) {
            Some(value) if (200..300).contains(&status) => {
                let essence = value.split(';').next().unwrap_or(value).trim();
                accepted.iter().any(|accept| accepts(accept, essence))
            }
            _ => true,
        }
    })
}

fn accepts(accept: &str, essence: &str) -> bool {
    match accept.strip_suffix('*') {
        Some("" | "*/") => true,
        Some(start) => essence
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => essence.eq_ignore_ascii_case(accept),
    }
}

/// The fetch crate's configuration.
///
/// # Errors
/// [`ErrorKind::Usage`] for a proxy that cannot be read.
pub(crate) fn fetch_config(config: &CrawlConfig, seeds: &[Seed]) -> Result<FetchConfig, Error> {
    Ok(FetchConfig {
        dns_timeout: config.dns_timeout,
        connect_timeout: config.connect_timeout,
        tls_timeout: config.tls_timeout,
        first_byte_timeout: config.first_byte_timeout,
        idle_timeout: config.idle_timeout,
        total_timeout: config.total_timeout,
        max_header_bytes: config.max_header_size.0 as usize,
        max_wire_bytes: config.max_wire_size.0,
        max_bodies_bytes: config.body_memory.0 / 2,
        max_decoded_bytes: config.max_body_size.0,
        max_connections_per_address: Some(usize::from(config.per_address)),
        max_idle_connections: SocketShare::of(config).idle,
        saves_memory: config
            .concurrency
            .0
            .is_some_and(|count| count >= MANY_AT_ONCE),
        allow_private: config.allow_private,
        allowed_private_hosts: seeds.iter().flat_map(own_address).collect(),
        http2: config.http2,
        verify_tls: !config.insecure,
        ca_file: config.ca.clone(),
        user_agent: user_agent(config),
        headers: config
            .header
            .iter()
            .map(|h| (h.name.clone(), h.value.clone()))
            .collect(),
        basic_auth: config
            .auth
            .iter()
            .map(|auth| BasicAuth {
                host: bound_host(&auth.host, seeds),
                user: auth.user.clone(),
                password: auth.password.clone(),
            })
            .collect(),
        cookies: config.cookies,
        proxy: proxy(config)?,
        resolve: config
            .resolve
            .iter()
            .map(|resolve| resolve.rule.clone())
            .collect(),
        ..FetchConfig::default()
    })
}

/// The host that credentials are bound to, with its scheme: the one written, else the one that
/// the seeds ask that host by, else https. Credentials for https are never sent over http.
fn bound_host(written: &str, seeds: &[Seed]) -> String {
    if written.contains("://") {
        return written.to_owned();
    }
    let is_plain = |seed: &&Seed| seed.url.host() == written && seed.url.scheme() == "http";
    let scheme = if seeds.iter().any(|seed| is_plain(&seed)) {
        "http"
    } else {
        "https"
    };
    format!("{scheme}://{written}")
}

/// Whether the network can be set up as configured, before anything is made on the disk.
///
/// # Errors
/// [`ErrorKind::Network`] and [`ErrorKind::Usage`], for a certificate file or a proxy.
pub(crate) fn check_network(config: &CrawlConfig, seeds: &[Seed]) -> Result<(), Error> {
    let clock = crate::clock::Clock::start();
    nephila_fetch::Shared::new(fetch_config(config, seeds)?, clock.for_fetch())?;
    Ok(())
}

fn proxy(config: &CrawlConfig) -> Result<Option<ProxyConfig>, Error> {
    let Some(proxy) = &config.proxy else {
        return Ok(ProxyConfig::from_env(&|name| std::env::var(name).ok())?);
    };
    let server: ProxyServer = proxy.parse()?;
    Ok(Some(ProxyConfig::all(
        server,
        NoProxy::parse(&config.no_proxy.join(",")),
    )))
}

/// Whether a host (name and perhaps port) is known, without asking for its address, to live on a
/// private one.
pub(crate) fn is_known_private(config: &CrawlConfig, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return !is_public(address);
    }
    name == "localhost"
        || name.ends_with(".localhost")
        || config.resolve.iter().any(|resolve| {
            let rule = &resolve.rule;
            rule.host.as_deref().is_none_or(|host| host == name) && !is_public(rule.address)
        })
}

/// A seed that names a private or loopback address itself allows it: that host at that port.
fn own_address(seed: &Seed) -> Vec<String> {
    let name = seed.url.host_name();
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let is_own = match address {
        Some(address) => !is_public(address),
        None => name == "localhost" || name.ends_with(".localhost"),
    };
    if !is_own {
        return Vec::new();
    }
    if seed.url.host() != name {
        return vec![seed.url.host().to_owned()];
    }
    // Without a port: http and https of the host, as one may lead to the other.
    vec![format!("{name}:80"), format!("{name}:443")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_match_by_their_essence() {
        assert!(accepts("text/html", "Text/HTML"));
        assert!(accepts("text/*", "text/plain"));
        assert!(accepts("*/*", "image/png"));
        assert!(!accepts("text/*", "application/pdf"));
        assert!(!accepts("text/html", "text/htmlx"));
    }
}
