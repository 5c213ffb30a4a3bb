//! The URL Standard's own cases (web-platform-tests), as far as they are http and https.

use std::path::PathBuf;

use nephila_frontier::{SCHEMES, Url, parse_url};

/// http(s) cases that the `url` crate answers otherwise. May only shrink.
const KNOWN_FAILURES: usize = 14;

fn corpora() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    std::env::var_os("NEPHILA_CORPORA").map_or_else(|| PathBuf::from(default), PathBuf::from)
}

fn resolve(input: &str, base: Option<&str>) -> Option<Url> {
    match base {
        Some(base) => parse_url(base).ok()?.join(input).ok(),
        None => parse_url(input).ok(),
    }
}

fn is_crawled(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    SCHEMES
        .iter()
        .any(|scheme| text.starts_with(&format!("{scheme}:")))
}

#[test]
fn http_cases_of_the_url_standard() {
    let path = corpora().join("url/wpt/urltestdata.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let (mut total, mut failed) = (0, Vec::new());
    for case in cases.iter().filter(|case| case.is_object()) {
        let input = case["input"].as_str().unwrap();
        let base = case["base"].as_str();
        let href = case["href"].as_str();
        let is_failure_here = href.is_none() && base.is_some_and(is_crawled);
        if !(is_crawled(href.unwrap_or(input)) || is_failure_here) {
            continue;
        }
        total += 1;
        let found = resolve(input, base).map(|url| url.as_str().to_owned());
        if found.as_deref() != href {
            failed.push(format!(
                "{input:?} against {base:?}: {found:?}, not {href:?}"
            ));
        }
    }
    eprintln!("{} of {total} http(s) cases pass", total - failed.len());
    assert!(total >= 400, "only {total} cases were read");
    assert_eq!(
        failed.len(),
        KNOWN_FAILURES,
        "the known failures changed:\n{}",
        failed.join("\n")
    );
}
