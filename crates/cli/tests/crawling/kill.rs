//! kill -9 at random moments: the rows of a crawl that died and went on are those of one that
//! was never killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nephila_sim::{Spread, Web};

use super::run::{Site, code, nephila, pages, summary, words};

const KILLS: u32 = 20;
const PAGES: u64 = 20_000;

/// What must be equal: outcome, status and content of every page.
fn facts(directory: &Path) -> BTreeMap<String, (String, u64, String)> {
    let fact = |row: &serde_json::Value| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (
            text("outcome"),
            row["status"].as_u64().unwrap_or(0),
            text("digest"),
        )
    };
    pages(directory)
        .iter()
        .map(|(url, row)| (url.clone(), fact(row)))
        .collect()
}

#[test]
fn killed_twenty_times_nothing_is_lost_and_nothing_twice() {
    let mut web = Web::light(20, 100, PAGES);
    web.page_bytes = Spread::constant(6_000.0);
    let site = Site::new(web);
    let options = ["--concurrency", "100", "--commit-interval", "50ms"];
    let whole = site.crawl("whole").args(options).output().unwrap();
    assert_eq!(code(&whole), 0, "{}", words(&whole));

    let killed = site.path("killed");
    let mut dice = 20_261_123u64;
    let mut kills = 0;
    let mut first = true;
    while kills < KILLS {
        let mut command = if first {
            site.crawl("killed")
        } else {
            nephila()
        };
        if first {
            command.args(options);
        } else {
            command.arg("resume").arg(&killed).arg("--quiet");
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = Duration::from_millis(20 + (dice >> 33) % 160);
        std::thread::sleep(moment); // paced: the moment of the kill is what is drawn
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // Killed before there was a crawl to go on with: it is begun anew.
        if first && !killed.join("crawl.toml").exists() {
            let _ = std::fs::remove_dir_all(&killed);
            continue;
        }
        first = false;
    }
    assert_eq!(
        kills, KILLS,
        "the crawl was over before it was killed {KILLS} times"
    );
    let last = nephila()
        .arg("resume")
        .arg(&killed)
        .arg("--quiet")
        .output()
        .unwrap();
    assert_eq!(code(&last), 0, "{}", words(&last));

    let (expected, found) = (facts(&site.path("whole")), facts(&killed));
    assert_eq!(expected.len() as u64, PAGES);
    assert!(
        expected == found,
        "{} pages, not {}",
        found.len(),
        expected.len()
    );
    assert_eq!(summary(&killed)["pages"], PAGES);
}

#[test]
fn interrupted_once_it_ends_in_order_and_goes_on() {
    let mut web = Web::plain(3, 20, 2_000);
    web.latency_ms = Spread::constant(20.0);
    let site = Site::new(web);
    let options = ["--concurrency", "8"];
    let child = site
        .crawl("stopped")
        .args(options)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let directory = site.path("stopped");
    // Some rows are there: it is under way.
    while !has_rows(&directory) {
        std::thread::sleep(Duration::from_millis(5)); // paced: polls for the event itself
    }
    let process = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &process])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 130, "{}", words(&output));
    let before = pages(&directory).len() as u64;
    let told = summary(&directory);
    assert_eq!(told["stopped"], "interrupted");
    assert_eq!(told["pages"], before, "what the summary counts has its row");
    assert!(before < 2_000 && told["queued"].as_u64().unwrap() > 0);

    let output = nephila()
        .arg("resume")
        .arg(&directory)
        .arg("--quiet")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(pages(&directory).len(), 2_000);
    let twice = site
        .server
        .log()
        .entries
        .iter()
        .filter(|entry| !entry.is_guide())
        .count();
    assert_eq!(
        twice, 2_000,
        "what was in flight was finished, and is not asked for again"
    );
}

fn has_rows(directory: &Path) -> bool {
    let part = directory.join("pages/part-00000.jsonl.open");
    std::fs::metadata(part).is_ok_and(|part| part.len() > 0)
}

#[test]
fn a_crawl_that_died_at_its_very_beginning_is_begun_again() {
    let site = Site::new(Web::plain(1, 1, 12));
    assert_eq!(code(&site.crawl("whole").output().unwrap()), 0);
    // As a kill leaves it between the configuration and the log.
    let early = site.path("early");
    std::fs::create_dir_all(early.join("pages")).unwrap();
    std::fs::create_dir_all(early.join("state")).unwrap();
    std::fs::copy(site.path("whole/crawl.toml"), early.join("crawl.toml")).unwrap();
    let output = nephila()
        .arg("resume")
        .arg(&early)
        .arg("--quiet")
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(facts(&early), facts(&site.path("whole")));
    // And before the configuration.
    std::fs::create_dir_all(site.path("earlier/state")).unwrap();
    std::fs::write(site.path("earlier/state/lock"), "1").unwrap();
    let output = site.crawl("earlier").output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(facts(&site.path("earlier")).len(), 12);
    // Anything else that is there stays untouched.
    std::fs::create_dir_all(site.path("other/pages")).unwrap();
    std::fs::write(site.path("other/pages/mine.txt"), "mine").unwrap();
    assert_eq!(code(&site.crawl("other").output().unwrap()), 2);
    assert!(site.path("other/pages/mine.txt").exists());
}

#[test]
fn it_dies_where_it_is_told_and_wrong_words_are_a_usage_error() {
    use std::os::unix::process::ExitStatusExt;
    let site = Site::new(Web::plain(1, 1, 12));
    for wrong in [
        "commit",
        "amid:sync::1",
        "after:write:commit-:x",
        "after:fly::1",
    ] {
        let output = site
            .crawl("wrong")
            .env("NEPHILA_KILL_AT", wrong)
            .output()
            .unwrap();
        assert_eq!(code(&output), 2, "{wrong}: {}", words(&output));
        assert!(
            words(&output).contains("NEPHILA_KILL_AT"),
            "{}",
            words(&output)
        );
        assert!(!site.path("wrong").exists());
    }
    let mut command = site.crawl("killed");
    let output = command
        .env("NEPHILA_KILL_AT", "amid:write:commit-:2")
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), Some(9), "{}", words(&output));
    let output = nephila()
        .arg("resume")
        .arg(site.path("killed"))
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_eq!(facts(&site.path("killed")).len(), 12);
}

/// With as many threads as before from the checkpoint, with others from the whole log; also from one that
/// is damaged.
#[test]
fn a_crawl_goes_on_from_a_checkpoint_or_without_it() {
    const PAGES: u64 = 3_000;
    let site = Site::new(Web::plain(5, 40, PAGES));
    let crawl = site.path("crawl");
    let checkpoints = || -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(crawl.join("state")).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let is_one = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("checkpoint-")
        };
        files.filter(is_one).collect()
    };
    let options = ["--checkpoint-size", "8KiB", "--commit-interval", "10ms"];
    let begun = site
        .crawl("crawl")
        .args(options)
        .args(["--threads", "3", "--max-pages", "600"])
        .output()
        .unwrap();
    assert_eq!(code(&begun), 0, "{}", words(&begun));
    // A manifest, and a frontier of each thread.
    assert_eq!(checkpoints().len(), 4);
    let damage = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    // The manifest stays, and a frontier that it names is gone.
    let remove = |path: &std::path::Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.matches('-').count() > 1 {
            std::fs::remove_file(path).unwrap();
        }
    };
    let leave = |_: &std::path::Path| {};
    type Harm<'a> = &'a dyn Fn(&std::path::Path);
    let rows: [(&str, &str, Harm); 4] = [
        ("3", "1200", &leave),
        ("1", "1600", &leave),
        ("1", "2000", &damage),
        ("1", "2400", &remove),
    ];
    for (threads, pages, harm) in rows {
        checkpoints().iter().for_each(|path| harm(path));
        let resumed = nephila()
            .arg("resume")
            .arg(&crawl)
            .args(["--quiet", "--threads", threads, "--max-pages", pages])
            .output()
            .unwrap();
        assert_eq!(code(&resumed), 0, "{}", words(&resumed));
        assert!(!checkpoints().is_empty());
    }
    let last = nephila()
        .arg("resume")
        .arg(&crawl)
        .args(["--quiet", "--threads", "2", "--max-pages", "none"])
        .output()
        .unwrap();
    assert_eq!(code(&last), 0, "{}", words(&last));
    assert_eq!(facts(&crawl).len() as u64, PAGES);
    assert_eq!(summary(&crawl)["pages"], PAGES);
    // Nothing is left to fetch: the log has all that is needed.
    assert!(checkpoints().is_empty());
}
