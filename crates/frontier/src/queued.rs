//! A URL that waits in its host's queue, and its form in blocks beyond memory.

use std::sync::Arc;

use crate::canonical::CanonicalUrl;
use crate::fingerprint::UrlKind;
use crate::moment::Moment;

/// An admitted URL on its way through the queue of its host.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedUrl {
    /// Where.
    pub url: CanonicalUrl,
    /// What for.
    pub kind: UrlKind,
    /// Link distance from a seed; a redirect is one hop.
    pub hops: u16,
    /// Redirects followed in a row to come here.
    pub redirects: u8,
    /// Times it was fetched already without an outcome.
    pub attempts: u8,
    /// Sitemap priority in tenths: 0 to 10, 5 where none is given.
    pub priority: u8,
    /// The page that linked here first.
    pub referrer: Option<Arc<str>>,
    /// When it was admitted.
    pub admitted_at: Moment,
}

/// The priority of a URL that no sitemap names, in tenths (sitemaps.org: 0.5).
pub const DEFAULT_PRIORITY: u8 = 5;

impl QueuedUrl {
    /// A page, as found by a link.
    pub fn page(url: CanonicalUrl, hops: u16, referrer: Option<Arc<str>>, now: Moment) -> Self {
        QueuedUrl {
            url,
            kind: UrlKind::Page,
            hops,
            redirects: 0,
            attempts: 0,
            priority: DEFAULT_PRIORITY,
            referrer,
            admitted_at: now,
        }
    }

    /// The memory this takes in a queue, in bytes; a referrer shared by siblings counts a tenth.
    pub fn memory_bytes(&self) -> usize {
        const REFERRER_SHARE: usize = 10;
        let referrer = self
            .referrer
            .as_ref()
            .map_or(0, |text| text.len() / REFERRER_SHARE);
        size_of::<QueuedUrl>() + self.url.as_str().len() + 2 * size_of::<usize>() + referrer
    }

    /// Appends the stored form: fixed fields, then both strings with their lengths.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[
            self.kind as u8,
            self.redirects,
            self.attempts,
            self.priority,
        ]);
        out.extend_from_slice(&self.hops.to_le_bytes());
        out.extend_from_slice(&self.admitted_at.as_micros().to_le_bytes());
        encode_text(self.url.as_str(), out);
        // An empty referrer stands for none: no canonical URL is empty.
        encode_text(self.referrer.as_deref().unwrap_or(""), out);
    }

    /// Reads one stored URL off the front of `bytes`; `None` when they are not whole or not
    /// what [`QueuedUrl::encode`] wrote.
    pub fn decode(bytes: &mut &[u8]) -> Option<QueuedUrl> {
        let [kind, redirects, attempts, priority] = take(bytes)?;
        let hops = u16::from_le_bytes(take(bytes)?);
        let admitted_at = Moment::from_micros(u64::from_le_bytes(take(bytes)?));
        let url = CanonicalUrl::from_serialized(decode_text(bytes)?)?;
        let referrer = decode_text(bytes)?;
        Some(QueuedUrl {
            url,
            kind: UrlKind::from_code(kind)?,
            hops,
            redirects,
            attempts,
            priority,
            referrer: (!referrer.is_empty()).then(|| Arc::from(referrer)),
            admitted_at,
        })
    }
}

pub(crate) fn encode_text(text: &str, out: &mut Vec<u8>) {
    // Canonical URLs are bounded far below 4 GiB; a longer text would be cut, never corrupt.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(
        text.as_bytes()
            .get(..length as usize)
            .unwrap_or(text.as_bytes()),
    );
}

pub(crate) fn decode_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = u32::from_le_bytes(take(bytes)?) as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_reads_back() {
        let url = CanonicalUrl::from_serialized("http://a.test/x?y").unwrap();
        let mut queued = QueuedUrl::page(url, 7, Some("http://b.test/".into()), Moment::EPOCH);
        queued.redirects = 2;
        queued.attempts = 1;
        let mut bytes = Vec::new();
        queued.encode(&mut bytes);
        let plain = QueuedUrl {
            referrer: None,
            kind: UrlKind::Sitemap,
            ..queued.clone()
        };
        plain.encode(&mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(QueuedUrl::decode(&mut rest), Some(queued));
        assert_eq!(QueuedUrl::decode(&mut rest), Some(plain));
        assert!(rest.is_empty());
        for cut in 1..bytes.len() / 2 {
            assert_eq!(QueuedUrl::decode(&mut &bytes[..cut]), None, "cut at {cut}");
        }
    }
}
