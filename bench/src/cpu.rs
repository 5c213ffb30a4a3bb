//! CPU of the crawler a page.

use crate::process::{Web, crawl};

const PAGES: u32 = 20_000;
const RUNS: usize = 3;

/// The bar of the first version, in milliseconds a page.
const BAR_MILLIS: f64 = 0.20;

/// Runs it.
pub(crate) fn run() -> anyhow::Result<()> {
    let pages = PAGES.to_string();
    let folder = std::env::temp_dir().join(format!("nephila-bench-cpu-{}", std::process::id()));
    println!("| threads | run | user ms a page | system ms a page | together | pages/s | MiB |");
    println!("|---|---|---|---|---|---|---|");
    for threads in ["1", "2"] {
        let mut together = Vec::new();
        for run in 1..=RUNS {
            let web = Web::serve(&[
                "--profile",
                "light",
                "--seed",
                "7",
                "--hosts",
                "100",
                "--pages",
                &pages,
            ])?;
            let options = ["--concurrency", "100", "--threads", threads];
            let cost = crawl(&web, &folder, &options)?;
            let (user, system) = (millis(cost.user), millis(cost.system));
            together.push(user + system);
            let rate = f64::from(PAGES) / cost.wall.max(0.001);
            let mib = cost.peak_kib / 1024;
            println!(
                "| {threads} | {run} | {user:.3} | {system:.3} | {:.3} | {rate:.0} | {mib} |",
                user + system
            );
            let server = web.cpu()?.as_secs_f64() * 1e6 / f64::from(PAGES);
            println!("<!-- the server took {server:.0} us of CPU a page -->");
        }
        together.sort_by(f64::total_cmp);
        let median = together.get(RUNS / 2).copied().unwrap_or(0.0);
        println!("\nmedian with {threads} thread(s): {median:.3} ms a page, bar {BAR_MILLIS:.2}\n");
    }
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

fn millis(seconds: f64) -> f64 {
    seconds * 1_000.0 / f64::from(PAGES)
}
