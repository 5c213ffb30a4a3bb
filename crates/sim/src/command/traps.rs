//! `nephila-sim traps`.

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use nephila_sim::{REAL_PAGES, TrapServer, TrapSite};

/// Options of the trap web.
#[derive(Debug, Args)]
pub(crate) struct Traps {
    /// The port to listen on; 0 is any.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

impl Traps {
    /// Prints where the web is, as one line of JSON; then, for every name of a site that it reads from
    /// standard input, what was asked of that site. Ends with its input.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let server = TrapServer::start(self.port)?;
        let port = server.addr().port();
        let sites: serde_json::Map<_, _> = TrapSite::ALL
            .iter()
            .map(|site| (site.name().to_owned(), server.seed(*site).into()))
            .collect();
        let start = serde_json::json!({
            "port": port,
            "resolve": format!("*:{port}:{}", server.addr()),
            "real_pages": REAL_PAGES,
            "sites": sites,
        });
        let mut out = io::stdout().lock();
        writeln!(out, "{start}")?;
        out.flush()?;
        for line in io::stdin().lock().lines() {
            let line = line?;
            let named = TrapSite::ALL.iter().find(|site| site.name() == line.trim());
            let site = named.with_context(|| format!("no site is called {line:?}"))?;
            let count = server.take_count(*site);
            let told = serde_json::json!({
                "site": site.name(),
                "requests": count.requests,
                "real_pages": count.real_pages,
                "wasted": count.wasted(),
            });
            writeln!(out, "{told}")?;
            out.flush()?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
