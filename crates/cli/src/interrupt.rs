//! Ctrl-C and SIGTERM: once asks the crawl to stop in good order, twice leaves at once.

use nephila::Control;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Exit;
use crate::terminal::complain;

/// Watches for signals on a thread of its own until the process ends.
///
/// # Errors
/// When the signals cannot be watched.
pub(crate) fn watch(control: Control, hint: String) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut is_second = false;
            for _ in &mut signals {
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

/// Ends the process without waiting for anything: what is committed is on the disk.
#[expect(
    clippy::disallowed_methods,
    reason = "the command decides how the process ends"
)]
fn leave() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
