//! Names to addresses: the system's name servers through hickory-resolver, and a cache of answers.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::{Hosts, Resolver, TokioResolver, system_conf};
use tokio::sync::Semaphore;

use crate::config::FetchConfig;
use crate::deadline::Deadline;
use crate::error::{FetchErrorKind, Stage};
use crate::failure::Failure;
use crate::proxy::is_localhost;
use crate::shared::Shared;

/// Answers kept, over all threads: at some 150 bytes each, 10 MB.
const CACHE_ENTRIES: usize = 65_536;
/// The longest an answer is kept, whatever its TTL says.
const TTL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest that "no such name" is kept: a typing error at a site may be mended soon.
const NEGATIVE_TTL_MAX: Duration = Duration::from_secs(60);
/// Kept where a negative answer has no TTL of its own (RFC 2308 section 5).
const NEGATIVE_TTL_DEFAULT: Duration = Duration::from_secs(30);
/// Addresses of one name that are kept and tried.
const ADDRESSES_MAX: usize = 8;
/// Lookups under way at once in one thread: home routers drop more.
const LOOKUPS_MAX: usize = 128;

/// An answer worth keeping: addresses, or the words of why there are none.
type Answer = Result<Arc<[IpAddr]>, &'static str>;

/// Answers by name, until their TTL is over.
///
/// Two generations bound it: names go into the young one, and when that is full it becomes the old
/// one and the old one is forgotten. A name found in the old generation is young again.
#[derive(Default)]
pub(crate) struct DnsCache {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Box<str>, Entry>,
    old: HashMap<Box<str>, Entry>,
}

struct Entry {
    answer: Answer,
    expires: Duration,
}

impl DnsCache {
    fn get(&self, name: &str, now: Duration) -> Option<Answer> {
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = generations.young.get(name) {
            return (now < entry.expires).then(|| entry.answer.clone());
        }
        let (name, entry) = generations.old.remove_entry(name)?;
        if now >= entry.expires {
            return None;
        }
        let answer = entry.answer.clone();
        generations.put(name, entry);
        Some(answer)
    }

    fn put(&self, name: &str, answer: Answer, now: Duration, ttl: Duration) {
        if ttl.is_zero() {
            return;
        }
        let mut generations = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        generations.put(
            name.into(),
            Entry {
                answer,
                expires: now + ttl,
            },
        );
    }
}

impl Generations {
    fn put(&mut self, name: Box<str>, entry: Entry) {
        if self.young.len() >= CACHE_ENTRIES / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name, entry);
    }
}

/// What a resolver is made from; read once for all threads.
pub(crate) struct DnsSetup {
    config: ResolverConfig,
    options: ResolverOpts,
    hosts: Arc<Hosts>,
}

impl DnsSetup {
    /// The configured name servers, or the system's. A system without any still has its hosts file.
    pub(crate) fn new(config: &FetchConfig) -> DnsSetup {
        let system = system_conf::read_system_conf();
        let (mut resolver, mut options) = system.unwrap_or_else(|_| {
            (
                ResolverConfig::from_parts(None, vec![], vec![]),
                ResolverOpts::default(),
            )
        });
        if !config.name_servers.is_empty() {
            let servers = config
                .name_servers
                .iter()
                .map(|server| name_server(*server));
            resolver = ResolverConfig::from_parts(None, vec![], servers.collect());
        }
        // The cache is ours; hickory's would be one a thread.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.max_active_requests = LOOKUPS_MAX * 2;
        let hosts = Arc::new(Hosts::from_system().unwrap_or_default());
        DnsSetup {
            config: resolver,
            options,
            hosts,
        }
    }

    fn build(&self) -> Result<TokioResolver, NetError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = Resolver::builder_with_config(self.config.clone(), provider);
        *builder.options_mut() = self.options.clone();
        let mut resolver = builder.build()?;
        resolver.set_hosts(Arc::clone(&self.hosts));
        Ok(resolver)
    }
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    udp.port = server.port();
    tcp.port = server.port();
    NameServerConfig::new(server.ip(), true, vec![udp, tcp])
}

/// One thread's way to the name servers: hickory's tasks live on the thread's own runtime.
pub(crate) struct DnsResolver {
    /// Made at the first lookup, so that a fetcher can be made outside a runtime.
    resolver: OnceCell<TokioResolver>,
    places: Semaphore,
}

impl DnsResolver {
    pub(crate) fn new() -> DnsResolver {
        DnsResolver {
            resolver: OnceCell::new(),
            places: Semaphore::new(LOOKUPS_MAX),
        }
    }

    /// The addresses of `host`, at least one and at most [`ADDRESSES_MAX`], IPv6 before IPv4.
    ///
    /// A name with a dot is taken as it is; one without is also tried under the system's search
    /// domains.
    pub(crate) async fn lookup(
        &self,
        shared: &Shared,
        host: &str,
        now: Duration,
        deadline: Deadline,
    ) -> Result<Arc<[IpAddr]>, Failure> {
        let cache = &shared.dns_cache;
        if is_localhost(host) {
            return Ok([Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()].into());
        }
        if let Some(answer) = cache.get(host, now) {
            return answer.map_err(no_address);
        }
        let Some(name) = absolute_name(host) else {
            return Err(no_address("it cannot be a host's name"));
        };
        // A wait for a place is not the name's: the names that are asked for may be other people's and
        // never answered. Only the limit for all of it counts. The semaphore is never closed; were it,
        // the lookup would go on without a place.
        let waiting = self.places.acquire();
        let _place = deadline.run(Stage::Total, Duration::MAX, waiting).await?;
        let asking = self.ask(&shared.dns_setup, name);
        let limit = shared.config.dns_timeout;
        match deadline.run(Stage::Dns, limit, asking).await? {
            Ok((addresses, ttl)) => {
                cache.put(host, Ok(Arc::clone(&addresses)), now, ttl.min(TTL_MAX));
                Ok(addresses)
            }
            Err(error) => Err(match negative(&error) {
                Some((words, ttl)) => {
                    cache.put(host, Err(words), now, ttl);
                    no_address(words).because(error)
                }
                None => lookup_failed(error),
            }),
        }
    }

    async fn ask(
        &self,
        setup: &DnsSetup,
        name: Name,
    ) -> Result<(Arc<[IpAddr]>, Duration), NetError> {
        let resolver = match self.resolver.get() {
            Some(resolver) => resolver,
            None => {
                let made = setup.build()?;
                self.resolver.get_or_init(|| made)
            }
        };

        let lookup = resolver.lookup_ip(name).await?;
        let records = lookup.as_lookup().answers();
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
        let addresses: Arc<[IpAddr]> = lookup.iter().take(ADDRESSES_MAX).collect();
        if addresses.is_empty() {
            return Err(NetError::Message("the answer has no addresses"));
        }
        Ok((addresses, Duration::from_secs(u64::from(ttl))))
    }
}

/// The name to ask for; `None` where a label is too long or the like.
fn absolute_name(host: &str) -> Option<Name> {
    let mut name = Name::from_ascii(host).ok()?;
    if host.contains('.') {
        name.set_fqdn(true);
    }
    Some(name)
}

/// Whether an error is an answer ("there is none") that may be kept, its words and for how long.
fn negative(error: &NetError) -> Option<(&'static str, Duration)> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else {
        return None;
    };
    let words = match none.response_code {
        ResponseCode::NXDomain => "no such host (NXDOMAIN)",
        ResponseCode::NoError => "the name has no address records",
        _ => return None,
    };
    let own = none
        .negative_ttl
        .map(|ttl| Duration::from_secs(u64::from(ttl)));
    Some((
        words,
        own.unwrap_or(NEGATIVE_TTL_DEFAULT).min(NEGATIVE_TTL_MAX),
    ))
}

fn no_address(words: &'static str) -> Failure {
    Failure::new(
        FetchErrorKind::DnsFailed,
        &format!("name does not resolve: {words}"),
    )
    .lasting()
}

fn lookup_failed(error: NetError) -> Failure {
    if let NetError::Io(inner) = &error
        && let Some(failure) = Failure::no_socket(inner)
    {
        return failure.because(error);
    }
    let words = match &error {
        NetError::Timeout => "the name servers did not answer".to_owned(),
        NetError::NoConnections => "no name server can be asked".to_owned(),
        NetError::Dns(DnsError::ResponseCode(code)) => format!("name server failed ({code})"),
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            format!("name server failed ({})", none.response_code)
        }
        other => other.to_string(),
    };
    let message = format!("name does not resolve: {words}");
    Failure::new(FetchErrorKind::DnsFailed, &message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn answer(last: u8) -> Answer {
        Ok(Arc::new([IpAddr::from([10, 0, 0, last])]))
    }

    #[test]
    fn a_question_without_a_socket_says_nothing_of_the_name() {
        const EMFILE: i32 = 24;
        let failed = |number| lookup_failed(std::io::Error::from_raw_os_error(number).into()).kind;
        assert_eq!(failed(EMFILE), FetchErrorKind::AddressBusy);
        const EACCES: i32 = 13;
        assert_eq!(failed(EACCES), FetchErrorKind::DnsFailed);
    }

    #[test]
    fn answers_are_kept_until_their_ttl_is_over() {
        let cache = DnsCache::default();
        cache.put("a", answer(1), seconds(100), seconds(10));
        cache.put("b", Err("none"), seconds(100), seconds(5));
        cache.put("c", answer(3), seconds(100), Duration::ZERO);
        assert_eq!(cache.get("a", seconds(109)), Some(answer(1)));
        assert_eq!(cache.get("a", seconds(110)), None);
        assert_eq!(cache.get("b", seconds(104)), Some(Err("none")));
        assert_eq!(cache.get("b", seconds(105)), None);
        assert_eq!(
            cache.get("c", seconds(100)),
            None,
            "a TTL of zero is not kept"
        );
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_what_is_used() {
        let cache = DnsCache::default();
        cache.put("kept", answer(1), seconds(0), seconds(1000));
        for n in 0..CACHE_ENTRIES + CACHE_ENTRIES / 4 {
            cache.put(&format!("name{n}"), answer(2), seconds(0), seconds(1000));
            if n % 1000 == 0 {
                assert_eq!(cache.get("kept", seconds(1)), Some(answer(1)));
            }
        }
        assert_eq!(cache.get("name0", seconds(1)), None);
        let generations = cache.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= CACHE_ENTRIES);
    }
}
