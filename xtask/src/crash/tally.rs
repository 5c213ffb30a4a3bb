//! What was done and found, as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One fault of the crawler, or of the harness.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) crawl: u64,
    pub(super) formats: String,
    pub(super) options: String,
    pub(super) what: String,
    /// How the processes of this crawl ended until then, in order.
    pub(super) past: Vec<String>,
}

/// Counts over crawls.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) kills: u64,
    pub(super) crawls: u64,
    /// Points that were asked for and never came.
    pub(super) spared: u64,
    pub(super) rows: u64,
    pub(super) parts: u64,
    by_kind: BTreeMap<String, u64>,
    by_verb: BTreeMap<String, u64>,
    by_formats: BTreeMap<String, u64>,
    pub(super) findings: Vec<Finding>,
}

impl Tally {
    /// Counts a kill.
    pub(super) fn killed(&mut self, kind: &str, verb: &str, formats: &str) {
        self.kills += 1;
        for (map, name) in [
            (&mut self.by_kind, kind),
            (&mut self.by_verb, verb),
            (&mut self.by_formats, formats),
        ] {
            *map.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// Adds another's counts.
    pub(super) fn add(&mut self, other: Tally) {
        self.kills += other.kills;
        self.crawls += other.crawls;
        self.spared += other.spared;
        self.rows += other.rows;
        self.parts += other.parts;
        let maps = [
            (&mut self.by_kind, other.by_kind),
            (&mut self.by_verb, other.by_verb),
            (&mut self.by_formats, other.by_formats),
        ];
        for (map, more) in maps {
            for (name, count) in more {
                *map.entry(name).or_default() += count;
            }
        }
        self.findings.extend(other.findings);
    }

    /// The table, and each finding with the command that does it again.
    pub(super) fn table(&self, seed: u64) -> String {
        let mut text = String::new();
        let maps = [
            ("killed in", &self.by_verb),
            ("killed", &self.by_kind),
            ("formats", &self.by_formats),
        ];
        for (what, map) in maps {
            for (name, count) in map {
                let _ = writeln!(text, "{what:<10} {name:<34} {count:>6}");
            }
        }
        let lines = [
            ("kills", self.kills),
            ("points that never came", self.spared),
            ("crawls judged", self.crawls),
            ("rows judged", self.rows),
            ("parts judged", self.parts),
            ("findings", self.findings.len() as u64),
        ];
        for (what, count) in lines {
            let _ = writeln!(text, "{what:<45} {count:>6}");
        }
        for finding in &self.findings {
            let Finding {
                crawl,
                formats,
                options,
                what,
                past,
            } = finding;
            let _ = writeln!(
                text,
                "\ncrawl {crawl} ({formats}; {options}): {}",
                what.escape_debug()
            );
            for step in past {
                let _ = writeln!(text, "    {step}");
            }
            let _ = writeln!(
                text,
                "    again: cargo xtask crash --seed {seed} --only {crawl} --format {formats}"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_command_that_does_it_again() {
        let mut tally = Tally::default();
        tally.killed("before write", "resume", "csv");
        let mut other = Tally::default();
        other.killed("before write", "crawl", "csv");
        other.findings.push(Finding {
            crawl: 4,
            formats: "csv".to_owned(),
            options: String::new(),
            what: "lost".to_owned(),
            past: vec!["crawl: SIGKILL".to_owned()],
        });
        tally.add(other);
        let table = tally.table(9);
        assert!(
            table.contains("again: cargo xtask crash --seed 9 --only 4 --format csv\n"),
            "{table}"
        );
        assert!(table.contains("before write"), "{table}");
        assert_eq!(tally.kills, 2);
    }
}
