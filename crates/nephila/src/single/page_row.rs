//! A page report as JSON: the fields of a row, and what only a single fetch tells.

use serde::{Serialize, Serializer};

use super::page_report::PageReport;
use crate::clock::rfc3339;
use crate::row::{OutlinkRow, ROW_VERSION, Row, TimesRow, millis};
use crate::visit_row::simhash_hex;

/// A row with a few fields more.
#[derive(Serialize)]
struct FetchRow<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    /// Names and values, in the order in which they came; null without an answer.
    headers: Option<&'a [(String, String)]>,
    /// Whether the connection had served an exchange before; null without an answer.
    reused: Option<bool>,
    /// The Content-Encoding header.
    content_encoding: Option<&'a str>,
    /// Where the charset was learnt.
    charset_source: Option<&'a str>,
    /// Whether the body was left unread because of its type.
    body_skipped: bool,
    /// The state of `times` in which it went wrong.
    failed_in: Option<&'a str>,
    /// The sum of all `times`, in milliseconds.
    total: f64,
}

impl Serialize for PageReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let page = self.page.as_ref();
        let answer = self.answer.as_ref();
        let links = page.map_or(&[][..], |page| &page.links);
        let outlinks: Vec<_> = links
            .iter()
            .map(|link| OutlinkRow {
                url: link.url.as_str(),
                text: &link.text,
                rel: &link.rel,
                kind: link.kind,
            })
            .collect();
        let fetched_at = rfc3339(self.fetched_at);
        let robots = self.robots();
        let simhash = page.and_then(|page| page.simhash).map(simhash_hex);
        let address = self.address.map(|address| address.to_string());
        let row = Row {
            version: ROW_VERSION,
            url: self.url.as_str(),
            host: self.url.host(),
            kind: "page",
            outcome: self.outcome.as_str(),
            status: answer.map(|answer| answer.status),
            http_version: answer.map(|answer| answer.version),
            content_type: answer.and_then(|answer| answer.header("content-type")),
            charset: self.charset,
            wire_bytes: self.wire_bytes,
            body_bytes: self.body_bytes,
            redirect_target: self.redirect_target.as_ref().map(|url| url.as_str()),
            canonical: page
                .and_then(|page| page.canonical.as_ref())
                .map(|url| url.as_str()),
            title: page.and_then(|page| page.title.as_deref()),
            description: page.and_then(|page| page.description.as_deref()),
            language: page.and_then(|page| page.language.as_deref()),
            robots: robots.as_deref(),
            digest: self.digest.as_deref(),
            simhash: simhash.as_deref(),
            duplicate_of: None,
            outlinks: &outlinks,
            warnings: page.map_or(&[][..], |page| &page.warnings),
            text: page.and_then(|page| page.text.as_deref()),
            body: self.body.as_deref(),
            hops: 0,
            referrer: None,
            fetched_at: &fetched_at,
            times: self.times_row(),
            attempts: 1,
            address: address.as_deref(),
            error: self.error.as_deref(),
        };
        let row = FetchRow {
            row,
            headers: answer.map(|answer| answer.headers.as_slice()),
            reused: answer.map(|answer| answer.reused),
            content_encoding: answer.and_then(|answer| answer.header("content-encoding")),
            charset_source: page.map(|page| page.charset_source),
            body_skipped: self.body_skipped,
            failed_in: self.failed_in,
            total: millis(self.times.total()),
        };
        row.serialize(serializer)
    }
}

impl PageReport {
    /// The robots metas and the X-Robots-Tag headers, joined by `, `.
    pub fn robots(&self) -> Option<String> {
        let meta = self
            .page
            .as_ref()
            .and_then(|page| page.robots_meta.as_deref());
        let both: Vec<&str> = meta
            .into_iter()
            .chain(self.robots_header.as_deref())
            .collect();
        (!both.is_empty()).then(|| both.join(", "))
    }

    fn times_row(&self) -> TimesRow {
        TimesRow {
            queue: 0.0,
            dns: millis(self.times.dns),
            connect: millis(self.times.connect),
            tls: millis(self.times.tls),
            first_byte: millis(self.times.first_byte),
            body: millis(self.times.body),
            parse: millis(self.times.parse),
        }
    }
}
