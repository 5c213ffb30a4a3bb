//! Writing the row of a visit.

use nephila_fetch::{RawExchange, Response};
use nephila_frontier::{CanonicalUrl, Lease, Moment, UrlKind};
use nephila_parse::{Document, Warning};

use crate::analysis::{Analysis, Found};
use crate::answer_headers::header;
use crate::clock::rfc3339;
use crate::follow::Resolved;
use crate::row::{OutlinkRow, ROW_VERSION, Row, TimesRow, millis};
use crate::visit::Ending;

/// The warning of a page whose links were not followed because of `--max-copies`.
pub(crate) const TOO_MANY_COPIES: &str = "too_many_copies";

/// What a row needs of the answer.
#[derive(Debug, Default)]
pub(crate) struct RowParts {
    pub(crate) status: Option<u16>,
    pub(crate) version: Option<&'static str>,
    pub(crate) content_type: Option<String>,
    pub(crate) wire_bytes: u64,
    pub(crate) redirect_target: Option<CanonicalUrl>,
    pub(crate) robots_header: Option<String>,
    pub(crate) analysis: Option<Analysis>,
    /// The page that had this content first.
    pub(crate) duplicate_of: Option<String>,
    /// Whether its host had this body more often than `--max-copies`.
    pub(crate) is_copy: bool,
    /// The document's links, resolved.
    pub(crate) links: Resolved,
    /// The bytes as they went over the wire, where they are wanted and came whole.
    pub(crate) raw: Option<RawExchange>,
}

impl RowParts {
    pub(crate) fn of(response: &Response) -> RowParts {
        RowParts {
            status: Some(response.status),
            version: Some(response.version),
            content_type: header(&response.headers, http::header::CONTENT_TYPE),
            wire_bytes: response.wire_bytes,
            raw: response.raw.clone(),
            ..RowParts::default()
        }
    }
}

/// The row of a visit, as one line of JSON.
pub(crate) fn write_row(
    lease: &Lease,
    ending: &Ending,
    parts: &RowParts,
    began: Moment,
) -> Vec<u8> {
    let queued = lease.url();
    let analysis = parts.analysis.as_ref();
    let document = analysis.and_then(|analysis| match &analysis.found {
        Found::Document(document) => Some(&**document),
        _ => None,
    });
    let charset = match analysis.map(|analysis| &analysis.found) {
        Some(Found::Document(document)) => Some(document.charset.name),
        Some(Found::Text(name)) => Some(*name),
        _ => None,
    };
    let outlinks: Vec<_> = document
        .into_iter()
        .flat_map(|document| outlink_rows(document, &parts.links))
        .collect();
    let given_up = analysis.is_some_and(|analysis| analysis.is_given_up);
    let warnings: Vec<_> = document
        .into_iter()
        .flat_map(|document| &document.warnings)
        .filter(|warning| !(parts.links.is_cut && **warning == Warning::LinksCut))
        .map(warning_name)
        .chain(parts.links.is_cut.then_some("links_cut"))
        .chain(parts.is_copy.then_some(TOO_MANY_COPIES))
        .chain(given_up.then_some("parser_failed"))
        .collect();
    let meta = document.and_then(|document| document.robots_meta.as_deref());
    let robots: Vec<&str> = meta
        .into_iter()
        .chain(parts.robots_header.as_deref())
        .collect();
    let robots = (!robots.is_empty()).then(|| robots.join(", "));
    let simhash = document.and_then(|document| document.simhash);
    let simhash = simhash.map(simhash_hex);
    let address = ending.remote.map(|remote| remote.to_string());
    let row = Row {
        version: ROW_VERSION,
        url: queued.url.as_str(),
        host: queued.url.host(),
        kind: queued.kind.as_str(),
        outcome: ending.outcome.as_str(),
        status: parts.status,
        http_version: parts.version,
        content_type: parts.content_type.as_deref(),
        charset,
        wire_bytes: parts.wire_bytes,
        body_bytes: analysis.map_or(0, |analysis| analysis.body_bytes),
        redirect_target: parts.redirect_target.as_ref().map(CanonicalUrl::as_str),
        canonical: parts.links.canonical.as_deref(),
        title: document.and_then(|document| document.title.as_deref()),
        description: document.and_then(|document| document.description.as_deref()),
        language: document.and_then(|document| document.language.as_deref()),
        robots: robots.as_deref(),
        digest: analysis.map(|analysis| analysis.digest.as_str()),
        simhash: simhash.as_deref(),
        duplicate_of: parts.duplicate_of.as_deref(),
        outlinks: &outlinks,
        warnings: &warnings,
        text: document.and_then(|document| document.text.as_deref()),
        body: analysis.and_then(|analysis| analysis.body_text.as_deref()),
        hops: queued.hops,
        referrer: queued.referrer.as_deref(),
        fetched_at: &rfc3339(began),
        times: times(lease, ending, analysis),
        attempts: attempts(lease),
        address: address.as_deref(),
        error: ending.error.as_deref(),
    };
    serialize(&row)
}

/// The row of a URL that was refused without being asked for.
pub(crate) fn write_refused_row(refused: &nephila_frontier::Refused, now: Moment) -> Vec<u8> {
    let queued = &refused.url;
    let queue = millis(now.since(queued.admitted_at));
    serialize(&Row {
        version: ROW_VERSION,
        url: queued.url.as_str(),
        host: queued.url.host(),
        kind: queued.kind.as_str(),
        outcome: refused.outcome.as_str(),
        status: None,
        http_version: None,
        content_type: None,
        charset: None,
        wire_bytes: 0,
        body_bytes: 0,
        redirect_target: None,
        canonical: None,
        title: None,
        description: None,
        language: None,
        robots: None,
        digest: None,
        simhash: None,
        duplicate_of: None,
        outlinks: &[],
        warnings: &[],
        text: None,
        body: None,
        hops: queued.hops,
        referrer: queued.referrer.as_deref(),
        fetched_at: &rfc3339(now),
        times: TimesRow {
            queue,
            ..TimesRow::default()
        },
        attempts: queued.attempts,
        address: None,
        error: Some(&refused.why),
    })
}

/// A SimHash as it stands in a row.
pub(crate) fn simhash_hex(simhash: u64) -> String {
    format!("{simhash:016x}")
}

fn serialize(row: &Row<'_>) -> Vec<u8> {
    const USUAL_BYTES: usize = 8 * 1024;
    let mut line = Vec::with_capacity(USUAL_BYTES);
    row.write(&mut line);
    line.push(b'\n');
    line
}

fn outlink_rows<'a>(
    document: &'a Document,
    links: &'a Resolved,
) -> impl Iterator<Item = OutlinkRow<'a>> {
    links.iter(document).map(|(url, link)| OutlinkRow {
        url,
        text: &link.text,
        rel: &link.rel,
        kind: link.kind.as_str(),
    })
}

fn times(lease: &Lease, ending: &Ending, analysis: Option<&Analysis>) -> TimesRow {
    let fetch = ending.times;
    TimesRow {
        queue: millis(lease.queued_for()),
        dns: millis(fetch.dns),
        connect: millis(fetch.connect),
        tls: millis(fetch.tls),
        first_byte: millis(fetch.first_byte),
        body: millis(fetch.body),
        parse: millis(analysis.map(|analysis| analysis.took).unwrap_or_default()),
    }
}

fn attempts(lease: &Lease) -> u8 {
    let queued = lease.url();
    let before = if queued.kind == UrlKind::Robots {
        0
    } else {
        queued.attempts
    };
    before.saturating_add(1)
}

fn warning_name(warning: &Warning) -> &'static str {
    match warning {
        Warning::LinksCut => "links_cut",
        Warning::TextCut => "text_cut",
        Warning::UnknownCharset => "unknown_charset",
        Warning::MalformedBytes => "malformed_bytes",
    }
}
