//! Bodies made before the first request, so that making them takes nothing from the client's processor.

use std::io::{self, Write as _};
use std::ops::Deref;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::address::PageId;
use crate::plan::{PageKind, Plan};

/// The most that prepared bodies take together; those beyond are made when they are asked for.
const MAX_PREPARED_BYTES: usize = 4 << 30;
/// Bodies of no more bytes are sent as they are.
pub(crate) const MIN_PACKED_BYTES: usize = 200;

/// The body of an answer on its way out.
#[derive(Debug)]
pub(crate) enum OutBody {
    /// Made for this answer; its buffer is used again.
    Made(Vec<u8>),
    Prepared(Bytes),
}

impl Deref for OutBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            OutBody::Made(body) => body,
            OutBody::Prepared(body) => body,
        }
    }
}

impl From<OutBody> for Bytes {
    fn from(body: OutBody) -> Bytes {
        match body {
            OutBody::Made(body) => body.into(),
            OutBody::Prepared(body) => body,
        }
    }
}

/// Bodies of pages, as they go over the wire.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// By the page's ordinal; none where it is made when it is asked for.
    bodies: Vec<Option<(Bytes, bool)>>,
}

impl Prepared {
    /// All HTML pages of the web, with gzip where `gzip`.
    pub(crate) fn all(plan: &Plan, gzip: bool) -> Prepared {
        let mut bodies = Vec::new();
        let (mut body, mut held) = (Vec::new(), 0);
        for host in 0..plan.web.hosts {
            for page in 0..plan.host_pages(host) {
                let id = PageId { host, page };
                if plan.kind(id) != PageKind::Html || held > MAX_PREPARED_BYTES {
                    bodies.push(None);
                    continue;
                }
                body.clear();
                plan.push_page(id, &mut body);
                let is_packed = gzip && body.len() > MIN_PACKED_BYTES;
                let packed = is_packed.then(|| pack(&body, Vec::new()).ok()).flatten();
                let prepared = match packed {
                    Some(packed) => (Bytes::copy_from_slice(&packed), true),
                    None => (Bytes::copy_from_slice(&body), false),
                };
                held += prepared.0.len();
                bodies.push(Some(prepared));
            }
        }
        Prepared { bodies }
    }

    /// The body of a page that answers 200, and whether it is packed; none where it was not prepared, or
    /// is packed for a client that cannot unpack it.
    pub(crate) fn get(&self, plan: &Plan, id: PageId, accepts_gzip: bool) -> Option<(Bytes, bool)> {
        if self.bodies.is_empty() {
            return None;
        }
        let place = usize::try_from(plan.ordinal(id)).ok()?;
        let (body, packed) = self.bodies.get(place)?.as_ref()?;
        (accepts_gzip || !packed).then(|| (body.clone(), *packed))
    }
}

/// Compresses a body into a buffer.
pub(crate) fn pack(body: &[u8], into: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(into, Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Web;

    #[test]
    fn a_prepared_page_is_the_page() {
        let plan = Plan::new(Web::plain(3, 2, 20));
        for gzip in [false, true] {
            let prepared = Prepared::all(&plan, gzip);
            for (host, page) in [(0, 0), (1, 9)] {
                let id = PageId { host, page };
                let mut made = Vec::new();
                plan.push_page(id, &mut made);
                let (body, packed) = prepared.get(&plan, id, true).unwrap();
                assert_eq!(packed, gzip);
                let expected = match gzip {
                    true => pack(&made, Vec::new()).unwrap(),
                    false => made,
                };
                assert_eq!(body, expected);
                assert_eq!(prepared.get(&plan, id, false).is_none(), gzip);
            }
        }
        assert!(
            Prepared::default()
                .get(&plan, PageId { host: 0, page: 0 }, true)
                .is_none()
        );
    }
}
