//! Follows the directory of a crawl that ended, or that another process runs.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nephila::{CrawlDirectory, StoredCrawl};

use crate::view::View;

/// Between two looks at the directory.
const EVERY: Duration = Duration::from_secs(1);

/// The thread that reads the directory, and what it read last.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    latest: Mutex<Latest>,
    /// Wakes the thread when it is to end.
    changed: Condvar,
}

struct Latest {
    view: Arc<View>,
    /// Why the last look failed.
    error: Option<String>,
    is_over: bool,
}

impl Follower {
    /// Opens the directory; its log is read on a thread of its own.
    ///
    /// # Errors
    /// Where it is no crawl directory, or there is no thread.
    pub(crate) fn start(
        root: PathBuf,
    ) -> Result<Follower, Box<dyn std::error::Error + Send + Sync>> {
        let mut crawl = StoredCrawl::open(CrawlDirectory::at(root))?;
        let shared = Arc::new(Shared {
            latest: Mutex::new(Latest {
                view: Arc::new(View::of_unread(&crawl)),
                error: None,
                is_over: false,
            }),
            changed: Condvar::new(),
        });
        let own = shared.clone();
        let work = move || {
            loop {
                let refreshed = crawl.refresh();
                let mut latest = own.latest();
                match refreshed {
                    Ok(()) => {
                        (latest.view, latest.error) = (Arc::new(View::of_stored(&crawl)), None)
                    }
                    Err(error) => latest.error = Some(error.to_string()),
                }
                let waited = own
                    .changed
                    .wait_timeout_while(latest, EVERY, |latest| !latest.is_over);
                if waited.unwrap_or_else(PoisonError::into_inner).0.is_over {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("follow".to_owned());
        Ok(Follower {
            thread: Some(thread.spawn(work)?),
            shared,
        })
    }

    /// What was read last.
    ///
    /// # Errors
    /// Why the directory could not be read.
    pub(crate) fn view(&self) -> Result<Arc<View>, String> {
        let latest = self.shared.latest();
        match &latest.error {
            Some(error) => Err(error.clone()),
            None => Ok(latest.view.clone()),
        }
    }
}

impl Shared {
    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.latest().is_over = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there would be a bug that a test shows; here nothing more is to be read.
            let _ = thread.join();
        }
    }
}
