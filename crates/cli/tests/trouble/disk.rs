//! Disks that are full, closed, or give no more.

use nephila_sim::Web;

use super::machine::{
    Disk, after, assert_failed, assert_resumed, resume, start, status, wait_for_requests,
};
use super::run::{Site, code, words};

/// Rows of some 4 kB each: they and their log outgrow a disk of 1 MiB, in which Parquet alone may just fit.
fn web() -> Web {
    Web::plain(5, 8, 300)
}

fn full_and_emptied(format: &str, size: &str) {
    let site = Site::new(web());
    let Some(disk) = Disk::mount(site.path("disk"), size) else {
        return;
    };
    let crawl = site.path("disk/crawl");
    let sizes = [
        "--part-size",
        "64KiB",
        "--warc-size",
        "1MiB",
        "--commit-interval",
        "10ms",
    ];
    let mut command = site.crawl("disk/crawl");
    command.args(["--format", format]).args(sizes);
    let output = command.output().unwrap();
    assert_failed(
        &output,
        &[
            "No space left on device",
            "free some space",
            "nephila resume",
        ],
    );

    let told = status(&crawl);
    assert_eq!(
        (&told["state"], &told["reason"]),
        (&"broken_off".into(), &"failed".into())
    );
    let why = told["why"].as_str().unwrap();
    assert!(why.contains("No space left on device"), "{why}");
    let before = told["pages"].as_u64().unwrap();
    assert!(
        (1..300).contains(&before),
        "{before} pages before the disk was full"
    );

    // Still full: it says so again, and loses nothing.
    let output = resume(&crawl).output().unwrap();
    assert_failed(&output, &["No space left on device"]);
    assert!(status(&crawl)["pages"].as_u64().unwrap() >= before);

    disk.remount("size=32m");
    if format.contains("jsonl") {
        assert_resumed(&site, &crawl);
    } else {
        let output = resume(&crawl).output().unwrap();
        assert_eq!(code(&output), 0, "{}", words(&output));
        let told = status(&crawl);
        assert_eq!(
            (&told["reason"], &told["pages"]),
            (&"done".into(), &300.into())
        );
        assert_eq!(told["outcomes"]["fetched"], 300);
    }
}

#[test]
fn a_disk_that_is_full_of_rows_loses_nothing() {
    full_and_emptied("jsonl", "1m");
}

#[test]
fn a_disk_that_is_full_while_parquet_is_made_loses_nothing() {
    full_and_emptied("jsonl,parquet", "1m");
    full_and_emptied("parquet", "500k");
}

#[test]
fn a_disk_that_is_full_of_archive_loses_nothing() {
    full_and_emptied("jsonl,warc", "1m");
}

#[test]
fn a_disk_that_may_not_be_written_is_told_and_can_be_read() {
    let site = Site::new(web().with_latency_ms(5.0));
    let Some(disk) = Disk::mount(site.path("disk"), "32m") else {
        return;
    };
    let crawl = site.path("disk/crawl");
    let child = start(&mut site.crawl("disk/crawl"));
    wait_for_requests(&site, 60);
    super::machine::signal(&child, "TERM");
    assert_eq!(code(&child.wait_with_output().unwrap()), 130);
    disk.remount("ro");
    let output = resume(&crawl).output().unwrap();
    assert_failed(&output, &["Read-only file system", "make it writable"]);
    assert_eq!(status(&crawl)["reason"], "interrupted");
    disk.remount("rw");
    assert_resumed(&site, &crawl);
}

/// Stands for a quota: the kernel refuses to let a file grow, and sends SIGXFSZ with it.
#[test]
fn a_file_that_may_not_grow_is_an_error_and_no_death() {
    let site = Site::new(web());
    let crawl = site.path("crawl");
    let command = site.crawl("crawl");
    let output = after("ulimit -f 400", &command).output().unwrap();
    assert_failed(&output, &["File too large", "free some space"]);
    assert_eq!(status(&crawl)["reason"], "failed");
    assert_resumed(&site, &crawl);
}
