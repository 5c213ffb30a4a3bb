//! Loss of power at any operation: what was committed is there, and nothing else.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::path::Path;

use nephila_store::faults::Disk;
use nephila_store::{CommitLog, ErrorKind, PartNames, PartPosition, PartWriter, write_whole};

const ROLL_BYTES: u64 = 2_000;

fn row(number: u64) -> String {
    format!("{number} {}\n", "x".repeat((number * 37 % 900) as usize))
}

fn encode(position: PartPosition) -> Vec<u8> {
    let mut bytes = position.part.to_le_bytes().to_vec();
    bytes.extend(position.bytes.to_le_bytes());
    bytes.extend(position.rows.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> PartPosition {
    let number = |range: std::ops::Range<usize>| {
        let mut eight = [0; 8];
        let bytes = bytes.get(range).unwrap();
        eight.get_mut(..bytes.len()).unwrap().copy_from_slice(bytes);
        u64::from_le_bytes(eight)
    };
    PartPosition {
        part: u32::try_from(number(0..4)).unwrap(),
        bytes: number(4..12),
        rows: number(12..20),
    }
}

/// What is committed in `dir`.
struct Opened {
    log: CommitLog,
    parts: PartWriter,
    committed: PartPosition,
}

fn open(dir: &Path) -> Result<Opened, nephila_store::Error> {
    let mut committed = PartPosition::default();
    let opened = CommitLog::open(&dir.join("state"), &mut |_, payload| {
        committed = decode(payload);
        Ok(())
    });
    let log = match opened {
        Ok((log, _)) => log,
        Err(error) if error.kind() == ErrorKind::NotACrawl => {
            CommitLog::create(&dir.join("state"))?
        }
        Err(error) => return Err(error),
    };
    let names = PartNames::new(dir.join("pages"), "part", "txt");
    let (parts, _) = PartWriter::open_at(names, ROLL_BYTES, committed, 0)?;
    Ok(Opened {
        log: log.with_segment_bytes(3_000),
        parts,
        committed,
    })
}

/// Appends and commits until the disk fails; returns the rows that were promised.
fn write_until_it_fails(dir: &Path, mut promised: u64) -> u64 {
    let Ok(Opened {
        mut log, mut parts, ..
    }) = open(dir)
    else {
        return promised;
    };
    let mut next = parts.position().rows;
    loop {
        for _ in 0..1 + next % 3 {
            if parts.append(row(next).as_bytes(), 1).is_err() {
                return promised;
            }
            next += 1;
        }
        let Ok(position) = parts.sync() else {
            return promised;
        };
        if log.append(&encode(position)).is_err() {
            return promised;
        }
        promised = position.rows;
        let summary = dir.join("summary");
        if parts.publish_ended().is_err()
            || write_whole(&summary, &encode(position), false).is_err()
        {
            return promised;
        }
    }
}

/// All rows of the parts, those with a name first; each of these has to be whole.
fn rows(dir: &Path) -> String {
    let names = PartNames::new(dir.join("pages"), "part", "txt");
    let mut text = String::new();
    for part in names.whole_parts().unwrap() {
        let part = std::fs::read_to_string(names.path(part)).unwrap();
        assert!(part.ends_with('\n'), "a part with a name is whole");
        text.push_str(&part);
    }
    for part in names.open_parts().unwrap() {
        text.push_str(&std::fs::read_to_string(names.open_path(part)).unwrap());
    }
    text
}

#[test]
fn a_machine_that_goes_down_at_any_operation_loses_nothing_that_was_promised() {
    for seed in 0..100_u64 {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::watch(dir.path()).unwrap();
        let mut promised = 0;
        for crash in 0..6 {
            disk.fail_after((seed * 7 + crash * 13) % 61);
            promised = write_until_it_fails(dir.path(), promised);
            disk.lose_power(seed * 100 + crash).unwrap();
            let opened = open(dir.path()).unwrap();
            let kept = opened.committed.rows;
            assert!(kept >= promised, "seed {seed}: {kept} of {promised} rows");
            promised = kept;
            let expected: String = (0..kept).map(row).collect();
            assert!(rows(dir.path()) == expected, "seed {seed}, crash {crash}");
            if let Ok(summary) = std::fs::read(dir.path().join("summary")) {
                assert!(decode(&summary).rows <= kept, "seed {seed}");
            }
        }
        assert!(promised > 0, "seed {seed} has committed nothing");
    }
}
