//! What a server answers with: content codings and headers, of `nephila_fetch` and `nephila_parse`.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use nephila_fetch::{DecodeErrorKind, decode_body as decode, retry_after};
use nephila_parse::{BodyKind, body_kind, robots_directives};

use crate::choice;

/// Content-Encoding headers, one chosen by the first byte.
const CODINGS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, br",
    "deflate, gzip, identity",
    "zstd, zstd, gzip",
    "identity",
];

/// The larger of the two limits that a body is decoded under, in bytes.
const LIMIT_BYTES: u64 = 1 << 20;

/// The smaller.
const SMALL_LIMIT_BYTES: u64 = 100;

/// Undoes content codings; the first byte chooses them.
///
/// Promises: no more comes out than the limit, in success and in failure; a limit changes where the
/// body ends and nothing else. Of a broken body either run may have come further: the codecs give out
/// what they have in pieces.
pub fn decode_body(data: &[u8]) {
    let (variant, body) = choice(data);
    let coding = CODINGS.get(usize::from(variant) % CODINGS.len()).copied();
    let body = Bytes::copy_from_slice(body);
    let (whole, failed) = decoded(coding, &body, LIMIT_BYTES);
    let (cut, cut_failed) = decoded(coding, &body, SMALL_LIMIT_BYTES);
    let is_further = failed.is_some() && cut.starts_with(&whole);
    let is_same = whole.starts_with(&cut) || is_further;
    assert!(is_same, "a limit changes what is decoded");
    if cut_failed.is_none() {
        assert_eq!((whole.len(), failed), (cut.len(), None));
    }
}

/// What came out, and why it is not all.
fn decoded(coding: Option<&str>, body: &Bytes, limit: u64) -> (Bytes, Option<DecodeErrorKind>) {
    let (bytes, failed) = match decode(coding, body.clone(), limit) {
        Ok(bytes) => (bytes, None),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let kind = error.kind();
            (error.into_partial(), Some(kind))
        }
    };
    assert!(bytes.len() as u64 <= limit, "{} bytes", bytes.len());
    (bytes, failed)
}

/// Reads the bytes as the value of each header that is parsed: Retry-After, Content-Encoding,
/// Content-Type and X-Robots-Tag.
///
/// Promises: none of them fails; what an X-Robots-Tag asks of us is not undone by the words behind it.
pub fn headers(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value);
        let early = retry_after(&headers, 0);
        let late = retry_after(&headers, u64::MAX);
        assert!(late <= early, "waiting grows with the time of day");
    }
    let text = String::from_utf8_lossy(data);
    let (_, _) = decoded(Some(&text), &Bytes::from_static(b"body"), SMALL_LIMIT_BYTES);
    let kind = body_kind(Some(&text), b"<!DOCTYPE html><p>");
    assert!(!text.trim().eq_ignore_ascii_case("text/html") || kind == BodyKind::Html);
    let directives = robots_directives(&text, "nephila");
    let more = robots_directives(&format!("{text}, nephila: none"), "nephila");
    assert!(more.nofollow && more.noindex);
    assert_eq!(directives.union(more), more);
}
