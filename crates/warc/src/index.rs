//! From the records of a file to the lines of its index.

use std::io::Read;

use sha1::{Digest as _, Sha1};

use crate::cdxj::{CdxjCapture, CdxjLine};
use crate::digest::Digest;
use crate::error::{Error, Problem};
use crate::head::Head;
use crate::http::{head_length, header, status};
use crate::kind::RecordKind;
use crate::reader::{Reader, Record};
use crate::surt::surt;

/// The HTTP head is looked for in so many bytes of a record's content.
const HTTP_HEAD_BYTES_MAX: usize = 64 * 1024;

/// The index of a file: a line for each response and revisit, in the order of CDXJ files. `filename`
/// is what the lines call the file. Holds a few hundred bytes a record.
///
/// With [`crate::ReadOptions::trusts_lengths`] only the heads of the records are decompressed.
///
/// A record without a payload digest gets the one that [`crate::http::payload_digest`] computes.
///
/// # Errors
///
/// As [`Reader::next_record`]; [`Problem::SharedMember`] where a record cannot be read by itself.
pub fn index<R: Read>(reader: &mut Reader<R>, filename: &str) -> Result<Vec<CdxjLine>, Error> {
    let mut lines = Vec::new();
    while let Some(record) = reader.next_record()? {
        if let Some(line) = line_of(record, filename)? {
            lines.push(line);
        }
    }
    lines.sort_by_cached_key(CdxjLine::to_string);
    Ok(lines)
}

/// The line of a record; `None` where it gets none. Passes over the record.
fn line_of<R: Read>(mut record: Record<'_, R>, filename: &str) -> Result<Option<CdxjLine>, Error> {
    let head = record.head().clone();
    let is_indexed = matches!(
        head.kind(),
        RecordKind::Response | RecordKind::Revisit | RecordKind::ArcResponse
    );
    let (Some(url), Some(timestamp)) = (head.target_uri(), head.timestamp()) else {
        record.pass()?;
        return Ok(None);
    };
    if !is_indexed {
        record.pass()?;
        return Ok(None);
    }
    let content = read_content(&mut record, &head)?;
    let (offset, length) = record.pass()?;
    let Some(length) = length else {
        return Err(Error::new(offset, Problem::SharedMember));
    };
    Ok(Some(CdxjLine {
        key: surt(url),
        timestamp,
        capture: CdxjCapture {
            url: url.to_owned(),
            mime: content.mime,
            status: content.status,
            digest: content.digest,
            length: Some(length),
            offset,
            filename: filename.to_owned(),
        },
    }))
}

struct Content {
    mime: Option<String>,
    status: Option<u64>,
    digest: Option<String>,
}

fn read_content<R: Read>(record: &mut Record<'_, R>, head: &Head) -> Result<Content, Error> {
    let is_enough = |start: &[u8]| !head.is_http() || head_length(start).is_some();
    let start = record.content_start(HTTP_HEAD_BYTES_MAX, is_enough)?;
    let (http_head, payload) = if head.is_http() {
        let length = head_length(&start).unwrap_or(start.len());
        start.split_at_checked(length).unwrap_or((&start, &[]))
    } else {
        (&[][..], start.as_slice())
    };
    let is_revisit = *head.kind() == RecordKind::Revisit;
    let named = head.get_str("WARC-Payload-Digest").map(bare_digest);
    let digest = match named {
        Some(digest) => Some(digest),
        None if is_revisit => None,
        None => {
            let mut hasher = Sha1::new();
            hasher.update(payload);
            record.each_piece(|piece| hasher.update(piece))?;
            Some(Digest::from_hasher(hasher).to_base32())
        }
    };
    let own_type = if head.is_http() {
        header(http_head, "Content-Type")
    } else {
        head.get("Content-Type")
    };
    let mime = if is_revisit {
        Some("warc/revisit".to_owned())
    } else {
        own_type.and_then(media_type)
    };
    Ok(Content {
        mime,
        // The other tools give a revisit no status of its own: it is looked up with the original.
        status: status(http_head).map(u64::from).filter(|_| !is_revisit),
        digest,
    })
}

/// A digest as index files have it: SHA-1 in base32 without the algorithm's name, any other as it is.
fn bare_digest(value: &str) -> String {
    match Digest::parse(value) {
        Some(digest) => digest.to_base32(),
        None => value.to_owned(),
    }
}

/// A media type without its parameters, in lower case.
fn media_type(value: &[u8]) -> Option<String> {
    let value = value.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_well = !value.is_empty() && value.iter().all(u8::is_ascii_graphic);
    is_well.then(|| String::from_utf8_lossy(value).to_ascii_lowercase())
}
