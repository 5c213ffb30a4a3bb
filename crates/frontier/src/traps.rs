//! Counting the query variants of a path, in bounded memory.

use hashbrown::HashMap;

/// How many URLs of each path were admitted that differ only in their query.
///
/// At most [`QueryVariants::MOST_PATHS`] paths are counted; when there are more, those with the
/// smallest counts are forgotten, so that a trap, whose count is large, is not.
#[derive(Debug, Default)]
pub(crate) struct QueryVariants {
    counts: HashMap<u64, u32>,
}

impl QueryVariants {
    const MOST_PATHS: usize = 100_000;

    /// Counts one variant of the path with this fingerprint, unless that would be over `most`.
    pub(crate) fn allow(&mut self, path: u64, most: u32) -> bool {
        if self.counts.len() >= Self::MOST_PATHS && !self.counts.contains_key(&path) {
            self.forget_smallest();
        }
        let count = self.counts.entry(path).or_insert(0);
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    fn forget_smallest(&mut self) {
        let mut least = 1;
        while self.counts.len() >= Self::MOST_PATHS {
            self.counts.retain(|_, count| *count > least);
            least *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_limit_and_memory_its_bound() {
        let mut variants = QueryVariants::default();
        let allowed = (0..50).filter(|_| variants.allow(7, 10)).count();
        assert_eq!(allowed, 10);
        for path in 100..300_000 {
            assert!(variants.allow(path, 10));
        }
        assert!(variants.counts.len() <= QueryVariants::MOST_PATHS);
        assert!(!variants.allow(7, 10), "a large count is not forgotten");
    }
}
