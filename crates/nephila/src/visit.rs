//! The life of one URL, readable top to bottom: lease, fetch, classify, analyse, follow, row.
//!
//! A visit never fails: whatever happens is an outcome. An [`Error`] here is a bug or means that
//! the crawl cannot go on.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use nephila_fetch::{
    BodyFilter, DecodeError, DecodeErrorKind, Fetch, FetchError, FetchErrorKind, Request, Response,
    Times, is_public,
};
use nephila_frontier::{
    Contact, ContentTraps, Finish, Lease, Moment, Outcome, QueuedUrl, Then, UrlKind,
};
use nephila_ledger::{State, VisitClock};
use nephila_parse::{BodyKind, robots_directives};
use nephila_warc::Compression;

use crate::analysis::{Analysis, Found, Purpose, Work};
use crate::analyst::Analyst;
use crate::answer_headers::{header, robots_header};
use crate::archive::{Exchange, Material};
use crate::asking_again::{
    asks_for_more_than_any_wait, contact_of, is_passing, retry_wait, wait_to_ask_again,
};
use crate::classify::classify;
use crate::clock::Clock;
use crate::duplicates::{Content, Duplicates};
use crate::error::{Error, ErrorKind};
use crate::follow::{Candidates, FollowRules, Origin, Resolved};
use crate::handler::{Handlers, Page};
use crate::journal::DoneEntry;
use crate::known_links::KnownLinks;
use crate::ledger::{Account, VisitTimer};
use crate::options::CrawlConfig;
use crate::products::{Held, Products};
use crate::robots_visit::visit_robots;
use crate::visit_row::{RowParts, write_row};

/// What every visit of a shard needs.
pub(crate) struct VisitContext<F> {
    pub(crate) config: CrawlConfig,
    pub(crate) fetcher: F,
    pub(crate) rules: FollowRules,
    pub(crate) analyst: Analyst,
    pub(crate) take: BodyFilter,
    /// How exchanges are archived, if they are.
    pub(crate) archiving: Option<Archiving>,
    /// With `--skip-duplicates`.
    pub(crate) duplicates: Option<Arc<Duplicates>>,
    /// Of this shard's hosts; borrowed for a moment, never across a wait.
    pub(crate) traps: RefCell<ContentTraps>,
    /// Links that this shard met; borrowed for a moment too.
    pub(crate) known: RefCell<KnownLinks>,
    /// The user's, if there is one.
    pub(crate) handlers: Option<Handlers>,
    /// What pages came to, on its way to the committer.
    pub(crate) products: Products,
    pub(crate) clock: Clock,
    /// Where this shard's thread notes what it does.
    pub(crate) account: Arc<Account>,
}

/// How exchanges are archived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Archiving {
    pub(crate) compression: Compression,
    /// The key of the record identifiers.
    pub(crate) key: [u64; 2],
}

impl<F> VisitContext<F> {
    /// Seconds since 1970, as dates in headers count.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.clock.now().as_micros() / 1_000_000
    }
}

/// A visit that has ended: what becomes of the lease, and what is to be made durable.
pub(crate) struct Visited {
    pub(crate) lease: Lease,
    pub(crate) finish: Finish,
    /// The outcome and the row; `None` where the URL goes back to its queue, and for a robots.txt
    /// that has its row already.
    pub(crate) record: Option<Record>,
    /// What it led to.
    pub(crate) candidates: Candidates,
    /// What the archive's records are made from.
    pub(crate) material: Option<Material>,
    /// The room that all of it takes.
    pub(crate) held: Option<Held>,
    /// Its time until now.
    pub(crate) split: VisitClock,
}

/// An outcome, its row and its exchange: what becomes durable together.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) done: DoneEntry,
    /// One line of JSON, with the line feed at its end.
    pub(crate) row: Vec<u8>,
    /// What the archive takes, where one is written and a whole answer came.
    pub(crate) exchange: Option<Box<Exchange>>,
}

impl Record {
    pub(crate) fn new(done: DoneEntry, row: Vec<u8>) -> Record {
        Record {
            done,
            row,
            exchange: None,
        }
    }

    /// What it takes in memory until it is committed.
    pub(crate) fn bytes(&self) -> usize {
        let exchange = self
            .exchange
            .as_ref()
            .map_or(0, |exchange| exchange.bytes());
        self.row.len() + self.done.url.len() + exchange
    }
}

/// What is known of a visit when it ends, whatever its outcome.
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<String>,
    pub(crate) contact: Contact,
    pub(crate) times: Times,
    pub(crate) remote: Option<SocketAddr>,
}

/// Of a visit whose time is told at its end.
const NO_TIME: VisitClock = VisitClock::begin(State::CpuWait, Duration::ZERO);

/// Visits the URL of a lease.
///
/// # Errors
/// [`ErrorKind::Bug`] only.
pub(crate) async fn visit<F: Fetch>(
    context: Rc<VisitContext<F>>,
    lease: Lease,
) -> Result<Visited, Error> {
    let timer = VisitTimer::begin(context.clock, context.account.clone(), &lease);
    let visited = match lease.is_robots() {
        true => visit_robots(&context, lease, &timer).await?,
        false => visit_url(&context, lease, &timer).await?,
    };
    let mut visited = archive(&context, visited, &timer).await?;
    timer.enter(State::CpuWait);
    visited.split = timer.split();
    Ok(visited)
}

async fn visit_url<F: Fetch>(
    context: &VisitContext<F>,
    lease: Lease,
    timer: &VisitTimer,
) -> Result<Visited, Error> {
    let url = lease.url().url.to_url();
    let url =
        url.map_err(|why| Error::new(ErrorKind::Bug, format!("{}: {why}", lease.url().url)))?;
    let began = context.clock.now();
    let request = request(context, lease.url(), url);
    match timer.over(&context.fetcher).fetch(request).await {
        Err(error) => Ok(failed(context, lease, &error, began)),
        Ok(response) => answered(context, lease, response, began, timer).await,
    }
}

/// Makes the archive's records, where that stalls nobody.
async fn archive<F>(
    context: &VisitContext<F>,
    mut visited: Visited,
    timer: &VisitTimer,
) -> Result<Visited, Error> {
    let Some((archiving, material)) = context.archiving.zip(visited.material.take()) else {
        return Ok(visited);
    };
    let Some(record) = &mut visited.record else {
        return Ok(visited);
    };
    let bytes = material.bytes() as u64;
    let make = move || Exchange::make(material, archiving.compression, archiving.key);
    let exchange = context.analyst.run(bytes, make).await?;
    timer.enter(State::Compute);
    record.exchange = Some(Box::new(exchange?));
    Ok(visited)
}

fn request<F>(context: &VisitContext<F>, queued: &QueuedUrl, url: url::Url) -> Request {
    let mut request = Request::get(url);
    request.keep_raw = context.archiving.is_some();
    match queued.kind {
        UrlKind::Page => request.take = context.take.clone(),
        UrlKind::Robots | UrlKind::Sitemap | UrlKind::Feed => {
            request.max_wire_bytes = Some(context.config.max_sitemap_size.0);
        }
    }
    request
}

/// No whole answer: it is tried again, or it has its outcome.
fn failed<F>(
    context: &VisitContext<F>,
    lease: Lease,
    error: &FetchError,
    began: Moment,
) -> Visited {
    let is_private = error.remote().map(|remote| !is_public(remote.ip()));
    if error.kind() == FetchErrorKind::AddressBusy {
        return deferred(lease, is_private);
    }
    let (outcome, contact) = outcome_of(error);
    if error.is_transient() && lease.url().attempts < context.config.retries {
        let wait = retry_wait(&context.config, lease.url());
        return back(lease, contact, is_private, Then::Retry(wait));
    }
    let ending = Ending {
        outcome,
        error: Some(error.to_string()),
        contact,
        times: error.times(),
        remote: error.remote(),
    };
    let head = error.head();
    let parts = RowParts {
        status: head.map(|head| head.status),
        version: head.map(|head| head.version),
        content_type: head.and_then(|head| header(&head.headers, CONTENT_TYPE)),
        ..RowParts::default()
    };
    end(context, lease, ending, parts, Candidates::default(), began)
}

/// Nothing was sent: the address has its share of fetches, or this machine no socket to spare.
pub(crate) fn deferred(lease: Lease, is_private: Option<bool>) -> Visited {
    const REST: Duration = Duration::from_millis(100);
    back(lease, Contact::None, is_private, Then::Defer(REST))
}

/// The outcome and the contact of a fetch that gave no whole answer.
pub(crate) fn outcome_of(error: &FetchError) -> (Outcome, Contact) {
    match error.kind() {
        FetchErrorKind::DnsFailed => (Outcome::DnsFailed, Contact::Failed),
        FetchErrorKind::ConnectFailed | FetchErrorKind::ProxyFailed => {
            (Outcome::ConnectFailed, Contact::Failed)
        }
        FetchErrorKind::TlsFailed => (Outcome::TlsFailed, Contact::Failed),
        FetchErrorKind::TimedOut(_) => (Outcome::TimedOut, Contact::Failed),
        FetchErrorKind::ConnectionLost => (Outcome::ConnectionLost, Contact::Failed),
        // The host answered: the fault is the page's, and other pages need not wait for it.
        FetchErrorKind::Truncated => (
            Outcome::Truncated,
            Contact::Answered(error.times().first_byte),
        ),
        FetchErrorKind::HeadersTooLarge | FetchErrorKind::BodyTooLarge => (
            Outcome::TooLarge,
            Contact::Answered(error.times().first_byte),
        ),
        FetchErrorKind::BlockedAddress(_) => (Outcome::BlockedAddress, Contact::None),
        FetchErrorKind::AddressBusy => (Outcome::GaveUp, Contact::None),
        FetchErrorKind::BadResponse
        | FetchErrorKind::UnsupportedScheme
        | FetchErrorKind::BadRequest => (
            Outcome::BadResponse,
            Contact::Answered(error.times().first_byte),
        ),
    }
}

/// The outcome of an answer whose body could not be decompressed.
pub(crate) fn outcome_of_decoding(error: &DecodeError) -> Outcome {
    match error.kind() {
        DecodeErrorKind::TooLarge => Outcome::TooLarge,
        DecodeErrorKind::Truncated => Outcome::Truncated,
        DecodeErrorKind::Corrupt | DecodeErrorKind::Unsupported => Outcome::BadEncoding,
    }
}

/// A whole answer: classify, analyse, follow, record.
async fn answered<F>(
    context: &VisitContext<F>,
    lease: Lease,
    response: Response,
    began: Moment,
    timer: &VisitTimer,
) -> Result<Visited, Error> {
    let contact = contact_of(context, &response, timer.first_byte());
    let is_private = response.remote.map(|remote| !is_public(remote.ip()));
    let never = is_passing(&response) && asks_for_more_than_any_wait(context, &response);
    if let Some(wait) =
        wait_to_ask_again(context, lease.url(), &response, contact).filter(|_| !never)
    {
        return Ok(back(lease, contact, is_private, Then::Retry(wait)));
    }
    let queued = lease.url();
    let mut class = classify(context, queued, &response);
    if never {
        class.error = Some("Retry-After is longer than any wait that can be set".to_owned());
    }
    let mut ending = Ending {
        outcome: class.outcome,
        error: class.error,
        contact,
        times: response.times,
        remote: response.remote,
    };
    let mut parts = RowParts::of(&response);
    let mut candidates = class.candidates;
    parts.redirect_target = class.target;
    let is_part = class.outcome == Outcome::Truncated;
    if !response.body_skipped && !is_part {
        let work = Work {
            body: response.body,
            content_type: parts.content_type.clone(),
            content_encoding: header(&response.headers, CONTENT_ENCODING),
            purpose: class.purpose,
        };
        match analyse(context, work, timer).await? {
            Ok(mut analysis) => {
                parts.robots_header = robots_header(&response.headers);
                let robots_header = parts.robots_header.as_deref();
                let found = follow(context, queued, robots_header, &analysis, is_private, began);
                if class.purpose != Purpose::Digest {
                    candidates = found.candidates;
                }
                parts.links = found.links;
                if class.purpose == Purpose::Page && is_wrong_kind(queued, &parts, &analysis) {
                    ending.outcome = Outcome::WrongType;
                }
                if ending.outcome == Outcome::Fetched && class.purpose == Purpose::Page {
                    hold_content(context, queued, &analysis, &mut parts, &mut candidates);
                    if let Some(why) = handle(context, queued, &parts, &mut analysis, timer).await?
                    {
                        ending.outcome = Outcome::HandlerError;
                        ending.error = Some(why);
                    }
                }
                parts.analysis = Some(analysis);
            }
            Err(error) => {
                ending.outcome = outcome_of_decoding(&error);
                ending.error = Some(error.to_string());
            }
        }
    }
    Ok(end(context, lease, ending, parts, candidates, began))
}

/// Analyses a body once there is room for what it may come to.
async fn analyse<F>(
    context: &VisitContext<F>,
    work: Work,
    timer: &VisitTimer,
) -> Result<Result<Analysis, DecodeError>, Error> {
    if !context.products.has_room() {
        timer.enter(State::SinkWait);
        context.products.enter().await;
        timer.enter(State::CpuWait);
    }
    let analysed = context.analyst.analyse(work).await?;
    if let Ok(analysis) = &analysed {
        timer.note_work(analysis.took);
    }
    timer.enter(State::Compute);
    Ok(analysed)
}

/// Has a page handled by the user, if he wants to; says why that failed, where it did.
async fn handle<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    parts: &RowParts,
    analysis: &mut Analysis,
    timer: &VisitTimer,
) -> Result<Option<String>, Error> {
    let Some((handlers, body)) = context.handlers.as_ref().zip(analysis.body.take()) else {
        return Ok(None);
    };
    let page = Page {
        url: queued.url.as_str().to_owned(),
        status: parts.status.unwrap_or_default(),
        content_type: parts.content_type.clone(),
        body,
        found: std::mem::replace(&mut analysis.found, Found::Nothing),
    };
    timer.enter(State::Callback);
    let handled = handlers.handle(page).await?;
    timer.enter(State::Compute);
    analysis.found = handled.page.found;
    Ok(handled.failure)
}

/// A body of no known kind whose header said nothing: what is named by `--accept` was let through
/// by its header before.
fn is_wrong_kind(queued: &QueuedUrl, parts: &RowParts, analysis: &Analysis) -> bool {
    queued.kind == UrlKind::Page
        && parts.content_type.is_none()
        && matches!(analysis.kind, BodyKind::Other)
}

/// Holds what a page says against what other pages said: the links of a duplicate, and of one copy
/// too many, are not followed.
fn hold_content<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    analysis: &Analysis,
    parts: &mut RowParts,
    candidates: &mut Candidates,
) {
    if analysis.body_bytes == 0 {
        return;
    }
    let simhash = match &analysis.found {
        Found::Document(document) => document.simhash,
        _ => None,
    };
    let content = Content {
        digest: &analysis.digest,
        simhash,
    };
    let digest = content.digest_start();
    let mut traps = context.traps.borrow_mut();
    parts.is_copy = !traps.note(&queued.url, digest, simhash);
    if let Some(duplicates) = &context.duplicates {
        parts.duplicate_of = duplicates.first(queued.url.as_str(), content);
    }
    if parts.duplicate_of.is_some() {
        candidates.refuse_all("skip-duplicates");
    } else if parts.is_copy {
        candidates.refuse_all("max-copies");
    }
}

/// What a body leads to: its links, and which of them lead on.
#[derive(Default)]
struct Lead {
    links: Resolved,
    candidates: Candidates,
}

fn follow<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    robots_header: Option<&str>,
    analysis: &Analysis,
    is_private: Option<bool>,
    now: Moment,
) -> Lead {
    let Ok(url) = queued.url.to_url() else {
        return Lead::default();
    };
    let origin = Origin {
        url: &url,
        referrer: queued.url.as_str().into(),
        hops: queued.hops,
        is_private: is_private.unwrap_or(false),
        now,
    };
    match &analysis.found {
        Found::Document(document) => {
            let agent = &context.config.agent;
            let meta = robots_directives(document.robots_meta.as_deref().unwrap_or(""), agent);
            let header = robots_directives(robots_header.unwrap_or_default(), agent);
            let known = &mut *context.known.borrow_mut();
            let rules = &context.rules;
            let links = rules.resolve(document, &url, analysis.body_bytes, known);
            let is_nofollow = meta.union(header).nofollow;
            let candidates = rules.follow(document, &links, is_nofollow, &origin, known);
            Lead { links, candidates }
        }
        Found::Sitemap(sitemap) => {
            let body_bytes = analysis.body_bytes;
            let candidates = context.rules.follow_sitemap(sitemap, &origin, body_bytes);
            let links = Resolved::none(candidates.is_cut);
            Lead { links, candidates }
        }
        Found::Text(_) | Found::Nothing => Lead::default(),
    }
}

/// Ends a visit with its outcome and its row.
pub(crate) fn end<F>(
    context: &VisitContext<F>,
    lease: Lease,
    ending: Ending,
    parts: RowParts,
    candidates: Candidates,
    began: Moment,
) -> Visited {
    let queued = lease.url();
    let row = write_row(&lease, &ending, &parts, began);
    let raw = parts.raw.clone();
    let material = raw.map(|raw| Material::of(raw, queued, &parts, ending.remote, began));
    let now = context.clock.now();
    let done = DoneEntry {
        url: queued.url.as_str().to_owned(),
        kind: queued.kind,
        outcome: ending.outcome,
        status: parts.status.unwrap_or(0),
        hops: queued.hops,
        wire_bytes: parts.wire_bytes,
        decoded_bytes: parts
            .analysis
            .as_ref()
            .map_or(0, |analysis| analysis.body_bytes),
        fetch_millis: u32::try_from(ending.times.total().as_millis()).unwrap_or(u32::MAX),
        finished_at: now,
        host_next_at: now,
    };
    let is_private = ending.remote.map(|remote| !is_public(remote.ip()));
    let finish = Finish {
        contact: ending.contact,
        is_private,
        then: Then::Done,
    };
    let held = context.products.hold(row.len() + candidates.bytes());
    let mut known = context.known.borrow_mut();
    let handed_on = candidates.fingerprints.iter();
    handed_on.for_each(|fingerprint| known.note_handed_on(*fingerprint));
    drop(known);
    Visited {
        lease,
        finish,
        record: Some(Record::new(done, row)),
        candidates,
        material,
        held: Some(held),
        split: NO_TIME,
    }
}

fn back(lease: Lease, contact: Contact, is_private: Option<bool>, then: Then) -> Visited {
    let finish = Finish {
        contact,
        is_private,
        then,
    };
    Visited {
        lease,
        finish,
        record: None,
        candidates: Candidates::default(),
        material: None,
        held: None,
        split: NO_TIME,
    }
}
