//! What the ledger of a run means, in words and figures.

use nephila_ledger::{Decision, Limit, Model, Prediction, Reason, Spent, Stretch, Verdict, Window};
use serde::Serialize;

use super::file::RunLedger;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::options::CrawlConfig;

/// What limits a run, what would be the limit behind it, and what to change.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// When the run began, RFC 3339 in UTC.
    pub started_at: String,
    /// Seconds of it that are in the ledger.
    pub seconds: f64,
    /// Pages that got their outcome in them.
    pub pages: f64,
    /// Pages a second in the steady part of the run: without its first and its last tenth.
    pub pages_per_second: f64,
    /// The limit in the steady part; `None` where too little was done.
    pub verdict: Option<Verdict>,
    /// In words and figures.
    pub words: String,
    /// The limit in the last half minute, in words and figures.
    pub lately: Option<String>,
    /// What each limit would let through if there was no other, in pages a second, the lowest first.
    pub bounds: Vec<Bound>,
    /// The share of the run under each limit, the largest first.
    pub limits: Vec<LimitShare>,
    /// What changes would bring.
    pub what_if: Vec<Prediction>,
    /// Fetches in flight at which the processors become the limit.
    pub crossover: Option<f64>,
    /// Measured over computed pages a second: how much of the run the model has in it.
    pub factor: Option<f64>,
    /// How many fetches in flight `--concurrency auto` came to, and why; `None` without it.
    pub concurrency: Option<Concurrency>,
    /// What to change.
    pub advice: Vec<Advice>,
}

/// Where the controller stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Concurrency {
    /// Its last decision.
    pub decision: Decision,
    /// Why, in words.
    pub words: String,
}

/// What one limit would let through.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bound {
    /// The limit.
    pub limit: Limit,
    /// Pages a second.
    pub pages_per_second: f64,
}

/// The share of a run under a limit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LimitShare {
    /// The limit.
    pub limit: Limit,
    /// 0 to 1.
    pub share: f64,
}

/// Something to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Why, in a sentence.
    pub why: String,
    /// Options that can be pasted behind `nephila resume DIR`; empty where none does it.
    pub options: String,
}

impl Explanation {
    /// Explains the last run of a crawl, also while it runs.
    ///
    /// # Errors
    /// As [`LedgerFile::read`](super::LedgerFile::read), and [`ErrorKind::NotACrawl`] where no run has kept a ledger.
    pub fn read(directory: &CrawlDirectory) -> Result<Explanation, Error> {
        let (_, settings) = directory.read_config()?;
        let config = settings.check()?;
        let file = super::LedgerFile::read(directory)?;
        let none = || {
            Error::new(
                ErrorKind::NotACrawl,
                "no run of this crawl has kept a ledger yet",
            )
        };
        file.runs
            .last()
            .map(|run| Explanation::of(run, &config))
            .ok_or_else(none)
    }

    /// Explains one run.
    pub fn of(run: &RunLedger, config: &CrawlConfig) -> Explanation {
        const LATELY_SECONDS: f64 = 30.0;
        let (total, steady) = (run.series.total(), run.series.steady().window);
        let verdict = Verdict::of(&steady);
        let model = Model::of(&steady);
        let lately = run.series.last(LATELY_SECONDS).window;
        let lately = Verdict::of(&lately).map(|verdict| verdict_words(&verdict, &lately));
        let words = verdict.map(|verdict| verdict_words(&verdict, &steady));
        Explanation {
            started_at: run.started_at.clone(),
            seconds: total.window.seconds,
            pages: total.window.pages,
            pages_per_second: steady.pages_per_second(),
            verdict,
            words: words.unwrap_or_else(|| "too little was done to say what limits it".to_owned()),
            lately: lately.filter(|_| total.window.seconds > 2.0 * LATELY_SECONDS),
            bounds: bounds(model.as_ref()),
            limits: limit_shares(&total),
            what_if: model.as_ref().map(Model::what_if).unwrap_or_default(),
            crossover: model.as_ref().map(Model::crossover),
            factor: model.as_ref().map(Model::factor),
            concurrency: run.decisions.last().map(|decision| Concurrency {
                decision: *decision,
                words: reason_words(&decision.reason),
            }),
            advice: verdict
                .map(|verdict| advice(&verdict, &steady, model.as_ref(), config))
                .unwrap_or_default(),
        }
    }
}

fn bounds(model: Option<&Model>) -> Vec<Bound> {
    let bounds = model.map(Model::bounds).unwrap_or_default().into_iter();
    let bound = |(limit, pages_per_second)| Bound {
        limit,
        pages_per_second,
    };
    bounds.map(bound).collect()
}

fn limit_shares(total: &Stretch) -> Vec<LimitShare> {
    let seconds: f64 = total.limits.iter().sum();
    let share = |(limit, under): (Limit, f64)| LimitShare {
        limit,
        share: under / seconds.max(f64::MIN_POSITIVE),
    };
    let mut shares: Vec<LimitShare> = Limit::ALL
        .into_iter()
        .zip(total.limits)
        .map(share)
        .collect();
    shares.retain(|of| of.share > 0.0);
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Why there are as many slots as there are.
fn reason_words(reason: &Reason) -> String {
    let grown = |rate: f64| match rate {
        rate if rate >= 1.0 => format!("{} more pages", percent(rate - 1.0)),
        rate => format!("{} fewer pages", percent(1.0 - rate)),
    };
    match *reason {
        Reason::Beginning => "every crawl begins with as many".to_owned(),
        Reason::Trying => "it is tried out whether more bring more".to_owned(),
        Reason::RateFollows {
            slots_times,
            rate_times,
        } => {
            format!(
                "{slots_times:.1} times as many brought {}",
                grown(rate_times)
            )
        }
        Reason::NoMoreComes {
            slots_times,
            rate_times,
        } => format!(
            "{slots_times:.1} times as many were tried and brought {}",
            grown(rate_times)
        ),
        Reason::ProcessorsBusy { share } => {
            format!(
                "more would only wait for the processors: {} busy",
                percent(share)
            )
        }
        Reason::LatencyGrew { times } => {
            format!("visits take {times:.1} times as long as before, and no more of them end")
        }
        Reason::VisitsFail { share } => format!("{} of the visits failed", percent(share)),
        Reason::MemoryShort { share } => format!("{} of the memory is taken", percent(share)),
        Reason::AtMost => "more are not allowed: open files (`ulimit -n`), or 10,000".to_owned(),
    }
}

/// A verdict in words, with the figures that speak for it.
pub fn verdict_words(verdict: &Verdict, window: &Window) -> String {
    let slots = format!("{} of slots busy", percent(window.slots_busy()));
    let own = format!("processors {} busy", percent(window.own_processors()));
    let loops = percent(window.loop_share(Spent::Working));
    let limit = verdict.limit.words();
    match verdict.limit {
        Limit::RemoteLatency => {
            format!(
                "limited by {limit} at {:.0} in flight: {slots}, {own}",
                window.slot_count()
            )
        }
        Limit::Bandwidth => {
            let rate = window.bytes_per_second() / 1e6;
            format!("limited by {limit}: {rate:.1} MB/s whatever is in flight, {slots}, {own}")
        }
        Limit::OwnCpu => format!("limited by {limit}: threads that fetch {loops} busy, {own}"),
        Limit::Callback => {
            let busy = percent(window.handlers_busy());
            format!("limited by {limit}: its threads {busy} busy, {own}, {slots}")
        }
        Limit::Sink => {
            let sink = percent(window.sink_busy());
            format!("limited by {limit}: it is {sink} busy, and pages wait for it; {own}")
        }
        Limit::Politeness => {
            let hosts = window.turns / window.seconds.max(f64::MIN_POSITIVE);
            format!(
                "limited by {limit}: some {hosts:.0} hosts, {:.1} fetches in flight, {own}",
                window.in_flight()
            )
        }
        Limit::Discovery => {
            format!(
                "limited by {limit}: nothing is queued, {:.1} fetches in flight, {own}",
                window.in_flight()
            )
        }
        Limit::OtherProcess => {
            let others = percent(window.others_processors());
            format!("limited by {limit}: others have {others} of the processors, {own}")
        }
    }
}

fn advice(
    verdict: &Verdict,
    window: &Window,
    model: Option<&Model>,
    config: &CrawlConfig,
) -> Vec<Advice> {
    let advice = |why: String, options: String| vec![Advice { why, options }];
    match verdict.limit {
        Limit::RemoteLatency => {
            let crossover = model.map_or(window.slot_count() * 2.0, Model::crossover);
            let slots = crossover.clamp(window.slot_count() * 1.5, window.slot_count() * 16.0);
            let why = format!(
                "the crawler waits for servers: more fetches in flight bring more, up to some {crossover:.0}, \
                 where the processors become the limit"
            );
            advice(why, format!("--concurrency {:.0}", round(slots)))
        }
        Limit::Politeness if config.per_host == 1 => advice(
            "every host rests between two fetches: more hosts bring more, or, where the hosts are your own, \
             a shorter delay"
                .to_owned(),
            "--delay 0 --per-host 4".to_owned(),
        ),
        Limit::Politeness => advice("every host rests between two fetches: a shorter delay, where the hosts are your own".to_owned(), "--delay 0".to_owned()),
        Limit::Bandwidth => advice(
            "the way from the net is full: fewer kinds of content, or a faster way".to_owned(),
            "--accept text/html --max-wire-size 1MiB".to_owned(),
        ),
        Limit::OwnCpu => {
            let idle = 1.0 - window.own_processors() - window.others_processors();
            let threads = crate::setup::threads(config);
            match idle > 0.3 && (threads as f64) < window.processors / window.seconds {
                true => advice("one thread works at its limit while processors are idle".to_owned(), "--threads 0".to_owned()),
                false => advice("the processors are the limit: more or faster ones, or less work a page".to_owned(), "--text false --body false".to_owned()),
            }
        }
        Limit::Callback => advice("the callback takes the time: make it faster, or hand it to processes".to_owned(), String::new()),
        Limit::Sink => advice("the outputs take the time: a faster disk, or fewer of them".to_owned(), "--format jsonl".to_owned()),
        Limit::Discovery => advice("nothing is left to fetch until pages in flight give links: more seeds, a sitemap, or a wider scope".to_owned(), String::new()),
        Limit::OtherProcess => advice("another process has the processors: end it, or give this one its own".to_owned(), String::new()),
    }
}

/// To two digits, as a person would write it.
fn round(number: f64) -> f64 {
    let digits = 10_f64.powf(number.max(1.0).log10().floor() - 1.0).max(1.0);
    (number / digits).round() * digits
}
