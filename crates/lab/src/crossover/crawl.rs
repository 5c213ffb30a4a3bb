//! A small crawl, really done: pages are fetched over loopback and analysed, some in flight at once.
//!
//! It is a loop of the lab's own and not the crawler's engine, which has no place to hang in an analysis of
//! a chosen length. It is made as a shard of the engine is: one thread, async fetches, and the analysis of a
//! page done by the same thread between them. What it leaves out (frontier, robots.txt, politeness, parsing,
//! the outputs) costs the same at every speed.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::server::{BODY_BYTES, Held, Server};
use crate::clock::{
    Stopwatch, process_processor_seconds, thread_held_up_seconds, thread_processor_seconds,
};
use crate::error::Error;
use crate::measure::Figures;
use crate::work::compute;

/// How much faster the analysis is made.
pub(super) const ANALYSES: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// How much faster I/O is made.
pub(super) const IOS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// Seconds that a crawl is measured for, about, and the bounds of its pages.
const WINDOW_SECONDS: f64 = 0.25;
const FEWEST_PAGES: f64 = 48.0;
const MOST_PAGES: f64 = 400.0;

/// What is crawled, before anything is made faster.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CrawlPlan {
    /// Pages that are fetched at once.
    pub(crate) slots: usize,
    /// How long the server takes for a page in the mean, in seconds.
    pub(crate) latency_seconds: f64,
    /// Rounds of the analysis of a page in the mean, and about how long they take.
    pub(crate) rounds: u64,
    pub(crate) analysis_seconds: f64,
}

/// A crawl of the plan with something made faster.
#[derive(Clone, Copy, Debug)]
struct Run {
    plan: CrawlPlan,
    analysis: f64,
    io: f64,
}

impl Run {
    /// Pages that are measured: enough for a mean, and no more time than needed. A rough rate does.
    fn pages(&self) -> u64 {
        let analysis = self.plan.analysis_seconds / self.analysis;
        let alone = self.plan.latency_seconds / self.io + analysis;
        let rate = (self.plan.slots as f64 / alone).min(1.0 / analysis);
        (rate * WINDOW_SECONDS).clamp(FEWEST_PAGES, MOST_PAGES) as u64
    }

    /// Pages before those: all slots are in flight by then, and no longer in step.
    fn warm_up(&self) -> u64 {
        self.plan.slots as u64 * 2
    }

    fn wait_micros(&self, page: u64) -> u64 {
        let micros = self.plan.latency_seconds / self.io * 1e6;
        (micros * spread(page).0) as u64
    }

    fn rounds(&self, page: u64) -> u64 {
        (self.plan.rounds as f64 / self.analysis * spread(page).1) as u64
    }
}

/// Pages differ, from half to one and a half times the mean, each in latency and in analysis by itself.
///
/// Not by chance: any few pages in a row have nearly the same mean, so that a short crawl measures what a
/// long one would. (M. Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018: R2.)
fn spread(page: u64) -> (f64, f64) {
    const STEPS: (f64, f64) = (0.754_877_666_246_693, 0.569_840_290_998_053);
    let place = |step: f64| 0.5 + (page as f64 * step).fract();
    (place(STEPS.0), place(STEPS.1))
}

/// The squared coefficient of variation of [`spread`]: uniform, one wide, with a mean of one.
pub(super) const VARIATION: f64 = 1.0 / 12.0;

/// All that a crawl has used since its beginning, in seconds.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    wall: f64,
    /// Of processors: the crawl's thread, the part of it that was analysis, and all of this process,
    /// in which the server is.
    thread: f64,
    analysis: f64,
    process: f64,
    /// In which the crawl's thread could have run and did not.
    held_up: f64,
    /// By the server, and for how many pages.
    held: (f64, f64),
}

/// Counts pages, and reads the clocks at the first and at the last that is measured.
struct Meter {
    run: Run,
    stopwatch: Stopwatch,
    held: Arc<Held>,
    begun: u64,
    finished: u64,
    analysis_seconds: f64,
    first: Used,
}

impl Meter {
    fn used(&self) -> Used {
        Used {
            wall: self.stopwatch.seconds(),
            thread: thread_processor_seconds(),
            analysis: self.analysis_seconds,
            process: process_processor_seconds(),
            held_up: thread_held_up_seconds(),
            held: self.held.read(),
        }
    }

    /// The number of the next page.
    fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    /// Notes a page; at the last one that is measured, answers what a page took.
    fn finish(&mut self, analysis_seconds: f64) -> Option<PerPage> {
        self.finished += 1;
        self.analysis_seconds += analysis_seconds;
        let (warm_up, pages) = (self.run.warm_up(), self.run.pages());
        if self.finished == warm_up {
            self.first = self.used();
        }
        let is_last = self.finished == warm_up + pages;
        is_last.then(|| PerPage::between(&self.first, &self.used(), pages as f64))
    }
}

/// What a page took in the mean, in seconds.
#[derive(Clone, Copy, Debug)]
struct PerPage {
    wall: f64,
    thread: f64,
    analysis: f64,
    process: f64,
    held_up: f64,
    held: f64,
}

impl PerPage {
    fn between(first: &Used, last: &Used, pages: f64) -> Self {
        let answers = (last.held.1 - first.held.1).max(1.0);
        Self {
            wall: (last.wall - first.wall) / pages,
            thread: (last.thread - first.thread) / pages,
            analysis: (last.analysis - first.analysis) / pages,
            process: (last.process - first.process) / pages,
            held_up: (last.held_up - first.held_up) / pages,
            held: (last.held.0 - first.held.0) / answers,
        }
    }
}

/// The name of the figure of a crawl: its pages a second.
pub(super) fn rate_name(analysis: f64, io: f64) -> String {
    format!("crawl/{analysis}/{io}")
}

/// The name of the share of the time that its thread could run in which others had the processors.
pub(super) fn held_up_name(analysis: f64, io: f64) -> String {
    format!("held-up/{analysis}/{io}")
}

/// Crawls once at every speed. Figures: pages a second of each and how far it was held up, and seconds of a
/// page as it is before anything is made faster. `turn` shifts the order, so that no speed is always measured first.
///
/// # Errors
/// When there is no loopback, or a connection breaks.
pub(crate) fn measure_crawls(plan: CrawlPlan, turn: usize) -> Result<Figures, Error> {
    let runtime = Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(|error| Error::io("cannot start the async runtime", error))?;
    let runs = ANALYSES
        .into_iter()
        .flat_map(|analysis| IOS.map(|io| Run { plan, analysis, io }));
    let mut runs: Vec<Run> = runs.collect();
    let shift = turn * IOS.len() % runs.len().max(1);
    runs.rotate_left(shift);
    let mut figures = Figures::new();
    for run in runs {
        let page = runtime.block_on(crawl(run))?;
        let held_up = page.held_up / (page.held_up + page.thread).max(1e-9);
        figures.insert(rate_name(run.analysis, run.io), 1.0 / page.wall);
        figures.insert(held_up_name(run.analysis, run.io), held_up);
        if run.analysis == 1.0 && run.io == 1.0 {
            figures.insert("crawl/held".to_owned(), page.held);
            figures.insert("crawl/analysis".to_owned(), page.analysis);
            figures.insert("crawl/fetch".to_owned(), page.thread - page.analysis);
            figures.insert("crawl/server".to_owned(), page.process - page.thread);
        }
    }
    Ok(figures)
}

/// Fetches and analyses until the last page that is measured; what is in flight then is dropped, so that
/// all slots are busy to the end.
async fn crawl(run: Run) -> Result<PerPage, Error> {
    let server = Server::start(run.plan.slots)?;
    let meter = Meter {
        run,
        stopwatch: Stopwatch::start(),
        held: server.held.clone(),
        begun: 0,
        finished: 0,
        analysis_seconds: 0.0,
        first: Used::default(),
    };
    let meter = Arc::new(Mutex::new(meter));
    let mut slots = JoinSet::new();
    for _ in 0..run.plan.slots {
        let connected = TcpStream::connect(server.address).await;
        let stream = connected.map_err(|error| Error::io("cannot connect on loopback", error))?;
        let _ = stream.set_nodelay(true);
        slots.spawn(visit_pages(run, stream, meter.clone()));
    }
    let ended = slots.join_next().await;
    let ended = ended.ok_or_else(|| Error::task("a crawl without slots"))?;
    ended.map_err(|_| Error::task("a crawl panicked"))?
}

/// What a slot does: one page after the other, until one is the last that is measured.
async fn visit_pages(
    run: Run,
    stream: TcpStream,
    meter: Arc<Mutex<Meter>>,
) -> Result<PerPage, Error> {
    let mut stream = BufReader::new(stream);
    let mut body = vec![0; BODY_BYTES];
    loop {
        let page = meter.lock().unwrap_or_else(PoisonError::into_inner).begin();
        let fetched = fetch(&mut stream, run.wait_micros(page), &mut body).await;
        fetched.map_err(|error| Error::io("cannot fetch a page on loopback", error))?;
        let before = thread_processor_seconds();
        compute(run.rounds(page));
        let analysis = thread_processor_seconds() - before;
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(per_page) = meter.finish(analysis) {
            return Ok(per_page);
        }
    }
}

/// One exchange of HTTP/1.1 on a connection that is kept.
async fn fetch(
    stream: &mut BufReader<TcpStream>,
    wait_micros: u64,
    body: &mut [u8],
) -> std::io::Result<()> {
    let request = format!("GET /{wait_micros} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).await?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    stream.read_exact(body).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_differ_and_their_mean_does_not() {
        for first in [1, 77, 4_000] {
            let pages = || (first..first + 48).map(spread);
            let mean = |of: fn((f64, f64)) -> f64| pages().map(of).sum::<f64>() / 48.0;
            assert!((mean(|page| page.0) - 1.0).abs() < 0.04);
            assert!((mean(|page| page.1) - 1.0).abs() < 0.04);
        }
        let square = |page| (spread(page).0 - 1.0).powi(2);
        let variation = (1..1_000).map(square).sum::<f64>() / 999.0;
        assert!((variation - VARIATION).abs() < 0.005, "{variation}");
    }

    #[test]
    fn a_crawl_takes_the_pages_that_its_rate_allows() {
        let plan = CrawlPlan {
            slots: 16,
            latency_seconds: 0.128,
            rounds: 1_000,
            analysis_seconds: 0.004,
        };
        let pages = |analysis, io| Run { plan, analysis, io }.pages();
        assert_eq!(pages(1.0, 1.0), 48);
        assert_eq!(pages(1.0, 64.0), 62);
        assert_eq!(pages(10.0, 64.0), 400);
    }

    #[test]
    fn every_speed_is_really_crawled() {
        let plan = CrawlPlan {
            slots: 4,
            latency_seconds: 0.000_1,
            rounds: 10,
            analysis_seconds: 0.000_1,
        };
        let figures = measure_crawls(plan, 3).unwrap();
        assert_eq!(figures.len(), ANALYSES.len() * IOS.len() * 2 + 4);
        assert!(figures.values().all(|value| *value >= 0.0));
        assert!(figures["crawl/held"] >= 0.000_05);
    }
}
