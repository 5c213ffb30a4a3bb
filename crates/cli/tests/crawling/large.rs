//! Input that is small and comes to much: bounded by what it costs, and told.

use super::rules::Scripted;
use super::run::{code, nephila, pages, rows, summary, words};

/// A hundred thousand links of one letter, each of which becomes two kilobytes.
#[test]
fn short_links_under_a_long_base_are_cut_and_the_crawl_goes_on() {
    let base = format!("<base href='/{}/'>", "x".repeat(1_900));
    let page = format!("{base}{}<a href=/last>", "<a href=1>".repeat(100_000));
    let links = "<a href=/long><a href=/next>";
    let site = Scripted::serve(&[
        ("/", "200 OK", links),
        ("/long", "200 OK", &page),
        ("/next", "200 OK", "next"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let output = site.crawl(&out, &[]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    let found = pages(&out);
    let row = |path: &str| &found[&format!("http://127.0.0.1:{}{path}", site.port)];
    assert_eq!(row("/next")["outcome"], "fetched");
    let long = row("/long");
    assert_eq!(long["outcome"], "fetched");
    assert_eq!(long["warnings"], serde_json::json!(["links_cut"]));
    let kept = long["outlinks"].as_array().unwrap().len();
    assert!(kept > 1_000, "{kept}");
    let bytes = long.to_string().len();
    assert!(bytes < 6 * page.len() + (2 << 20), "{bytes}");
}

/// Where a robots.txt redirects to is its host's choice, not the user's.
#[test]
fn a_robots_txt_sends_no_credentials_to_others_and_nowhere_that_is_excluded() {
    let victim = Scripted::serve(&[("/", "200 OK", "v"), ("/file", "200 OK", "Disallow: /")]);
    let to = |path: &str| {
        format!(
            "302 Found\nLocation: http://127.0.0.1:{}{path}",
            victim.port
        )
    };
    for (path, is_asked) in [("/file", true), ("/account/delete", false)] {
        let hostile = Scripted::serve(&[("/", "200 OK", "h"), ("/robots.txt", &to(path), "")]);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("c");
        let seed = |site: &Scripted| format!("http://127.0.0.1:{}/", site.port);
        let output = nephila()
            .args(["crawl", &seed(&hostile), &seed(&victim), "--quiet", "--out"])
            .arg(&out)
            .args(["--auth", &format!("127.0.0.1:{}=me:pw", victim.port)])
            .args(["--exclude", "/account/"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{}", words(&output));
        assert_eq!(pages(&out).len(), 2);
        let asked = victim.asked();
        assert!(asked.contains(&"/#login".to_owned()), "{asked:?}");
        assert_eq!(asked.contains(&path.to_owned()), is_asked, "{asked:?}");
        assert!(!asked.contains(&format!("{path}#login")), "{asked:?}");
    }
}

/// A sitemap is no page, and the rules of the user hold for it.
#[test]
fn sitemaps_are_held_against_exclude_and_an_index_stays_on_its_site() {
    let other = Scripted::serve(&[("/s.xml", "200 OK", "<urlset></urlset>")]);
    let sitemap = |url: &str| format!("<sitemap><loc>{url}</loc></sitemap>");
    let index = format!(
        "<sitemapindex>{}{}{}</sitemapindex>",
        sitemap("/good.xml"),
        sitemap("/private/bad.xml"),
        sitemap(&format!("http://127.0.0.1:{}/s.xml", other.port)),
    );
    let good = "<urlset><url><loc>/found</loc></url></urlset>";
    let site = Scripted::serve(&[
        ("/", "200 OK", "start"),
        ("/found", "200 OK", "found"),
        ("/sitemap.xml", "200 OK\nContent-Type: text/xml", &index),
        ("/good.xml", "200 OK\nContent-Type: text/xml", good),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("c");
    let options = ["--sitemaps", "--exclude", "/private/"];
    let output = site.crawl(&out, &options);
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert!(other.asked().is_empty(), "{:?}", other.asked());
    let asked = site.asked();
    assert!(!asked.contains(&"/private/bad.xml".to_owned()), "{asked:?}");
    assert!(asked.contains(&"/good.xml".to_owned()), "{asked:?}");
    let found = format!("http://127.0.0.1:{}/found", site.port);
    assert!(rows(&out).iter().any(|row| row["url"] == found.as_str()));
    assert_eq!(summary(&out)["refused_links"]["scope"], 1);
    assert_eq!(summary(&out)["refused_links"]["exclude"], 1);
}
