//! 64-bit keyed fingerprints: what the seen set remembers of a URL.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// What a URL is fetched for. Part of its fingerprint: the same address may be asked once as a
/// page and once as a sitemap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum UrlKind {
    /// A page: its row is what the crawl is for.
    Page = 0,
    /// A robots.txt, fetched for politeness.
    Robots = 1,
    /// A sitemap or sitemap index, fetched for discovery.
    Sitemap = 2,
    /// A feed (RSS or Atom), fetched for discovery.
    Feed = 3,
}

impl UrlKind {
    /// The stable name used in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            UrlKind::Page => "page",
            UrlKind::Robots => "robots",
            UrlKind::Sitemap => "sitemap",
            UrlKind::Feed => "feed",
        }
    }

    /// The kind with this number, as stored in the commit log and in spilled blocks.
    pub fn from_code(code: u8) -> Option<UrlKind> {
        [
            UrlKind::Page,
            UrlKind::Robots,
            UrlKind::Sitemap,
            UrlKind::Feed,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == code)
    }
}

/// Makes the fingerprints of one crawl.
///
/// SipHash-1-3 under a random key of the crawl: nobody who does not know the key can make two
/// URLs collide on purpose. By chance, a URL is taken for another with probability n / 2^64 when
/// n are known: for 100 million URLs some 3 in 10,000 crawls lose one URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprinter {
    key: [u64; 2],
}

impl Fingerprinter {
    /// Fingerprints under this key; the same key gives the same fingerprints.
    pub fn new(key: [u64; 2]) -> Fingerprinter {
        Fingerprinter { key }
    }

    /// The fingerprint of a canonical URL asked for as `kind`.
    pub fn fingerprint(&self, kind: UrlKind, canonical: &str) -> u64 {
        let mut hasher = self.hasher();
        hasher.write(canonical.as_bytes());
        hasher.write_u8(kind as u8);
        hasher.finish()
    }

    /// The fingerprint of any bytes that are not a URL, such as a host's name or a path.
    pub fn of_bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher();
        hasher.write(bytes);
        hasher.write_u8(u8::MAX);
        hasher.finish()
    }

    /// The shard, of `shards`, that owns this host.
    pub fn shard_of(&self, host: &str, shards: usize) -> usize {
        let shards = shards.max(1) as u64;
        // The high half: the low bits choose the bucket in tables keyed by the same hash.
        ((self.of_bytes(host.as_bytes()) >> 32) % shards) as usize
    }

    fn hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.key[0], self.key[1])
    }
}
