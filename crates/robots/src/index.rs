//! The rules of one agent, ordered so that a path meets few of them.

use std::cmp::Reverse;

use crate::glob::{Steps, literal_length, tail_matches};

/// A rule whose pattern stands in a text beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Where the pattern begins in the text.
    pub(crate) start: u32,
    /// Line in the file, from 1.
    pub(crate) line: u32,
    /// Length of the pattern: its rank, for the longest match decides (RFC 9309 2.2.2). A line has at
    /// most 16,663 octets and each becomes at most three, so that 16 bits hold it.
    pub(crate) length: u16,
    /// Length of the pattern's literal beginning.
    pub(crate) literal: u16,
    pub(crate) allow: bool,
}

impl Rule {
    /// The rule whose pattern is `text[start..]`; `None` when a bound is broken, which the bounds on
    /// lines and files exclude.
    pub(crate) fn new(text: &[u8], start: usize, line: u32, allow: bool) -> Option<Rule> {
        let pattern = text.get(start..)?;
        Some(Rule {
            start: u32::try_from(start).ok()?,
            line,
            length: u16::try_from(pattern.len()).ok()?,
            literal: u16::try_from(literal_length(pattern)).ok()?,
            allow,
        })
    }

    pub(crate) fn pattern<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.slice(text, 0, self.length)
    }

    fn literal<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.slice(text, 0, self.literal)
    }

    fn tail<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.slice(text, self.literal, self.length)
    }

    fn slice<'a>(&self, text: &'a [u8], from: u16, to: u16) -> &'a [u8] {
        let start = self.start as usize;
        text.get(start + usize::from(from)..start + usize::from(to))
            .unwrap_or_default()
    }

    /// Whether this rule decides where both match: the longer pattern, then the allowing one.
    fn outranks(&self, other: &Rule) -> bool {
        (self.length, self.allow) > (other.length, other.allow)
    }
}

/// All rules with the same literal beginning.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Index of its first rule; its rules end where the next node's begin.
    first_rule: u32,
    /// The node with the longest literal that is a proper beginning of this node's.
    parent: u32,
}

/// The parent of a node without one; the bound on the file excludes so many nodes.
const NO_PARENT: u32 = u32::MAX;

/// The rules of one agent.
///
/// Rules are grouped in nodes by literal beginning, nodes are sorted by it, and each knows the node of
/// the longest shorter beginning. The nodes whose literal begins a path are then the greatest node not
/// above the path and its ancestors: binary search finds them among any number of rules. Of a node only
/// the rules that outrank the best match so far are tried, longest first. 24 bytes a rule and its
/// pattern.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    text: Box<[u8]>,
    /// By literal; then the longest first, then allowing ones, then by line.
    rules: Box<[Rule]>,
    nodes: Box<[Node]>,
}

impl Index {
    /// Takes rules whose patterns stand in `text`; of equal patterns only the one that decides is kept.
    pub(crate) fn new(text: &[u8], mut rules: Vec<Rule>) -> Index {
        rules.sort_unstable_by_key(|rule| (rule.pattern(text), !rule.allow, rule.line));
        rules.dedup_by_key(|rule| rule.pattern(text));
        rules.sort_unstable_by_key(|rule| {
            (
                rule.literal(text),
                Reverse(rule.length),
                !rule.allow,
                rule.line,
            )
        });
        let mut own_text =
            Vec::with_capacity(rules.iter().map(|rule| usize::from(rule.length)).sum());
        for rule in &mut rules {
            let pattern = rule.pattern(text);
            // Never more than the text the patterns came from, whose length fitted.
            rule.start = own_text.len() as u32;
            own_text.extend_from_slice(pattern);
        }
        let nodes = nodes(&own_text, &rules);
        Index {
            text: own_text.into(),
            rules: rules.into(),
            nodes: nodes.into(),
        }
    }

    /// The rule that decides about a path in normal form.
    pub(crate) fn find(&self, path: &[u8], steps: &mut Steps) -> Option<&Rule> {
        let after = self.nodes.partition_point(|node| {
            steps.add(1);
            self.first_literal(node) <= path
        });
        let mut node = u32::try_from(after).ok()?.checked_sub(1);
        let common = node.map_or(0, |node| common_length(self.literal(node), path));
        steps.add(common);
        let mut best: Option<&Rule> = None;
        while let Some(index) = node {
            steps.add(1);
            if self.literal(index).len() <= common {
                best = self.best_of(index, path, best, steps);
            }
            let parent = self
                .nodes
                .get(index as usize)
                .map_or(NO_PARENT, |node| node.parent);
            node = (parent != NO_PARENT).then_some(parent);
        }
        best
    }

    /// The best of `best` and the rules of a node whose literal begins `path`.
    fn best_of<'a>(
        &'a self,
        node: u32,
        path: &[u8],
        best: Option<&'a Rule>,
        steps: &mut Steps,
    ) -> Option<&'a Rule> {
        for rule in self.rules_of(node) {
            steps.add(1);
            if best.is_some_and(|best| !rule.outranks(best)) {
                break;
            }
            let rest = path.get(usize::from(rule.literal)..).unwrap_or_default();
            if tail_matches(rule.tail(&self.text), rest, steps) {
                return Some(rule);
            }
        }
        best
    }

    fn rules_of(&self, node: u32) -> &[Rule] {
        let index = node as usize;
        let begin = self
            .nodes
            .get(index)
            .map_or(0, |node| node.first_rule as usize);
        let end = self
            .nodes
            .get(index + 1)
            .map_or(self.rules.len(), |next| next.first_rule as usize);
        self.rules.get(begin..end).unwrap_or_default()
    }

    fn literal(&self, node: u32) -> &[u8] {
        self.nodes
            .get(node as usize)
            .map_or(&[], |node| self.first_literal(node))
    }

    fn first_literal(&self, node: &Node) -> &[u8] {
        self.rules
            .get(node.first_rule as usize)
            .map_or(&[], |rule| rule.literal(&self.text))
    }

    pub(crate) fn pattern(&self, rule: &Rule) -> &[u8] {
        rule.pattern(&self.text)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.rules) + size_of_val(&*self.nodes)
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// The nodes of rules that are sorted by literal. Beginnings sort before what they begin, so that the
/// ancestors of a node are always on the stack when it comes.
fn nodes(text: &[u8], rules: &[Rule]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut ancestors: Vec<(u32, &[u8])> = Vec::new();
    let mut begin = 0;
    for same in rules.chunk_by(|a, b| a.literal(text) == b.literal(text)) {
        let literal = same.first().map_or(&[][..], |rule| rule.literal(text));
        while ancestors
            .pop_if(|(_, shorter)| !literal.starts_with(shorter))
            .is_some()
        {}
        let parent = ancestors.last().map_or(NO_PARENT, |(node, _)| *node);
        ancestors.push((nodes.len() as u32, literal));
        nodes.push(Node {
            first_rule: begin,
            parent,
        });
        begin += same.len() as u32;
    }
    nodes
}

fn common_length(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal;

    fn index<'a>(patterns: impl IntoIterator<Item = (&'a str, bool)>) -> Index {
        let mut text = Vec::new();
        let mut rules = Vec::new();
        for (line, (pattern, allow)) in (1..).zip(patterns) {
            let start = text.len();
            normal::push_pattern(pattern.as_bytes(), &mut text);
            rules.extend(Rule::new(&text, start, line, allow));
        }
        Index::new(&text, rules)
    }

    fn found(index: &Index, path: &str) -> (Option<u32>, usize) {
        let mut steps = Steps::default();
        let rule = index
            .find(path.as_bytes(), &mut steps)
            .map(|rule| rule.line);
        (rule, steps.0)
    }

    #[test]
    fn the_longest_of_nested_beginnings_is_found() {
        let index = index([
            ("/", false),
            ("/a/", true),
            ("/a/b/", false),
            ("/a/c/", false),
            ("/*/b/x", true),
            ("/a/b$", true),
        ]);
        for (path, line) in [
            ("/z", 1),
            ("/a/z", 2),
            ("/a/b/z", 3),
            ("/a/c/", 4),
            ("/a/b/x", 5),
            ("/a/b", 6),
        ] {
            assert_eq!(found(&index, path).0, Some(line), "{path}");
        }
    }

    #[test]
    fn of_equal_patterns_one_is_kept() {
        let index = index([("/a", false), ("/a", true), ("/a", true), ("/%61", false)]);
        assert_eq!(index.rules().len(), 1);
        assert_eq!(found(&index, "/a").0, Some(2));
    }

    /// The largest real file known has 31,843 rules.
    #[test]
    fn a_path_meets_few_of_many_rules() {
        let patterns: Vec<String> = (0..32_000).map(|n| format!("/shop/{n}/")).collect();
        let index = index(patterns.iter().map(|pattern| (pattern.as_str(), false)));
        let (line, steps) = found(&index, "/shop/31999/page.html");
        assert_eq!(line, Some(32_000));
        assert!(steps <= 50, "{steps} steps");
        assert!(index.heap_bytes() <= 32_000 * (24 + "/shop/31999/".len()));
    }

    /// The worst case is every rule against the whole path, each once.
    #[test]
    fn hostile_rules_take_a_bounded_number_of_steps() {
        let patterns: Vec<String> = (0..2_000)
            .map(|n| format!("/*{}*b{n}", "a*".repeat(20)))
            .collect();
        let index = index(patterns.iter().map(|pattern| (pattern.as_str(), false)));
        let path = format!("/{}", "a".repeat(2_000));
        let (line, steps) = found(&index, &path);
        assert_eq!(line, None);
        assert!(steps <= 2_000 * (path.len() + 2 * 50), "{steps} steps");
    }

    #[test]
    fn nested_beginnings_take_steps_in_their_depth() {
        let patterns: Vec<String> = (0..5_000).map(|n| format!("/{}", "a".repeat(n))).collect();
        let index = index(patterns.iter().map(|pattern| (pattern.as_str(), false)));
        let path = format!("/{}", "a".repeat(2_000));
        let (line, steps) = found(&index, &path);
        assert_eq!(line, Some(2_001));
        assert!(steps <= 2 * path.len() + 5_000, "{steps} steps");
    }
}
