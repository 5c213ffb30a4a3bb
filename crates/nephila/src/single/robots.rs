//! Whether robots.txt allows a URL, and why.

use std::time::Duration;

use nephila_fetch::Response;
use nephila_frontier::CanonicalUrl;
use nephila_robots::{Robots, Rules};
use serde::{Serialize, Serializer};

use super::robots_group::{RobotsGroup, group_of};
use super::{Client, block_on, parsed, robots_of};
use crate::error::Error;
use crate::options::Settings;
use crate::robots_visit::{RobotsReply, fetch_robots, robots_body};

/// What a host's robots.txt says of one URL. Absent values are `null` when it is serialised.
#[derive(Debug, Serialize)]
pub struct RobotsReport {
    /// The canonical URL that it is about.
    #[serde(serialize_with = "as_text")]
    pub url: CanonicalUrl,
    /// The product token that rules were looked for by.
    pub agent: String,
    /// Whether the URL may be fetched.
    pub allowed: bool,
    /// The robots.txt that was asked for.
    #[serde(serialize_with = "as_text")]
    pub robots_url: CanonicalUrl,
    /// The URL that answered last, after redirects.
    pub answered_by: String,
    /// How many redirects there were.
    pub redirects: usize,
    /// The status of the last answer; `None` without one.
    pub status: Option<u16>,
    /// What the answer, or that there was none, means.
    pub meaning: RobotsMeaning,
    /// Why there was no answer, in words.
    pub error: Option<String>,
    /// Bytes that were read, after decompression.
    pub bytes: u64,
    /// Whether the file is longer than the `max-robots-size` option, and was read up to there.
    pub cut: bool,
    /// Whose rules hold; `None` where no file was read.
    pub group: Option<RobotsGroup>,
    /// The rule that decided; `None` where none matches.
    pub rule: Option<DecidingRule>,
    /// The pause between two fetches that the file asks for; serialised in milliseconds.
    #[serde(rename = "crawl_delay_ms", serialize_with = "as_millis")]
    pub crawl_delay: Option<Duration>,
    /// The sitemaps that the file names, as written.
    pub sitemaps: Vec<String>,
}

/// A line of a robots.txt that decided.
#[derive(Debug, Serialize)]
pub struct DecidingRule {
    /// Line in the file, from 1.
    pub line: u32,
    /// The rule with its pattern percent-encoded as it is compared: `Disallow: /private/`.
    pub rule: String,
}

/// What the answer to a robots.txt means (RFC 9309 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RobotsMeaning {
    /// 2xx: its rules hold.
    Rules,
    /// 4xx, or another answer that is no file: everything is allowed (2.3.1.3).
    Unavailable,
    /// More than five redirects in a row, which counts as unavailable (2.3.1.2).
    TooManyRedirects,
    /// 5xx: everything is forbidden (2.3.1.4).
    ServerError,
    /// No answer: everything is forbidden (2.3.1.4).
    Unreachable,
}

impl RobotsMeaning {
    /// The meaning in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            RobotsMeaning::Rules => "it was read, and its rules hold",
            RobotsMeaning::Unavailable => {
                "there is none, which allows everything (RFC 9309 2.3.1.3)"
            }
            RobotsMeaning::TooManyRedirects => {
                "more than five redirects in a row count as none, which allows everything \
                 (RFC 9309 2.3.1.2)"
            }
            RobotsMeaning::ServerError => {
                "the server failed, which forbids everything until it answers (RFC 9309 2.3.1.4)"
            }
            RobotsMeaning::Unreachable => {
                "it cannot be reached, which forbids everything until it can (RFC 9309 2.3.1.4)"
            }
        }
    }
}

/// Asks the host of `url` for its robots.txt, over up to five redirects, and says what holds for
/// the `agent` of the settings. Blocks.
///
/// # Errors
/// As [`super::fetch_page`]. That robots.txt could not be fetched is no error: see
/// [`RobotsReport::meaning`].
pub fn check_robots(url: &str, settings: &Settings) -> Result<RobotsReport, Error> {
    let client = Client::new(url, settings)?;
    block_on(check(&client))
}

async fn check(client: &Client) -> Result<RobotsReport, Error> {
    let robots_url = robots_of(&client.url)?;
    let max_bytes = client.config.max_robots_size.0;
    let exchange = fetch_robots(
        &client.fetcher,
        parsed(&robots_url)?,
        max_bytes,
        false,
        |_| Ok(()),
    )
    .await;
    let mut report = RobotsReport {
        url: client.url.clone(),
        agent: client.config.agent.clone(),
        allowed: false,
        robots_url,
        answered_by: exchange.url.to_string(),
        redirects: exchange.redirects,
        status: None,
        meaning: RobotsMeaning::Unreachable,
        error: None,
        bytes: 0,
        cut: false,
        group: None,
        rule: None,
        crawl_delay: None,
        sitemaps: Vec::new(),
    };
    match exchange.reply {
        RobotsReply::Failed(error) => {
            report.error = Some(error.to_string());
            report.decide(&Rules::deny_all());
        }
        RobotsReply::RedirectsWithoutEnd(response) | RobotsReply::RedirectRefused(response, _) => {
            report.status = Some(response.status);
            report.meaning = RobotsMeaning::TooManyRedirects;
            report.decide(&Rules::allow_all());
        }
        RobotsReply::Response(response) => report.note_answer(&response, max_bytes),
    }
    Ok(report)
}

impl RobotsReport {
    fn note_answer(&mut self, response: &Response, max_bytes: u64) {
        self.status = Some(response.status);
        match response.status {
            200..=299 => {
                let (file, is_cut) = robots_body(response, max_bytes);
                let robots = Robots::parse(&file);
                self.meaning = RobotsMeaning::Rules;
                self.bytes = file.len() as u64;
                self.cut = is_cut;
                self.group = Some(group_of(&file, &self.agent));
                self.sitemaps = robots.sitemaps().to_vec();
                self.decide(&robots.group_for(&self.agent));
            }
            500..=599 => {
                self.meaning = RobotsMeaning::ServerError;
                self.decide(&Rules::deny_all());
            }
            _ => {
                self.meaning = RobotsMeaning::Unavailable;
                self.decide(&Rules::allow_all());
            }
        }
    }

    fn decide(&mut self, rules: &Rules) {
        let decision = rules.decide(self.url.path_and_query());
        self.allowed = decision.allowed;
        self.crawl_delay = rules.crawl_delay();
        self.rule = decision.rule.map(|rule| {
            let name = if rule.allow { "Allow" } else { "Disallow" };
            DecidingRule {
                line: rule.line,
                rule: format!("{name}: {}", rule.pattern),
            }
        });
    }
}

fn as_text<S: Serializer>(url: &CanonicalUrl, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}

fn as_millis<S: Serializer>(delay: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    delay.map(crate::row::millis).serialize(serializer)
}
