//! A whole robots.txt file.

use std::ops::Range;

use crate::agent::{first_word, is_wildcard, names};
use crate::delay;
use crate::directive::Directive;
use crate::index::Rule;
use crate::normal;
use crate::record::{Record, Records};
use crate::rules::Rules;

/// Most sitemaps that are kept of a file; later ones are ignored.
pub const MAXIMUM_SITEMAPS: usize = 10_000;

/// A parsed robots.txt file: all its groups and sitemaps.
///
/// Memory is proportional to the file and bounded, since at most [`MAXIMUM_PARSED_BYTES`] are read. To
/// keep what holds for one agent, take its [`Rules`] with [`Robots::group_for`] and drop the file.
///
/// [`MAXIMUM_PARSED_BYTES`]: crate::MAXIMUM_PARSED_BYTES
#[derive(Clone, Debug, Default)]
pub struct Robots {
    /// Patterns in normal form, end to end; the text of `rules`.
    text: Vec<u8>,
    rules: Vec<Rule>,
    agents: Vec<Agent>,
    groups: Vec<Group>,
    delays: Vec<Delay>,
    sitemaps: Vec<String>,
}

/// Whom a user-agent line names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Agent {
    /// `*`.
    All,
    /// The first word of the line, as written; may be empty, which nobody goes by.
    Named(Box<[u8]>),
}

/// Agents in a row and the rules for them (RFC 9309 2.2).
#[derive(Clone, Debug)]
struct Group {
    agents: Range<usize>,
    rules: Range<usize>,
}

/// A pause that agents in a row are asked for. Kept apart from the groups, because a `Crawl-delay`
/// between two user-agent lines does not end their group (RFC 9309 2.2.4) and yet is not meant for the
/// agent of the second.
#[derive(Clone, Debug)]
struct Delay {
    agents: Range<usize>,
    milliseconds: u32,
}

impl Robots {
    /// Reads a file. Never fails: what is no record is passed over, whatever the bytes are. Takes LF, CR
    /// and CRLF, a byte order mark, octets that are not UTF-8, lines of any length (cut at
    /// [`MAXIMUM_LINE_BYTES`]), frequent misspellings and a missing colon. Rules before the first
    /// user-agent line are in no group and hold for nobody (RFC 9309 2.2).
    ///
    /// [`MAXIMUM_LINE_BYTES`]: crate::MAXIMUM_LINE_BYTES
    pub fn parse(bytes: &[u8]) -> Robots {
        let mut reader = Reader::default();
        for record in Records::new(bytes) {
            reader.take(&record);
        }
        reader.finish()
    }

    /// The values of the file's sitemap lines in their order, as written: not checked to be URLs. At
    /// most [`MAXIMUM_SITEMAPS`]. Octets that are not UTF-8 are replaced by U+FFFD.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// The rules for a crawler whose product token is `agent`: those of all groups that name it, in any
    /// case, merged into one; if there are none, those of all groups for `*`; else no rules (RFC 9309
    /// 2.2.1). A version in `agent` (`ExampleBot/1.0`) is ignored. A product token has letters, `_` and
    /// `-` only; another name is obeyed where a user-agent line has it in full.
    pub fn group_for(&self, agent: &str) -> Rules {
        let named = |line: &Agent| match line {
            Agent::All => false,
            Agent::Named(value) => names(value, agent),
        };
        if self.agents.iter().any(named) {
            self.merged(named)
        } else {
            self.merged(|agent| *agent == Agent::All)
        }
    }

    /// The rules and the longest delay of all groups with an agent that `holds_for` takes.
    fn merged(&self, holds_for: impl Fn(&Agent) -> bool) -> Rules {
        let concerned = |agents: &Range<usize>| {
            self.agents
                .get(agents.clone())
                .unwrap_or_default()
                .iter()
                .any(&holds_for)
        };
        let groups = self.groups.iter().filter(|group| concerned(&group.agents));
        let rules =
            groups.flat_map(|group| self.rules.get(group.rules.clone()).unwrap_or_default());
        let delays = self.delays.iter().filter(|delay| concerned(&delay.agents));
        let crawl_delay = delays.map(|delay| delay.milliseconds).max();
        Rules::new(&self.text, rules.copied().collect(), crawl_delay)
    }
}

/// Puts records together into groups.
#[derive(Default)]
struct Reader {
    robots: Robots,
    /// The first agent and the first rule of the group being read.
    group_agents: usize,
    group_rules: usize,
    /// Whether the group being read has an allow or disallow line, so that a user-agent line begins the
    /// next.
    in_rules: bool,
    /// The first agent that a delay now would hold for.
    delay_agents: usize,
    /// Whether something followed the last user-agent line, so that a delay behind the next user-agent
    /// line holds from that on.
    in_delays: bool,
}

impl Reader {
    fn take(&mut self, record: &Record<'_>) {
        match record.directive {
            Directive::UserAgent => self.take_agent(record.value),
            Directive::Allow => self.take_rule(record, true),
            Directive::Disallow => self.take_rule(record, false),
            Directive::Sitemap => self.take_sitemap(record.value),
            Directive::CrawlDelay => self.take_delay(delay::crawl_delay(record.value)),
            Directive::RequestRate => self.take_delay(delay::request_rate(record.value)),
            Directive::Unknown => {}
        }
    }

    fn take_agent(&mut self, value: &[u8]) {
        if self.in_rules {
            self.end_group();
        }
        if self.in_delays {
            self.delay_agents = self.robots.agents.len();
            self.in_delays = false;
        }
        self.robots.agents.push(match is_wildcard(value) {
            true => Agent::All,
            false => Agent::Named(first_word(value).into()),
        });
    }

    fn take_rule(&mut self, record: &Record<'_>, allow: bool) {
        if self.robots.agents.is_empty() {
            return;
        }
        self.in_rules = true;
        self.in_delays = true;
        // An empty pattern is no rule, and one that begins otherwise matches no path.
        if !matches!(record.value.first(), Some(b'/' | b'*')) {
            return;
        }
        let start = self.robots.text.len();
        normal::push_pattern(record.value, &mut self.robots.text);
        self.robots
            .rules
            .extend(Rule::new(&self.robots.text, start, record.line, allow));
    }

    fn take_sitemap(&mut self, value: &[u8]) {
        if self.robots.sitemaps.len() < MAXIMUM_SITEMAPS {
            self.robots
                .sitemaps
                .push(String::from_utf8_lossy(value).into_owned());
        }
    }

    fn take_delay(&mut self, milliseconds: Option<u32>) {
        self.in_delays = true;
        let agents = self.delay_agents..self.robots.agents.len();
        if let Some(milliseconds) = milliseconds
            && !agents.is_empty()
        {
            self.robots.delays.push(Delay {
                agents,
                milliseconds,
            });
        }
    }

    fn end_group(&mut self) {
        let agents = self.group_agents..self.robots.agents.len();
        let rules = self.group_rules..self.robots.rules.len();
        (self.group_agents, self.group_rules) = (agents.end, rules.end);
        self.robots.groups.push(Group { agents, rules });
        self.in_rules = false;
    }

    fn finish(mut self) -> Robots {
        self.end_group();
        self.robots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rules(file: &str, agent: &str) -> Rules {
        Robots::parse(file.as_bytes()).group_for(agent)
    }

    #[test]
    fn a_group_of_its_own_replaces_the_one_for_all() {
        let file = "User-agent: *\nDisallow: /\nUser-agent: Bot\nDisallow:\n";
        assert!(rules(file, "bot").is_empty());
        assert!(!rules(file, "other").allows("/"));
        assert!(!rules(file, "").allows("/"));
    }

    #[test]
    fn without_a_group_everything_is_allowed() {
        assert!(rules("", "bot").is_empty());
        assert!(rules("Disallow: /\nUser-agent: other\nDisallow: /", "bot").is_empty());
        assert!(rules("<html><body>User-agent</body></html>", "bot").is_empty());
    }

    #[test]
    fn other_records_do_not_end_a_group() {
        let file = "User-agent: a\nSitemap: /s\nCrawl-delay: 1\nUser-agent: b\nDisallow: /";
        assert!(!rules(file, "a").allows("/"));
        assert!(!rules(file, "b").allows("/"));
    }

    #[test]
    fn a_delay_holds_for_the_agents_just_above_it() {
        let file = "Crawl-delay: 9\nUser-agent: a\nUser-agent: b\nCrawl-delay: 1\nUser-agent: c\n\
            Crawl-delay: 2\nDisallow: /x\nRequest-rate: 1/3\nUser-agent: d\nDisallow: /";
        let delay = |agent| rules(file, agent).crawl_delay();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!([delay("a"), delay("b")], [seconds(1), seconds(1)]);
        assert_eq!([delay("c"), delay("d")], [seconds(3), None]);
    }

    #[test]
    fn patterns_that_match_no_path_are_no_rules() {
        let file = "User-agent: *\nDisallow:\nDisallow: $\nDisallow: x\nDisallow: http://a/";
        assert!(rules(file, "bot").is_empty());
    }

    #[test]
    fn sitemaps_are_bounded() {
        let file = "Sitemap: http://a.example/s.xml\n".repeat(MAXIMUM_SITEMAPS + 1);
        let robots = Robots::parse(file.as_bytes());
        assert_eq!(robots.sitemaps().len(), MAXIMUM_SITEMAPS);
        assert_eq!(robots.sitemaps()[0], "http://a.example/s.xml");
    }
}
