//! Valgrind, which counts the instructions of fixed work: the system's, or Debian's package unpacked
//! beside the project.

use std::path::PathBuf;
use std::process::Command;

use crate::repository;
use crate::sites::apt::Apt;
use crate::{process, sites};

/// Where it is.
pub(crate) struct Valgrind {
    program: PathBuf,
    /// Where its tools are, if not where it looks for them.
    tools: Option<PathBuf>,
}

/// The system's; else the package is fetched.
///
/// # Errors
/// Unavailable where apt-get does not give it.
pub(crate) fn provide() -> anyhow::Result<Valgrind> {
    if let Some(program) = process::find_program("valgrind") {
        return Ok(Valgrind {
            program,
            tools: None,
        });
    }
    let data = repository::site_data();
    let _held = sites::lock::take(&data)?;
    Apt::new(&data).provide("valgrind", None)?;
    let package = std::path::absolute(data.join("valgrind"))?;
    Ok(Valgrind {
        program: package.join("usr/bin/valgrind.bin"),
        tools: Some(package.join("usr/libexec/valgrind")),
    })
}

impl Valgrind {
    /// Tells a measurement where it is.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("NEPHILA_VALGRIND", &self.program);
        if let Some(tools) = &self.tools {
            command.env("VALGRIND_LIB", tools);
        }
    }
}
