//! The plots of a crawl: those of the report, and of the page that shows a crawl while it runs.

use nephila_charts::{Axis, BarRow, Bars, Colour, Plot, Series};
use nephila_ledger::{Limit, State, Stretch};

use crate::counts::Counts;
use crate::distribution::Step;
use crate::ledger::{RunLedger, VisitExample};

/// The colour of a limit, in every plot.
pub fn limit_colour(limit: Limit) -> Colour {
    match limit {
        Limit::Politeness => Colour::Green,
        Limit::RemoteLatency => Colour::Blue,
        Limit::Bandwidth => Colour::Sky,
        Limit::OwnCpu => Colour::Vermillion,
        Limit::Callback => Colour::Purple,
        Limit::Sink => Colour::Orange,
        Limit::Discovery => Colour::Yellow,
        Limit::OtherProcess => Colour::Grey,
    }
}

fn state_colour(state: State) -> Colour {
    match state {
        State::Politeness | State::Dns => Colour::Green,
        State::Slot | State::Connect => Colour::Sky,
        State::Tls => Colour::Purple,
        State::FirstByte => Colour::Blue,
        State::Body => Colour::Yellow,
        State::CpuWait => Colour::Grey,
        State::Compute => Colour::Vermillion,
        State::Callback | State::SinkWait | State::Commit => Colour::Orange,
    }
}

/// The unit of a time axis: as long a run is, as large it is.
fn time_unit(seconds: f64) -> (&'static str, f64) {
    match seconds {
        seconds if seconds < 600.0 => ("seconds", 1.0),
        seconds if seconds < 6.0 * 3_600.0 => ("minutes", 60.0),
        _ => ("hours", 3_600.0),
    }
}

/// A run's stretches on a time axis: where each begins, and where the last one ends.
struct Timeline<'a> {
    stretches: &'a [Stretch],
    unit: (&'static str, f64),
}

impl Timeline<'_> {
    fn of(run: &RunLedger) -> Timeline<'_> {
        let stretches = run.series.stretches();
        let seconds: f64 = stretches.iter().map(|of| of.window.seconds).sum();
        Timeline {
            stretches,
            unit: time_unit(seconds),
        }
    }

    fn axis(&self) -> Axis {
        Axis::linear(self.unit.0)
    }

    fn starts(&self) -> Vec<f64> {
        let mut at = 0.0;
        let mut starts = vec![0.0];
        for stretch in self.stretches {
            at += stretch.window.seconds;
            starts.push(rounded(at / self.unit.1));
        }
        starts
    }

    /// A value of each stretch, and that of the last one again for its end.
    fn values(&self, value: impl Fn(&Stretch) -> f64) -> Vec<f64> {
        let rounded = |of| rounded(value(of));
        let mut values: Vec<f64> = self.stretches.iter().map(rounded).collect();
        values.push(values.last().copied().unwrap_or(0.0));
        values
    }
}

/// Pages a second over a run; the colours are what limited it.
pub fn rate_plot(run: &RunLedger) -> Plot {
    let time = Timeline::of(run);
    let plot = Plot::stack(
        "rate",
        "Pages a second, and what limited them",
        "The height is the rate; the colour is what kept it from being higher. Where a stretch had several \
         limits, each has its part of the height.",
    );
    let plot = plot
        .x(time.axis(), time.starts())
        .y(Axis::linear("pages/s"));
    Limit::ALL.into_iter().fold(plot, |plot, limit| {
        let values = time.values(|of| of.window.pages_per_second() * limit_share(of, limit));
        plot.series(Series::new(limit.words(), limit_colour(limit), values))
    })
}

/// The share of a run's time under each limit.
pub fn limits_plot(run: &RunLedger) -> Plot {
    let time = Timeline::of(run);
    let plot = Plot::bands(
        "limits",
        "What limited it, over time",
        "The share of the time under each limit, also where hardly a page came.",
    );
    let plot = plot.x(time.axis(), time.starts()).y(Axis::linear("share"));
    Limit::ALL.into_iter().fold(plot, |plot, limit| {
        let values = time.values(|of| limit_share(of, limit));
        plot.series(Series::new(limit.words(), limit_colour(limit), values))
    })
}

/// How busy everything is that could be the limit.
pub fn busy_plot(run: &RunLedger) -> Plot {
    let time = Timeline::of(run);
    let percent = |value: fn(&Stretch) -> f64| time.values(move |of| value(of) * 100.0);
    Plot::lines(
        "busy",
        "How busy it was",
        "Slots that hold a page, processors that this crawl and other processes use, and the thread that writes \
         the outputs. What stays near 100 % is, or is near, the limit.",
    )
    .x(time.axis(), time.starts())
    .y(Axis::linear("%"))
    .series(Series::new("slots", Colour::Blue, percent(|of| of.window.slots_busy())))
    .series(Series::new(
        "own processors",
        Colour::Vermillion,
        percent(|of| of.window.own_processors()),
    ))
    .series(Series::new(
        "other processes",
        Colour::Grey,
        percent(|of| of.window.others_processors()),
    ))
    .series(Series::new("outputs", Colour::Orange, percent(|of| of.window.sink_busy())))
}

/// To six digits: more nobody sees, and the last ones change where a ledger is written and read.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powi(5 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

/// 0 to 1; of a stretch of which nothing is known, 0.
fn limit_share(of: &Stretch, limit: Limit) -> f64 {
    let known: f64 = of.limits.iter().sum();
    let under = of.limits.get(limit as usize).copied().unwrap_or(0.0);
    if known > 0.0 { under / known } else { 0.0 }
}

/// One visit from when it got its slot, a bar a state. `what` says which visit it is.
pub fn waterfall(what: &str, visit: &VisitExample) -> Bars {
    let (mut at, mut bars) = (0.0, Vec::new());
    let mut waited = Vec::new();
    for (state, seconds) in State::ALL.into_iter().zip(visit.states) {
        let millis = seconds * 1_000.0;
        if !state.has_slot() && millis > 0.0 {
            waited.push(format!("{} {}", state.words(), shown_millis(millis)));
        } else if state.has_slot() && millis > 0.0 {
            bars.push((state, at, millis));
            at += millis;
        }
    }
    let waited = match waited.as_slice() {
        [] => String::new(),
        waited => format!(", and besides {}", waited.join(", ")),
    };
    let caption = format!(
        "{}: {} with a slot{waited}.",
        cut(&visit.url),
        shown_millis(at)
    );
    let mut made = Bars::new(what, caption, "ms");
    for (state, _, _) in &bars {
        made = made.state(state.words(), state_colour(*state));
    }
    for (place, (state, start, millis)) in bars.into_iter().enumerate() {
        made = made.row(
            BarRow::new(state.words())
                .starting_at(start)
                .part(place, millis),
        );
    }
    made
}

/// Pages by outcome.
pub fn outcome_bars(counts: &Counts) -> Bars {
    let mut outcomes: Vec<_> = counts.outcomes.iter().collect();
    outcomes.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let rows = outcomes
        .into_iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    counted("Outcomes", "What became of the pages.", Colour::Blue, rows)
}

/// Pages by HTTP status.
pub fn status_bars(counts: &Counts) -> Bars {
    let rows = counts.statuses.iter();
    counted(
        "HTTP status",
        "What the servers answered.",
        Colour::Green,
        rows.map(|(status, count)| (status.to_string(), *count)),
    )
}

fn counted(
    title: &str,
    caption: &str,
    colour: Colour,
    rows: impl Iterator<Item = (String, u64)>,
) -> Bars {
    let bars = Bars::new(title, caption, "pages").state("pages", colour);
    rows.fold(bars, |bars, (name, count)| {
        bars.row(BarRow::new(name).part(0, count as f64))
    })
}

/// Pages by their size.
pub fn size_plot(counts: &Counts) -> Plot {
    Plot::bars(
        "sizes",
        "Sizes of the pages",
        "Bytes after decompression of what was fetched. Each bar goes up to twice its size.",
        labels(&counts.sizes, shown_bytes),
    )
    .x_label("from this size")
    .y(Axis::linear("pages"))
    .series(Series::new("pages", Colour::Sky, values(&counts.sizes)))
}

/// Pages by the time of their fetch.
pub fn fetch_time_plot(counts: &Counts) -> Plot {
    let shown = |millis: u64| shown_millis(millis as f64);
    Plot::bars(
        "times",
        "How long fetches took",
        "From looking up the name to the last byte, without waiting for a turn. Each bar goes up to twice its time.",
        labels(&counts.fetch_millis, shown),
    )
    .x_label("from this time")
    .y(Axis::linear("pages"))
    .series(Series::new("pages", Colour::Orange, values(&counts.fetch_millis)))
}

/// Pages by their distance from a seed.
pub fn hops_plot(counts: &Counts) -> Plot {
    let names = (0..counts.hops.len()).map(|hops| match hops {
        63 => "63 and more".to_owned(),
        hops => hops.to_string(),
    });
    Plot::bars(
        "hops",
        "Hops",
        "How many links lie between a seed and the page.",
        names,
    )
    .x_label("hops")
    .y(Axis::linear("pages"))
    .series(Series::new(
        "pages",
        Colour::Purple,
        counts.hops.iter().map(|count| *count as f64),
    ))
}

fn labels(steps: &[Step], shown: impl Fn(u64) -> String) -> Vec<String> {
    steps.iter().map(|step| shown(step.from)).collect()
}

fn values(steps: &[Step]) -> Vec<f64> {
    steps.iter().map(|step| step.count as f64).collect()
}

/// Bytes in the largest binary unit that they fill.
pub(super) fn shown_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, bits)| bytes >= 1 << bits);
    match unit {
        Some((name, bits)) => {
            let number = bytes as f64 / (1_u64 << bits) as f64;
            let digits = usize::from(number < 10.0 && number.fract() > 0.05);
            format!("{number:.digits$} {name}")
        }
        None => format!("{bytes} B"),
    }
}

/// Milliseconds, from a second on as seconds, to what a person reads.
pub(super) fn shown_millis(millis: f64) -> String {
    match millis {
        millis if millis >= 10_000.0 => format!("{:.0} s", millis / 1_000.0),
        millis if millis >= 1_000.0 => format!("{:.1} s", millis / 1_000.0),
        millis if millis >= 10.0 || millis == 0.0 => format!("{millis:.0} ms"),
        millis if millis >= 1.0 => format!("{millis:.1} ms"),
        millis => format!("{millis:.2} ms"),
    }
}

/// A sentence with a large letter at its beginning.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A text from the web, cut after 300 characters.
pub(super) fn cut(text: &str) -> String {
    const MOST_CHARACTERS: usize = 300;
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use nephila_ledger::Window;

    use super::*;

    #[test]
    fn the_height_of_the_rate_is_the_rate_and_its_parts_are_the_limits() {
        let mut run = RunLedger::default();
        for pages in [10.0, 40.0] {
            run.series.push(Window {
                seconds: 2.0,
                pages,
                loops: 2.0,
                loop_seconds: [0.2, 1.8, 0.0, 0.0, 0.0, 0.0],
                ..Window::default()
            });
        }
        let data = rate_plot(&run).data();
        assert_eq!(data[0], [Some(0.0), Some(2.0), Some(4.0)]);
        let height = |at: usize| {
            data[1..]
                .iter()
                .filter_map(|values| values[at])
                .sum::<f64>()
        };
        assert_eq!([height(0), height(1), height(2)], [5.0, 20.0, 20.0]);
        let run_limits = run.series.total().limits;
        for (place, seconds) in run_limits.into_iter().enumerate() {
            let is_shown = data[1 + place].iter().any(|value| *value > Some(0.0));
            assert_eq!(is_shown, seconds > 0.0, "{:?}", Limit::ALL[place]);
        }
        let shares = limits_plot(&run).data();
        let sum = |at: usize| {
            shares[1..]
                .iter()
                .filter_map(|values| values[at])
                .sum::<f64>()
        };
        assert_eq!([sum(0), sum(1)], [1.0, 1.0]);
    }

    #[test]
    fn a_run_without_a_window_is_drawn_as_nothing() {
        for plot in [rate_plot, limits_plot, busy_plot] {
            let data = plot(&RunLedger::default()).data();
            assert!(data.iter().all(|values| values.len() == 1));
        }
    }

    #[test]
    fn figures_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1 << 10, "1 KiB"),
            (1_536, "1.5 KiB"),
            (3 << 30, "3 GiB"),
        ] {
            assert_eq!(shown_bytes(bytes), text);
        }
        for (millis, text) in [
            (0.0, "0 ms"),
            (0.25, "0.25 ms"),
            (12.4, "12 ms"),
            (2_048.0, "2.0 s"),
        ] {
            assert_eq!(shown_millis(millis), text);
        }
        assert_eq!(cut(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
    }
}
