//! The webs that are crawled: the simulated one, and a real site of Debian's documentation.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use super::check::{Truth, key};
use super::options::Options;
use super::setup::root;
use super::tools::Task;
use crate::process::{self, binary};

/// Which web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Simulated,
    Docs,
}

impl Kind {
    /// By its name.
    ///
    /// # Errors
    /// For a name that is none.
    pub(super) fn named(name: &str) -> anyhow::Result<Self> {
        match name {
            "simulated" => Ok(Self::Simulated),
            "docs" => Ok(Self::Docs),
            _ => bail!("there is no web `{name}`: simulated, docs"),
        }
    }
}

/// The domain of the simulated web.
const DOMAIN: &str = "sim.test";

/// A web that can be served, with what a right crawler finds on it.
pub(super) struct Web {
    truth: Truth,
    place: Place,
}

enum Place {
    /// The parameters as `nephila-sim` takes them.
    Simulated {
        parameters: Vec<String>,
        hosts: usize,
    },
    Docs(Docs),
}

/// A web being served, for one run.
pub(super) struct Served {
    pub(super) names: Vec<String>,
    seed: String,
    port: u16,
    hosts: usize,
    log: PathBuf,
    server: Server,
}

enum Server {
    Simulated(process::Web),
    Docs(Files),
}

impl Web {
    /// Readies the web and learns its truth.
    pub(super) fn open(kind: Kind, options: &Options) -> anyhow::Result<Self> {
        match kind {
            Kind::Simulated => {
                let parameters = [
                    "--profile=light".to_owned(),
                    "--seed=7".to_owned(),
                    format!("--domain={DOMAIN}"),
                    format!("--hosts={}", options.hosts),
                    format!("--pages={}", options.pages),
                    format!("--latency={}", options.latency),
                ];
                let parameters = parameters.to_vec();
                let truth = simulated_truth(&parameters)?;
                let place = Place::Simulated {
                    parameters,
                    hosts: options.hosts,
                };
                Ok(Self { truth, place })
            }
            Kind::Docs => {
                let truth = docs_truth(&options.site)?;
                let place = Place::Docs(Docs::fetch(&options.site)?);
                Ok(Self { truth, place })
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        match &self.place {
            Place::Simulated { .. } => "simulated",
            Place::Docs(docs) => &docs.site,
        }
    }

    /// What a right crawler finds.
    pub(super) fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What stands above the table.
    pub(super) fn heading(&self, options: &Options) -> String {
        let (pages, in_flight) = (self.truth.pages.len(), options.in_flight);
        match &self.place {
            Place::Simulated { hosts, .. } => format!(
                "The simulated web: {pages} pages of 22 kB with 35 links on {hosts} hosts, latency {}, \
                 {in_flight} requests in flight. Median (least-greatest).",
                options.latency
            ),
            Place::Docs(docs) => format!(
                "{}, served as one host: {pages} pages, {in_flight} requests in flight. Median \
                 (least-greatest).",
                docs.site
            ),
        }
    }

    /// Serves it for one run; the folder is for the server's log.
    pub(super) fn serve(&self, folder: &Path) -> anyhow::Result<Served> {
        let log = folder.join("server.log");
        let _ = std::fs::remove_file(&log);
        match &self.place {
            Place::Simulated { parameters, hosts } => {
                let log_option = format!("--log={}", log.display());
                let mut words: Vec<&str> = parameters.iter().map(String::as_str).collect();
                words.push(&log_option);
                let server = process::Web::serve(&words)?;
                Ok(Served {
                    names: (0..*hosts)
                        .map(|host| format!("h{host}.{DOMAIN}"))
                        .collect(),
                    seed: server.seed.clone(),
                    port: u16::try_from(server.port)?,
                    hosts: *hosts,
                    log,
                    server: Server::Simulated(server),
                })
            }
            Place::Docs(docs) => {
                let server = Files::serve(&docs.root, &log)?;
                Ok(Served {
                    names: Vec::new(),
                    seed: format!("http://127.0.0.1:{}{}", server.port, docs.start),
                    port: server.port,
                    hosts: 1,
                    log,
                    server: Server::Docs(server),
                })
            }
        }
    }
}

impl Served {
    /// What a crawler is told.
    pub(super) fn task(&self, options: &Options, out: &Path) -> Task {
        Task {
            seed: self.seed.clone(),
            port: self.port,
            domain: (!self.names.is_empty()).then(|| DOMAIN.to_owned()),
            in_flight: options.in_flight,
            per_host: options.in_flight.div_ceil(self.hosts),
            out: out.to_owned(),
        }
    }

    /// Ends the run; every URL that was asked for, as [`key`] has them.
    pub(super) fn end(self) -> anyhow::Result<Vec<String>> {
        match self.server {
            Server::Simulated(mut server) => {
                server.stop()?;
                let log = std::fs::read_to_string(&self.log)?;
                Ok(log.lines().filter_map(asked_of_simulated).collect())
            }
            Server::Docs(server) => {
                drop(server);
                let log = std::fs::read(&self.log)?;
                let log = String::from_utf8_lossy(&log);
                Ok(log.lines().filter_map(asked_of_files).collect())
            }
        }
    }
}

/// Of a line of `nephila-sim serve --log`: begin, end, connection, place, status, host, path.
fn asked_of_simulated(line: &str) -> Option<String> {
    let mut fields = line.split('\t').skip(5);
    let (host, path) = (fields.next()?, fields.next()?);
    (host != format!("control.{DOMAIN}")).then(|| key(&format!("http://{host}{path}")))
}

/// Of a line of the log of `nephila-files`: host, request line, status.
fn asked_of_files(line: &str) -> Option<String> {
    let (host, rest) = line.split_once('\t')?;
    let path = rest.split('\t').next()?.split(' ').nth(1)?;
    Some(key(&format!("http://{host}{path}")))
}

fn simulated_truth(parameters: &[String]) -> anyhow::Result<Truth> {
    let output = Command::new(binary("nephila-sim", "NEPHILA_SIM_BIN")?)
        .arg("truth")
        .args(parameters)
        .output()?;
    if !output.status.success() {
        bail!(
            "nephila-sim truth: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout)?;
    let urls = text.lines().filter_map(|line| line.split('\t').next());
    Ok(Truth {
        pages: urls.map(key).collect(),
        ..Truth::default()
    })
}

/// From the corpora: path, depth, status and kind a line.
fn docs_truth(site: &str) -> anyhow::Result<Truth> {
    let corpora = std::env::var_os("NEPHILA_CORPORA")
        .map_or_else(|| root().join("../shared/corpora"), PathBuf::from);
    let file = corpora.join("sites").join(site).join("truth.a.tsv.gz");
    let output = Command::new("gzip")
        .args(["-d", "-c"])
        .arg(&file)
        .output()?;
    if !output.status.success() {
        bail!("there is no truth of {site} in {}", file.display());
    }
    Ok(truth_of(&String::from_utf8(output.stdout)?))
}

fn truth_of(text: &str) -> Truth {
    let mut truth = Truth::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if let [path, _, status, kind] = fields.as_slice() {
            let is_page = (*status, *kind) == ("200", "html");
            let set = if is_page {
                &mut truth.pages
            } else {
                &mut truth.others
            };
            set.insert(key(&format!("http://127.0.0.1{path}")));
        }
    }
    truth
}

/// A site of Debian's documentation that `cargo xtask sites` has fetched.
struct Docs {
    site: String,
    start: String,
    root: PathBuf,
}

impl Docs {
    fn fetch(site: &str) -> anyhow::Result<Self> {
        let output = sites(&["--only", site])?;
        let row = output
            .lines()
            .find(|line| line.starts_with(site))
            .context("no site")?;
        let words: Vec<&str> = row.split_whitespace().collect();
        let [_, _, start, root] = words.as_slice() else {
            bail!("`cargo xtask sites` tells `{row}`");
        };
        Ok(Self {
            site: site.to_owned(),
            start: (*start).to_owned(),
            root: std::path::absolute(root)?,
        })
    }
}

/// A directory being served by `nephila-files`; ended when it is dropped.
struct Files {
    child: Child,
    port: u16,
}

impl Files {
    fn serve(directory: &Path, log: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(binary("nephila-files", "NEPHILA_FILES_BIN")?)
            .arg(directory)
            .arg(log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("the server has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().context("the server's port")?;
        Ok(Self { child, port })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn sites(arguments: &[&str]) -> anyhow::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["xtask", "sites"])
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!(
            "`cargo xtask sites {}` ended with {}",
            arguments.join(" "),
            output.status
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_logs_give_what_was_asked_for() {
        let line = "5\t9\t1\t1\t200\th0.sim.test\t/caf\u{e9}?a=1";
        assert_eq!(
            asked_of_simulated(line).unwrap(),
            "h0.sim.test/caf%C3%A9?a=1"
        );
        assert_eq!(
            asked_of_simulated("5\t9\t1\t1\t200\tcontrol.sim.test\t/stop"),
            None
        );
        assert_eq!(asked_of_simulated("#dropped\t0"), None);
        let line = "127.0.0.1:18001\tGET /a.html HTTP/1.1\t200";
        assert_eq!(asked_of_files(line).unwrap(), "127.0.0.1/a.html");
    }

    #[test]
    fn the_truth_of_a_site_parts_pages_from_others() {
        let truth = truth_of("/a.html\t0\t200\thtml\n/b.py\t1\t200\tother\n/c.html\t1\t404\t404\n");
        assert_eq!(
            truth.pages.into_iter().collect::<Vec<_>>(),
            ["127.0.0.1/a.html"]
        );
        assert_eq!(truth.others.len(), 2);
    }
}
