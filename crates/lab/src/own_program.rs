//! This program, started again to measure in a process of its own.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::measure::Figures;
use crate::task::Task;

/// How the lab starts this program again: its executable, and the arguments that lead to
/// [`run_task`](crate::run_task). The task itself follows them as one more argument.
#[derive(Clone, Debug)]
pub struct OwnProgram {
    executable: PathBuf,
    arguments: Vec<OsString>,
}

impl OwnProgram {
    /// This executable with these arguments.
    ///
    /// # Errors
    /// When the operating system does not tell where the executable is.
    pub fn with_arguments<T: Into<OsString>>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, Error> {
        let executable = std::env::current_exe()
            .map_err(|error| Error::io("cannot tell where this program is", error))?;
        Ok(Self {
            executable,
            arguments: arguments.into_iter().map(Into::into).collect(),
        })
    }

    /// A command that does a task, without input and output.
    pub(crate) fn command(&self, task: &Task) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.arguments)
            .arg(task.written())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    pub(crate) fn executable(&self) -> &std::path::Path {
        &self.executable
    }

    /// Does a task in a process of its own and reads the figures that it prints.
    ///
    /// # Errors
    /// When it cannot be started, fails, or prints something else.
    pub(crate) fn figures(&self, task: &Task) -> Result<Figures, Error> {
        let mut command = self.command(task);
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| Error::not_started(&self.executable, error))?;
        let mut printed = String::new();
        if let Some(mut out) = child.stdout.take() {
            out.read_to_string(&mut printed).map_err(|error| {
                Error::io("cannot read the figures of a measuring process", error)
            })?;
        }
        let status = child
            .wait()
            .map_err(|error| Error::io("cannot wait for a measuring process", error))?;
        if !status.success() {
            return Err(Error::task(format!(
                "a measuring process failed ({status}): {}",
                task.written()
            )));
        }
        serde_json::from_str(&printed).map_err(|error| {
            Error::task(format!("a measuring process printed no figures: {error}"))
        })
    }
}
