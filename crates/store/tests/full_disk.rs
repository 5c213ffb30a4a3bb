//! A disk that is really full, and one that is really read-only: a tmpfs of 512 KiB. Mounting one needs
//! root; without, the tests say that they were skipped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may fail as tests do"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use nephila_store::{
    BlockFile, CommitLog, DirectoryLock, Error, ErrorKind, PartNames, PartWriter, SeenSet, replay,
};
use tempfile::TempDir;

/// A small file system of its own, unmounted at the end.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// None, with a line that says so, where mounting is not permitted.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=512k", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(dir.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("skipped: mounting a small tmpfs is not permitted here");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn make_read_only(&self) {
        let made = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.path())
            .status();
        assert!(made.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, so that a test that failed with open files does not leave the mount behind.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Takes 200 KiB of the disk until it is removed.
fn put_ballast(disk: &SmallDisk) -> std::path::PathBuf {
    let path = disk.path().join("ballast");
    fs::write(&path, vec![7; 200 << 10]).unwrap();
    path
}

/// Does it until the disk is full, and says how often that was.
fn until_full(mut act: impl FnMut(u64) -> Result<(), Error>) -> u64 {
    let mut done = 0;
    loop {
        match act(done) {
            Ok(()) => done += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                assert!(done > 0 && done < 1_000_000);
                return done;
            }
        }
    }
}

#[test]
fn the_log_keeps_every_commit_and_goes_on_when_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let state = disk.path().join("state");
    let ballast = put_ballast(&disk);
    let mut log = CommitLog::create(&state)
        .unwrap()
        .with_segment_bytes(100_000);
    let done = until_full(|number| log.append(&vec![number as u8; 9_000]).map(|_| ()));
    assert_eq!(replay(&state, &mut |_, _| Ok(())).unwrap().commits, done);
    fs::remove_file(ballast).unwrap();
    assert_eq!(log.append(b"after").unwrap(), done);
    drop(log);
    let mut payloads = Vec::new();
    CommitLog::open(&state, &mut |_, payload| {
        payloads.push(payload.to_vec());
        Ok(())
    })
    .unwrap();
    assert_eq!(payloads.pop().unwrap(), b"after");
    assert!(
        payloads
            .iter()
            .zip(0_u64..)
            .all(|(p, number)| *p == vec![number as u8; 9_000])
    );
    assert_eq!(payloads.len() as u64, done);
}

#[test]
fn the_log_is_whole_for_a_process_that_opens_it_on_the_full_disk() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let state = disk.path().join("state");
    let mut log = CommitLog::create(&state).unwrap();
    let done = until_full(|number| log.append(&vec![number as u8; 9_000]).map(|_| ()));
    drop(log);
    let (mut log, replayed) = CommitLog::open(&state, &mut |_, _| Ok(())).unwrap();
    assert_eq!(replayed.commits, done);
    assert_eq!(log.append(&[7; 9_000]).unwrap_err().kind(), ErrorKind::Full);
}

#[test]
fn the_parts_keep_what_was_synced_and_go_on_when_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let pages = disk.path().join("pages");
    let ballast = put_ballast(&disk);
    let mut writer = PartWriter::create(PartNames::new(&pages, "part", "txt"), 50_000).unwrap();
    let row = [b'x'; 1_000];
    let mut position = writer.sync().unwrap();
    let mut appended = 0;
    until_full(|_| {
        writer.append(&row, 1)?;
        appended += 1;
        position = writer.sync()?;
        Ok(())
    });
    assert!(position.rows <= appended && appended <= position.rows + 1);
    fs::remove_file(ballast).unwrap();
    assert_eq!(writer.sync().unwrap().rows, appended);
    drop(writer);
    let (_, repaired) =
        PartWriter::open_at(PartNames::new(&pages, "part", "txt"), 50_000, position, 0).unwrap();
    assert_eq!(repaired.cut_bytes, (appended - position.rows) * 1_000);
    let parts = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len());
    assert_eq!(parts.sum::<u64>(), position.rows * 1_000);
}

#[test]
fn the_seen_set_and_the_blocks_lose_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let mut set = SeenSet::new(disk.path(), 0).unwrap();
    let inserted = until_full(|number| set.insert(number).map(|new| assert!(new)));
    assert!((0..inserted).all(|number| set.contains(number).unwrap()));
    assert_eq!(
        (set.len(), set.contains(inserted).unwrap()),
        (inserted, false)
    );
    drop(set);

    let mut blocks = BlockFile::new(disk.path()).unwrap();
    let mut ids = Vec::new();
    until_full(|number| {
        blocks
            .write(&vec![number as u8; 20_000])
            .map(|id| ids.push(id))
    });
    assert!(
        ids.len() > 15,
        "the seen set has not given its space back: {}",
        ids.len()
    );
    let first = ids.remove(0);
    assert_eq!(blocks.take(first).unwrap(), vec![0; 20_000]);
    ids.push(blocks.write(&vec![ids.len() as u8 + 1; 20_000]).unwrap());
    for (id, number) in ids.into_iter().zip(1_u8..) {
        assert_eq!(blocks.take(id).unwrap(), vec![number; 20_000]);
    }
    assert_eq!(blocks.disk_bytes(), 0);
}

#[test]
fn a_read_only_disk_can_be_read_and_says_what_it_is() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let state = disk.path().join("state");
    CommitLog::create(&state).unwrap().append(b"one").unwrap();
    disk.make_read_only();
    assert_eq!(replay(&state, &mut |_, _| Ok(())).unwrap().commits, 1);
    let opened = CommitLog::open(&state, &mut |_, _| Ok(()));
    let errors = [
        opened.unwrap_err(),
        DirectoryLock::acquire(&state).unwrap_err(),
        CommitLog::create(&disk.path().join("new")).unwrap_err(),
        PartWriter::create(PartNames::new(disk.path().join("pages"), "part", "txt"), 1)
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    }
}
