//! `nephila-sim judge`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use nephila_sim::{Log, Rules, judge};

use super::web::{Scope, WebArguments, duration};

/// What the crawler had promised.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    web: WebArguments,
    /// The log that `serve --log` or the control host wrote.
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// Which hosts the crawl takes.
    #[arg(long, value_enum, default_value = "any")]
    scope: Scope,
    /// Least time between the starts of consecutive requests on a host.
    #[arg(long, value_parser = duration, default_value = "0s")]
    delay: Duration,
    /// How much less is forgiven for delays on the way.
    #[arg(long, value_parser = duration, default_value = "0s")]
    slack: Duration,
    /// Most requests in flight on a host at once.
    #[arg(long, default_value_t = 1)]
    per_host: u32,
    /// The crawler promised nothing about robots.txt.
    #[arg(long)]
    ignore_robots: bool,
}

impl Judge {
    /// Prints the judgement; 1 where a rule was broken.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.log.display();
        let text =
            std::fs::read_to_string(&self.log).with_context(|| format!("cannot read {path}"))?;
        let log = Log::from_tsv(&text).with_context(|| format!("cannot read {path}"))?;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let rules = Rules {
            scope: self.scope.into(),
            delay_micros: micros(self.delay),
            slack_micros: micros(self.slack),
            per_host: self.per_host,
            robots: !self.ignore_robots,
        };
        let judgement = judge(&self.web.web()?, &log, &rules);
        io::stdout()
            .lock()
            .write_all(judgement.table().as_bytes())?;
        Ok(if judgement.is_broken() {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}
