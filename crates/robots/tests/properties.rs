//! Rules that hold for every file and every path.

#![expect(clippy::indexing_slicing, reason = "a test may fail")]

use nephila_robots::{Robots, Rules};
use proptest::prelude::*;

/// Lines that look like those of robots.txt, right and wrong.
fn line() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "User-agent|Allow|Disallow|Sitemap|Crawl-delay|Request-rate|Noindex",
        "[a-zA-Z -]{0,12}",
    ];
    let value = prop_oneof![
        "[/*$%a-f0-9?=.#: -]{0,24}",
        "\\PC{0,12}",
        "[0-9.]{0,6}(/[0-9]{0,3}[smhd]?)?"
    ];
    (name, "[: \t]{0,2}", value, "\r\n|\n|\r|")
        .prop_map(|(name, between, value, end)| format!("{name}{between}{value}{end}"))
}

/// A rule over a small alphabet, so that patterns and paths meet often.
fn rule() -> impl Strategy<Value = (bool, String)> {
    (any::<bool>(), "/[ab*]{0,6}[$]?")
}

fn file(rules: &[(bool, String)]) -> String {
    let name = |allow: bool| if allow { "Allow" } else { "Disallow" };
    rules
        .iter()
        .map(|(allow, pattern)| format!("{}: {pattern}\n", name(*allow)))
        .collect()
}

fn rules_for_all(rules: &[(bool, String)]) -> Rules {
    Robots::parse(format!("User-agent: *\n{}", file(rules)).as_bytes()).group_for("Bot")
}

/// RFC 9309 2.2.2 and 2.2.3 by definition: every rule is tried, every place of every octet.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let mut reached = vec![true];
    reached.resize(path.len() + 1, false);
    for octet in pattern.bytes() {
        let mut next = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            if octet == b'*' {
                next[at] = reached[at] || at > 0 && next[at - 1];
            } else if at > 0 {
                next[at] = reached[at - 1] && path.as_bytes()[at - 1] == octet;
            }
        }
        reached = next;
    }
    if anchored {
        reached[path.len()]
    } else {
        reached.contains(&true)
    }
}

proptest! {
    #[test]
    fn any_bytes_can_be_parsed_and_any_path_decided(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        agent in "\\PC{0,12}",
        path in "\\PC{0,40}",
    ) {
        let robots = Robots::parse(&bytes);
        let rules = robots.group_for(&agent);
        prop_assert_eq!(rules.decide(&path).allowed, rules.allows(&path));
        prop_assert!(rules.allows("/robots.txt"));
    }

    #[test]
    fn any_lines_can_be_parsed_and_any_path_decided(
        lines in prop::collection::vec(line(), 0..30),
        agent in "[a-z*-]{0,3}",
        path in "[/*$%a-f0-9?=.#:' -]{0,40}",
    ) {
        let text: String = lines.concat();
        let rules = Robots::parse(text.as_bytes()).group_for(&agent);
        let decision = rules.decide(&path);
        prop_assert_eq!(decision.allowed, rules.allows(&path));
        if let Some(rule) = decision.rule {
            prop_assert_eq!(rule.allow, decision.allowed);
            prop_assert!(rule.line as usize <= text.split(['\r', '\n']).count());
        }
        prop_assert!(rules.heap_bytes() <= 200 + 30 * text.len());
    }

    #[test]
    fn the_longest_match_decides_and_allow_wins_ties(
        rules in prop::collection::vec(rule(), 0..12),
        path in "/[ab]{0,8}",
    ) {
        let matching = rules.iter().filter(|(_, pattern)| matches(pattern, &path));
        let best = matching.map(|(allow, pattern)| (pattern.len(), *allow)).max();
        let decision = rules_for_all(&rules).decide(&path);
        prop_assert_eq!(decision.allowed, best.is_none_or(|(_, allow)| allow));
        let decided = decision.rule.map(|rule| (rule.pattern.len(), rule.allow));
        prop_assert_eq!(decided, best);
    }

    #[test]
    fn a_group_in_two_parts_is_the_same_group(
        rules in prop::collection::vec(rule(), 1..12),
        split in 1usize..12,
        path in "/[ab]{0,8}",
    ) {
        let (first, second) = rules.split_at(split.min(rules.len()));
        let text = format!(
            "User-agent: bot\n{}User-agent: other\nDisallow: /\nUser-agent: BOT\n{}",
            file(first),
            file(second),
        );
        let split_rules = Robots::parse(text.as_bytes()).group_for("Bot");
        prop_assert_eq!(split_rules.allows(&path), rules_for_all(&rules).allows(&path));
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in prop::collection::vec(rule(), 0..12),
        path in "/[ab]{0,8}",
    ) {
        let reversed: Vec<_> = rules.iter().rev().cloned().collect();
        prop_assert_eq!(rules_for_all(&rules).allows(&path), rules_for_all(&reversed).allows(&path));
    }
}
