//! `--skip-duplicates`: pages whose content was fetched before.

use std::path::Path;

use super::rules::Scripted;
use super::run::{code, nephila, pages, summary, words};

/// A text of 200 words, one of which may be another.
fn text(changed: Option<&str>) -> String {
    let mut words: Vec<String> = (0..200)
        .map(|place| format!("word{}", place * 7919 % 1009))
        .collect();
    if let Some(word) = changed {
        words[90] = word.to_owned();
    }
    words.join(" ")
}

/// A page, its copy byte for byte, one that differs in a word, and one that is another.
fn site() -> Scripted {
    let page = |text: &str| format!("<title>t</title><p>{text}</p><a href=deeper/>more</a>");
    let (first, near) = (page(&text(None)), page(&text(Some("other"))));
    let other = page(&"something else entirely on this page ".repeat(20));
    let chain = "<a href=/a/>a</a><a href=/b/>b</a><a href=/c/>c</a><a href=/d/>d</a>";
    Scripted::serve(&[
        ("/", "200 OK", chain),
        ("/a/", "200 OK", &first),
        ("/b/", "200 OK", &first),
        ("/c/", "200 OK", &near),
        ("/d/", "200 OK", &other),
    ])
}

/// The paths of the pages that were fetched deeper, and of those marked, with the path of the first.
fn found(directory: &Path) -> (Vec<String>, Vec<(String, String)>) {
    let path = |url: &str| format!("/{}", url.splitn(4, '/').nth(3).unwrap());
    let pages = pages(directory);
    let deeper = pages
        .keys()
        .map(|url| path(url))
        .filter(|path| path.ends_with("deeper/"));
    let marked = pages.iter().filter_map(|(url, row)| {
        assert_eq!(
            row["outcome"] == "fetched",
            !url.ends_with("deeper/"),
            "{url}"
        );
        let first = row["duplicate_of"].as_str()?;
        assert_eq!(
            row["outlinks"].as_array().unwrap().len(),
            1,
            "its links stand in the row"
        );
        Some((path(url), path(first)))
    });
    (deeper.collect(), marked.collect())
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn duplicates_are_marked_and_their_links_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    for (value, deeper, marked) in [
        (
            "off",
            vec!["/a/deeper/", "/b/deeper/", "/c/deeper/", "/d/deeper/"],
            vec![],
        ),
        (
            "exact",
            vec!["/a/deeper/", "/c/deeper/", "/d/deeper/"],
            vec![pair("/b/", "/a/")],
        ),
        (
            "near",
            vec!["/a/deeper/", "/d/deeper/"],
            vec![pair("/b/", "/a/"), pair("/c/", "/a/")],
        ),
    ] {
        let site = site();
        let out = folder.path().join(value);
        let ran = site.crawl(&out, &["--skip-duplicates", value]);
        assert_eq!(code(&ran), 0, "{}", words(&ran));
        let (found_deeper, found_marked) = found(&out);
        assert_eq!(found_deeper, deeper, "{value}");
        assert_eq!(found_marked, marked, "{value}");
        assert_eq!(summary(&out)["duplicates"], marked.len(), "{value}");
    }
}

#[test]
fn resume_knows_what_was_fetched_before() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let ran = site.crawl(&out, &["--skip-duplicates", "near", "--max-pages", "2"]);
    assert_eq!(code(&ran), 0, "{}", words(&ran));
    assert_eq!(found(&out).1, []);
    let resumed = nephila()
        .args(["resume", "--quiet", "--max-pages", "none"])
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(code(&resumed), 0, "{}", words(&resumed));
    let (deeper, marked) = found(&out);
    assert_eq!(deeper, ["/a/deeper/", "/d/deeper/"]);
    assert_eq!(marked, [pair("/b/", "/a/"), pair("/c/", "/a/")]);
    assert_eq!(summary(&out)["duplicates"], 2);
}

#[test]
fn why_names_the_page_that_was_first() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let ran = site.crawl(&out, &["--skip-duplicates", "exact"]);
    assert_eq!(code(&ran), 0, "{}", words(&ran));
    let why = |path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", site.port);
        let ran = nephila().args(["why", &url]).arg(&out).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let first = format!("http://127.0.0.1:{}/a/", site.port);
    let duplicate = why("/b/");
    let told = format!("its links were not followed: it duplicates {first} (--skip-duplicates)");
    assert!(duplicate.contains(&told), "{duplicate}");
    let behind = why("/b/deeper/");
    let told = format!("its page duplicates {first} (--skip-duplicates)");
    assert!(behind.contains(&told), "{behind}");
}
