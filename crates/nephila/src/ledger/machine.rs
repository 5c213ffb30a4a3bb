//! What the operating system says of the processors: this process's use of them, and that of others.

use std::fs::read_to_string;
use std::path::Path;
use std::time::Duration;

/// Seconds of the processors, all since some beginning; what the system does not tell is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Processors {
    /// Of this process, all of its threads.
    pub(crate) own: f64,
    /// Of all processes, on the processors that this one may use.
    pub(crate) all: f64,
    /// For how long some task of the machine waited for a processor.
    pub(crate) pressure: f64,
}

/// For how long this thread was on a processor.
pub(crate) fn thread_cpu() -> Duration {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        clock.tv_sec.unsigned_abs(),
        u32::try_from(clock.tv_nsec).unwrap_or(0),
    )
}

/// Ticks of `/proc` in a second, as Linux gives them to every program.
const TICKS: f64 = 100.0;

impl Processors {
    /// As of now.
    pub(crate) fn read(allowed: &[usize]) -> Processors {
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let stat = read_to_string("/proc/stat").unwrap_or_default();
        let pressure = read_to_string("/proc/pressure/cpu").unwrap_or_default();
        Processors {
            own: clock.tv_sec as f64 + clock.tv_nsec as f64 / 1e9,
            all: busy_ticks(&stat, allowed) as f64 / TICKS,
            pressure: pressure_micros(&pressure) as f64 / 1e6,
        }
    }
}

/// The processors that this process may use.
pub(crate) fn allowed_processors() -> Vec<usize> {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let allowed = processor_list(list.unwrap_or_default().trim());
    match allowed.is_empty() {
        true => (0..std::thread::available_parallelism().map_or(1, usize::from)).collect(),
        false => allowed,
    }
}

/// How many of them a limit of the control group leaves, which need not be whole.
pub(crate) fn processors(allowed: &[usize]) -> f64 {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    available.min(allowed.len()).max(1) as f64
}

/// Seconds that a thread of this process was on a processor, and that it waited for one.
pub(crate) fn thread_seconds(thread: i32) -> (f64, f64) {
    let path = format!("/proc/self/task/{thread}/schedstat");
    let text = read_to_string(Path::new(&path)).unwrap_or_default();
    let mut nanos = text
        .split_whitespace()
        .map(|field| field.parse::<u64>().unwrap_or(0) as f64 / 1e9);
    (nanos.next().unwrap_or(0.0), nanos.next().unwrap_or(0.0))
}

/// Ticks in which these processors did something, by `/proc/stat`: user, nice, system, interrupts and what
/// the machine below took.
fn busy_ticks(stat: &str, allowed: &[usize]) -> u64 {
    let of_processor = |line: &str| -> Option<u64> {
        let (name, rest) = line.split_once(' ')?;
        let number: usize = name.strip_prefix("cpu")?.parse().ok()?;
        let ticks: Vec<u64> = rest
            .split_whitespace()
            .filter_map(|text| text.parse().ok())
            .collect();
        let busy = [0, 1, 2, 5, 6, 7]
            .iter()
            .filter_map(|place| ticks.get(*place));
        allowed.contains(&number).then(|| busy.sum())
    };
    stat.lines().filter_map(of_processor).sum()
}

/// `some ... total=MICROS`.
fn pressure_micros(text: &str) -> u64 {
    let some = text.lines().find(|line| line.starts_with("some"));
    let total = some.and_then(|line| line.rsplit_once("total=").map(|(_, total)| total));
    total
        .and_then(|total| total.trim().parse().ok())
        .unwrap_or(0)
}

/// `0-3,8`, as the kernel lists them.
fn processor_list(text: &str) -> Vec<usize> {
    /// More than any machine has; a list that says more is none.
    const MOST: usize = 65_536;
    let range = |part: &str| -> Option<std::ops::RangeInclusive<usize>> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = first.parse().ok()?..=last.parse().ok()?;
        (*range.end() < MOST).then_some(range)
    };
    text.split(',').filter_map(range).flatten().collect()
}

/// The share of the memory that this process may have which is taken, 0 to 1: of the machine, or of its
/// control group where that has less. 0 where the system does not tell.
pub(crate) fn memory_taken() -> f64 {
    let machine = read_to_string("/proc/meminfo").unwrap_or_default();
    // What the group has taken counts the cache of files that are written: only this process's own is known.
    let most = read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    let most = most.trim().parse::<f64>().ok();
    let own = read_to_string("/proc/self/statm").unwrap_or_default();
    let own = own.split_whitespace().nth(1);
    let own = own.and_then(|pages| pages.parse::<f64>().ok());
    let page = rustix::param::page_size() as f64;
    let of_group = most
        .zip(own)
        .map_or(0.0, |(most, pages)| pages * page / most.max(1.0));
    machine_memory_taken(&machine).max(of_group)
}

fn machine_memory_taken(meminfo: &str) -> f64 {
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    field("MemTotal:")
        .zip(field("MemAvailable:"))
        .map_or(0.0, |(all, left)| 1.0 - left / all.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_is_not_available() {
        let text = "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   250 kB\n";
        assert!((machine_memory_taken(text) - 0.75).abs() < 1e-9);
        assert_eq!(machine_memory_taken(""), 0.0);
    }

    #[test]
    fn the_systems_words_are_read() {
        assert_eq!(processor_list("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(processor_list(""), Vec::<usize>::new());
        let stat =
            "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 1 5 900 7 2 3 4 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy_ticks(stat, &[0]), 25);
        assert_eq!(busy_ticks(stat, &[0, 1]), 31);
        let pressure =
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0.00 total=9\n";
        assert_eq!(pressure_micros(pressure), 1_234);
    }

    #[test]
    fn this_process_has_used_a_processor_and_is_not_more_than_all() {
        let allowed = allowed_processors();
        assert!(!allowed.is_empty() && processors(&allowed) >= 1.0);
        assert!(Processors::read(&allowed).own > 0.0);
    }
}
