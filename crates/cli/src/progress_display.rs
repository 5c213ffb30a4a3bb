//! What a person sees while a crawl runs: one calm display on a terminal, else a line every few
//! seconds.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use nephila::{Clock, Control, LiveLedger, Progress, Snapshot};

use crate::terminal::{bytes, complain, count, is_watched, span};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    /// Not at all.
    Quiet,
    /// One display that is redrawn.
    Live,
    /// Plain lines.
    Lines,
    /// JSON lines.
    Json,
}

impl Display {
    /// From `--quiet` and `--log-format`.
    pub(crate) fn chosen(is_quiet: bool, format: Option<&str>) -> Display {
        match (is_quiet, format) {
            (true, _) => Display::Quiet,
            (_, Some("json")) => Display::Json,
            (_, Some("text")) => Display::Lines,
            _ if is_watched() => Display::Live,
            _ => Display::Lines,
        }
    }
}

/// Time between two drawings of the live display.
const REDRAW: Duration = Duration::from_millis(250);

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows progress on a thread of its own until the crawl ends.
pub(crate) fn show(
    display: Display,
    progress: Arc<Progress>,
    ledger: LiveLedger,
    control: Control,
    max_pages: Option<u64>,
) -> Option<JoinHandle<()>> {
    let every = match display {
        Display::Quiet => return None,
        Display::Live => REDRAW,
        Display::Lines | Display::Json => LINE_EVERY,
    };
    let clock = Clock::start();
    let bar = (display == Display::Live).then(live_bar);
    let work = move || {
        let mut pace = Pace::default();
        while !control.wait_for_end(every) {
            let now = progress.snapshot();
            let elapsed = clock.elapsed();
            pace.note(elapsed, now);
            let verdict = ledger.line().map(|line| line.verdict);
            match (&bar, display) {
                (Some(bar), _) => {
                    let verdict = verdict.map_or_else(String::new, |words| format!("\n  {words}"));
                    bar.set_message(live_text(now, elapsed, &pace, max_pages) + &verdict);
                }
                (None, Display::Json) => complain(&json_line(now, elapsed, &pace, verdict)),
                (None, _) => {
                    let verdict = verdict.map_or_else(String::new, |words| format!("; {words}"));
                    complain(&(plain_line(now, elapsed, &pace) + &verdict));
                }
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    };
    std::thread::Builder::new()
        .name("progress".to_owned())
        .spawn(work)
        .ok()
}

fn live_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW);
    bar
}

/// Rates over the last seconds.
#[derive(Debug, Default)]
struct Pace {
    samples: std::collections::VecDeque<(Duration, Snapshot)>,
}

impl Pace {
    const WINDOW: Duration = Duration::from_secs(10);

    fn note(&mut self, elapsed: Duration, snapshot: Snapshot) {
        self.samples.push_back((elapsed, snapshot));
        while self.samples.len() > 2
            && self
                .samples
                .front()
                .is_some_and(|(at, _)| elapsed.saturating_sub(*at) > Self::WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Pages and bytes a second.
    fn rates(&self) -> (f64, f64) {
        let (Some((from, first)), Some((to, last))) = (self.samples.front(), self.samples.back())
        else {
            return (0.0, 0.0);
        };
        let (from, first) = if self.samples.len() < 2 {
            (Duration::ZERO, Snapshot::default())
        } else {
            (*from, *first)
        };
        let seconds = to.saturating_sub(from).as_secs_f64().max(0.001);
        let pages = last.pages.saturating_sub(first.pages) as f64;
        let wire = last.wire_bytes.saturating_sub(first.wire_bytes) as f64;
        (pages / seconds, wire / seconds)
    }
}

fn live_text(now: Snapshot, elapsed: Duration, pace: &Pace, max_pages: Option<u64>) -> String {
    let (pages, wire) = pace.rates();
    format!(
        "{} pages  {:.1}/s  {} in flight  {} queued  {} hosts  {} errors  {}/s\n  {}{}",
        count(now.pages),
        pages,
        count(now.in_flight),
        count(now.queued),
        count(now.hosts),
        count(now.errors),
        bytes(wire as u64),
        span(elapsed),
        estimate(now, pages, max_pages),
    )
}

/// How long it may still take, where that can honestly be said: to a page limit there is a
/// distance, while a queue may grow with every page.
fn estimate(now: Snapshot, rate: f64, max_pages: Option<u64>) -> String {
    let Some(most) = max_pages else {
        return String::new();
    };
    let left = most.saturating_sub(now.pages);
    if rate <= 0.0 || left == 0 {
        return String::new();
    }
    let seconds = (left as f64 / rate).min(1e9);
    format!(
        "  at most {} to --max-pages",
        span(Duration::from_secs_f64(seconds))
    )
}

fn plain_line(now: Snapshot, elapsed: Duration, pace: &Pace) -> String {
    let (pages, wire) = pace.rates();
    format!(
        "{}: {} pages, {:.1}/s, {} in flight, {} queued, {} hosts, {} errors, {}/s",
        span(elapsed),
        count(now.pages),
        pages,
        count(now.in_flight),
        count(now.queued),
        count(now.hosts),
        count(now.errors),
        bytes(wire as u64),
    )
}

fn json_line(now: Snapshot, elapsed: Duration, pace: &Pace, verdict: Option<String>) -> String {
    let (pages, wire) = pace.rates();
    serde_json::json!({
        "event": "progress",
        "elapsed_seconds": elapsed.as_secs_f64(),
        "pages": now.pages,
        "pages_per_second": pages,
        "in_flight": now.in_flight,
        "queued": now.queued,
        "hosts": now.hosts,
        "errors": now.errors,
        "wire_bytes": now.wire_bytes,
        "wire_bytes_per_second": wire,
        "limit": verdict,
    })
    .to_string()
}
