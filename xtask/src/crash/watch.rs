//! What someone sees who looks at the files while the crawler dies and comes back: every file that has
//! its name is whole, and stays as it is.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use super::files::{self, Holds};
use super::readers::Readers;

/// Looks at one crawl directory again and again.
#[derive(Default)]
pub(super) struct Watch {
    /// The hash of each file that has its name.
    seen: BTreeMap<PathBuf, u64>,
}

impl Watch {
    /// Looks at the files that have their names. Returns what is wrong with them.
    pub(super) fn look(&mut self, crawl: &Path, readers: &Readers) -> Vec<String> {
        let mut wrong = whole_json(&crawl.join("summary.json"));
        let mut now = BTreeMap::new();
        for directory in ["pages", "warc", "state/rows"] {
            for path in files::below(&crawl.join(directory)) {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                if name.ends_with(".aside") {
                    wrong.push(format!("{name}: committed, but the log does not know it"));
                }
                if [".open", ".new", ".aside"]
                    .iter()
                    .any(|end| name.ends_with(end))
                {
                    continue;
                }
                let hash = match std::fs::read(&path) {
                    Ok(bytes) => hash(&bytes),
                    Err(error) => {
                        wrong.push(format!("{name}: {error}"));
                        continue;
                    }
                };
                match self.seen.get(&path) {
                    Some(before) if *before == hash => {}
                    Some(_) => wrong.push(format!("{name}: changed after it had its name")),
                    None => {
                        wrong.extend(files::read(&path, readers).err().map(|e| format!("{e:#}")))
                    }
                }
                now.insert(path, hash);
            }
        }
        for path in self.seen.keys().filter(|path| !now.contains_key(*path)) {
            if !is_packed(path) {
                wrong.push(format!("{}: had its name and is gone", path.display()));
            }
        }
        self.seen = now;
        wrong
    }
}

/// Whether it is a part of rows that is kept packed now.
fn is_packed(path: &Path) -> bool {
    let mut packed = path.as_os_str().to_owned();
    packed.push(".zst");
    let is_kept = path
        .parent()
        .is_some_and(|parent| parent.ends_with("state/rows"));
    is_kept
        && matches!(
            files::read(Path::new(&packed), &Readers::none()),
            Ok(Holds::Rows(_))
        )
}

/// A JSON file is whole or not there.
fn whole_json(path: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read(path) else {
        return Vec::new();
    };
    let read = serde_json::from_slice::<serde_json::Value>(&text);
    let wrong = read
        .err()
        .map(|error| format!("{}: {error}", path.display()));
    wrong.into_iter().collect()
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_changed_and_lost_files_are_seen() {
        let crawl = std::env::temp_dir().join(format!("nephila-watch-{}", std::process::id()));
        let pages = crawl.join("pages");
        std::fs::create_dir_all(&pages).unwrap();
        let readers = Readers::none();
        let mut watch = Watch::default();
        let mut look = || watch.look(&crawl, &readers);
        let part = pages.join("part-00000.jsonl");
        std::fs::write(pages.join("part-00001.jsonl.open"), "{\"url\":").unwrap();
        std::fs::write(&part, "{\"url\":\"a\"}\n").unwrap();
        assert_eq!(look(), [""; 0]);
        assert_eq!(look(), [""; 0]);
        std::fs::write(&part, "{\"url\":\"b\"}\n").unwrap();
        assert_eq!(look().len(), 1);
        std::fs::remove_file(&part).unwrap();
        assert_eq!(look().len(), 1);
        std::fs::write(&part, "{\"url\":\"b\"}\n{\"ur").unwrap();
        std::fs::write(crawl.join("summary.json"), "{").unwrap();
        assert_eq!(look().len(), 2);
        std::fs::remove_dir_all(&crawl).unwrap();
    }
}
