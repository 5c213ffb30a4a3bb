//! `cargo xtask tidy`.

use super::{Verb, no_arguments};
use crate::tidy;

pub(super) const VERB: Verb = Verb {
    name: "tidy",
    summary: "hold the project's own rules: layering, names, banned calls, pages",
    help: "cargo xtask tidy

Holds the rules that the compiler does not against every file that git tracks or would track:
which crate may import which, who asks for the time, names of modules, lengths, banned calls,
links and commands on pages. Prints each violation as `path:line: rule: what (why the rule is)`.
Exit code 1 when there is one. The rules stand in xtask/src/tidy/mod.rs.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    no_arguments("tidy", arguments)?;
    tidy::hold()
}
