//! What an answer is by its status and headers, before its body is looked at.

use nephila_fetch::Response;
use nephila_frontier::{CanonicalUrl, NotCanonical, Outcome, QueuedUrl, UrlKind};

use crate::analysis::Purpose;
use crate::answer_headers::{PART, is_whole_range, location};
use crate::follow::Candidates;
use crate::visit::VisitContext;

/// What an answer is, before its body is looked at.
pub(crate) struct Class {
    pub(crate) outcome: Outcome,
    pub(crate) purpose: Purpose,
    pub(crate) target: Option<CanonicalUrl>,
    pub(crate) candidates: Candidates,
    pub(crate) error: Option<String>,
}

pub(crate) fn classify<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    response: &Response,
) -> Class {
    let mut class = Class {
        outcome: Outcome::HttpError,
        purpose: Purpose::Digest,
        target: None,
        candidates: Candidates::default(),
        error: None,
    };
    match response.status {
        206 if !is_whole_range(&response.headers) => {
            class.outcome = Outcome::Truncated;
            class.error = Some(PART.to_owned());
        }
        200..=299 if response.body_skipped => class.outcome = Outcome::WrongType,
        200..=299 => {
            class.outcome = Outcome::Fetched;
            class.purpose = match queued.kind {
                UrlKind::Sitemap | UrlKind::Feed => Purpose::Sitemap,
                UrlKind::Page | UrlKind::Robots => Purpose::Page,
            };
        }
        304 => class.outcome = Outcome::NotModified,
        301 | 302 | 303 | 307 | 308 => redirect(context, queued, response, &mut class),
        _ => {}
    }
    class
}

/// A redirect is reported, not followed: its target goes through admission like any link.
fn redirect<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    response: &Response,
    class: &mut Class,
) {
    let Some((location, target)) = target(context, queued, response) else {
        class.error = Some("a redirect without a Location".to_owned());
        return;
    };
    match target {
        Err(why) => class.error = Some(format!("redirect to {location:?}: {why}")),
        Ok(target) if queued.redirects >= context.config.max_redirects => {
            class.outcome = Outcome::TooManyRedirects;
            class.error = Some(format!("{} redirects in a row", queued.redirects + 1));
            class.target = Some(target);
        }
        Ok(target) => {
            class.outcome = Outcome::Redirected;
            class.candidates = context
                .rules
                .follow_redirect(&target, queued, context.clock.now());
            class.target = Some(target);
        }
    }
}

/// Where the Location header leads, as it came and canonical.
pub(crate) fn target<F>(
    context: &VisitContext<F>,
    queued: &QueuedUrl,
    response: &Response,
) -> Option<(String, Result<CanonicalUrl, NotCanonical>)> {
    let location = location(&response.headers)?;
    let target = queued
        .url
        .to_url()
        .and_then(|base| CanonicalUrl::join(&base, location.trim(), &context.rules.policy));
    Some((location, target))
}
