use std::collections::HashSet;
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::file::probe::{self, Kind};

fn set(memory_bytes: usize) -> (tempfile::TempDir, SeenSet) {
    let dir = tempfile::tempdir().unwrap();
    let set = SeenSet::new(dir.path(), memory_bytes).unwrap();
    (dir, set)
}

/// A fingerprint for a number: numbers in disorder, some of them of the shape that a weak hash has.
fn fingerprint(number: u64) -> u64 {
    match number % 4 {
        0 => number,
        1 => number << 40,
        _ => number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Many spills and merges: it answers as a set in memory does, and is within its bound all the time.
    #[test]
    fn it_equals_a_set_in_memory(seed in any::<u64>(), span in 20_000..50_000_u64) {
        let (_dir, mut set) = set(0);
        let mut model = HashSet::new();
        let mut state = seed;
        let mut most_runs = 0;
        for _ in 0..60_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = fingerprint((state >> 33) % span);
            if state >> 62 == 0 {
                prop_assert_eq!(set.contains(number).unwrap(), model.contains(&number));
            } else {
                prop_assert_eq!(set.insert(number).unwrap(), model.insert(number));
            }
            prop_assert!(set.memory_bytes() <= MINIMUM_MEMORY_BYTES);
            most_runs = most_runs.max(set.runs.len());
        }
        prop_assert!(most_runs >= 3, "it was never on disk enough: {most_runs} runs");
        prop_assert_eq!(set.len(), model.len() as u64);
        for number in 0..span {
            let number = fingerprint(number);
            prop_assert_eq!(set.contains(number).unwrap(), model.contains(&number));
        }
    }
}

#[test]
fn the_bound_holds_far_beyond_what_filters_have_room_for() {
    let (dir, mut set) = set(MINIMUM_MEMORY_BYTES);
    for number in 0..300_000 {
        assert!(set.insert(number).unwrap());
        assert!(
            set.memory_bytes() <= MINIMUM_MEMORY_BYTES,
            "{}",
            set.memory_bytes()
        );
    }
    assert_eq!(set.len(), 300_000);
    assert!(set.runs.len() <= 3 * 4, "{} runs", set.runs.len());
    let on_disk: u64 = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(set.disk_bytes(), on_disk);
    assert!(
        set.runs.last().unwrap().filter_bytes() == 0,
        "the largest run has given way"
    );
    assert!(
        set.runs.first().unwrap().filter_bytes() > 0,
        "the smallest has not"
    );
    for number in (0..300_000).step_by(37) {
        assert!(!set.insert(number).unwrap());
        assert!(!set.contains(number + 300_000).unwrap());
    }
}

#[test]
fn a_lookup_on_disk_reads_hardly_more_than_a_page() {
    let (_dir, mut set) = set(1 << 20);
    for number in 0..300_000 {
        set.insert(number).unwrap();
    }
    probe::take();
    for number in 0..3_000 {
        assert!(set.contains(number * 40).unwrap());
    }
    let found = probe::take().reads;
    assert!(found <= 3_600, "{found} reads for 3,000 that are there");
    for number in 300_000..303_000 {
        assert!(!set.contains(number).unwrap());
    }
    let absent = probe::take().reads;
    assert!(absent <= 150, "{absent} reads for 3,000 that are not");
    for _ in 0..100 {
        assert!(set.contains(40).unwrap());
    }
    assert!(
        probe::take().reads <= 2,
        "what was found lately is not read again"
    );
}

#[test]
fn zero_is_a_fingerprint_like_any_other() {
    let (_dir, mut set) = set(0);
    assert!(set.is_empty() && !set.contains(0).unwrap());
    assert!(set.insert(0).unwrap());
    assert!(!set.insert(0).unwrap());
    assert!(set.contains(0).unwrap() && !set.contains(u64::MAX).unwrap());
    assert_eq!(set.len(), 1);
}

#[test]
fn a_key_costs_at_most_sixteen_bytes_while_all_are_in_memory() {
    let (_dir, mut set) = set(64 << 20);
    for number in 0..500_000 {
        set.insert(number).unwrap();
        let keys = set.len() as usize;
        assert!(
            keys < 1_000 || set.memory_bytes() <= keys * 16,
            "{keys} in {}",
            set.memory_bytes()
        );
    }
    assert_eq!(set.disk_bytes(), 0);
}

#[test]
fn old_runs_are_removed_and_other_files_are_not() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["seen-000003.run", "seen-3.run", "notes"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let mut set = SeenSet::new(dir.path(), 0).unwrap();
    for number in 0..20_000 {
        assert!(set.insert(number).unwrap());
    }
    assert!(set.disk_bytes() > 0);
    drop(set);
    let mut left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["notes", "seen-3.run"]);
}

#[test]
fn a_full_disk_loses_nothing() {
    let (dir, mut set) = set(0);
    let (mut refused, mut refused_merges) = (0, 0);
    probe::fail_after(0, Kind::Write, 28);
    for number in 0..100_000 {
        let runs = set.runs.len();
        match set.insert(number) {
            Ok(new) => assert!(new, "{number}"),
            Err(error) => {
                probe::fail(None);
                assert_eq!(error.kind(), ErrorKind::Full);
                assert_eq!(set.len(), number);
                assert!(!set.contains(number).unwrap() && set.contains(number - 1).unwrap());
                refused += 1;
                // A spill that was refused adds no run: with one more, it was the merge after it.
                refused_merges += usize::from(set.runs.len() > runs);
                assert!(set.insert(number).unwrap());
                // Somewhere in this spill, or in the merge after it, or in the next spill.
                probe::fail_after(refused * 7 % 50, Kind::Write, 28);
            }
        }
    }
    probe::fail(None);
    assert!(
        refused > 10 && refused_merges > 3,
        "{refused}, {refused_merges}"
    );
    assert!((0..100_000).all(|number| set.contains(number).unwrap()));
    let files = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, set.runs.len(), "no file is left behind");
}

#[test]
fn a_run_that_was_changed_is_not_merged() {
    let (dir, mut set) = set(0);
    let mut next = 0;
    while set.runs.len() < 3 {
        set.insert(next).unwrap();
        next += 1;
    }
    let path = set.runs[1].path().to_owned();
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = loop {
        match set.insert(next) {
            Ok(_) => next += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.kind(), error.path()),
        (ErrorKind::Corrupt, path.as_path())
    );
    assert!(dir.path().exists());
}

#[test]
fn a_snapshot_holds_what_was_there_whatever_comes_after_it() {
    const STEP: u64 = 15_000;
    let (dir, mut set) = set(0);
    let mut saved = Vec::new();
    assert!(set.insert(fingerprint(u64::MAX / 4)).unwrap());
    // From a table without runs to several tiers of runs.
    for round in 0..12_u64 {
        for number in round * STEP..(round + 1) * STEP {
            set.insert(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .unwrap();
        }
        saved.clear();
        let paths = set.save(&mut saved).unwrap();
        let length = set.len();
        crate::sync_files(&paths).unwrap();
        if round % 4 != 3 {
            set.release();
            continue;
        }
        // One that was never put in its place, or is opened again without it, harms nothing.
        set.insert(round).unwrap();
        drop(set);
        set = SeenSet::restore(dir.path(), 0, &mut saved.as_slice()).unwrap();
        assert_eq!(set.len(), length);
        assert!(set.memory_bytes() <= MINIMUM_MEMORY_BYTES);
        for number in 0..(round + 1) * STEP {
            assert!(
                !set.insert(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    .unwrap()
            );
        }
        assert!(!set.contains(round).unwrap() || round == 0);
    }
    drop(set);
    let damaged = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
    let mut bytes = fs::read(damaged.path()).unwrap();
    bytes[9] ^= 1;
    fs::write(damaged.path(), bytes).unwrap();
    let error = SeenSet::restore(dir.path(), 0, &mut saved.as_slice()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
