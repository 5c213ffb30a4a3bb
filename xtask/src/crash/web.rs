//! The web that is crawled, and what its server has seen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

/// The port in the URLs, the same for every server of a run: rows are compared between servers.
const PORT: u16 = 8_080;

/// Longest wait for an answer of the server's own pages.
const PATIENCE: Duration = Duration::from_secs(30);

/// A third of the hosts wants this pause.
const CRAWL_DELAY_MS: u64 = 20;

/// The parameters of the web: small pages, some of which redirect, are missing or denied.
fn parameters(seed: u64) -> Value {
    let constant = |value: f64| json!({ "median": value, "sigma": 0.0, "min": 0.0, "max": value });
    json!({
        "seed": seed,
        "hosts": 12,
        "pages": 320,
        "seed_hosts": 3,
        "host_size_exponent": 0.3,
        "public_port": PORT,
        "internal_links": constant(12.0),
        "external_links": constant(2.0),
        "page_bytes": constant(9_000.0),
        "outcomes": {
            "denied": 0.03, "not_found": 0.04, "gone": 0.02, "moved": 0.05, "found": 0.02,
            "other_type": 0.02,
        },
        "robots": {
            "not_found": 0.1, "empty": 0.1, "moved": 0.1,
            "crawl_delay": 0.4, "crawl_delay_ms": CRAWL_DELAY_MS,
        },
    })
}

/// One request that the server saw.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) host: String,
    pub(super) path: String,
    /// Microseconds since the server began.
    pub(super) at: u64,
    /// When the last byte of the answer was handed over.
    pub(super) done: u64,
}

/// A server of the web; it ends with its value.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    pub(super) resolve: String,
    pub(super) seeds: Vec<String>,
}

impl Server {
    /// Starts one.
    pub(super) fn start(program: &Path, seed: u64, directory: &Path) -> anyhow::Result<Server> {
        std::fs::create_dir_all(directory)?;
        let web = directory.join("web.json");
        std::fs::write(&web, parameters(seed).to_string())?;
        let mut child = Command::new(program)
            .args(["serve", "--log-entries", "200000", "--web"])
            .arg(&web)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let told = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("the server told no address")?;
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let seeds = told.get("seeds").and_then(Value::as_array);
        Ok(Server {
            address: text("addr").parse().context("the server's address")?,
            resolve: text("resolve").to_owned(),
            seeds: seeds
                .into_iter()
                .flatten()
                .filter_map(|seed| seed.as_str().map(str::to_owned))
                .collect(),
            child,
        })
    }

    /// Everything that was asked, in order.
    pub(super) fn log(&self) -> anyhow::Result<Vec<Asked>> {
        let text = self.get("control.sim.test", "/log")?;
        let mut log = Vec::new();
        for line in text.lines() {
            if let Some(dropped) = line.strip_prefix("#dropped\t") {
                anyhow::ensure!(dropped == "0", "the server's log had no room");
                continue;
            }
            let fields: Vec<&str> = line.splitn(7, '\t').collect();
            let [at, done, _, _, _, host, path] = fields.as_slice() else {
                anyhow::bail!("the server's log has a line of another form: {line}");
            };
            log.push(Asked {
                host: (*host).to_owned(),
                path: (*path).to_owned(),
                at: at.parse()?,
                done: done.parse()?,
            });
        }
        Ok(log)
    }

    /// The crawl-delay of each of these hosts that has one, as its robots.txt says.
    pub(super) fn crawl_delays(
        &self,
        hosts: impl Iterator<Item = String>,
    ) -> anyhow::Result<BTreeMap<String, Duration>> {
        let mut delays = BTreeMap::new();
        for host in hosts {
            let mut text = self.get(&host, "/robots.txt")?;
            if text.trim().is_empty() || !text.contains("User-agent") {
                text = self.get(&host, "/robots-moved.txt").unwrap_or_default();
            }
            let delay = text
                .lines()
                .find_map(|line| line.strip_prefix("Crawl-delay:"));
            if let Some(seconds) = delay.and_then(|delay| delay.trim().parse().ok()) {
                delays.insert(host, Duration::from_secs_f64(seconds));
            }
        }
        Ok(delays)
    }

    /// The body of a page, whatever its status.
    fn get(&self, host: &str, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let host = format!("{host}:{PORT}");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        Ok(body.context("the server gave no answer")?.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
