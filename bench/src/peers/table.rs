//! The table of one web.

use super::check::Verdict;
use super::measure::Run;
use crate::spread::Spread;

/// A crawler with its runs.
#[derive(Debug)]
pub(super) struct Entry {
    title: String,
    pub(super) runs: Vec<(Run, Verdict)>,
}

impl Entry {
    pub(super) fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            runs: Vec::new(),
        }
    }

    /// Microseconds of CPU a page that was found.
    fn cpu(&self) -> Option<Spread> {
        let costs = self
            .runs
            .iter()
            .map(|(run, verdict)| run.cpu.as_secs_f64() * 1e6 / pages(verdict));
        Spread::of(costs.collect())
    }

    fn row(&self, nephila: Option<f64>) -> String {
        let rates = self
            .runs
            .iter()
            .map(|(run, verdict)| pages(verdict) / run.wall.as_secs_f64().max(0.001));
        let peaks = self
            .runs
            .iter()
            .map(|(run, _)| run.peak_kib as f64 / 1024.0);
        let shown = |spread: Option<Spread>| spread.map_or("-".to_owned(), |spread| spread.shown());
        let ratio = self
            .cpu()
            .zip(nephila)
            .map(|(cpu, nephila)| cpu.median / nephila);
        format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            self.title,
            shown(Spread::of(rates.collect())),
            shown(self.cpu()),
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            Spread::of(peaks.collect())
                .map_or("-".to_owned(), |peak| format!("{:.0}", peak.median)),
            self.notes(),
        )
    }

    /// How the runs ended: each way once, with how many did.
    fn notes(&self) -> String {
        let mut ways: Vec<(String, usize)> = Vec::new();
        for (run, verdict) in &self.runs {
            let cut = if run.is_cut {
                "ended at the limit; "
            } else {
                ""
            };
            let way = format!("{cut}{}", verdict.told());
            match ways.iter_mut().find(|(known, _)| *known == way) {
                Some((_, count)) => *count += 1,
                None => ways.push((way, 1)),
            }
        }
        let told = ways.iter().map(|(way, count)| format!("{way} ({count})"));
        told.collect::<Vec<_>>().join("; ")
    }
}

fn pages(verdict: &Verdict) -> f64 {
    verdict.found.max(1) as f64
}

/// The table, the crawler with the least CPU first, and what was not had under it.
pub(super) fn render(entries: &[Entry], missing: &[(&str, String)]) -> String {
    let nephila = entries
        .iter()
        .find(|entry| entry.title.starts_with("Nephila"));
    let nephila = nephila.and_then(Entry::cpu).map(|cpu| cpu.median);
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|one, other| {
        let median = |entry: &Entry| entry.cpu().map_or(f64::MAX, |cpu| cpu.median);
        median(one).total_cmp(&median(other))
    });
    let mut table = String::from(
        "| crawler | pages/s | CPU us a page | CPU to Nephila's | peak MiB | pages (runs) |\n\
         |---|---|---|---|---|---|\n",
    );
    table.extend(sorted.iter().map(|entry| entry.row(nephila)));
    let missing = missing.iter().map(|(title, why)| {
        format!(
            "| {title} | - | - | - | - | not had: {} |\n",
            why.replace(['\n', '|'], " ")
        )
    });
    table.extend(missing);
    table
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run(millis: u64, found: usize) -> (Run, Verdict) {
        let run = Run {
            wall: Duration::from_millis(millis * 2),
            cpu: Duration::from_millis(millis),
            peak_kib: 2_048,
            is_cut: false,
        };
        let verdict = Verdict {
            pages: 100,
            found,
            rows: None,
            repeated: 0,
            wrong: 0,
        };
        (run, verdict)
    }

    fn entry(title: &str, runs: &[(u64, usize)]) -> Entry {
        let runs = runs
            .iter()
            .map(|(millis, found)| run(*millis, *found))
            .collect();
        Entry {
            title: title.to_owned(),
            runs,
        }
    }

    #[test]
    fn a_median_stands_between_the_least_and_the_greatest() {
        let spread = Spread::of(vec![5.0, 1.0, 3.0]).unwrap();
        assert_eq!(spread.shown(), "3 (1-5)");
        assert_eq!(Spread::of(vec![1.0, 3.0]).unwrap().median, 2.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn the_table_has_ratios_and_says_what_does_not_compare() {
        let entries = [
            entry("slow 1.0", &[(40, 100), (60, 100), (50, 100)]),
            entry("Nephila 0.1.0", &[(10, 100), (12, 100), (10, 100)]),
            entry("lossy 2.0", &[(10, 50)]),
        ];
        let table = render(&entries, &[("far", "no\nregistry".to_owned())]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows[0],
            "| Nephila 0.1.0 | 5000 (4167-5000) | 100 (100-120) | 1.00 | 2 | every page once (3) |"
        );
        assert!(
            rows[1].ends_with("| 2.00 | 2 | not comparable: 50 of 100 (1) |"),
            "{}",
            rows[1]
        );
        assert!(rows[2].starts_with("| slow 1.0 | 1000 (833-1250) | 500 (400-600) | 5.00 |"));
        assert_eq!(rows[3], "| far | - | - | - | - | not had: no registry |");
    }
}
