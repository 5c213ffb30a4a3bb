//! The visit of a robots.txt (RFC 9309 2.3): redirects are followed here, five at most, because
//! the rules belong to the host that was asked first.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, LOCATION};
use nephila_fetch::{Fetch, FetchError, FetchErrorKind, Request, Response, decode_body};
use nephila_frontier::{
    CanonicalUrl, Contact, Finish, Lease, Moment, Outcome, QueuedUrl, Refusal, RobotsAnswer, Then,
};
use nephila_robots::{Robots, Rules};

use crate::answer_headers::header;
use crate::asking_again::contact_of;
use crate::error::{Error, ErrorKind};
use crate::follow::Candidates;
use crate::ledger::VisitTimer;
use crate::visit::{Ending, VisitContext, Visited, deferred, end, outcome_of};
use crate::visit_row::RowParts;

/// RFC 9309 2.3.1.2: at least five consecutive redirects.
pub(crate) const MOST_REDIRECTS: usize = 5;

/// How a robots.txt was answered.
pub(crate) enum RobotsReply {
    /// By this, after any redirects.
    Response(Box<Response>),
    /// By more redirects than are followed, which counts as no file.
    RedirectsWithoutEnd(Box<Response>),
    /// By a redirect to where the crawl does not go, which counts as no file.
    RedirectRefused(Box<Response>, Refusal),
    /// Not at all.
    Failed(FetchError),
}

/// A robots.txt that was asked for.
pub(crate) struct RobotsExchange {
    pub(crate) reply: RobotsReply,
    /// The URL that was asked last, after redirects.
    pub(crate) url: url::Url,
    /// How many redirects were followed.
    pub(crate) redirects: usize,
}

/// Asks for a robots.txt, over its redirects as far as `check` lets them. A longer one is read up to
/// `max_bytes`. To another host than the first the request goes without credentials and cookies: it is
/// the first that sends it there.
pub(crate) async fn fetch_robots<F: Fetch>(
    fetcher: &F,
    url: url::Url,
    max_bytes: u64,
    keep_raw: bool,
    check: impl Fn(&url::Url) -> Result<(), Refusal>,
) -> RobotsExchange {
    let first = url.origin();
    let mut url = url;
    let mut redirects = 0;
    loop {
        let mut request = Request::get(url.clone());
        request.max_wire_bytes = Some(max_bytes);
        request.cut_body = true;
        // What comes from elsewhere is not the answer of this URL: it is not archived.
        request.keep_raw = keep_raw && redirects == 0;
        request.anonymous = url.origin() != first;
        let response = match fetcher.fetch(request).await {
            Ok(response) => Box::new(response),
            Err(error) => {
                return RobotsExchange {
                    reply: RobotsReply::Failed(error),
                    url,
                    redirects,
                };
            }
        };
        let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
        let target = header(&response.headers, LOCATION).and_then(|to| url.join(to.trim()).ok());
        let reply = match target {
            Some(target) if is_redirect && redirects < MOST_REDIRECTS => match check(&target) {
                Ok(()) => {
                    url = target;
                    redirects += 1;
                    continue;
                }
                Err(refusal) => RobotsReply::RedirectRefused(response, refusal),
            },
            Some(_) if is_redirect => RobotsReply::RedirectsWithoutEnd(response),
            _ => RobotsReply::Response(response),
        };
        return RobotsExchange {
            reply,
            url,
            redirects,
        };
    }
}

/// The body of a robots.txt, decompressed, and whether it was cut.
///
/// What cannot be read to its end, because it is too large or its content coding is broken, counts
/// up to there, without its last line: half a rule may forbid what the whole rule allows.
pub(crate) fn robots_body(response: &Response, max_bytes: u64) -> (Bytes, bool) {
    let coding = header(&response.headers, CONTENT_ENCODING);
    match decode_body(coding.as_deref(), response.body.clone(), max_bytes) {
        Ok(body) if response.body_cut => (whole_lines(body), true),
        Ok(body) => (body, false),
        Err(error) => (whole_lines(error.into_partial()), true),
    }
}

fn whole_lines(body: Bytes) -> Bytes {
    let end = body.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
    body.slice(..end.unwrap_or(0))
}

/// Visits the robots.txt of a lease.
///
/// # Errors
/// [`ErrorKind::Bug`] only.
pub(crate) async fn visit_robots<F: Fetch>(
    context: &VisitContext<F>,
    lease: Lease,
    timer: &VisitTimer,
) -> Result<Visited, Error> {
    let url = lease.url().url.to_url();
    let url =
        url.map_err(|why| Error::new(ErrorKind::Bug, format!("{}: {why}", lease.url().url)))?;
    let began = context.clock.now();
    let max_bytes = context.config.max_robots_size.0;
    let keep_raw = context.archiving.is_some();
    let rules = &context.rules;
    let check = |target: &url::Url| match CanonicalUrl::parse(target.as_str(), &rules.policy) {
        Ok(target) => rules.scope.check_beside(&target),
        // Not http: the fetch says so.
        Err(_) => Ok(()),
    };
    let exchange = fetch_robots(
        &timer.over(&context.fetcher),
        url,
        max_bytes,
        keep_raw,
        check,
    )
    .await;
    Ok(match exchange.reply {
        RobotsReply::Failed(error) => unreachable(context, lease, &error, began),
        RobotsReply::RedirectsWithoutEnd(response) => {
            let why = format!("more than {MOST_REDIRECTS} redirects in a row");
            let outcome = (Outcome::TooManyRedirects, Some(why));
            no_file(context, lease, &response, outcome, began)
        }
        RobotsReply::RedirectRefused(response, refusal) => {
            let why = format!("redirects to where the crawl does not go: {refusal}");
            let outcome = (Outcome::HttpError, Some(why));
            no_file(context, lease, &response, outcome, began)
        }
        RobotsReply::Response(response) => answered(context, lease, &response, began),
    })
}

/// What counts as no file allows everything.
fn no_file<F>(
    context: &VisitContext<F>,
    lease: Lease,
    response: &Response,
    outcome: (Outcome, Option<String>),
    began: Moment,
) -> Visited {
    let answer = RobotsAnswer::Rules(Arc::new(Rules::allow_all()));
    finish(context, lease, response, outcome, answer, Vec::new(), began)
}

fn answered<F>(
    context: &VisitContext<F>,
    lease: Lease,
    response: &Response,
    began: Moment,
) -> Visited {
    let url = lease.url().url.clone();
    match response.status {
        200..=299 => {
            let (body, _) = robots_body(response, context.config.max_robots_size.0);
            let robots = Robots::parse(&body);
            let rules = robots.group_for(&context.config.agent);
            let sitemaps = sitemaps(context, &url, robots.sitemaps(), began);
            let answer = RobotsAnswer::Rules(Arc::new(rules));
            let outcome = (Outcome::Fetched, None);
            finish(context, lease, response, outcome, answer, sitemaps, began)
        }
        500..=599 => {
            let status = response.status;
            let why = format!("robots.txt answered {status}, which forbids everything");
            let answer = RobotsAnswer::Unavailable {
                outcome: Outcome::RobotsUnavailable,
                why: why.into(),
                is_passing: true,
            };
            let outcome = (Outcome::HttpError, None);
            finish(context, lease, response, outcome, answer, Vec::new(), began)
        }
        _ => {
            // 2.3.1.3: "unavailable" (4xx, and 3xx without a target) allows everything.
            let answer = RobotsAnswer::Rules(Arc::new(Rules::allow_all()));
            let sitemaps = sitemaps(context, &url, &[], began);
            let outcome = (Outcome::HttpError, None);
            finish(context, lease, response, outcome, answer, sitemaps, began)
        }
    }
}

/// 2.3.1.4: "unreachable" forbids everything, and is asked for again where that may help.
fn unreachable<F>(
    context: &VisitContext<F>,
    lease: Lease,
    error: &FetchError,
    began: Moment,
) -> Visited {
    if error.kind() == FetchErrorKind::AddressBusy {
        return deferred(lease, None);
    }
    let (outcome, contact) = outcome_of(error);
    let given = match outcome {
        Outcome::TooLarge | Outcome::BadResponse | Outcome::Truncated => Outcome::RobotsUnavailable,
        other => other,
    };
    let answer = RobotsAnswer::Unavailable {
        outcome: given,
        why: format!("robots.txt could not be fetched: {error}").into(),
        is_passing: error.is_transient(),
    };
    let ending = Ending {
        outcome,
        error: Some(error.to_string()),
        contact,
        times: error.times(),
        remote: error.remote(),
    };
    end_robots(
        context,
        lease,
        ending,
        RowParts::default(),
        answer,
        Vec::new(),
        began,
    )
}

fn sitemaps<F>(
    context: &VisitContext<F>,
    robots: &CanonicalUrl,
    named: &[String],
    now: Moment,
) -> Vec<QueuedUrl> {
    if !context.config.sitemaps {
        return Vec::new();
    }
    context.rules.sitemaps_of(robots, named, now)
}

fn finish<F>(
    context: &VisitContext<F>,
    lease: Lease,
    response: &Response,
    (outcome, error): (Outcome, Option<String>),
    answer: RobotsAnswer,
    sitemaps: Vec<QueuedUrl>,
    began: Moment,
) -> Visited {
    let contact: Contact = contact_of(context, response, response.times.first_byte);
    let times = response.times;
    let ending = Ending {
        outcome,
        error,
        contact,
        times,
        remote: response.remote,
    };
    end_robots(
        context,
        lease,
        ending,
        RowParts::of(response),
        answer,
        sitemaps,
        began,
    )
}

/// Ends the visit of a robots.txt, with a row where it has none yet.
fn end_robots<F>(
    context: &VisitContext<F>,
    lease: Lease,
    ending: Ending,
    parts: RowParts,
    answer: RobotsAnswer,
    sitemaps: Vec<QueuedUrl>,
    began: Moment,
) -> Visited {
    let attempts = u32::from(lease.url().attempts) + 1;
    // Asked again soon: it has no outcome yet.
    let is_settled = match &answer {
        RobotsAnswer::Unavailable {
            is_passing: true, ..
        } => attempts >= context.config.robots_attempts,
        _ => true,
    };
    let candidates = Candidates {
        urls: sitemaps,
        ..Candidates::default()
    };
    let visited = end(context, lease, ending, parts, candidates, began);
    let finish = Finish {
        then: Then::Robots(answer),
        ..visited.finish
    };
    let record = visited.record.filter(|_| is_settled);
    Visited {
        finish,
        record,
        ..visited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_rule_is_no_rule() {
        for (body, whole) in [
            ("User-agent: *\nDisallow: /pri", "User-agent: *"),
            ("Allow: /\r\nDisallow: /", "Allow: /\r"),
            ("Disallow: /a\r", "Disallow: /a"),
            ("Disallow: /", ""),
            ("", ""),
        ] {
            assert_eq!(
                whole_lines(Bytes::from_static(body.as_bytes())),
                whole.as_bytes()
            );
        }
    }
}
