//! Where a page is best analysed: on the thread that fetches, or on another.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use nephila_parse::{ParseOptions, parse_html};

const ROUNDS: u32 = 2_000;

/// Runs it.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("| body | analysed here, us | handed over and back, us beside it |");
    println!("|---|---|---|");
    let (jobs, queue) = mpsc::sync_channel::<Box<dyn FnOnce() + Send>>(64);
    let worker = std::thread::spawn(move || queue.iter().for_each(|job| job()));
    for kib in [6, 22, 94, 256, 1_024] {
        let (page, options) = (page(kib * 1024), ParseOptions::default());
        let here = time(ROUNDS, || {
            parse_html(&page, Some("text/html"), &options);
        });
        let hand_over = time(ROUNDS, || {
            let (done, wait) = mpsc::sync_channel(1);
            let job: Box<dyn FnOnce() + Send> = Box::new(move || {
                let _ = done.send(());
            });
            let _ = jobs.send(job);
            let _ = wait.recv();
        });
        println!(
            "| {kib} KiB | {:.1} | {:.1} |",
            micros(here),
            micros(hand_over)
        );
    }
    drop(jobs);
    let _ = worker.join();
    Ok(())
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median of `rounds`.
#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
fn time(rounds: u32, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A page of about this size with a link every 600 bytes, as the simulated web's.
fn page(bytes: usize) -> Vec<u8> {
    let mut page = String::from("<!doctype html><title>A page</title><body>");
    while page.len() < bytes {
        let number = page.len();
        page.push_str(&format!(
            "<p><a href=\"/section/{number}.html\">A link to page {number}</a> "
        ));
        page.push_str(&"words of a paragraph that nobody reads ".repeat(14));
    }
    page.into_bytes()
}
