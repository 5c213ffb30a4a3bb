//! `nephila-sim serve`.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use nephila_sim::{LogMode, ServeOptions, Server};
use tokio::signal::unix::{SignalKind, signal};

use super::web::WebArguments;

/// Options of the server.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    web: WebArguments,
    /// The address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The port to listen on; 0 is any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Offer HTTP/2 by ALPN (needs --tls).
    #[arg(long)]
    h2: bool,
    /// Compress bodies for clients that take gzip.
    #[arg(long)]
    gzip: bool,
    /// Send HTTP/1.1 bodies in chunks.
    #[arg(long)]
    chunked: bool,
    /// Make the bodies of all pages before the first request (up to 4 GiB).
    #[arg(long)]
    prepared: bool,
    /// Write the authority's certificate here.
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// Write the log here when the server ends (SIGTERM, SIGINT or the control host's /stop).
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Requests that the log has room for; 0 keeps none.
    #[arg(long, default_value_t = 4_000_000)]
    log_entries: usize,
}

impl Serve {
    /// Serves until a signal or the control host ends it.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.serve())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = Server::start(self.web.web()?, self.options()).await?;
        if let (Some(path), Some(pem)) = (&self.ca_out, server.ca_pem()) {
            write_file(path, &pem)?;
        }
        print_start(&server)?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = server.ended() => {}
        }
        if let Some(path) = &self.log {
            write_file(path, &server.log().to_tsv())?;
        }
        server.stop().await;
        Ok(())
    }

    fn options(&self) -> ServeOptions {
        let log = match self.log_entries {
            0 => LogMode::Off,
            count => LogMode::Entries(count),
        };
        ServeOptions {
            tls: self.web.tls,
            http2: self.h2,
            gzip: self.gzip,
            chunked: self.chunked,
            prepared: self.prepared,
            address: self.address,
            port: self.port,
            log,
            ..ServeOptions::default()
        }
    }
}

/// Prints where the web is, for scripts.
fn print_start(server: &Server) -> anyhow::Result<()> {
    let addr = server.addr();
    let web = server.web();
    let port = web.public_port.unwrap_or(addr.port());
    let line = serde_json::json!({
        "addr": addr.to_string(),
        "port": addr.port(),
        "seeds": web.seeds(),
        "resolve": format!("*:{port}:{addr}"),
        "control": web.url(&format!("control.{}", web.domain), "/"),
        "web": web,
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
