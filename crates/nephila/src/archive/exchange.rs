//! The records of one exchange, made on the way to the committer.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use nephila_fetch::RawExchange;
use nephila_frontier::{Moment, QueuedUrl};
use nephila_parse::LinkKind;
use nephila_warc::records::{self, Capture};
use nephila_warc::{Compression, Digest, RecordId, WarcFields, http};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::analysis::Found;
use crate::clock::rfc3339;
use crate::error::{Error, ErrorKind};
use crate::visit_row::RowParts;

/// Hops that are written out; more are not told.
const MOST_HOPS: usize = 255;

/// What the records of an exchange are made from.
#[derive(Debug)]
pub(crate) struct Material {
    raw: RawExchange,
    url: String,
    date: String,
    ip: Option<IpAddr>,
    fields: WarcFields,
}

/// The records of one exchange, compressed.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) response: Vec<u8>,
    /// Request and metadata.
    pub(super) rest: Vec<u8>,
    /// The head of the answer, for a revisit.
    pub(super) head: Vec<u8>,
    pub(super) has_payload: bool,
    pub(super) digest: Digest,
    pub(super) id: RecordId,
    pub(super) url: String,
    pub(super) date: String,
    pub(super) ip: Option<IpAddr>,
}

/// The date of a WARC record: whole seconds, so that an index has all of it.
pub(super) fn warc_date(moment: Moment) -> String {
    let mut date = rfc3339(moment);
    date.truncate("2026-11-23T04:26:57".len());
    date.push('Z');
    date
}

impl Material {
    /// Takes what the records need of a visit that got a whole answer.
    pub(crate) fn of(
        raw: RawExchange,
        queued: &QueuedUrl,
        parts: &RowParts,
        remote: Option<SocketAddr>,
        began: Moment,
    ) -> Material {
        let raw = RawExchange {
            request: without_secrets(&raw.request),
            ..raw
        };
        Material {
            raw,
            url: queued.url.as_str().to_owned(),
            date: warc_date(began),
            ip: remote.map(|remote| remote.ip()),
            fields: fields(queued, parts),
        }
    }

    /// Bytes to be compressed.
    pub(crate) fn bytes(&self) -> usize {
        self.raw.request.len() + self.raw.response.len() + self.fields.as_bytes().len()
    }
}

impl Exchange {
    /// Makes and compresses the records. Their identifiers follow from URL and date, keyed by `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`] only: a canonical URL can stand in a header.
    pub(crate) fn make(
        material: Material,
        compression: Compression,
        key: [u64; 2],
    ) -> Result<Exchange, Error> {
        let Material {
            raw,
            url,
            date,
            ip,
            fields,
        } = material;
        let capture = Capture {
            target_uri: &url,
            date: &date,
            ip,
            warcinfo_id: None,
        };
        let id = |what: u8| record_id(key, &url, &date, what);
        let digest = http::payload_digest(&raw.response);
        let response = records::response(id(0), &capture, digest, None, &raw.response);
        let request = records::request(id(1), &capture, Some(id(0)), &raw.request);
        let metadata = records::metadata(id(2), &capture, Some(id(0)), &fields);
        let pack = |record: Result<Vec<u8>, nephila_warc::BuildError>| {
            let record = record.map_err(|error| bug(&url, &error))?;
            compression
                .compress(&record)
                .map_err(|error| bug(&url, &error))
        };
        let response = pack(response)?;
        let mut rest = pack(request)?;
        rest.extend(pack(metadata)?);
        let head = http::head_length(&raw.response).unwrap_or(raw.response.len());
        Ok(Exchange {
            response,
            rest,
            head: raw.response.get(..head).unwrap_or_default().to_owned(),
            has_payload: raw.response.len() > head,
            digest,
            id: id(0),
            url,
            date,
            ip,
        })
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.response.len() + self.rest.len() + self.head.len() + self.url.len()
    }
}

/// Headers that are the user's own secrets: an archive is made to be given away.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The request without the lines of headers that hold credentials.
fn without_secrets(request: &Bytes) -> Bytes {
    let is_secret = |line: &[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        SECRET_HEADERS
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
    };
    let lines = || request.split_inclusive(|byte| *byte == b'\n');
    if !lines().any(is_secret) {
        return request.clone();
    }
    lines()
        .filter(|line| !is_secret(line))
        .flatten()
        .copied()
        .collect()
}

/// The same exchange gives the same identifier; a key that nobody knows keeps others' apart.
pub(super) fn record_id(key: [u64; 2], url: &str, date: &str, what: u8) -> RecordId {
    let mut hasher = SipHasher13::new_with_keys(key[0], key[1]);
    (url, date, what).hash(&mut hasher);
    hasher.write_u8(what);
    let hash = hasher.finish128();
    RecordId::from_bytes(hash.as_bytes())
}

/// Where it was found, and where it leads (the fields of Heritrix).
fn fields(queued: &QueuedUrl, parts: &RowParts) -> WarcFields {
    let mut fields = WarcFields::new();
    let hops = usize::from(queued.hops).min(MOST_HOPS);
    // What cannot stand in a field is left out: these are canonical URLs, and can.
    if let Some(referrer) = queued.referrer.as_deref() {
        let _ = fields.add("via", referrer);
    }
    if hops > 0 {
        let _ = fields.add("hopsFromSeed", &"L".repeat(hops));
    }
    let found = parts.analysis.as_ref().map(|analysis| &analysis.found);
    let Some(Found::Document(document)) = found else {
        return fields;
    };
    let _ = fields.add("charsetForLinkExtraction", document.charset.name);
    for (url, link) in parts.links.iter(document) {
        let (hop, context) = context(link.kind);
        let _ = fields.outlink(url, hop, context);
    }
    fields
}

/// The hop and the place of a link, as Heritrix names them.
fn context(kind: LinkKind) -> (char, &'static str) {
    match kind {
        LinkKind::Anchor => ('L', "a/@href"),
        LinkKind::Area => ('L', "area/@href"),
        LinkKind::Frame => ('E', "frame/@src"),
        LinkKind::Refresh => ('R', "meta/@content"),
        _ => ('L', "link/@href"),
    }
}

fn bug(url: &str, error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Bug, format!("{url}: its WARC records: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_archived() {
        let request =
            "GET / HTTP/1.1\r\nHost: a.test\r\nCookie: id=1\r\nAUTHORIZATION: Basic eA==\r\n\r\n";
        let kept = without_secrets(&Bytes::from_static(request.as_bytes()));
        assert_eq!(kept, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(without_secrets(&kept), kept);
    }

    #[test]
    fn dates_have_whole_seconds() {
        let moment = Moment::from_micros(1_795_408_017_999_456);
        assert_eq!(warc_date(moment), "2026-11-23T04:26:57Z");
    }
}
