//! System calls that a thread can be asleep in, by what they wait for.

use std::env::consts::ARCH;

/// What a system call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// For the file in its first argument.
    File,
    /// For one of the files in the epoll set in its first argument. The timeout is the fourth argument.
    Epoll { timeout_is_pointer: bool },
    /// For one of several files. Which arguments tell how many, and for how long.
    Several {
        count: usize,
        timeout: usize,
        timeout_is_pointer: bool,
    },
    /// For a time to come.
    Time,
    /// For another thread.
    Thread,
    /// For a child process.
    Child,
    /// For a disk.
    Disk,
}

const POLL: Waits = Waits::Several {
    count: 1,
    timeout: 2,
    timeout_is_pointer: false,
};
const PPOLL: Waits = Waits::Several {
    count: 1,
    timeout: 2,
    timeout_is_pointer: true,
};
const SELECT: Waits = Waits::Several {
    count: 0,
    timeout: 4,
    timeout_is_pointer: true,
};
const EPOLL: Waits = Waits::Epoll {
    timeout_is_pointer: false,
};
const EPOLL2: Waits = Waits::Epoll {
    timeout_is_pointer: true,
};

/// `arch/x86/entry/syscalls/syscall_64.tbl` of Linux: read, write, pread64, pwrite64, readv, writev,
/// sendfile, connect, accept, sendto, recvfrom, sendmsg, recvmsg, splice, accept4, recvmmsg, sendmmsg ...
const X86_64: &[(Waits, &[u32])] = &[
    (
        Waits::File,
        &[
            0, 1, 17, 18, 19, 20, 40, 42, 43, 44, 45, 46, 47, 275, 276, 288, 295, 296, 299, 307,
            326,
        ],
    ),
    (EPOLL, &[232, 281]),
    (EPOLL2, &[441]),
    (POLL, &[7]),
    (PPOLL, &[271]),
    (SELECT, &[23, 270]),
    (Waits::Time, &[35, 230]),
    (Waits::Thread, &[202, 449, 65, 220, 72, 73]),
    (Waits::Child, &[61, 247, 56, 58, 435, 130]),
    (
        Waits::Disk,
        &[
            74, 75, 26, 162, 208, 277, 306, 2, 257, 4, 5, 6, 262, 332, 82, 87, 263, 264,
        ],
    ),
];

/// `include/uapi/asm-generic/unistd.h` of Linux.
const AARCH64: &[(Waits, &[u32])] = &[
    (
        Waits::File,
        &[
            63, 64, 65, 66, 67, 68, 69, 70, 71, 76, 202, 203, 206, 207, 211, 212, 242, 243, 269,
            285,
        ],
    ),
    (EPOLL, &[22]),
    (EPOLL2, &[441]),
    (PPOLL, &[73]),
    (SELECT, &[72]),
    (Waits::Time, &[101, 115]),
    (Waits::Thread, &[98, 449, 192, 193, 25, 32]),
    (Waits::Child, &[95, 260, 220, 435, 133]),
    (
        Waits::Disk,
        &[82, 83, 227, 81, 4, 84, 267, 56, 79, 80, 291, 35, 38, 276],
    ),
];

/// What this call of this machine waits for; nothing for one that is not listed.
pub(super) fn waits(number: u32) -> Option<Waits> {
    let table = match ARCH {
        "x86_64" => X86_64,
        "aarch64" => AARCH64,
        _ => return None,
    };
    let found = table.iter().find(|(_, numbers)| numbers.contains(&number));
    found.map(|(waits, _)| *waits)
}

/// What a function of the kernel in which a thread sleeps (`wchan`) waits for, where the call is not
/// told. The names are those of Linux 5 and 6.
pub(super) fn waits_in(function: &str) -> Option<Waits> {
    const FUNCTIONS: &[(&str, Waits)] = &[
        ("futex", Waits::Thread),
        ("nanosleep", Waits::Time),
        ("do_wait", Waits::Child),
        ("sigsuspend", Waits::Child),
        ("io_schedule", Waits::Disk),
        ("folio_wait", Waits::Disk),
        ("jbd2", Waits::Disk),
        ("wait_on_page", Waits::Disk),
        ("blk_", Waits::Disk),
    ];
    let found = FUNCTIONS.iter().find(|(part, _)| function.contains(part));
    found.map(|(_, waits)| *waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_waits_for_two_things() {
        for table in [X86_64, AARCH64] {
            let mut numbers: Vec<u32> = table
                .iter()
                .flat_map(|(_, numbers)| numbers.iter().copied())
                .collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count);
        }
    }

    #[test]
    fn functions_of_the_kernel_stand_in_for_calls() {
        assert_eq!(waits_in("futex_wait_queue"), Some(Waits::Thread));
        assert_eq!(waits_in("hrtimer_nanosleep"), Some(Waits::Time));
        assert_eq!(waits_in("0"), None);
    }
}
