//! Measurements of the crawler against the simulated web. Each prints a table and the command that
//! repeats it; CPU is the operating system's accounting of the crawler's process.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]

mod broad;
mod cpu;
mod hostile;
mod offload;
mod peers;
mod process;
mod traps;

use anyhow::bail;

const USAGE: &str = "usage: cargo xtask bench NAME

  cpu      CPU of the crawler a page: 20,000 pages of 22 kB with 35 links, no latency, three runs
  broad    10,000 hosts, 200,000 pages, 100 ms latency, 1,000 in flight: rate, memory, judgement
  hostile  good hosts alone, then with 1,000 hostile connections at once: memory, rate, longest fetch
  offload  what it costs to analyse a page here, and to have it analysed on another thread
  peers    Nephila beside other crawlers on the same webs, in turn; `peers --help` tells its options
  traps    requests wasted on the web of traps, with each rule alone and with all of them";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("cpu") => cpu::run(),
        Some("broad") => broad::run(),
        Some("hostile") => hostile::run(),
        Some("offload") => offload::run(),
        Some("peers") => peers::run(&arguments.collect::<Vec<_>>()),
        Some("traps") => traps::run(),
        Some("--help" | "help") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}
