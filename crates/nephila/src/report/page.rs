//! The report as one HTML page: it opens offline, nothing in it can run but its own script, and all text
//! from the web is escaped.

use nephila_charts::{Cell, Page, Table};

use super::Report;
use super::figures::{
    busy_plot, cut, fetch_time_plot, hops_plot, limits_plot, outcome_bars, rate_plot, sentence,
    shown_bytes, shown_millis, size_plot, status_bars, waterfall,
};
use super::sections::{
    broken_table, count, duplicate_table, explain, host_table, ranking_table, redirect_table,
    state_table, what_if_table,
};
use crate::ledger::{Explanation, RunLedger};

/// Seeds that are named.
const MOST_SEEDS: usize = 5;

impl Report {
    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut page = Page::new("Crawl report");
        self.add_head(&mut page);
        match &self.run {
            Some((run, explanation)) => {
                add_speed(run, explanation, &mut page);
                add_visits(run, &mut page);
            }
            None => {
                page.section("Speed", "No run of this crawl has kept a ledger.");
            }
        }
        self.add_counts(&mut page);
        self.add_hosts(&mut page);
        self.add_links(&mut page);
        self.add_pages(&mut page);
        page.to_html()
    }

    fn add_head(&self, page: &mut Page) {
        let mut seeds: Vec<String> = self
            .seeds
            .iter()
            .take(MOST_SEEDS)
            .map(|seed| cut(seed))
            .collect();
        let more = self.seeds.len().saturating_sub(MOST_SEEDS);
        if more > 0 {
            seeds.push(format!("and {} more", count(more as u64)));
        }
        page.text(&format!("Of {}.", seeds.join(", ")));
        let stopped = match self.stopped {
            Some("done") => "The crawl is done: nothing is left to fetch.",
            Some("max_pages") => "Its last run stopped at --max-pages.",
            Some("max_duration") => "Its last run stopped at --max-duration.",
            Some(_) => "Its last run was interrupted.",
            None => "It runs, or its last run was broken off.",
        };
        page.text(&format!(
            "{stopped} This page was made at {}.",
            self.made_at
        ));
        let (counts, findings) = (&self.counts, &self.findings);
        let rate = self.run.as_ref().map(|(_, explanation)| {
            let rate = nephila_charts::shown(explanation.pages_per_second);
            (rate, "pages a second".to_owned())
        });
        let mut facts = vec![
            (count(counts.pages), "pages".to_owned()),
            (count(counts.errors), "errors".to_owned()),
            (count(self.hosts.hosts), "hosts".to_owned()),
            (shown_bytes(counts.wire_bytes), "on the wire".to_owned()),
        ];
        facts.extend(rate);
        facts.push((count(findings.redirect_count), "redirects".to_owned()));
        page.facts(&facts);
        page.text(&self.coverage());
    }

    /// What the page is made from.
    fn coverage(&self) -> String {
        let rows = count(self.findings.rows);
        let of_rows = match self.findings.is_cut {
            false => format!("what is told page by page is from all {rows} rows"),
            true => format!(
                "what is told page by page (link problems, redirects, duplicates, the slowest and the largest \
                 pages) is from the first {rows} rows only: `nephila report DIR` reads all"
            ),
        };
        format!(
            "Counts and hosts are of all runs of the crawl, speed and waterfalls of the last one; {of_rows}."
        )
    }

    fn add_counts(&self, page: &mut Page) {
        page.section("What came of it", "");
        page.bars(&outcome_bars(&self.counts));
        page.bars(&status_bars(&self.counts));
        page.plot(&size_plot(&self.counts));
        page.plot(&fetch_time_plot(&self.counts));
        page.plot(&hops_plot(&self.counts));
    }

    fn add_hosts(&self, page: &mut Page) {
        let hosts = &self.hosts;
        let intro = match hosts.other_pages {
            0 => format!("{} hosts gave a page.", count(hosts.hosts)),
            others => format!(
                "{} hosts are counted one by one; {} pages of others are not in these tables.",
                count(hosts.hosts),
                count(others)
            ),
        };
        page.section("Hosts", &intro);
        for (heading, lines) in [
            ("The slowest", &hosts.slowest),
            ("The largest", &hosts.largest),
            ("With the most errors", &hosts.failing),
        ] {
            page.heading(heading);
            if lines.is_empty() {
                page.text("None.");
            } else {
                page.table(&host_table(heading, lines));
            }
        }
    }

    fn add_links(&self, page: &mut Page) {
        let findings = &self.findings;
        let intro = format!(
            "{} pages could not be had; a reader who clicks a link to one is disappointed.",
            count(findings.broken_count)
        );
        page.section("Link problems", &intro);
        if !findings.broken.is_empty() {
            page.table(&broken_table(&findings.broken));
            add_more(findings.broken_count, findings.broken.len(), page);
        }
        page.heading("Redirects");
        add_or_none(
            &findings.redirects,
            redirect_table(&findings.redirects),
            page,
        );
        add_more(findings.redirect_count, findings.redirects.len(), page);
        page.heading("Duplicates");
        page.text("Pages with the very same body.");
        add_or_none(
            &findings.duplicates,
            duplicate_table(&findings.duplicates),
            page,
        );
        add_more(findings.duplicate_count, findings.duplicates.len(), page);
    }

    fn add_pages(&self, page: &mut Page) {
        let findings = &self.findings;
        page.section("Pages", "");
        page.heading("The slowest pages");
        let slowest = ranking_table("The slowest pages", "took", &findings.slowest, |millis| {
            shown_millis(millis as f64)
        });
        add_or_none(&findings.slowest, slowest, page);
        page.heading("The largest pages");
        let largest = ranking_table("The largest pages", "size", &findings.largest, shown_bytes);
        add_or_none(&findings.largest, largest, page);
    }
}

fn add_speed(run: &RunLedger, explanation: &Explanation, page: &mut Page) {
    let intro = format!(
        "{}. (Of the run that began {}.)",
        sentence(&explanation.words),
        explanation.started_at
    );
    page.section("Speed", &intro);
    explain(explanation, page);
    page.plot(&rate_plot(run));
    page.plot(&limits_plot(run));
    page.plot(&busy_plot(run));
    page.heading("What if");
    if explanation.what_if.is_empty() {
        page.text("Too little was done to say what a change would bring.");
        return;
    }
    page.text(
        "What changes would bring, computed from what was measured; what is between the lowest and the highest \
         figure depends on what a mean does not tell.",
    );
    page.table(&what_if_table(explanation));
}

fn add_visits(run: &RunLedger, page: &mut Page) {
    page.section("Where the time of a page goes", "");
    if let Some(typical) = &run.typical {
        page.bars(&waterfall("A typical page", typical));
    }
    if let Some(slowest) = run.slowest.first() {
        page.bars(&waterfall("The slowest page", slowest));
    }
    page.heading("All pages, state by state");
    page.table(&state_table(run));
    if run.slowest.len() > 1 {
        page.heading("The slowest visits");
        let mut table = Table::new("The slowest visits")
            .column("URL")
            .numbers("took");
        for visit in &run.slowest {
            let took = shown_millis(visit.seconds() * 1_000.0);
            table.row([Cell::Link(visit.url.clone()), Cell::Text(took)]);
        }
        page.table(&table);
    }
}

fn add_or_none<T>(list: &[T], table: Table, page: &mut Page) {
    if list.is_empty() {
        page.text("None.");
    } else {
        page.table(&table);
    }
}

/// Says how many there are that are not shown.
fn add_more(all: u64, shown: usize, page: &mut Page) {
    let more = all.saturating_sub(shown as u64);
    if more > 0 {
        page.text(&format!("And {} more.", count(more)));
    }
}
