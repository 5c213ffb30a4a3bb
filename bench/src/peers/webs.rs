//! The webs that are crawled, each served anew for every run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::check::{Truth, key};
use super::docs::{self, Docs, Files};
use super::measure::{self, CRAWLER};
use super::options::Options;
use super::setup;
use super::tools::{self, TOOLS, Task};
use crate::process::{self, binary};

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
    /// The simulated web of these options.
    pub(super) fn simulated(options: &Options) -> anyhow::Result<Self> {
        let parameters = vec![
            "--profile=light".to_owned(),
            "--seed=7".to_owned(),
            format!("--domain={DOMAIN}"),
            format!("--hosts={}", options.hosts),
            format!("--pages={}", options.pages),
            format!("--latency={}", options.latency),
        ];
        let truth = simulated_truth(&parameters)?;
        let hosts = options.hosts;
        let place = Place::Simulated { parameters, hosts };
        Ok(Self { truth, place })
    }

    /// A site of Debian's documentation.
    ///
    /// Where the corpora do not have its truth, that is what Nephila finds in a run that does not count.
    pub(super) fn docs(site: &str, options: &Options, folder: &Path) -> anyhow::Result<Self> {
        let place = Place::Docs(Docs::fetch(site)?);
        if let Some(truth) = docs::truth(site)? {
            return Ok(Self { truth, place });
        }
        eprintln!("==> {site}: no truth in the corpora: what Nephila finds is taken for it");
        let web = Self {
            truth: Truth::default(),
            place,
        };
        let truth = found_by_nephila(&web.serve(folder)?.task(options, folder), options)?;
        Ok(Self { truth, ..web })
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

fn found_by_nephila(task: &Task, options: &Options) -> anyhow::Result<Truth> {
    let nephila = TOOLS.first().context("no crawler")?;
    let command = setup::ready(nephila)?.command(task)?;
    measure::run(command, CRAWLER, &[], options.limit, &task.out)?;
    let rows = tools::nephila_rows(&task.out)?;
    let found: Vec<(String, bool)> = rows.lines().filter_map(tools::page).collect();
    let (pages, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, is_page)| *is_page);
    let urls = |found: Vec<(String, bool)>| found.into_iter().map(|(url, _)| url).collect();
    Ok(Truth {
        pages: urls(pages),
        others: urls(others),
    })
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
}
