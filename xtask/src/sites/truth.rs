//! Which version of each package the truth of its site was made from: the table of SOURCE.md.

use std::collections::BTreeMap;

use crate::repository;

/// Package to version; empty where the corpora are not there.
pub(crate) fn versions() -> BTreeMap<String, String> {
    let path = repository::corpora().join("sites/SOURCE.md");
    versions_in(&std::fs::read_to_string(path).unwrap_or_default())
}

/// From the rows that begin `| package version | port...`.
fn versions_in(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix('|'));
    let first = rows.filter_map(|row| row.split('|').next());
    let pairs = first.filter_map(|cell| cell.trim().split_once(' '));
    pairs
        .filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
        .map(|(package, version)| (package.to_string(), version.trim().to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::SITES;
    use super::*;

    #[test]
    fn versions_are_read_from_the_table() {
        let page = "text\n| package (version) | port |\n|---|---|\n| a-doc 1.2-3+deb12u9 | 1 |\n";
        let found = versions_in(page);
        assert_eq!(found.len(), 1);
        assert_eq!(found["a-doc"], "1.2-3+deb12u9");
    }

    #[test]
    fn the_page_of_the_corpora_has_every_site() {
        let found = versions();
        if found.is_empty() {
            eprintln!("skipped: no sites/SOURCE.md in the corpora");
            return;
        }
        for site in SITES {
            assert!(found.contains_key(site.package), "{}", site.package);
        }
    }
}
