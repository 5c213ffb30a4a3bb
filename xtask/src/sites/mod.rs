//! Debian's documentation as real sites on loopback: fetched, unpacked, served, ended.
//!
//! In the data directory: `PACKAGE/` (unpacked), `PACKAGE.version` (written last), `run-BASE/` (what
//! the nginx of that port base reads and writes) and `lock`.

pub(crate) mod apt;
pub(crate) mod lock;
mod nginx;
mod table;
mod truth;

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::repository;
use apt::Apt;
use nginx::{Program, Served, Server};
use table::Site;
pub(crate) use table::{PortBase, Wanted};

/// Fetches what is missing of these sites and prints what is there: package, version, start page and
/// the directory that is to be served.
pub(crate) fn provide(wanted: &Wanted) -> anyhow::Result<()> {
    let data = repository::site_data();
    let _held = lock::take(&data)?;
    for (site, version) in fetch(&data, wanted, &mut Apt::new(&data))? {
        println!(
            "{:<20} {version:<28} {:<28} {}",
            site.package,
            site.start,
            data.join(site.package).join(site.root).display()
        );
    }
    Ok(())
}

/// Fetches the usual sites and nginx, so that tests that serve them need no network.
pub(crate) fn provide_usual() -> anyhow::Result<()> {
    let data = repository::site_data();
    let _held = lock::take(&data)?;
    let mut apt = Apt::new(&data);
    fetch(&data, &Wanted::Usual, &mut apt)?;
    Program::find(&data, &mut apt)?;
    Ok(())
}

/// Fetches what is missing, serves these sites at the base and prints the table.
pub(crate) fn serve(wanted: &Wanted, base: PortBase) -> anyhow::Result<()> {
    let data = absolute(&repository::site_data())?;
    let _held = lock::take(&data)?;
    let mut apt = Apt::new(&data);
    fetch(&data, wanted, &mut apt)?;
    let program = Program::find(&data, &mut apt)?;
    let base = match base {
        PortBase::Fixed(base) => base,
        PortBase::Free => nginx::free_base(&wanted.sites().map(|s| s.offset).collect::<Vec<_>>())?,
    };
    let served: Vec<Served> = wanted
        .sites()
        .map(|site| Served {
            site,
            port: base + site.offset,
            root: data.join(site.package).join(site.root),
        })
        .collect();
    let server = Server::at(data.join(format!("run-{base}")));
    server.start(&program, &served)?;
    print_table(&server, &served);
    println!("# end with: cargo xtask sites --stop --port-base {base}");
    Ok(())
}

fn print_table(server: &Server, served: &[Served]) {
    println!("{:<20} {:<24} {:<28} access log", "# site", "URL", "start");
    for Served { site, port, .. } in served {
        let url = format!("http://127.0.0.1:{port}");
        let log = server.access_log(site);
        println!(
            "{:<20} {url:<24} {:<28} {}",
            site.package,
            site.start,
            log.display()
        );
    }
}

/// Ends the server of this port base. False when there was none.
pub(crate) fn stop(base: u16) -> anyhow::Result<bool> {
    let data = absolute(&repository::site_data())?;
    if !data.exists() {
        return Ok(false);
    }
    let _held = lock::take(&data)?;
    Server::at(data.join(format!("run-{base}"))).stop()
}

/// The port bases that are served now from the data directory.
pub(crate) fn served() -> Vec<u16> {
    let Ok(data) = absolute(&repository::site_data()) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(&data).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let bases = names.filter_map(|name| name.strip_prefix("run-")?.parse::<u16>().ok());
    bases
        .filter(|base| Server::at(data.join(format!("run-{base}"))).pid().is_some())
        .collect()
}

/// Ends the servers that run now and are not among those that ran before. Says what it did.
pub(crate) fn stop_all_but(before: &[u16]) -> Vec<String> {
    let new = served().into_iter().filter(|base| !before.contains(base));
    let told = new.map(|base| match stop(base) {
        Ok(_) => format!("ended the sites that were left serving at port base {base}"),
        Err(error) => format!("the sites at port base {base} are still served: {error:#}"),
    });
    told.collect()
}

/// Tells for each site whether its version is the truth's. An error when one is not, or is missing.
pub(crate) fn verify(wanted: &Wanted) -> anyhow::Result<()> {
    let data = repository::site_data();
    let truth = truth::versions();
    if truth.is_empty() {
        let place = repository::corpora();
        bail!(
            "no versions to compare with: no sites/SOURCE.md in {}",
            place.display()
        );
    }
    let mut drifted = 0;
    for site in wanted.sites() {
        let have = apt::unpacked_version(&data, site.package);
        let (agrees, told) = judge(have.as_deref(), truth.get(site.package).map(String::as_str));
        println!("{:<20} {told}", site.package);
        drifted += usize::from(!agrees);
    }
    if drifted > 0 {
        bail!(
            "{drifted} site(s) are not what the truth was made from: remake it with \
               ../shared/corpora/tools/site_truth.py, or fetch with `cargo xtask sites`"
        );
    }
    Ok(())
}

fn judge(have: Option<&str>, truth: Option<&str>) -> (bool, String) {
    match (have, truth) {
        (None, _) => (false, "not fetched".into()),
        (Some(have), None) => (false, format!("{have}; SOURCE.md names no version")),
        (Some(have), Some(truth)) if have == truth => (true, format!("{have}, as the truth")),
        (Some(have), Some(truth)) => (
            false,
            format!("{have}; the truth is of {truth} and may have drifted"),
        ),
    }
}

/// Fetches what is missing; gives each site with its version.
fn fetch(
    data: &Path,
    wanted: &Wanted,
    apt: &mut Apt<'_>,
) -> anyhow::Result<Vec<(&'static Site, String)>> {
    let truth = truth::versions();
    let mut present = Vec::new();
    for site in wanted.sites() {
        let meant = truth.get(site.package).map(String::as_str);
        let version = apt.provide(site.package, meant)?;
        if let Some(meant) = meant.filter(|meant| *meant != version) {
            eprintln!(
                "note: {} is {version}; its truth is of {meant} and may have drifted",
                site.package
            );
        }
        let root = data.join(site.package).join(site.root);
        if !root.is_dir() {
            bail!(
                "{} {version} has no {}: the package has changed",
                site.package,
                site.root
            );
        }
        present.push((site, version));
    }
    Ok(present)
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_differs_is_drift() {
        assert!(judge(Some("1-2"), Some("1-2")).0);
        for (have, truth) in [
            (None, Some("1-2")),
            (Some("1-3"), Some("1-2")),
            (Some("1-2"), None),
        ] {
            assert!(!judge(have, truth).0);
        }
        assert!(judge(Some("1-3"), Some("1-2")).1.contains("drifted"));
    }
}
