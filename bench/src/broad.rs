//! A broad crawl with latency: does it finish, find everything, keep every delay and its memory?

use std::process::Command;

use anyhow::bail;

use crate::process::{Web, binary, crawl};

const WEB: [&str; 8] = [
    "--profile",
    "light",
    "--seed",
    "7",
    "--hosts",
    "10000",
    "--pages",
    "200000",
];

/// Runs it: once as fast as it goes, once with a delay that is judged.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("| delay | pages/s | CPU ms a page | peak MiB | judgement |");
    println!("|---|---|---|---|---|");
    for delay in ["0ms", "500ms"] {
        let folder = std::env::temp_dir().join(format!("nephila-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let log = folder.join("server.log");
        let log_name = log.display().to_string();
        let mut arguments = WEB.to_vec();
        arguments.extend(["--latency", "100ms", "--log", &log_name]);
        let mut web = Web::serve(&arguments)?;
        let options = ["--concurrency", "1000", "--delay", delay];
        let cost = crawl(&web, &folder.join("crawl"), &options)?;
        web.stop()?;
        let start = folder.join("web.json");
        std::fs::write(&start, &web.start)?;
        let start_name = start.display().to_string();
        let judge = [
            "--web",
            &start_name,
            "--log",
            &log_name,
            "--delay",
            delay,
            "--per-host",
            "1",
        ];
        let judged = Command::new(binary("nephila-sim", "NEPHILA_SIM_BIN")?)
            .arg("judge")
            .args(judge)
            .output()?;
        let verdict = if judged.status.success() {
            "right"
        } else {
            "BROKEN"
        };
        println!(
            "| {delay} | {:.0} | {:.3} | {} | {verdict} |",
            200_000.0 / cost.wall.max(0.001),
            (cost.user + cost.system) / 200.0,
            cost.peak_kib / 1024,
        );
        let _ = std::fs::remove_dir_all(&folder);
        if !judged.status.success() {
            bail!("{}", String::from_utf8_lossy(&judged.stdout));
        }
    }
    Ok(())
}
