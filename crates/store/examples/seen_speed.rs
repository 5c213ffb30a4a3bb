//! How fast the seen set is, in memory and beyond, and what it costs:
//!
//!     cargo run --release -p nephila-store --example seen_speed -- [MILLION KEYS] [BOUND IN MiB]
//!
//! One key in four is new and three were inserted before, at random, as the links of pages are.

use std::time::{Duration, Instant};

use nephila_store::{Error, SeenSet};

/// A step is so many operations; the slowest step shows the stalls of spills and merges.
const STEP_OPERATIONS: u64 = 10_000;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().unwrap_or(1));
    let million_keys: u64 = arguments.next().unwrap_or(10);
    let bound_mib = usize::try_from(arguments.next().unwrap_or(256)).unwrap_or(256);
    let dir = std::env::temp_dir().join(format!("nephila-seen-speed-{}", std::process::id()));
    let measured = measure(&dir, million_keys * 1_000_000, bound_mib << 20);
    // Only what this program made; the set has removed its own files.
    let _ = std::fs::remove_dir(&dir);
    measured
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn measure(dir: &std::path::Path, keys: u64, bound_bytes: usize) -> Result<(), Error> {
    let mut set = SeenSet::new(dir, bound_bytes)?;
    let (mut operations, mut random, mut slowest) = (0_u64, 1_u64, Duration::ZERO);
    let (mut most_memory, start) = (0, now());
    let mut reported = start;
    let mut reported_operations = 0;
    while set.len() < keys {
        let step = now();
        for _ in 0..STEP_OPERATIONS / 4 {
            let new = set.len();
            set.insert(spread(new))?;
            for _ in 0..3 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                set.insert(spread((random >> 16) % (new + 1)))?;
            }
        }
        operations += STEP_OPERATIONS;
        slowest = slowest.max(step.elapsed());
        most_memory = most_memory.max(set.memory_bytes());
        if operations.is_multiple_of(keys / 5 * 4) || set.len() >= keys {
            let rate = (operations - reported_operations) as f64 / reported.elapsed().as_secs_f64();
            println!(
                "{:>5.1} M keys: {:.2} M operations/s, {:.1} bytes a key in memory, \
                 {:.1} on disk, at most {} MiB; slowest {STEP_OPERATIONS} operations {slowest:.1?}",
                set.len() as f64 / 1e6,
                rate / 1e6,
                set.memory_bytes() as f64 / set.len() as f64,
                set.disk_bytes() as f64 / set.len() as f64,
                most_memory >> 20,
            );
            (reported, reported_operations) = (now(), operations);
        }
    }
    Ok(())
}

/// A bijection that stands for the caller's hash.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
fn now() -> Instant {
    Instant::now()
}
