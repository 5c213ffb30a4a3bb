//! The records that a crawler writes of an exchange.

use std::net::IpAddr;

use crate::builder::{RecordBuilder, RecordId};
use crate::digest::Digest;
use crate::error::BuildError;
use crate::http::{head_length, payload_digest};
use crate::kind::RecordKind;
use crate::warc_fields::WarcFields;

/// The profile of a revisit whose payload has the digest of an earlier one (WARC 1.1 section 6.7.2).
pub const IDENTICAL_PAYLOAD: &str =
    "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// What the records of one exchange have in common.
#[derive(Debug, Clone, Copy)]
pub struct Capture<'a> {
    /// What was asked for.
    pub target_uri: &'a str,
    /// When: UTC, `2026-01-02T03:04:05Z`, with a fraction of up to nine digits if wanted.
    pub date: &'a str,
    /// The address that answered, where it was the server's own.
    pub ip: Option<IpAddr>,
    /// The file's warcinfo record.
    pub warcinfo_id: Option<RecordId>,
}

/// Why a response is not in its record as a whole (WARC 1.1 section 5.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncated {
    /// It was longer than the limit.
    Length,
    /// It took longer than the limit.
    Time,
    /// The connection ended.
    Disconnect,
    /// For any other reason.
    Unspecified,
}

impl Truncated {
    /// The value of WARC-Truncated.
    pub fn as_str(self) -> &'static str {
        match self {
            Truncated::Length => "length",
            Truncated::Time => "time",
            Truncated::Disconnect => "disconnect",
            Truncated::Unspecified => "unspecified",
        }
    }
}

/// The response that a revisit stands for.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Its record, where it is known.
    pub id: Option<RecordId>,
    /// Its WARC-Target-URI.
    pub target_uri: &'a str,
    /// Its WARC-Date.
    pub date: &'a str,
}

/// A warcinfo record: the first of each file, about the records behind it. `filename` is the name of
/// that file; `fields` says who wrote it and how (`software`, `format`, `robots`, `operator` ...).
///
/// # Errors
///
/// A date or file name that cannot stand in a header.
pub fn warcinfo(
    id: RecordId,
    date: &str,
    filename: Option<&str>,
    fields: &WarcFields,
) -> Result<Vec<u8>, BuildError> {
    let record = RecordBuilder::new(&RecordKind::Warcinfo, id, date)?
        .maybe("WARC-Filename", filename)?
        .field("Content-Type", "application/warc-fields")?
        .block_digest(fields.as_bytes())?;
    Ok(record.build(fields.as_bytes()))
}

/// A request record: the bytes that were sent. `concurrent_to` is the record of what came back.
///
/// # Errors
///
/// A URI or date that cannot stand in a header.
pub fn request(
    id: RecordId,
    capture: &Capture<'_>,
    concurrent_to: Option<RecordId>,
    message: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let record = start(&RecordKind::Request, id, capture)?
        .maybe("WARC-Concurrent-To", concurrent_to)?
        .field("Content-Type", "application/http;msgtype=request")?
        .field("WARC-Payload-Digest", &payload_digest(message).to_string())?
        .block_digest(message)?;
    Ok(record.build(message))
}

/// A response record: the bytes that came, head and body as on the wire. `payload_digest` is that of
/// the payload as it stands in `message` ([`crate::http::payload_digest`]).
///
/// # Errors
///
/// A URI or date that cannot stand in a header.
pub fn response(
    id: RecordId,
    capture: &Capture<'_>,
    payload_digest: Digest,
    truncated: Option<Truncated>,
    message: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let record = start(&RecordKind::Response, id, capture)?
        .maybe("WARC-Truncated", truncated.map(Truncated::as_str))?
        .field("Content-Type", "application/http;msgtype=response")?
        .field("WARC-Payload-Digest", &payload_digest.to_string())?
        .block_digest(message)?;
    Ok(record.build(message))
}

/// A revisit record: a response whose payload has the digest of `original`'s, of which only the head
/// is kept (WARC 1.1 section 6.7.2). What stands behind the head in `message` is left away.
///
/// # Errors
///
/// A URI or date that cannot stand in a header.
pub fn revisit(
    id: RecordId,
    capture: &Capture<'_>,
    original: &Original<'_>,
    payload_digest: Digest,
    message: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let head = head_length(message).and_then(|length| message.get(..length));
    let head = head.unwrap_or(message);
    let record = start(&RecordKind::Revisit, id, capture)?
        .field("WARC-Profile", IDENTICAL_PAYLOAD)?
        .maybe("WARC-Refers-To", original.id)?
        .field("WARC-Refers-To-Target-URI", original.target_uri)?
        .field("WARC-Refers-To-Date", original.date)?
        .field("WARC-Truncated", Truncated::Length.as_str())?
        .field("Content-Type", "application/http;msgtype=response")?
        .field("WARC-Payload-Digest", &payload_digest.to_string())?
        .block_digest(head)?;
    Ok(record.build(head))
}

/// A metadata record about the exchange: `via`, `hopsFromSeed`, `outlink` ... `about` is the record of
/// the response.
///
/// # Errors
///
/// A URI or date that cannot stand in a header.
pub fn metadata(
    id: RecordId,
    capture: &Capture<'_>,
    about: Option<RecordId>,
    fields: &WarcFields,
) -> Result<Vec<u8>, BuildError> {
    let record = start(&RecordKind::Metadata, id, capture)?
        .maybe("WARC-Concurrent-To", about)?
        .field("Content-Type", "application/warc-fields")?
        .block_digest(fields.as_bytes())?;
    Ok(record.build(fields.as_bytes()))
}

fn start(
    kind: &RecordKind,
    id: RecordId,
    capture: &Capture<'_>,
) -> Result<RecordBuilder, BuildError> {
    // WARC-IP-Address belongs to the messages of the exchange (WARC 1.1 section 5.10).
    let ip = capture.ip.filter(|_| *kind != RecordKind::Metadata);
    RecordBuilder::new(kind, id, capture.date)?
        .field("WARC-Target-URI", capture.target_uri)?
        .maybe("WARC-IP-Address", ip)?
        .maybe("WARC-Warcinfo-ID", capture.warcinfo_id)
}
