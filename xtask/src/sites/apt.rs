//! Debian packages, downloaded and unpacked beside the project. Nothing is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{failure, process};

/// Unpacks packages into a data directory; asks for fresh package lists at most once.
pub(crate) struct Apt<'a> {
    data: &'a Path,
    updated: bool,
}

impl<'a> Apt<'a> {
    pub(crate) fn new(data: &'a Path) -> Self {
        Self {
            data,
            updated: false,
        }
    }

    /// Makes sure that `DATA/PACKAGE` holds the unpacked package and gives its version.
    ///
    /// The wanted version is taken where the mirror has it, else the newest. A version that is
    /// there and is not the wanted one is replaced when apt knows the wanted one; it is kept
    /// otherwise. A package that was half unpacked when a process died is unpacked again.
    /// Fails as unavailable where there is no apt-get or the mirror does not give the package.
    pub(crate) fn provide(
        &mut self,
        package: &str,
        wanted: Option<&str>,
    ) -> anyhow::Result<String> {
        let present = unpacked_version(self.data, package);
        if let Some(version) = &present
            && wanted.is_none_or(|wanted| wanted == version)
        {
            return Ok(version.clone());
        }
        for program in ["apt-get", "dpkg", "dpkg-deb"] {
            if process::find_program(program).is_none() {
                return Err(failure::unavailable(format!(
                    "`{package}` is a Debian package and there is no {program} here"
                )));
            }
        }
        let partial = self.data.join(format!(".partial-{package}"));
        let downloaded = self.download(package, wanted, &partial);
        let outcome = match (downloaded, present) {
            (Ok(file), _) => self.unpack(package, &file, &partial),
            (Err(_), Some(version)) => Ok(version),
            (Err(error), None) => {
                let message = format!("apt-get gives no `{package}` here: {error:#}");
                Err(failure::unavailable(message))
            }
        };
        remove(&partial)?;
        outcome
    }

    /// The wanted version from the lists as they are, then from fresh ones, then any version.
    fn download(
        &mut self,
        package: &str,
        wanted: Option<&str>,
        into: &Path,
    ) -> anyhow::Result<PathBuf> {
        eprintln!("downloading {package}");
        let exact = wanted.map_or_else(
            || package.to_string(),
            |version| format!("{package}={version}"),
        );
        if let Ok(file) = download_one(&exact, into) {
            return Ok(file);
        }
        if !self.updated && process::is_root() {
            self.updated = true;
            eprintln!("fetching apt's package lists");
            let mut update = apt();
            // Without fresh lists the old ones may still do: the download below tells.
            if let Err(error) = process::output(update.arg("update")) {
                eprintln!("note: {error:#}");
            }
            if let Ok(file) = download_one(&exact, into) {
                return Ok(file);
            }
        }
        download_one(package, into)
    }

    /// Unpacks beside the final place and renames, so that what has its name is whole.
    fn unpack(&self, package: &str, file: &Path, partial: &Path) -> anyhow::Result<String> {
        let mut field = Command::new("dpkg-deb");
        let version = process::output(field.arg("-f").arg(file).arg("Version"))?
            .trim()
            .to_string();
        let fresh = partial.join("unpacked");
        process::output(Command::new("dpkg").arg("-x").arg(file).arg(&fresh))?;
        let mark = mark(self.data, package);
        if mark.exists() {
            std::fs::remove_file(&mark).with_context(|| format!("removing {}", mark.display()))?;
        }
        let place = self.data.join(package);
        remove(&place)?;
        std::fs::rename(&fresh, &place).with_context(|| format!("making {}", place.display()))?;
        std::fs::write(&mark, &version).with_context(|| format!("writing {}", mark.display()))?;
        Ok(version)
    }
}

/// The version that is unpacked whole in the data directory.
pub(crate) fn unpacked_version(data: &Path, package: &str) -> Option<String> {
    let version = std::fs::read_to_string(mark(data, package)).ok()?;
    data.join(package)
        .is_dir()
        .then(|| version.trim().to_string())
}

/// Written last: a package without it is not whole.
fn mark(data: &Path, package: &str) -> PathBuf {
    data.join(format!("{package}.version"))
}

/// Downloads into an emptied directory and gives the one file that came.
fn download_one(package: &str, into: &Path) -> anyhow::Result<PathBuf> {
    remove(into)?;
    std::fs::create_dir_all(into).with_context(|| format!("making {}", into.display()))?;
    process::output(apt().args(["download", package]).current_dir(into))?;
    for entry in std::fs::read_dir(into)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            return Ok(path);
        }
    }
    bail!(
        "`apt-get download {package}` left no .deb file in {}",
        into.display()
    )
}

/// apt-get that asks nothing, gives up on a dead mirror, and may write where only root can read.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-q", "-o", "Acquire::Retries=3"]);
    command.args([
        "-o",
        "Acquire::http::Timeout=30",
        "-o",
        "APT::Sandbox::User=root",
    ]);
    command
}

fn remove(directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)
            .with_context(|| format!("removing {}", directory.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_marked_package_is_whole() {
        let data = std::env::temp_dir().join(format!("nephila-apt-{}", std::process::id()));
        std::fs::create_dir_all(data.join("a-doc")).unwrap();
        assert_eq!(unpacked_version(&data, "a-doc"), None);
        std::fs::write(mark(&data, "a-doc"), "1.2-3\n").unwrap();
        assert_eq!(unpacked_version(&data, "a-doc").as_deref(), Some("1.2-3"));
        assert_eq!(
            Apt::new(&data).provide("a-doc", Some("1.2-3")).unwrap(),
            "1.2-3"
        );
        std::fs::remove_dir_all(&data).unwrap();
    }
}
