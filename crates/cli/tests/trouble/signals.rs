//! Signals: those that end it in good order, and those that hold it up.

use std::time::Duration;

use nephila_sim::Web;

use super::machine::{
    after, assert_all_fetched, assert_resumed, signal, start, status, wait_for_requests,
};
use super::run::{Site, code, words};

fn site() -> Site {
    Site::new(Web::plain(4, 10, 400).with_latency_ms(20.0))
}

#[test]
fn a_hangup_and_a_termination_end_it_in_good_order() {
    for name in ["HUP", "TERM"] {
        let site = site();
        let child = start(site.crawl("stopped").args(["--concurrency", "4"]));
        wait_for_requests(&site, 60);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{name}: {}", words(&output));
        let crawl = site.path("stopped");
        assert_eq!(status(&crawl)["reason"], "interrupted", "{name}");
        assert_resumed(&site, &crawl);
    }
}

#[test]
fn a_hangup_that_is_ignored_stays_so() {
    let site = site();
    let command = site.crawl("nohup");
    let child = start(&mut after("trap '' HUP", &command));
    wait_for_requests(&site, 60);
    signal(&child, "HUP");
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_all_fetched(&site, &site.path("nohup"));
}

#[test]
fn a_process_that_was_stopped_for_longer_than_its_time_limits_loses_nothing() {
    let site = site();
    let limits = ["--idle-timeout", "300ms", "--first-byte-timeout", "300ms"];
    let mut command = site.crawl("slept");
    command
        .args(limits)
        .args(["--retry-wait", "50ms", "--total-timeout", "400ms"]);
    let child = start(&mut command);
    for requests in [60, 150] {
        wait_for_requests(&site, requests);
        signal(&child, "STOP");
        std::thread::sleep(Duration::from_millis(900)); // paced: longer than the time limits
        signal(&child, "CONT");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert_all_fetched(&site, &site.path("slept"));
}
