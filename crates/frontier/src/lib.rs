//! Which URL next, and when.
//!
//! Pure: no sockets, no files, no clock, no runtime. Time is an argument ([`Moment`]), the disk is
//! two traits ([`Seen`], [`Overflow`]). What it is: the queues of all hosts of one shard, the seen
//! set's gatekeeper, and politeness. What it is not: it fetches nothing and knows no bytes of any
//! page.
//!
//! ```
//! use nephila_frontier::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let politeness = Politeness { ignore_robots: true, ..Politeness::default() };
//! let config = FrontierConfig { politeness, ..FrontierConfig::default() };
//! let fingerprinter = Fingerprinter::new([1, 2]);
//! let mut frontier =
//!     Frontier::new(config, fingerprinter, InMemory::default(), InMemory::default());
//!
//! let now = Moment::from_micros(0);
//! let url = CanonicalUrl::parse("http://example.com/", &CanonicalPolicy::default())?;
//! frontier.admit(QueuedUrl::page(url, 0, None, now), now)?;
//! let Next::Lease(lease) = frontier.next(now)? else { panic!("it may be fetched at once") };
//! assert_eq!(lease.url().url.as_str(), "http://example.com/");
//! let contact = Contact::Answered(std::time::Duration::from_millis(80));
//! frontier.finish(lease, Finish { contact, is_private: None, then: Then::Done }, now);
//! assert!(matches!(frontier.next(now)?, Next::Done));
//! # Ok(())
//! # }
//! ```

mod canonical;
mod content_traps;
mod dates;
mod dormant;
mod fingerprint;
mod frontier;
mod host;
mod host_queue;
mod lease;
mod moment;
mod outcome;
mod pace;
mod plain_links;
mod politeness;
mod queued;
mod scope;
mod sessions;
mod storage;
mod traps;

pub use canonical::{
    CanonicalPolicy, CanonicalUrl, NotCanonical, QueryPolicy, SCHEMES, Url, parse_url,
};
pub use content_traps::{ContentLimits, ContentTraps};
pub use fingerprint::{Fingerprinter, UrlKind};
pub use frontier::{Admission, FirstPause, Frontier, FrontierConfig, Next, Order, SavePiece};
pub use lease::{Finish, Lease, Refused, RobotsAnswer, Then};
pub use moment::Moment;
pub use outcome::Outcome;
pub use plain_links::{KnownOrigins, LinkBase, join_onto};
pub use politeness::{Contact, Politeness};
pub use queued::{DEFAULT_PRIORITY, QueuedUrl};
pub use scope::{Refusal, Scope, ScopeLimits, ScopeRule, registrable_domain};
pub use storage::{InMemory, Overflow, Seen, StorageError};
