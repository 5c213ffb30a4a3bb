//! The world of a seed: what is there, and what goes wrong when.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use nephila_frontier::Moment;
use nephila_sim::{Answers, Outcomes, Spread, Web};
use nephila_store::faults::Disk;
use tempfile::TempDir;

use super::MOST_CRASHES;
use crate::options::Settings;

/// When every world begins.
const BEGINNING_MICROS: u64 = 1_800_000_000_000_000;

/// One request, on the world's own time.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) host: String,
    pub(super) target: String,
    pub(super) at: Duration,
    /// None where the crawler died before.
    pub(super) ended: Option<Duration>,
    /// Which run made it.
    pub(super) run: u64,
}

/// A time in which a host does not answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) from: Duration,
    pub(super) until: Duration,
}

/// A world, shared by what is simulated in it.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) answers: Answers,
    pub(super) settings: Settings,
    pub(super) delay: Duration,
    pub(super) shards: usize,
    /// How many runs end in a crash.
    pub(super) crashes: u64,
    /// Hosts that are down for a while, slow or lying; none in half of the worlds.
    pub(super) outages: HashMap<String, Outage>,
    pub(super) has_faults: bool,
    pub(super) log: RefCell<Vec<Request>>,
    pub(super) asked: RefCell<HashMap<(String, String), u32>>,
    /// Pages that a commit has counted, over all runs.
    pub(super) promised: Cell<u64>,
    pub(super) run: Cell<u64>,
    /// Runs that went on from a checkpoint.
    pub(super) from_checkpoint: Cell<u64>,
    /// Time that has passed before the run that is under way.
    past: Cell<Duration>,
    /// How far the wall clock is from it.
    skew_seconds: Cell<i64>,
    dir: TempDir,
    disk: Disk,
}

impl World {
    pub(super) fn of(seed: u64) -> io::Result<Rc<World>> {
        let mut dice = Dice::of(seed, 0);
        let dir = match PathBuf::from("/dev/shm") {
            memory if memory.is_dir() => tempfile::tempdir_in(memory)?,
            _ => tempfile::tempdir()?,
        };
        let disk = Disk::watch(dir.path())?;
        let web = web(seed, &mut dice);
        let has_faults = dice.chance(2);
        let mut outages = HashMap::new();
        for host in 0..web.hosts {
            if has_faults && dice.chance(3) {
                let from = Duration::from_millis(dice.below(60_000));
                let until = from + Duration::from_millis(dice.below(200_000));
                outages.insert(format!("h{host}.sim.test"), Outage { from, until });
            }
        }
        let (settings, delay, shards) = settings(&mut dice);
        Ok(Rc::new(World {
            seed,
            answers: Answers::new(web),
            settings,
            delay,
            shards,
            crashes: dice.below(MOST_CRASHES),
            outages,
            has_faults,
            log: RefCell::default(),
            asked: RefCell::default(),
            promised: Cell::new(0),
            run: Cell::new(0),
            from_checkpoint: Cell::new(0),
            past: Cell::default(),
            skew_seconds: Cell::new(0),
            dir,
            disk,
        }))
    }

    /// The crawl directory.
    pub(super) fn directory(&self) -> PathBuf {
        self.dir.path().join("crawl")
    }

    /// The seeds of the crawl.
    pub(super) fn seeds(&self) -> Vec<String> {
        self.answers.web().seeds()
    }

    /// The time that has passed in the world before the run that is under way.
    pub(super) fn time(&self) -> Duration {
        self.past.get()
    }

    /// What the wall clock shows at the beginning of a run.
    pub(super) fn wall(&self) -> Moment {
        let micros = BEGINNING_MICROS + self.past.get().as_micros() as u64;
        let skew = self.skew_seconds.get() * 1_000_000;
        Moment::from_micros(micros.saturating_add_signed(skew))
    }

    /// A run has ended, so long after its beginning.
    pub(super) fn pass(&self, elapsed: Duration) {
        self.past.set(self.past.get() + elapsed);
        self.run.set(self.run.get() + 1);
    }

    /// Draws when the next run dies: at a file operation, which is what counts for the disk.
    pub(super) fn prepare_crash(&self, number: u64, is_last: bool) {
        if is_last {
            return;
        }
        let mut dice = Dice::of(self.seed, 100 + number);
        let operations = match dice.below(3) {
            0 => dice.below(30),
            1 => dice.below(100),
            _ => dice.below(400),
        };
        self.disk.fail_after(operations);
    }

    /// The process has died, and perhaps the power with it; it is started again a little later.
    pub(super) fn crash(&self, number: u64) -> io::Result<()> {
        let mut dice = Dice::of(self.seed, 200 + number);
        if dice.chance(2) {
            self.disk.lose_power(self.seed * 1_000 + number)?;
        } else {
            self.disk.keep_power()?;
        }
        let pause = Duration::from_millis(dice.below(1_500));
        self.past.set(self.past.get() + pause);
        if dice.chance(4) {
            let jump = dice.below(2 * 86_400) as i64 - 86_400;
            self.skew_seconds.set(jump);
        }
        for request in self.log.borrow_mut().iter_mut() {
            if request.ended.is_none() {
                request.ended = Some(request.at);
            }
        }
        Ok(())
    }
}

/// A small web that has everything.
fn web(seed: u64, dice: &mut Dice) -> Web {
    let hosts = 1 + dice.below(6) as u32;
    let pages = u64::from(hosts) + 5 + dice.below(60);
    let realistic = Web::realistic(seed, hosts, pages);
    let outcomes = Outcomes {
        flaky: 0.05,
        reset: 0.03,
        server_error: 0.02,
        other_type: 0.03,
        truncated: 0.02,
        ..realistic.outcomes
    };
    Web {
        outcomes,
        nofollow: 0.0,
        internal_links: Spread::constant(4.0),
        external_links: Spread::constant(1.0),
        page_bytes: Spread::constant(900.0 + dice.below(4_000) as f64),
        nav_pages: 3,
        ..realistic
    }
}

/// A configuration, the delay in it and the number of shards.
fn settings(dice: &mut Dice) -> (Settings, Duration, usize) {
    const FORMATS: [&str; 6] = [
        "jsonl",
        "jsonl",
        "csv",
        "jsonl.gz,warc",
        "jsonl,warc.zst,csv",
        "parquet",
    ];
    let delay = [0, 100, 1_000][dice.below(3) as usize];
    let shards = 1 + dice.below(3) as usize;
    let format = FORMATS[dice.below(FORMATS.len() as u64) as usize];
    let interval = 10 + dice.below(700);
    let checkpoint = [0, 300, 5_000, 20_000][dice.below(4) as usize];
    let options = [
        ("scope", "any".to_owned()),
        ("delay", format!("{delay}ms")),
        ("threads", shards.to_string()),
        ("format", format.to_owned()),
        ("commit-interval", format!("{interval}ms")),
        ("part-size", "64KiB".to_owned()),
        ("warc-size", "1MiB".to_owned()),
        ("seen-memory", "1MiB".to_owned()),
        ("queue-memory", "1MiB".to_owned()),
        ("concurrency", (1 + dice.below(20)).to_string()),
        ("checkpoint-size", format!("{checkpoint}B")),
    ];
    let settings = options
        .iter()
        .fold(Settings::new(), |settings, (name, value)| {
            settings.with(name, value).unwrap()
        });
    (settings, Duration::from_millis(delay), shards)
}

/// SplitMix64: draws that follow from a seed and what they are for.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64, purpose: u64) -> Dice {
        Dice(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ purpose.wrapping_mul(0x9E6C_63D0_876A_68EE))
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// True once in `times`.
    pub(super) fn chance(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
