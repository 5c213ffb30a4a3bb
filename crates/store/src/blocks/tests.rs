use std::fs;
use std::os::unix::fs::MetadataExt;

use proptest::prelude::*;

use super::*;
use crate::file::probe::{self, Counts, Kind};

const SMALL_SEGMENT_BYTES: u32 = 64 << 10;

fn blocks() -> (tempfile::TempDir, BlockFile) {
    let dir = tempfile::tempdir().unwrap();
    let mut blocks = BlockFile::new(dir.path()).unwrap();
    blocks.segment_bytes = SMALL_SEGMENT_BYTES;
    (dir, blocks)
}

/// What the files really take, in bytes.
fn allocated(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().blocks() * 512)
        .sum()
}

/// What is to be done next: write a block of so many bytes, or take one of those that are there.
#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    Take(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..20_000_usize).prop_map(Step::Write),
        any::<prop::sample::Index>().prop_map(Step::Take),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// In any order: what is taken is what was written, and the disk holds what is left.
    #[test]
    fn a_block_comes_back_as_it_was(steps in prop::collection::vec(step(), 1..150)) {
        let (dir, mut blocks) = blocks();
        let mut model: Vec<(BlockId, Vec<u8>)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write(bytes) => {
                    let block: Vec<u8> = (0..bytes).map(|at| (at * 31 + number) as u8).collect();
                    model.push((blocks.write(&block).unwrap(), block));
                }
                Step::Take(index) if !model.is_empty() => {
                    let (id, block) = model.swap_remove(index.index(model.len()));
                    prop_assert_eq!(blocks.take(id).unwrap(), block);
                    prop_assert_eq!(blocks.take(id).unwrap_err().kind(), ErrorKind::Corrupt);
                }
                Step::Take(_) => {}
            }
            let live: u64 = model.iter().map(|(_, block)| u64::from(rounded(block.len() as u32))).sum();
            prop_assert_eq!(blocks.disk_bytes(), live);
        }
        prop_assert!(allocated(dir.path()) <= blocks.disk_bytes() + u64::from(SMALL_SEGMENT_BYTES));
        for (id, block) in model {
            prop_assert_eq!(blocks.take(id).unwrap(), block);
        }
        prop_assert_eq!(blocks.disk_bytes(), 0);
        let files = fs::read_dir(dir.path()).unwrap().count();
        prop_assert!(files <= 1, "{files} files for no block");
    }
}

#[test]
fn an_id_is_eight_bytes() {
    assert_eq!(size_of::<BlockId>(), 8);
}

#[test]
fn a_block_costs_one_write_and_one_read() {
    let (_dir, mut blocks) = blocks();
    blocks.write(b"first").unwrap();
    probe::take();
    let id = blocks.write(&[7; 30_000]).unwrap();
    assert_eq!(
        probe::take(),
        Counts {
            writes: 1,
            ..Counts::default()
        }
    );
    blocks.write(&[7; 30_000]).unwrap();
    blocks.write(&[7; 30_000]).unwrap();
    probe::take();
    blocks.take(id).unwrap();
    // A read may be followed by one that finds the end of the file; the change is the hole.
    let counts = probe::take();
    assert!(
        counts.reads <= 2 && counts.changes == 1 && counts.writes == 0,
        "{counts:?}"
    );
}

#[test]
fn changed_and_torn_blocks_are_errors() {
    let (dir, mut blocks) = blocks();
    let path = dir.path().join(name(0));
    let changed = blocks.write(b"a block of bytes").unwrap();
    let torn = blocks.write(&[7; 5_000]).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[12] ^= 1;
    bytes.truncate(9_000);
    fs::write(&path, bytes).unwrap();
    for id in [changed, torn] {
        let error = blocks.take(id).unwrap_err();
        assert_eq!(
            (error.kind(), error.path()),
            (ErrorKind::Corrupt, path.as_path())
        );
    }
}

#[test]
fn a_block_that_stands_where_another_was_is_an_error() {
    let (dir, mut blocks) = blocks();
    let path = dir.path().join(name(0));
    let ids = [b"one", b"two"].map(|block| blocks.write(block).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes.copy_within(..HEADER_BYTES + 3, UNIT_BYTES as usize);
    fs::write(&path, bytes).unwrap();
    assert_eq!(blocks.take(ids[0]).unwrap(), b"one");
    assert_eq!(blocks.take(ids[1]).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_block_above_the_bound_is_refused_and_the_largest_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut blocks = BlockFile::new(dir.path()).unwrap();
    let mut block = vec![7; MAX_BLOCK_BYTES + 1];
    assert_eq!(
        blocks.write(&block).unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    block.pop();
    let id = blocks.write(&block).unwrap();
    assert_eq!(blocks.take(id).unwrap(), block);
}

#[test]
fn a_full_disk_keeps_nothing_of_the_block_that_did_not_fit() {
    let (_dir, mut blocks) = blocks();
    let first = blocks.write(b"first").unwrap();
    probe::fail(Some((Kind::Write, 28)));
    assert_eq!(
        blocks.write(&[7; 10_000]).unwrap_err().kind(),
        ErrorKind::Full
    );
    probe::fail(None);
    let second = blocks.write(b"second").unwrap();
    assert_eq!(blocks.take(second).unwrap(), b"second");
    assert_eq!(blocks.take(first).unwrap(), b"first");
}

#[test]
fn where_holes_cannot_be_punched_a_taken_block_is_marked_and_its_segment_deleted_in_the_end() {
    let (dir, mut blocks) = blocks();
    let ids: Vec<BlockId> = (0..8)
        .map(|_| blocks.write(&[7; 30_000]).unwrap())
        .collect();
    let disk_bytes = blocks.disk_bytes();
    probe::fail(Some((Kind::Change, 95)));
    assert_eq!(blocks.take(ids[0]).unwrap(), [7; 30_000]);
    probe::fail(None);
    assert_eq!(
        blocks.disk_bytes(),
        disk_bytes,
        "its space is not given back alone"
    );
    assert_eq!(blocks.take(ids[0]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(blocks.take(ids[1]).unwrap(), [7; 30_000]);
    assert!(!dir.path().join(name(0)).exists() && dir.path().join(name(1)).exists());
    assert_eq!(blocks.disk_bytes(), 6 * 32_768);
}

#[test]
fn old_segments_are_removed_and_other_files_are_not() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["blocks-000003.dat", "blocks-3.dat", "notes"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let mut blocks = BlockFile::new(dir.path()).unwrap();
    blocks.write(b"block").unwrap();
    drop(blocks);
    let mut left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["blocks-3.dat", "notes"]);
}

#[test]
fn a_snapshot_holds_what_was_there_whatever_comes_after_it() {
    let (dir, mut blocks) = blocks();
    let block = |number: usize| vec![number as u8; 5_000];
    let mut ids: Vec<_> = (0..60)
        .map(|number| blocks.write(&block(number)).unwrap())
        .collect();
    let (mut saved, mut before) = (Vec::new(), ids.clone());
    // Taken after a save, replaced by a later one: each snapshot gives what was there when it was made.
    for round in 0..3 {
        saved.clear();
        let paths = blocks.save(&mut saved);
        crate::sync_files(&paths).unwrap();
        blocks.release();
        before.clone_from(&ids);
        for number in 0..10 {
            let id = ids.remove(7 * (number % 3));
            assert!(blocks.take(id).is_ok());
            ids.push(blocks.write(&block(100 + round * 10 + number)).unwrap());
        }
    }
    let disk = allocated(dir.path());
    drop(blocks);
    assert!(allocated(dir.path()) < disk);
    let mut restored = BlockFile::restore(dir.path(), &mut saved.as_slice()).unwrap();
    for id in before {
        restored.take(id).unwrap();
    }
    let id = restored.write(b"more").unwrap();
    assert_eq!(restored.take(id).unwrap(), b"more");
    drop(restored);
    let names = fs::read_dir(dir.path()).unwrap().count();
    assert!(names > 0, "what the snapshot has is still there");
    for entry in fs::read_dir(dir.path()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let error = BlockFile::restore(dir.path(), &mut saved.as_slice()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = BlockFile::restore(dir.path(), &mut &saved[..saved.len() - 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
