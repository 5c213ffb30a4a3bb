//! Crawls one site and prints the title of each page.
//!
//! `cargo run --release -p nephila --example site_titles -- URL DIR`

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example prints; a row has its fields"
)]

use nephila::{CommittedRows, Crawl, CrawlDirectory, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().ok_or("usage: site_titles URL DIR")?;
    let directory = arguments.next().ok_or("usage: site_titles URL DIR")?;

    let settings = Settings::new().with("max-pages", "100")?;
    let summary = Crawl::create(&directory, &[seed], &settings)?.run()?;
    eprintln!("{} pages, {}", summary.pages, summary.stopped);

    let mut rows = CommittedRows::open(&CrawlDirectory::at(directory))?;
    let mut line = Vec::new();
    while rows.next_into(&mut line)? {
        let row: serde_json::Value = serde_json::from_slice(&line)?;
        if row["kind"] == "page" {
            println!("{}\t{}", row["url"], row["title"]);
        }
    }
    Ok(())
}
