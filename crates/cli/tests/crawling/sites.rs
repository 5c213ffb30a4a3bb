//! Real sites: Debian's documentation packages, served by nginx. What is asked for is the true
//! set, statuses and hops are the true ones, and each URL is asked for once.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::run::{code, nephila, pages, words};

/// Sites whose truth is in the corpora.
const SITES: [&str; 4] = [
    "debian-policy",
    "postgresql-doc-15",
    "python3.11-doc",
    "sqlite3-doc",
];

/// Says where the sites are served and ends the server when it is dropped.
struct Served {
    xtask: PathBuf,
    /// Site, address, start, access log.
    table: Vec<[String; 4]>,
    port_base: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let stop = ["sites", "--stop", "--port-base", &self.port_base];
        let _ = Command::new(&self.xtask).args(stop).output();
    }
}

/// Serves the sites through the project's own script; `None` where this machine cannot.
fn serve() -> Option<Served> {
    let xtask = PathBuf::from(std::env::var_os("NEPHILA_XTASK")?);
    let only = SITES.join(",");
    let arguments = ["sites", "--serve", "--port-base", "auto", "--only", &only];
    let output = Command::new(&xtask).args(arguments).output().unwrap();
    if !output.status.success() {
        eprintln!("{}", words(&output));
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let stop = text
        .lines()
        .rev()
        .find(|line| line.starts_with('#'))
        .unwrap();
    let port_base = stop.rsplit(' ').next().unwrap().to_owned();
    let table = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let mut cells = line.split_whitespace().map(str::to_owned);
            std::array::from_fn(|_| cells.next().unwrap())
        })
        .collect();
    Some(Served {
        xtask,
        table,
        port_base,
    })
}

/// URL path, hops and status, as the corpora have them.
fn truth(site: &str) -> Option<BTreeMap<String, (u64, u64)>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let corpora = std::env::var_os("NEPHILA_CORPORA").map_or_else(|| default.into(), PathBuf::from);
    let file = corpora.join("sites").join(site).join("truth.a.tsv.gz");
    let bytes = std::fs::read(file).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let rows = text.lines().map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        (
            cells[0].to_owned(),
            (cells[1].parse().unwrap(), cells[2].parse().unwrap()),
        )
    });
    Some(rows.collect())
}

/// How often each path was asked for, robots.txt apart.
fn asked(log: &str) -> BTreeMap<String, u64> {
    let mut asked = BTreeMap::new();
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let request = line.split('\t').nth(1).unwrap();
        let path = request.split(' ').nth(1).unwrap();
        if path != "/robots.txt" {
            *asked.entry(path.to_owned()).or_default() += 1;
        }
    }
    asked
}

fn crawl(address: &str, start: &str, out: &Path, options: &[&str]) {
    let seed = format!("{address}{start}");
    let output = nephila()
        .args(["crawl", &seed, "--quiet", "--out"])
        .arg(out)
        .args(options)
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{seed}: {}", words(&output));
}

#[test]
fn real_sites_give_their_true_sets() {
    let Some(served) = serve() else {
        eprintln!("skipped: the documentation sites cannot be served here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for [site, address, start, log] in &served.table {
        let Some(truth) = truth(site) else {
            eprintln!("skipped: the truth of {site} is not there");
            continue;
        };
        for options in [&[][..], &["--per-host", "8"]] {
            std::fs::write(log, "").unwrap();
            let out = folder.path().join(format!("{site}-{}", options.len()));
            crawl(address, start, &out, options);
            let found: BTreeMap<String, (u64, u64)> = pages(&out)
                .into_iter()
                .map(|(url, row)| {
                    let path = url.strip_prefix(address.as_str()).unwrap().to_owned();
                    (
                        path,
                        (
                            row["hops"].as_u64().unwrap(),
                            row["status"].as_u64().unwrap(),
                        ),
                    )
                })
                .collect();
            assert_eq!(found, truth, "{site} {options:?}");
            let asked = asked(log);
            let once: BTreeMap<_, _> = truth.keys().map(|path| (path.clone(), 1)).collect();
            assert_eq!(asked, once, "{site} {options:?}: asked for, and how often");
            compared += 1;
        }
    }
    eprintln!("{compared} crawls of real sites equal their truth");
}
