//! Whether a run did the work: what it asked for and wrote, held against what there is.

use std::collections::{BTreeMap, BTreeSet};

/// What a right crawler finds, each as [`key`] writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    /// The pages: HTML that is answered with 200.
    pub(super) pages: BTreeSet<String>,
    /// Whatever else is linked: other types, and what is answered otherwise.
    pub(super) others: BTreeSet<String>,
}

/// A URL without its scheme and port, written as the URL standard has it. What is no URL stays as it
/// is.
pub(super) fn key(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else {
        return url.to_owned();
    };
    let query = url
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    format!(
        "{}{}{query}",
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

/// How a run compares with the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Pages that there are.
    pub(super) pages: usize,
    /// Pages that were asked for.
    pub(super) found: usize,
    /// Pages that were written as rows; none where the crawler writes no rows.
    pub(super) rows: Option<usize>,
    /// Requests for something that had been asked for.
    pub(super) repeated: usize,
    /// Requests for what nothing links to.
    pub(super) wrong: usize,
}

impl Verdict {
    /// From the URLs that the server was asked for, in any order, and those of the rows.
    pub(super) fn of(truth: &Truth, asked: &[String], rows: Option<&[String]>) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for url in asked.iter().filter(|url| !is_aside(url)) {
            *counts.entry(url).or_default() += 1;
        }
        let is_known = |url: &str| truth.pages.contains(url) || truth.others.contains(url);
        let unknown = counts.iter().filter(|(url, _)| !is_known(url));
        let known = counts.iter().filter(|(url, _)| is_known(url));
        let written = rows.map(|rows| rows.iter().collect::<BTreeSet<_>>());
        Self {
            pages: truth.pages.len(),
            found: truth
                .pages
                .iter()
                .filter(|url| counts.contains_key(url.as_str()))
                .count(),
            rows: written.map(|rows| {
                rows.iter()
                    .filter(|url| truth.pages.contains(**url))
                    .count()
            }),
            repeated: known.map(|(_, count)| count - 1).sum(),
            wrong: unknown.map(|(_, count)| count).sum(),
        }
    }

    /// Whether every page was found once and written, and nothing else was asked for.
    pub(super) fn is_comparable(&self) -> bool {
        self.found == self.pages
            && self.rows.is_none_or(|rows| rows == self.pages)
            && (self.repeated, self.wrong) == (0, 0)
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        if self.is_comparable() {
            return "every page once".to_owned();
        }
        let mut told = format!("not comparable: {} of {}", self.found, self.pages);
        if let Some(rows) = self.rows.filter(|rows| *rows != self.found) {
            told.push_str(&format!(", {rows} written"));
        }
        for (count, what) in [
            (self.repeated, "repeated"),
            (self.wrong, "that no page links to"),
        ] {
            if count > 0 {
                told.push_str(&format!(", {count} {what}"));
            }
        }
        told
    }
}

/// What crawlers ask for beside pages.
fn is_aside(url: &str) -> bool {
    ["/robots.txt", "/sitemap.xml", "/favicon.ico"]
        .iter()
        .any(|path| url.ends_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|url| (*url).to_owned()).collect()
    }

    fn truth() -> Truth {
        Truth {
            pages: owned(&["a/", "a/1", "b/"]).into_iter().collect(),
            others: owned(&["a/gone"]).into_iter().collect(),
        }
    }

    #[test]
    fn a_whole_run_is_comparable() {
        let asked = owned(&["a/robots.txt", "a/", "b/", "a/gone", "a/1"]);
        let verdict = Verdict::of(&truth(), &asked, Some(&owned(&["a/", "a/1", "b/"])));
        assert!(verdict.is_comparable());
        assert_eq!(verdict.told(), "every page once");
        assert!(Verdict::of(&truth(), &asked, None).is_comparable());
    }

    #[test]
    fn what_is_missed_repeated_and_made_up_is_counted() {
        let asked = owned(&["a/", "a/", "a/gone", "a/gone", "b/", "b/x", "b/x"]);
        let verdict = Verdict::of(&truth(), &asked, Some(&owned(&["a/", "a/", "b/x"])));
        assert_eq!(
            verdict.told(),
            "not comparable: 2 of 3, 1 written, 2 repeated, 2 that no page links to"
        );
    }

    #[test]
    fn a_key_has_neither_scheme_nor_port() {
        assert_eq!(
            key("http://h0.sim.test:8000/caf\u{e9}?b=1#c"),
            "h0.sim.test/caf%C3%A9?b=1"
        );
        assert_eq!(key("HTTP://A:8000"), "a/");
        assert_eq!(key("no url"), "no url");
    }
}
