//! `cargo xtask test`: set-up, checks, and every test there is.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::{Verb, check, commands, docs, python, simulate};
use crate::crash::Commands;
use crate::process;
use crate::repository;
use crate::sites;
use crate::steps::Steps;
use crate::valgrind;

pub(super) const VERB: Verb = Verb {
    name: "test",
    summary: "set up, check and run every test",
    help: "cargo xtask test [NEXTEST ARGUMENTS]

Needs cargo and, for the sites of Debian's documentation, apt-get and dpkg; it sets the rest up by
itself. In this order, going on after a failure and naming at the end what failed:
  1. fetches the sites that tests crawl (`cargo xtask sites`) and makes the Python that they read
     outputs with (`cargo xtask python`); where that is not possible it says so and the tests that
     need them skip
  2. formatting, clippy without a warning, tidy
  3. builds nephila and nephila-sim in release: tests run the real commands
  4. generated pages are fresh; the commands on README.md and docs/ run; crawls are killed thirty times
     (`cargo xtask crash`); the instructions of fixed work are held against those on file
     (`cargo xtask bench counts`); documentation tests
  5. every test of the workspace by cargo-nextest, or by `cargo test` where that is not installed

With arguments it is for work on one thing: set-up, build, and the test runner with the arguments,
e.g. `cargo xtask test -p nephila-frontier`.

Tests get NEPHILA_BIN and NEPHILA_SIM_BIN (the built commands), NEPHILA_XTASK (this program),
NEPHILA_SITES_ROOT (the data of the sites) and NEPHILA_PYTHON (the interpreter). The runner's own
lines stand on standard output.
",
    run,
};

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut steps = Steps::new("cargo xtask test");
    let whole = arguments.is_empty();
    let served_before = sites::served();
    let python = set_up(&mut steps);
    if whole {
        check::source(&mut steps);
    }
    let release = steps.run_for("release build of nephila and nephila-sim", build);
    if let Some(release) = release.as_ref().filter(|_| whole) {
        steps.run("generated pages", || {
            docs::compare(&release.join("nephila"))
        });
        steps.run("commands on README.md and docs/", || {
            commands::run_pages(&commands::pages()?, release)
        });
        match valgrind::provide() {
            Ok(found) => steps.run("instructions of fixed work", || {
                super::bench::check_counts(&found, release)
            }),
            Err(error) => steps.note(format!("instructions are not counted: {error:#}")),
        }
        steps.run("thirty kills", || {
            super::crash::few(&Commands::in_directory(release))
        });
    }
    if whole {
        steps.run("documentation tests", || {
            process::run(process::cargo().args(["test", "--doc", "--workspace"]))
        });
    }
    let given = Given { release, python };
    run_tests(&mut steps, &given, arguments);
    // A test that was killed cannot end the server it started.
    for told in sites::stop_all_but(&served_before) {
        steps.note(told);
    }
    steps.finish()
}

/// What tests are told of in their environment.
struct Given {
    /// The directory of the built commands.
    release: Option<PathBuf>,
    /// The interpreter of `cargo xtask python`.
    python: Option<PathBuf>,
}

/// Sites and Python are wanted and not needed: where they cannot be had, the tests that need them
/// skip. Gives Python's interpreter.
fn set_up(steps: &mut Steps) -> Option<PathBuf> {
    eprintln!("==> sites of Debian's documentation");
    if let Err(error) = sites::provide_usual() {
        steps.note(format!("the tests that crawl real sites skip: {error:#}"));
    }
    eprintln!("==> Python that reads what is written");
    match python::provide() {
        Ok(interpreter) => Some(interpreter),
        Err(error) => {
            steps.note(format!("the tests that need Python skip: {error:#}"));
            None
        }
    }
}

/// Builds the commands and gives the directory that they stand in.
fn build() -> anyhow::Result<PathBuf> {
    let arguments = [
        "build",
        "--release",
        "-p",
        "nephila-cli",
        "-p",
        "nephila-sim",
    ];
    process::run(process::cargo().args(arguments))?;
    Ok(repository::target_directory()?.join("release"))
}

fn run_tests(steps: &mut Steps, given: &Given, arguments: &[String]) {
    let nextest = process::has_cargo("nextest");
    let mut command = process::cargo();
    if nextest {
        command.args([
            "nextest",
            "run",
            "--tool-config-file",
            &nextest_configuration(),
        ]);
    } else {
        steps
            .note("cargo-nextest is not installed: `cargo test` runs the tests, skips not counted");
        command.args(["test", "--all-targets", "--no-fail-fast"]);
    }
    if !names_packages(arguments) {
        command.arg("--workspace");
    }
    command.args(arguments);
    environment(&mut command, given);
    // The runner reports on standard error; a caller looks for its summary on standard output.
    command.stderr(Stdio::from(std::io::stdout()));
    // What an earlier run skipped is not to be told as this one's. There may be no such file.
    let _ = std::fs::remove_file(junit());
    steps.run("tests", || process::run(&mut command));
    if nextest {
        match skipped() {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => steps.note(format!(
                "{} skipped inside tests:\n  {}",
                lines.len(),
                lines.join("\n  ")
            )),
            Err(error) => steps.note(format!("what tests skipped is not known: {error:#}")),
        }
    }
}

fn nextest_configuration() -> String {
    format!(
        "xtask:{}",
        repository::root().join("xtask/nextest.toml").display()
    )
}

fn names_packages(arguments: &[String]) -> bool {
    let selects = |argument: &String| {
        argument == "-p" || argument == "--workspace" || argument.starts_with("--package")
    };
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(selects)
}

fn environment(command: &mut Command, given: &Given) {
    command.env("NEPHILA_SITES_ROOT", repository::site_data());
    command.env("NEPHILA_SEEDS", simulate::USUAL_SEEDS);
    if let Ok(this) = std::env::current_exe() {
        command.env("NEPHILA_XTASK", this);
    }
    if let Some(python) = &given.python {
        command.env("NEPHILA_PYTHON", python);
    }
    if let Some(release) = &given.release {
        command.env("NEPHILA_BIN", release.join("nephila"));
        command.env("NEPHILA_SIM_BIN", release.join("nephila-sim"));
    }
}

/// Where nextest writes it, whatever directory cargo builds into.
fn junit() -> PathBuf {
    repository::root().join("target/nextest/default/junit.xml")
}

/// The lines `skipped: what` that tests wrote.
fn skipped() -> anyhow::Result<Vec<String>> {
    let path = junit();
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(skipped_lines(&text))
}

fn skipped_lines(junit: &str) -> Vec<String> {
    let lines = junit
        .lines()
        .map(|line| line.rsplit("<system-err>").next().unwrap_or(line));
    let mut said: Vec<String> = lines
        .filter_map(|line| line.trim().strip_prefix("skipped: "))
        .map(|what| what.split("</system-err>").next().unwrap_or(what))
        .map(|what| {
            what.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        })
        .collect();
    said.sort();
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_are_read_from_the_junit_file() {
        let junit = "<testcase>\n<system-out>running 1 test\nskipped: b &amp; c\n</system-out>\n\
                     <system-err>skipped: a</system-err>\n<system-err>not skipped: d\n</system-err>";
        assert_eq!(skipped_lines(junit), ["a", "b & c"]);
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_packages_are_named() {
        let words = |text: &str| {
            text.split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        assert!(names_packages(&words("-p nephila")));
        assert!(names_packages(&words("--package=nephila x")));
        assert!(!names_packages(&words("some_test -- -p")));
    }
}
