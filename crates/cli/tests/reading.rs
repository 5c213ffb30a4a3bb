//! The verbs that read a crawl, run as a person runs them: status, why, export, config show,
//! completions, and the demo.

#![expect(clippy::unwrap_used, reason = "what a test does not find, it fails on")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nephila_sim::{Outcomes, ServeOptions, Server, Web};
use serde_json::Value;

/// The command under test.
fn nephila() -> Command {
    let built = std::env::var_os("NEPHILA_BIN");
    Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_nephila").into()))
}

fn run(arguments: &[&str]) -> Output {
    nephila().args(arguments).output().unwrap()
}

/// What it printed, where it ended well.
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn printed_json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(arguments)).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The exit code and the message of a wrong use; nothing may stand on standard output.
fn refused(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code().unwrap(), told(&output))
}

/// A served web and a place for its crawl.
struct Site {
    server: Server,
    root: tempfile::TempDir,
}

impl Site {
    fn new(web: Web) -> Site {
        let server = Server::start_in_thread(web, ServeOptions::default()).unwrap();
        Site {
            server,
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn directory(&self) -> String {
        self.root.path().join("crawl").to_str().unwrap().to_owned()
    }

    fn url(&self, host: u32, path: &str) -> String {
        format!(
            "http://h{host}.sim.test:{}{path}",
            self.server.addr().port()
        )
    }

    fn crawl_command(&self, options: &[&str]) -> Command {
        let port = self.server.addr().port();
        let mut command = nephila();
        command
            .args([
                "crawl",
                &self.url(0, "/"),
                "--out",
                &self.directory(),
                "--quiet",
            ])
            .args(["--scope", "any", "--allow-private", "--resolve"])
            .arg(format!("*:{port}:127.0.0.1:{port}"))
            .args(options);
        command
    }

    fn crawl(&self, options: &[&str]) {
        let output = self.crawl_command(options).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }
}

/// A child that does not outlive the test.
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn status_tells_why_it_stopped_and_the_command_that_goes_on() {
    let site = Site::new(Web::plain(3, 3, 60));
    let directory = site.directory();
    site.crawl(&["--max-pages", "20"]);
    let text = printed(&["status", &directory, "--hosts", "2"]);
    assert!(
        text.starts_with(&format!("{directory}: stopped: stopped at --max-pages\n")),
        "{text}"
    );
    let json = printed_json(&["status", &directory, "--json"]);
    assert_eq!(json["state"], "stopped");
    assert_eq!(json["reason"], "max_pages");
    assert_eq!(json["pages"], 20);
    assert_eq!(json["outcomes"]["fetched"], 20);
    assert_eq!(json["statuses"]["200"], 20);
    assert_eq!(
        json["queued"]["urls"],
        json["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|host| host["queued"].as_u64().unwrap())
            .sum::<u64>()
    );
    let go_on = text
        .lines()
        .find_map(|line| line.strip_prefix("go on:"))
        .unwrap()
        .trim();
    let arguments: Vec<&str> = go_on.split(' ').skip(1).chain(["--quiet"]).collect();
    printed(&arguments);
    let json = printed_json(&["status", &directory, "--json"]);
    assert_eq!(
        (&json["reason"], &json["pages"]),
        (&"done".into(), &60.into())
    );
    assert_eq!(json["queued"]["urls"], 0);
    assert_eq!(json["why"], "done: nothing is left to fetch");
    assert_eq!(json["rows"], json["side_fetches"].as_u64().unwrap() + 60);
    assert!(!printed(&["status", &directory]).contains("go on:"));
}

#[test]
fn status_and_why_tell_of_a_running_crawl_and_of_a_killed_one() {
    let site = Site::new(Web::plain(3, 1, 10));
    let directory = site.directory();
    let child = site
        .crawl_command(&["--delay", "1h"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Running(child);
    // Its robots.txt is committed within a second; the seed then waits for the delay. Each look
    // starts a process, and a crawl that cannot get there ends the loop.
    let waiting = (0..2_000).find_map(|_| {
        assert_eq!(child.0.try_wait().unwrap(), None, "the crawl has ended");
        let output = run(&["status", &directory, "--json"]);
        let json: Value = serde_json::from_slice(&output.stdout).ok()?;
        let is_waiting = json["why"].as_str()?.starts_with("waiting for politeness");
        is_waiting.then_some(json)
    });
    let json = waiting.expect("it never waited for politeness");
    assert_eq!(json["state"], "running");
    assert_eq!(json["process"], child.0.id());
    assert_eq!(json["queued"]["urls"], 1);
    let wait = json["queued"]["next_in_seconds"].as_f64().unwrap();
    assert!((60.0..=3_600.0).contains(&wait), "{wait}");
    let seed = site.url(0, "/");
    let why = printed_json(&["why", &seed, &directory, "--json"]);
    assert_eq!(
        (&why["standing"], &why["is_running"]),
        (&"queued".into(), &true.into())
    );
    assert_eq!(why["host"]["robots"]["outcome"], "fetched");
    assert!(why["host"]["next_in_seconds"].as_f64().unwrap() > 60.0);

    child.kill();
    let text = printed(&["status", &directory]);
    assert!(
        text.contains("broken off: killed or crashed: nothing was committed after"),
        "{text}"
    );
    assert!(
        text.contains(&format!("go on:        nephila resume {directory}\n")),
        "{text}"
    );
    let why = printed(&["why", &seed, &directory]);
    assert!(
        why.contains("queued; no process is at work on the crawl"),
        "{why}"
    );
    // The readers have kept nobody out, and left nothing behind. The seed still waits: code 3.
    let output = run(&["resume", &directory, "--quiet", "--max-duration", "1s"]);
    assert_eq!(
        (output.status.code(), told(&output)),
        (Some(3), String::new())
    );
    let json = printed_json(&["status", &directory, "--json"]);
    assert_eq!(json["reason"], "max_duration");
}

#[test]
fn why_tells_what_became_of_a_url_or_which_rule_keeps_it_out() {
    let web = Web {
        outcomes: Outcomes {
            not_found: 0.2,
            moved: 0.2,
            denied: 0.2,
            ..Outcomes::default()
        },
        ..Web::plain(5, 2, 60)
    };
    let site = Site::new(web);
    let directory = site.directory();
    site.crawl(&["--exclude", "secret", "--max-hops", "9"]);
    let rows = printed(&[
        "export",
        &directory,
        "--format",
        "jsonl",
        "--columns",
        "url,outcome,referrer,redirect_target",
    ]);
    let rows: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for outcome in ["fetched", "http_error", "redirected", "robots_denied"] {
        let row = rows.iter().rfind(|row| row["outcome"] == outcome).unwrap();
        let why = printed_json(&["why", row["url"].as_str().unwrap(), &directory, "--json"]);
        assert_eq!(why["standing"], "done");
        assert!(
            why["explanation"].as_str().unwrap().starts_with(outcome),
            "{why}"
        );
        let visit = &why["visits"][0];
        assert_eq!(visit["referrer"], row["referrer"]);
        assert_eq!(visit["done"]["redirect_target"], row["redirect_target"]);
        let place = &visit["done"]["row"];
        let file = std::fs::read_to_string(place["file"].as_str().unwrap()).unwrap();
        let line = file
            .lines()
            .nth(place["line"].as_u64().unwrap() as usize - 1)
            .unwrap();
        let found: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&found["url"], &found["kind"]),
            (&row["url"], &"page".into())
        );
    }
    // As a person types it: without the scheme, with a fragment.
    let typed = site.url(0, "/#top").replace("http://", "");
    let text = printed(&["why", &typed, &directory]);
    assert!(text.contains("fetched, status 200"), "{text}");
    assert!(
        text.contains(", a seed\n") && text.contains("\n  row:         sed -n "),
        "{text}"
    );
    let excluded = printed(&["why", &site.url(0, "/secret"), &directory]);
    assert!(
        excluded.contains("refused: matches --exclude secret"),
        "{excluded}"
    );
    let unmet = printed(&["why", "http://nowhere.test/", &directory]);
    assert!(
        unmet.contains("never met: no page visited so far links to it"),
        "{unmet}"
    );
}

#[test]
fn export_gives_what_the_rows_hold() {
    let site = Site::new(Web::plain(7, 2, 30));
    let directory = site.directory();
    site.crawl(&[]);
    let file = std::fs::read_to_string(Path::new(&directory).join("pages/part-00000.jsonl"));
    let file = file.unwrap();
    assert_eq!(
        printed(&["export", &directory, "--format", "jsonl", "--all"]),
        file
    );
    let pages: Vec<Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|row: &Value| row["kind"] == "page")
        .collect();
    assert_eq!(pages.len(), 30);
    let csv = printed(&["export", &directory, "--columns", "status,url,times.dns"]);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("status,url,times.dns"));
    for (line, page) in lines.by_ref().zip(&pages) {
        let expected = format!("{},{},", page["status"], page["url"].as_str().unwrap());
        assert!(line.starts_with(&expected), "{line}");
    }
    assert_eq!(csv.lines().count(), 31);
    assert!(
        printed(&["export", &directory])
            .starts_with("url,status,outcome,content_type,title,hops\n")
    );
    let links = printed(&[
        "export",
        &directory,
        "--format",
        "jsonl",
        "--columns",
        "outlinks.url",
    ]);
    let first: Value = serde_json::from_str(links.lines().next().unwrap()).unwrap();
    let expected: Vec<&Value> = pages[0]["outlinks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| &link["url"])
        .collect();
    assert_eq!(
        first["outlinks.url"]
            .as_array()
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        expected
    );

    let output = site.root.path().join("rows.csv");
    let output = output.to_str().unwrap();
    printed(&[
        "export",
        &directory,
        "--columns",
        "status,url,times.dns",
        "--output",
        output,
    ]);
    assert_eq!(std::fs::read_to_string(output).unwrap(), csv);
    let (code, message) = refused(&["export", &directory, "--output", output]);
    assert_eq!(code, 2);
    assert!(message.contains("rows.csv exists already"), "{message}");
    assert_eq!(std::fs::read_to_string(output).unwrap(), csv);
    let names: Vec<PathBuf> = std::fs::read_dir(site.root.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(names.len(), 2, "nothing unfinished is left: {names:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let site = Site::new(Web::plain(7, 2, 200));
    let directory = site.directory();
    site.crawl(&[]);
    let mut command = nephila();
    let command = command.args(["export", &directory, "--format", "jsonl"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed before anything is read: the rows are far more than a pipe holds.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), told(&output)),
        (Some(0), String::new())
    );
}

#[test]
fn wrong_uses_are_told_clearly() {
    let root = tempfile::tempdir().unwrap();
    let empty = root.path().to_str().unwrap();
    let missing = root.path().join("missing");
    let missing = missing.to_str().unwrap();
    for verb in [
        &["status"][..],
        &["export"],
        &["why", "http://a.test/"],
        &["config", "show"],
    ] {
        let (code, message) = refused(&[verb, &[empty]].concat());
        assert_eq!(code, 2, "{verb:?}");
        assert!(
            message.contains("is no crawl directory: it holds no crawl.toml"),
            "{message}"
        );
        let (code, message) = refused(&[verb, &[missing]].concat());
        assert_eq!(code, 2, "{verb:?}");
        assert!(message.contains("there is no crawl directory"), "{message}");
    }
    let (code, message) = refused(&["export", empty, "--columns", "url,stauts"]);
    assert_eq!(code, 2);
    assert!(
        message.contains("no column \"stauts\"; did you mean \"status\"? (columns: version, url"),
        "{message}"
    );
    assert_eq!(refused(&["export", empty, "--format", "xml"]).0, 2);
    assert_eq!(refused(&["export", empty, "--columns", "url,url"]).0, 2);
    let (code, message) = refused(&["config", "show", "--concurrency", "0"]);
    assert_eq!(code, 2);
    assert!(
        message.contains("--concurrency: 0 is under the least value, 1"),
        "{message}"
    );
    assert_eq!(refused(&["completions", "tcsh"]).0, 2);
    assert_eq!(refused(&["status"]).0, 2);
}

#[test]
fn a_url_that_is_none_is_a_wrong_use_of_why() {
    let site = Site::new(Web::plain(7, 1, 3));
    let directory = site.directory();
    site.crawl(&[]);
    let (code, message) = refused(&["why", "mailto:someone", &directory]);
    assert_eq!(code, 2);
    assert!(
        message.contains("\"mailto:someone\" is no URL that can be crawled"),
        "{message}"
    );
}

#[test]
fn config_show_tells_values_and_where_they_came_from() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("mine.toml");
    std::fs::write(
        &file,
        "delay = \"2s\"\nproxy = \"http://me:secret@proxy.test:1\"\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let output = nephila()
        .args([
            "config",
            "show",
            "--config",
            file,
            "--max-pages",
            "7",
            "--include",
            "a",
            "--include",
            "b",
        ])
        .env("NEPHILA_AGENT", "tester")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap();
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("delay"), format!("2s file {file}"));
    assert_eq!(
        line("proxy"),
        format!("http://me:***@proxy.test:1 file {file}")
    );
    assert_eq!(line("agent"), "tester environment NEPHILA_AGENT");
    assert_eq!(line("max-pages"), "7 flag");
    assert_eq!(line("include"), "[\"a\", \"b\"] flag");
    assert_eq!(line("contact"), "none default");

    let site = Site::new(Web::plain(7, 1, 3));
    let directory = site.directory();
    site.crawl(&["--max-hops", "2"]);
    let json = printed_json(&["config", "show", &directory, "--json", "--delay", "3s"]);
    assert_eq!(json["max-hops"]["value"], "2");
    assert_eq!(
        json["max-hops"]["source"],
        format!("file {directory}/crawl.toml")
    );
    assert_eq!(
        json["delay"],
        serde_json::json!({ "value": "3s", "source": "flag" })
    );
}

#[test]
fn completions_know_the_verbs() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&["completions", shell]);
        assert!(
            script.contains("nephila") && script.contains("export"),
            "{shell}"
        );
    }
}

#[test]
fn the_demo_crawls_and_every_command_that_it_shows_works() {
    let root = tempfile::tempdir().unwrap();
    let output = nephila()
        .args(["demo", "--pages", "120"])
        .current_dir(root.path())
        .output()
        .unwrap();
    let text = told(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("serving a simulated web of 120 pages on 4 hosts"),
        "{text}"
    );
    assert!(text.contains("done: "), "{text}");
    let (_, steps) = text.split_once("what to try next:").unwrap();
    let steps: Vec<&str> = steps
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(steps.len(), 4, "{text}");
    for step in steps {
        let shell = Command::new("sh")
            .args(["-c", step])
            .current_dir(root.path())
            .output()
            .unwrap();
        assert!(
            shell.status.success() && shell.stderr.is_empty(),
            "{step}: {}",
            told(&shell)
        );
        assert!(!shell.stdout.is_empty(), "{step}");
    }
    let names: Vec<_> = std::fs::read_dir(root.path()).unwrap().collect();
    let name = names[0].as_ref().unwrap().file_name();
    assert!(
        names.len() == 1 && name.to_str().unwrap().starts_with("nephila-demo-"),
        "{name:?}"
    );
    let json = printed_json(&[
        "status",
        root.path().join(&name).to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(json["reason"], "done");
    assert!(json["pages"].as_u64().unwrap() > 60, "{json}");
    assert!(
        json["outcomes"]["robots_denied"].as_u64().unwrap() > 0,
        "{json}"
    );
}
