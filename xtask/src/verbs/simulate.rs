//! `cargo xtask simulate`: the whole engine on virtual time, over seeded worlds.

use super::Verb;
use crate::failure;
use crate::process;

/// The seeds that `cargo xtask test` runs.
pub(super) const USUAL_SEEDS: &str = "1-200";

pub(super) const VERB: Verb = Verb {
    name: "simulate",
    summary: "run the whole engine on virtual time over seeded worlds",
    help: "cargo xtask simulate [--seeds FIRST-LAST|SEED] [--release]

Each seed makes a world: a web with slow, lying and dying hosts, moments at which the crawler dies
and the power fails in the midst of writes, jumps of the wall clock. The real engine crawls it until
it is done, on virtual time, and is held against the rules of
crates/nephila/src/simulation/invariants.rs. Seeds 1-200 unless said otherwise; --release is faster
from some thousand seeds on. A seed that fails is printed with the command that runs it again.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let (mut seeds, mut is_release) = (USUAL_SEEDS.to_owned(), false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seeds" => seeds = rest.next().cloned().unwrap_or_default(),
            "--release" => is_release = true,
            other => {
                return Err(failure::usage(format!(
                    "`cargo xtask simulate` takes no argument `{other}`: see `cargo xtask help simulate`"
                )));
            }
        }
    }
    if !is_range(&seeds) {
        return Err(failure::usage(format!(
            "{seeds:?} is no seed and no range of seeds: write 7 or 1-200"
        )));
    }
    let mut command = process::cargo();
    command.args(["test", "--quiet", "-p", "nephila", "--lib"]);
    if is_release {
        command.arg("--release");
    }
    let test = "simulation::every_world_keeps_the_promises";
    command.args(["--", "--exact", "--nocapture", test]);
    command.env("NEPHILA_SEEDS", seeds);
    process::run(&mut command)
}

fn is_range(seeds: &str) -> bool {
    let (first, last) = seeds.split_once('-').unwrap_or((seeds, seeds));
    let numbers: (Result<u64, _>, Result<u64, _>) = (first.parse(), last.parse());
    matches!(numbers, (Ok(first), Ok(last)) if first <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range() {
        for good in ["7", "1-200", USUAL_SEEDS] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["", "-", "9-3", "a-b", "1-"] {
            assert!(!is_range(bad), "{bad:?}");
        }
    }
}
