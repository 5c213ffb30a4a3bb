//! One crawl under conditions that were made on purpose, and what its ledger says of it.

#![expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the real clock"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nephila::{
    Change, Crawl, CrawlDirectory, Explanation, HandlerError, LedgerFile, Limit, Model, Page,
    Prediction, Series, Settings, Verdict, Window, verdict_words,
};
use serde::{Deserialize, Serialize};

use crate::process::Web;

/// A web, a crawler and a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) hosts: u32,
    pub(crate) page_bytes: u32,
    pub(crate) latency_ms: f64,
    /// Bytes a second of all answers together.
    pub(crate) bandwidth: Option<u64>,
    /// Whether each page is linked by the one before it alone.
    pub(crate) chain: bool,
    pub(crate) slots: u32,
    pub(crate) per_host: u32,
    pub(crate) delay_ms: f64,
    /// Processors, and as many threads that fetch; the web has the last one of the machine.
    pub(crate) cores: usize,
    pub(crate) handler: Option<Callback>,
    /// Bytes a second that the outputs' disk takes.
    pub(crate) disk: Option<u64>,
    /// Processes that want the crawler's processors.
    pub(crate) burners: usize,
    /// The controller decides on `slots`.
    #[serde(default)]
    pub(crate) is_auto: bool,
    /// Requests a second above which a host answers 429 or 503.
    pub(crate) max_rate: Option<f64>,
    /// Requests that a host works on at once.
    pub(crate) host_workers: Option<u32>,
    /// What becomes otherwise, so many seconds after the beginning.
    pub(crate) turns: Vec<(f64, Turn)>,
    /// Seconds at its beginning that do not count.
    pub(crate) warm_up: f64,
    pub(crate) seconds: f64,
}

/// Something that becomes otherwise while a crawl runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Turn {
    /// All latencies are so many times what they were at the beginning.
    Latency(f64),
    /// Those of the first host.
    FirstHost(f64),
    /// All answers together are sent at so many bytes a second.
    Bandwidth(u64),
    /// Another process wants the processor.
    Burner,
}

/// A moment of a crawl.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    /// Seconds since the beginning, of its end.
    pub(crate) at: f64,
    pub(crate) seconds: f64,
    pub(crate) pages: f64,
    pub(crate) visits: f64,
    pub(crate) throttled: f64,
    pub(crate) slots: f64,
}

/// What is done with a page beside.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) burn_us: f64,
    pub(crate) sleep_ms: f64,
    pub(crate) threads: usize,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) pages_per_second: f64,
    pub(crate) limit: Option<Limit>,
    pub(crate) words: String,
    /// Of a page, in microseconds, without the callback.
    pub(crate) own_cpu_us: f64,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) crossover: f64,
    pub(crate) points: Vec<Point>,
    /// Where the controller came to, in words.
    pub(crate) standing: String,
}

/// What the process that crawls is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    scenario: Scenario,
    seeds: Vec<String>,
    port: u64,
    changes: Vec<Change>,
    out: String,
}

/// Something that keeps a processor busy until this is dropped.
struct Burner(std::process::Child);

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processors that a crawler of so many cores gets: the first ones.
fn places(cores: usize) -> String {
    format!("0-{}", cores.max(1) - 1)
}

impl Scenario {
    /// Serves the web, and crawls it in a process of its own.
    pub(crate) fn measure(&self, changes: &[Change]) -> anyhow::Result<Measured> {
        let folder = tempfile::tempdir()?;
        let web = self.serve(folder.path())?;
        let burners = (0..self.burners).map(|_| self.burner());
        let mut burners = burners.collect::<Result<Vec<_>, _>>()?;
        let order = Order {
            scenario: self.clone(),
            seeds: web.seeds.clone(),
            port: web.port,
            changes: changes.to_vec(),
            out: folder.path().join("crawl").display().to_string(),
        };
        let told = folder.path().join("order.json");
        std::fs::write(&told, serde_json::to_vec(&order)?)?;
        let child = Command::new("taskset")
            .args(["-c", &places(self.cores)])
            .arg(std::env::current_exe()?)
            .arg("scenario")
            .arg(&told)
            .stderr(Stdio::inherit())
            .stdout(Stdio::piped())
            .spawn()?;
        let began = Instant::now();
        for (at, turn) in &self.turns {
            let pause = Duration::from_secs_f64(*at).saturating_sub(began.elapsed());
            std::thread::sleep(pause);
            match turn {
                Turn::Latency(times) => web.set(&format!("latency={times}"))?,
                Turn::FirstHost(times) => web.set(&format!("latency={times}&host=0"))?,
                Turn::Bandwidth(bytes) => web.set(&format!("bandwidth={bytes}"))?,
                Turn::Burner => burners.push(self.burner()?),
            }
        }
        let output = child.wait_with_output()?;
        drop((burners, web));
        if !output.status.success() {
            bail!("{self:?}: the crawl ended with {}", output.status);
        }
        serde_json::from_slice(&output.stdout).context("what the crawl measured")
    }

    fn burner(&self) -> anyhow::Result<Burner> {
        let child = Command::new("taskset")
            .args(["-c", &places(self.cores)])
            .arg(std::env::current_exe()?)
            .arg("burn")
            .spawn()?;
        Ok(Burner(child))
    }

    fn serve(&self, folder: &Path) -> anyhow::Result<Web> {
        let parameters = folder.join("web.json");
        std::fs::write(&parameters, serde_json::to_vec(&self.web())?)?;
        let parameters = parameters.display().to_string();
        Web::placed("serve", &["--web", &parameters, "--log-entries", "0"], "1")
    }

    fn web(&self) -> nephila_sim::Web {
        const MOST_PAGES: u64 = 400_000;
        let pages = match self.chain {
            true => u64::from(self.hosts) * 2_000,
            false => MOST_PAGES,
        };
        let web = match self.chain {
            true => nephila_sim::Web::chains(1, self.hosts, pages),
            false => nephila_sim::Web::plain(1, self.hosts, pages),
        };
        nephila_sim::Web {
            seed_hosts: self.hosts,
            page_bytes: nephila_sim::Spread::constant(f64::from(self.page_bytes)),
            bandwidth: self.bandwidth,
            max_rate: self.max_rate,
            host_workers: self.host_workers,
            ..web.with_latency_ms(self.latency_ms)
        }
    }
}

/// `nephila-bench burn`: keeps a processor busy until it is ended.
pub(crate) fn burn_for_ever() -> ! {
    loop {
        burn(1e6);
    }
}

/// Computes for so many microseconds of the processor.
fn burn(micros: f64) {
    // By the thread's own clock: what another process takes is not this one's work.
    let cpu = || {
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        clock.tv_sec as f64 * 1e6 + clock.tv_nsec as f64 / 1e3
    };
    let until = cpu() + micros;
    while cpu() < until {
        std::hint::black_box((0..200_u64).fold(1, |a: u64, b| a.wrapping_mul(31).wrapping_add(b)));
    }
}

/// `nephila-bench scenario FILE`: crawls as the file says, and prints what it measured.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let path = arguments.first().context("usage: scenario FILE")?;
    let order: Order = serde_json::from_slice(&std::fs::read(path)?)?;
    let scenario = &order.scenario;
    let mut settings = Settings::new();
    let concurrency = match scenario.is_auto {
        true => "auto".to_owned(),
        false => scenario.slots.to_string(),
    };
    let set = [
        ("scope", "any".to_owned()),
        ("resolve", format!("*:{0}:127.0.0.1:{0}", order.port)),
        ("concurrency", concurrency),
        ("per-host", scenario.per_host.to_string()),
        ("delay", format!("{}ms", scenario.delay_ms)),
        ("threads", scenario.cores.to_string()),
        ("max-duration", format!("{}ms", scenario.seconds * 1e3)),
    ];
    for (option, value) in set {
        settings = settings.with(option, &value)?;
    }
    let mut crawl = Crawl::create(&order.out, &order.seeds, &settings)?;
    if let Some(callback) = scenario.handler {
        let handle = move |_: &Page| -> Result<(), HandlerError> {
            burn(callback.burn_us);
            if callback.sleep_ms > 0.0 {
                std::thread::sleep(Duration::from_secs_f64(callback.sleep_ms / 1e3));
            }
            Ok(())
        };
        crawl = crawl.with_handler(handle, callback.threads);
    }
    if let Some(disk) = scenario.disk {
        nephila::slow_disk(disk);
    }
    let began = Instant::now();
    crawl.run()?;
    if began.elapsed().as_secs_f64() < scenario.seconds * 0.9 {
        bail!("{scenario:?}: the web was too small");
    }
    println!("{}", serde_json::to_string(&measured(&order)?)?);
    Ok(())
}

/// The stretches behind the warm-up, without the end, when fetches in flight are waited for.
fn counted(series: &Series, scenario: &Scenario) -> Window {
    let (mut at, mut sum) = (0.0, Window::default());
    for stretch in series.stretches() {
        let began = at;
        at += stretch.window.seconds;
        if began >= scenario.warm_up && at <= scenario.seconds {
            sum.add(&stretch.window);
        }
    }
    sum
}

fn measured(order: &Order) -> anyhow::Result<Measured> {
    let directory = CrawlDirectory::at(&order.out);
    let ledger = LedgerFile::read(&directory)?;
    let run = ledger.runs.last().context("no run in the ledger")?;
    let steady = counted(&run.series, &order.scenario);
    let model = Model::of(&steady).context("too little was done")?;
    let verdict = Verdict::of(&steady);
    let own = (steady.cpu_seconds - steady.callback_cpu_seconds) / steady.pages;
    let mut at = 0.0;
    let points = run.series.stretches().iter().map(|stretch| {
        let window = &stretch.window;
        at += window.seconds;
        Point {
            at,
            seconds: window.seconds,
            pages: window.pages,
            visits: window.visits,
            throttled: window.throttled,
            slots: window.slot_count(),
        }
    });
    let points = points.collect();
    let (_, settings) = directory.read_config()?;
    let standing = Explanation::of(run, &settings.check()?).concurrency;
    Ok(Measured {
        pages_per_second: steady.pages_per_second(),
        limit: verdict.map(|verdict| verdict.limit),
        words: verdict.map_or_else(String::new, |verdict| verdict_words(&verdict, &steady)),
        own_cpu_us: own * 1e6,
        predictions: order
            .changes
            .iter()
            .map(|change| model.predict(*change))
            .collect(),
        crossover: model.crossover(),
        points,
        standing: standing.map_or_else(String::new, |standing| {
            format!("{}, because {}", standing.decision.slots, standing.words)
        }),
    })
}
