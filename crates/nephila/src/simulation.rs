//! The whole engine on virtual time: the seeded web with faults, crashes and torn writes.
//!
//! A seed makes a world: a web, a configuration, faults of the network, moments of death of the
//! process and of the machine's power, jumps of the wall clock. The engine that runs is the real one,
//! from admission to the published outputs: only the sockets (`wire.rs`), the clock and the disk's
//! lasting (`nephila_store::faults::Disk`) are simulated. The world runs until a run of the crawl
//! ends in good order, and is then held against the rules of `invariants.rs`.
//!
//! `cargo xtask simulate` runs seeds 1 to 200, `--seeds 5-9` those, and `--seeds 7` one of them again.

mod invariants;
mod machine;
mod wire;
mod world;

use std::time::Duration;

use invariants::check;
use machine::run_once;
use world::World;

/// Runs of one crawl: all but the last end in a crash.
const MOST_CRASHES: u64 = 6;

/// How a world came to its end.
#[derive(Debug, Default)]
struct Story {
    crashes: u64,
    /// Runs that went on from a checkpoint.
    from_checkpoint: u64,
    pages: u64,
    virtual_time: Duration,
}

/// Lives through the world of a seed.
fn live(seed: u64) -> Result<Story, String> {
    let world = World::of(seed).map_err(|error| format!("making the world: {error}"))?;
    let mut crashes = 0;
    loop {
        let is_last = crashes >= world.crashes;
        world.prepare_crash(crashes, is_last);
        let ended = run_once(&world);
        match ended {
            Ok(summary) => {
                check(&world)?;
                return Ok(Story {
                    crashes,
                    from_checkpoint: world.from_checkpoint.get(),
                    pages: summary.pages,
                    virtual_time: world.time(),
                });
            }
            Err(error) if is_last => return Err(format!("the last run failed: {error}")),
            Err(_) => {
                world.crash(crashes).map_err(|error| error.to_string())?;
                crashes += 1;
            }
        }
    }
}

/// Which seeds: `NEPHILA_SEEDS`, a number or two with a dash; a few where it is not set.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let text = std::env::var("NEPHILA_SEEDS").unwrap_or_else(|_| "1-20".to_owned());
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    first.parse().unwrap()..=last.parse().unwrap()
}

#[test]
fn every_world_keeps_the_promises() {
    let (mut crashes, mut resumed, mut pages, mut time) = (0, 0, 0, Duration::ZERO);
    let mut failed = Vec::new();
    for seed in seeds() {
        let lived = std::panic::catch_unwind(|| live(seed));
        match lived.unwrap_or_else(|_| Err("a panic".to_owned())) {
            Ok(story) => {
                crashes += story.crashes;
                resumed += story.from_checkpoint;
                pages += story.pages;
                time += story.virtual_time;
            }
            Err(why) => {
                println!("seed {seed}: {why}");
                println!("again: cargo xtask simulate --seeds {seed}");
                failed.push(seed);
            }
        }
    }
    println!(
        "{pages} pages, {crashes} crashes, {resumed} resumed from a checkpoint, {} virtual hours",
        time.as_secs() / 3_600
    );
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
    assert!(pages > 0);
    let worlds = seeds().count();
    assert!(
        resumed > 0 || worlds < 20,
        "no checkpoint was ever gone on from"
    );
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let story = |seed| {
        let story = live(seed).unwrap();
        (story.crashes, story.pages, story.virtual_time)
    };
    assert_eq!(story(7), story(7));
}
