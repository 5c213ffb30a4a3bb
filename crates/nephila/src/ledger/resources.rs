//! How busy each resource of a run was, and how long visits were in each state.

use nephila_ledger::{Limit, Series, Spent, State, Verdict, Window};
use serde::Serialize;

use super::file::RunLedger;

/// How busy a resource was, in the steady part of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Busy {
    /// Its name.
    pub resource: &'static str,
    /// Share of it that was taken, 0 to 1.
    pub share: f64,
    /// More of it, in words and figures.
    pub words: String,
}

/// How long a page was in a state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct InState {
    /// The state.
    pub state: State,
    /// Seconds of a page in it, in the mean over all pages.
    pub mean: f64,
    /// Half of the pages that were in it took at most this, in seconds.
    pub p50: f64,
    /// 99 of 100 that were in it took at most this.
    pub p99: f64,
}

fn one(resource: &'static str, share: f64, words: String) -> Busy {
    Busy {
        resource,
        share,
        words,
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).min(1.0)
    } else {
        0.0
    }
}

fn threads(window: &Window) -> Vec<Busy> {
    let mean = |sum: f64| sum / window.seconds.max(f64::MIN_POSITIVE);
    let stall = window.longest_stall_seconds * 1e3;
    let mut all = vec![
        one(
            "threads that fetch",
            window.loop_share(Spent::Working),
            format!(
                "{:.0} of them; longest stall {stall:.1} ms",
                mean(window.loops)
            ),
        ),
        one(
            "threads beside",
            window.workers_busy(),
            format!("{:.0} of them, for large bodies", mean(window.workers)),
        ),
    ];
    if window.handlers > 0.0 {
        let cpu = share(window.callback_cpu_seconds, window.callback_seconds) * 100.0;
        let count = mean(window.handlers);
        let words = format!("{count:.0} of them; {cpu:.0} % of their time on a processor");
        all.push(one(
            "threads of the callback",
            window.handlers_busy(),
            words,
        ));
    }
    all
}

/// Every resource that is there, in the order of a page's way.
pub(super) fn busy(window: &Window) -> Vec<Busy> {
    let mean = |sum: f64| sum / window.seconds.max(f64::MIN_POSITIVE);
    let highest = window.link.highest_rate;
    let rate = window.bytes_per_second();
    let of_highest = if highest > 0.0 {
        (rate / highest).min(1.0)
    } else {
        0.0
    };
    let mut all = vec![
        one(
            "slots",
            window.slots_busy(),
            format!("{:.1} of {:.0}", window.in_flight(), window.slot_count()),
        ),
        one(
            "hosts",
            share(window.turns - window.ready, window.turns),
            format!(
                "{:.0} with something to fetch, {:.0} that could be asked at once",
                mean(window.turns),
                mean(window.ready)
            ),
        ),
    ];
    all.extend(threads(window));
    let others = window.others_processors() * 100.0;
    let pressure = mean(window.pressure_seconds) * 100.0;
    all.extend([
        one(
            "processors",
            window.own_processors(),
            format!("others {others:.0} %; somebody waited for one {pressure:.0} % of the time"),
        ),
        one(
            "bytes a second",
            of_highest,
            format!("{:.2} MB/s, of {:.2} at most", rate / 1e6, highest / 1e6),
        ),
        one(
            "the sink",
            window.sink_busy(),
            format!("the disk {:.0} %", mean(window.sync_seconds) * 100.0),
        ),
    ]);
    all
}

/// Every state that a page was in.
pub(super) fn states(run: &RunLedger, total: &Window) -> Vec<InState> {
    let of = |quantiles: &super::StateQuantiles| InState {
        state: quantiles.state,
        mean: total.state(quantiles.state) / total.visits.max(1.0),
        p50: quantiles.quantiles.p50,
        p99: quantiles.quantiles.p99,
    };
    let there = run
        .quantiles
        .iter()
        .filter(|state| state.quantiles.visits > 0);
    there.map(of).collect()
}

/// The limit of each part of a run, `parts` at most, from its beginning to its end; `None` where nothing was done.
pub(super) fn over_time(series: &Series, parts: usize) -> Vec<Option<Limit>> {
    let stretches = series.stretches();
    let each = stretches.len().div_ceil(parts.max(1)).max(1);
    let limit = |part: &[nephila_ledger::Stretch]| {
        let mut window = Window::default();
        part.iter().for_each(|stretch| window.add(&stretch.window));
        Verdict::of(&window).map(|verdict| verdict.limit)
    };
    stretches.chunks(each).map(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_told_of_where_there_is_one() {
        let mut window = Window {
            seconds: 10.0,
            slots: 640.0,
            slots_taken: 320.0,
            loops: 10.0,
            ..Window::default()
        };
        assert_eq!(busy(&window)[0].share, 0.5);
        assert_eq!(busy(&window)[0].words, "32.0 of 64");
        let without = busy(&window).len();
        window.handlers = 20.0;
        window.callback_seconds = 5.0;
        assert_eq!(busy(&window).len(), without + 1);
    }

    #[test]
    fn a_run_is_told_in_as_many_parts_as_asked_for() {
        let mut series = Series::default();
        for number in 0..100 {
            let mut window = Window {
                seconds: 1.0,
                loops: 1.0,
                ..Window::default()
            };
            let spent = match number < 50 {
                true => Spent::Politeness,
                false => Spent::Discovery,
            };
            window.loop_seconds[spent as usize] = 1.0;
            series.push(window);
        }
        let parts = over_time(&series, 10);
        assert_eq!(parts.len(), 10);
        assert_eq!(parts[0], Some(Limit::Politeness));
        assert_ne!(parts[9], parts[0]);
    }
}
