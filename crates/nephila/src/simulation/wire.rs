//! The network of a world: what answers, how slowly, and how it fails.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use nephila_fetch::{
    Fetch, FetchError, FetchErrorKind, RawExchange, Request, Response, Stage, Times,
};
use nephila_sim::{Answer, End};
use tokio::time::sleep;
use url::Url;

use super::world::{self, Dice, World};
use crate::clock::Clock;

/// After this long without an answer a fetch is given up, as with the real limits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches in a world.
pub(super) struct Wire {
    pub(super) world: Rc<World>,
    pub(super) clock: Clock,
}

/// What becomes of a request.
enum Fault {
    None,
    /// Nobody listens.
    Down,
    /// The connection is lost.
    Lost,
    /// It takes longer.
    Slow(Duration),
}

impl Wire {
    fn now(&self) -> Duration {
        self.world.time() + self.clock.elapsed()
    }

    fn note(&self, url: &Url) -> (usize, u32) {
        let host = url.host_str().unwrap_or_default().to_owned();
        let target = target_of(url);
        let mut asked = self.world.asked.borrow_mut();
        let count = asked.entry((host.clone(), target.clone())).or_default();
        *count += 1;
        let mut log = self.world.log.borrow_mut();
        log.push(world::Request {
            host,
            target,
            at: self.now(),
            ended: None,
            run: self.world.run.get(),
        });
        (log.len() - 1, *count - 1)
    }

    fn end(&self, place: usize) {
        self.world.log.borrow_mut()[place].ended = Some(self.now());
    }

    /// Faults follow from the seed and the request, so that a world is the same again.
    fn fault(&self, host: &str, place: usize) -> Fault {
        let now = self.now();
        let outage = self.world.outages.get(host);
        if outage.is_some_and(|outage| (outage.from..outage.until).contains(&now)) {
            return Fault::Down;
        }
        let mut dice = Dice::of(self.world.seed, 1_000 + place as u64);
        if !self.world.has_faults || !dice.chance(12) {
            return Fault::None;
        }
        match dice.below(2) {
            0 => Fault::Lost,
            _ => Fault::Slow(Duration::from_millis(dice.below(20_000))),
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        place: usize,
        asked_before: u32,
    ) -> Result<Answer, (FetchErrorKind, &'static str)> {
        let host = request.url.host_str().unwrap_or_default();
        let answer = self
            .world
            .answers
            .answer(host, &target_of(&request.url), asked_before);
        let mut latency = Duration::from_micros(answer.latency_micros);
        match self.fault(host, place) {
            Fault::None => {}
            Fault::Slow(more) => latency += more,
            Fault::Lost => {
                sleep(latency.min(PATIENCE) / 2).await; // paced: virtual time
                return Err((FetchErrorKind::ConnectionLost, "the connection was lost"));
            }
            Fault::Down => {
                sleep(Duration::from_millis(3)).await; // paced: virtual time
                return Err((FetchErrorKind::ConnectFailed, "nobody listens"));
            }
        }
        sleep(latency.min(PATIENCE)).await; // paced: virtual time
        if latency >= PATIENCE {
            return Err((FetchErrorKind::TimedOut(Stage::FirstByte), "no answer"));
        }
        match answer.end {
            End::Whole => Ok(answer),
            End::Closed => Err((FetchErrorKind::ConnectionLost, "closed without an answer")),
            End::Cut => Err((FetchErrorKind::Truncated, "closed in the midst of the body")),
        }
    }
}

impl Fetch for Wire {
    async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
        let (place, asked_before) = self.note(&request.url);
        let exchanged = self.exchange(&request, place, asked_before).await;
        self.end(place);
        exchanged.map_or_else(
            |(kind, message)| {
                let (url, times) = (request.url.clone(), Times::default());
                Err(FetchError::simulated(kind, message, url, times))
            },
            |answer| Ok(response(&request, answer)),
        )
    }
}

fn response(request: &Request, answer: Answer) -> Response {
    let mut headers = HeaderMap::new();
    let mut head = format!("HTTP/1.1 {} \r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    head.push_str("\r\n");
    let is_wanted = request.take.wants(answer.status, &headers);
    let raw = (request.keep_raw && is_wanted).then(|| RawExchange {
        request: Bytes::from(format!("GET {} HTTP/1.1\r\n\r\n", target_of(&request.url))),
        response: [head.as_bytes(), &answer.body].concat().into(),
    });
    let body = if is_wanted {
        Bytes::from(answer.body)
    } else {
        Bytes::new()
    };
    Response {
        status: answer.status,
        version: "HTTP/1.1",
        headers,
        wire_bytes: body.len() as u64,
        body,
        body_skipped: !is_wanted,
        body_cut: false,
        // An address that is nobody's own: politeness is as on the open web.
        remote: Some(SocketAddr::new(
            IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14)),
            80,
        )),
        reused: false,
        times: Times::default(),
        raw,
    }
}

/// Path and query.
fn target_of(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}
