//! What a user does with each page: a callback on threads of its own, so that no fetch waits for it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use nephila_parse::Document;
use tokio::sync::{Semaphore, oneshot};

use crate::analysis::Found;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::ledger::{HandlerAccount, thread_cpu};

/// Pages that wait for each thread of a handler, so that it never waits for one.
const WAITING_A_THREAD: usize = 2;

/// A page that was fetched, as its handler sees it.
#[derive(Debug)]
pub struct Page {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) found: Found,
}

impl Page {
    /// Its canonical URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The status of the answer, 200 to 299.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The `Content-Type` header as it came.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The body, decompressed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What parsing found in it; `None` where it is no HTML.
    pub fn document(&self) -> Option<&Document> {
        match &self.found {
            Found::Document(document) => Some(document),
            _ => None,
        }
    }
}

/// Why a handler failed on a page; any error becomes one by `?`.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// What a user does with each page. Implemented by every closure of that form.
pub trait Handler: Send + Sync + 'static {
    /// Called once for each page with outcome `fetched`, on one of the handler's threads, before the page's
    /// outcome is durable: after a crash a page may come again.
    ///
    /// # Errors
    /// Any: the page's outcome becomes `handler_error`, its row has the error's text, its links are followed,
    /// and the crawl goes on. So does it after a panic.
    fn handle(&self, page: &Page) -> Result<(), HandlerError>;
}

impl<F> Handler for F
where
    F: Fn(&Page) -> Result<(), HandlerError> + Send + Sync + 'static,
{
    fn handle(&self, page: &Page) -> Result<(), HandlerError> {
        self(page)
    }
}

/// A handler, and how many threads it gets.
pub(crate) struct HandlerSetup {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) threads: usize,
}

/// A page that was handled.
pub(crate) struct Handled {
    pub(crate) page: Page,
    /// Why it failed, in words.
    pub(crate) failure: Option<String>,
}

struct Job {
    page: Page,
    done: oneshot::Sender<Handled>,
}

/// The threads of a handler. They end when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Handlers {
    jobs: crossbeam_channel::Sender<Job>,
    /// As many as the queue has places: who has one need not wait with the thread that fetches.
    room: Arc<Semaphore>,
}

impl fmt::Debug for Handlers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handlers").finish_non_exhaustive()
    }
}

impl HandlerSetup {
    /// Starts the threads, at least one, which note what they do.
    pub(crate) fn start(
        self,
        clock: Clock,
        account: &Arc<HandlerAccount>,
    ) -> Result<Handlers, Error> {
        let (handler, threads) = (self.handler, self.threads.max(1));
        let places = threads * (1 + WAITING_A_THREAD);
        let (jobs, queue) = crossbeam_channel::bounded::<Job>(places);
        account.set_threads(threads);
        for number in 0..threads {
            let (queue, account, handler) = (queue.clone(), account.clone(), handler.clone());
            let work = move || {
                account.note_thread(rustix::thread::gettid().as_raw_nonzero().get());
                for Job { page, done } in queue.iter() {
                    let began = (clock.elapsed(), thread_cpu());
                    let failure = failure(&*handler, &page);
                    let took = clock.elapsed().saturating_sub(began.0);
                    account.note(took, thread_cpu().saturating_sub(began.1));
                    // The crawl may have ended meanwhile; then the page is for nobody.
                    let _ = done.send(Handled { page, failure });
                }
            };
            std::thread::Builder::new()
                .name(format!("handler-{number}"))
                .spawn(work)
                .map_err(|error| {
                    Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))
                })?;
        }
        Ok(Handlers {
            jobs,
            room: Arc::new(Semaphore::new(places)),
        })
    }
}

impl Handlers {
    /// Has a page handled. Waits for a thread without blocking its own.
    pub(crate) async fn handle(&self, page: Page) -> Result<Handled, Error> {
        let ended = || Error::new(ErrorKind::Bug, "the threads of the handler have ended");
        let _room = self.room.acquire().await.map_err(|_| ended())?;
        let (done, handled) = oneshot::channel();
        self.jobs
            .try_send(Job { page, done })
            .map_err(|_| ended())?;
        handled.await.map_err(|_| ended())
    }
}

fn failure(handler: &dyn Handler, page: &Page) -> Option<String> {
    // A handler that panics is the user's to mend; what it works on is its own.
    match catch_unwind(AssertUnwindSafe(|| handler.handle(page))) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Some(format!("it panicked: {}", text.unwrap_or_default()))
        }
    }
}
