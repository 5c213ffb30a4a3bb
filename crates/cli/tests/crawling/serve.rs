//! `--serve` and `nephila serve`: where the page is, and what is refused.

use std::net::TcpListener;

use super::rules::Scripted;
use super::run::{code, nephila, words};

fn site() -> Scripted {
    Scripted::serve(&[("/", "200 OK", "<a href=/b>b</a>"), ("/b", "200 OK", "b")])
}

#[test]
fn a_crawl_says_where_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let site = site();
    let mut command = nephila();
    command.args([
        "crawl",
        &format!("http://127.0.0.1:{}/", site.port),
        "--out",
    ]);
    command
        .arg(folder.path().join("c"))
        .args(["--serve", "127.0.0.1:0"]);
    let crawled = command.output().unwrap();
    assert_eq!(code(&crawled), 0, "{}", words(&crawled));
    assert!(
        words(&crawled).contains("shown at http://127.0.0.1:"),
        "{}",
        words(&crawled)
    );
}

/// A crawl that could not be shown as it was asked for leaves nothing behind.
#[test]
fn a_taken_port_is_told_before_there_is_a_crawl() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let refused = site().crawl(&out, &["--serve", &address]);
    assert_eq!(code(&refused), 1, "{}", words(&refused));
    assert!(words(&refused).contains("is taken"), "{}", words(&refused));
    assert!(!out.exists());
}

#[test]
fn what_other_machines_reach_takes_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    for (arguments, what) in [
        (&["--serve", "0.0.0.0:0"][..], "--serve-token"),
        (
            &["--serve", "0.0.0.0:0", "--serve-token", "short"],
            "at least 16",
        ),
        (&["--serve", "example.com:80"], "no address"),
    ] {
        let refused = site().crawl(&out, arguments);
        assert_eq!(code(&refused), 2, "{}", words(&refused));
        assert!(words(&refused).contains(what), "{}", words(&refused));
        assert!(!out.exists());
    }
}

#[test]
fn a_directory_that_is_no_crawl_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = nephila();
    command.arg("serve").arg(folder.path());
    let refused = command.args(["--serve", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(code(&refused), 2, "{}", words(&refused));
    assert!(
        words(&refused).contains("is no crawl directory"),
        "{}",
        words(&refused)
    );
}
