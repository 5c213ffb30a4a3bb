//! What a shard remembers of links, so that those that every page of a site has cost little.

use nephila_frontier::{Fingerprinter, KnownOrigins, LinkBase, NotCanonical, UrlKind, join_onto};

/// URLs handed on that are remembered, of a shard; 8 bytes each, which stay in a processor's cache.
const HANDED_ON: usize = 1 << 16;

/// What a shard remembers of links: two tables of a fixed size, in which a newer entry takes the place of
/// an older one.
#[derive(Debug)]
pub(crate) struct KnownLinks {
    fingerprinter: Fingerprinter,
    origins: KnownOrigins,
    /// Fingerprints of pages that were handed on to be admitted, each at its own place: of those the
    /// frontier would only say that it has seen them.
    handed_on: Vec<u64>,
}

impl KnownLinks {
    /// Knows none.
    pub(crate) fn new(fingerprinter: Fingerprinter) -> KnownLinks {
        let mut handed_on = vec![0; HANDED_ON];
        // A zero stands for nothing; at its own place it would stand for itself.
        handed_on.iter_mut().take(1).for_each(|first| *first = 1);
        KnownLinks {
            fingerprinter,
            origins: KnownOrigins::default(),
            handed_on,
        }
    }

    /// Writes the canonical URL that a link leads to behind what is in `out`.
    pub(crate) fn resolve_onto(
        &mut self,
        out: &mut String,
        base: &LinkBase<'_>,
        href: &str,
    ) -> Result<(), NotCanonical> {
        join_onto(out, base, href, &mut self.origins)
    }

    /// The fingerprint of a canonical URL, asked for as a page.
    pub(crate) fn fingerprint(&self, url: &str) -> u64 {
        self.fingerprinter.fingerprint(UrlKind::Page, url)
    }

    /// Whether a page was handed on to be admitted, of this run and lately.
    pub(crate) fn was_handed_on(&self, fingerprint: u64) -> bool {
        self.handed_on.get(fingerprint as usize % HANDED_ON) == Some(&fingerprint)
    }

    /// Notes that a page is handed on to be admitted.
    pub(crate) fn note_handed_on(&mut self, fingerprint: u64) {
        if let Some(place) = self.handed_on.get_mut(fingerprint as usize % HANDED_ON) {
            *place = fingerprint;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_known_until_another_takes_its_place() {
        let mut links = KnownLinks::new(Fingerprinter::new([1, 2]));
        assert!(!links.was_handed_on(0) && !links.was_handed_on(7));
        links.note_handed_on(7);
        assert!(links.was_handed_on(7));
        links.note_handed_on(7 + HANDED_ON as u64);
        assert!(!links.was_handed_on(7));
    }
}
