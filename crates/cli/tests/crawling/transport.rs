//! TLS and HTTP/2 of the simulated web.

use nephila_sim::{ServeOptions, Web};

use super::run::{Site, code, pages, words};

#[test]
fn tls_is_verified_and_http2_is_spoken() {
    let options = ServeOptions {
        tls: true,
        http2: true,
        gzip: true,
        ..ServeOptions::default()
    };
    let site = Site::with(Web::light(2, 3, 60), options);
    let untrusted = site.crawl("untrusted").output().unwrap();
    assert_eq!(code(&untrusted), 3, "{}", words(&untrusted));
    let rows = pages(&site.path("untrusted"));
    let row = rows.values().next().unwrap();
    assert_eq!(row["outcome"], "tls_failed");
    assert!(
        row["error"].as_str().unwrap().contains("certificate"),
        "{}",
        row["error"]
    );

    let ca = site.path("ca.pem");
    std::fs::write(&ca, site.server.ca_pem().unwrap()).unwrap();
    let trusted = site.crawl("trusted").arg("--ca").arg(&ca).output().unwrap();
    assert_eq!(code(&trusted), 0, "{}", words(&trusted));
    let rows = pages(&site.path("trusted"));
    assert_eq!(rows.len(), 60);
    assert!(rows.values().all(|row| row["http_version"] == "HTTP/2"));
    assert!(
        rows.values()
            .all(|row| row["wire_bytes"].as_u64() < row["body_bytes"].as_u64())
    );
    let insecure = site
        .crawl("insecure")
        .args(["--insecure", "--http2=false"])
        .output()
        .unwrap();
    assert_eq!(code(&insecure), 0, "{}", words(&insecure));
    assert!(
        pages(&site.path("insecure"))
            .values()
            .all(|row| row["http_version"] == "HTTP/1.1")
    );
}
