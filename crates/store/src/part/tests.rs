use std::fs;

use proptest::prelude::*;

use super::*;
use crate::file::probe::{self, Counts, Kind};

const ROLL_BYTES: u64 = 300;

fn names(dir: &Path) -> PartNames {
    PartNames::new(dir, "part", "jsonl")
}

fn create(dir: &Path, roll_bytes: u64) -> Result<PartWriter, Error> {
    PartWriter::create(names(dir), roll_bytes)
}

/// All parts in order, named and open ones, which must be there without a gap.
fn parts_of(dir: &Path) -> Vec<String> {
    let names = names(dir);
    let whole = names.whole_parts().unwrap();
    let open = names.open_parts().unwrap();
    let named = whole.iter().map(|&n| (n, names.path(n)));
    let paths: Vec<_> = named
        .chain(open.iter().map(|&n| (n, names.open_path(n))))
        .collect();
    for (place, (number, _)) in paths.iter().enumerate() {
        assert_eq!(place as u32, *number);
    }
    paths
        .iter()
        .map(|(_, path)| fs::read_to_string(path).unwrap())
        .collect()
}

fn open_at(dir: &Path, position: PartPosition) -> Result<(PartWriter, Repaired), Error> {
    PartWriter::open_at(names(dir), ROLL_BYTES, position, 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Opened at the position of any sync, the parts are exactly what was appended before it; and going
    /// on from there gives what a run that was never stopped gives.
    #[test]
    fn opening_keeps_exactly_the_prefix(
        lengths in prop::collection::vec(0..200_usize, 1..30),
        synced in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = create(dir.path(), ROLL_BYTES).unwrap();
        let rows: Vec<String> = (0..).zip(&lengths).map(|(n, l)| format!("{n} {}\n", "x".repeat(*l))).collect();
        let synced = synced.index(rows.len());
        let (mut position, mut prefix) = (writer.sync().unwrap(), vec![String::new()]);
        for (number, row) in rows.iter().enumerate() {
            if number == synced {
                position = writer.sync().unwrap();
                prefix = parts_of(dir.path());
                writer.publish_ended().unwrap();
                prop_assert_eq!(parts_of(dir.path()), prefix.clone());
            }
            writer.append(row.as_bytes(), 1).unwrap();
        }
        writer.sync().unwrap();
        let all = parts_of(dir.path());
        prop_assert_eq!(all.concat(), rows.concat());
        for part in &all {
            prop_assert!(part.ends_with('\n') && part.len() < ROLL_BYTES as usize + 210);
        }
        fs::write(dir.path().join("part-99999.jsonl.gz"), "mine").unwrap();
        fs::write(dir.path().join("part-9.jsonl"), "mine").unwrap();

        let (mut writer, repaired) = open_at(dir.path(), position).unwrap();
        prop_assert_eq!(parts_of(dir.path()), prefix.clone());
        prop_assert_eq!(position.rows, synced as u64);
        prop_assert_eq!(repaired.removed_parts as usize, all.len() - prefix.len());
        prop_assert_eq!(repaired.cut_bytes as usize, all.concat().len() - prefix.concat().len());
        for row in &rows[synced..] {
            writer.append(row.as_bytes(), 1).unwrap();
        }
        prop_assert_eq!(writer.sync().unwrap().rows, rows.len() as u64);
        prop_assert_eq!(parts_of(dir.path()), all.clone());
        let ended = writer.end().unwrap();
        prop_assert_eq!(ended as usize, all.iter().filter(|part| !part.is_empty()).count());
        prop_assert!(names(dir.path()).open_parts().unwrap().is_empty());
        prop_assert_eq!(parts_of(dir.path()).concat(), all.concat());
        prop_assert_eq!(fs::read(dir.path().join("part-9.jsonl")).unwrap(), b"mine");
        prop_assert_eq!(fs::read(dir.path().join("part-99999.jsonl.gz")).unwrap(), b"mine");
    }
}

#[test]
fn committed_rows_that_are_missing_are_an_error_and_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), ROLL_BYTES).unwrap();
    writer.append(b"row\n", 1).unwrap();
    let position = writer.sync().unwrap();
    assert_eq!(
        position,
        PartPosition {
            part: 0,
            bytes: 4,
            rows: 1
        }
    );
    for lost in [
        PartPosition {
            bytes: 5,
            ..position
        },
        PartPosition {
            part: 1,
            ..position
        },
    ] {
        let error = open_at(dir.path(), lost).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(parts_of(dir.path()), ["row\n"]);
    }
    assert_eq!(
        open_at(dir.path(), position).unwrap().1,
        Repaired::default()
    );
}

#[test]
fn a_part_without_committed_bytes_need_not_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, repaired) = open_at(dir.path(), PartPosition::default()).unwrap();
    assert_eq!(repaired, Repaired::default());
    writer.append(b"row\n", 1).unwrap();
    assert_eq!(
        writer.sync().unwrap(),
        PartPosition {
            part: 0,
            bytes: 4,
            rows: 1
        }
    );
}

#[test]
fn parts_that_are_there_are_not_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("part-00003.jsonl"), "mine").unwrap();
    let error = create(dir.path(), ROLL_BYTES).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_sync_is_one_write_and_one_fdatasync() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), 1 << 30).unwrap();
    writer.sync().unwrap();
    probe::take();
    for _ in 0..1_000 {
        writer.append(&[b'x'; 200], 1).unwrap();
    }
    assert_eq!(probe::take(), Counts::default());
    writer.sync().unwrap();
    assert_eq!(
        probe::take(),
        Counts {
            writes: 1,
            syncs: 1,
            ..Counts::default()
        }
    );
    writer.sync().unwrap();
    assert_eq!(probe::take(), Counts::default());
}

#[test]
fn a_part_is_durable_before_the_next_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), ROLL_BYTES).unwrap();
    writer.sync().unwrap();
    writer.append(&[b'x'; 400], 1).unwrap();
    probe::take();
    writer.append(b"row\n", 1).unwrap();
    let begun = probe::take();
    assert_eq!((begun.writes, begun.syncs, begun.changes), (1, 1, 1));
    let expected = PartPosition {
        part: 1,
        bytes: 4,
        rows: 2,
    };
    assert_eq!(writer.sync().unwrap(), expected);
    // The new part, and its name.
    assert_eq!(probe::take().syncs, 2);
}

#[test]
fn a_full_disk_leaves_out_only_the_rows_that_were_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), 1 << 30).unwrap();
    writer.append(b"first\n", 1).unwrap();
    probe::fail(Some((Kind::Write, 28)));
    assert_eq!(writer.sync().unwrap_err().kind(), ErrorKind::Full);
    let large = vec![b'x'; BUFFER_BYTES + 1];
    assert_eq!(
        writer.append(&large, 1).unwrap_err().kind(),
        ErrorKind::Full
    );
    probe::fail(None);
    writer.append(b"second\n", 1).unwrap();
    writer.append(&large, 1).unwrap();
    assert_eq!(writer.sync().unwrap().rows, 3);
    assert_eq!(
        parts_of(dir.path()).concat().as_bytes(),
        [b"first\nsecond\n", &large[..]].concat()
    );
}

#[test]
fn a_failed_sync_poisons_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), 1 << 30).unwrap();
    writer.append(b"row\n", 1).unwrap();
    probe::fail(Some((Kind::Sync, 5)));
    let error = writer.sync().unwrap_err().to_string();
    probe::fail(None);
    assert_eq!(writer.sync().unwrap_err().to_string(), error);
    assert_eq!(writer.append(b"row\n", 1).unwrap_err().to_string(), error);
}

#[test]
fn an_ended_part_never_changes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = create(dir.path(), ROLL_BYTES).unwrap();
    writer.append(b"first\n", 1).unwrap();
    let position = writer.sync().unwrap();
    assert_eq!(writer.end().unwrap(), 1);
    let (mut writer, repaired) = open_at(dir.path(), position).unwrap();
    assert_eq!(repaired, Repaired::default());
    writer.append(b"second\n", 1).unwrap();
    let position = writer.sync().unwrap();
    assert_eq!((position.part, position.rows), (1, 2));
    assert_eq!(writer.end().unwrap(), 2);
    assert_eq!(parts_of(dir.path()), ["first\n", "second\n"]);
    // Also where it was moved away, if it is known to have been published.
    fs::remove_file(names(dir.path()).path(1)).unwrap();
    assert_eq!(
        open_at(dir.path(), position).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    let (writer, _) = PartWriter::open_at(names(dir.path()), ROLL_BYTES, position, 2).unwrap();
    assert_eq!(writer.position().part, 2);
}

#[test]
fn parts_of_earlier_versions_and_unknown_ones_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let names = names(dir.path());
    // As earlier versions left them: named at once, the last with a torn row.
    fs::write(names.path(0), "first\n").unwrap();
    fs::write(names.path(1), "second\ntor").unwrap();
    fs::write(names.path(2), "never committed\n").unwrap();
    let position = PartPosition {
        part: 1,
        bytes: 7,
        rows: 2,
    };
    let (mut writer, repaired) = open_at(dir.path(), position).unwrap();
    let expected = Repaired {
        cut_bytes: 3,
        set_aside: 1,
        ..Repaired::default()
    };
    assert_eq!(repaired, expected);
    let aside = fs::read(dir.path().join("part-00002.jsonl.aside")).unwrap();
    assert_eq!(aside, b"never committed\n");
    writer.append(b"third\n", 1).unwrap();
    writer.sync().unwrap();
    assert_eq!(writer.end().unwrap(), 2);
    assert_eq!(parts_of(dir.path()), ["first\n", "second\nthird\n"]);
}
