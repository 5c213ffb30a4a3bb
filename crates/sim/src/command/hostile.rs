//! `nephila-sim hostile`.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use nephila_sim::{HostileOptions, HostileServer, TLS_FAULTS, behaviours, hostile_page};
use tokio::signal::unix::{SignalKind, signal};

use super::web::duration;

/// Options of the hostile server.
#[derive(Debug, Args)]
pub(crate) struct Hostile {
    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The port to listen on; 0 is any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve the faults of TLS too, from this port on; 0 is any port for each.
    #[arg(long, value_name = "PORT")]
    tls_port_base: Option<u16>,
    /// Write the certificate of the TLS authority here.
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// The pause between two bytes of a slow answer.
    #[arg(long, value_parser = duration, default_value = "1s")]
    drip: Duration,
    /// How long an answer that does not come is waited with.
    #[arg(long, value_parser = duration, default_value = "120s")]
    hang: Duration,
    /// Write the log here when the server ends (SIGTERM or SIGINT): connection, microseconds, host,
    /// target, bytes sent and end, with tabs between.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Print the page docs/hostile.md, and serve nothing.
    #[arg(long)]
    page: bool,
}

impl Hostile {
    /// Serves until a signal ends it.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.page {
            io::stdout().lock().write_all(hostile_page().as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let server = HostileServer::start_in_thread(HostileOptions {
            address: self.address,
            port: self.port,
            tls: self.tls_port_base.is_some(),
            tls_port_base: self.tls_port_base.unwrap_or(0),
            drip: self.drip,
            hang: self.hang,
            ..HostileOptions::default()
        })?;
        if let (Some(path), Some(pem)) = (&self.ca_out, server.ca_pem()) {
            std::fs::write(path, pem)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            print_start(&server)?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            anyhow::Ok(())
        })?;
        if let Some(path) = &self.log {
            std::fs::write(path, log_lines(&server))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints where everything is, for scripts.
fn print_start(server: &HostileServer) -> anyhow::Result<()> {
    let addr = server.addr();
    let tls: serde_json::Map<_, _> = TLS_FAULTS
        .iter()
        .zip(server.tls_addrs())
        .map(|(fault, addr)| (fault.name.to_owned(), addr.port().into()))
        .collect();
    let paths: Vec<_> = behaviours()
        .filter(|behaviour| !behaviour.outcome.is_empty())
        .map(|behaviour| behaviour.path)
        .collect();
    let line = serde_json::json!({
        "addr": addr.to_string(),
        "port": addr.port(),
        "resolve": format!("*:{}:{addr}", addr.port()),
        "tls": tls,
        "paths": paths,
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn log_lines(server: &HostileServer) -> String {
    let line = |entry: &nephila_sim::HostileEntry| {
        format!(
            "{}\t{}\t{}\t{}\t{}\t{:?}\n",
            entry.connection,
            entry.micros,
            entry.host.escape_default(),
            entry.target.escape_default(),
            entry.bytes_sent,
            entry.ended
        )
    };
    server.log().iter().map(line).collect()
}
