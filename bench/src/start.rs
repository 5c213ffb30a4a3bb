//! How long a start takes: `nephila --version`, and one page fetched and recorded.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::bail;

use crate::process::{Web, binary};
use crate::spread::Spread;

const RUNS: usize = 20;

/// `nephila-bench regime start`.
pub(crate) fn run() -> anyhow::Result<()> {
    let web = Web::serve(&[
        "--profile",
        "light",
        "--seed",
        "7",
        "--hosts",
        "1",
        "--pages",
        "100",
    ])?;
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("crawl").display().to_string();
    let resolve = format!("*:{0}:127.0.0.1:{0}", web.port);
    let page = [
        "crawl",
        "--quiet",
        "--out",
        &out,
        "--max-pages",
        "1",
        "--resolve",
        &resolve,
        &web.seed,
    ];
    let (mut version, mut one_page) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        version.push(millis(&["--version"])?);
        one_page.push(millis(&page)?);
        std::fs::remove_dir_all(&out)?;
    }
    println!("{RUNS} alternating runs each, wall clock\n");
    println!("| | ms |\n|---|---|");
    for (name, figures) in [
        ("nephila --version", version),
        (
            "one page fetched and recorded, robots.txt before it",
            one_page,
        ),
    ] {
        let shown = Spread::of(figures).map_or("-".to_owned(), |spread| spread.shown_with(1));
        println!("| {name} | {shown} |");
    }
    Ok(())
}

/// How long the command runs, from its start until it has ended.
#[expect(clippy::disallowed_methods, reason = "a measurement asks for the time")]
fn millis(arguments: &[&str]) -> anyhow::Result<f64> {
    let mut command = Command::new(binary("nephila", "NEPHILA_BIN")?);
    command.args(arguments).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status()?;
    let took = began.elapsed();
    if !status.success() {
        bail!("the crawler ended with {status}");
    }
    Ok(took.as_secs_f64() * 1e3)
}
