//! The rules against traps, on the web of traps: every real page is found, and few requests are
//! wasted. `docs/traps.md` has the measured figures.

use nephila_sim::{REAL_PAGES, TrapServer, TrapSite};

use super::run::{code, nephila, words};

/// Crawls a site of the trap web; gives the requests that were wasted.
fn wasted(server: &TrapServer, site: TrapSite, options: &[&str]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let port = server.addr().port();
    let output = nephila()
        .args(["crawl", &server.seed(site), "--quiet", "--scope", "domain"])
        .args(["--max-pages", "1000", "--resolve"])
        .arg(format!("*:{port}:127.0.0.1:{port}"))
        .arg("--out")
        .arg(folder.path().join("c"))
        .args(options)
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{site:?}: {}", words(&output));
    let count = server.take_count(site);
    assert_eq!(
        count.real_pages,
        u64::from(REAL_PAGES),
        "{site:?} lost real pages"
    );
    count.wasted()
}

#[test]
fn the_defaults_end_most_traps() {
    let server = TrapServer::start(0).unwrap();
    for (site, most) in [
        (TrapSite::Plain, 0),
        (TrapSite::SessionPath, 0),
        (TrapSite::SessionDirectory, 0),
        (TrapSite::SessionQuery, 0),
        (TrapSite::CalendarQuery, 80),
        (TrapSite::CalendarPath, 40),
        (TrapSite::Deep, 40),
        (TrapSite::Wide, 200),
        (TrapSite::Soft404, 300),
    ] {
        let wasted = wasted(&server, site, &[]);
        assert!(wasted <= most, "{site:?}: {wasted} wasted");
    }
}

#[test]
fn without_the_rules_the_same_sites_are_traps() {
    let server = TrapServer::start(0).unwrap();
    for (site, off) in [
        (TrapSite::SessionPath, "--strip-sessions=false"),
        (TrapSite::CalendarQuery, "--max-shape-repeats=0"),
        (TrapSite::CalendarPath, "--max-date-ahead=none"),
    ] {
        let wasted = wasted(&server, site, &[off]);
        assert!(wasted > 500, "{site:?}: only {wasted} wasted");
    }
}

#[test]
fn near_duplicates_end_mirrors_and_soft_404() {
    let server = TrapServer::start(0).unwrap();
    for (site, most) in [(TrapSite::Mirror, 25), (TrapSite::Soft404, 200)] {
        let wasted = wasted(&server, site, &["--skip-duplicates", "near"]);
        assert!(wasted <= most, "{site:?}: {wasted} wasted");
    }
}

#[test]
fn why_names_the_rule_of_each_trap() {
    let server = TrapServer::start(0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = server.addr().port();
    for (site, path, option) in [
        (TrapSite::CalendarPath, "/2060/01/", "--max-date-ahead"),
        (
            TrapSite::CalendarQuery,
            "/cal?y=2022&m=1",
            "--max-shape-repeats",
        ),
    ] {
        let out = folder.path().join(site.name());
        let crawled = nephila()
            .args([
                "crawl",
                &server.seed(site),
                "--quiet",
                "--max-pages",
                "1000",
                "--resolve",
            ])
            .arg(format!("*:{port}:127.0.0.1:{port}"))
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        assert_eq!(code(&crawled), 0, "{}", words(&crawled));
        // The first URL that the rule refused, where the path is not linked itself.
        let refused = refused_path(&out, &server.seed(site), path);
        let why = nephila()
            .args(["why", &refused])
            .arg(&out)
            .output()
            .unwrap();
        let told = String::from_utf8(why.stdout).unwrap();
        assert!(
            told.contains("refused: ") && told.contains(option),
            "{told}"
        );
    }
}

/// A URL that is linked and has no row; without one, this path.
fn refused_path(directory: &std::path::Path, seed: &str, path: &str) -> String {
    let pages = super::run::pages(directory);
    let links = pages
        .values()
        .flat_map(|row| row["outlinks"].as_array().unwrap());
    let unvisited = links
        .map(|link| link["url"].as_str().unwrap())
        .find(|url| !pages.contains_key(*url));
    unvisited.map_or_else(
        || format!("{}{path}", seed.trim_end_matches('/')),
        str::to_owned,
    )
}
