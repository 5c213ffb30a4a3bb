//! The thread that publishes parts while the crawl goes on.
//!
//! The committer tells it how many parts are ended and learns how many are published, which the next
//! commit notes. It is bounded by being waited for: the committer does not go on while more than
//! [`MOST_BEHIND`] parts of an output wait.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::error::{Error, ErrorKind};
use crate::journal::PartCounts;
use crate::publish::Outputs;

/// Parts of an output that may wait to be published.
const MOST_BEHIND: u32 = 4;

/// What the two threads share.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Set by the committer.
    ended: PartCounts,
    /// Set by the publisher.
    published: PartCounts,
    /// Nothing more will be ended.
    is_closed: bool,
    /// The publisher is no more; its error is told by the join.
    is_gone: bool,
}

type Shared = (Mutex<Progress>, Condvar);

/// The publisher, as the committer knows it.
#[derive(Debug)]
pub(crate) enum Publisher {
    /// On a thread of its own.
    Beside {
        shared: Arc<Shared>,
        thread: JoinHandle<Result<(), Error>>,
    },
    /// At once, by the caller: for repairs, and where everything has to be repeatable.
    AtOnce {
        outputs: Arc<Outputs>,
        published: PartCounts,
    },
}

impl Publisher {
    /// Starts the thread; parts below `published` are done.
    pub(crate) fn start(outputs: Arc<Outputs>, published: PartCounts) -> Result<Publisher, Error> {
        let progress = Progress {
            ended: published,
            published,
            ..Progress::default()
        };
        let shared = Arc::new((Mutex::new(progress), Condvar::new()));
        let of_thread = shared.clone();
        let work = move || {
            let _gone = Gone(&of_thread);
            work(&outputs, &of_thread)
        };
        let thread = std::thread::Builder::new()
            .name("publish".to_owned())
            .spawn(work)
            .map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))
            })?;
        Ok(Publisher::Beside { shared, thread })
    }

    /// One that works at once.
    pub(crate) fn at_once(outputs: Arc<Outputs>, published: PartCounts) -> Publisher {
        Publisher::AtOnce { outputs, published }
    }

    /// Tells how many parts are ended, and returns how many are published. Waits while too many are
    /// ended and not published.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the publisher has failed: [`Publisher::finish`] says why.
    pub(crate) fn note_ended(&mut self, ended: PartCounts) -> Result<PartCounts, Error> {
        match self {
            Publisher::AtOnce { outputs, published } => {
                while let Some(work) = next(ended, published) {
                    publish(outputs, work)?;
                }
                Ok(*published)
            }
            Publisher::Beside { shared, .. } => {
                let mut progress = lock(shared);
                progress.ended = ended;
                shared.1.notify_all();
                let is_far_behind = |progress: &mut Progress| {
                    let (ended, published) = (progress.ended, progress.published);
                    !progress.is_gone
                        && (ended.rows > published.rows + MOST_BEHIND
                            || ended.archive > published.archive + MOST_BEHIND)
                };
                let waited = shared.1.wait_while(progress, is_far_behind);
                progress = waited.unwrap_or_else(PoisonError::into_inner);
                if progress.is_gone {
                    return Err(Error::new(ErrorKind::Io, "the outputs cannot be published"));
                }
                Ok(progress.published)
            }
        }
    }

    /// Publishes what is ended, and ends.
    ///
    /// # Errors
    /// What stopped the publisher. All is committed: `resume` publishes it.
    pub(crate) fn finish(mut self, ended: PartCounts) -> Result<PartCounts, Error> {
        // Where it has failed, the join says why.
        let noted = self.note_ended(ended);
        match self {
            Publisher::AtOnce { published, .. } => noted.map(|_| published),
            Publisher::Beside { shared, thread, .. } => {
                lock(&shared).is_closed = true;
                shared.1.notify_all();
                let joined = thread.join();
                joined.unwrap_or_else(|_| {
                    Err(Error::new(ErrorKind::Bug, "the publisher panicked"))
                })?;
                Ok(lock(&shared).published)
            }
        }
    }
}

/// Says that the thread is gone when it is dropped, in a panic too: nobody waits for it for ever.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        lock(self.0).is_gone = true;
        self.0.1.notify_all();
    }
}

/// One part to publish.
#[derive(Clone, Copy, Debug)]
enum Work {
    Rows(u32),
    Archive(u32),
}

/// The next part to publish, which counts as published from here on.
fn next(ended: PartCounts, published: &mut PartCounts) -> Option<Work> {
    if published.rows < ended.rows {
        published.rows += 1;
        return Some(Work::Rows(published.rows - 1));
    }
    if published.archive < ended.archive {
        published.archive += 1;
        return Some(Work::Archive(published.archive - 1));
    }
    None
}

fn publish(outputs: &Outputs, work: Work) -> Result<(), Error> {
    match work {
        Work::Rows(number) => outputs.publish_rows(number),
        Work::Archive(number) => outputs.publish_archive(number),
    }
}

fn work(outputs: &Outputs, shared: &Shared) -> Result<(), Error> {
    let mut published = lock(shared).published;
    loop {
        let mut progress = lock(shared);
        progress.published = published;
        shared.1.notify_all();
        let has_nothing = |progress: &mut Progress| {
            !progress.is_closed && next(progress.ended, &mut { progress.published }).is_none()
        };
        let waited = shared.1.wait_while(progress, has_nothing);
        progress = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(work) = next(progress.ended, &mut published) else {
            return Ok(());
        };
        drop(progress);
        publish(outputs, work)?;
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Progress> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}
