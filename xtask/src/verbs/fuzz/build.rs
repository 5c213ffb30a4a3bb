//! Building the programs with the coverage that libFuzzer reads.

use std::path::PathBuf;

use anyhow::Context;

use super::directory;
use crate::process;
use crate::repository;

/// What rustc hands to LLVM, on the stable toolchain: a counter for every edge, the table of where each
/// is, and the operands of comparisons. This is what cargo-fuzz sets, without the sanitizers, which
/// need nightly: the crates have no unsafe code for them to watch. One code unit a crate, so that no
/// counter is apart from its table.
const COVERAGE: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg fuzzing",
];

/// A built fuzz target and where it keeps things.
#[derive(Debug)]
pub(super) struct Program {
    /// The target's name.
    pub(super) name: String,
    /// The program.
    pub(super) path: PathBuf,
    /// The inputs that it found itself, its log and its findings.
    pub(super) work: PathBuf,
}

impl Program {
    /// The inputs in the repository.
    pub(super) fn corpus(&self) -> PathBuf {
        directory().join("corpus").join(&self.name)
    }

    /// The inputs that it found.
    pub(super) fn found(&self) -> PathBuf {
        self.work.join("corpus")
    }

    /// Words of its language, where that helps.
    pub(super) fn dictionary(&self) -> PathBuf {
        directory()
            .join("dictionaries")
            .join(format!("{}.dict", self.name))
    }
}

/// Builds the programs of these targets.
pub(super) fn programs(targets: &[String]) -> anyhow::Result<Vec<Program>> {
    let host = host()?;
    let target_directory = repository::target_directory()?.join("fuzz");
    let mut command = process::cargo();
    // With a target named, build scripts and macros are built without coverage: they have no
    // libFuzzer to report to.
    command
        .current_dir(directory())
        .args(["build", "--release", "--target", &host, "--target-dir"])
        .arg(&target_directory)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", COVERAGE.join(" "));
    for target in targets {
        command.args(["--bin", target]);
    }
    process::run(&mut command)?;
    let built = target_directory.join(&host).join("release");
    let programs = targets.iter().map(|name| Program {
        name: name.clone(),
        path: built.join(name),
        work: target_directory.join("work").join(name),
    });
    Ok(programs.collect())
}

/// The name of this machine's platform, as rustc has it.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = process::output(std::process::Command::new(rustc).arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from)
        .context("`rustc -vV` tells no host platform")
}
