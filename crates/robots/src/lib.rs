#![doc = include_str!("../README.md")]

#[cfg(test)]
#[path = "../tests/conformance/corpora.rs"]
mod corpora;

mod agent;
mod decision;
mod delay;
mod directive;
mod glob;
mod index;
mod normal;
mod record;
mod robots;
mod rules;

pub use decision::{Decision, RuleMatch};
pub use delay::MAXIMUM_CRAWL_DELAY;
pub use record::MAXIMUM_LINE_BYTES;
pub use robots::{MAXIMUM_SITEMAPS, Robots};
pub use rules::Rules;

/// Smallest size that a crawler must parse (RFC 9309 2.5): 500 KiB. A crawler may cut the body of
/// robots.txt here, never before.
pub const MINIMUM_PARSED_BYTES: usize = 500 * 1024;

/// Largest size that [`Robots::parse`] looks at: 8 MiB. Lines that do not end before it are ignored,
/// so that memory is bounded whatever is handed in.
pub const MAXIMUM_PARSED_BYTES: usize = 8 * 1024 * 1024;
