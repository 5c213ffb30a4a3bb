//! Outputs as other programs see them: the forms of the rows, and an object store.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test does not find, it fails on"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what was compared is told, and what is skipped"
)]

mod forms;
mod python;
mod refused;
mod rows;
mod services;
mod store;
