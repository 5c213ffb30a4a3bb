//! Whether an answer is the last word: when a URL is asked for again, and what the host said about being asked.

use std::time::Duration;

use http::header::SET_COOKIE;
use nephila_fetch::{Response, retry_after};
use nephila_frontier::{Contact, QueuedUrl};

use crate::classify::target;
use crate::options::CrawlConfig;
use crate::visit::VisitContext;

/// Whether an answer may be another one soon.
pub(crate) fn is_passing(response: &Response) -> bool {
    matches!(response.status, 429 | 500 | 502 | 503 | 504)
}

/// How long to wait until the same URL is asked for again; `None` where this answer stands.
pub(crate) fn wait_to_ask_again<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    response: &Response,
    contact: Contact,
) -> Option<Duration> {
    if queued.attempts >= context.config.retries {
        return None;
    }
    if is_passing(response) {
        let asked = match contact {
            Contact::Overloaded(Some(asked)) => asked.min(context.config.max_retry_after),
            _ => Duration::ZERO,
        };
        return Some(retry_wait(&context.config, queued).max(asked));
    }
    is_cookie_gate(context, queued, response).then_some(Duration::ZERO)
}

/// The longest that `--max-retry-after` can be set to: what a server asks for beyond it no crawl
/// waits for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Such a page is not asked for again, which would only disobey the server. Its host rests as after any
/// failure: an absurd number is a page's fault and must not hold up the host's other pages.
pub(crate) fn asks_for_more_than_any_wait<F>(
    context: &VisitContext<F>,
    response: &Response,
) -> bool {
    retry_after(&response.headers, context.unix_seconds()).is_some_and(|asked| asked > LONGEST_WAIT)
}

/// Whether an answer redirects to itself for the cookie that it sets: the same URL is then another
/// page. Asked again at most as often as after a fault.
pub(crate) fn is_cookie_gate<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    response: &Response,
) -> bool {
    let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    context.config.cookies
        && is_redirect
        && response.headers.contains_key(SET_COOKIE)
        && matches!(target(context, queued, response), Some((_, Ok(target))) if target == queued.url)
}

/// How the host behaved, for its politeness.
/// `waited` is for how long its first bytes were waited for, without what they waited for this processor.
pub(crate) fn contact_of<F>(
    context: &VisitContext<F>,
    response: &Response,
    waited: Duration,
) -> Contact {
    match response.status {
        429 | 503 => {
            let asked = retry_after(&response.headers, context.unix_seconds());
            Contact::Overloaded(asked.filter(|asked| *asked <= LONGEST_WAIT))
        }
        _ => Contact::Answered(waited.min(response.times.first_byte)),
    }
}

/// Exponential, with up to half of it on top by a hash of the URL: so that what failed together
/// is not tried again together.
pub(crate) fn retry_wait(config: &CrawlConfig, queued: &QueuedUrl) -> Duration {
    const MOST_DOUBLINGS: u32 = 16;
    let doublings = u32::from(queued.attempts).min(MOST_DOUBLINGS);
    let wait = config
        .retry_wait
        .saturating_mul(1 << doublings)
        .min(config.max_retry_after);
    let hash = queued
        .url
        .as_str()
        .bytes()
        .fold(u64::from(queued.attempts), |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
    let share = (hash >> 40) as f64 / f64::from(1 << 24);
    wait.mul_f64(1.0 + share / 2.0)
}
