//! Reads the accounts and the system while a crawl runs, and keeps what they say.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use nephila_fetch::Shared;
use nephila_ledger::{Controller, Decision, LinkSamples, Series, Spent, State, Verdict, Window};

use super::file::{LedgerFile, RunLedger};
use super::machine::{Processors, allowed_processors, memory_taken, processors, thread_seconds};
use super::visits::Visits;
use super::{Ledger, Line};
use crate::clock::{Clock, rfc3339};
use crate::control::Control;

/// Between two looks at the bodies that are coming.
const TICK: Duration = Duration::from_millis(50);
/// Ticks that make a window.
const TICKS_A_WINDOW: u32 = 10;
/// Windows between two writings of the file.
const WINDOWS_A_WRITE: u32 = 10;
/// Decisions of the controller that are kept: the first and the last of them.
const DECISIONS: usize = 64;
/// Seconds that the line of a progress display speaks of.
const LINE_SECONDS: f64 = 5.0;

/// What it reads.
pub(crate) struct Sources {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) control: Control,
    /// Where the crawl finds out itself how many fetches may be in flight.
    pub(crate) controller: Option<Controller>,
    pub(crate) clock: Clock,
    pub(crate) path: PathBuf,
}

impl Sources {
    /// Starts the thread that keeps the ledger of a run, and ends when the crawl does. `None` where the system
    /// gives no thread for it: the ledger says how a crawl goes, and is not the crawl.
    pub(crate) fn sample(self) -> Option<JoinHandle<()>> {
        let work = move || Sampling::new(self).run();
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        thread.spawn(work).ok()
    }
}

struct Sampling {
    sources: Sources,
    allowed: Vec<usize>,
    file: LedgerFile,
    series: Series,
    /// What is shown of the run.
    run: RunLedger,
    /// All since the beginning, at the last window.
    before: Window,
    before_at: Duration,
    link: LinkSamples,
    bytes_before: u64,
    tick_before: Duration,
    decisions: Vec<Decision>,
}

impl Sampling {
    fn new(sources: Sources) -> Sampling {
        let now = sources.clock.elapsed();
        let mut sampling = Sampling {
            allowed: allowed_processors(),
            file: LedgerFile::read_or_new(&sources.path),
            series: Series::default(),
            run: RunLedger {
                started_at: rfc3339(sources.clock.started_at()),
                ..RunLedger::default()
            },
            before: Window::default(),
            before_at: now,
            link: LinkSamples::default(),
            bytes_before: sources.shared.traffic().bytes(),
            tick_before: now,
            decisions: sources.controller.iter().map(Controller::first).collect(),
            sources,
        };
        sampling.before = sampling.read(now);
        sampling
    }

    fn run(mut self) {
        let (mut ticks, mut windows) = (0, 0);
        loop {
            let has_ended = self.sources.control.wait_for_end(TICK);
            self.look_at_bodies();
            ticks += 1;
            if ticks < TICKS_A_WINDOW && !has_ended {
                continue;
            }
            ticks = 0;
            self.end_window();
            windows += 1;
            if has_ended || windows % WINDOWS_A_WRITE == 0 || windows == 1 {
                self.note_visits();
                self.write();
            }
            self.run.series.clone_from(&self.series);
            self.sources.ledger.board.show_run(self.run.clone());
            if has_ended {
                return;
            }
        }
    }

    fn look_at_bodies(&mut self) {
        let now = self.sources.clock.elapsed();
        let traffic = self.sources.shared.traffic();
        let bytes = traffic.bytes();
        let seconds = now.saturating_sub(self.tick_before).as_secs_f64();
        let rate = bytes.saturating_sub(self.bytes_before) as f64 / seconds.max(1e-3);
        self.link.note(traffic.bodies() as f64, rate);
        (self.tick_before, self.bytes_before) = (now, bytes);
    }

    fn end_window(&mut self) {
        let now = self.sources.clock.elapsed();
        let all = self.read(now);
        let seconds = now.saturating_sub(self.before_at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let mut window = all.since(&self.before);
        window.seconds = seconds;
        window.loops = self.sources.ledger.shards.len() as f64 * seconds;
        let threads = self.sources.ledger.work.threads.load(Ordering::Relaxed);
        window.workers = threads as f64 * seconds;
        window.handlers = self.sources.ledger.handler.threads() * seconds;
        window.processors = processors(&self.allowed) * seconds;
        window.link = std::mem::take(&mut self.link);
        (self.before, self.before_at) = (all, now);
        self.decide(&window);
        self.series.push(window);
        self.sources
            .ledger
            .set_line(line(&self.series.last(LINE_SECONDS).window));
    }

    /// Sets the slots to what the controller says, where there is one.
    fn decide(&mut self, window: &Window) {
        if !self.sources.control.is_concurrency_open() {
            return;
        }
        let Some(controller) = &mut self.sources.controller else {
            return;
        };
        let Some(decision) = controller.step(window, memory_taken()) else {
            return;
        };
        self.sources.control.found_concurrency(decision.slots);
        if self.decisions.len() >= DECISIONS {
            self.decisions.remove(DECISIONS / 4);
        }
        self.decisions.push(decision);
    }

    /// All since the beginning, as of now.
    fn read(&self, now: Duration) -> Window {
        let ledger = &self.sources.ledger;
        let mut all = Window::default();
        for account in &ledger.shards {
            all.add(&account.read(now));
            let (on_processor, ready) = account.thread().map_or((0.0, 0.0), thread_seconds);
            all.loop_cpu_seconds += on_processor;
            all.loop_ready_seconds += ready;
        }
        let system = Processors::read(&self.allowed);
        all.cpu_seconds = system.own;
        all.others_cpu_seconds = (system.all - system.own).max(0.0);
        all.pressure_seconds = system.pressure;
        all.worker_seconds = ledger.work.seconds();
        ledger.handler.add_to(&mut all);
        let sink = ledger.sink.thread.read(now);
        all.sink_seconds = sink
            .loop_seconds
            .get(Spent::Working as usize)
            .copied()
            .unwrap_or(0.0);
        all.sync_seconds = ledger.sink.sync_seconds();
        if let Some(seconds) = all.states.get_mut(State::Commit as usize) {
            *seconds = ledger.sink.commit_seconds();
        }
        all
    }

    fn note_visits(&mut self) {
        let ledger = &self.sources.ledger;
        let mut visits = Visits::default();
        ledger
            .shards
            .iter()
            .for_each(|account| visits.add(&account.ended()));
        let mut quantiles = visits.quantiles();
        if let Some((_, commit)) = quantiles
            .iter_mut()
            .find(|(state, _)| *state == State::Commit)
        {
            *commit = ledger.sink.quantiles();
        }
        self.run.quantiles = quantiles.into_iter().map(Into::into).collect();
        self.run.typical = visits.typical();
        self.run.slowest = visits.slowest();
        self.run.decisions.clone_from(&self.decisions);
    }

    fn write(&mut self) {
        self.run.series.clone_from(&self.series);
        self.file.set_last(self.run.clone());
        // It says how the crawl went and is not the crawl: where it cannot be written the crawl goes on.
        let _ = self.file.write(&self.sources.path);
    }
}

/// The last seconds in a line; `None` where nothing was done in them.
fn line(window: &Window) -> Option<Line> {
    let verdict = Verdict::of(window)?;
    Some(Line {
        verdict: super::explanation::verdict_words(&verdict, window),
        slots_busy: window.slots_busy(),
        processors_busy: window.own_processors(),
    })
}
