//! How a process is killed: at a moment, or at a named file operation.

use std::time::Duration;

use super::dice::Dice;

/// The shortest and the longest time that a process lives before it is killed.
const MOMENTS_MS: (f64, f64) = (5.0, 1_500.0);

/// `nephila status` takes milliseconds: so are its moments.
const STATUS_MOMENTS_MS: (f64, f64) = (1.0, 60.0);

/// An operation, names of files that a crawl does it to, and which of them is drawn at most: a point that
/// never comes costs a crawl.
type Act = (&'static str, &'static [&'static str], f64);

const ACTS: &[Act] = &[
    ("create", &["commit-", "lock", "crawl.toml", "summary"], 1.5),
    ("create", &["part-", "crawl-", ".open", ".new"], 8.0),
    ("create", &[".csv", ".parquet", ".cdxj", ".zst", ".gz"], 8.0),
    ("write", &["lock", "crawl.toml", "summary"], 1.5),
    (
        "write",
        &["commit-", "part-", "crawl-", ".open", ".new"],
        16.0,
    ),
    ("write", &[".csv", ".parquet", ".cdxj", ".zst", ".gz"], 8.0),
    (
        "write",
        &["checkpoint-", "seen-", "blocks-", "chains-"],
        4.0,
    ),
    ("truncate", &["commit-", "part-", "crawl-", ""], 2.5),
    ("sync", &["commit-", "part-", "crawl-", ".open"], 16.0),
    ("sync", &["summary", "crawl.toml"], 1.5),
    (
        "sync",
        &[".csv", ".parquet", ".cdxj", ".zst", ".gz", ".new"],
        8.0,
    ),
    ("sync", &["checkpoint-", "seen-", "chains-"], 4.0),
    ("rename", &["checkpoint-"], 4.0),
    ("remove", &["checkpoint-", "seen-"], 4.0),
    ("sync-dir", &["pages", "rows", ""], 12.0),
    ("sync-dir", &["warc", "state"], 2.5),
    ("rename", &["part-", "crawl-", ".jsonl", ""], 8.0),
    ("rename", &["summary", "crawl.toml"], 1.5),
    ("rename", &[".csv", ".parquet", ".cdxj", ".zst", ".gz"], 8.0),
    (
        "remove",
        &["part-", "crawl-", ".open", ".new", ".jsonl", ""],
        2.5,
    ),
];

/// Moments come always and points do not: with this share of the draws, about half of the kills are at
/// moments.
const MOMENTS: f64 = 0.4;

/// How a process is to die.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Death {
    /// Killed by another process after this time.
    Moment(Duration),
    /// It kills itself at an operation: `WHEN:ACT:FILE:N`.
    Point {
        when: &'static str,
        act: &'static str,
        file: &'static str,
        count: u64,
    },
}

impl Death {
    /// Draws one, of those that crawls in these formats may die.
    pub(super) fn draw(dice: &mut Dice, formats: &str, is_status: bool) -> Death {
        if dice.happens(MOMENTS) {
            let (low, high) = if is_status {
                STATUS_MOMENTS_MS
            } else {
                MOMENTS_MS
            };
            let moment = dice.logarithmic(low, high);
            return Death::Moment(Duration::from_micros((moment * 1_000.0) as u64));
        }
        let (act, files, most) = dice.one(ACTS).copied().unwrap_or(("write", &[], 1.0));
        let files: Vec<&str> = files
            .iter()
            .copied()
            .filter(|file| is_made(file, formats))
            .collect();
        let whens: &[&str] = match act {
            "write" => &["before", "amid", "amid", "after"],
            _ => &["before", "after"],
        };
        Death::Point {
            when: dice.one(whens).copied().unwrap_or("before"),
            act,
            file: dice.one(&files).copied().unwrap_or_default(),
            count: dice.logarithmic(1.0, most) as u64,
        }
    }

    /// What the command is told; none where it is killed from outside.
    pub(super) fn point(&self) -> Option<String> {
        match self {
            Death::Moment(_) => None,
            Death::Point {
                when,
                act,
                file,
                count,
            } => Some(format!("{when}:{act}:{file}:{count}")),
        }
    }

    /// Under which it is counted.
    pub(super) fn kind(&self) -> String {
        match self {
            Death::Moment(_) => "at a moment".to_owned(),
            Death::Point { when, act, .. } => format!("{when} {act}"),
        }
    }

    /// In words, for a finding.
    pub(super) fn words(&self) -> String {
        match self {
            Death::Moment(moment) => format!("SIGKILL after {:.1} ms", moment.as_secs_f64() * 1e3),
            Death::Point { .. } => self.point().unwrap_or_default(),
        }
    }
}

/// Whether a crawl in these formats has files of this name: a point that never comes costs a crawl.
fn is_made(file: &str, formats: &str) -> bool {
    let has = |format: &str| formats.split(',').any(|asked| asked == format);
    let has_archive = has("warc") || has("warc.zst");
    match file {
        ".csv" => has("csv"),
        ".parquet" => has("parquet"),
        "crawl-" | ".cdxj" | "warc" => has_archive,
        ".gz" => has("jsonl.gz") || has("warc"),
        ".zst" => has("jsonl.zst") || has("warc.zst") || !has("jsonl"),
        "rows" => !has("jsonl"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_and_both_kinds_are_drawn() {
        let mut dice = Dice::of(1, 1);
        let kinds: std::collections::BTreeSet<String> = (0..2_000)
            .map(|_| Death::draw(&mut dice, "jsonl,warc", false).kind())
            .collect();
        // One at moments, seven acts before and after, and writes in their middle.
        assert_eq!(kinds.len(), 1 + 7 * 2 + 1, "{kinds:?}");
    }
}
