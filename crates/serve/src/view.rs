//! What is shown of a crawl at one moment, wherever it is read from.

use std::sync::Arc;

use nephila::{
    Counts, Explanation, HostRankings, LiveCrawl, Problem, RunLedger, RunState, StoredCrawl, Window,
};

/// How a crawl stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Its log is being read for the first time.
    Reading,
    Running,
    Paused,
    /// It gives out nothing more, and waits for what is in flight.
    Stopping,
    Ended,
    /// Its last run was killed, or could not go on.
    BrokenOff,
}

/// One moment of a crawl.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) standing: Standing,
    /// Why it ended, where that is known.
    pub(crate) stopped: Option<&'static str>,
    pub(crate) seeds: Arc<[String]>,
    pub(crate) directory: Arc<str>,
    /// Of the crawl that this process runs.
    pub(crate) live: Option<Live>,
    /// URLs that wait.
    pub(crate) queued: u64,
    /// Hosts that are known.
    pub(crate) host_count: u64,
    pub(crate) counts: Arc<Counts>,
    pub(crate) hosts: Arc<HostRankings>,
    pub(crate) run: Arc<RunLedger>,
    pub(crate) explanation: Option<Arc<Explanation>>,
    pub(crate) problems: Vec<Problem>,
}

/// What only the process that crawls can say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) in_flight: u64,
    pub(crate) slots: usize,
    pub(crate) most_slots: usize,
    pub(crate) elapsed_seconds: f64,
}

impl View {
    /// Of a crawl that this process runs.
    pub(crate) fn of_live(crawl: &LiveCrawl, seeds: &Arc<[String]>) -> View {
        let (snapshot, control) = (crawl.snapshot(), crawl.control());
        let standing = match () {
            () if control.has_ended() => Standing::Ended,
            () if control.is_stopping() => Standing::Stopping,
            () if control.is_paused() => Standing::Paused,
            () => Standing::Running,
        };
        let run = crawl.run();
        View {
            standing,
            stopped: None,
            seeds: seeds.clone(),
            directory: crawl.directory().root().display().to_string().into(),
            live: Some(Live {
                in_flight: snapshot.in_flight,
                slots: control.concurrency(),
                most_slots: control.most_concurrency(),
                elapsed_seconds: crawl.elapsed().as_secs_f64(),
            }),
            queued: snapshot.queued,
            host_count: snapshot.hosts,
            counts: crawl.counts(),
            hosts: crawl.hosts(),
            explanation: Some(Arc::new(Explanation::of(&run, crawl.config()))),
            run,
            problems: crawl.problems(),
        }
    }

    /// Of a crawl on the disk.
    pub(crate) fn of_stored(crawl: &StoredCrawl) -> View {
        let hosts = crawl.hosts();
        View {
            standing: match crawl.state() {
                RunState::Running => Standing::Running,
                RunState::Stopped => Standing::Ended,
                RunState::BrokenOff => Standing::BrokenOff,
            },
            stopped: crawl.stopped(),
            seeds: crawl.seeds().into(),
            directory: crawl.directory().root().display().to_string().into(),
            live: None,
            queued: crawl.queued(),
            host_count: hosts.hosts,
            counts: Arc::new(crawl.counts()),
            hosts: Arc::new(hosts),
            run: crawl.run().unwrap_or_default(),
            explanation: crawl.explanation().map(Arc::new),
            problems: Vec::new(),
        }
    }

    /// Of a crawl on the disk whose log is being read.
    pub(crate) fn of_unread(crawl: &StoredCrawl) -> View {
        View {
            standing: Standing::Reading,
            ..View::of_stored(crawl)
        }
    }

    /// The last five seconds of the ledger.
    pub(crate) fn lately(&self) -> Window {
        const SECONDS: f64 = 5.0;
        self.run.series.last(SECONDS).window
    }
}
