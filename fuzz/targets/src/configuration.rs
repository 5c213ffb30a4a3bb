//! `crawl.toml` and the options in it: `nephila::options`.

use std::path::Path;

use nephila::Settings;
use nephila::options::{CrawlConfig, read_seeds, write_crawl_file};

/// Reads the bytes as a configuration file.
///
/// Promises: a bad file is an error that says where; a good one, written as `crawl.toml`, reads back the
/// same; the seeds in it are the seeds.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(config) = checked(&text) else {
        return;
    };
    let seeds = read_seeds(&text).unwrap_or_default();
    let written = write_crawl_file(&config, &seeds);
    assert_eq!(read_seeds(&written), Some(seeds.clone()));
    let again = checked(&written);
    let rewritten = again.map(|config| write_crawl_file(&config, &seeds));
    assert_eq!(rewritten.as_deref(), Some(written.as_str()));
}

fn checked(text: &str) -> Option<CrawlConfig> {
    let mut settings = Settings::new();
    let read = settings.add_file(Path::new("crawl.toml"), text);
    let checked = read.and_then(|()| settings.check());
    if let Err(error) = &checked {
        assert!(!error.place.is_empty() && !error.what.is_empty());
    }
    checked.ok()
}
