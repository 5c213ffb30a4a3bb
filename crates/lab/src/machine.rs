//! The machine that is measured.

use serde::{Deserialize, Serialize};

/// What machine it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// `linux`, `macos` ...
    pub system: String,
    /// `x86_64`, `aarch64` ...
    pub architecture: String,
    /// Release of the kernel, where the system tells.
    pub kernel: Option<String>,
    /// Model of the processor, where the system tells.
    pub processor: Option<String>,
    /// Cores that this process may use at once.
    pub cores: usize,
    /// Memory in bytes, where the system tells.
    pub memory_bytes: Option<u64>,
}

impl Machine {
    /// This machine.
    pub(crate) fn read() -> Self {
        Self {
            system: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            processor: value_of("/proc/cpuinfo", "model name"),
            cores: cores(),
            memory_bytes: kilobytes("/proc/meminfo", "MemTotal").map(|kb| kb * 1024),
        }
    }
}

/// Processor seconds of the whole machine, and of this process with the children that it waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ProcessorTime {
    machine: f64,
    own: f64,
}

impl ProcessorTime {
    /// Until now; nothing where the system does not tell.
    pub(crate) fn read() -> Option<Self> {
        let machine = first_line("/proc/stat")?;
        let own = first_line("/proc/self/stat")?;
        Self::parse(&machine, &own)
    }

    /// proc_stat(5): user, nice and system, interrupts and stolen time. proc_pid_stat(5): the fields 14
    /// to 17, counted from the end of the name, which is field 2.
    fn parse(machine: &str, own: &str) -> Option<Self> {
        const TICKS_PER_SECOND: f64 = 100.0;
        const NO_WORK: [usize; 2] = [3, 4];
        const UNTIL_STOLEN: usize = 8;
        let ticks = |word: &str| word.parse::<f64>().ok();
        let all = machine
            .strip_prefix("cpu ")?
            .split_whitespace()
            .take(UNTIL_STOLEN);
        let worked = all
            .enumerate()
            .filter(|(place, _)| !NO_WORK.contains(place));
        let machine: Option<f64> = worked.map(|(_, word)| ticks(word)).sum();
        let (_, fields) = own.rsplit_once(") ")?;
        let own: Option<f64> = fields.split_whitespace().skip(11).take(4).map(ticks).sum();
        Some(Self {
            machine: machine? / TICKS_PER_SECOND,
            own: own? / TICKS_PER_SECOND,
        })
    }

    /// Processor seconds that others used since then.
    pub(crate) fn others_since(self, before: Self) -> f64 {
        (self.machine - before.machine - (self.own - before.own)).max(0.0)
    }
}

/// Cores that this process may use at once: affinity and quota count.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Keeps this thread, and all threads and processes that it starts from now on, on one core: the last
/// one, which tends to have fewer interrupts. Whether the system does it.
pub(crate) fn pin_to_one_core() -> bool {
    let last = core_affinity::get_core_ids().and_then(|cores| cores.last().copied());
    last.is_some_and(core_affinity::set_for_current)
}

fn first_line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}

/// The value behind a name and a colon in a file of the system's.
fn value_of(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (left, value) = line.split_once(':')?;
        (left.trim() == name).then(|| value.trim().to_owned())
    })
}

/// A value of kilobytes in a file of the system's.
pub(crate) fn kilobytes(path: &str, name: &str) -> Option<u64> {
    value_of(path, name)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_used_what_the_machine_worked_and_this_process_did_not() {
        let own = |ticks: u32| format!("7 (a b) S 1 7 7 0 -1 0 1 2 3 4 {ticks} 50 0 50 20 0 1");
        let before = ProcessorTime::parse("cpu  100 0 100 9000 50 0 0 0 0 0", &own(100)).unwrap();
        let after = ProcessorTime::parse("cpu  500 0 200 9900 70 0 0 0 0 0", &own(400)).unwrap();
        assert_eq!(after.others_since(before), 2.0);
        assert_eq!(ProcessorTime::parse("intr 1", &own(1)), None);
    }
}
