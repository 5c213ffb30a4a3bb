//! Real sites: Debian's documentation, as `cargo xtask sites` fetches it, served by `nephila-files`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use super::check::{Truth, key};
use super::setup::root;
use crate::process::binary;

/// A site of Debian's documentation that `cargo xtask sites` has fetched.
pub(super) struct Docs {
    pub(super) site: String,
    pub(super) start: String,
    pub(super) root: PathBuf,
}

impl Docs {
    pub(super) fn fetch(site: &str) -> anyhow::Result<Self> {
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
pub(super) struct Files {
    child: Child,
    pub(super) port: u16,
}

impl Files {
    pub(super) fn serve(directory: &Path, log: &Path) -> anyhow::Result<Self> {
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

/// From the corpora, which have a line of path, depth, status and kind for each URL of some sites. None
/// where they have none of this site.
pub(super) fn truth(site: &str) -> anyhow::Result<Option<Truth>> {
    let corpora = std::env::var_os("NEPHILA_CORPORA")
        .map_or_else(|| root().join("../shared/corpora"), PathBuf::from);
    let file = corpora.join("sites").join(site).join("truth.a.tsv.gz");
    let output = Command::new("gzip")
        .args(["-d", "-c"])
        .arg(&file)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(output.status.success().then(|| truth_of(&text)))
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

#[cfg(test)]
mod tests {
    use super::*;

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
