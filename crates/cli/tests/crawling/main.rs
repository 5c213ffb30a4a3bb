//! The command crawls, end to end, over real sockets on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod broad;
mod kill;
mod rules;
mod run;
mod sites;
mod transport;
