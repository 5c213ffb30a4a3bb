//! Ctrl-C, SIGTERM and SIGHUP: once asks the crawl to stop in good order, twice leaves at once.

use nephila::Control;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::Exit;
use crate::terminal::complain;

/// Watches for signals on a thread of its own until the process ends.
///
/// # Errors
/// When the signals cannot be watched.
pub(crate) fn watch(control: Control, hint: String) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    // nohup has it ignored, and means it.
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    // Caught and not acted upon: a file that may not grow (`ulimit -f`) is then an error of the write,
    // with a message, and not the death of the process.
    signals.add_signal(SIGXFSZ)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut is_second = false;
            for signal in &mut signals {
                if signal == SIGXFSZ {
                    continue;
                }
                if is_second {
                    complain(&format!(
                        "\nleft at once; nothing committed is lost. Go on with: {hint}"
                    ));
                    leave();
                }
                is_second = true;
                complain(
                    "\nstopping: pages in flight finish within 10 s; Ctrl-C again leaves at once",
                );
                control.stop();
            }
        })?;
    Ok(())
}

/// Waits for a signal that asks the process to end.
///
/// # Errors
/// When the signals cannot be watched.
pub(crate) fn wait() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    signals.forever().next();
    Ok(())
}

/// Whether whoever started this process has it ignore the signal.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Ends the process without waiting for anything: what is committed is on the disk.
#[expect(
    clippy::disallowed_methods,
    reason = "the command decides how the process ends"
)]
fn leave() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
