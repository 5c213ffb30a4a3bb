//! The promise of the crate as a whole: a process is killed at any moment, and what is found afterwards
//! is exactly what was committed.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use nephila_store::{CommitLog, DirectoryLock, ErrorKind, PartNames, PartPosition, PartWriter};

const DIR_VARIABLE: &str = "NEPHILA_STORE_TEST_DIR";
const ROLL_BYTES: u64 = 4_000;

/// Row number `number`, of a length of its own.
fn row(number: u64) -> String {
    format!(
        "{number} {}\n",
        "x".repeat(usize::try_from(number * 7 % 90).unwrap())
    )
}

/// A payload is the position that the commit makes count.
fn encode(position: PartPosition) -> Vec<u8> {
    format!("{} {} {}", position.part, position.bytes, position.rows).into_bytes()
}

fn decode(payload: &[u8]) -> PartPosition {
    let numbers = str::from_utf8(payload).unwrap().split(' ');
    let numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
    let [part, bytes, rows] = numbers[..] else {
        panic!("not a position: {numbers:?}")
    };
    PartPosition {
        part: u32::try_from(part).unwrap(),
        bytes,
        rows,
    }
}

/// Opens what is in `dir`, or begins it.
fn open(dir: &Path) -> (CommitLog, PartWriter, PartPosition) {
    let mut position = PartPosition::default();
    let opened = CommitLog::open(&dir.join("state"), &mut |_, payload| {
        position = decode(payload);
        Ok(())
    });
    let log = match opened {
        Ok((log, _)) => log,
        Err(error) if error.kind() == ErrorKind::NotACrawl => {
            CommitLog::create(&dir.join("state")).unwrap()
        }
        Err(error) => panic!("{error}"),
    };
    let pages = dir.join("pages");
    let (writer, _) = PartWriter::open_at(
        PartNames::new(&pages, "part", "txt"),
        ROLL_BYTES,
        position,
        0,
    )
    .unwrap();
    (log.with_segment_bytes(500), writer, position)
}

#[test]
fn child() {
    // The process that the others start and kill; on its own it has nothing to do.
    let Some(dir) = std::env::var_os(DIR_VARIABLE).map(PathBuf::from) else {
        return;
    };
    let _lock = DirectoryLock::acquire(&dir.join("state")).unwrap();
    let (mut log, mut writer, mut position) = open(&dir);
    // Ends on its own when nobody reads, so that it cannot outlive a parent that failed.
    while writeln!(std::io::stdout(), "committed {}", position.rows).is_ok() {
        for number in position.rows..position.rows + 1 + position.rows % 13 {
            writer.append(row(number).as_bytes(), 1).unwrap();
        }
        position = writer.sync().unwrap();
        log.append(&encode(position)).unwrap();
    }
}

struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(dir: &Path) -> Self {
        std::fs::create_dir_all(dir.join("state")).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(DIR_VARIABLE, dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Waits for the next line that says how many rows are committed.
    fn committed(&mut self) -> u64 {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            if let Some(rows) = line.trim().split("committed ").nth(1) {
                return rows.parse().unwrap();
            }
            line.clear();
        }
        panic!("the child has ended by itself");
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_killed_process_leaves_exactly_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut committed = 0;
    for round in 0..20_u64 {
        let mut running = Running::start(dir.path());
        for _ in 0..1 + round * 7 % 11 {
            committed = running.committed();
        }
        running.kill();
        let _lock = DirectoryLock::acquire(&dir.path().join("state")).unwrap();
        let (_, _, position) = open(dir.path());
        assert!(
            position.rows >= committed,
            "round {round}: {committed} rows, {position:?}"
        );
        let names = PartNames::new(dir.path().join("pages"), "part", "txt");
        let parts = (0..=position.part).map(|part| {
            let named = std::fs::read_to_string(names.path(part));
            named.unwrap_or_else(|_| std::fs::read_to_string(names.open_path(part)).unwrap())
        });
        let expected: String = (0..position.rows).map(row).collect();
        assert_eq!(parts.collect::<String>(), expected, "round {round}");
        let next = dir
            .path()
            .join(format!("pages/part-{:05}.txt", position.part + 1));
        assert!(!next.exists(), "round {round}");
    }
    assert!(committed > 100, "{committed}");
}

#[test]
fn a_process_holds_the_directory_until_it_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::start(dir.path());
    running.committed();
    let error = DirectoryLock::acquire(&dir.path().join("state")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(
        error
            .to_string()
            .contains(&format!("process {};", running.child.id())),
        "{error}"
    );
    running.kill();
    DirectoryLock::acquire(&dir.path().join("state")).unwrap();
}
