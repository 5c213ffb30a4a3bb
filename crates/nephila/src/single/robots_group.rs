//! Which group of a robots.txt holds for an agent.

use std::fmt;

use nephila_robots::Robots;

/// The group of a robots.txt that holds for an agent (RFC 9309 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RobotsGroup {
    /// One that names the agent.
    Own,
    /// The one for all agents without one of their own, `*`.
    Everyone,
    /// None with a rule or a crawl-delay, so that everything is allowed.
    None,
}

impl fmt::Display for RobotsGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RobotsGroup::Own => "the agent's own",
            RobotsGroup::Everyone => "that of all agents (*)",
            RobotsGroup::None => "none has a rule for the agent",
        })
    }
}

/// A path that no robots.txt has a rule for.
const MARK: &str = "/nephila-8a6f1c2e-which-group";

/// The group of this file that holds for `agent`.
///
/// The parser gives the merged rules of an agent and not whose they are. So it is asked: a group
/// for `*` with a mark is put behind the file, and the agent's rules either have the mark or not.
/// The rule without a value before it ends the file's own last group.
pub(super) fn group_of(file: &[u8], agent: &str) -> RobotsGroup {
    let marked = [
        file,
        b"\nDisallow:\nUser-agent: *\nDisallow: ",
        MARK.as_bytes(),
    ]
    .concat();
    let deciding = Robots::parse(&marked).group_for(agent).decide(MARK).rule;
    if deciding.is_none_or(|rule| rule.pattern != MARK) {
        return RobotsGroup::Own;
    }
    // An agent's name is a product token, so that no line of the file names this one.
    let everyone = Robots::parse(file).group_for("");
    match everyone.is_empty() && everyone.crawl_delay().is_none() {
        true => RobotsGroup::None,
        false => RobotsGroup::Everyone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_an_agent_is_told() {
        let rows = [
            (
                "User-agent: Bot\nDisallow: /x\n\nUser-agent: *\nDisallow: /",
                RobotsGroup::Own,
            ),
            (
                "User-agent: *\nDisallow: /\nUser-agent: bot/2.0",
                RobotsGroup::Own,
            ),
            ("User-agent: bot\nDisallow:", RobotsGroup::Own),
            ("User-agent: bot\nDisallow: /", RobotsGroup::Own),
            ("User-agent: bot\nUser-agent: *", RobotsGroup::Own),
            ("User-agent: *\nDisallow: /", RobotsGroup::Everyone),
            ("User-agent: *\nCrawl-delay: 1", RobotsGroup::Everyone),
            ("User-agent: other\nDisallow: /", RobotsGroup::None),
            ("Disallow: /", RobotsGroup::None),
            ("", RobotsGroup::None),
        ];
        for (file, group) in rows {
            assert_eq!(group_of(file.as_bytes(), "bot"), group, "{file:?}");
        }
    }
}
