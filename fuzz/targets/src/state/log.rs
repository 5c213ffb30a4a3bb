//! Recovery of the commit log.

use std::path::Path;

use nephila_store::{CommitLog, Error, Replayed, replay};

use super::segments::Segments;
use super::{files, in_empty_directory};
use crate::choice;

/// Opens a commit log that the bytes make: an even first byte takes them for a segment file as they are,
/// an odd one for steps that write whole and damaged commits.
///
/// Promises: a replay and an open say the same and never fail otherwise than with an error; a log of
/// whole commits gives exactly these; what is visited is no longer than the files; an open that fails
/// changes no byte; after an open the log is whole, and what is appended is replayed behind the rest.
pub fn commit_log(data: &[u8]) {
    let (variant, rest) = choice(data);
    in_empty_directory(|directory| {
        let mut segments = Segments::new();
        if variant % 2 == 0 {
            segments.is_whole = false;
            if std::fs::write(directory.join("commit-000000.log"), rest).is_err() {
                return;
            }
        } else {
            segments.follow(rest);
            if segments.write(directory).is_err() {
                return;
            }
        }
        check(directory, &segments);
    });
}

fn check(directory: &Path, written: &Segments) {
    let before = files(directory);
    let replayed = visited(directory);
    assert_eq!(files(directory), before, "a replay changes nothing");
    let opened = opened(directory);
    match (replayed, opened) {
        (Ok((payloads, replayed)), Ok((same, opened, mut log))) => {
            assert_eq!((&payloads, replayed), (&same, opened));
            let visited: usize = payloads.iter().map(Vec::len).sum();
            let bytes: usize = before.iter().map(|(_, bytes)| bytes.len()).sum();
            assert!(visited <= bytes);
            assert_eq!(replayed.bytes + replayed.cut_bytes, bytes as u64);
            if written.is_whole {
                assert_eq!((&payloads, replayed.cut_bytes), (&written.payloads, 0));
            }
            check_goes_on(directory, &mut log, payloads);
        }
        (Err(replayed), Err(opened)) => {
            assert_eq!(replayed.kind(), opened.kind(), "{replayed}; {opened}");
            assert_eq!(files(directory), before, "a failed open changes nothing");
            assert!(!written.is_whole, "{opened}");
        }
        (replayed, opened) => {
            let opened = opened.map(|(payloads, ..)| payloads);
            assert!(
                replayed.is_ok() == opened.is_ok(),
                "{replayed:?} {opened:?}"
            );
        }
    }
}

/// After an open the log is whole, and goes on.
fn check_goes_on(directory: &Path, log: &mut CommitLog, mut payloads: Vec<Vec<u8>>) {
    let found = visited(directory).map(|(payloads, replayed)| (payloads, replayed.cut_bytes));
    let found = found.map_err(|error| error.to_string());
    assert_eq!(found, Ok((payloads.clone(), 0)));
    let appended = log.append(b"appended").map_err(|error| error.to_string());
    assert_eq!(appended, Ok(payloads.len() as u64));
    payloads.push(b"appended".to_vec());
    let found = visited(directory).map(|(payloads, _)| payloads);
    assert_eq!(found.map_err(|error| error.to_string()), Ok(payloads));
}

type Visited = (Vec<Vec<u8>>, Replayed);

fn visited(directory: &Path) -> Result<Visited, Error> {
    let mut payloads = Vec::new();
    let replayed = replay(directory, &mut |sequence, payload| {
        assert_eq!(sequence, payloads.len() as u64);
        payloads.push(payload.to_vec());
        Ok(())
    })?;
    assert_eq!(replayed.commits, payloads.len() as u64);
    Ok((payloads, replayed))
}

fn opened(directory: &Path) -> Result<(Vec<Vec<u8>>, Replayed, CommitLog), Error> {
    let mut payloads = Vec::new();
    let (log, replayed) = CommitLog::open(directory, &mut |_, payload| {
        payloads.push(payload.to_vec());
        Ok(())
    })?;
    Ok((payloads, replayed, log))
}
