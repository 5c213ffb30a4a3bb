//! What a thread that sleeps in a system call waits for: the call, and the files that it is about.

use std::collections::HashMap;

use super::accounts::{InCall, file, link};
use super::call::{Waits, waits, waits_in};
use super::program_state::State;

/// Sockets that are remembered at most.
const MOST_SOCKETS: usize = 4_096;
/// Open files that are looked at for a call about several.
const MOST_FILES: usize = 256;

/// What an open file is, as far as waiting is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Internet,
    Local,
    Timer,
    Terminal,
    Event,
    Disk,
}

/// Finds out what threads wait for, and remembers which sockets are of the internet.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    /// Whether a socket, by its number, is one of the internet's protocols.
    sockets: HashMap<u64, bool>,
}

impl Reasons {
    /// What a thread that is asleep waits for. `is_uninterruptible` is the state `D`.
    pub(super) fn find(&mut self, process: u32, thread: u32, is_uninterruptible: bool) -> State {
        let call = InCall::read(process, thread);
        let waiting = match call {
            Some(call) => waits(call.number),
            None => file(process, thread, "wchan").and_then(|function| waits_in(&function)),
        };
        let arguments = call.map_or([0; 6], |call| call.arguments);
        match waiting {
            Some(Waits::Child) => State::Child,
            Some(Waits::Thread) => State::Lock,
            // A page fault, or a call whose files are on a disk.
            _ if is_uninterruptible => State::Disk,
            Some(Waits::Time) => State::Sleep,
            Some(Waits::Disk) => State::Disk,
            Some(Waits::File) => self.of_file(process, arguments[0]),
            Some(Waits::Epoll { timeout_is_pointer }) => {
                let timed = is_timed(arguments[3], timeout_is_pointer);
                self.of_epoll(process, arguments[0], timed)
            }
            Some(Waits::Several {
                count,
                timeout,
                timeout_is_pointer,
            }) => {
                let argument = |place: usize| arguments.get(place).copied().unwrap_or_default();
                let timed = is_timed(argument(timeout), timeout_is_pointer);
                self.of_several(process, argument(count), timed)
            }
            None => State::Unknown,
        }
    }

    fn of_file(&mut self, process: u32, descriptor: u64) -> State {
        match self.opened(process, descriptor) {
            Some(Opened::Internet) => State::Network,
            Some(Opened::Local) => State::Pipe,
            Some(Opened::Timer) => State::Sleep,
            Some(Opened::Terminal) => State::Terminal,
            Some(Opened::Event) => State::Lock,
            Some(Opened::Disk) => State::Disk,
            None => State::Unknown,
        }
    }

    /// The files of the set stand in the information on its descriptor, a line `tfd: N ...` each.
    fn of_epoll(&mut self, process: u32, descriptor: u64, timed: bool) -> State {
        let path = format!("/proc/{process}/fdinfo/{descriptor}");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let members = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("tfd:")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        let members: Vec<u64> = members.take(MOST_FILES).collect();
        self.of_any(process, &members, timed)
    }

    /// Which files `poll` and `select` are about stands in the program's own memory: all that it has
    /// open are taken for them.
    fn of_several(&mut self, process: u32, count: u64, timed: bool) -> State {
        if count == 0 {
            return if timed { State::Sleep } else { State::Unknown };
        }
        let descriptors = super::accounts::numbered(&format!("/proc/{process}/fd"));
        let members: Vec<u64> = descriptors
            .into_iter()
            .take(MOST_FILES)
            .map(u64::from)
            .collect();
        self.of_any(process, &members, timed)
    }

    /// The network explains most; a timeout explains a wait for other processes and threads.
    fn of_any(&mut self, process: u32, descriptors: &[u64], timed: bool) -> State {
        let opened: Vec<Opened> = descriptors
            .iter()
            .filter_map(|descriptor| self.opened(process, *descriptor))
            .collect();
        let order = [
            (Opened::Internet, State::Network),
            (Opened::Timer, State::Sleep),
            (Opened::Terminal, State::Terminal),
            (Opened::Local, State::Pipe),
            (Opened::Event, State::Lock),
        ];
        let found = order.into_iter().find(|(kind, _)| opened.contains(kind));
        match found {
            Some((_, State::Network)) => State::Network,
            _ if timed => State::Sleep,
            Some((_, state)) => state,
            None => State::Unknown,
        }
    }

    fn opened(&mut self, process: u32, descriptor: u64) -> Option<Opened> {
        let target = link(&format!("/proc/{process}/fd/{descriptor}"))?;
        if let Some(number) = target.strip_prefix("socket:[") {
            let number = number.trim_end_matches(']').parse().ok()?;
            let opened = self.is_internet(process, number);
            return Some(if opened {
                Opened::Internet
            } else {
                Opened::Local
            });
        }
        Some(match target.as_str() {
            pipe if pipe.starts_with("pipe:") => Opened::Local,
            "anon_inode:[timerfd]" => Opened::Timer,
            event if event.starts_with("anon_inode:") => Opened::Event,
            "/dev/tty" | "/dev/console" => Opened::Terminal,
            terminal if terminal.starts_with("/dev/pts/") || terminal.starts_with("/dev/tty") => {
                Opened::Terminal
            }
            // Nobody waits for what is always ready.
            device if device.starts_with("/dev/") => return None,
            _ => Opened::Disk,
        })
    }

    fn is_internet(&mut self, process: u32, number: u64) -> bool {
        if let Some(known) = self.sockets.get(&number) {
            return *known;
        }
        if self.sockets.len() >= MOST_SOCKETS {
            self.sockets.clear();
        }
        let tables = ["tcp", "tcp6", "udp", "udp6"];
        let found = tables.iter().any(|table| {
            let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}"));
            lists_socket(&text.unwrap_or_default(), number)
        });
        // One that is not connected yet stands in no table: it is asked about again.
        if found || is_local(process, number) {
            self.sockets.insert(number, found);
        }
        found
    }
}

/// Whether the table of a protocol lists a socket: its number is the tenth word of a line.
fn lists_socket(table: &str, number: u64) -> bool {
    const NUMBER_WORD: usize = 9;
    let number = number.to_string();
    let mut lines = table.lines().skip(1);
    lines.any(|line| line.split_whitespace().nth(NUMBER_WORD) == Some(&number))
}

/// Whether it is a socket between processes of this machine: its number is the seventh word of a line.
fn is_local(process: u32, number: u64) -> bool {
    const NUMBER_WORD: usize = 6;
    let table = std::fs::read_to_string(format!("/proc/{process}/net/unix")).unwrap_or_default();
    let number = number.to_string();
    table
        .lines()
        .any(|line| line.split_whitespace().nth(NUMBER_WORD) == Some(&number))
}

/// Whether a wait ends by itself. A pointer to no time, and -1 milliseconds, mean that it does not.
fn is_timed(argument: u64, is_pointer: bool) -> bool {
    const FOR_EVER: u32 = u32::MAX;
    if is_pointer {
        return argument != 0;
    }
    argument as u32 != FOR_EVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_found_by_its_number() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n";
        assert!(lists_socket(table, 4711));
        assert!(!lists_socket(table, 0));
    }

    #[test]
    fn minus_one_and_no_pointer_are_for_ever() {
        assert!(!is_timed(0xffff_ffff, false));
        assert!(!is_timed(u64::MAX, false));
        assert!(is_timed(1_000, false));
        assert!(!is_timed(0, true));
        assert!(is_timed(0x7ffd, true));
    }
}
