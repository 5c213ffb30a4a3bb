//! Instructions that fixed work takes, counted by callgrind: a check that no noise reaches.
//!
//! Each work is run twice, once made ready only and once done, and the difference is what it took. The
//! file beside the sources holds the figures of the last change that meant to change them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::process::{Web, binary};
use crate::works::WORKS;

/// Growth over the figures on file that is an error.
const GROWTH_MAX: f64 = 0.05;
const FILE: &str = "bench/instruction-counts.txt";
/// Pages of the crawls that are counted whole.
const PAGES: u64 = 1_000;

/// `nephila-bench counts [--check | --write]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mode = arguments.first().map(String::as_str);
    if !matches!(mode, None | Some("--check" | "--write")) || arguments.len() > 1 {
        bail!("usage: cargo xtask bench counts [--check | --write]");
    }
    let on_file = read(Path::new(FILE))?;
    let counted = count_all()?;
    println!("| work | unit | instructions a unit | on file | growth |");
    println!("|---|---|---|---|---|");
    let mut grown = Vec::new();
    for Counted { name, unit, count } in &counted {
        let before = on_file.get(*name).copied();
        let growth = before.map(|before| growth(before, *count));
        let before = before.map_or("none".to_owned(), |before| before.to_string());
        let shown = growth.map_or(String::new(), |growth| format!("{:+.1} %", growth * 100.0));
        println!("| {name} | {unit} | {count} | {before} | {shown} |");
        if is_too_much(growth) {
            grown.push(*name);
        }
    }
    if mode == Some("--write") {
        return write(Path::new(FILE), &counted);
    }
    if mode == Some("--check") && !grown.is_empty() {
        bail!(
            "more than {:.0} % over {FILE}, or not in it: {}. Where the change is worth it, say so in it, and \
             write the new figures: cargo xtask bench counts --write",
            GROWTH_MAX * 100.0,
            grown.join(", ")
        );
    }
    Ok(())
}

/// By how much of what it was before a count grew.
fn growth(before: u64, now: u64) -> f64 {
    now as f64 / before.max(1) as f64 - 1.0
}

/// What is on no file is too much too: it was never held against anything.
fn is_too_much(growth: Option<f64>) -> bool {
    growth.is_none_or(|growth| growth > GROWTH_MAX)
}

/// What one work took.
struct Counted {
    name: &'static str,
    unit: &'static str,
    count: u64,
}

fn count_all() -> anyhow::Result<Vec<Counted>> {
    let own = std::env::current_exe()?;
    let mut all = Vec::new();
    for work in WORKS {
        let counted = |done: usize| {
            let mut command = callgrind(&own)?;
            let numbers = [work.units, done].map(|number| number.to_string());
            count(command.args(["work", work.name]).args(numbers))
        };
        let taken = counted(work.units)?.saturating_sub(counted(0)?);
        all.push(Counted {
            name: work.name,
            unit: work.unit,
            count: taken / work.units as u64,
        });
    }
    all.push(Counted {
        name: "crawl-light",
        unit: "page of 22 kB, crawled to JSON lines",
        count: crawl(&[])? / PAGES,
    });
    all.push(Counted {
        name: "crawl-full",
        unit: "the same, to JSON lines, WARC and Parquet",
        count: crawl(&["--format", "jsonl,warc,parquet"])? / PAGES,
    });
    Ok(all)
}

/// A whole crawl of a light web, robots.txt and start included.
fn crawl(options: &[&str]) -> anyhow::Result<u64> {
    let pages = PAGES.to_string();
    let web = [
        "--profile",
        "light",
        "--seed",
        "7",
        "--hosts",
        "20",
        "--pages",
        &pages,
    ];
    let web = Web::serve(&web)?;
    let folder = tempfile::tempdir()?;
    let resolve = format!("*:{0}:127.0.0.1:{0}", web.port);
    let mut command = callgrind(&binary("nephila", "NEPHILA_BIN")?)?;
    command
        .args([
            "crawl",
            &web.seed,
            "--quiet",
            "--scope",
            "any",
            "--resolve",
            &resolve,
        ])
        .args(["--threads", "1", "--concurrency", "100", "--out"])
        .arg(folder.path().join("crawl"))
        .args(options);
    count(&mut command)
}

/// The program under callgrind, which needs no file of what it finds.
fn callgrind(program: &Path) -> anyhow::Result<Command> {
    let valgrind = std::env::var_os("NEPHILA_VALGRIND").map_or("valgrind".into(), PathBuf::from);
    let mut command = Command::new(valgrind);
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program);
    Ok(command)
}

/// Runs it and reads how many instructions it took.
fn count(command: &mut Command) -> anyhow::Result<u64> {
    let output = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{command:?} ended with {}: {said}", output.status);
    }
    let line = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, number) = line.with_context(|| format!("callgrind gave no count: {said}"))?;
    Ok(number.trim().parse()?)
}

/// The figures on file; none where there is no file.
fn read(path: &Path) -> anyhow::Result<BTreeMap<String, u64>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    parse(&text).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            match fields.as_slice() {
                [name, count] => Ok(((*name).to_owned(), count.parse()?)),
                _ => bail!("`{line}` is no name and a number"),
            }
        })
        .collect()
}

fn write(path: &Path, counted: &[Counted]) -> anyhow::Result<()> {
    let mut text = String::from(
        "# Instructions a unit, by callgrind: `cargo xtask bench counts`. Written by `--write`.\n",
    );
    for Counted { name, count, .. } in counted {
        writeln!(text, "{name} {count}")?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_beyond_its_bound_is_too_much() {
        let grown = |before, now| is_too_much(Some(growth(before, now)));
        assert!(grown(1_000, 1_051) && grown(0, 2));
        assert!(!grown(1_000, 1_049) && !grown(1_000, 10));
        assert!(is_too_much(None));
    }

    #[test]
    fn figures_on_file_are_read_and_faults_are_told() {
        let figures = parse("# why\n\nparse-light 12\nlinks 3\n").unwrap();
        assert_eq!(figures.get("parse-light"), Some(&12));
        assert_eq!(figures.len(), 2);
        assert!(parse("links").is_err() && parse("links many").is_err());
    }
}
