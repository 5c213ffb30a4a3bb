//! Every target on every input of its corpus, and on seeded changes of them, without an engine.
//!
//! A failure names the file that the input was put into and the command that runs it again.
//! `NEPHILA_FUZZ_SEED` draws other changes, `NEPHILA_FUZZ_CHANGES` makes more of them.

#![expect(clippy::unwrap_used, reason = "what a test does not find, it fails on")]

use std::path::{Path, PathBuf};

use nephila_fuzz_targets::{Mutations, TARGETS, Target};

/// The changes drawn when `NEPHILA_FUZZ_SEED` says nothing else.
const SEED: u64 = 20_261_123;

/// Bytes of one corpus at most; all together are to stay below 200 KiB.
const CORPUS_BYTES_MAX: usize = 40 * 1024;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = fuzz().join("corpus").join(target.name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

fn named(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

/// Runs a target on one input; where it panics, the input is kept.
fn run(target: &Target, input: &[u8]) {
    if std::panic::catch_unwind(|| (target.run)(input)).is_ok() {
        return;
    }
    let name = format!("nephila-fuzz-{}-{}", target.name, std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, input).unwrap();
    let again = format!("cargo xtask fuzz {} {}", target.name, path.display());
    unreachable!("a promise does not hold; again: {again}");
}

fn run_all(name: &str, changes: u64) {
    let target = named(name);
    let corpus = corpus(target);
    for (path, input) in &corpus {
        let ran = std::panic::catch_unwind(|| (target.run)(input));
        let again = format!("cargo xtask fuzz {name} {}", path.display());
        assert!(ran.is_ok(), "again: {again}");
    }
    let inputs = corpus.into_iter().map(|(_, input)| input).collect();
    let mut mutations = Mutations::new(number("NEPHILA_FUZZ_SEED", SEED), inputs);
    for _ in 0..number("NEPHILA_FUZZ_CHANGES", changes) {
        run(target, &mutations.next_input());
    }
}

macro_rules! targets {
    ($($name:ident $changes:literal,)+) => {
        $(#[test]
        fn $name() {
            run_all(stringify!($name), $changes);
        })+

        #[test]
        fn every_target_is_run_here() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

// How many changes each can make in about a second of an unoptimised build.
targets! {
    canonical_url 2_000,
    cdxj 2_000,
    charset 2_000,
    commit_log 1_000,
    configuration 500,
    crawl_state 300,
    decode_body 2_000,
    headers 5_000,
    html_scan 2_000,
    robots 2_000,
    sitemap 2_000,
    warc_reader 2_000,
}

#[test]
fn every_target_has_a_program_and_a_small_corpus() {
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let program = format!("fuzz_targets/{}.rs", target.name);
        assert!(manifest.contains(&format!("\"{program}\"")), "{program}");
        let program = std::fs::read_to_string(fuzz().join(program)).unwrap();
        let call = format!("nephila_fuzz_targets::{}(data)", target.name);
        assert!(program.contains(&call), "{call}");
        let corpus = corpus(target);
        let bytes: usize = corpus.iter().map(|(_, input)| input.len()).sum();
        assert!(!corpus.is_empty(), "{}: no corpus", target.name);
        assert!(bytes <= CORPUS_BYTES_MAX, "{}: {bytes} bytes", target.name);
    }
    let programs = std::fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    assert_eq!(programs.count(), TARGETS.len());
}
