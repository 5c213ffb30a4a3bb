//! A crawl is served: over real sockets on loopback, and to a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod asking;
mod chromium;
mod crawl;
mod exposition;
mod metrics;
mod page;
mod report;
mod stored;
