//! Programs of known kind, and what they are told to be and to try.
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
use std::thread::{JoinHandle, scope, sleep, spawn};
use std::time::{Duration, Instant};

use nephila_lab::{Classification, Kind, Remedy, State, classify};
use rustix::time::{ClockId, clock_gettime};

/// Names the program that this test is to be, where it is started as one.
const PROGRAM: &str = "NEPHILA_LAB_PROGRAM";
/// How long the programs take, about.
const SPAN: Duration = Duration::from_millis(700);

/// A kind, and what is to be tried first: for a machine of several cores.
type Right = (Kind, Option<Remedy>);

const SLEEPS: Right = (Kind::Sleeps, Some(Remedy::AsyncOrThreads));
const NETWORK: Right = (Kind::WaitsForNetwork, Some(Remedy::AsyncOrThreads));
const DISK: Right = (Kind::WaitsForDisk, Some(Remedy::AsyncOrThreads));
const MIXED: Right = (Kind::Mixed, Some(Remedy::AsyncOrThreads));
const ON_ONE_CORE: Right = (Kind::ComputesOnOneCore, Some(Remedy::Processes));
const IN_PARALLEL: Right = (Kind::ComputesInParallel, Some(Remedy::MoreCores));
const SHORT_OF_CORES: Right = (Kind::ShortOfCores, Some(Remedy::MoreCores));
const TAKES_TURNS: Right = (Kind::TakesTurns, Some(Remedy::Processes));
const INTERPRETER_LOCK: Right = (Kind::InterpreterLock, Some(Remedy::Processes));
const TOO_SHORT: Right = (Kind::TooShort, None);

#[derive(Default)]
struct Tally {
    checked: u32,
    skipped: Vec<&'static str>,
}

impl Tally {
    /// Runs a program and holds its kind, and what it is told to try, against those that are right.
    fn check(&mut self, name: &str, command: &[&str], right: &[Right]) -> Classification {
        let words: Vec<OsString> = command.iter().map(OsString::from).collect();
        let found = classify(&words).unwrap();
        let remedy = found.remedy();
        eprintln!("{name}: {:?}, {}", found.kind, found.sentence());
        let is_right = |(kind, first): &Right| {
            // More processes do not compute faster on one core.
            let first = first.filter(|first| *first != Remedy::Processes || found.cores > 1);
            *kind == found.kind && first == remedy
        };
        assert!(
            right.iter().any(is_right),
            "{name} is {right:?}, not {:?} with {remedy:?}:\n{}",
            found.kind,
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
    assert!(tally.checked >= 12 || !tally.skipped.is_empty());
}

fn shell_programs(tally: &mut Tally) {
    tally.check("ends at once", &["true"], &[TOO_SHORT]);
    let sleeps = tally.check("sleep", &["sleep", "0.7"], &[SLEEPS]);
    assert!(sleeps.share(State::Sleep) > 0.8);
    tally.check(
        "waits for its child",
        &["sh", "-c", "sleep 0.7; true"],
        &[SLEEPS],
    );
    let slow = "for i in 1 2 3 4 5 6 7; do sleep 0.1; echo x; done | cat > /dev/null";
    tally.check("pipe with a slow writer", &["sh", "-c", slow], &[SLEEPS]);
    let busy = "timeout 0.7 sh -c 'yes | od -x' > /dev/null";
    tally.check(
        "pipeline that computes",
        &["sh", "-c", busy],
        &[ON_ONE_CORE, IN_PARALLEL, SHORT_OF_CORES],
    );
    for (name, line) in [
        ("gzip", "timeout 0.8 gzip -9 < /dev/urandom > /dev/null"),
        ("xz", "timeout 0.8 xz -T1 < /dev/urandom > /dev/null"),
    ] {
        if !is_there(name) {
            tally.skip(name);
            continue;
        }
        let found = tally.check(name, &["sh", "-c", line], &[ON_ONE_CORE]);
        assert_eq!(found.exit_code, 124);
    }
}

/// A server on loopback that sends a little, seven times, to each of so many readers; and its port.
fn slow_sender(readers: usize) -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let send = move || {
        let accepted = listener.incoming().take(readers);
        let mut streams: Vec<TcpStream> = accepted.map(Result::unwrap).collect();
        for _ in 0..7 {
            // paced: a slow sender is the subject
            sleep(SPAN / 7);
            for stream in &mut streams {
                stream.write_all(&[7; 1_000]).unwrap();
            }
        }
    };
    (spawn(send), port)
}

fn own_programs(tally: &mut Tally) {
    let (sender, port) = slow_sender(1);
    let reader = own("socket", &port);
    let found = tally.check("socket with a slow sender", &words(&reader), &[NETWORK]);
    assert!(found.share(State::Network) > 0.4);
    sender.join().unwrap();
    let several = std::thread::available_parallelism().unwrap().get() > 1;
    for (name, right) in [
        ("half", MIXED),
        ("lock", TAKES_TURNS),
        ("parallel", IN_PARALLEL),
        ("crowd", SHORT_OF_CORES),
    ] {
        if name == "parallel" && !several {
            tally.skip("several threads on several cores: there is one core");
            continue;
        }
        tally.check(name, &words(&own(name, "")), &[right]);
    }
}

fn python_programs(tally: &mut Tally) {
    let asked =
        "import sys; print(getattr(sys, '_is_gil_enabled', lambda: True)(), sys.executable)";
    let answer = std::process::Command::new("python3")
        .args(["-c", asked])
        .output();
    let Some(answer) = answer.ok().filter(|answer| answer.status.success()) else {
        return tally.skip("python3, six programs");
    };
    let answer = String::from_utf8(answer.stdout).unwrap();
    let (lock, python) = answer.trim().split_once(' ').unwrap();
    const LOOP: &str = "import time\ndef work():\n end = time.time() + 0.8\n while time.time() < end:\n  sum(range(2000))\n";
    let run = |rest: &str| format!("{LOOP}{rest}");
    tally.check(
        "Python loop",
        &[python, "-c", &run("work()")],
        &[ON_ONE_CORE],
    );
    let threads = "import threading\nts = [threading.Thread(target=work) for _ in range(3)]\n[t.start() for t in ts]\n[t.join() for t in ts]";
    if lock == "True" {
        let found = tally.check(
            "Python threads",
            &[python, "-c", &run(threads)],
            &[INTERPRETER_LOCK],
        );
        assert!(found.to_text().contains("interpreter lock"));
    } else {
        tally.skip("Python threads with an interpreter lock");
    }
    let processes = "import os\nif os.fork():\n work()\n os.wait()\nelse:\n work()";
    tally.check(
        "Python processes",
        &[python, "-c", &run(processes)],
        &[IN_PARALLEL, SHORT_OF_CORES],
    );
    let tasks = "import asyncio\nasync def main():\n await asyncio.gather(*[asyncio.sleep(1.5) for _ in range(100)])\nasyncio.run(main())";
    tally.check("asyncio that sleeps", &[python, "-c", tasks], &[SLEEPS]);
    let waits = "import threading, time\nts = [threading.Thread(target=time.sleep, args=(1.5,)) for _ in range(20)]\n[t.start() for t in ts]\n[t.join() for t in ts]";
    tally.check(
        "Python threads that sleep",
        &[python, "-c", waits],
        &[SLEEPS],
    );
    let (sender, port) = slow_sender(8);
    let reads = format!(
        "import asyncio\nasync def one():\n r, w = await asyncio.open_connection('127.0.0.1', {port})\n await r.read(-1)\n w.close()\nasync def main():\n await asyncio.gather(*[one() for _ in range(8)])\nasyncio.run(main())"
    );
    tally.check(
        "asyncio that reads sockets",
        &[python, "-c", &reads],
        &[NETWORK, MIXED],
    );
    sender.join().unwrap();
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
        let right = [DISK, MIXED];
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

/// As long on a processor as asleep, whatever others take of the processors.
fn half_and_half() {
    let on_processor = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let end = now() + SPAN;
    while now() < end {
        let start = on_processor();
        while on_processor() - start < 0.010 {
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
