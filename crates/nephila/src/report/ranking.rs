//! The pages with the highest figures.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Keeps so many pages, those with the highest figures.
#[derive(Debug)]
pub(super) struct Ranking {
    most: usize,
    /// The lowest kept figure on top; of equal ones the last URL by name.
    kept: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
}

impl Ranking {
    pub(super) fn new(most: usize) -> Ranking {
        Ranking {
            most,
            kept: BinaryHeap::new(),
        }
    }

    pub(super) fn offer(&mut self, figure: u64, url: &str) {
        let is_full = self.kept.len() >= self.most;
        let least = self.kept.peek().map_or(0, |Reverse((least, _))| *least);
        if figure == 0 || (is_full && figure < least) {
            return;
        }
        self.kept.push(Reverse((figure, Reverse(url.to_owned()))));
        if self.kept.len() > self.most {
            self.kept.pop();
        }
    }

    /// The highest first.
    pub(super) fn into_list(self) -> Vec<(u64, String)> {
        let sorted = self.kept.into_sorted_vec();
        let page = |Reverse((figure, Reverse(url)))| (figure, url);
        sorted.into_iter().map(page).collect()
    }
}
