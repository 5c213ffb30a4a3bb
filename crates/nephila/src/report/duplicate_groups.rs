//! Pages by their body.

use std::collections::HashMap;

use super::findings::DuplicateGroup;
use crate::duplicates::Content;

/// Bodies that are told apart; pages with others are left out.
const MOST_BODIES: usize = 200_000;
/// Groups that are told, and pages of each.
const MOST_GROUPS: usize = 50;
const MOST_URLS: usize = 10;

/// Pages by the first 64 bits of their digest.
#[derive(Debug, Default)]
pub(super) struct DuplicateGroups {
    bodies: HashMap<u64, DuplicateGroup>,
}

impl DuplicateGroups {
    pub(super) fn note(&mut self, digest: &str, bytes: u64, url: &str) {
        let content = Content {
            digest,
            simhash: None,
        };
        let key = content.digest_start();
        if self.bodies.len() >= MOST_BODIES && !self.bodies.contains_key(&key) {
            return;
        }
        let group = self.bodies.entry(key).or_default();
        group.count += 1;
        group.bytes = bytes;
        if group.urls.len() < MOST_URLS {
            group.urls.push(url.to_owned());
        }
    }

    /// The largest groups, and how many there are of two pages or more.
    pub(super) fn into_list(self) -> (Vec<DuplicateGroup>, u64) {
        let groups = self.bodies.into_values();
        let mut groups: Vec<_> = groups.filter(|group| group.count > 1).collect();
        let count = groups.len() as u64;
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.urls.cmp(&b.urls)));
        groups.truncate(MOST_GROUPS);
        (groups, count)
    }
}
