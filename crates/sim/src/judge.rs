//! Holds what was asked against what is true and what is polite.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::log::{Log, LogEntry};
use crate::plan::Plan;
use crate::truth::TruthScope;
use crate::web::Web;

/// What a crawler had promised.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which hosts it takes.
    pub scope: TruthScope,
    /// Least time between the starts of consecutive requests on a host. Default 0.
    pub delay_micros: u64,
    /// How much less is forgiven: a request may be delayed on its way and the next one not. Default 0.
    pub slack_micros: u64,
    /// Most requests in flight on a host at once. Default 1.
    pub per_host: u32,
    /// Whether it obeys robots.txt: denied pages, Crawl-delay, and robots.txt answered before any page
    /// of the host is asked for. Default true.
    pub robots: bool,
}

impl Default for Rules {
    fn default() -> Self {
        let scope = TruthScope::Any;
        Self {
            scope,
            delay_micros: 0,
            slack_micros: 0,
            per_host: 1,
            robots: true,
        }
    }
}

/// What was broken: for each rule the URLs or hosts, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Requests judged.
    pub asked: usize,
    /// Requests that the log had no room for.
    pub dropped: u64,
    /// True URLs that were never asked for.
    pub missing: Vec<String>,
    /// URLs that were asked for and are not true (not reachable by links, or no page at all).
    pub unknown: Vec<String>,
    /// URLs that were asked for although robots.txt denies them.
    pub denied: Vec<String>,
    /// URLs that were asked for again after an answer that settled them.
    pub twice: Vec<String>,
    /// URLs whose last answer has not the true status.
    pub wrong_status: Vec<String>,
    /// Hosts whose delay or Crawl-delay was broken, with the gap.
    pub too_soon: Vec<String>,
    /// Hosts with more requests in flight at once than promised.
    pub too_many: Vec<String>,
    /// Hosts of which a page was asked for before robots.txt was answered.
    pub before_robots: Vec<String>,
}

impl Judgement {
    fn rules(&self) -> [(&'static str, &[String]); 8] {
        [
            ("missing", &self.missing),
            ("unknown", &self.unknown),
            ("denied", &self.denied),
            ("twice", &self.twice),
            ("wrong status", &self.wrong_status),
            ("too soon", &self.too_soon),
            ("too many at once", &self.too_many),
            ("before robots.txt", &self.before_robots),
        ]
    }

    /// Whether any rule was broken, or requests are missing from the log.
    pub fn is_broken(&self) -> bool {
        self.dropped > 0 || self.rules().iter().any(|(_, broken)| !broken.is_empty())
    }

    /// A line a rule: its name, how often it was broken, and the first five cases.
    pub fn table(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(out, "{:<18}{:>8}", "requests", self.asked);
        let _ = writeln!(out, "{:<18}{:>8}", "not in the log", self.dropped);
        for (name, broken) in self.rules() {
            let _ = writeln!(out, "{name:<18}{:>8}", broken.len());
            for case in broken.iter().take(5) {
                let _ = writeln!(out, "    {}", case.escape_debug());
            }
        }
        out
    }
}

/// Judges a log of a crawl of `web`, which has to have the scheme and port that it was served with
/// (as [`crate::Server::web`] has).
pub fn judge(web: &Web, log: &Log, rules: &Rules) -> Judgement {
    let plan = Plan::new(web.clone());
    let mut judgement = Judgement {
        asked: log.entries.len(),
        dropped: log.dropped,
        ..Judgement::default()
    };
    judge_pages(&plan, log, rules, &mut judgement);
    judge_hosts(&plan, log, rules, &mut judgement);
    judgement
}

fn judge_pages(plan: &Plan, log: &Log, rules: &Rules, judgement: &mut Judgement) {
    let truth = plan.truth(rules.scope);
    let mut last: BTreeMap<String, u16> = BTreeMap::new();
    for entry in log.entries.iter().filter(|entry| !entry.is_guide()) {
        last.insert(plan.web.url(&entry.host, &entry.path), entry.status);
    }
    for (url, status) in &last {
        match truth.pages.get(url) {
            Some(page) if page.status == *status => {}
            Some(page) => {
                let case = format!("{url} {status}, true is {}", page.status);
                judgement.wrong_status.push(case);
            }
            // What lies behind denied pages is not in the truth.
            None if !rules.robots => {}
            None if truth.denied.contains_key(url) => judgement.denied.push(url.clone()),
            None => judgement.unknown.push(url.clone()),
        }
    }
    judgement.missing = truth
        .pages
        .into_keys()
        .filter(|url| !last.contains_key(url))
        .collect();
    judgement.twice = log
        .asked_twice()
        .iter()
        .map(|(host, path, _)| plan.web.url(host, path))
        .collect();
}

fn judge_hosts(plan: &Plan, log: &Log, rules: &Rules, judgement: &mut Judgement) {
    let mut hosts: HashMap<&str, Vec<&LogEntry>> = HashMap::new();
    for entry in &log.entries {
        hosts.entry(&entry.host).or_default().push(entry);
    }
    let mut too_soon = BTreeSet::new();
    let mut too_many = BTreeSet::new();
    let mut before_robots = BTreeSet::new();
    for (host, entries) in hosts {
        let Some(number) = plan.web.host_number(host) else {
            continue;
        };
        if let Some((gap, least)) = worst_gap(plan, number, &entries, rules) {
            too_soon.insert(format!("{host} {gap} us, least is {least} us"));
        }
        let most = entries
            .iter()
            .map(|entry| entry.in_flight_on_host)
            .max()
            .unwrap_or_default();
        if most > rules.per_host {
            too_many.insert(format!("{host} {most}"));
        }
        if rules.robots && is_before_robots(&entries) {
            before_robots.insert(host.to_owned());
        }
    }
    judgement.too_soon = too_soon.into_iter().collect();
    judgement.too_many = too_many.into_iter().collect();
    judgement.before_robots = before_robots.into_iter().collect();
}

/// The smallest gap of those that broke their delay, with that delay. A Crawl-delay holds between
/// requests for pages: before robots.txt is read no one knows it.
fn worst_gap(plan: &Plan, host: u32, entries: &[&LogEntry], rules: &Rules) -> Option<(u64, u64)> {
    let crawl_delay = if rules.robots {
        plan.crawl_delay_ms(host).unwrap_or_default()
    } else {
        0
    };
    let pairs = entries.iter().zip(entries.iter().skip(1));
    let broken = pairs.filter_map(|(first, second)| {
        let guided = first.is_guide() || second.is_guide();
        let own = if guided { 0 } else { crawl_delay * 1_000 };
        let least = own.max(rules.delay_micros);
        let gap = second.at_micros.saturating_sub(first.at_micros);
        (gap + rules.slack_micros < least).then_some((gap, least))
    });
    broken.min()
}

fn is_before_robots(entries: &[&LogEntry]) -> bool {
    let answered = entries
        .iter()
        .filter(|entry| entry.path == "/robots.txt")
        .map(|entry| entry.done_micros);
    let answered = answered.min().unwrap_or(u64::MAX);
    entries
        .iter()
        .any(|entry| !entry.is_guide() && entry.at_micros < answered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::Outcomes;

    /// The log of a crawler that does all right: a request a second on each host.
    fn right_log(web: &Web) -> Log {
        let mut log = Log::default();
        let mut push = |host: &str, path: &str, status: u16| {
            let at_micros = 1_000_000 * (log.entries.len() as u64 + 1);
            log.entries.push(LogEntry {
                host: host.to_owned(),
                path: path.to_owned(),
                status,
                at_micros,
                done_micros: at_micros + 1_000,
                connection: 1,
                in_flight_on_host: 1,
            });
        };
        for host in 0..web.hosts {
            push(&web.host_name(host), "/robots.txt", 200);
        }
        for (url, page) in web.truth(TruthScope::Any).pages {
            let rest = url.strip_prefix("http://").unwrap();
            let (host, path) = rest.split_at(rest.find('/').unwrap());
            push(host, path, page.status);
        }
        log
    }

    fn web() -> Web {
        let outcomes = Outcomes {
            denied: 0.2,
            not_found: 0.1,
            ..Outcomes::default()
        };
        Web {
            outcomes,
            ..Web::plain(3, 5, 200)
        }
    }

    fn broken(log: &Log, rules: &Rules) -> Vec<&'static str> {
        let judgement = judge(&web(), log, rules);
        let broken = judgement
            .rules()
            .into_iter()
            .filter(|(_, cases)| !cases.is_empty());
        broken.map(|(name, _)| name).collect()
    }

    #[test]
    fn a_right_crawl_breaks_nothing() {
        let rules = Rules {
            delay_micros: 900_000,
            ..Rules::default()
        };
        let judgement = judge(&web(), &right_log(&web()), &rules);
        assert!(!judgement.is_broken(), "{}", judgement.table());
    }

    #[test]
    fn each_planted_violation_is_caught() {
        type Plant = fn(&mut Log);
        let plants: [(&str, Plant); 8] = [
            ("missing", |log| drop(log.entries.remove(20))),
            ("unknown", |log| {
                let entry = LogEntry {
                    path: "/ghost/1.html".to_owned(),
                    ..log.entries[20].clone()
                };
                log.entries.insert(
                    21,
                    LogEntry {
                        at_micros: entry.at_micros + 1,
                        ..entry
                    },
                );
            }),
            ("denied", |log| {
                let web = web();
                let truth = web.truth(TruthScope::Any);
                let url = truth
                    .denied
                    .keys()
                    .find(|url| url.contains("//h1."))
                    .unwrap();
                let path = url.strip_prefix("http://h1.sim.test").unwrap().to_owned();
                let at_micros = 900_000_000;
                let host = "h1.sim.test".to_owned();
                let entry = log.entries[20].clone();
                log.entries.push(LogEntry {
                    host,
                    path,
                    at_micros,
                    ..entry
                });
            }),
            ("twice", |log| {
                let entry = log.entries[20].clone();
                log.entries.push(LogEntry {
                    at_micros: 900_000_000,
                    ..entry
                });
            }),
            ("wrong status", |log| log.entries[20].status = 500),
            ("too soon", |log| {
                log.entries[21].at_micros = log.entries[20].at_micros + 899_999
            }),
            ("too many at once", |log| {
                log.entries[20].in_flight_on_host = 2
            }),
            ("before robots.txt", |log| {
                log.entries[1].done_micros = u64::MAX
            }),
        ];
        let rules = Rules {
            delay_micros: 900_000,
            ..Rules::default()
        };
        for (name, plant) in plants {
            let mut log = right_log(&web());
            plant(&mut log);
            let found = broken(&log, &rules);
            assert!(found.contains(&name), "{name}: {found:?}");
        }
        let log = Log {
            dropped: 1,
            ..right_log(&web())
        };
        assert!(judge(&web(), &log, &rules).is_broken());
    }

    #[test]
    fn a_crawl_delay_is_held_to() {
        let mut web = web();
        web.robots.crawl_delay = 1.0;
        web.robots.crawl_delay_ms = 2_000;
        let log = right_log(&web);
        assert_eq!(judge(&web, &log, &Rules::default()).too_soon.len(), 5);
        let rude = Rules {
            robots: false,
            ..Rules::default()
        };
        assert!(judge(&web, &log, &rude).too_soon.is_empty());
    }
}
