//! What each fuzz target does with its bytes, apart from the engine that makes them.
//!
//! A target is a function of bytes that panics when one of the promises of a parser does not hold:
//! that it never fails, that what it keeps is bounded, that what it wrote it reads back. Two
//! engines call it: libFuzzer (`fuzz/fuzz_targets`, `cargo xtask fuzz`), which looks for new inputs
//! by coverage, and the tests of this package, which run the corpus and seeded changes of it in
//! seconds wherever the other tests run.

mod archives;
mod configuration;
mod exchange;
mod mutation;
mod pages;
mod robots;
mod sitemap;
mod state;
mod urls;

pub use archives::{cdxj, warc_reader};
pub use configuration::configuration;
pub use exchange::{decode_body, headers};
pub use mutation::Mutations;
pub use pages::{charset, html_scan};
pub use robots::robots;
pub use sitemap::sitemap;
pub use state::{commit_log, crawl_state};
pub use urls::canonical_url;

/// A fuzz target by its name.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its program, its corpus and its dictionary.
    pub name: &'static str,
    /// What it does with an input. Panics when a promise does not hold.
    pub run: fn(&[u8]),
}

/// Every target, by name.
pub const TARGETS: &[Target] = &[
    target("canonical_url", canonical_url),
    target("cdxj", cdxj),
    target("charset", charset),
    target("commit_log", commit_log),
    target("configuration", configuration),
    target("crawl_state", crawl_state),
    target("decode_body", decode_body),
    target("headers", headers),
    target("html_scan", html_scan),
    target("robots", robots),
    target("sitemap", sitemap),
    target("warc_reader", warc_reader),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Takes one byte off the front, which chooses between variants; 0 when there is none.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first()
        .map_or((0, data), |(first, rest)| (*first, rest))
}
