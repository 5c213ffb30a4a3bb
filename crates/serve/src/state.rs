//! What the page is sent each second, as JSON.

use std::collections::BTreeMap;

use nephila::{
    Counts, HostLine, HostRankings, Problem, Spent, State, StateQuantiles, VisitExample, figures,
};
use nephila_charts::Plot;
use serde::Serialize;

use crate::view::{Standing, View};

/// Broken pages that are sent.
const MOST_PROBLEMS: usize = 50;
/// By what hosts are ranked.
const RANKINGS: [&str; 3] = ["largest", "slowest", "failing"];

/// `GET /api/state`.
#[derive(Serialize)]
pub(crate) struct StateJson<'a> {
    standing: Standing,
    stopped: Option<&'static str>,
    seeds: &'a [String],
    directory: &'a str,
    started_at: &'a str,
    elapsed_seconds: f64,
    /// Whether there is something to pause, stop and change here.
    has_actions: bool,
    pages_per_second: f64,
    bytes_per_second: f64,
    in_flight: Option<u64>,
    slots: Option<usize>,
    most_slots: Option<usize>,
    queued: u64,
    hosts: u64,
    /// Shares, 0 to 1, of the last seconds.
    slots_busy: f64,
    processors_busy: f64,
    loops_busy: f64,
    counts: &'a Counts,
    explanation: Option<&'a nephila::Explanation>,
    /// The words of each change of the explanation's table.
    changes: Vec<String>,
    /// By the id of the plot.
    plots: BTreeMap<&'static str, PlotJson>,
    typical: Option<VisitJson<'a>>,
    slowest: Option<VisitJson<'a>>,
    states: Vec<QuantilesJson<'a>>,
    problems: &'a [Problem],
    /// The hosts, where this is the last answer: then nobody may be there to be asked for them.
    rankings: Option<BTreeMap<&'static str, HostsJson<'a>>>,
}

/// What a plot is updated with.
#[derive(Serialize)]
struct PlotJson {
    data: Vec<Vec<Option<f64>>>,
    labels: Option<Vec<String>>,
    name: String,
}

/// A visit, state by state.
#[derive(Serialize)]
struct VisitJson<'a> {
    url: &'a str,
    states: Vec<StateTime>,
}

#[derive(Serialize)]
struct StateTime {
    state: &'static str,
    words: &'static str,
    has_slot: bool,
    millis: f64,
}

#[derive(Serialize)]
struct QuantilesJson<'a> {
    words: &'static str,
    #[serde(flatten)]
    of: &'a StateQuantiles,
}

/// `GET /api/hosts?by=...`.
#[derive(Serialize)]
pub(crate) struct HostsJson<'a> {
    hosts: u64,
    other_pages: u64,
    lines: &'a [HostLine],
}

impl<'a> StateJson<'a> {
    pub(crate) fn of(view: &'a View) -> StateJson<'a> {
        let (lately, live) = (view.lately(), view.live);
        let run_seconds = || view.run.series.total().window.seconds;
        let is_over = matches!(view.standing, Standing::Ended | Standing::BrokenOff);
        let now = |figure: f64| if is_over { 0.0 } else { figure };
        let what_if = view.explanation.iter().flat_map(|of| of.what_if.iter());
        let problems = view.problems.get(..MOST_PROBLEMS);
        StateJson {
            standing: view.standing,
            stopped: view.stopped,
            seeds: view.seeds.get(..5).unwrap_or(&view.seeds),
            directory: &view.directory,
            started_at: &view.run.started_at,
            elapsed_seconds: live.map_or_else(run_seconds, |live| live.elapsed_seconds),
            has_actions: live.is_some() && !is_over,
            pages_per_second: now(lately.pages_per_second()),
            bytes_per_second: now(lately.bytes_per_second()),
            in_flight: live.map(|live| live.in_flight),
            slots: live.map(|live| live.slots),
            most_slots: live.map(|live| live.most_slots),
            queued: view.queued,
            hosts: view.host_count,
            slots_busy: now(lately.slots_busy()),
            processors_busy: now(lately.own_processors()),
            loops_busy: now(lately.loop_share(Spent::Working)),
            counts: &view.counts,
            explanation: view.explanation.as_deref(),
            changes: what_if.map(|of| of.change.to_string()).collect(),
            plots: plots(view),
            typical: view.run.typical.as_ref().map(VisitJson::of),
            slowest: view.run.slowest.first().map(VisitJson::of),
            states: view
                .run
                .quantiles
                .iter()
                .filter(|of| of.quantiles.visits > 0)
                .map(|of| QuantilesJson {
                    words: of.state.words(),
                    of,
                })
                .collect(),
            problems: problems.unwrap_or(&view.problems),
            rankings: (live.is_some() && is_over).then(|| {
                let ranking = |by| Some((by, HostsJson::of(&view.hosts, by)?));
                RANKINGS.into_iter().filter_map(ranking).collect()
            }),
        }
    }
}

impl VisitJson<'_> {
    fn of(visit: &VisitExample) -> VisitJson<'_> {
        let states = State::ALL.into_iter().zip(visit.states);
        let time = |(state, seconds): (State, f64)| StateTime {
            state: state.as_str(),
            words: state.words(),
            has_slot: state.has_slot(),
            millis: seconds * 1_000.0,
        };
        VisitJson {
            url: &visit.url,
            states: states.map(time).collect(),
        }
    }
}

impl<'a> HostsJson<'a> {
    /// Ranked by pages (`largest`), by the mean time of a fetch (`slowest`) or by errors (`failing`).
    pub(crate) fn of(hosts: &'a HostRankings, by: &str) -> Option<HostsJson<'a>> {
        let lines = match by {
            "largest" | "" => &hosts.largest,
            "slowest" => &hosts.slowest,
            "failing" => &hosts.failing,
            _ => return None,
        };
        Some(HostsJson {
            hosts: hosts.hosts,
            other_pages: hosts.other_pages,
            lines,
        })
    }
}

/// The plots of the page, as they are before anything is known.
pub(crate) fn empty_plots() -> [(&'static str, Plot); 6] {
    all_plots(&nephila::RunLedger::default(), &Counts::default())
}

fn all_plots(run: &nephila::RunLedger, counts: &Counts) -> [(&'static str, Plot); 6] {
    [
        ("rate", figures::rate_plot(run)),
        ("limits", figures::limits_plot(run)),
        ("busy", figures::busy_plot(run)),
        ("sizes", figures::size_plot(counts)),
        ("times", figures::fetch_time_plot(counts)),
        ("hops", figures::hops_plot(counts)),
    ]
}

fn plots(view: &View) -> BTreeMap<&'static str, PlotJson> {
    let plots = all_plots(&view.run, &view.counts).into_iter();
    plots
        .map(|(id, plot)| {
            let json = PlotJson {
                data: plot.data(),
                labels: plot.labels().map(<[String]>::to_vec),
                name: plot.x_name().to_owned(),
            };
            (id, json)
        })
        .collect()
}
