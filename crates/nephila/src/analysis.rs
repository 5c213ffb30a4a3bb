//! The CPU work of a page: decompress, digest, parse. Pure functions of the bytes, so that it can
//! run anywhere.
//!
//! Where it runs: a small body is analysed at once on the fetching thread, which costs less than
//! handing it over and takes less time than another fetch would notice; a body from
//! `--offload-size` on goes to worker threads, so that no fetch waits for it (the figures are in
//! ARCHITECTURE.md). Heavier work goes the same way: [`Workers::run`] is the seam. How many large
//! bodies are decompressed at once is bounded in `analyst.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Sender, TrySendError, bounded};
use nephila_fetch::{DecodeError, decode_body};
use nephila_parse::{
    BodyKind, Document, ParseOptions, Sitemap, SitemapLimits, body_kind, decode_text, parse_html,
    parse_sitemap,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::ledger::WorkAccount;

/// What a body is analysed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Links, metadata and text.
    Page,
    /// URLs of a sitemap or feed.
    Sitemap,
    /// Its digest only, as for an error page.
    Digest,
}

/// Bounds and switches of every analysis of a crawl.
#[derive(Clone, Debug)]
pub(crate) struct AnalysisOptions {
    pub(crate) parse: ParseOptions,
    pub(crate) sitemap: SitemapLimits,
    pub(crate) max_body_bytes: u64,
    pub(crate) max_sitemap_bytes: u64,
    pub(crate) want_body: bool,
    /// Whether the body is kept as it is, for a handler.
    pub(crate) keep_body: bool,
}

/// One body to analyse.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) purpose: Purpose,
}

/// What a body was found to hold.
#[derive(Debug)]
pub(crate) enum Found {
    Document(Box<Document>),
    Sitemap(Sitemap),
    /// Text without links, in this encoding.
    Text(&'static str),
    Nothing,
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Analysis {
    pub(crate) body_bytes: u64,
    pub(crate) digest: String,
    pub(crate) kind: BodyKind,
    pub(crate) found: Found,
    pub(crate) body_text: Option<String>,
    /// The body itself, where it is kept.
    pub(crate) body: Option<Bytes>,
    pub(crate) took: Duration,
    /// Its place in memory, where it was large; given back with it.
    pub(crate) _room: Option<OwnedSemaphorePermit>,
    /// The parser failed on it, which is a bug: the body has its digest, and nothing was found in it.
    pub(crate) is_given_up: bool,
}

/// Runs an analysis; where it panics, a second one for the digest only. So no page can stop a crawl, and
/// again at each `resume`: it has its row, with a warning.
pub(crate) fn or_digest(
    work: Work,
    analyse: impl Fn(Work) -> Result<Analysis, DecodeError>,
) -> Result<Analysis, DecodeError> {
    let plain = Work {
        purpose: Purpose::Digest,
        ..work.clone()
    };
    // Nothing outlives a panic: what the analysis works on is its own.
    match catch_unwind(AssertUnwindSafe(|| analyse(work))) {
        Ok(analysed) => analysed,
        Err(_) => analyse(plain).map(|analysis| Analysis {
            is_given_up: true,
            ..analysis
        }),
    }
}

impl AnalysisOptions {
    /// The most that a body may have after decompression.
    pub(crate) fn most_bytes(&self, purpose: Purpose) -> u64 {
        match purpose {
            Purpose::Sitemap => self.max_sitemap_bytes,
            Purpose::Page | Purpose::Digest => self.max_body_bytes,
        }
    }
}

/// Analyses one body, of which no more than `most` bytes are decompressed.
///
/// # Errors
/// When it cannot be decompressed within its bound; parsing never fails.
pub(crate) fn analyse(
    work: Work,
    most: u64,
    options: &AnalysisOptions,
    clock: &Clock,
) -> Result<Analysis, DecodeError> {
    let began = clock.elapsed();
    let body = decode_body(work.content_encoding.as_deref(), work.body, most)
        // An error may wait for long: not with the memory of what came out until then.
        .map_err(DecodeError::without_partial)?;
    let digest = format!("blake3:{}", blake3::hash(&body).to_hex());
    let content_type = work.content_type.as_deref();
    let kind = body_kind(content_type, &body);
    let found = match (work.purpose, kind) {
        (Purpose::Page, BodyKind::Html | BodyKind::Xhtml) => {
            Found::Document(Box::new(parse_html(&body, content_type, &options.parse)))
        }
        (Purpose::Page, BodyKind::Text | BodyKind::Xml) => {
            Found::Text(decode_text(&body, content_type).1.name)
        }
        (Purpose::Sitemap, _) => Found::Sitemap(parse_sitemap(&body, &options.sitemap)),
        _ => Found::Nothing,
    };
    let is_text = !matches!(kind, BodyKind::Other);
    let body_text = (options.want_body && is_text && work.purpose == Purpose::Page)
        .then(|| decode_text(&body, content_type).0.into_owned());
    let body_bytes = body.len() as u64;
    let took = clock.elapsed().saturating_sub(began);
    Ok(Analysis {
        body_bytes,
        digest,
        kind,
        found,
        body_text,
        body: options.keep_body.then_some(body),
        took,
        _room: None,
        is_given_up: false,
    })
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads for CPU work that would stall the fetching.
///
/// Their queue is bounded; when it is full the work is done where it was asked for, which slows
/// the fetching down to what the processors bear. They end when the last handle is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    jobs: Sender<Job>,
}

impl Workers {
    const QUEUE: usize = 64;

    /// Starts `threads` of them, which note what they do.
    pub(crate) fn start(
        threads: usize,
        clock: Clock,
        account: &Arc<WorkAccount>,
    ) -> Result<Workers, Error> {
        let (jobs, queue) = bounded::<Job>(Workers::QUEUE);
        let threads = threads.max(1);
        account.threads.store(threads as u64, Ordering::Relaxed);
        for number in 0..threads {
            let (queue, account) = (queue.clone(), account.clone());
            let work = move || {
                for job in queue.iter() {
                    let began = clock.elapsed();
                    job();
                    account.note(clock.elapsed().saturating_sub(began));
                }
            };
            std::thread::Builder::new()
                .name(format!("cpu-{number}"))
                .spawn(work)
                .map_err(|error| {
                    Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))
                })?;
        }
        Ok(Workers { jobs })
    }

    /// Runs `work` on one of the threads and waits for its result without blocking the caller's
    /// thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move || {
            // The asker may have given up; then the result is for nobody.
            let _ = send.send(work());
        });
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job(),
        }
        receive
            .await
            .map_err(|_| Error::new(ErrorKind::Bug, "the analysis of a page panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_parser_fails_on_has_its_digest_and_a_mark() {
        let work = Work {
            body: Bytes::from_static(b"<a href=/x>x</a>"),
            content_type: Some("text/html".to_owned()),
            content_encoding: None,
            purpose: Purpose::Page,
        };
        let config = crate::options::Settings::new().check().unwrap();
        let options = crate::setup::analysis_options(&config);
        let clock = Clock::start();
        let right = or_digest(work.clone(), |work| {
            analyse(work, 1 << 20, &options, &clock)
        })
        .unwrap();
        assert!(!right.is_given_up && matches!(right.found, Found::Document(_)));
        let failed = or_digest(work, |work| match work.purpose {
            Purpose::Page => panic!("a bug of the parser"),
            _ => analyse(work, 1 << 20, &options, &clock),
        });
        let failed = failed.unwrap();
        assert!(failed.is_given_up && matches!(failed.found, Found::Nothing));
        assert_eq!(failed.digest, right.digest);
    }
}
