//! Comparing the digests in a header with the content as it goes by.

use sha1::{Digest as _, Sha1};

use crate::digest::Digest;
use crate::error::{Problem, Shown};
use crate::head::Head;
use crate::http::{Dechunker, head_length, is_chunked};
use crate::kind::RecordKind;

/// An HTTP head beyond this many bytes is taken for a message without payload.
const HTTP_HEAD_BYTES_MAX: usize = 1024 * 1024;

/// What became of a digest that a header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Digests were not to be verified.
    NotAsked,
    /// The header has none, or one that says nothing about this record's content: the payload digest
    /// of a revisit is that of another record, that of a segment is of the whole.
    None,
    /// It is of an algorithm or form that is not known here.
    Unknown,
    /// It is the digest of the content.
    Matches,
}

/// The digests of one record while its content is read.
pub(crate) struct Verifier {
    block: Option<(Digest, Sha1)>,
    payload: Option<PayloadVerifier>,
    checks: (Check, Check),
}

struct PayloadVerifier {
    expected: Digest,
    /// The HTTP head as far as it came; `None` behind it, or where there is none.
    head: Option<Vec<u8>>,
    stored: Sha1,
    entity: Option<(Dechunker, Sha1)>,
}

impl Verifier {
    /// For the record of that header.
    ///
    /// A value that says SHA-1 and is no SHA-1 digest cannot be that of any content: an error.
    pub(crate) fn of(head: &Head) -> Result<Verifier, Problem> {
        let digest_of = |name: &'static str| {
            let Some(value) = head.get(name) else {
                return Ok((None, Check::None));
            };
            match std::str::from_utf8(value).ok().and_then(Digest::parse) {
                Some(digest) => Ok((Some(digest), Check::Matches)),
                None if is_sha1(value) => Err(Problem::Value(name, Shown::new(value))),
                None => Ok((None, Check::Unknown)),
            }
        };
        let (block, block_check) = digest_of("WARC-Block-Digest")?;
        let elsewhere = *head.kind() == RecordKind::Revisit
            || *head.kind() == RecordKind::Continuation
            || head.get("WARC-Segment-Number").is_some();
        let (payload, payload_check) = if elsewhere {
            (None, Check::None)
        } else {
            digest_of("WARC-Payload-Digest")?
        };
        Ok(Verifier {
            block: block.map(|digest| (digest, Sha1::new())),
            payload: payload.map(|expected| PayloadVerifier {
                expected,
                head: head.is_http().then(Vec::new),
                stored: Sha1::new(),
                entity: None,
            }),
            checks: (block_check, payload_check),
        })
    }

    /// Takes the next piece of content.
    pub(crate) fn update(&mut self, content: &[u8]) {
        if let Some((_, hasher)) = &mut self.block {
            hasher.update(content);
        }
        if let Some(payload) = &mut self.payload {
            payload.update(content);
        }
    }

    /// What became of the block's and the payload's digest.
    pub(crate) fn finish(self) -> Result<(Check, Check), Problem> {
        let mismatch = |field, expected: Digest, found: Digest| Problem::Digest {
            field,
            expected: Shown::new(expected.to_string().as_bytes()),
            found: found.to_string(),
        };
        if let Some((expected, hasher)) = self.block {
            let found = Digest::from_hasher(hasher);
            if found != expected {
                return Err(mismatch("WARC-Block-Digest", expected, found));
            }
        }
        if let Some(payload) = self.payload {
            let found = Digest::from_hasher(payload.stored);
            let entity = payload.entity.filter(|(dechunker, _)| dechunker.is_whole());
            let entity = entity.map(|(_, hasher)| Digest::from_hasher(hasher));
            // Writers differ in whether chunk framing belongs to the payload.
            if found != payload.expected && entity != Some(payload.expected) {
                return Err(mismatch("WARC-Payload-Digest", payload.expected, found));
            }
        }
        Ok(self.checks)
    }
}

fn is_sha1(value: &[u8]) -> bool {
    let algorithm = value.split(|byte| *byte == b':').next();
    let algorithm = algorithm.unwrap_or_default().trim_ascii();
    algorithm.eq_ignore_ascii_case(b"sha1") || algorithm.eq_ignore_ascii_case(b"sha-1")
}

impl PayloadVerifier {
    fn update(&mut self, content: &[u8]) {
        let Some(head) = &mut self.head else {
            self.update_payload(content);
            return;
        };
        let room = HTTP_HEAD_BYTES_MAX.saturating_sub(head.len());
        let before = head.len();
        head.extend_from_slice(content.get(..room).unwrap_or(content));
        // An end may lie across two pieces: look back over the longest one.
        let from = before.saturating_sub(3);
        let Some(length) = head_length(head.get(from..).unwrap_or_default()) else {
            return;
        };
        let length = from + length;
        if is_chunked(head.get(..length).unwrap_or_default()) {
            self.entity = Some((Dechunker::default(), Sha1::new()));
        }
        self.head = None;
        self.update_payload(content.get(length - before..).unwrap_or_default());
    }

    fn update_payload(&mut self, content: &[u8]) {
        self.stored.update(content);
        if let Some((dechunker, hasher)) = &mut self.entity {
            dechunker.feed(content, &mut |data| hasher.update(data));
        }
    }
}
