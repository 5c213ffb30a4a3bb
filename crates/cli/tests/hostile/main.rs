//! The command against servers that misbehave, one behaviour a crawl.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says what it skips"
)]

mod behaviours;
mod files;
mod page;
mod private;
mod run;
mod secrets;
mod tls;
