//! One run of the engine, on one thread and on virtual time.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use super::wire::Wire;
use super::world::World;
use crate::analysis::Workers;
use crate::analyst::AnalysisRoom;
use crate::clock::Clock;
use crate::committer::{Desk, Message, channel};
use crate::control::Control;
use crate::directory::CrawlDirectory;
use crate::error::{Error, ErrorKind};
use crate::journal::StopReason;
use crate::launch::{Launch, Place};
use crate::ledger::Ledger;
use crate::opening::Opened;
use crate::options::Settings;
use crate::products::Products;
use crate::progress::Progress;
use crate::sinks::Ended;

/// How often the committer looks at what was handed over, as the real one does.
const REST: Duration = Duration::from_millis(5);

/// What a run that ended in good order knows.
pub(super) struct Finished {
    pub(super) pages: u64,
}

/// Runs the crawl of a world until it is done, or the disk fails.
pub(super) fn run_once(world: &Rc<World>) -> Result<Finished, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let clock = Clock::starting_at(world.wall());
        let ended = run(world, clock).await;
        world.pass(clock.elapsed());
        ended.map(|ended| Finished {
            pages: ended.tally.pages(),
        })
    })
}

fn open(world: &World, clock: Clock) -> Result<Opened, Error> {
    let directory = CrawlDirectory::at(world.directory());
    if !directory.crawl_file().exists() {
        return Opened::create(directory, &world.seeds(), &world.settings, clock);
    }
    let opened = Opened::resume(directory, &Settings::new(), clock)?;
    let is_from_checkpoint = u64::from(opened.checkpoint.is_some());
    world
        .from_checkpoint
        .set(world.from_checkpoint.get() + is_from_checkpoint);
    let kept = opened.history.tally.pages();
    let promised = world.promised.get();
    assert!(
        kept >= promised,
        "{kept} pages of {promised} that were counted"
    );
    Ok(opened)
}

async fn run(world: &Rc<World>, clock: Clock) -> Result<Ended, Error> {
    let mut opened = open(world, clock)?;
    assert_eq!(opened.frontiers.len(), world.shards);
    let slots = opened.config.concurrency.0.unwrap_or(1);
    let control = Control::new(slots, slots);
    let progress = Arc::new(Progress::default());
    let first = opened.admit_seeds()?;
    let (common, receivers) = opened.common(&control, &progress);
    let maker = opened.maker(&common, false);
    let mut sinks = opened.sinks;
    sinks.begin_run(false, clock.now())?;
    let (sender, receiver, room) = channel();
    for handover in first {
        sender.send_first(handover)?;
    }
    let ledger = Arc::new(Ledger::new(world.shards));
    let launch = Launch {
        workers: Workers::start(1, clock, &ledger.work)?,
        handlers: None,
        ledger: ledger.clone(),
        products: Products::default(),
        processors: Arc::default(),
        room: AnalysisRoom::new(opened.config.body_memory.0 / 2),
        duplicates: opened.duplicates,
        config: opened.config,
        seeds: opened.seeds,
        clock,
        common,
        key: opened.history.key.unwrap_or_default(),
    };
    let interval = launch.config.commit_interval;
    let desk = Desk::new(sinks, maker, clock, room.clone(), ledger);
    let (of_world, of_control) = (world.clone(), control.clone());
    let committer = tokio::task::spawn_local(async move {
        let ended = commit(desk, &receiver, interval, clock, &of_world).await;
        if ended.is_err() {
            room.close();
            of_control.end();
        }
        ended
    });
    let mut shards = JoinSet::new();
    for (number, (frontier, inbox)) in opened.frontiers.into_iter().zip(receivers).enumerate() {
        let place = Place {
            number,
            frontier,
            inbox,
            committer: sender.clone(),
        };
        let world = world.clone();
        let wire = Wire { world, clock };
        // Nobody tells that pulse of waits: all work is done where it comes up.
        let shard = launch.shard(place, launch.pulse(number), wire)?;
        shards.spawn_local(shard.run());
    }
    let mut failed = Ok(());
    while let Some(joined) = shards.join_next().await {
        failed = failed.and(joined.unwrap());
    }
    let reason = control.reason();
    sender.stop(reason);
    let ended = committer.await.unwrap()?;
    failed?;
    match reason {
        StopReason::Done => Ok(ended),
        _ => Err(Error::new(
            ErrorKind::Bug,
            "the crawl was interrupted by nobody",
        )),
    }
}

/// The committer's loop, without its thread.
async fn commit(
    mut desk: Desk,
    messages: &Receiver<Message>,
    interval: Duration,
    clock: Clock,
    world: &World,
) -> Result<Ended, Error> {
    let mut due = None;
    loop {
        match messages.try_recv() {
            Ok(message) => {
                if let Some(reason) = desk.take(message)? {
                    desk.stop(reason)?;
                    return desk.end();
                }
                due.get_or_insert(clock.elapsed() + interval);
            }
            Err(TryRecvError::Disconnected) => return desk.end(),
            Err(TryRecvError::Empty) => sleep(REST).await, // paced: virtual time
        }
        if due.is_some_and(|due| clock.elapsed() >= due) {
            desk.commit()?;
            due = None;
            world.promised.set(desk.pages_counted());
        }
        if let Some(reason) = desk.advance_checkpoint(messages)? {
            desk.stop(reason)?;
            return desk.end();
        }
    }
}
