//! What a person does wrong: each with a clear message, the right exit code, and nothing lost.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use nephila_sim::{Spread, Web};

use super::run::{Site, code, nephila, pages, words};

fn run(arguments: &[&str]) -> Output {
    nephila()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn refused(output: &Output, exit: i32, parts: &[&str]) {
    let told = words(output);
    assert_eq!(code(output), exit, "{told}");
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in: {told}");
    }
}

#[test]
fn the_command_line() {
    refused(&run(&["crawl"]), 2, &["no seed"]);
    refused(&run(&["crawl", "-"]), 2, &["no seed"]);
    refused(
        &run(&["crawl", "not a url"]),
        2,
        &["not a url", "https://example.com/"],
    );
    refused(&run(&["crawl", "ftp://a.test/"]), 2, &["ftp"]);
    refused(&run(&["crawl", "@/no/such/file"]), 1, &["/no/such/file"]);
    refused(
        &run(&["crawl", "http://a.test/", "--max-page", "3"]),
        2,
        &["--max-pages"],
    );
    refused(
        &run(&["crawl", "http://a.test/", "--delay", "5"]),
        2,
        &["--delay", "250ms"],
    );
    refused(
        &run(&["crawl", "http://a.test/", "--per-host", "0"]),
        2,
        &["--per-host", "1"],
    );
    refused(
        &run(&["crawl", "http://a.test/", "--include", "("]),
        2,
        &["--include"],
    );
    refused(
        &run(&["crawl", "http://a.test/", "--ca", "/no/ca.pem"]),
        1,
        &["/no/ca.pem"],
    );
    refused(&run(&["nonsense"]), 2, &["nonsense"]);
}

#[test]
fn the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    let file = file.to_str().unwrap();
    let out = folder.path().join("out");
    let arguments = [
        "crawl",
        "http://a.test/",
        "--out",
        out.to_str().unwrap(),
        "--config",
        file,
    ];
    std::fs::write(file, "delay = \"1s\"\nmax-pagez = 3\n").unwrap();
    refused(&run(&arguments), 2, &["line 2", "max-pagez", "max-pages"]);
    std::fs::write(file, "per-host = 5000\n").unwrap();
    refused(&run(&arguments), 2, &["per-host", "1024", "c.toml"]);
    std::fs::write(file, "per-host = = 1\n").unwrap();
    refused(&run(&arguments), 2, &["line 1"]);
    assert!(!out.exists(), "nothing was made");
}

#[test]
fn the_crawl_directory() {
    let site = Site::new(Web::plain(1, 1, 10));
    let done = site.path("done");
    assert_eq!(code(&site.crawl("done").output().unwrap()), 0);
    let before = pages(&done);
    refused(
        &site.crawl("done").output().unwrap(),
        2,
        &["exists already", "resume"],
    );
    assert_eq!(pages(&done), before);
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    refused(&run(&["resume", empty]), 2, &["no crawl directory"]);
    refused(&run(&["resume", "/no/such/dir"]), 2, &["/no/such/dir"]);
    refused(&run(&["status", empty]), 2, &["no crawl directory"]);
    let scope = ["resume", done.to_str().unwrap(), "--scope", "any"];
    refused(&run(&scope), 2, &["--scope"]);
}

#[test]
fn a_crawl_that_another_process_has_open() {
    let mut web = Web::plain(1, 1, 200);
    web.latency_ms = Spread::constant(50.0);
    let site = Site::new(web);
    let mut child = site.crawl("open").spawn().unwrap();
    let directory = site.path("open");
    while !directory.join("crawl.toml").exists() || !directory.join("state/lock").exists() {
        std::thread::yield_now();
    }
    let output = run(&["resume", directory.to_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    refused(&output, 1, &["lock", &child.id().to_string()]);
}

#[test]
fn a_host_that_does_not_resolve_and_one_that_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        let output = nephila()
            .args(["crawl", seed, "--out"])
            .arg(&out)
            .args([
                "--retries",
                "0",
                "--robots-attempts",
                "1",
                "--dns-timeout",
                "2s",
            ])
            .output()
            .unwrap();
        (output, out)
    };
    let (output, out) = crawl("dns", "http://does-not-exist.invalid/");
    refused(&output, 3, &["no seed could be fetched"]);
    let row = pages(&out).into_values().next().unwrap();
    assert_eq!(row["outcome"], "dns_failed", "{}", row["error"]);
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (output, out) = crawl("refused", &format!("http://{free}/"));
    refused(&output, 3, &["no seed could be fetched"]);
    let row = pages(&out).into_values().next().unwrap();
    assert_eq!(row["outcome"], "connect_failed", "{}", row["error"]);
}

/// Without its log nobody knows what the rows are: they are not touched.
#[test]
fn a_log_that_was_lost() {
    let site = Site::new(Web::plain(3, 2, 40));
    let output = site.crawl("c").args(["--format", "jsonl,csv"]).output();
    assert_eq!(code(&output.unwrap()), 0);
    let out = site.path("c");
    let part = out.join("pages/part-00000.jsonl");
    let rows = std::fs::read(&part).unwrap();
    for entry in out.join("state").read_dir().unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("commit-") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    // Whole, as it ended, and open, as a crash leaves it.
    for open in [false, true] {
        let path = match open {
            true => out.join("pages/part-00000.jsonl.open"),
            false => part.clone(),
        };
        if open {
            std::fs::rename(&part, &path).unwrap();
        }
        for verb in ["status", "resume"] {
            let output = nephila().arg(verb).arg(&out).output().unwrap();
            refused(
                &output,
                1,
                &["the commit log is missing", "nothing was changed"],
            );
            assert_eq!(std::fs::read(&path).unwrap(), rows, "{verb}");
        }
    }
}

/// A file system of a few MiB, taken away when it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(SmallDisk(folder))
    }

    fn remount(&self, options: &str) {
        let path = self.0.path();
        let done = Command::new("mount")
            .args(["-o", options])
            .arg(path)
            .status()
            .unwrap();
        assert!(done.success());
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = SmallDisk::mount("size=3m") else {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    };
    let site = Site::new(Web::light(4, 4, 1_000));
    let out = disk.path().join("crawl");
    let mut command = site.crawl("elsewhere");
    let output = command.arg("--out").arg(&out).output().unwrap();
    assert_eq!(code(&output), 2, "--out twice is refused");
    let port = site.server.addr().port();
    let crawl = nephila()
        .args(["crawl", &site.seed(), "--quiet", "--scope", "any", "--out"])
        .arg(&out)
        .args([
            "--resolve",
            &format!("*:{port}:127.0.0.1:{port}"),
            "--commit-interval",
            "20ms",
        ])
        .output()
        .unwrap();
    refused(&crawl, 1, &["space", "resume"]);
    disk.remount("remount,size=200m");
    let output = nephila()
        .arg("resume")
        .arg(&out)
        .arg("--quiet")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(pages(&out).len(), 1_000);
}

#[test]
fn a_read_only_place() {
    let Some(disk) = SmallDisk::mount("size=3m") else {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    };
    let site = Site::new(Web::plain(4, 1, 10));
    let port = site.server.addr().port();
    let crawl = |out: &Path| {
        nephila()
            .args(["crawl", &site.seed(), "--quiet", "--out"])
            .arg(out)
            .args(["--resolve", &format!("*:{port}:127.0.0.1:{port}")])
            .output()
            .unwrap()
    };
    let made = disk.path().join("made");
    assert_eq!(code(&crawl(&made)), 0);
    disk.remount("remount,ro");
    refused(&crawl(&disk.path().join("new")), 1, &["Read-only"]);
    let output = run(&["resume", made.to_str().unwrap()]);
    refused(&output, 1, &["ead-only"]);
    let output = run(&["status", made.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", words(&output));
}
