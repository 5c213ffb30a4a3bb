use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::file::probe::{self, Counts, Kind};

/// A log with these payloads.
fn log_of(payloads: &[Vec<u8>], segment_bytes: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut log = CommitLog::create(dir.path())
        .unwrap()
        .with_segment_bytes(segment_bytes);
    for (sequence, payload) in (0..).zip(payloads) {
        assert_eq!(log.append(payload).unwrap(), sequence);
    }
    dir
}

/// All that a replay visits; sequence numbers are checked.
fn visited(dir: &Path) -> Result<(Vec<Vec<u8>>, Replayed), Error> {
    let mut payloads = Vec::new();
    let replayed = replay(dir, &mut |sequence, payload| {
        assert_eq!(sequence, payloads.len() as u64);
        payloads.push(payload.to_vec());
        Ok(())
    })?;
    assert_eq!(replayed.commits, payloads.len() as u64);
    Ok((payloads, replayed))
}

fn open(dir: &Path) -> Result<(CommitLog, Replayed), Error> {
    CommitLog::open(dir, &mut |_, _| Ok(()))
}

fn segment_path(dir: &Path, number: u32) -> std::path::PathBuf {
    segment::path(dir, number)
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..12)
}

/// Where each commit of a one-segment log ends.
fn ends(payloads: &[Vec<u8>]) -> Vec<u64> {
    let frame_bytes = |payload: &Vec<u8>| (frame::HEADER_BYTES + payload.len()) as u64;
    let mut end = HEADER_BYTES;
    payloads
        .iter()
        .map(|payload| {
            end += frame_bytes(payload);
            end
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Wherever the file ends, the longest prefix of whole commits is replayed, and appending goes on.
    #[test]
    fn a_cut_log_replays_exactly_the_whole_commits(
        payloads in payloads(), cut in any::<prop::sample::Index>(),
    ) {
        let dir = log_of(&payloads, DEFAULT_SEGMENT_BYTES);
        let path = segment_path(dir.path(), 0);
        let bytes = fs::read(&path).unwrap();
        let header = HEADER_BYTES as usize;
        let cut = header + cut.index(bytes.len() - header + 1);
        fs::write(&path, &bytes[..cut]).unwrap();
        let whole = ends(&payloads).iter().filter(|&&end| end <= cut as u64).count();

        let (found, replayed) = visited(dir.path()).unwrap();
        prop_assert_eq!(&found, &payloads[..whole]);
        prop_assert_eq!(replayed.bytes + replayed.cut_bytes, cut as u64);
        prop_assert_eq!(fs::read(&path).unwrap().len(), cut, "a replay changes nothing");

        let (mut log, opened) = open(dir.path()).unwrap();
        prop_assert_eq!(opened, replayed);
        prop_assert_eq!(fs::read(&path).unwrap(), &bytes[..replayed.bytes as usize]);
        prop_assert_eq!(log.append(b"next").unwrap(), whole as u64);
        prop_assert!(visited(dir.path()).unwrap().0.ends_with(&[b"next".to_vec()]));
    }

    /// One changed byte: in the last commit it is not committed, before it the log is corrupt, and in no
    /// case is it taken for data or anything cut.
    #[test]
    fn a_changed_byte_is_never_taken_for_data(
        payloads in payloads(), at in any::<prop::sample::Index>(), change in 1..=255_u8,
    ) {
        let dir = log_of(&payloads, DEFAULT_SEGMENT_BYTES);
        let path = segment_path(dir.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        fs::write(&path, &bytes).unwrap();
        let ends = ends(&payloads);
        let last = ends.iter().rev().nth(1).copied().unwrap_or(HEADER_BYTES);
        match visited(dir.path()) {
            Ok((found, _)) => {
                prop_assert!(at as u64 >= last, "a change at {at} was not seen");
                prop_assert_eq!(&found, &payloads[..payloads.len() - 1]);
            }
            Err(error) => {
                prop_assert!((at as u64) < last, "a torn tail at {at} was called {error}");
                let version = (8..12).contains(&at);
                let kind = if version { ErrorKind::Version } else { ErrorKind::Corrupt };
                prop_assert_eq!(error.kind(), kind);
                prop_assert!(open(dir.path()).is_err());
                prop_assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is cut");
            }
        }
    }

    /// Segments are only where the bytes are: the commits are the same, and a crash between any two
    /// writes of a roll is none.
    #[test]
    fn segments_do_not_show(payloads in payloads(), segment_bytes in 41..300_u64) {
        let dir = log_of(&payloads, segment_bytes);
        fs::write(dir.path().join("commit.unfinished"), b"NPHL").unwrap();
        prop_assert_eq!(&visited(dir.path()).unwrap().0, &payloads);
        let (mut log, replayed) = open(dir.path()).unwrap();
        prop_assert_eq!(replayed.cut_bytes, 0);
        prop_assert!(!dir.path().join("commit.unfinished").exists());
        log.append(b"next").unwrap();
        prop_assert_eq!(visited(dir.path()).unwrap().0.len(), payloads.len() + 1);
    }
}

#[test]
fn damage_is_named_by_file_and_offset() {
    let dir = log_of(
        &[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()],
        DEFAULT_SEGMENT_BYTES,
    );
    let path = segment_path(dir.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    // The length of the second commit: the third can be found only by looking for it.
    bytes[40 + 16 + 3] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = visited(dir.path()).unwrap_err();
    assert_eq!(
        (error.kind(), error.path()),
        (ErrorKind::Corrupt, path.as_path())
    );
    assert!(
        error.to_string().contains("offset 59 (commit 1)"),
        "{error}"
    );
}

#[test]
fn an_earlier_segment_must_be_whole_and_there() {
    let payloads = vec![vec![7; 50]; 4];
    let cut = log_of(&payloads, 64);
    let path = segment_path(cut.path(), 1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(visited(cut.path()).unwrap_err().path(), path);

    let missing = log_of(&payloads, 64);
    fs::remove_file(segment_path(missing.path(), 2)).unwrap();
    let error = open(missing.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.path(), segment_path(missing.path(), 2));

    let strange = log_of(&payloads, 64);
    fs::copy(
        segment_path(missing.path(), 1),
        segment_path(strange.path(), 1),
    )
    .unwrap();
    assert_eq!(open(strange.path()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_log_that_begins_in_the_middle_is_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let header = Header {
        number: 0,
        salt: 7,
        first_sequence: 1 << 51,
    };
    segment::create(dir.path(), header).unwrap();
    assert_eq!(open(dir.path()).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(visited(dir.path()).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_directory_without_a_log_is_no_crawl_and_one_with_a_log_is_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for dir in [dir.path(), &missing] {
        assert_eq!(open(dir).unwrap_err().kind(), ErrorKind::NotACrawl);
    }
    assert!(!missing.exists());
    CommitLog::create(&missing).unwrap();
    assert_eq!(
        CommitLog::create(&missing).unwrap_err().kind(),
        ErrorKind::Exists
    );
}

#[test]
fn an_error_of_the_visitor_ends_the_replay_and_changes_nothing() {
    let dir = log_of(&[b"one".to_vec(), b"two".to_vec()], DEFAULT_SEGMENT_BYTES);
    let path = segment_path(dir.path(), 0);
    fs::write(&path, [fs::read(&path).unwrap(), b"torn".to_vec()].concat()).unwrap();
    let before = fs::read(&path).unwrap();
    let refusal = CommitLog::open(dir.path(), &mut |sequence, _| {
        if sequence == 1 {
            Err(Error::corrupt(&path, "is not understood"))
        } else {
            Ok(())
        }
    });
    assert!(
        refusal
            .unwrap_err()
            .to_string()
            .contains("is not understood")
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_payload_above_the_bound_is_refused_and_the_largest_is_not() {
    let dir = log_of(&[], DEFAULT_SEGMENT_BYTES);
    let (mut log, _) = open(dir.path()).unwrap();
    let mut payload = vec![7; MAX_PAYLOAD_BYTES + 1];
    assert_eq!(
        log.append(&payload).unwrap_err().kind(),
        ErrorKind::TooLarge
    );
    payload.pop();
    log.append(&payload).unwrap();
    log.append(b"after").unwrap();
    assert!(log.frame.capacity() <= KEPT_BUFFER_BYTES);
    assert_eq!(visited(dir.path()).unwrap().0, [payload, b"after".to_vec()]);
}

#[test]
fn an_append_is_one_write_and_one_sync() {
    let dir = log_of(&[], DEFAULT_SEGMENT_BYTES);
    let (mut log, _) = open(dir.path()).unwrap();
    for bytes in [0, 10, 3_000_000] {
        let payload = vec![7; bytes];
        probe::take();
        log.append(&payload).unwrap();
        assert_eq!(
            probe::take(),
            Counts {
                writes: 1,
                syncs: 1,
                ..Counts::default()
            }
        );
    }
    let mut log = log.with_segment_bytes(0);
    log.append(b"in a segment of its own").unwrap();
    let counts = probe::take();
    assert_eq!((counts.writes, counts.syncs), (2, 3));
}

/// The format does not drift: these bytes were made by another program from its description.
#[test]
fn a_log_of_version_1_is_read() {
    let version_1 = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/log_version_1");
    let (payloads, replayed) = visited(Path::new(version_1)).unwrap();
    let third = b"third, in a segment of its own";
    assert_eq!(payloads, [&b"first"[..], b"", third]);
    let expected = Replayed {
        commits: 3,
        bytes: 163,
        cut_bytes: 7,
    };
    assert_eq!(replayed, expected);
}

#[test]
fn a_full_disk_leaves_the_log_as_it_was() {
    let dir = log_of(&[b"one".to_vec()], 128);
    let (mut log, _) = open(dir.path()).unwrap();
    log = log.with_segment_bytes(128);
    for (kind, payload) in [(Kind::Write, vec![1; 40]), (Kind::Write, vec![2; 400])] {
        probe::fail(Some((kind, 28)));
        assert_eq!(log.append(&payload).unwrap_err().kind(), ErrorKind::Full);
        probe::fail(None);
        // The second does not fit the segment: it is the making of the next that has failed.
        assert_eq!(visited(dir.path()).unwrap().1.commits, 1);
    }
    log.append(b"two").unwrap();
    log.append(&[3; 400]).unwrap();
    let commits = [b"one".to_vec(), b"two".to_vec(), vec![3; 400]];
    assert_eq!(visited(dir.path()).unwrap().0, commits);
}

#[test]
fn what_a_failed_append_leaves_is_cut_by_the_next_open() {
    let dir = log_of(&[b"one".to_vec()], DEFAULT_SEGMENT_BYTES);
    let (mut log, _) = open(dir.path()).unwrap();
    // Neither writing nor cutting works: half a frame stays, and the log knows nothing any more.
    probe::fail(Some((Kind::WriteAndChange, 28)));
    let error = log.append(&[7; 100]).unwrap_err();
    probe::fail(None);
    assert_eq!(
        log.append(b"two").unwrap_err().to_string(),
        error.to_string()
    );
    drop(log);
    let (mut log, replayed) = open(dir.path()).unwrap();
    assert_eq!((replayed.commits, replayed.cut_bytes), (1, 58));
    log.append(b"two").unwrap();
    assert_eq!(visited(dir.path()).unwrap().0, [b"one", b"two"]);
}

#[test]
fn a_failed_sync_poisons_the_log_for_good() {
    let dir = log_of(&[b"one".to_vec()], DEFAULT_SEGMENT_BYTES);
    let (mut log, _) = open(dir.path()).unwrap();
    probe::fail(Some((Kind::Sync, 5)));
    let error = log.append(b"two").unwrap_err();
    probe::fail(None);
    probe::take();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(
        log.append(b"three").unwrap_err().to_string(),
        error.to_string()
    );
    assert_eq!(probe::take(), Counts::default(), "nothing is tried again");
    drop(log);

    // The bytes are in the page cache: an open takes them for a commit, and writes them anew.
    let (mut log, replayed) = open(dir.path()).unwrap();
    assert_eq!(replayed.commits, 2);
    assert_eq!(probe::take().writes, 1);
    assert_eq!(log.append(b"three").unwrap(), 2);
    assert_eq!(
        visited(dir.path()).unwrap().0,
        [&b"one"[..], b"two", b"three"]
    );
}

#[test]
fn a_log_can_be_read_while_it_is_written() {
    let dir = log_of(&[b"one".to_vec()], 64);
    let (mut log, _) = open(dir.path()).unwrap();
    let mut seen = 0;
    replay(dir.path(), &mut |_, _| {
        seen += 1;
        log.append(b"two").map(|_| ())
    })
    .unwrap();
    assert_eq!(
        seen, 1,
        "what is appended meanwhile is for the next reading"
    );
    assert_eq!(visited(dir.path()).unwrap().0, [b"one", b"two"]);
}

#[test]
fn a_log_is_read_from_a_position_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = CommitLog::create(dir.path())
        .unwrap()
        .with_segment_bytes(300);
    let mut positions = vec![log.position()];
    for number in 0..20_u8 {
        log.append(&[number; 40]).unwrap();
        positions.push(log.position());
    }
    assert!(log.bytes_since(positions[0]) > log.bytes_since(positions[19]));
    drop(log);
    for (first, position) in positions.iter().enumerate() {
        let mut coded = Vec::new();
        position.encode(&mut coded);
        let position = LogPosition::decode(&mut coded.as_slice()).unwrap();
        let mut found = Vec::new();
        let mut visit = |sequence: u64, payload: &[u8]| {
            found.push((sequence, payload[0]));
            Ok(())
        };
        replay_at(dir.path(), position, &mut visit).unwrap();
        let expected: Vec<_> = (first..20).map(|at| (at as u64, at as u8)).collect();
        assert_eq!(found, expected);
    }
    let (mut log, _) = CommitLog::open_at(dir.path(), positions[20], &mut |_, _| Ok(())).unwrap();
    assert_eq!(log.append(b"more").unwrap(), 20);
    drop(log);
    // What a snapshot stands on must not have gone; what is before it is not looked at.
    let mut visit = |_, _: &[u8]| Ok(());
    let other = LogPosition {
        salt: 1,
        ..positions[3]
    };
    assert_eq!(
        replay_at(dir.path(), other, &mut visit).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    let later = LogPosition {
        offset: 1 << 20,
        ..positions[3]
    };
    assert_eq!(
        replay_at(dir.path(), later, &mut visit).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}
