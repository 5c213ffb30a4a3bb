//! Traps that show in what their pages say: many URLs with the same content.
//!
//! Two rules, each host by itself. URLs of one *shape* differ only in numbers and in the values of
//! their parameters: when so many pages of a shape in a row said nearly the same as one of the last
//! few, the shape is *barren*, and none of its URLs is taken any more. And when so many pages of a
//! host had the very same body, whatever their URLs, the links of further ones are not followed:
//! that ends what answers every address with the same page and relative links (soft 404).
//!
//! What is counted is bounded; when it is too much, the smallest counts are forgotten, so that a
//! trap, whose count is large, is not. The counts live as long as a run: `resume` counts anew.

use hashbrown::HashMap;

use crate::canonical::CanonicalUrl;
use crate::fingerprint::Fingerprinter;
use crate::scope::Refusal;

/// When content counts as a trap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentLimits {
    /// Pages of a shape in a row that say nearly the same; 0 switches the rule off.
    pub max_shape_repeats: u32,
    /// Pages of a host with the very same body whose links are followed; 0 is no limit.
    pub max_copies: u32,
}

/// Counts of contents, for the hosts of one shard.
#[derive(Debug)]
pub struct ContentTraps {
    limits: ContentLimits,
    fingerprinter: Fingerprinter,
    shapes: HashMap<u64, Shape>,
    copies: HashMap<u64, u32>,
}

/// What the last pages of a shape said.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    recent: [u64; Shape::RECENT],
    pages: u32,
    /// Pages in a row that said nearly the same as one of `recent`.
    repeats: u32,
}

impl Shape {
    const RECENT: usize = 4;
    /// Bits in which the SimHashes of near texts differ at most (Manku et al., WWW 2007, 4.1).
    const NEAR_BITS: u32 = 3;

    fn note(&mut self, content: u64) {
        let known = self.recent.iter().take(self.pages as usize);
        let is_near = |one: &u64| (one ^ content).count_ones() <= Shape::NEAR_BITS;
        if known.clone().any(is_near) {
            self.repeats = self.repeats.saturating_add(1);
            return;
        }
        self.repeats = 0;
        let place = self.pages as usize % Shape::RECENT;
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = content;
        }
        self.pages = self.pages.saturating_add(1);
    }
}

impl ContentTraps {
    const MOST_COUNTS: usize = 50_000;

    /// Nothing counted so far.
    pub fn new(limits: ContentLimits, fingerprinter: Fingerprinter) -> ContentTraps {
        ContentTraps {
            limits,
            fingerprinter,
            shapes: HashMap::new(),
            copies: HashMap::new(),
        }
    }

    /// Notes what a page said: the start of its digest, and the SimHash of its text where it has
    /// one. False when its links lead nowhere new: its host had that very body too often.
    pub fn note(&mut self, url: &CanonicalUrl, digest: u64, simhash: Option<u64>) -> bool {
        if self.limits.max_shape_repeats > 0
            && let Some(shape) = self.shape_of(url)
        {
            if self.shapes.len() >= Self::MOST_COUNTS && !self.shapes.contains_key(&shape) {
                let counts = |shape: &Shape| shape.repeats;
                forget_smallest(&mut self.shapes, Self::MOST_COUNTS, counts);
            }
            let known = self.shapes.entry(shape).or_default();
            if known.repeats < self.limits.max_shape_repeats {
                known.note(simhash.unwrap_or(digest));
            }
        }
        self.limits.max_copies == 0 || self.count_copy(url, digest) <= self.limits.max_copies
    }

    /// Whether a URL may be taken.
    ///
    /// # Errors
    /// [`Refusal::BarrenShape`], which is an answer and not a failure.
    pub fn check(&self, url: &CanonicalUrl) -> Result<(), Refusal> {
        let most = self.limits.max_shape_repeats;
        if most == 0 || self.shapes.is_empty() {
            return Ok(());
        }
        let shape = self.shape_of(url).and_then(|shape| self.shapes.get(&shape));
        match shape {
            Some(shape) if shape.repeats >= most => Err(Refusal::BarrenShape(most)),
            _ => Ok(()),
        }
    }

    fn count_copy(&mut self, url: &CanonicalUrl, digest: u64) -> u32 {
        let host = self.fingerprinter.of_bytes(url.host().as_bytes());
        let key = host ^ digest;
        if self.copies.len() >= Self::MOST_COUNTS && !self.copies.contains_key(&key) {
            forget_smallest(&mut self.copies, Self::MOST_COUNTS, |count| *count);
        }
        let count = self.copies.entry(key).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The fingerprint of the URL's shape; `None` when no other URL has it.
    fn shape_of(&self, url: &CanonicalUrl) -> Option<u64> {
        shape(url).map(|shape| self.fingerprinter.of_bytes(shape.as_bytes()))
    }
}

/// Makes room for one more, and for a tenth of all at least in the usual case.
fn forget_smallest<V>(counts: &mut HashMap<u64, V>, most: usize, count: impl Fn(&V) -> u32) {
    let mut least = 0;
    while counts.len() >= most {
        counts.retain(|_, value| count(value) > least);
        least = (least * 2).max(1);
    }
}

/// Host, path and names of the parameters, each run of digits and each hexadecimal number of eight
/// digits or more as `0`, the names sorted. `None` when nothing was left out.
fn shape(url: &CanonicalUrl) -> Option<String> {
    const HEX_DIGITS_MIN: usize = 8;
    let mut shape = String::from(url.host());
    let mut is_variable = false;
    let mut rest = url.path();
    while let Some(character) = rest.chars().next() {
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len())
            .max(character.len_utf8());
        let (word, after) = rest.split_at_checked(length)?;
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_variable |= has_digit;
        if has_digit && is_hex && word.len() >= HEX_DIGITS_MIN {
            shape.push('0');
        } else {
            push_without_digits(word, &mut shape);
        }
        rest = after;
    }
    if let Some(query) = url.query() {
        is_variable |= query.contains('=');
        let names = query
            .split('&')
            .map(|parameter| parameter.split('=').next());
        let mut names: Vec<&str> = names.flatten().collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            shape.push('&');
            push_without_digits(name, &mut shape);
        }
    }
    is_variable.then_some(shape)
}

fn push_without_digits(word: &str, shape: &mut String) {
    for character in word.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('0') {
            shape.push('0');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> CanonicalUrl {
        CanonicalUrl::from_serialized(text).unwrap()
    }

    fn traps(max_shape_repeats: u32, max_copies: u32) -> ContentTraps {
        let limits = ContentLimits {
            max_shape_repeats,
            max_copies,
        };
        ContentTraps::new(limits, Fingerprinter::new([1, 2]))
    }

    #[test]
    fn shapes_leave_out_numbers_and_values() {
        let cases = [
            ("http://a.test/item/123", Some("a.test/item/0")),
            ("http://a.test/p12/x9y", Some("a.test/p0/x0y")),
            ("http://a.test/0fe2cafe99/é", Some("a.test/0/é")),
            ("http://a.test/l?b=2&a=1&b=3", Some("a.test/l&a&b")),
            ("http://a.test/about", None),
            ("http://a.test/deadbeef?x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(shape(&url(text)).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_shape_is_barren_after_so_many_repeats_in_a_row() {
        let mut traps = traps(10, 0);
        let page = |number: u64| url(&format!("http://a.test/item/{number}"));
        for number in 0..10 {
            assert!(traps.note(&page(number), number, Some(7 ^ (number & 3))));
        }
        assert_eq!(traps.check(&page(99)), Ok(()));
        traps.note(&page(10), 10, Some(7));
        assert_eq!(traps.check(&page(99)), Err(Refusal::BarrenShape(10)));
        assert_eq!(traps.check(&url("http://b.test/item/1")), Ok(()));
        assert_eq!(traps.check(&url("http://a.test/other/1")), Ok(()));
    }

    #[test]
    fn one_page_that_is_new_keeps_a_shape_open() {
        let mut traps = traps(10, 0);
        let page = url("http://a.test/item/1");
        for round in 0..20u64 {
            for _ in 0..10 {
                traps.note(&page, round.wrapping_mul(0x9E37_79B9_7F4A_7C15), None);
            }
        }
        assert_eq!(traps.check(&page), Ok(()));
    }

    #[test]
    fn links_of_too_many_copies_lead_nowhere() {
        let mut traps = traps(0, 5);
        let note = |traps: &mut ContentTraps, number: u32| {
            traps.note(&url(&format!("http://a.test/x{number}/y")), 42, Some(1))
        };
        let followed = (0..20).filter(|number| note(&mut traps, *number)).count();
        assert_eq!(followed, 5);
        assert!(traps.note(&url("http://b.test/"), 42, None), "another host");
        assert!(
            traps.note(&url("http://a.test/"), 43, Some(1)),
            "other content"
        );
    }

    #[test]
    fn memory_has_its_bound_and_a_trap_is_not_forgotten() {
        let mut traps = traps(10, 10);
        let trap = |number: u32| url(&format!("http://trap.test/item/{number}"));
        for number in 0..20 {
            traps.note(&trap(number), 1, None);
        }
        for number in 0..200_000u64 {
            let content = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            traps.note(&url(&format!("http://h{number}.test/a/1")), content, None);
        }
        assert!(traps.shapes.len() <= ContentTraps::MOST_COUNTS);
        assert!(traps.copies.len() <= ContentTraps::MOST_COUNTS);
        assert_eq!(traps.check(&trap(77)), Err(Refusal::BarrenShape(10)));
        assert!(!traps.note(&trap(78), 1, None));
    }
}
