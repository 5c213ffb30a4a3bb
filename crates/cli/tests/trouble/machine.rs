//! Making trouble, and what every test asks after it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::run::{Site, code, nephila, pages, summary, words};

/// The command run by a shell that first does `before`, as `ulimit -n 40`.
pub(crate) fn after(before: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{before}; exec \"$@\""))
        .arg("sh");
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// `nephila resume` of a crawl.
pub(crate) fn resume(crawl: &Path) -> Command {
    let mut command = nephila();
    command.arg("resume").arg(crawl).arg("--quiet");
    command
}

/// What `nephila status --json` tells.
pub(crate) fn status(crawl: &Path) -> Value {
    let output = nephila()
        .arg("status")
        .arg(crawl)
        .arg("--json")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every page of the web has its row, once, and every one was fetched.
pub(crate) fn assert_all_fetched(site: &Site, crawl: &Path) {
    let pages = pages(crawl);
    assert_eq!(pages.len() as u64, site.server.web().pages);
    let failed: Vec<_> = pages
        .values()
        .filter(|row| row["outcome"] != "fetched")
        .collect();
    assert!(
        failed.is_empty(),
        "{} pages failed: {}",
        failed.len(),
        failed[0]
    );
}

/// The crawl goes on to its end.
pub(crate) fn assert_resumed(site: &Site, crawl: &Path) {
    let output = resume(crawl).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_all_fetched(site, crawl);
    assert_eq!(status(crawl)["reason"], "done");
    assert_eq!(summary(crawl)["pages"], site.server.web().pages);
}

/// Starts a command whose messages are kept.
pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the server has answered so many requests.
pub(crate) fn wait_for_requests(site: &Site, count: usize) {
    while site.server.log().entries.len() < count {
        std::thread::sleep(Duration::from_millis(5)); // paced: polls for the event itself
    }
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
}

/// A disk of its own in memory; unmounted with its value.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts one; none, with what is skipped, where that is not allowed.
    pub(crate) fn mount(path: PathBuf, size: &str) -> Option<Disk> {
        std::fs::create_dir_all(&path).unwrap();
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&path);
        if command.output().is_ok_and(|output| output.status.success()) {
            return Some(Disk(path));
        }
        eprintln!("skipped: a small disk: mounting a tmpfs needs root");
        None
    }

    /// Changes how it is mounted.
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let output = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", words(&output));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// It ended because it could not go on, and says why and what to do.
pub(crate) fn assert_failed(output: &Output, parts: &[&str]) {
    assert_eq!(code(output), 1, "{}", words(output));
    for part in parts {
        assert!(
            words(output).contains(part),
            "{part:?} is not in: {}",
            words(output)
        );
    }
}
