//! Crawls one site and prints its broken links: the page, what it points to, and the status.
//!
//! `cargo run --release -p nephila --example broken_links -- URL DIR`

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "an example prints; a row has its fields"
)]

use std::collections::HashMap;

use nephila::{CommittedRows, Crawl, CrawlDirectory, Settings};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().ok_or("usage: broken_links URL DIR")?;
    let directory = arguments.next().ok_or("usage: broken_links URL DIR")?;

    // One's own site: as fast as it bears.
    let settings = Settings::new().with("delay", "0")?.with("per-host", "8")?;
    Crawl::create(&directory, &[seed], &settings)?.run()?;

    let directory = CrawlDirectory::at(directory);
    let broken = broken_pages(&directory)?;
    let mut rows = CommittedRows::open(&directory)?;
    let mut line = Vec::new();
    while rows.next_into(&mut line)? {
        let row: Value = serde_json::from_slice(&line)?;
        for link in row["outlinks"].as_array().into_iter().flatten() {
            if let Some(status) = link["url"].as_str().and_then(|url| broken.get(url)) {
                println!("{}\t{}\t{status}", row["url"], link["url"]);
            }
        }
    }
    Ok(())
}

/// Pages that answered with an error, by URL.
fn broken_pages(
    directory: &CrawlDirectory,
) -> Result<HashMap<String, Value>, Box<dyn std::error::Error>> {
    let mut broken = HashMap::new();
    let mut rows = CommittedRows::open(directory)?;
    let mut line = Vec::new();
    while rows.next_into(&mut line)? {
        let row: Value = serde_json::from_slice(&line)?;
        if row["outcome"] == "http_error" && row["kind"] == "page" {
            let url = row["url"].as_str().unwrap_or_default().to_owned();
            broken.insert(url, row["status"].clone());
        }
    }
    Ok(broken)
}
