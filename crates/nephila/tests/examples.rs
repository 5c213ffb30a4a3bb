//! The examples, run as a person would run them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

use nephila_sim::{Outcomes, ServeOptions, Server, Web};

/// Where cargo has put the example: beside the test's own folder.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name)
}

/// Runs an example against a small served web, under an address that its seed names itself.
fn run(name: &str, web: Web) -> (String, String) {
    let server = Server::start_in_thread(web, ServeOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = server.addr().port();
    let output = Command::new(example(name))
        .arg(format!("http://h0.localhost:{port}/"))
        .arg(folder.path().join("crawl"))
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    (String::from_utf8(output.stdout).unwrap(), errors)
}

fn web(pages: u64) -> Web {
    Web {
        domain: "localhost".to_owned(),
        ..Web::plain(9, 1, pages)
    }
}

#[test]
fn titles_of_a_site() {
    let (titles, told) = run("site_titles", web(40));
    assert_eq!(titles.lines().count(), 40, "{told}");
    assert!(told.contains("40 pages, done"), "{told}");
}

#[test]
fn broken_links_of_a_site() {
    let outcomes = Outcomes {
        not_found: 0.2,
        ..Outcomes::default()
    };
    let (links, _) = run(
        "broken_links",
        Web {
            outcomes,
            ..web(60)
        },
    );
    assert!(links.lines().count() > 0);
    assert!(links.lines().all(|line| line.ends_with("\t404")), "{links}");
}

#[test]
fn stopping_and_going_on() {
    let (told, _) = run("stop_and_resume", web(60).with_latency_ms(10.0));
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("interrupted: "), "{told}");
    assert_eq!(lines[1], "done: 60 pages, 0 queued");
}
