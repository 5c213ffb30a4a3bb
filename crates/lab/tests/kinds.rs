//! Programs of known kind, and what they are told to be.
//!
//! Programs that a machine lacks are skipped and counted. Shares differ from run to run on a busy
//! machine; the kinds do not.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "the functions of a test may fail and tell as tests do"
)]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{scope, sleep, spawn};
use std::time::{Duration, Instant};

use nephila_lab::{Classification, Kind, Remedy, State, classify};

/// Names the program that this test is to be, where it is started as one.
const PROGRAM: &str = "NEPHILA_LAB_PROGRAM";
/// How long the programs take, about.
const SPAN: Duration = Duration::from_millis(700);

const COMPUTING: [Kind; 3] = [
    Kind::ComputesOnOneCore,
    Kind::ComputesInParallel,
    Kind::ShortOfCores,
];

#[derive(Default)]
struct Tally {
    checked: u32,
    skipped: Vec<&'static str>,
}

impl Tally {
    /// Runs a program and holds its kind against those that are right.
    fn check(&mut self, name: &str, command: &[&str], right: &[Kind]) -> Classification {
        let words: Vec<OsString> = command.iter().map(OsString::from).collect();
        let found = classify(&words).unwrap();
        eprintln!("{name}: {:?}, {}", found.kind, found.sentence());
        assert!(
            right.contains(&found.kind),
            "{name} is {right:?}:\n{}",
            found.to_text()
        );
        let sum: f64 = found.shares.values().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{name}: shares add up to {sum}");
        self.checked += 1;
        found
    }

    fn skip(&mut self, name: &'static str) {
        self.skipped.push(name);
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// This test as a program: `env PROGRAM=name this --exact program ...`.
fn own(name: &str, argument: &str) -> Vec<String> {
    let executable = std::env::current_exe().unwrap();
    let mut words = vec!["env".to_owned(), format!("{PROGRAM}={name} {argument}")];
    words.push(executable.display().to_string());
    words.extend(
        [
            "--exact",
            "program",
            "--nocapture",
            "--test-threads=1",
            "--quiet",
        ]
        .map(str::to_owned),
    );
    // Its own report of a passed test is nobody's business.
    let line = words
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" ");
    ["sh", "-c", &format!("exec {line} > /dev/null")]
        .map(str::to_owned)
        .to_vec()
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// A directory on a disk; nothing where the one for tests is in memory.
fn on_disk() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let of_directory = points.filter(|(point, _)| directory.starts_with(point));
    let (_, kind) = of_directory.max_by_key(|(point, _)| point.len())?;
    (kind != "tmpfs").then(|| directory.to_owned())
}

#[test]
fn programs_of_known_kind_are_told_apart() {
    if !Path::new("/proc/self/schedstat").exists() {
        let found = classify(&["true".into()]).unwrap();
        assert_eq!((found.kind, found.exit_code), (Kind::NotOnThisSystem, 0));
        eprintln!("skipped: this system keeps no accounts that could be read");
        return;
    }
    let mut tally = Tally::default();
    shell_programs(&mut tally);
    own_programs(&mut tally);
    python_programs(&mut tally);
    disk_programs(&mut tally);
    for name in &tally.skipped {
        eprintln!("skipped: {name}");
    }
    eprintln!(
        "{} programs checked, {} skipped",
        tally.checked,
        tally.skipped.len()
    );
    assert!(tally.checked >= 9);
}

fn shell_programs(tally: &mut Tally) {
    tally.check("ends at once", &["true"], &[Kind::TooShort]);
    let sleeps = tally.check("sleep", &["sleep", "0.7"], &[Kind::Sleeps]);
    assert!(sleeps.share(State::Sleep) > 0.8);
    let overlap = sleeps
        .advice
        .iter()
        .find(|advice| advice.remedy == Remedy::AsyncOrThreads);
    assert!(overlap.unwrap().helps);
    tally.check(
        "waits for its child",
        &["sh", "-c", "sleep 0.7; true"],
        &[Kind::Sleeps],
    );
    let slow = "for i in 1 2 3 4 5 6 7; do sleep 0.1; echo x; done | cat > /dev/null";
    tally.check(
        "pipe with a slow writer",
        &["sh", "-c", slow],
        &[Kind::Sleeps],
    );
    let busy = "timeout 0.7 sh -c 'yes | od -x' > /dev/null";
    tally.check("pipeline that computes", &["sh", "-c", busy], &COMPUTING);
    for (name, line) in [
        ("gzip", "timeout 0.8 gzip -9 < /dev/urandom > /dev/null"),
        ("xz", "timeout 0.8 xz -T1 < /dev/urandom > /dev/null"),
    ] {
        if !is_there(name) {
            tally.skip(name);
            continue;
        }
        let found = tally.check(name, &["sh", "-c", line], &[Kind::ComputesOnOneCore]);
        assert_eq!(found.exit_code, 124);
    }
}

fn own_programs(tally: &mut Tally) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let sender = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..7 {
            // paced: a slow sender is the subject
            sleep(SPAN / 7);
            stream.write_all(&[7; 1_000]).unwrap();
        }
    });
    let reader = own("socket", &port);
    let found = tally.check(
        "socket with a slow sender",
        &words(&reader),
        &[Kind::WaitsForNetwork],
    );
    assert!(found.share(State::Network) > 0.4);
    sender.join().unwrap();
    let several = std::thread::available_parallelism().unwrap().get() > 1;
    for (name, kind) in [
        ("half", Kind::Mixed),
        ("lock", Kind::TakesTurns),
        ("parallel", Kind::ComputesInParallel),
        ("crowd", Kind::ShortOfCores),
    ] {
        if name == "parallel" && !several {
            tally.skip("several threads on several cores: there is one core");
            continue;
        }
        tally.check(name, &words(&own(name, "")), &[kind]);
    }
}

fn python_programs(tally: &mut Tally) {
    let asked =
        "import sys; print(getattr(sys, '_is_gil_enabled', lambda: True)(), sys.executable)";
    let answer = std::process::Command::new("python3")
        .args(["-c", asked])
        .output();
    let Some(answer) = answer.ok().filter(|answer| answer.status.success()) else {
        return tally.skip("python3, five programs");
    };
    let answer = String::from_utf8(answer.stdout).unwrap();
    let (lock, python) = answer.trim().split_once(' ').unwrap();
    const LOOP: &str = "import time\ndef work():\n end = time.time() + 0.8\n while time.time() < end:\n  sum(range(2000))\n";
    let run = |rest: &str| format!("{LOOP}{rest}");
    tally.check(
        "Python loop",
        &[python, "-c", &run("work()")],
        &[Kind::ComputesOnOneCore],
    );
    let threads = "import threading\nts = [threading.Thread(target=work) for _ in range(3)]\n[t.start() for t in ts]\n[t.join() for t in ts]";
    if lock == "True" {
        let found = tally.check(
            "Python threads",
            &[python, "-c", &run(threads)],
            &[Kind::InterpreterLock],
        );
        assert!(found.to_text().contains("interpreter lock"));
    } else {
        tally.skip("Python threads with an interpreter lock");
    }
    let processes = "import os\nif os.fork():\n work()\n os.wait()\nelse:\n work()";
    tally.check(
        "Python processes",
        &[python, "-c", &run(processes)],
        &[Kind::ComputesInParallel, Kind::ShortOfCores],
    );
    let tasks = "import asyncio\nasync def main():\n await asyncio.gather(*[asyncio.sleep(0.8) for _ in range(100)])\nasyncio.run(main())";
    tally.check(
        "asyncio that sleeps",
        &[python, "-c", tasks],
        &[Kind::Sleeps],
    );
    let waits = "import threading, time\nts = [threading.Thread(target=time.sleep, args=(0.8,)) for _ in range(20)]\n[t.start() for t in ts]\n[t.join() for t in ts]";
    tally.check(
        "Python threads that sleep",
        &[python, "-c", waits],
        &[Kind::Sleeps],
    );
}

fn disk_programs(tally: &mut Tally) {
    let Some(directory) = on_disk().filter(|_| is_there("dd")) else {
        return tally.skip("copy of a large file: there is no disk here");
    };
    // Past the page cache, so that the disk is waited for and not memory.
    let (large, copy) = (directory.join("large"), directory.join("copy"));
    std::fs::write(&large, vec![7; 64 << 20]).unwrap();
    let copy_once = format!(
        "dd if='{}' of='{}' bs=8M iflag=direct oflag=direct 2> /dev/null",
        large.display(),
        copy.display()
    );
    let can = std::process::Command::new("sh")
        .args(["-c", &copy_once])
        .status();
    if can.unwrap().success() {
        let line = format!("timeout 0.8 sh -c \"while {copy_once}; do :; done\"");
        let right = [Kind::WaitsForDisk, Kind::Mixed];
        let found = tally.check("copy of a large file", &["sh", "-c", &line], &right);
        assert!(found.share(State::Disk) > 0.2);
    } else {
        tally.skip("copy of a large file: this file system copies through memory only");
    }
    for file in [large, copy] {
        let _ = std::fs::remove_file(file);
    }
}

#[test]
fn the_code_of_the_program_is_forwarded() {
    let code = |line: &str| {
        classify(&["sh".into(), "-c".into(), line.into()])
            .unwrap()
            .exit_code
    };
    assert_eq!(code("exit 7"), 7);
    assert_eq!(code("kill -9 $$"), 137);
    assert!(classify(&["no-such-program-at-all".into()]).is_err());
}

/// What [`own`] starts; as a test it does nothing.
#[test]
fn program() {
    let Ok(what) = std::env::var(PROGRAM) else {
        return;
    };
    let (name, argument) = what.split_once(' ').unwrap();
    match name {
        "socket" => {
            let mut stream = TcpStream::connect(format!("127.0.0.1:{argument}")).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            assert_eq!(all.len(), 7_000);
        }
        "half" => half_and_half(),
        "lock" => take_turns(),
        "parallel" => busy_threads(2),
        "crowd" => busy_threads(std::thread::available_parallelism().unwrap().get() * 3),
        other => panic!("no program {other}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the programs under test last for a time"
)]
fn now() -> Instant {
    Instant::now()
}

fn compute() {
    let mut state = std::hint::black_box(7_u64);
    for _ in 0..20_000 {
        state = (state ^ (state >> 7)).wrapping_mul(0x2545_F491_4F6C_DD1D);
    }
    std::hint::black_box(state);
}

fn busy_threads(threads: usize) {
    let end = now() + SPAN;
    scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                while now() < end {
                    compute();
                }
            });
        }
    });
}

fn half_and_half() {
    let end = now() + SPAN;
    while now() < end {
        let start = now();
        while start.elapsed() < Duration::from_millis(16) {
            compute();
        }
        // paced: waiting is the subject
        sleep(Duration::from_millis(10));
    }
}

fn take_turns() {
    let lock = Arc::new(Mutex::new(()));
    let end = now() + SPAN;
    let work = move |lock: Arc<Mutex<()>>| {
        while now() < end {
            let held = lock.lock().unwrap();
            (0..20).for_each(|_| compute());
            drop(held);
            std::thread::yield_now();
        }
    };
    let threads: Vec<_> = (0..4)
        .map(|_| {
            spawn({
                let lock = lock.clone();
                move || work(lock)
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}
