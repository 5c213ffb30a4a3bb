//! A process that has too little memory: what is lost is nothing.

use nephila_sim::{Spread, Web};

use super::machine::{after, assert_resumed, resume, start, status};
use super::run::{Site, code, pages, words};

/// 100 MB of address space do for small pages, not for those of 20 MB.
const LITTLE: &str = "ulimit -v 100000; ulimit -c 0";

#[test]
fn a_page_that_takes_more_memory_than_there_is_loses_nothing() {
    let mut web = Web::plain(2, 2, 6);
    web.page_bytes = Spread::constant(20e6);
    let site = Site::new(web);
    let crawl = site.path("crawl");
    let mut command = site.crawl("crawl");
    command.args(["--threads", "1", "--max-wire-size", "64MiB"]);
    let output = after(LITTLE, &command).output().unwrap();
    assert_eq!(code(&output), -1, "{}", words(&output));
    assert!(
        words(&output).contains("memory allocation"),
        "{}",
        words(&output)
    );
    let told = status(&crawl);
    assert_eq!(told["state"], "broken_off");

    // It dies again and does not go on dying: each run ends.
    let child = start(&mut after(LITTLE, &resume(&crawl)));
    assert_eq!(code(&child.wait_with_output().unwrap()), -1);

    // With more memory it goes on to its end.
    let enough = site.path("enough");
    copy(&crawl, &enough);
    assert_resumed(&site, &enough);

    // With as little, and smaller pages taken, too: those that are larger have their outcome.
    let mut command = resume(&crawl);
    command.args(["--max-wire-size", "1MiB"]);
    let output = after(LITTLE, &command).output().unwrap();
    assert!([0, 3].contains(&code(&output)), "{}", words(&output));
    let pages = pages(&crawl);
    let is_large = |row: &&serde_json::Value| row["outcome"] == "too_large";
    assert!(pages.values().filter(is_large).count() > 0, "{pages:?}");
    assert_eq!(status(&crawl)["reason"], "done");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status();
    assert!(status.unwrap().success());
}
