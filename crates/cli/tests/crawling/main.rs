//! The command crawls, end to end, over real sockets on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skips"
)]

mod bad_input;
mod broad;
mod duplicates;
mod kill;
mod large;
mod outputs;
#[path = "../../../nephila/tests/outputs/python.rs"]
mod python;
mod report;
mod rules;
mod run;
mod serve;
mod sites;
mod transport;
mod traps;
