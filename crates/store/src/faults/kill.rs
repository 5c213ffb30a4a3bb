//! Death at a named point.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ASKED, Act};

/// Where the process dies.
#[derive(Debug)]
struct KillPoint {
    when: When,
    act: String,
    file: String,
    /// Operations that fit and are spared.
    spared: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    /// Half of a write's bytes are written.
    Amid,
    After,
}

static POINT: OnceLock<KillPoint> = OnceLock::new();

/// From now on the process kills itself at `point`: `WHEN:ACT:FILE:N` with WHEN `before`, `amid` (writes
/// only: half of the bytes are written) or `after`; ACT `create`, `write`, `truncate`, `sync`, `sync-dir`,
/// `rename` or `remove`; FILE a part of the file's name, empty for any; N which of the operations that
/// fit, from 1. To be called once.
///
/// # Errors
///
/// What is wrong with the text.
pub fn kill_at(point: &str) -> Result<(), String> {
    let [when, act, file, count]: [&str; 4] = point
        .split(':')
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| format!("{point:?} is not of the form WHEN:ACT:FILE:N"))?;
    let when = match when {
        "before" => When::Before,
        "amid" if act == "write" => When::Amid,
        "after" => When::After,
        _ => return Err(format!("{point:?} says no moment of its operation")),
    };
    const ACTS: [&str; 7] = [
        "create", "write", "truncate", "sync", "sync-dir", "rename", "remove",
    ];
    if !ACTS.contains(&act) {
        return Err(format!("{act:?} is none of {}", ACTS.join(", ")));
    }
    let count: u64 = count
        .parse()
        .map_err(|_| format!("{count:?} is no count"))?;
    let point = KillPoint {
        when,
        act: act.to_owned(),
        file: file.to_owned(),
        spared: AtomicU64::new(count.saturating_sub(1)),
    };
    POINT
        .set(point)
        .map_err(|_| "a point was set before".to_owned())?;
    ASKED.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Whether the process dies at the next operation, in the middle of its bytes.
pub(crate) fn is_amid(act: Act<'_>) -> bool {
    is_due(act, When::Amid)
}

pub(super) fn before(act: Act<'_>) {
    if is_due(act, When::Before) {
        die();
    }
}

pub(super) fn after(act: Act<'_>) {
    if is_due(act, When::After) {
        die();
    }
}

fn is_due(act: Act<'_>, when: When) -> bool {
    let Some(point) = POINT.get() else {
        return false;
    };
    if point.when != when || point.act != act.name() {
        return false;
    }
    let name = act.path().file_name().unwrap_or_default();
    if !name.to_string_lossy().contains(&point.file) {
        return false;
    }
    let spend = |spared: u64| spared.checked_sub(1);
    point
        .spared
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
        .is_err()
}

/// As kill -9 has it: nothing is flushed, nobody is told.
pub(crate) fn die() {
    // Only a process that may not send signals to itself goes on.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}
