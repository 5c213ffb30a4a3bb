//! Stops a crawl after a while, as a program would, and goes on with it.
//!
//! `cargo run --release -p nephila --example stop_and_resume -- URL DIR`

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::time::Duration;

use nephila::{Crawl, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().ok_or("usage: stop_and_resume URL DIR")?;
    let directory = arguments.next().ok_or("usage: stop_and_resume URL DIR")?;

    let crawl = Crawl::create(&directory, &[seed], &Settings::new())?;
    let (control, progress) = (crawl.control(), crawl.progress());
    let watcher = std::thread::spawn(move || {
        // Ends early when the crawl does.
        while !control.wait_for_end(Duration::from_millis(20)) {
            if progress.snapshot().pages >= 5 {
                control.stop();
            }
        }
    });
    let first = crawl.run()?;
    let _ = watcher.join();
    println!(
        "{}: {} pages, {} queued",
        first.stopped, first.pages, first.queued
    );

    let second = Crawl::resume(&directory, &Settings::new())?.run()?;
    println!(
        "{}: {} pages, {} queued",
        second.stopped, second.pages, second.queued
    );
    Ok(())
}
