//! Too many open files.

use std::process::Command;
use std::time::Duration;

use nephila_sim::Web;

use super::machine::{after, assert_all_fetched, start, wait_for_requests};
use super::run::{Site, code, words};

/// What fails has its outcome at once: a page that could not be asked for must not fail at all.
const NO_SECOND_TRY: [&str; 4] = ["--retries", "0", "--robots-attempts", "1"];

/// Many hosts that take their time: as many sockets as there are fetches.
fn slow_web() -> Web {
    let mut web = Web::plain(6, 60, 600).with_latency_ms(20.0);
    web.seed_hosts = 60;
    web
}

#[test]
fn forty_open_files_bear_fewer_fetches_and_lose_no_page() {
    let site = Site::new(slow_web());
    let mut command = site.crawl("few");
    command
        .args(site.server.web().seeds())
        .args(["--concurrency", "200", "--threads", "2"])
        .args(NO_SECOND_TRY);
    let output = after("ulimit -n 40", &command).output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_all_fetched(&site, &site.path("few"));
}

#[test]
fn sockets_that_cannot_be_had_for_a_while_are_asked_for_again() {
    let site = Site::new(slow_web());
    let mut command = site.crawl("less");
    command
        .args(site.server.web().seeds())
        .args(["--concurrency", "50", "--threads", "1"])
        // Every fetch needs a socket of its own.
        .args(["--idle-connections", "0"])
        .args(NO_SECOND_TRY);
    let child = start(&mut command);
    wait_for_requests(&site, 100);
    let limit = |most: &str| {
        let mut command = Command::new("prlimit");
        command.args([
            "--pid",
            &child.id().to_string(),
            &format!("--nofile={most}"),
        ]);
        command.status().is_ok_and(|status| status.success())
    };
    // Fewer than it has open: no new socket and no new file is to be had.
    if !limit("10:4096") {
        eprintln!("skipped: fewer open files for a running process: there is no prlimit");
    }
    std::thread::sleep(Duration::from_millis(700)); // paced: the time without sockets
    limit("4096:4096");
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_all_fetched(&site, &site.path("less"));
}
