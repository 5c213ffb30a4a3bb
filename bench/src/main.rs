//! Measurements of the crawler against the simulated web. Each prints a table and the command that
//! repeats it; CPU is the operating system's accounting of the crawler's process.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]

mod broad;
mod controller;
mod counts;
mod deep;
mod hostile;
mod offload;
mod peers;
mod process;
mod regimes;
mod scenario;
mod spread;
mod start;
mod today;
mod traps;
mod whatif;
mod works;

use anyhow::bail;

const USAGE: &str = "usage: cargo xtask bench NAME

  broad    10,000 hosts, 200,000 pages, 100 ms latency, 1,000 in flight: rate, memory, judgement
  deep     100 million URLs of 10 million hosts admitted: rate, memory, disk, resume; `deep [MILLIONS]`
  hostile  good hosts alone, then with 1,000 hostile connections at once: memory, rate, longest fetch
  offload  what it costs to analyse a page here, and to have it analysed on another thread
  counts   instructions of fixed work by callgrind; --check holds them against those on file
  peers    Nephila beside other crawlers on the same webs, in turn; `peers --help` tells its options
  traps    requests wasted on the web of traps, with each rule alone and with all of them
  whatif   each limit made on purpose: is the verdict right, and what of the predictions comes true?
           `whatif [SCENARIOS] [--seed SEED] [--only KIND]`
  controller  --concurrency auto against the best fixed setting, also where things change in mid-run
           `controller [--only NAME]`
  regime   Nephila against itself, in turns: `regime NAME [ROUNDS]` with one of these names";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("broad") => broad::run(),
        Some("deep") => deep::run(rest),
        Some("hostile") => hostile::run(),
        Some("offload") => offload::run(),
        Some("peers") => peers::run(rest),
        Some("traps") => traps::run(),
        Some("counts") => counts::run(rest),
        Some("regime") => regimes::run(rest),
        Some("controller") => controller::run(rest),
        Some("whatif") => whatif::run(rest),
        Some("scenario") => scenario::run(rest),
        Some("burn") => scenario::burn_for_ever(),
        Some("work") => works::run(rest),
        Some("--help" | "help") => {
            println!("{USAGE}\n{}", regimes::usage());
            Ok(())
        }
        _ => bail!("{USAGE}\n{}", regimes::usage()),
    }
}
