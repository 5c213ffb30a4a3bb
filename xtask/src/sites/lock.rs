//! One process at a time changes a directory of data: fetches sites, starts or ends servers, or
//! makes the virtual environment.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::Context;

/// Held until it is dropped, also by the end of the process however it ends.
pub(crate) struct Held {
    _file: File,
}

/// Takes the lock of this data directory, making the directory. Waits while another has it.
pub(crate) fn take(data: &Path) -> anyhow::Result<Held> {
    std::fs::create_dir_all(data).with_context(|| format!("making {}", data.display()))?;
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        eprintln!(
            "waiting for another `cargo xtask` that changes {}",
            data.display()
        );
    }
    file.lock()
        .with_context(|| format!("locking {}", path.display()))?;
    Ok(Held { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_taken_once_and_given_back() {
        let data = std::env::temp_dir().join(format!("nephila-lock-{}", std::process::id()));
        let held = take(&data).unwrap();
        let second = File::open(data.join("lock")).unwrap();
        assert!(matches!(second.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        second.try_lock().unwrap();
        std::fs::remove_dir_all(&data).unwrap();
    }
}
