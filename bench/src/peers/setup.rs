//! Getting the crawlers: from their registries by the registries' own clients, into `target/peers`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::pinned;
use super::tools::{Ready, Source, Tool};
use crate::process::binary;

/// The crawler, set up where it is not there yet.
///
/// # Errors
/// Where this machine cannot have it: the message says why.
pub(super) fn ready(tool: &Tool) -> anyhow::Result<Ready> {
    let (words, version) = match tool.source {
        Source::Nephila => {
            let words = vec![binary("nephila", "NEPHILA_BIN")?];
            (words, Some(env!("CARGO_PKG_VERSION").to_owned()))
        }
        Source::Floor => (vec![binary("nephila-floor", "NEPHILA_FLOOR_BIN")?], None),
        Source::Wget2 => wget2()?,
        Source::Python {
            folder,
            package,
            script,
        } => {
            let interpreter = python(folder)?;
            let words = vec![interpreter, adapter(folder).join(script)];
            (words, pinned(folder, "requirements.txt", package))
        }
        Source::Node {
            folder,
            package,
            script,
        } => {
            let script = node(folder)?.join(script);
            (
                vec![find("node")?, script],
                pinned(folder, "package.json", package),
            )
        }
        Source::Rust { folder, package } => {
            (vec![rust(folder)?], pinned(folder, "Cargo.toml", package))
        }
        Source::Go { folder, package } => (vec![go(folder)?], pinned(folder, "go.mod", package)),
    };
    let title = match (version, tool.title.split_once(',')) {
        (None, _) => tool.title.to_owned(),
        (Some(version), None) => format!("{} {version}", tool.title),
        (Some(version), Some((name, rest))) => format!("{name} {version},{rest}"),
    };
    let words = words.into_iter().map(PathBuf::into_os_string).collect();
    Ok(Ready {
        source: tool.source,
        title,
        words,
    })
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_owned()
}

fn adapter(folder: &str) -> PathBuf {
    root().join("bench/peers").join(folder)
}

fn home(name: &str) -> anyhow::Result<PathBuf> {
    let home = root().join("target/peers").join(name);
    std::fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
    Ok(home)
}

fn pinned(folder: &str, file: &str, package: &str) -> Option<String> {
    let text = std::fs::read_to_string(adapter(folder).join(file)).ok()?;
    pinned::version(&text, package)
}

/// A virtual environment with the packages of the folder's requirements.txt; its interpreter.
fn python(folder: &str) -> anyhow::Result<PathBuf> {
    let home = home(folder)?;
    let interpreter = home.join("bin/python");
    let requirements = adapter(folder).join("requirements.txt");
    made_from(&home, &requirements, || {
        done(
            Command::new(find("python3")?)
                .args(["-m", "venv"])
                .arg(&home),
        )?;
        done(
            Command::new(&interpreter)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args(["--no-input", "--only-binary", ":all:", "-r"])
                .arg(&requirements),
        )
    })?;
    Ok(interpreter)
}

/// A folder with the adapter and the packages of its lock file.
fn node(folder: &str) -> anyhow::Result<PathBuf> {
    let home = home(folder)?;
    for entry in std::fs::read_dir(adapter(folder))? {
        let entry = entry?;
        std::fs::copy(entry.path(), home.join(entry.file_name()))?;
    }
    made_from(&home, &adapter(folder).join("package-lock.json"), || {
        done(
            Command::new(find("npm")?)
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&home),
        )
    })?;
    Ok(home)
}

/// The program of the folder, built from its lock file. cargo knows when there is nothing to do.
fn rust(folder: &str) -> anyhow::Result<PathBuf> {
    let home = home("cargo")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("==> {folder}: cargo build");
    done(
        Command::new(cargo)
            .args(["build", "--release", "--locked", "--quiet", "--target-dir"])
            .arg(&home)
            .arg("--manifest-path")
            .arg(adapter(folder).join("Cargo.toml")),
    )?;
    Ok(home.join(format!("release/nephila-peer-{folder}")))
}

/// The program of the folder, built with the machine's Go or with PyPI's.
fn go(folder: &str) -> anyhow::Result<PathBuf> {
    let go = match find("go") {
        Ok(go) => go,
        Err(_) => python("go")?.with_file_name("go"),
    };
    let home = home(folder)?;
    for file in ["go.mod", "main.go"] {
        std::fs::copy(adapter(folder).join(file), home.join(file))?;
    }
    let program = home.join("pages");
    made_from(&home, &adapter(folder).join("go.mod"), || Ok(()))?;
    done(
        Command::new(go)
            .args(["build", "-mod=mod", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(&home)
            .env("GOTOOLCHAIN", "local")
            .env("GOPATH", home.join("path"))
            .env("GOCACHE", home.join("cache")),
    )
    .context("Go's modules cannot be had here")?;
    Ok(program)
}

/// Debian's package, the one thing that is installed into the system.
fn wget2() -> anyhow::Result<(Vec<PathBuf>, Option<String>)> {
    if find("wget2").is_err() {
        eprintln!("==> wget2: apt-get install wget2, into the system");
        let apt = find("apt-get")?;
        let install = || {
            done(
                Command::new(&apt)
                    .args([
                        "install",
                        "--yes",
                        "--quiet",
                        "--no-install-recommends",
                        "wget2",
                    ])
                    .env("DEBIAN_FRONTEND", "noninteractive"),
            )
        };
        // The lists of packages may be old or not there.
        if install().is_err() {
            done(Command::new(&apt).args(["update", "--quiet"]))?;
            install()?;
        }
    }
    let program = find("wget2")?;
    let output = Command::new(&program).arg("--version").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((vec![program], pinned::version(&said, "Wget2")))
}

/// Makes the folder unless it was made from a file with this content, and notes the content once it
/// is whole.
fn made_from(
    home: &Path,
    file: &Path,
    make: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = std::fs::read(file).with_context(|| file.display().to_string())?;
    let stamp = home.join("made-from.txt");
    if std::fs::read(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    eprintln!("==> {} from {}", home.display(), file.display());
    make()?;
    std::fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

/// Runs the command; on failure the error has the last line that it said.
fn done(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {:?}", command.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default();
        bail!(
            "{:?} ended with {}: {last}",
            command.get_program(),
            output.status
        );
    }
    Ok(())
}

fn find(program: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program));
    let mut found = found.filter(|candidate| candidate.is_file());
    found
        .next()
        .with_context(|| format!("there is no {program} in PATH"))
}

#[cfg(test)]
mod tests {
    use super::super::tools::TOOLS;
    use super::*;

    #[test]
    fn every_adapter_pins_what_it_runs() {
        for tool in TOOLS {
            let version = match tool.source {
                Source::Nephila | Source::Floor | Source::Wget2 => continue,
                Source::Python {
                    folder,
                    package,
                    script,
                } => {
                    assert!(adapter(folder).join(script).is_file(), "{script}");
                    pinned(folder, "requirements.txt", package)
                }
                Source::Node {
                    folder,
                    package,
                    script,
                } => {
                    assert!(adapter(folder).join(script).is_file(), "{script}");
                    pinned(folder, "package.json", package)
                }
                Source::Rust { folder, package } => pinned(folder, "Cargo.toml", package),
                Source::Go { folder, package } => pinned(folder, "go.mod", package),
            };
            let parts = version.as_deref().unwrap_or_default().split('.').count();
            assert_eq!(parts, 3, "{}: {version:?}", tool.name);
        }
    }
}
