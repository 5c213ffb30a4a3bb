//! Trouble of the machine: disks, limits, signals and memory. The real command, over real sockets on
//! loopback; what needs root says what it skips.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod disk;
mod limits;
mod machine;
mod memory;
#[path = "../crawling/run.rs"]
mod run;
mod signals;
