//! What a crawl keeps on disk, damaged in any way: `nephila_store` and the readers of `nephila`.

mod crawl;
mod log;
mod segments;

pub use crawl::crawl_state;
pub use log::commit_log;

use std::path::{Path, PathBuf};

/// Runs `task` in an empty directory of this thread's own, in memory where the machine has such a file
/// system. Nothing when no directory can be made: that says nothing about the bytes.
fn in_empty_directory(task: impl FnOnce(&Path)) {
    thread_local! {
        static DIRECTORY: Option<tempfile::TempDir> = new_directory();
    }
    DIRECTORY.with(|directory| {
        let Some(directory) = directory else { return };
        let path = directory.path().join("state");
        let _ = std::fs::remove_dir_all(&path);
        if std::fs::create_dir(&path).is_ok() {
            task(&path);
        }
    });
}

fn new_directory() -> Option<tempfile::TempDir> {
    let in_memory = tempfile::Builder::new()
        .prefix("nephila-fuzz-")
        .tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).ok()
}

/// The files in a directory and what they hold, by name.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some((entry.path(), std::fs::read(entry.path()).ok()?)))
        .collect();
    files.sort();
    files
}
