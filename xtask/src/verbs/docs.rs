//! `cargo xtask docs`: the pages that the command writes about itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::Verb;
use crate::{failure, process, repository};

pub(super) const VERB: Verb = Verb {
    name: "docs",
    summary: "write the generated pages docs/options.md and docs/rows.md again",
    help: "cargo xtask docs [--check]

Builds the command and writes what `nephila reference options` and `nephila reference rows` print
to docs/options.md and docs/rows.md. With --check nothing is written, and a page that differs from
what the command prints is an error.
",
    run,
};

/// Each generated page and the argument of `nephila reference` that prints it.
const PAGES: &[(&str, &str)] = &[("docs/options.md", "options"), ("docs/rows.md", "rows")];

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        _ => {
            return Err(failure::usage(
                "`cargo xtask docs` takes `--check` or nothing",
            ));
        }
    };
    let build = ["build", "--quiet", "--release", "-p", "nephila-cli"];
    process::run(process::cargo().args(build))?;
    let binary = repository::target_directory()?.join("release/nephila");
    if check {
        compare(&binary)
    } else {
        write(&binary)
    }
}

fn write(binary: &Path) -> anyhow::Result<()> {
    for (page, topic) in PAGES {
        let text = printed(binary, topic)?;
        let path = repository::root().join(page);
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        println!("{page}");
    }
    Ok(())
}

/// An error that names every page which is not what the command prints.
pub(super) fn compare(binary: &Path) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (page, topic) in PAGES {
        let kept = std::fs::read_to_string(repository::root().join(page)).unwrap_or_default();
        if kept != printed(binary, topic)? {
            stale.push(*page);
        }
    }
    if !stale.is_empty() {
        bail!(
            "stale: {}: run `cargo xtask docs` and commit what it writes",
            stale.join(", ")
        );
    }
    Ok(())
}

fn printed(binary: &Path, topic: &str) -> anyhow::Result<String> {
    let text = process::output(Command::new(binary).args(["reference", topic]))?;
    if text.trim().is_empty() {
        bail!("`{} reference {topic}` printed nothing", binary.display());
    }
    Ok(text)
}
