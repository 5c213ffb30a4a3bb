//! How fast pages are read: `cargo run --release -p nephila-parse --example scan_speed -- FILE|DIR...`
//!
//! Reads every `.html` file under its arguments (at most 512 MiB) into memory, then prints MB/s of one
//! core for links alone, for links and SimHash and for links and text, the best of fifteen rounds by
//! processor time.

#![expect(clippy::print_stdout, reason = "printing is what this program does")]

use std::path::PathBuf;
use std::time::Duration;

use html5ever::parse_document;
use html5ever::tendril::TendrilSink;
use markup5ever_rcdom::RcDom;
use nephila_parse::{ParseOptions, parse_html};

/// Bytes read at the most.
const BYTES_MAX: usize = 512 << 20;
const ROUNDS: usize = 15;

fn main() {
    let pages = pages(std::env::args_os().skip(1).map(PathBuf::from).collect());
    let bytes: usize = pages.iter().map(Vec::len).sum();
    println!("{} pages, {:.1} MB", pages.len(), bytes as f64 / 1e6);
    for (name, want_text, want_simhash) in [
        ("links", false, false),
        ("links and SimHash", false, true),
        ("links and text", true, false),
    ] {
        let options = ParseOptions {
            want_text,
            want_simhash,
            ..ParseOptions::default()
        };
        let (best, links) = measure(&pages, &options);
        let rate = bytes as f64 / 1e6 / best.as_secs_f64();
        println!("{name}: {rate:.0} MB/s, {links} links, {best:.2?}");
    }
    let tree = tree_time(&pages);
    println!(
        "html5ever's tree, for comparison: {:.0} MB/s",
        bytes as f64 / 1e6 / tree.as_secs_f64()
    );
}

/// The contents of the files, and of the `.html` files in the directories.
fn pages(mut waiting: Vec<PathBuf>) -> Vec<Vec<u8>> {
    let mut pages = Vec::new();
    let mut bytes = 0;
    while let Some(path) = waiting.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            let paths = entries.flatten().map(|entry| entry.path());
            waiting.extend(paths.filter(|path| {
                path.is_dir()
                    || path
                        .extension()
                        .is_some_and(|extension| extension == "html")
            }));
        } else if let Ok(page) = std::fs::read(&path)
            && bytes + page.len() <= BYTES_MAX
        {
            bytes += page.len();
            pages.push(page);
        }
    }
    pages
}

/// The least processor time of the rounds, and the links found.
fn measure(pages: &[Vec<u8>], options: &ParseOptions) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut links = 0;
    for _ in 0..ROUNDS {
        let start = processor_time();
        links = pages
            .iter()
            .map(|page| parse_html(page, None, options).outlinks.len())
            .sum();
        best = best.min(processor_time() - start);
    }
    (best, links)
}

/// What html5ever takes to make the trees of the same pages, in one round.
fn tree_time(pages: &[Vec<u8>]) -> Duration {
    let start = processor_time();
    for page in pages {
        let dom = parse_document(RcDom::default(), Default::default());
        drop(dom.one(String::from_utf8_lossy(page).as_ref()));
    }
    processor_time() - start
}

/// Time that this thread has run, by Linux's own count: others on the machine do not disturb it.
fn processor_time() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = times.split(' ').next().and_then(|time| time.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
