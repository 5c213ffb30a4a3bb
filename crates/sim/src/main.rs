//! The command `nephila-sim`: serves a simulated web, tells what a right crawler finds in it, and
//! judges the log of a crawl.

mod command;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> anyhow::Result<ExitCode> {
    command::Command::parse().run()
}
