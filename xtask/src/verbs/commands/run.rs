//! Runs the blocks of a page as a reader would type them.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::{PageText, directory_name, is_run, judge};
use crate::markdown::Block;
use crate::repository;

/// The longest that a block may take, and how often it is looked at.
const LIMIT: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_millis(50);

/// Stands before each block: what cargo means to a reader in a checkout, from any directory.
const PRELUDE: &str = r#"
cargo() {
  case "$*" in
    "run --release -- "*) shift 3; nephila "$@" ;;
    "xtask test"*) : ;;
    "xtask "*) shift; "$NEPHILA_XTASK" "$@" ;;
    *) (cd "$NEPHILA_ROOT" && command cargo "$@") ;;
  esac
}
"#;

/// Runs every block that is to be run. All pages run; the error names each block that failed.
pub(crate) fn run_pages(pages: &[PageText], binaries: &Path) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    let mut count = 0;
    for page in pages {
        count += page.blocks.iter().filter(|block| is_run(block)).count();
        failed.extend(run_page(page, binaries)?);
    }
    if !failed.is_empty() {
        bail!(
            "{} of {count} blocks failed:\n{}",
            failed.len(),
            failed.join("\n")
        );
    }
    eprintln!("the {count} blocks of README.md and docs/ ran");
    Ok(())
}

/// Runs the blocks of one page in order in one new directory; the rest is left out after a failure.
/// Gives what failed. The directory stays after a failure, to be looked at.
fn run_page(page: &PageText, binaries: &Path) -> anyhow::Result<Vec<String>> {
    let directory = directory(&page.path);
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("making {}", directory.display()))?;
    let mut started = Started(Vec::new());
    let mut failed = Vec::new();
    for block in &page.blocks {
        let place = format!("{}:{}", page.path, block.line);
        let outcome = judge(block).map_err(anyhow::Error::msg);
        let outcome = match outcome {
            Ok(()) if !is_run(block) => continue,
            Ok(()) => run_block(block, &directory, binaries, &mut started),
            refused => refused,
        };
        if let Err(error) = outcome {
            failed.push(format!("{place}: {error:#}"));
            break;
        }
    }
    drop(started);
    if failed.is_empty() {
        std::fs::remove_dir_all(&directory)
            .with_context(|| format!("removing {}", directory.display()))?;
    }
    Ok(failed)
}

/// The directory that the blocks of a page run in: none other of this machine has its name.
fn directory(page: &str) -> PathBuf {
    let name = format!("nephila-{}-{}", std::process::id(), directory_name(page));
    std::env::temp_dir().join(name)
}

fn run_block(
    block: &Block,
    directory: &Path,
    binaries: &Path,
    started: &mut Started,
) -> anyhow::Result<()> {
    let said = directory.with_extension("output");
    let output = File::create(&said).with_context(|| format!("making {}", said.display()))?;
    let mut child = Command::new("sh")
        .args(["-euc", &format!("{PRELUDE}\n{}", block.body)])
        .current_dir(directory)
        .env("PATH", path_with(binaries)?)
        .env("NEPHILA_ROOT", repository::root())
        .env("NEPHILA_XTASK", std::env::current_exe()?)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("cannot start sh")?;
    started.0.push(child.id());
    let ended = wait(&mut child)?;
    let text = std::fs::read_to_string(&said).unwrap_or_default();
    std::fs::remove_file(&said).with_context(|| format!("removing {}", said.display()))?;
    match ended {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{status}; in {}; it said:\n{text}", directory.display()),
        None => bail!("took more than {} s; it said:\n{text}", LIMIT.as_secs()),
    }
}

/// How the child ended; nothing when it did not within the limit.
fn wait(child: &mut Child) -> anyhow::Result<Option<ExitStatus>> {
    for _ in 0..LIMIT.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}

/// The process groups of a page's blocks. What is left of them (a server in the background) is
/// ended with the page.
struct Started(Vec<u32>);

impl Drop for Started {
    fn drop(&mut self) {
        for group in &self.0 {
            let end = format!("kill -s KILL -- -{group}");
            let mut command = Command::new("sh");
            command
                .args(["-c", &end])
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            // A group with nothing left in it is no error: most blocks end by themselves.
            let _ = command.stderr(Stdio::null()).status();
        }
    }
}

fn path_with(binaries: &Path) -> anyhow::Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(PathBuf::from(binaries)).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(all)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown;

    fn page(path: &str, text: &str) -> PageText {
        PageText {
            path: path.to_string(),
            blocks: markdown::split(text).blocks,
        }
    }

    /// Runs a planted page and removes what a failure leaves to be looked at. Tests may run as
    /// threads of one process: each has a page of its own.
    fn run(path: &str, text: &str) -> anyhow::Result<()> {
        let outcome = run_pages(&[page(path, text)], Path::new("/nowhere"));
        if outcome.is_err() && directory(path).exists() {
            std::fs::remove_dir_all(directory(path)).unwrap();
        }
        assert!(
            !directory(path).exists(),
            "a page that succeeded leaves nothing"
        );
        outcome
    }

    #[test]
    fn blocks_of_a_page_share_a_directory_and_run_in_order() {
        run("docs/order.md", "```sh\necho one > a\n```\n```text\nexit 1\n```\n```sh\ntest -s a\ncargo xtask test\n```\n")
            .unwrap();
    }

    #[test]
    fn a_block_that_fails_is_named_with_what_it_said() {
        let error = run(
            "docs/fails.md",
            "\n```sh\necho the reason >&2\nfalse\n```\n",
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("docs/fails.md:2:") && error.contains("the reason"),
            "{error}"
        );
        let unset = run("docs/fails.md", "```sh\necho $NOT_SET_ANYWHERE\n```\n")
            .unwrap_err()
            .to_string();
        assert!(unset.contains("NOT_SET_ANYWHERE"), "{unset}");
    }

    #[test]
    fn a_block_that_uses_the_internet_is_not_started() {
        let error = run(
            "docs/outside.md",
            "```sh\necho https://example.org\nexit 97\n```\n",
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("uses the internet") && !error.contains("97"),
            "{error}"
        );
    }

    #[test]
    fn what_a_page_left_running_is_ended_with_it() {
        let file = std::env::temp_dir().join(format!("nephila-planted-{}", std::process::id()));
        let text = format!("```sh\nsleep 600 & echo $! > {}\n```\n", file.display());
        run("docs/background.md", &text).unwrap();
        let pid = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let state = format!("/proc/{}/stat", pid.trim());
        // Gone, or killed and not yet collected by the parent it fell to. The kernel ends it
        // within moments: the bound is only there so that a failure is told.
        let ended = || std::fs::read_to_string(&state).map_or(true, |text| text.contains(") Z"));
        assert!(
            (0..200_000).any(|_| ended()),
            "process {} still runs",
            pid.trim()
        );
    }
}
