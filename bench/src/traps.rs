//! What the rules against traps are worth: requests wasted on the web of traps, with each rule alone,
//! with the defaults, and with `--skip-duplicates`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::binary;

/// Pages after which a crawl is stopped: a site has 60 real ones.
const MAX_PAGES: &str = "2000";

/// Every rule, switched off.
const OFF: [&str; 7] = [
    "--strip-sessions=false",
    "--max-repeated-segments=0",
    "--max-query-variants=0",
    "--max-path-depth=0",
    "--max-date-ahead=none",
    "--max-shape-repeats=0",
    "--max-copies=0",
];

/// What is measured: its heading, whether the defaults hold, and what is added to them.
type Setting = (&'static str, bool, &'static [&'static str]);

const SETTINGS: [Setting; 11] = [
    ("no rule", false, &[]),
    ("sessions", false, &["--strip-sessions=true"]),
    ("repeated segments", false, &["--max-repeated-segments=3"]),
    ("query variants", false, &["--max-query-variants=5000"]),
    ("depth", false, &["--max-path-depth=32"]),
    ("dates", false, &["--max-date-ahead=730d"]),
    ("shapes", false, &["--max-shape-repeats=50"]),
    ("copies", false, &["--max-copies=50"]),
    ("defaults", true, &[]),
    ("and sorted queries", true, &["--query=sort"]),
    ("and near duplicates", true, &["--skip-duplicates=near"]),
];

/// Runs it.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut web = TrapWeb::start()?;
    let headings: Vec<&str> = SETTINGS.iter().map(|(heading, ..)| *heading).collect();
    println!("| site | {} |", headings.join(" | "));
    println!("|---|{}", "---|".repeat(headings.len()));
    let folder = std::env::temp_dir().join(format!("nephila-traps-{}", std::process::id()));
    for (site, seed) in web.sites.clone() {
        let mut cells = Vec::new();
        for (_, has_defaults, added) in SETTINGS {
            let _ = std::fs::remove_dir_all(&folder);
            crawl(&web.resolve, &seed, has_defaults, added, &folder)?;
            cells.push(web.count(&site)?);
        }
        println!("| {site} | {} |", cells.join(" | "));
    }
    let _ = std::fs::remove_dir_all(&folder);
    println!(
        "\nEach cell: real pages found of {}, then requests wasted.",
        web.real_pages
    );
    Ok(())
}

fn crawl(
    resolve: &str,
    seed: &str,
    has_defaults: bool,
    added: &[&str],
    folder: &Path,
) -> anyhow::Result<()> {
    let name = |option: &str| option.split('=').next().map(str::to_owned);
    let is_added = |option: &str| added.iter().any(|added| name(added) == name(option));
    let off = OFF
        .iter()
        .filter(|option| !has_defaults && !is_added(option));
    let output = Command::new(binary("nephila", "NEPHILA_BIN")?)
        .args([
            "crawl", seed, "--quiet", "--scope", "domain", "--delay", "0s",
        ])
        .args(["--max-pages", MAX_PAGES, "--resolve", resolve, "--out"])
        .arg(folder)
        .args(off)
        .args(added)
        .stdout(Stdio::null())
        .output()?;
    if !output.status.success() {
        bail!("{seed}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A served web of traps; it ends with its input.
struct TrapWeb {
    child: Child,
    /// Closed before the process is waited for.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    resolve: String,
    real_pages: u64,
    /// Names and seeds.
    sites: Vec<(String, String)>,
}

impl Drop for TrapWeb {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

impl TrapWeb {
    fn start() -> anyhow::Result<TrapWeb> {
        let mut child = Command::new(binary("nephila-sim", "NEPHILA_SIM_BIN")?)
            .arg("traps")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let start = read_line(&mut output)?;
        let sites = start
            .get("sites")
            .and_then(Value::as_object)
            .context("no sites")?;
        let seed = |seed: &Value| seed.as_str().unwrap_or_default().to_owned();
        Ok(TrapWeb {
            child,
            input,
            output,
            resolve: start.get("resolve").map(seed).context("no address")?,
            real_pages: number(&start, "real_pages")?,
            sites: sites
                .iter()
                .map(|(name, url)| (name.clone(), seed(url)))
                .collect(),
        })
    }

    /// What was asked of a site since the last time.
    fn count(&mut self, site: &str) -> anyhow::Result<String> {
        let input = self.input.as_mut().context("no input")?;
        writeln!(input, "{site}")?;
        let told = read_line(&mut self.output)?;
        let (real, wasted) = (number(&told, "real_pages")?, number(&told, "wasted")?);
        Ok(format!("{real}, {wasted}"))
    }
}

fn read_line(output: &mut BufReader<ChildStdout>) -> anyhow::Result<Value> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    serde_json::from_str(&line).context("a line of nephila-sim traps")
}

fn number(value: &Value, name: &str) -> anyhow::Result<u64> {
    value
        .get(name)
        .and_then(Value::as_u64)
        .context("a number is missing")
}
