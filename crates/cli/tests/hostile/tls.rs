//! The faults of TLS: each has its own words, and none is asked for again and again.

use std::collections::BTreeSet;

use nephila_sim::TLS_FAULTS;

use super::run::{crawl, page, rows, server, words};

#[test]
fn each_fault_is_recorded_in_its_own_words() {
    let server = server(true);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem().unwrap()).unwrap();
    let ca = format!("--ca={}", ca.display());
    let mut texts = BTreeSet::new();
    for (fault, addr) in TLS_FAULTS.iter().zip(server.tls_addrs()) {
        let before = server.connections();
        let seed = format!("https://{addr}/ok2");
        let out = folder.path().join(fault.name);
        let output = crawl(std::slice::from_ref(&seed), &out, &[&ca]);
        let rows = rows(&out);
        let row =
            page(&rows, &seed).unwrap_or_else(|| panic!("{}: {}", fault.name, words(&output)));
        let error = row["error"].as_str().unwrap_or_default();
        assert_eq!(row["outcome"], fault.outcome, "{}: {error}", fault.name);
        assert!(error.contains(fault.says), "{}: {error}", fault.name);
        assert!(
            texts.insert(error.replace(&addr.to_string(), "")),
            "{error} twice"
        );
        let asked = server.connections() - before;
        let most = if fault.is_passing { 3 } else { 1 };
        assert!(asked <= most, "{}: {asked} connections", fault.name);
    }
    assert!(
        server
            .log()
            .iter()
            .all(|entry| ["/robots.txt", "/ok2"].contains(&entry.target.as_str()))
    );
}

#[test]
fn insecure_takes_any_certificate_and_nothing_else() {
    let server = server(true);
    let folder = tempfile::tempdir().unwrap();
    for (fault, addr) in TLS_FAULTS.iter().zip(server.tls_addrs()) {
        let seed = format!("https://{addr}/ok2");
        let out = folder.path().join(fault.name);
        crawl(std::slice::from_ref(&seed), &out, &["--insecure"]);
        let rows = rows(&out);
        let outcome = page(&rows, &seed).unwrap()["outcome"].clone();
        let expected = if fault.is_fetched_insecurely {
            "fetched"
        } else {
            fault.outcome
        };
        assert_eq!(outcome, expected, "{}", fault.name);
    }
}
