//! The tables of the report.

use nephila_charts::{Cell, Page, Table, shown};

use super::figures::{cut, shown_bytes, shown_millis};
use super::{BrokenPage, DuplicateGroup};
use crate::counts::HostLine;
use crate::ledger::{Explanation, RunLedger};

/// A number with its thousands set apart.
pub(super) fn count(number: u64) -> String {
    shown(number as f64)
}

/// The sentences of an explanation: shares, the limit behind the limit, the crossover, and what to change.
pub(super) fn explain(of: &Explanation, page: &mut Page) {
    if !of.limits.is_empty() {
        let share = |of: &crate::ledger::LimitShare| {
            format!("{} {:.0} %", of.limit.words(), of.share * 100.0)
        };
        let shares: Vec<String> = of.limits.iter().map(share).collect();
        page.text(&format!("Of the run: {}.", shares.join(", ")));
    }
    let limit = of.verdict.map(|verdict| verdict.limit);
    let mut behind = of.bounds.iter().filter(|bound| Some(bound.limit) != limit);
    if let Some(next) = behind.find(|bound| bound.pages_per_second >= of.pages_per_second) {
        let rate = shown(next.pages_per_second);
        page.text(&format!(
            "The next limit behind it: {} at {rate} pages/s.",
            next.limit.words()
        ));
    }
    if let Some(crossover) = of.crossover {
        page.text(&format!(
            "Crossover: the processors become the limit at some {} fetches in flight.",
            count(crossover.round() as u64)
        ));
    }
    for advice in &of.advice {
        let options = match advice.options.as_str() {
            "" => String::new(),
            options => format!(": {options}"),
        };
        page.text(&format!("To change it: {}{options}.", advice.why));
    }
}

pub(super) fn what_if_table(of: &Explanation) -> Table {
    let mut table = Table::new("What if")
        .column("change")
        .numbers("pages/s")
        .numbers("times")
        .numbers("lowest")
        .numbers("highest");
    for prediction in &of.what_if {
        let times = prediction.pages_per_second / of.pages_per_second.max(f64::MIN_POSITIVE);
        table.row([
            prediction.change.to_string(),
            shown(prediction.pages_per_second),
            format!("{times:.2}"),
            shown(prediction.least),
            shown(prediction.most),
        ]);
    }
    table
}

pub(super) fn state_table(run: &RunLedger) -> Table {
    let mut table = Table::new("Time in each state, of the visits that were in it")
        .column("state")
        .numbers("visits")
        .numbers("mean")
        .numbers("half within")
        .numbers("90 % within")
        .numbers("99 % within")
        .numbers("longest");
    for of in run.quantiles.iter().filter(|of| of.quantiles.visits > 0) {
        let quantiles = &of.quantiles;
        let times = [
            quantiles.mean,
            quantiles.p50,
            quantiles.p90,
            quantiles.p99,
            quantiles.most,
        ];
        let times = times.map(|seconds| shown_millis(seconds * 1_000.0));
        let head = [of.state.words().to_owned(), count(quantiles.visits)];
        table.row(head.into_iter().chain(times));
    }
    table
}

pub(super) fn host_table(heading: &str, lines: &[HostLine]) -> Table {
    const MOST_SHOWN: usize = 15;
    let mut table = Table::new(heading)
        .column("host")
        .numbers("pages")
        .numbers("errors")
        .numbers("mean fetch")
        .numbers("on the wire");
    for line in lines.iter().take(MOST_SHOWN) {
        table.row([
            cut(&line.host),
            count(line.pages),
            count(line.errors),
            shown_millis(line.mean_millis),
            shown_bytes(line.wire_bytes),
        ]);
    }
    table
}

pub(super) fn broken_table(pages: &[BrokenPage]) -> Table {
    let mut table = Table::new("Pages that could not be had, and where they are linked")
        .column("page")
        .column("answer")
        .column("linked from");
    for page in pages {
        let status = page.status.map(|status| status.to_string());
        let mut answer = vec![Cell::Text(status.unwrap_or_else(|| page.outcome.clone()))];
        answer.extend(page.error.as_deref().map(|error| Cell::Text(cut(error))));
        table.row([link(&page.url), Cell::Lines(answer), linking(page)]);
    }
    table
}

fn linking(page: &BrokenPage) -> Cell {
    if page.links == 0 {
        return Cell::Text("no page: a seed, or a redirect's target".to_owned());
    }
    let mut lines = Vec::new();
    for (from, text) in &page.linked_from {
        lines.push(link(from));
        if !text.is_empty() {
            lines.push(Cell::Text(format!("“{}”", cut(text))));
        }
    }
    let more = page.links.saturating_sub(page.linked_from.len() as u64);
    if more > 0 {
        lines.push(Cell::Text(format!("and {} more links", count(more))));
    }
    Cell::Lines(lines)
}

pub(super) fn redirect_table(redirects: &[(String, String)]) -> Table {
    let mut table = Table::new("Redirects").column("from").column("to");
    for (from, to) in redirects {
        table.row([link(from), link(to)]);
    }
    table
}

pub(super) fn duplicate_table(groups: &[DuplicateGroup]) -> Table {
    let mut table = Table::new("Groups of pages with the very same body")
        .column("pages of the group")
        .numbers("pages")
        .numbers("size");
    for group in groups {
        let mut urls: Vec<Cell> = group.urls.iter().map(|url| link(url)).collect();
        let more = group.count.saturating_sub(group.urls.len() as u64);
        if more > 0 {
            urls.push(Cell::Text(format!("and {} more", count(more))));
        }
        table.row([
            Cell::Lines(urls),
            Cell::Text(count(group.count)),
            Cell::Text(shown_bytes(group.bytes)),
        ]);
    }
    table
}

pub(super) fn ranking_table(
    caption: &str,
    figure: &str,
    pages: &[(u64, String)],
    shown: impl Fn(u64) -> String,
) -> Table {
    let mut table = Table::new(caption).column("page").numbers(figure);
    for (value, url) in pages {
        table.row([link(url), Cell::Text(shown(*value))]);
    }
    table
}

/// A link; one that is longer than a person reads is shown as text, and cut.
fn link(url: &str) -> Cell {
    const LONGEST: usize = 2_048;
    if url.len() > LONGEST {
        return Cell::Text(cut(url));
    }
    Cell::Link(url.to_owned())
}
