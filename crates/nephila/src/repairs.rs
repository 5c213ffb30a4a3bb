//! What was mended after a crash, in words.

use serde::Serialize;

/// What a crash had left, and what became of it. Nothing that was committed is ever among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// Bytes of outputs that were written and never committed, and were cut off.
    pub cut_bytes: u64,
    /// Files that were begun and never committed, and were removed.
    pub removed_files: u32,
    /// Whole files that had not got their names yet, and have them now.
    pub published_files: u32,
    /// Files with names of ours that no commit knows: kept, as `NAME.aside`.
    pub set_aside: u32,
    /// Half made files of other forms, removed: they are made again from the rows.
    pub unfinished_files: u32,
}

impl Repairs {
    pub(crate) fn add(&mut self, repaired: nephila_store::Repaired) {
        self.cut_bytes += repaired.cut_bytes;
        self.removed_files += repaired.removed_parts;
        self.published_files += repaired.published_parts;
        self.set_aside += repaired.set_aside;
    }

    /// Whether there was nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Repairs::default()
    }

    /// What was done, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut say = |count: u64, what: &str| {
            if count > 0 {
                sentences.push(format!("{count} {what}"));
            }
        };
        say(
            self.cut_bytes,
            "bytes were written and never committed: cut off; their pages are fetched again",
        );
        say(u64::from(self.removed_files), "uncommitted files removed");
        say(
            u64::from(self.published_files),
            "whole files given their names",
        );
        say(
            u64::from(self.unfinished_files),
            "half made files removed; they are made again from the rows",
        );
        say(
            u64::from(self.set_aside),
            "files that no commit knows kept as NAME.aside: look at them and remove them",
        );
        sentences
    }
}
