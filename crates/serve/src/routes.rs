//! What is asked, and what is answered.

use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use nephila::{Clock, CrawlDirectory, ErrorKind, LiveCrawl, Why};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::guard::{Asked, Guard, Refusal};
use crate::metrics;
use crate::page::{Files, POLICY};
use crate::server::Source;
use crate::state::{HostsJson, StateJson};
use crate::view::Standing;

/// Bytes of the body of an action.
const MOST_BODY: usize = 4 * 1024;
/// How long a client may take to send it.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// Whoever asked for the state so lately still looks.
const LOOKING: Duration = Duration::from_secs(5);

pub(crate) type Answer = Response<Full<Bytes>>;

/// What every answer is made from.
pub(crate) struct Desk {
    source: Source,
    guard: Guard,
    files: Files,
    clock: Clock,
    /// One question is answered from the disk at a time.
    questions: Arc<Semaphore>,
    looks: Mutex<Looks>,
    /// Wakes who waits for the end to be known.
    told: Condvar,
}

/// Who looks at the page.
#[derive(Default)]
struct Looks {
    /// When the state was last asked for.
    last: Option<Duration>,
    /// Whether it was told that the crawl has ended.
    knows_end: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// The paths that are not files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    State,
    Hosts,
    Why,
    Metrics,
    Health,
    Pause,
    Resume,
    Stop,
    Concurrency,
}

impl Route {
    fn of(path: &str) -> Option<Route> {
        Some(match path {
            "/api/state" => Route::State,
            "/api/hosts" => Route::Hosts,
            "/api/why" => Route::Why,
            "/metrics" => Route::Metrics,
            "/healthz" => Route::Health,
            "/api/pause" => Route::Pause,
            "/api/resume" => Route::Resume,
            "/api/stop" => Route::Stop,
            "/api/concurrency" => Route::Concurrency,
            _ => return None,
        })
    }

    /// Whether it changes something: then it is never done by GET.
    fn is_action(self) -> bool {
        matches!(
            self,
            Route::Pause | Route::Resume | Route::Stop | Route::Concurrency
        )
    }
}

/// The body of `POST /api/concurrency`.
#[derive(Deserialize)]
struct Wanted {
    concurrency: usize,
}

impl Desk {
    pub(crate) fn new(source: Source, guard: Guard) -> Desk {
        Desk {
            source,
            files: Files::new(guard.token.is_some()),
            guard,
            clock: Clock::start(),
            questions: Arc::new(Semaphore::new(1)),
            looks: Mutex::default(),
            told: Condvar::new(),
        }
    }

    /// Waits until whoever looks knows that the crawl has ended, for `limit` at most.
    pub(crate) fn wait_until_told(&self, limit: Duration) {
        let now = self.clock.elapsed();
        let looks = self.looks();
        let looks_now = |looks: &Looks| looks.last.is_some_and(|last| now < last + LOOKING);
        if looks_now(&looks) {
            let waited = self
                .told
                .wait_timeout_while(looks, limit, |looks| !looks.knows_end);
            drop(waited);
        }
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_look(&self, standing: Standing) {
        let mut looks = self.looks();
        looks.last = Some(self.clock.elapsed());
        if standing == Standing::Ended {
            looks.knows_end = true;
            self.told.notify_all();
        }
    }

    fn directory(&self) -> Result<CrawlDirectory, String> {
        match &self.source {
            Source::Live(crawl, _) => Ok(crawl.directory().clone()),
            Source::Stored(follower) => Ok(CrawlDirectory::at(follower.view()?.directory.as_ref())),
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(desk: &Desk, local: IpAddr, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let route = Route::of(path);
    let asked = Asked {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        local,
        is_guarded: route.is_some_and(|route| route != Route::Health),
    };
    if let Err(Refusal { status, why }) = desk.guard.check(&asked) {
        return refused(status, why);
    }
    let Some(route) = route else {
        return match (desk.files.get(path), head.method == Method::GET) {
            (Some((kind, text)), true) => answered(StatusCode::OK, kind, text.to_owned()),
            (Some(_), false) => not_allowed("GET"),
            (None, _) => refused(StatusCode::NOT_FOUND, "there is nothing here"),
        };
    };
    match (route.is_action(), &head.method) {
        (true, &Method::POST) => act(desk, route, &head.headers, body).await,
        (true, _) => not_allowed("POST"),
        (false, &Method::GET) => tell(desk, route, head.uri.query().unwrap_or("")).await,
        (false, _) => not_allowed("GET"),
    }
}

async fn tell(desk: &Desk, route: Route, query: &str) -> Answer {
    if route == Route::Health {
        return answered(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            "ok\n".to_owned(),
        );
    }
    if route == Route::Why {
        return tell_why(desk, parameter(query, "url")).await;
    }
    let view = match desk.source.view() {
        Ok(view) => view,
        Err(why) => return refused(StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    match route {
        Route::Metrics => {
            let text = metrics::exposition(&view);
            answered(StatusCode::OK, metrics::CONTENT_TYPE, text)
        }
        Route::Hosts => match HostsJson::of(&view.hosts, &parameter(query, "by")) {
            Some(hosts) => json(StatusCode::OK, &hosts),
            None => refused(StatusCode::BAD_REQUEST, "by is largest, slowest or failing"),
        },
        _ => {
            let answer = json(StatusCode::OK, &StateJson::of(&view));
            desk.note_look(view.standing);
            answer
        }
    }
}

/// What became of one URL. It is read from the whole log and all rows, beside the other answers.
async fn tell_why(desk: &Desk, url: String) -> Answer {
    let directory = match desk.directory() {
        Ok(directory) => directory,
        Err(why) => return refused(StatusCode::SERVICE_UNAVAILABLE, &why),
    };
    let Ok(place) = desk.questions.clone().try_acquire_owned() else {
        let mut answer = refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "another question is being answered",
        );
        answer
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return answer;
    };
    // The system's time, by which the crawl noted when a host may be asked next.
    let now = Clock::start().now();
    let asked = tokio::task::spawn_blocking(move || {
        // Held until the answer is there, also where nobody waits for it any more.
        let _place = place;
        Why::ask(&directory, &url, now)
    });
    match asked.await {
        Ok(Ok(why)) => json(StatusCode::OK, &why),
        // What a person typed is no URL: that is an answer to them.
        Ok(Err(error)) if error.kind() == ErrorKind::Usage => json(
            StatusCode::OK,
            &serde_json::json!({ "error": error.to_string() }),
        ),
        Ok(Err(error)) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the question was not answered",
        ),
    }
}

async fn act(desk: &Desk, route: Route, headers: &HeaderMap, body: Incoming) -> Answer {
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MOST_BODY).collect());
    let body = match read.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            return closing(refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large",
            ));
        }
        Err(_) => {
            return closing(refused(
                StatusCode::REQUEST_TIMEOUT,
                "the body does not come",
            ));
        }
    };
    if headers.contains_key(http::header::CONTENT_ENCODING) {
        return refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is to come as it is",
        );
    }
    let Source::Live(crawl, _) = &desk.source else {
        return refused(
            StatusCode::CONFLICT,
            "this crawl is run by another process, or by none: it is shown, and not changed",
        );
    };
    let is_done = match route {
        Route::Pause => crawl.control().pause(),
        Route::Resume => crawl.control().resume(),
        Route::Stop => {
            crawl.control().stop();
            true
        }
        _ => match serde_json::from_slice::<Wanted>(&body) {
            Ok(wanted) => set_concurrency(crawl, wanted.concurrency),
            Err(_) => return refused(StatusCode::BAD_REQUEST, "{\"concurrency\": N} is wanted"),
        },
    };
    if !is_done {
        return refused(StatusCode::CONFLICT, "the crawl is on its way to its end");
    }
    json(
        StatusCode::OK,
        &serde_json::json!({ "concurrency": crawl.control().concurrency() }),
    )
}

fn set_concurrency(crawl: &LiveCrawl, wanted: usize) -> bool {
    let control = crawl.control();
    let is_running = !control.is_stopping() && !control.has_ended();
    if is_running {
        control.set_concurrency(wanted);
    }
    is_running
}

/// A parameter of a query, decoded; empty where there is none.
fn parameter(query: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(text) => answered(status, "application/json", text),
        Err(_) => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer cannot be written",
        ),
    }
}

fn refused(status: StatusCode, why: &str) -> Answer {
    let text = serde_json::json!({ "error": why }).to_string();
    let mut answer = answered(status, "application/json", text);
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    answer
}

fn not_allowed(method: &'static str) -> Answer {
    let mut answer = refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "this is asked for otherwise",
    );
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(method));
    answer
}

/// Of a request whose body was not read to its end.
fn closing(mut answer: Answer) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn answered(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}
