//! The verbs of `nephila-sim`, one file each.

mod hostile;
mod judge;
mod serve;
mod traps;
mod truth;
mod web;

use std::process::ExitCode;

use clap::Parser;

/// A seeded web to test crawlers against: page, host, latency and outcome follow from the URL.
#[derive(Debug, Parser)]
#[command(name = "nephila-sim", version)]
pub(crate) enum Command {
    /// Serve the web on loopback; prints one line of JSON once it listens.
    Serve(serve::Serve),
    /// Serve the web of traps on loopback, and tell what was asked of its sites.
    Traps(traps::Traps),
    /// Serve misbehaviours on loopback, one a path; prints one line of JSON once it listens.
    Hostile(hostile::Hostile),
    /// Write what a right crawler finds: URL, hops and status, with tabs between.
    Truth(truth::Truth),
    /// Hold a server's log against truth and politeness; exits 1 where a rule was broken.
    Judge(judge::Judge),
}

impl Command {
    /// Runs the verb.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Traps(traps) => traps.run(),
            Self::Hostile(hostile) => hostile.run(),
            Self::Truth(truth) => truth.run(),
            Self::Judge(judge) => judge.run(),
        }
    }
}
