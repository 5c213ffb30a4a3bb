//! The project's Python: other programs' eyes on what is written.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `NEPHILA_PYTHON`, else what `cargo xtask python` made. Says that the test is skipped where there
/// is neither.
pub(crate) fn interpreter() -> Option<PathBuf> {
    let named = std::env::var_os("NEPHILA_PYTHON").filter(|path| !path.is_empty());
    let python = named.map_or_else(|| root().join(".python/bin/python"), PathBuf::from);
    if python.is_file() {
        return Some(python);
    }
    eprintln!("skipped: no Python with the packages of xtask/python (`cargo xtask python`)");
    None
}

fn command(python: &Path, script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .arg("-B")
        .arg(root().join("xtask/python").join(script))
        .args(arguments);
    command
}

/// Runs a script; fails with what it said where it does not end well.
pub(crate) fn run(python: &Path, script: &str, arguments: &[&str]) {
    let output = command(python, script, arguments).output().unwrap();
    let said = |stream: &[u8]| String::from_utf8_lossy(stream).into_owned();
    assert!(
        output.status.success(),
        "{script} {arguments:?}: {}{}",
        said(&output.stdout),
        said(&output.stderr)
    );
    print!("{}", said(&output.stdout));
}

/// A script that answers lines, ended with this value however the test ends.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start(python: &Path, script: &str, arguments: &[&str]) -> Server {
        let mut command = command(python, script, arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Server {
            child,
            input,
            output,
        }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the script ended");
        line.trim_end().to_owned()
    }

    /// Says a line and gives the answer.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
        self.line()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
