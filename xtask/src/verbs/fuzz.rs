//! `cargo xtask fuzz`: builds the fuzz targets with coverage on the stable toolchain and runs them.

mod build;
mod campaign;
mod keep;

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Verb;
use crate::failure;
use crate::repository;
use campaign::Campaign;

pub(super) const VERB: Verb = Verb {
    name: "fuzz",
    summary: "look for inputs that break a parser, with libFuzzer",
    help: "cargo xtask fuzz TARGET|all [--minutes N] [--jobs J] [--keep]
cargo xtask fuzz TARGET FILE...

Builds the programs of fuzz/ with libFuzzer and coverage, in release with overflow checks and debug
assertions, on the stable toolchain (a C++ compiler is needed, no clang), and runs one or all of them
for N minutes each (5), J at once (1). Prints executions, coverage and findings of each.

They start from fuzz/corpus/TARGET; what they find of new coverage is kept beside the build, in
TARGET_DIRECTORY/fuzz/work/TARGET, and goes on from there next time. --keep adds those few inputs to
fuzz/corpus that reach most code that it does not reach; nothing else is written to the repository.

An input that breaks a promise, needs more than 1 GiB, or takes longer than 10 seconds is a finding: it
is saved, the command that runs it again is printed, and the exit code is 1. With files, the target
runs on these and nothing else.

The same targets run on the corpus and on seeded changes of it as ordinary tests, without libFuzzer:
`cargo xtask test -p nephila-fuzz-targets`.
",
    run,
};

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    targets: Vec<String>,
    files: Vec<PathBuf>,
    minutes: u32,
    jobs: u32,
    is_keeping: bool,
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let request = parse(arguments, &targets()?)?;
    let programs = build::programs(&request.targets)?;
    if let (Some(program), false) = (programs.first(), request.files.is_empty()) {
        return campaign::replay(program, &request.files);
    }
    let campaign = Campaign {
        minutes: request.minutes,
        jobs: request.jobs,
    };
    let ended = campaign.run(&programs);
    if request.is_keeping {
        for program in &programs {
            keep::keep(program)?;
        }
    }
    ended
}

/// The directory of the targets, their programs and their corpus.
fn directory() -> PathBuf {
    repository::root().join("fuzz")
}

/// The names of the targets: each has its program.
fn targets() -> anyhow::Result<Vec<String>> {
    let programs = directory().join("fuzz_targets");
    let entries =
        std::fs::read_dir(&programs).with_context(|| format!("reading {}", programs.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| name_of(&entry.ok()?.path()))
        .collect();
    names.sort();
    Ok(names)
}

fn name_of(program: &Path) -> Option<String> {
    let is_source = program.extension()? == "rs";
    is_source.then(|| program.file_stem()?.to_str().map(String::from))?
}

fn parse(arguments: &[String], known: &[String]) -> anyhow::Result<Request> {
    let mut request = Request {
        targets: Vec::new(),
        files: Vec::new(),
        minutes: 5,
        jobs: 1,
        is_keeping: false,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--minutes" => request.minutes = number(argument, arguments.next())?,
            "--jobs" => request.jobs = number(argument, arguments.next())?,
            "--keep" => request.is_keeping = true,
            "all" if request.targets.is_empty() => request.targets = known.to_vec(),
            name if request.targets.is_empty() && known.iter().any(|one| one == name) => {
                request.targets.push(name.to_string());
            }
            file if request.targets.len() == 1 && Path::new(file).is_file() => {
                // The program runs elsewhere.
                request.files.push(std::path::absolute(file)?);
            }
            other => {
                let names = known.join(", ");
                return Err(failure::usage(format!(
                    "`{other}` is no target, option or file: targets are all, {names}"
                )));
            }
        }
    }
    if request.targets.is_empty() {
        let names = known.join(", ");
        return Err(failure::usage(format!("name a target: all, {names}")));
    }
    Ok(request)
}

/// A whole number from 1: libFuzzer takes 0 minutes for no end.
fn number(option: &str, value: Option<&String>) -> anyhow::Result<u32> {
    let number = value.and_then(|value| value.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| failure::usage(format!("{option} takes a whole number from 1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> anyhow::Result<Request> {
        let words: Vec<String> = text.split_whitespace().map(String::from).collect();
        parse(&words, &["robots".to_string(), "sitemap".to_string()])
    }

    #[test]
    fn targets_options_and_files_are_told_apart() {
        let request = parsed("all --minutes 20 --jobs 2 --keep").unwrap();
        assert_eq!(request.targets, ["robots", "sitemap"]);
        assert_eq!((request.minutes, request.jobs), (20, 2));
        assert!(request.is_keeping && request.files.is_empty());
        let request = parsed("robots Cargo.toml").unwrap();
        assert_eq!(request.targets, ["robots"]);
        assert!(request.files[0].is_absolute());
    }

    #[test]
    fn what_is_not_known_names_the_targets() {
        for wrong in ["", "robot", "robots no-such-file", "robots --minutes 0"] {
            let error = parsed(wrong).unwrap_err();
            assert_eq!(failure::exit_code(&error), 2, "{wrong}");
        }
        let message = parsed("robot").unwrap_err().to_string();
        assert!(message.contains("all, robots, sitemap"), "{message}");
    }

    #[test]
    fn the_targets_are_those_with_a_program() {
        assert!(targets().unwrap().contains(&"robots".to_string()));
    }
}
