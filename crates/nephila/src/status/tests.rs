use nephila_frontier::{CanonicalUrl, Outcome, QueuedUrl, UrlKind};
use nephila_store::{CommitLog, PartPosition};

use super::*;
use crate::journal::{DoneEntry, StopEntry};
use crate::options::Settings;

fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn admitted(url: &str) -> Entry {
    let url = CanonicalUrl::from_serialized(url).unwrap();
    Entry::Admitted(Box::new(QueuedUrl::page(url, 0, None, at(100))))
}

fn done(url: &str, outcome: Outcome, next: u64) -> Entry {
    Entry::Done(Box::new(DoneEntry {
        url: url.to_owned(),
        kind: UrlKind::Page,
        outcome,
        status: 200,
        hops: 0,
        wire_bytes: 10,
        decoded_bytes: 20,
        fetch_millis: 30,
        finished_at: at(105),
        host_next_at: at(next),
    }))
}

fn stop(reason: StopReason) -> Entry {
    Entry::Stop(StopEntry {
        reason,
        at: at(106),
        ran_millis: 6_000,
    })
}

/// A crawl directory with this one commit after its beginning.
fn crawl(settings: &Settings, mut entries: Vec<Entry>) -> (tempfile::TempDir, CrawlDirectory) {
    let root = tempfile::tempdir().unwrap();
    let directory = CrawlDirectory::at(root.path().join("crawl"));
    directory.create().unwrap();
    let seeds = ["http://a.test/".to_owned()];
    directory
        .write_config(&settings.check().unwrap(), &seeds)
        .unwrap();
    let mut log = CommitLog::create(&directory.state()).unwrap();
    let mut payload = Vec::new();
    Entry::Begin {
        key: [1, 2],
        at: at(100),
    }
    .encode(&mut payload);
    log.append(&payload).unwrap();
    entries.push(Entry::Rows(PartPosition {
        part: 0,
        bytes: 9,
        rows: 2,
    }));
    payload.clear();
    entries.iter().for_each(|entry| entry.encode(&mut payload));
    log.append(&payload).unwrap();
    (root, directory)
}

fn usual() -> Vec<Entry> {
    vec![
        admitted("http://a.test/"),
        admitted("http://a.test/1"),
        admitted("http://a.test/2"),
        admitted("http://b.test/"),
        done("http://a.test/", Outcome::Fetched, 112),
    ]
}

#[test]
fn a_crawl_that_nobody_holds_and_that_did_not_stop_is_broken_off() {
    let (_root, directory) = crawl(&Settings::new(), usual());
    let status = Status::read(&directory, 5, at(110)).unwrap();
    assert_eq!(status.state, RunState::BrokenOff);
    assert!(
        status
            .why
            .ends_with("nothing was committed after 1970-01-01T00:01:45.000Z")
    );
    let queued = QueueStatus {
        urls: 3,
        held: 0,
        hosts: 2,
        ready_hosts: 1,
        next_in_seconds: Some(0.0),
    };
    assert_eq!(status.queued, queued);
    assert_eq!((status.pages, status.rows, status.parts), (1, 2, 1));
    assert_eq!(status.outcomes["fetched"], 1);
    let hosts: Vec<_> = status
        .hosts
        .iter()
        .map(|h| (&*h.host, h.pages, h.queued))
        .collect();
    assert_eq!(hosts, [("a.test", 1, 2), ("b.test", 0, 1)]);
    assert_eq!(status.hosts[0].next_in_seconds, 2.0);
    assert_eq!(status.hosts_known, 2);
}

#[test]
fn a_run_that_could_not_go_on_says_why_until_the_next_begins() {
    let mut entries = usual();
    entries.push(Entry::Stop(StopEntry {
        reason: StopReason::Done,
        at: at(121),
        ran_millis: 20,
    }));
    for entries in [usual(), entries] {
        let (_root, directory) = crawl(&Settings::new(), entries);
        let before = Status::read(&directory, 1, at(140)).unwrap().state;
        let lock = DirectoryLock::acquire(&directory.state()).unwrap();
        lock.leave_note("the disk is full").unwrap();
        drop(lock);
        let status = Status::read(&directory, 1, at(140)).unwrap();
        assert_eq!(
            (status.state, status.reason),
            (RunState::BrokenOff, Some("failed"))
        );
        let start = "it could not go on: the disk is full: nothing was committed after";
        assert!(status.why.starts_with(start), "{}", status.why);
        let lock = DirectoryLock::acquire(&directory.state()).unwrap();
        lock.leave_note("").unwrap();
        drop(lock);
        assert_eq!(Status::read(&directory, 1, at(140)).unwrap().state, before);
    }
}

#[test]
fn a_running_crawl_says_what_it_waits_for() {
    let mut entries = usual();
    entries.push(done("http://b.test/", Outcome::HttpError, 120));
    let (_root, directory) = crawl(&Settings::new(), entries);
    let lock = DirectoryLock::acquire(&directory.state()).unwrap();
    let why = |now| Status::read(&directory, 1, at(now)).unwrap();
    let waiting = why(110);
    assert_eq!(
        (waiting.state, waiting.process),
        (RunState::Running, Some(std::process::id()))
    );
    let expected = "waiting for politeness: the next host may be fetched in 2.0 s";
    assert_eq!(waiting.why, expected);
    assert!(why(113).why.starts_with("fetching: 1 hosts"));
    assert!(why(140).why.contains("nothing was committed for 35 s"));
    drop(lock);
    assert_eq!(why(140).state, RunState::BrokenOff);
}

#[test]
fn a_crawl_that_stopped_says_why() {
    let mut entries = usual();
    entries.push(stop(StopReason::MaxPages));
    let (_root, directory) = crawl(&Settings::new(), entries);
    let status = Status::read(&directory, 1, at(110)).unwrap();
    assert_eq!(
        (status.state, status.reason),
        (RunState::Stopped, Some("max_pages"))
    );
    assert_eq!(status.why, "stopped at --max-pages");
    assert_eq!(status.ran_seconds, 6.0);

    let limited = Settings::new().with("max-pages-per-host", "1").unwrap();
    let mut entries = usual();
    entries.push(done("http://b.test/", Outcome::Fetched, 0));
    entries.push(stop(StopReason::Done));
    let (_root, directory) = crawl(&limited, entries);
    let status = Status::read(&directory, 1, at(110)).unwrap();
    assert_eq!(
        (status.queued.urls, status.queued.held, status.queued.hosts),
        (2, 2, 0)
    );
    assert_eq!(
        status.why,
        "done, but for 2 URLs that --max-pages-per-host holds back"
    );
}

#[test]
fn what_is_no_crawl_is_told_so() {
    let root = tempfile::tempdir().unwrap();
    let directory = CrawlDirectory::at(root.path());
    let error = Status::read(&directory, 1, at(1)).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::NotACrawl);
}

#[test]
fn a_run_that_died_before_its_first_commit_is_broken_off() {
    let stop = Entry::Stop(StopEntry {
        reason: StopReason::MaxPages,
        at: at(121),
        ran_millis: 20,
    });
    for (last, state) in [
        (None, RunState::Stopped),
        (Some(Entry::Run(at(130))), RunState::BrokenOff),
    ] {
        let entries = usual().into_iter().chain([stop.clone()]).chain(last);
        let (_root, directory) = crawl(&Settings::new(), entries.collect());
        assert_eq!(Status::read(&directory, 1, at(140)).unwrap().state, state);
    }
}
