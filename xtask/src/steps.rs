//! Steps that go on after one has failed, and say at the end which failed.

use anyhow::bail;

/// The steps run so far.
pub(crate) struct Steps {
    task: &'static str,
    failed: Vec<String>,
    notes: Vec<String>,
}

impl Steps {
    pub(crate) fn new(task: &'static str) -> Self {
        Self {
            task,
            failed: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Runs one step. A failure is told at once and remembered; the next steps still run.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) {
        self.run_for(name, step);
    }

    /// As [`Steps::run`], giving what the step made, or nothing when it failed.
    pub(crate) fn run_for<T>(
        &mut self,
        name: &str,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        eprintln!("==> {name}");
        match step() {
            Ok(made) => Some(made),
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                self.failed.push(name.to_string());
                None
            }
        }
    }

    /// Something to tell at the end that is not a failure.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("note: {text}");
        self.notes.push(text);
    }

    /// Tells the notes again and what failed. An error when anything did.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        eprintln!();
        for note in &self.notes {
            eprintln!("note: {note}");
        }
        if !self.failed.is_empty() {
            bail!("{}: failed: {}", self.task, self.failed.join("; "));
        }
        eprintln!("{}: every step succeeded", self.task);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_after_a_failure_run_and_the_end_names_it() {
        let mut steps = Steps::new("task");
        let mut ran = 0;
        steps.run("first", || bail!("broken"));
        steps.run("second", || {
            ran += 1;
            Ok(())
        });
        assert_eq!(steps.run_for("third", || Ok(3)), Some(3));
        assert_eq!(ran, 1);
        assert_eq!(
            steps.finish().unwrap_err().to_string(),
            "task: failed: first"
        );
    }

    #[test]
    fn notes_alone_are_no_failure() {
        let mut steps = Steps::new("task");
        steps.note("cargo-deny is not here");
        steps.finish().unwrap();
    }
}
