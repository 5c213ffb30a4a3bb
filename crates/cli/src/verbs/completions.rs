//! `nephila completions`: completions for a shell.

use clap::ArgMatches;
use clap_complete::{Shell, generate};

use crate::Exit;
use crate::arguments::command;
use crate::terminal::say;

/// Runs it.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<Exit> {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else {
        return Ok(Exit::Usage);
    };
    let mut script = Vec::new();
    // Into memory first: `generate` panics where its output is closed.
    generate(shell, &mut command(), "nephila", &mut script);
    say(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
