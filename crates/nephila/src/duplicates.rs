//! Which page had this content first: the index behind `--skip-duplicates`.
//!
//! Equal bodies are found by the first 16 bytes of their digest; near texts by SimHash, within
//! [`NEAR_BITS`] bits, with the tables of Manku, Jain and Das Sarma ("Detecting near-duplicates for
//! web crawling", WWW 2007, 3.1): of four blocks of 16 bits at least one is equal when at most three
//! bits differ. There is a table for each block, so that a look-up reads the pages that share a block
//! and not all of them.
//!
//! One index serves all shards, behind one lock that is held for a look-up and never across a wait:
//! of two equal pages that end at the same moment exactly one is the first.
//!
//! Bounded: when `--duplicates-memory` is full no further page is noted. What is known goes on
//! being found; content that came later than that is fetched as often as it is linked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nephila_parse::simhash_distance;
use nephila_store::PartPosition;
use serde::Deserialize;

use crate::committed_rows::CommittedRows;
use crate::error::{Error, ErrorKind};
use crate::options::{CrawlConfig, SkipDuplicates};
use crate::row_parts::RowParts;

/// Bits in which the SimHashes of near texts differ at most (Manku et al., 4.1).
pub(crate) const NEAR_BITS: u32 = 3;

/// One more block than bits that may differ, so that one of them is always equal.
const BLOCKS: usize = NEAR_BITS as usize + 1;
const BLOCK_VALUES: usize = 1 << 16;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// What a page is known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    /// `blake3:` and hex, as it stands in the row.
    pub(crate) digest: &'a str,
    /// The SimHash of its text, where it has enough of it.
    pub(crate) simhash: Option<u64>,
}

impl Content<'_> {
    /// The first 64 bits of the digest.
    pub(crate) fn digest_start(&self) -> u64 {
        (self.digest_key() >> 64) as u64
    }

    fn digest_key(&self) -> u128 {
        let hex = self.digest.rsplit(':').next().unwrap_or_default();
        let start = hex.get(..32).unwrap_or_default();
        u128::from_str_radix(start, 16).unwrap_or_default()
    }
}

/// The pages of a crawl by their content; shared by all shards.
#[derive(Debug)]
pub(crate) struct Duplicates {
    is_near: bool,
    index: Mutex<Index>,
}

impl Duplicates {
    /// The empty index that the configuration asks for; `None` for `--skip-duplicates off`.
    pub(crate) fn new(config: &CrawlConfig) -> Option<Duplicates> {
        let is_near = match config.skip_duplicates {
            SkipDuplicates::Off => return None,
            SkipDuplicates::Exact => false,
            SkipDuplicates::Near => true,
        };
        Some(Duplicates {
            is_near,
            index: Mutex::new(Index::new(config.duplicates_memory.0 as usize, is_near)),
        })
    }

    /// The index of a crawl that goes on: of all pages that have their row before `end`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when the rows cannot be read back.
    pub(crate) fn restore(
        config: &CrawlConfig,
        parts: RowParts,
        end: PartPosition,
    ) -> Result<Option<Duplicates>, Error> {
        let Some(duplicates) = Duplicates::new(config) else {
            return Ok(None);
        };
        let mut rows = CommittedRows::up_to(parts, end);
        let mut line = Vec::new();
        while rows.next_into(&mut line)? {
            let row: ContentRow = serde_json::from_slice(&line).map_err(|error| {
                Error::new(
                    ErrorKind::Corrupt,
                    format!("a row that cannot be read: {error}"),
                )
            })?;
            duplicates.note_row(&row);
        }
        Ok(Some(duplicates))
    }

    fn note_row(&self, row: &ContentRow) {
        let (true, Some(digest)) = (row.kind == "page" && row.outcome == "fetched", &row.digest)
        else {
            return;
        };
        if row.duplicate_of.is_some() {
            self.lock().found += 1;
            return;
        }
        let simhash = row
            .simhash
            .as_deref()
            .and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let content = Content { digest, simhash };
        self.lock().note(&row.url, &self.known(content));
    }

    /// The URL of the page that had this content before; the page itself is noted where there is
    /// none.
    pub(crate) fn first(&self, url: &str, content: Content<'_>) -> Option<String> {
        let known = self.known(content);
        let mut index = self.lock();
        match index.find(&known).filter(|first| *first != url) {
            Some(first) => {
                let first = first.to_owned();
                index.found += 1;
                Some(first)
            }
            None => {
                index.note(url, &known);
                None
            }
        }
    }

    /// Duplicates found, in all runs of the crawl.
    pub(crate) fn count(&self) -> u64 {
        self.lock().found
    }

    fn known(&self, content: Content<'_>) -> Known {
        Known {
            digest: content.digest_key(),
            simhash: content.simhash.filter(|_| self.is_near),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // A shard that panicked ends the crawl; what it left here is whole: no step can fail.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a row tells of its content.
#[derive(Deserialize)]
struct ContentRow {
    url: String,
    kind: String,
    outcome: String,
    digest: Option<String>,
    #[serde(default)]
    simhash: Option<String>,
    #[serde(default)]
    duplicate_of: Option<String>,
}

/// Content, as the index compares it.
#[derive(Clone, Copy, Debug)]
struct Known {
    digest: u128,
    simhash: Option<u64>,
}

#[derive(Debug)]
struct Page {
    url: Box<str>,
    simhash: u64,
    /// The page before this one that has the same block, for each block.
    next: [u32; BLOCKS],
}

#[derive(Debug)]
struct Index {
    pages: Vec<Page>,
    by_digest: HashMap<u128, u32>,
    /// The last page with each value of each block; empty where near texts are not looked for.
    heads: [Vec<u32>; BLOCKS],
    bytes: usize,
    bytes_max: usize,
    found: u64,
}

impl Index {
    fn new(bytes_max: usize, is_near: bool) -> Index {
        let values = if is_near { BLOCK_VALUES } else { 0 };
        Index {
            pages: Vec::new(),
            by_digest: HashMap::new(),
            heads: std::array::from_fn(|_| vec![NONE; values]),
            bytes: BLOCKS * values * size_of::<u32>(),
            bytes_max,
            found: 0,
        }
    }

    /// The first page with this content; of near ones the nearest, of these the earliest.
    fn find(&self, known: &Known) -> Option<&str> {
        if let Some(page) = self.by_digest.get(&known.digest) {
            return self.pages.get(*page as usize).map(|page| &*page.url);
        }
        let simhash = known.simhash?;
        let mut nearest: Option<(u32, u32)> = None;
        for (block, heads) in self.heads.iter().enumerate() {
            let mut at = heads.get(block_of(simhash, block)).copied().unwrap_or(NONE);
            while let Some(page) = self.pages.get(at as usize) {
                let candidate = (simhash_distance(page.simhash, simhash), at);
                if candidate.0 <= NEAR_BITS && nearest.is_none_or(|known| candidate < known) {
                    nearest = Some(candidate);
                }
                at = page.next.get(block).copied().unwrap_or(NONE);
            }
        }
        let (_, page) = nearest?;
        self.pages.get(page as usize).map(|page| &*page.url)
    }

    fn note(&mut self, url: &str, known: &Known) {
        // Both vectors and the map double when they grow: half of their room may be empty.
        let bytes = url.len() + 2 * (size_of::<Page>() + size_of::<(u128, u32)>() + 1);
        if self.bytes + bytes > self.bytes_max || self.pages.len() >= NONE as usize {
            return;
        }
        self.bytes += bytes;
        let number = self.pages.len() as u32;
        let mut next = [NONE; BLOCKS];
        if let Some(simhash) = known.simhash {
            let places = self.heads.iter_mut().zip(&mut next).enumerate();
            for (block, (heads, next)) in places {
                if let Some(head) = heads.get_mut(block_of(simhash, block)) {
                    *next = std::mem::replace(head, number);
                }
            }
        }
        self.by_digest.entry(known.digest).or_insert(number);
        self.pages.push(Page {
            url: url.into(),
            simhash: known.simhash.unwrap_or_default(),
            next,
        });
    }
}

/// The value of one of the four blocks of a SimHash.
fn block_of(simhash: u64, block: usize) -> usize {
    (simhash >> (16 * block)) as usize & (BLOCK_VALUES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(digest: u128, simhash: u64) -> Known {
        Known {
            digest,
            simhash: Some(simhash),
        }
    }

    /// A number that follows from another, spread over all bits.
    fn draw(from: u64) -> u64 {
        let mixed = (from ^ (from >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    }

    /// The tables find what a look at every page finds, for 2,000 questions.
    #[test]
    fn near_pages_are_all_found() {
        let pages: Vec<u64> = (0..200).map(|page| draw(page + 1)).collect();
        let mut index = Index::new(4 << 20, true);
        for (number, simhash) in pages.iter().enumerate() {
            index.note(&number.to_string(), &known(number as u128, *simhash));
        }
        let mut hits = 0;
        for question in 0..2_000 {
            let flips = (0..question % 6).map(|flip| draw(question * 10 + flip) % 64);
            let asked = pages[question as usize % pages.len()];
            let simhash = flips.fold(asked, |hash, bit| hash ^ (1 << bit));
            let near = pages
                .iter()
                .enumerate()
                .map(|(number, page)| (simhash_distance(*page, simhash), number));
            let nearest = near.filter(|(bits, _)| *bits <= NEAR_BITS).min();
            let expected = nearest.map(|(_, number)| number.to_string());
            hits += u32::from(expected.is_some());
            let found = index.find(&known(u128::MAX, simhash)).map(str::to_owned);
            assert_eq!(found, expected, "question {question}");
        }
        assert!(hits > 1_000, "{hits} pages found");
    }

    #[test]
    fn equal_bodies_are_found_whatever_their_text() {
        let mut index = Index::new(1 << 20, false);
        index.note("first", &known(7, 1));
        index.note("other", &known(8, 1));
        assert_eq!(index.find(&known(7, 99)), Some("first"));
        assert_eq!(
            index.find(&known(9, 1)),
            None,
            "near texts are not looked for"
        );
    }

    #[test]
    fn a_full_index_still_finds_and_stays_within_its_bound() {
        let mut index = Index::new(4 << 20, true);
        for number in 0..100_000u128 {
            let simhash = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            index.note("http://a.test/0123456789", &known(number, simhash));
        }
        assert!(index.bytes <= 4 << 20 && index.pages.len() > 10_000);
        assert!(index.find(&known(3, 0)).is_some());
        assert!(
            index
                .find(&Known {
                    digest: 99_999,
                    simhash: None
                })
                .is_none()
        );
    }
}
