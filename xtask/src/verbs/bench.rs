//! `cargo xtask bench`.

use super::Verb;
use crate::process;

pub(super) const VERB: Verb = Verb {
    name: "bench",
    summary: "run a measurement of bench/ in a release build",
    help: "cargo xtask bench [NAME [ARGUMENTS]]

Builds the command, the test web and the measurements, then runs `cargo run --release -p nephila-bench -- NAME
ARGUMENTS`. Without a name the measurements tell what there is.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let built = [
        "build",
        "--quiet",
        "--release",
        "-p",
        "nephila-cli",
        "-p",
        "nephila-sim",
        "-p",
        "nephila-bench",
    ];
    process::run(process::cargo().args(built))?;
    let fixed = ["run", "--quiet", "--release", "-p", "nephila-bench", "--"];
    process::run(process::cargo().args(fixed).args(arguments))
}
