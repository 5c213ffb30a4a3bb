//! The real command.

use std::process::Command;

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `nephila` with these arguments, without the machine's own settings.
pub(crate) fn nephila(arguments: &[&str]) -> Ran {
    let binary = std::env::var("NEPHILA_BIN");
    let binary = binary.unwrap_or_else(|_| env!("CARGO_BIN_EXE_nephila").to_owned());
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars() {
        let upper = name.to_ascii_uppercase();
        if upper.starts_with("NEPHILA_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    let output = command.args(arguments).output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The value of a line that begins with `name` and spaces.
    pub(crate) fn field(&self, name: &str) -> &str {
        let found = self.out.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.starts_with(' ').then(|| rest.trim())
        });
        found.unwrap_or_else(|| panic!("no line {name:?} in:\n{}{}", self.out, self.err))
    }

    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}
