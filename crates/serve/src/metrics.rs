//! The figures of a crawl in the text format of Prometheus (version 0.0.4,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>). Names and units are documented in
//! `docs/serve.md`; a test holds the two to one another.

use std::fmt::Write as _;

use nephila::{Limit, Spent, State, Verdict};

use crate::view::{Standing, View};

/// What a client is told of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole answer.
pub(crate) fn exposition(view: &View) -> String {
    let mut page = Exposition::default();
    page.family(
        "nephila_build_info",
        "gauge",
        "1, with the version of the program.",
    );
    page.labelled("version", env!("CARGO_PKG_VERSION"), 1.0);
    counts(view, &mut page);
    times(view, &mut page);
    levels(view, &mut page);
    limit(view, &mut page);
    page.text
}

/// Counters of all runs of the crawl.
fn counts(view: &View, page: &mut Exposition) {
    let counts = &view.counts;
    page.family(
        "nephila_pages_total",
        "counter",
        "Pages with an outcome, of all runs.",
    );
    page.sample(counts.pages as f64);
    page.family(
        "nephila_errors_total",
        "counter",
        "Pages without an answer or with an error status, of all runs.",
    );
    page.sample(counts.errors as f64);
    page.family(
        "nephila_outcomes_total",
        "counter",
        "Pages by outcome, of all runs.",
    );
    for (outcome, count) in &counts.outcomes {
        page.labelled("outcome", outcome, *count as f64);
    }
    page.family(
        "nephila_responses_total",
        "counter",
        "Pages with an answer by HTTP status, of all runs.",
    );
    for (status, count) in &counts.statuses {
        page.labelled("status", &status.to_string(), *count as f64);
    }
    page.family(
        "nephila_side_fetches_total",
        "counter",
        "Fetches of robots.txt, sitemaps and feeds, of all runs.",
    );
    page.sample(counts.side_fetches as f64);
    page.family(
        "nephila_wire_bytes_total",
        "counter",
        "Bytes of bodies on the wire, of all runs.",
    );
    page.sample(counts.wire_bytes as f64);
    page.family(
        "nephila_decoded_bytes_total",
        "counter",
        "Bytes of bodies after decompression, of all runs.",
    );
    page.sample(counts.decoded_bytes as f64);
}

/// Counters of the run that goes on, or of the last one, as its ledger has them.
fn times(view: &View, page: &mut Exposition) {
    let total = view.run.series.total().window;
    page.family(
        "nephila_visits_total",
        "counter",
        "Visits that ended in this run: pages, robots.txt, and what is tried again.",
    );
    page.sample(total.visits);
    page.family(
        "nephila_visit_failures_total",
        "counter",
        "Visits of this run without an answer.",
    );
    page.sample(total.failures);
    page.family(
        "nephila_visit_throttled_total",
        "counter",
        "Visits of this run answered by 429 or 503.",
    );
    page.sample(total.throttled);
    page.family(
        "nephila_visit_seconds_total",
        "counter",
        "Seconds that visits of this run spent in each state.",
    );
    for state in State::ALL {
        page.labelled("state", state.as_str(), total.state(state));
    }
    page.family(
        "nephila_loop_seconds_total",
        "counter",
        "Seconds that the threads that fetch worked or waited in this run, by what for.",
    );
    for (spent, seconds) in Spent::ALL.into_iter().zip(total.loop_seconds) {
        page.labelled("spent", spent_name(spent), seconds);
    }
    page.family(
        "nephila_cpu_seconds_total",
        "counter",
        "Seconds on a processor in this run.",
    );
    page.sample(total.cpu_seconds);
}

/// What is so now, or was in the last five seconds.
fn levels(view: &View, page: &mut Exposition) {
    let lately = view.lately();
    let is_over = matches!(view.standing, Standing::Ended | Standing::BrokenOff);
    let now = |figure: f64| if is_over { 0.0 } else { figure };
    page.family(
        "nephila_running",
        "gauge",
        "1 while a process is at work on the crawl.",
    );
    let is_running = matches!(
        view.standing,
        Standing::Running | Standing::Paused | Standing::Stopping
    );
    page.sample(f64::from(u8::from(is_running)));
    page.family("nephila_paused", "gauge", "1 while it is paused.");
    page.sample(f64::from(u8::from(view.standing == Standing::Paused)));
    if let Some(live) = view.live {
        page.family("nephila_in_flight", "gauge", "Fetches in flight.");
        page.sample(live.in_flight as f64);
        page.family("nephila_slots", "gauge", "Fetches in flight at most.");
        page.sample(live.slots as f64);
    }
    page.family("nephila_queued_urls", "gauge", "URLs that wait.");
    page.sample(view.queued as f64);
    page.family("nephila_hosts", "gauge", "Hosts that are known.");
    page.sample(view.host_count as f64);
    let ratios = [
        (
            "nephila_slots_busy_ratio",
            "Share of the slots that were taken",
            lately.slots_busy(),
        ),
        (
            "nephila_loop_busy_ratio",
            "Share of their time that the threads that fetch worked",
            lately.loop_share(Spent::Working),
        ),
        (
            "nephila_processors_own_ratio",
            "Share of the processors that the crawl used",
            lately.own_processors(),
        ),
        (
            "nephila_processors_others_ratio",
            "Share of the processors that other processes used",
            lately.others_processors(),
        ),
        (
            "nephila_sink_busy_ratio",
            "Share of the time that the outputs were being written",
            lately.sink_busy(),
        ),
    ];
    for (name, what, ratio) in ratios {
        page.family(name, "gauge", &format!("{what} in the last 5 s, 0 to 1."));
        page.sample(now(ratio));
    }
}

fn limit(view: &View, page: &mut Exposition) {
    let is_running = view.standing == Standing::Running;
    let verdict = Verdict::of(&view.lately()).filter(|_| is_running);
    page.family(
        "nephila_limit",
        "gauge",
        "1 for what limited the crawl in the last 5 s, else 0.",
    );
    for limit in Limit::ALL {
        let is_it = verdict.is_some_and(|verdict| verdict.limit == limit);
        page.labelled("limit", limit.as_str(), f64::from(u8::from(is_it)));
    }
}

fn spent_name(spent: Spent) -> &'static str {
    match spent {
        Spent::Working => "working",
        Spent::SlotsTaken => "slots_taken",
        Spent::Politeness => "politeness",
        Spent::Discovery => "discovery",
        Spent::Sink => "sink",
        Spent::Other => "other",
    }
}

/// The text that is being written: families one after the other, each with its samples.
#[derive(Default)]
struct Exposition {
    text: String,
    name: String,
}

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        name.clone_into(&mut self.name);
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, value: f64) {
        let _ = writeln!(self.text, "{} {value}", self.name);
    }

    /// A sample with one label. Label values are names of this program and numbers: nothing in them is to
    /// be escaped.
    fn labelled(&mut self, label: &str, value: &str, sample: f64) {
        let _ = writeln!(self.text, "{}{{{label}=\"{value}\"}} {sample}", self.name);
    }
}
