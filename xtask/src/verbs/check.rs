//! `cargo xtask check`: everything that reads the source and runs none of it.

use super::{Verb, no_arguments};
use crate::process;
use crate::steps::Steps;
use crate::tidy;

pub(super) const VERB: Verb = Verb {
    name: "check",
    summary: "formatting, clippy without a warning, tidy, licences and bans",
    help: "cargo xtask check

Runs, going on after a failure: `cargo fmt --all -- --check`, `cargo clippy` on every target of the
workspace with warnings as errors, `cargo xtask tidy`, and `cargo deny check bans licenses sources`
where cargo-deny is installed (it says so where it is not; nothing is installed).
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    no_arguments("check", arguments)?;
    let mut steps = Steps::new("cargo xtask check");
    source(&mut steps);
    if process::has_cargo("deny") {
        steps.run("cargo deny", || {
            process::run(process::cargo().args(["deny", "check", "bans", "licenses", "sources"]))
        });
    } else {
        steps.note("cargo-deny is not installed: licences and bans were not checked (deny.toml)");
    }
    steps.finish()
}

/// Formatting, clippy and tidy: the part that `cargo xtask test` runs too.
pub(super) fn source(steps: &mut Steps) {
    steps.run("formatting (mend with `cargo fmt --all`)", || {
        process::run(process::cargo().args(["fmt", "--all", "--", "--check"]))
    });
    steps.run("clippy", || {
        let clippy = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        process::run(process::cargo().args(clippy))
    });
    steps.run("tidy", tidy::hold);
}
