//! Conformance: the suites of other robots.txt parsers and the files of real sites, read from
//! `$NEPHILA_CORPORA` (else `../shared/corpora` beside the project); skipped where they are missing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may fail and may say what it skipped"
)]

mod corpora;
mod delays;
mod path;
mod real;
mod suites;
