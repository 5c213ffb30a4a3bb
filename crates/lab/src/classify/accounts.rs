//! The operating system's accounts of processes and threads, as their files tell them.

/// What the scheduler knows of a thread (`schedstat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Nanoseconds on a processor.
    pub(super) ran: u64,
    /// Nanoseconds ready to run, and not running.
    pub(super) queued: u64,
    /// How often it was given a processor.
    pub(super) slices: u64,
}

impl Schedule {
    pub(super) fn read(process: u32, thread: u32) -> Option<Self> {
        Self::parse(&file(process, thread, "schedstat")?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        Some(Self {
            ran: numbers.next()??,
            queued: numbers.next()??,
            slices: numbers.next()??,
        })
    }
}

/// What is needed of `stat` of a process or a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// The name that it gave itself.
    pub(super) name: String,
    /// `R` ready or running, `S` asleep, `D` asleep and not to be woken, `Z` ended ...
    pub(super) state: char,
    pub(super) parent: u32,
    /// Clock ticks that it and all its threads ran.
    pub(super) own_ticks: u64,
    /// Clock ticks that the children ran which it waited for, and theirs.
    pub(super) children_ticks: u64,
}

/// Clock ticks a second in `stat`: a constant of Linux's interface on every architecture it runs on
/// today.
pub(super) const TICKS_PER_SECOND: f64 = 100.0;

impl Status {
    pub(super) fn of_process(process: u32) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    pub(super) fn of_thread(process: u32, thread: u32) -> Option<Self> {
        Self::parse(&file(process, thread, "stat")?)
    }

    /// proc_pid_stat(5). The name stands in brackets and may hold brackets itself.
    fn parse(text: &str) -> Option<Self> {
        let (before, after) = text.rsplit_once(") ")?;
        let (_, name) = before.split_once('(')?;
        let words: Vec<&str> = after.split_whitespace().collect();
        // The field that the page counts as 3 is the first behind the name.
        let number = |field: usize| words.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            name: name.to_owned(),
            state: words.first()?.chars().next()?,
            parent: u32::try_from(number(4)?).ok()?,
            own_ticks: number(14)? + number(15)?,
            children_ticks: number(16)? + number(17)?,
        })
    }
}

/// The system call that a thread is asleep in, and its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InCall {
    pub(super) number: u32,
    pub(super) arguments: [u64; 6],
}

impl InCall {
    /// Nothing where it is in none, as in a page fault, or where this user may not know.
    pub(super) fn read(process: u32, thread: u32) -> Option<Self> {
        Self::parse(&file(process, thread, "syscall")?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok()?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Self { number, arguments })
    }
}

/// Bytes that a process read from and wrote to disks.
pub(super) fn disk_bytes(process: u32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    let value = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found?.strip_prefix(": ")?.parse().ok()
    };
    Some((value("read_bytes")?, value("write_bytes")?))
}

/// The numbers that name directories in one: processes in `/proc`, threads in `task`.
pub(super) fn numbered(directory: &str) -> Vec<u32> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Where a symbolic link of a process leads.
pub(super) fn link(path: &str) -> Option<String> {
    let target = std::fs::read_link(path).ok()?;
    Some(target.to_string_lossy().into_owned())
}

pub(super) fn file(process: u32, thread: u32, name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{process}/task/{thread}/{name}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let text = "7 (a) b) c) S 3 7 7 0 -1 4194304 126 0 0 0 11 22 33 44 20 0 1 0 1 2 3";
        let status = Status::parse(text).unwrap();
        assert_eq!(status.name, "a) b) c");
        assert_eq!((status.state, status.parent), ('S', 3));
        assert_eq!((status.own_ticks, status.children_ticks), (33, 77));
        assert_eq!(Status::parse("7 (a"), None);
    }

    #[test]
    fn accounts_are_read_as_they_stand() {
        let schedule = Schedule::parse("2342441 2203941 2\n").unwrap();
        assert_eq!(
            (schedule.ran, schedule.queued, schedule.slices),
            (2_342_441, 2_203_941, 2)
        );
        assert_eq!(Schedule::parse("1 2"), None);
        let call = InCall::parse("230 0x0 0x1 0x7ffd 0x0 0x0 0xffffffff 0x7f 0x7f\n").unwrap();
        assert_eq!((call.number, call.arguments[5]), (230, 0xffff_ffff));
        assert_eq!(InCall::parse("running\n"), None);
        assert_eq!(InCall::parse("-1 0x7ffd 0x7f\n"), None);
    }
}
