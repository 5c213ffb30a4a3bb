//! Where things are: the root of the repository, what cargo builds, the data of the sites.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process;

/// The root of the repository that this binary was built from.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// `NEPHILA_SITES_ROOT`, else `.site-data` in the repository.
pub(crate) fn site_data() -> PathBuf {
    match std::env::var_os("NEPHILA_SITES_ROOT") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => root().join(".site-data"),
    }
}

/// `NEPHILA_CORPORA`, else `../shared/corpora` beside the repository.
pub(crate) fn corpora() -> PathBuf {
    match std::env::var_os("NEPHILA_CORPORA") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => root().join("../shared/corpora"),
    }
}

/// What `cargo metadata` says of the workspace alone. Needs no network.
pub(crate) fn metadata() -> anyhow::Result<Value> {
    let mut command = process::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = process::output(&mut command)?;
    serde_json::from_str(&text).context("cargo metadata printed something that is not JSON")
}

/// The directory that cargo builds into.
pub(crate) fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = metadata()?;
    let path = metadata.get("target_directory").and_then(Value::as_str);
    Ok(PathBuf::from(
        path.context("cargo metadata names no target_directory")?,
    ))
}

/// Every file that git tracks or would track, relative to the root, sorted.
///
/// Files not yet added are listed too, so that tidy speaks before the commit and not after it.
pub(crate) fn files() -> anyhow::Result<Vec<String>> {
    let mut command = Command::new("git");
    command.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listing = process::output(command.current_dir(root()))
        .context("tidy reads the files that git tracks: run it in a git checkout")?;
    let mut files: Vec<String> = listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(String::from)
        .collect();
    files.retain(|path| root().join(path).is_file());
    files.sort();
    files.dedup();
    if files.is_empty() {
        bail!("git lists no file in {}", root().display());
    }
    Ok(files)
}
