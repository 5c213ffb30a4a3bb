//! `nephila report`: one page on a crawl.

use super::rules::Scripted;
use super::run::{code, nephila, words};

#[test]
fn the_report_tells_what_is_broken_and_where_it_is_linked() {
    let site = Scripted::serve(&[
        (
            "/",
            "200 OK",
            "<a href=/gone>a <b>lost</b> page</a><a href=/old>old</a><a href=/b>b</a><a href=/c>c</a>",
        ),
        ("/old", "301 Moved\nLocation: /b", ""),
        (
            "/b",
            "200 OK",
            "<title><script>alert(1)</script></title>the same <a href=/gone>x</a>",
        ),
        (
            "/c",
            "200 OK",
            "<title><script>alert(1)</script></title>the same <a href=/gone>x</a>",
        ),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let crawled = site.crawl(&out, &[]);
    assert_eq!(code(&crawled), 0, "{}", words(&crawled));
    let file = folder.path().join("report.html");
    let report = || {
        let mut command = nephila();
        command.arg("report").arg(&out).arg("--output").arg(&file);
        command.output().unwrap()
    };
    let made = report();
    assert_eq!(code(&made), 0, "{}", words(&made));
    let page = std::fs::read_to_string(&file).unwrap();
    let base = format!("http://127.0.0.1:{}", site.port);
    for part in [
        format!("href=\"{base}/gone\""),
        "“a lost page”".to_owned(),
        "1 pages could not be had".to_owned(),
        format!("{base}/old"),
        "<dd>1</dd>".to_owned(),
        "<td class=\"n\">2</td>".to_owned(),
        "from all 6 rows".to_owned(),
        "The crawl is done".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} is not in:\n{page}");
    }
    assert!(!page.contains("alert(1)"), "no title is in the page");
    let written = std::fs::read_to_string(out.join("report.html")).unwrap();
    let undated = |page: &str| {
        let (before, rest) = page.split_once("This page was made at ").unwrap();
        format!("{before}{}", rest.split_once("Z.").unwrap().1)
    };
    assert_eq!(
        undated(&written),
        undated(&page),
        "the run has left the same page"
    );
    let again = report();
    assert_eq!(
        code(&again),
        1,
        "an existing file is kept: {}",
        words(&again)
    );
    let printed = nephila().arg("report").arg(&out).output().unwrap();
    assert!(
        String::from_utf8(printed.stdout)
            .unwrap()
            .starts_with("<!doctype html>")
    );
}
