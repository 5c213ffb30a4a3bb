//! Running the server and the crawler as processes of their own, and reading what they cost.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

/// The binaries beside this one: `cargo xtask bench` builds them first.
pub(crate) fn binary(name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()?.with_file_name(name),
    };
    if !path.exists() {
        bail!(
            "{} is not there: cargo build --release -p nephila-cli -p nephila-sim",
            path.display()
        );
    }
    Ok(path)
}

/// A served simulated web; ended when it is dropped.
pub(crate) struct Web {
    child: Child,
    pub(crate) port: u64,
    /// The first seed; empty where there is none.
    pub(crate) seed: String,
    pub(crate) seeds: Vec<String>,
    /// The server's first line: its parameters, as `nephila-sim judge --web` takes them.
    pub(crate) start: String,
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> anyhow::Result<PathBuf> {
    binary("nephila-sim", "NEPHILA_SIM_BIN")
}

impl Web {
    /// Starts `nephila-sim serve` with these arguments and reads its first line.
    pub(crate) fn serve(arguments: &[&str]) -> anyhow::Result<Web> {
        Web::start("serve", arguments)
    }

    /// Starts a verb of `nephila-sim` that serves, and reads its first line.
    pub(crate) fn start(verb: &str, arguments: &[&str]) -> anyhow::Result<Web> {
        Web::spawn(Command::new(server()?), verb, arguments)
    }

    /// The same on these processors, as `taskset` names them.
    pub(crate) fn placed(verb: &str, arguments: &[&str], places: &str) -> anyhow::Result<Web> {
        let mut command = Command::new("taskset");
        command.args(["-c", places]).arg(server()?);
        Web::spawn(command, verb, arguments)
    }

    fn spawn(mut command: Command, verb: &str, arguments: &[&str]) -> anyhow::Result<Web> {
        let mut child = command
            .arg(verb)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().context("the server has no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let start: Value = serde_json::from_str(&line).context("the server's first line")?;
        let port = start
            .get("port")
            .and_then(Value::as_u64)
            .context("the server's port")?;
        let seeds = start.get("seeds").and_then(Value::as_array);
        let seeds = seeds.into_iter().flatten().filter_map(Value::as_str);
        let seeds: Vec<String> = seeds.map(str::to_owned).collect();
        let seed = seeds.first().cloned().unwrap_or_default();
        Ok(Web {
            child,
            port,
            seed,
            seeds,
            start: line,
        })
    }

    /// Changes the conditions of a served web; see `nephila-sim`'s control host.
    pub(crate) fn set(&self, query: &str) -> anyhow::Result<()> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(self.port)?))?;
        write!(
            stream,
            "GET /set?{query} HTTP/1.1\r\nHost: control.sim.test\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.starts_with("HTTP/1.1 200") {
            true => Ok(()),
            false => bail!("set?{query}: {answer}"),
        }
    }

    /// Ends the server in good order, so that it writes its log.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(self.port)?))?;
        let request = "GET /stop HTTP/1.1\r\nHost: control.sim.test\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        self.child.wait()?;
        Ok(())
    }

    /// The answer of a path of the server's, its head included.
    pub(crate) fn ask(&self, path: &str) -> anyhow::Result<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(self.port)?))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Pages that were asked for so far, robots.txt among them, by a server without TLS.
    pub(crate) fn requests(&self) -> anyhow::Result<u64> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(self.port)?))?;
        let request = "GET /stats HTTP/1.1\r\nHost: control.sim.test\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer
            .split_once("\r\n\r\n")
            .context("the server's counts")?;
        let stats: Value = serde_json::from_str(body)?;
        let requests = stats.get("requests").and_then(Value::as_u64);
        requests.context("the server's count of requests")
    }

    /// CPU of the server so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        const TICKS_A_SECOND: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or("");
        let number = |place: usize| fields.split_whitespace().nth(place)?.parse::<u64>().ok();
        let ticks = number(11)
            .zip(number(12))
            .map(|(user, system)| user + system);
        let ticks = ticks.context("the server's accounting")?;
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
    }
}

/// What a run of the crawler cost.
pub(crate) struct Cost {
    pub(crate) user: f64,
    pub(crate) system: f64,
    pub(crate) wall: f64,
    pub(crate) peak_kib: u64,
}

/// Crawls the whole web and returns what it cost.
pub(crate) fn crawl(web: &Web, out: &Path, options: &[&str]) -> anyhow::Result<Cost> {
    let resolve = format!("*:{0}:127.0.0.1:{0}", web.port);
    let all = [&[web.seed.as_str(), "--resolve", &resolve], options].concat();
    crawl_with(out, &all, Cores::All)
}

/// Which cores a crawler may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    All,
    /// The second one; what it crawls then has the others.
    One,
}

/// Crawls the whole web from all of its seeds, which are written into a file in `folder`; the crawl is
/// in `folder/crawl`.
pub(crate) fn crawl_from_all(
    web: &Web,
    folder: &Path,
    options: &[&str],
    cores: Cores,
) -> anyhow::Result<Cost> {
    let seeds = folder.join("seeds.txt");
    std::fs::write(&seeds, web.seeds.join("\n"))?;
    let seeds = format!("@{}", seeds.display());
    let resolve = format!("*:{0}:127.0.0.1:{0}", web.port);
    let all = [&[seeds.as_str(), "--resolve", &resolve], options].concat();
    crawl_with(&folder.join("crawl"), &all, cores)
}

/// Runs `nephila crawl` with these arguments, over every host, and returns what it cost.
pub(crate) fn crawl_with(out: &Path, arguments: &[&str], cores: Cores) -> anyhow::Result<Cost> {
    let _ = std::fs::remove_dir_all(out);
    let before = children_usage()?;
    let binary = binary("nephila", "NEPHILA_BIN")?;
    let mut command = match cores {
        Cores::All => Command::new(binary),
        Cores::One => {
            let mut placed = Command::new("taskset");
            placed.args(["-c", "1"]).arg(binary);
            placed
        }
    };
    let mut child = command
        .args(["crawl", "--quiet", "--scope", "any", "--out"])
        .arg(out)
        .args(arguments)
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut peak_kib = 0;
    // The peak is in the process's own file until it is reaped: looked at while it runs.
    let status = loop {
        if let Some(kib) = peak(child.id()) {
            peak_kib = kib.max(peak_kib);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if !matches!(status.code(), Some(0 | 3)) {
        bail!("the crawler ended with {status}");
    }
    let summary: Value = serde_json::from_slice(&std::fs::read(out.join("summary.json"))?)?;
    let wall = summary
        .get("run_seconds")
        .and_then(Value::as_f64)
        .unwrap_or(0.0);
    let after = children_usage()?;
    Ok(Cost {
        user: after.0 - before.0,
        system: after.1 - before.1,
        wall,
        peak_kib,
    })
}

/// The most resident memory that a running process had, in KiB.
pub(crate) fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// User and system seconds of all children that were waited for, by `/proc/self/stat`.
pub(crate) fn children_usage() -> anyhow::Result<(f64, f64)> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or("");
    let number = |place: usize| fields.split_whitespace().nth(place)?.parse::<f64>().ok();
    let (user, system) = number(13).zip(number(14)).context("/proc/self/stat")?;
    Ok((user / TICKS_A_SECOND, system / TICKS_A_SECOND))
}
