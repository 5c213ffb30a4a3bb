//! One run of a crawler on a processor of its own, and what it cost.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::process::{children_usage, peak};

/// The processors, as taskset names them: one for the servers and for this process, one for the
/// crawler.
pub(super) const SERVER: &str = "0";
pub(super) const CRAWLER: &str = "1";

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The file of the output directory with what the crawler said.
pub(super) const SAID: &str = "said.txt";

/// What a run cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// From the start of the process to its end.
    pub(super) wall: Duration,
    /// User and system time of the process and its children.
    pub(super) cpu: Duration,
    pub(super) peak_kib: u64,
    /// Whether it was ended because it took too long.
    pub(super) is_cut: bool,
}

/// Runs the command on that processor. With names, it runs in a mount namespace of its own in which
/// `/etc/hosts` gives each of them the loopback address; the machine's own file is not touched. How
/// it ended is not judged: some crawlers fail where one page is not found.
///
/// # Errors
/// Where it cannot be started.
#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
pub(super) fn run(
    command: Command,
    processor: &str,
    names: &[String],
    limit: Duration,
    out: &Path,
) -> anyhow::Result<Run> {
    let mut command = placed(command, processor, names, out)?;
    let said = File::create(out.join(SAID))?;
    let before = children_usage()?;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said)
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let mut run = Run::default();
    // The peak is in the process's own file until it is reaped: looked at while it runs.
    loop {
        run.peak_kib = peak(child.id()).unwrap_or(0).max(run.peak_kib);
        if child.try_wait()?.is_some() {
            break;
        }
        if began.elapsed() > limit && !run.is_cut {
            run.is_cut = true;
            child.kill()?;
        }
        std::thread::sleep(LOOK);
    }
    run.wall = began.elapsed();
    let after = children_usage()?;
    run.cpu = Duration::from_secs_f64(after.0 + after.1 - before.0 - before.1);
    Ok(run)
}

/// The same command behind taskset and, with names, unshare. Each replaces itself by the next, so
/// that the process that is started is the crawler's.
fn placed(
    command: Command,
    processor: &str,
    names: &[String],
    out: &Path,
) -> anyhow::Result<Command> {
    let mut placed = Command::new("taskset");
    placed.args(["--cpu-list", processor]);
    if !names.is_empty() {
        let hosts = out.join("hosts");
        let lines = names.iter().map(|name| format!("127.0.0.1 {name}\n"));
        std::fs::write(
            &hosts,
            format!("127.0.0.1 localhost\n{}", lines.collect::<String>()),
        )?;
        placed.arg("unshare");
        if std::fs::metadata("/proc/self")?.uid() != 0 {
            placed.args(["--user", "--map-root-user"]);
        }
        placed
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            .arg("mount --bind \"$0\" /etc/hosts && exec \"$@\"")
            .arg(hosts);
    }
    placed.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => placed.env(name, value),
            None => placed.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        placed.current_dir(directory);
    }
    Ok(placed)
}

/// The last lines that the crawler said, for an error.
pub(super) fn last_said(out: &Path) -> String {
    let said = std::fs::read(out.join(SAID)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines
        .get(lines.len().saturating_sub(4)..)
        .unwrap_or_default()
        .join("\n")
}
