//! The row: what the crawl says of one URL. Its format is versioned and documented field by field.

use std::time::Duration;

use serde::Serialize;

use crate::json_line::{JsonObject, push_text};

/// The version of the row format. It grows when a field changes its meaning or goes; new fields
/// may come without.
pub const ROW_VERSION: u32 = 1;

/// One row: a visited URL, whatever its outcome. Absent values are `null`.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// [`ROW_VERSION`].
    pub version: u32,
    /// The canonical URL.
    pub url: &'a str,
    /// Host name and, where it is not the default, port.
    pub host: &'a str,
    /// `page`, `robots`, `sitemap` or `feed`.
    pub kind: &'a str,
    /// The outcome's stable name.
    pub outcome: &'a str,
    /// HTTP status.
    pub status: Option<u16>,
    /// `HTTP/1.1`, `HTTP/2` ...
    pub http_version: Option<&'a str>,
    /// The Content-Type header.
    pub content_type: Option<&'a str>,
    /// The character encoding that the text was read in.
    pub charset: Option<&'a str>,
    /// Bytes of the body on the wire, compressed as it came.
    pub wire_bytes: u64,
    /// Bytes of the body after decompression.
    pub body_bytes: u64,
    /// Where a redirect points, canonical.
    pub redirect_target: Option<&'a str>,
    /// The target of `link rel=canonical`, canonical.
    pub canonical: Option<&'a str>,
    /// The title.
    pub title: Option<&'a str>,
    /// The meta description.
    pub description: Option<&'a str>,
    /// The language attribute.
    pub language: Option<&'a str>,
    /// meta robots and X-Robots-Tag, joined by `, `.
    pub robots: Option<&'a str>,
    /// `blake3:` and the digest of the decompressed body in hex.
    pub digest: Option<&'a str>,
    /// The SimHash of the visible text, 16 hex digits.
    pub simhash: Option<&'a str>,
    /// The page that had this content first, with `--skip-duplicates`.
    pub duplicate_of: Option<&'a str>,
    /// The links of the page, in its order.
    pub outlinks: &'a [OutlinkRow<'a>],
    /// What was cut or unclear while parsing.
    pub warnings: &'a [&'a str],
    /// The visible text, with `--text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The body as text, with `--body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// Link distance from a seed.
    pub hops: u16,
    /// The page that linked here first.
    pub referrer: Option<&'a str>,
    /// When the fetch began, RFC 3339 in UTC.
    pub fetched_at: &'a str,
    /// Milliseconds in each state of the visit.
    pub times: TimesRow,
    /// Times it was asked for.
    pub attempts: u8,
    /// The address that answered.
    pub address: Option<&'a str>,
    /// What went wrong, in words.
    pub error: Option<&'a str>,
}

/// One link in a row.
#[derive(Debug, Serialize)]
pub struct OutlinkRow<'a> {
    /// The canonical URL.
    pub url: &'a str,
    /// The link's text, cut at `--max-anchor-length`.
    pub text: &'a str,
    /// The `rel` tokens.
    pub rel: &'a str,
    /// `anchor`, `area`, `frame`, `refresh`, `next`, `prev`, `canonical`, `alternate`, `feed` ...
    pub kind: &'a str,
}

/// Milliseconds spent in each state of the visit that gave the outcome.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TimesRow {
    /// From admission to the lease: politeness and the wait for a slot, retries included.
    pub queue: f64,
    /// Resolving the name.
    pub dns: f64,
    /// Connecting.
    pub connect: f64,
    /// The TLS handshake.
    pub tls: f64,
    /// From the request to the first byte of the answer.
    pub first_byte: f64,
    /// From the first byte to the last.
    pub body: f64,
    /// Decompressing and parsing.
    pub parse: f64,
}

impl Row<'_> {
    /// Writes it as JSON behind what is in `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut object = JsonObject::begin(out);
        object.number("version", self.version.into());
        object.text("url", self.url);
        object.text("host", self.host);
        object.text("kind", self.kind);
        object.text("outcome", self.outcome);
        object.number_or_null("status", self.status.map(u64::from));
        object.text_or_null("http_version", self.http_version);
        object.text_or_null("content_type", self.content_type);
        object.text_or_null("charset", self.charset);
        object.number("wire_bytes", self.wire_bytes);
        object.number("body_bytes", self.body_bytes);
        object.text_or_null("redirect_target", self.redirect_target);
        object.text_or_null("canonical", self.canonical);
        object.text_or_null("title", self.title);
        object.text_or_null("description", self.description);
        object.text_or_null("language", self.language);
        object.text_or_null("robots", self.robots);
        object.text_or_null("digest", self.digest);
        object.text_or_null("simhash", self.simhash);
        object.text_or_null("duplicate_of", self.duplicate_of);
        object.array("outlinks", self.outlinks, |out, link| {
            let mut object = JsonObject::begin(out);
            object.text("url", link.url);
            object.text("text", link.text);
            object.text("rel", link.rel);
            object.text("kind", link.kind);
            object.end();
        });
        object.array("warnings", self.warnings, |out, warning| {
            push_text(out, warning)
        });
        if self.text.is_some() {
            object.text_or_null("text", self.text);
        }
        if self.body.is_some() {
            object.text_or_null("body", self.body);
        }
        object.number("hops", self.hops.into());
        object.text_or_null("referrer", self.referrer);
        object.text("fetched_at", self.fetched_at);
        self.times.write(object.field("times"));
        object.number("attempts", self.attempts.into());
        object.text_or_null("address", self.address);
        object.text_or_null("error", self.error);
        object.end();
    }
}

impl TimesRow {
    fn write(&self, out: &mut Vec<u8>) {
        let mut object = JsonObject::begin(out);
        object.decimal("queue", self.queue);
        object.decimal("dns", self.dns);
        object.decimal("connect", self.connect);
        object.decimal("tls", self.tls);
        object.decimal("first_byte", self.first_byte);
        object.decimal("body", self.body);
        object.decimal("parse", self.parse);
        object.end();
    }
}

/// A duration in milliseconds, to the microsecond.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// A field of the row, for the reference page and for `export --columns`.
#[derive(Debug)]
pub struct RowField {
    /// Its name; a part of another field has a dot.
    pub name: &'static str,
    /// Its JSON type.
    pub json: &'static str,
    /// What it says, with its unit.
    pub meaning: &'static str,
}

macro_rules! fields {
    ($($name:literal $json:literal $meaning:literal;)*) => {
        /// Every field of a row, in its order.
        pub const ROW_FIELDS: &[RowField] =
            &[$(RowField { name: $name, json: $json, meaning: $meaning },)*];
    };
}

fields! {
    "version" "number" "version of the row format, 1";
    "url" "string" "the canonical URL; with `kind` it is unique in a crawl";
    "host" "string" "name of the host and, where it is not the scheme's default, its port";
    "kind" "string" "what it was asked for: `page`, `robots`, `sitemap` or `feed`";
    "outcome" "string" "what happened to it: a name of the list below";
    "status" "number or null" "HTTP status; null without an answer";
    "http_version" "string or null" "`HTTP/1.0`, `HTTP/1.1` or `HTTP/2`";
    "content_type" "string or null" "the Content-Type header as it came";
    "charset" "string or null" "encoding that the text was read in (names of the Encoding Standard); null where no text was read";
    "wire_bytes" "number" "bytes of the body on the wire: compressed, without chunk framing";
    "body_bytes" "number" "bytes of the body after decompression";
    "redirect_target" "string or null" "where a redirect points, canonical";
    "canonical" "string or null" "target of `link rel=canonical`, resolved and canonical";
    "title" "string or null" "text of `title`, white space collapsed, at most 512 characters";
    "description" "string or null" "the meta description";
    "language" "string or null" "`lang` of `html`, or Content-Language";
    "robots" "string or null" "meta robots and X-Robots-Tag, joined by `, `";
    "digest" "string or null" "`blake3:` and the digest of the decompressed body in hex; null where no whole body came";
    "simhash" "string or null" "SimHash of the visible text in 16 hex digits: near texts differ in few bits; null for what is no HTML page, and for fewer than ten words";
    "duplicate_of" "string or null" "URL of the page that had this content before, with `--skip-duplicates`: the links of this one were not followed";
    "outlinks" "array" "links in the order of the page, repetitions included, http and https only";
    "outlinks.url" "string" "where it points, canonical";
    "outlinks.text" "string" "its text, white space collapsed, cut at `--max-anchor-length` characters";
    "outlinks.rel" "string" "its `rel` tokens in lower case, empty without";
    "outlinks.kind" "string" "`anchor`, `area`, `svg_anchor`, `next`, `prev`, `canonical`, `alternate`, `feed`, `sitemap`, `frame` or `refresh`";
    "warnings" "array" "what was cut or unclear: `links_cut`, `text_cut`, `unknown_charset`, `malformed_bytes` ...; `too_many_copies` where `--max-copies` held the links back";
    "text" "string, only with `--text`" "the visible text, one line a block, cut at `--max-text-size` bytes";
    "body" "string, only with `--body`" "the decompressed body, read as text in `charset`";
    "hops" "number" "link distance from a seed; a redirect is one hop";
    "referrer" "string or null" "the page that linked here first; null for a seed";
    "fetched_at" "string" "when the visit began, RFC 3339 in UTC with milliseconds";
    "times" "object" "milliseconds in each state of the visit that gave the outcome; 0 where a state was not entered";
    "times.queue" "number" "from admission to the lease: politeness, the wait for a slot, and earlier attempts";
    "times.dns" "number" "resolving the name";
    "times.connect" "number" "connecting";
    "times.tls" "number" "the TLS handshake";
    "times.first_byte" "number" "from the request to the first byte of the answer";
    "times.body" "number" "from the first byte of the answer to the last of the body";
    "times.parse" "number" "decompressing and parsing";
    "attempts" "number" "how often it was asked for; 0 where it never was";
    "address" "string or null" "IP address and port that answered";
    "error" "string or null" "what went wrong, or the rule that decided, in words";
}

/// How a row stands in CSV, for `docs/rows.md`.
const AS_CSV: &str = "\
## As CSV

`nephila export` writes RFC 4180 with line feeds. `null` is an empty cell, an empty string is
`\"\"`; an array or object stands as JSON text. Text that a spreadsheet would run as a formula
gets a leading `'`: text that begins with `=`, `+`, `-`, `@` or a full-width form of these, a
tab or a line break, also after white space, control characters, quotes or marks of no width.
Numbers do not. A `'` before such text is always one that was added, so that a program can take
it off again; `--raw-cells` leaves it away.
";

/// `docs/rows.md`, whole.
pub fn rows_page() -> String {
    let mut page = format!(
        "# Rows\n\n\
         This page is made from `crates/nephila/src/row.rs` by `cargo xtask docs`.\n\n\
         A crawl directory holds its rows in `pages/part-00000.jsonl`, `part-00001.jsonl` and so\n\
         on: one JSON object a line, UTF-8, in the order in which the visits ended. There is one\n\
         row for every visited URL, whatever its outcome, and none twice. This is version\n\
         {ROW_VERSION} of the format; `version` grows when a field changes its meaning or goes, new\n\
         fields may come without.\n\n| field | JSON | meaning |\n|---|---|---|\n"
    );
    for field in ROW_FIELDS {
        page.push_str(&format!(
            "| `{}` | {} | {} |\n",
            field.name, field.json, field.meaning
        ));
    }
    page.push('\n');
    page.push_str(AS_CSV);
    page.push_str("\n## Outcomes\n\n| outcome | meaning |\n|---|---|\n");
    for outcome in nephila_frontier::Outcome::ALL {
        page.push_str(&format!(
            "| `{}` | {} |\n",
            outcome.as_str(),
            outcome.meaning()
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKS: [OutlinkRow<'_>; 2] = [
        OutlinkRow {
            url: "u",
            text: "t",
            rel: "",
            kind: "anchor",
        },
        OutlinkRow {
            url: "http://a.test/?\"q\"",
            text: "a\\b\n\u{1}é",
            rel: "nofollow me",
            kind: "area",
        },
    ];

    fn sparse() -> Row<'static> {
        Row {
            version: ROW_VERSION,
            url: "http://a.test/",
            host: "a.test",
            kind: "page",
            outcome: "fetched",
            status: Some(200),
            http_version: None,
            content_type: None,
            charset: None,
            wire_bytes: 1,
            body_bytes: 2,
            redirect_target: None,
            canonical: None,
            title: None,
            description: None,
            language: None,
            robots: None,
            digest: None,
            simhash: None,
            duplicate_of: None,
            outlinks: &LINKS,
            warnings: &[],
            text: Some(""),
            body: Some(""),
            hops: 0,
            referrer: None,
            fetched_at: "",
            times: TimesRow::default(),
            attempts: 1,
            address: None,
            error: None,
        }
    }

    #[test]
    fn a_row_is_written_as_its_fields_say() {
        let full = Row {
            status: Some(200),
            http_version: Some("HTTP/1.1"),
            content_type: Some("text/html; charset=\"x\""),
            charset: Some("UTF-8"),
            wire_bytes: u64::MAX,
            redirect_target: Some("r"),
            canonical: Some("c"),
            title: Some("\t“t”"),
            description: Some("d"),
            language: Some("en"),
            robots: Some("noindex"),
            digest: Some("blake3:00"),
            simhash: Some("0f"),
            duplicate_of: Some("o"),
            outlinks: &[],
            warnings: &["links_cut", "text_cut"],
            text: None,
            body: None,
            hops: 3,
            referrer: Some("f"),
            times: TimesRow {
                queue: 0.001,
                dns: 12.5,
                connect: 1e9,
                ..TimesRow::default()
            },
            attempts: 255,
            address: Some("[::1]:80"),
            error: Some("e"),
            ..sparse()
        };
        for row in [sparse(), full] {
            let mut out = Vec::new();
            row.write(&mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                serde_json::to_string(&row).unwrap()
            );
        }
    }

    #[test]
    fn the_documented_fields_are_the_fields() {
        let row = sparse();
        let json = serde_json::to_value(&row).unwrap();
        let mut found = Vec::new();
        // serde_json's map is sorted by name here, so compare as sets.
        for (name, value) in json.as_object().unwrap() {
            found.push(name.clone());
            let inner = value
                .as_object()
                .or_else(|| value.as_array()?.first()?.as_object());
            found.extend(
                inner
                    .into_iter()
                    .flatten()
                    .map(|(part, _)| format!("{name}.{part}")),
            );
        }
        let mut documented: Vec<_> = ROW_FIELDS.iter().map(|f| f.name.to_owned()).collect();
        found.sort();
        documented.sort();
        assert_eq!(found, documented);
    }
}
