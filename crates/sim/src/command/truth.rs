//! `nephila-sim truth`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::web::{Scope, WebArguments};

/// Options of the truth.
#[derive(Debug, Args)]
pub(crate) struct Truth {
    #[command(flatten)]
    web: WebArguments,
    /// Which hosts the crawl takes.
    #[arg(long, value_enum, default_value = "any")]
    scope: Scope,
    /// Where to write it; standard output where this is not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the URLs that robots.txt denies here, with their hops.
    #[arg(long, value_name = "FILE")]
    denied_out: Option<PathBuf>,
}

impl Truth {
    /// Writes the truth.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let truth = self.web.web()?.truth(self.scope.into());
        match &self.out {
            Some(path) => std::fs::write(path, truth.to_tsv())
                .with_context(|| format!("cannot write {}", path.display()))?,
            None => print(&truth.to_tsv())?,
        }
        if let Some(path) = &self.denied_out {
            let lines = truth
                .denied
                .iter()
                .map(|(url, hops)| format!("{url}\t{hops}\n"));
            std::fs::write(path, lines.collect::<String>())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes to standard output; a reader that has had enough is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
