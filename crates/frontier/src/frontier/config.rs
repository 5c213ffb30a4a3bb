//! How a frontier behaves.

use crate::politeness::Politeness;

/// The order in which a host's URLs leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By hops: no page is given out while one with fewer hops of the same host is being
    /// fetched, so that hops are shortest distances on a site.
    #[default]
    BreadthFirst,
    /// By hops and sitemap priority together: one hop weighs as much as the whole range of
    /// priorities.
    Priority,
}

/// How a frontier behaves; the same for every shard of a crawl.
#[derive(Clone, Debug)]
pub struct FrontierConfig {
    /// How hosts are treated.
    pub politeness: Politeness,
    /// The order of a host's URLs.
    pub order: Order,
    /// Pages of one host at most; the others stay queued.
    pub max_pages_per_host: Option<u64>,
    /// Query variants of a path at most; 0 is no limit.
    pub max_query_variants: u32,
    /// Bytes of queued URLs in memory; what is over goes through [`Overflow`].
    pub queue_memory_bytes: usize,
    /// Bytes of robots.txt rules in memory; what is over is forgotten and asked for again.
    pub robots_memory_bytes: usize,
    /// Hosts with nothing queued that are remembered, the last used ones.
    pub max_resting_hosts: usize,
    /// Hosts with something queued that are kept in memory; those found later sleep until some of these
    /// are done. Where none of them may be asked at the moment, as many again are woken.
    pub max_awake_hosts: usize,
}

impl Default for FrontierConfig {
    fn default() -> FrontierConfig {
        FrontierConfig {
            politeness: Politeness::default(),
            order: Order::default(),
            max_pages_per_host: None,
            max_query_variants: 0,
            queue_memory_bytes: 64 << 20,
            robots_memory_bytes: 32 << 20,
            max_resting_hosts: 100_000,
            max_awake_hosts: 50_000,
        }
    }
}
