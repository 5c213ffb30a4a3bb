//! The rules that hold for one agent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::decision::{Decision, RuleMatch};
use crate::glob::Steps;
use crate::index::{Index, Rule};
use crate::normal;

/// The rules that hold for one agent on one host.
///
/// Cheap to keep for many hosts: 24 bytes, and on the heap some 24 bytes and its pattern for each rule,
/// nothing for a host without rules. Clones share them. A decision takes a binary search among the
/// rules' literal beginnings and then tries only the rules that begin as the path does; in the worst
/// case (every rule begins with `/*`) its time is the number of rules times the length of the path.
#[derive(Clone)]
pub struct Rules {
    kind: Kind,
    /// Milliseconds.
    crawl_delay: Option<u32>,
}

#[derive(Clone)]
enum Kind {
    AllowAll,
    DenyAll,
    Indexed(Arc<Index>),
}

impl Rules {
    /// No rules: everything is allowed. For hosts whose robots.txt is unavailable (RFC 9309 2.3.1.3).
    pub fn allow_all() -> Rules {
        Rules {
            kind: Kind::AllowAll,
            crawl_delay: None,
        }
    }

    /// Everything but `/robots.txt` is refused. For hosts whose robots.txt is unreachable (RFC 9309
    /// 2.3.1.4).
    pub fn deny_all() -> Rules {
        Rules {
            kind: Kind::DenyAll,
            crawl_delay: None,
        }
    }

    /// The rules whose patterns stand in `text`.
    pub(crate) fn new(text: &[u8], rules: Vec<Rule>, crawl_delay: Option<u32>) -> Rules {
        let kind = match rules.is_empty() {
            true => Kind::AllowAll,
            false => Kind::Indexed(Arc::new(Index::new(text, rules))),
        };
        Rules { kind, crawl_delay }
    }

    /// Whether a path with its query, as they stand in a URL, may be fetched.
    ///
    /// The longest pattern that matches decides, and the allowing one of two as long (RFC 9309 2.2.2);
    /// a path that none matches, and `/robots.txt`, may be fetched. Allocates only for a path that is
    /// not in normal form (see README.md), which paths from a URL parser nearly always are. A missing
    /// `/` at the beginning is supplied and a fragment ignored.
    pub fn allows(&self, path_and_query: &str) -> bool {
        match &self.kind {
            Kind::AllowAll => true,
            Kind::DenyAll => is_robots_txt(&normal::path(path_and_query)),
            Kind::Indexed(index) => {
                deciding_rule(index, path_and_query).is_none_or(|rule| rule.allow)
            }
        }
    }

    /// Like [`Rules::allows`], and says which rule decided.
    pub fn decide(&self, path_and_query: &str) -> Decision {
        let Kind::Indexed(index) = &self.kind else {
            return Decision {
                allowed: self.allows(path_and_query),
                rule: None,
            };
        };
        let rule = deciding_rule(index, path_and_query);
        Decision {
            allowed: rule.is_none_or(|rule| rule.allow),
            rule: rule.map(|rule| rule_match(index, rule)),
        }
    }

    /// The pause that the file asks for between two fetches from its host: the longest that its
    /// `Crawl-delay` and `Request-rate` lines give for the agent, at most [`MAXIMUM_CRAWL_DELAY`].
    /// `None` when it asks for none. Not part of RFC 9309.
    ///
    /// [`MAXIMUM_CRAWL_DELAY`]: crate::MAXIMUM_CRAWL_DELAY
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
            .map(|milliseconds| Duration::from_millis(u64::from(milliseconds)))
    }

    /// Bytes that the rules take on the heap, shared by all clones.
    pub fn heap_bytes(&self) -> usize {
        match &self.kind {
            Kind::AllowAll | Kind::DenyAll => 0,
            Kind::Indexed(index) => {
                size_of::<Index>() + 2 * size_of::<usize>() + index.heap_bytes()
            }
        }
    }

    /// Whether there is no rule, so that every path is allowed.
    pub fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::AllowAll)
    }
}

/// One rule a line, as it would stand in a file.
impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        match &self.kind {
            Kind::AllowAll => {}
            Kind::DenyAll => drop(list.entry(&"Disallow: /")),
            Kind::Indexed(index) => {
                for rule in index.rules() {
                    let name = if rule.allow { "Allow" } else { "Disallow" };
                    list.entry(&format!("{name}: {}", pattern_text(index, rule)));
                }
            }
        }
        list.finish()
    }
}

fn deciding_rule<'a>(index: &'a Index, path_and_query: &str) -> Option<&'a Rule> {
    let path = normal::path(path_and_query);
    match is_robots_txt(&path) {
        true => None,
        false => index.find(&path, &mut Steps::default()),
    }
}

fn rule_match(index: &Index, rule: &Rule) -> RuleMatch {
    RuleMatch {
        line: rule.line,
        allow: rule.allow,
        pattern: pattern_text(index, rule),
    }
}

fn pattern_text(index: &Index, rule: &Rule) -> String {
    String::from_utf8_lossy(index.pattern(rule)).into_owned()
}

/// RFC 9309 2.2.2: "The /robots.txt URI is implicitly allowed."
fn is_robots_txt(path: &[u8]) -> bool {
    path == b"/robots.txt"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Robots;

    fn is_shareable<T: Clone + Send + Sync + 'static>() {}

    #[test]
    fn rules_are_small_and_shared() {
        is_shareable::<Rules>();
        assert_eq!(size_of::<Rules>(), 24);
        assert_eq!(Rules::allow_all().heap_bytes(), 0);
        let rules = Robots::parse(b"User-agent: *\nDisallow: /private/").group_for("bot");
        // Counts, Index, one rule of 16 bytes, one node of 8, the pattern.
        assert_eq!(rules.heap_bytes(), 16 + 48 + 16 + 8 + "/private/".len());
    }

    #[test]
    fn robots_txt_is_always_allowed() {
        let all = Robots::parse(b"User-agent: *\nDisallow: /").group_for("bot");
        for rules in [all, Rules::deny_all()] {
            assert!(rules.allows("/robots.txt"));
            assert!(!rules.allows("/robots.txt?a"));
            assert!(!rules.allows("/"));
        }
        assert!(Rules::allow_all().allows("/"));
    }

    #[test]
    fn a_decision_names_its_rule() {
        let file = b"User-agent: *\n# one\nDisallow: /a b\nAllow: /a%20b%2fc";
        let rules = Robots::parse(file).group_for("bot");
        let rule = RuleMatch {
            line: 4,
            allow: true,
            pattern: "/a%20b%2Fc".to_owned(),
        };
        assert_eq!(
            rules.decide("/a b%2Fc"),
            Decision {
                allowed: true,
                rule: Some(rule)
            }
        );
        assert_eq!(
            rules.decide("/a"),
            Decision {
                allowed: true,
                rule: None
            }
        );
        assert_eq!(
            format!("{rules:?}"),
            r#"["Disallow: /a%20b", "Allow: /a%20b%2Fc"]"#
        );
    }
}
