//! Seeds: what a person writes, as canonical URLs.

use nephila_frontier::{
    Admission, CanonicalUrl, Fingerprinter, Moment, NotCanonical, Outcome, QueuedUrl, Refusal,
    Refused, UrlKind,
};

use crate::committer::Handover;
use crate::error::{Error, ErrorKind};
use crate::journal::{DoneEntry, encode_admitted};
use crate::opening::{DiskFrontier, Opened};
use crate::options::CrawlConfig;
use crate::setup::{self, canonical_policy};
use crate::visit::Record;
use crate::visit_row::write_refused_row;

/// A seed.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// With its scheme, as it stands in `crawl.toml`.
    pub(crate) written: String,
    pub(crate) url: CanonicalUrl,
}

/// Reads seeds, repetitions apart.
///
/// # Errors
/// [`ErrorKind::Usage`] for none, and for the first that is no URL.
pub(crate) fn parse_seeds(written: &[String], config: &CrawlConfig) -> Result<Vec<Seed>, Error> {
    let policy = canonical_policy(config);
    let mut seeds: Vec<Seed> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for text in written
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        let full = with_scheme(text);
        let url = CanonicalUrl::parse(&full, &policy).map_err(|why| bad_seed(text, &why))?;
        if known.insert(url.clone()) {
            seeds.push(Seed { written: full, url });
        }
    }
    if seeds.is_empty() {
        let what = "no seed: name at least one URL, @FILE with one a line, or - for standard input";
        return Err(Error::new(ErrorKind::Usage, what));
    }
    Ok(seeds)
}

/// Completes what a person types: `example.com` is https, `localhost:8000` and addresses of one's
/// own machine are http.
pub(crate) fn with_scheme(text: &str) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    let host = text.split(['/', '?', '#']).next().unwrap_or(text);
    // "mailto:x" and the like have a scheme; "host:8000" has a port.
    let after_colon = host.split_once(':').map(|(_, rest)| rest);
    let is_scheme = after_colon.is_some_and(|rest| rest.parse::<u16>().is_err());
    if (is_scheme && !host.starts_with('['))
        || !host.contains(['.', ':', '[']) && host != "localhost"
    {
        return text.to_owned();
    }
    let name = host.split(':').next().unwrap_or(host);
    let is_local = name == "localhost" || name.starts_with("127.") || host.starts_with("[::1]");
    format!("{}://{text}", if is_local { "http" } else { "https" })
}

fn bad_seed(text: &str, why: &NotCanonical) -> Error {
    let shown = text.escape_debug();
    let what = format!("the seed \"{shown}\" is no URL that can be crawled: {why}");
    Error::new(
        ErrorKind::Usage,
        format!("{what}; write it like https://example.com/"),
    )
}

/// The row of a seed that its own scope refuses.
pub(crate) fn refused_seed(queued: QueuedUrl, refusal: &Refusal, now: Moment) -> Handover {
    let done = DoneEntry {
        url: queued.url.as_str().to_owned(),
        kind: queued.kind,
        outcome: Outcome::OutOfScope,
        status: 0,
        hops: 0,
        wire_bytes: 0,
        decoded_bytes: 0,
        fetch_millis: 0,
        finished_at: now,
        host_next_at: now,
    };
    let refused = Refused {
        url: queued,
        outcome: Outcome::OutOfScope,
        why: refusal.to_string(),
    };
    Handover {
        done: Some(Record::new(done, write_refused_row(&refused, now))),
        ..Handover::default()
    }
}

impl Opened {
    /// Admits the seeds that were not admitted before; one that the scope refuses gets its row.
    pub(crate) fn admit_seeds(&mut self) -> Result<Vec<Handover>, Error> {
        let rules = setup::follow_rules(&self.config, &self.seeds)?;
        let now = self.clock.now();
        let mut handovers = Vec::new();
        for seed in &self.seeds {
            let queued = QueuedUrl::page(seed.url.clone(), 0, None, now);
            let mut handover = Handover::default();
            match rules.scope.check(&seed.url, 0) {
                Ok(()) => {
                    if admit_to(&mut self.frontiers, self.fingerprinter, &queued, now)? {
                        encode_admitted(&queued, &mut handover.admitted);
                        handover.admitted_count = 1;
                        handovers.push(handover);
                    }
                }
                Err(refusal) => {
                    if note_seen(&mut self.frontiers, self.fingerprinter, &seed.url)? {
                        handovers.push(refused_seed(queued, &refusal, now));
                    }
                }
            }
        }
        Ok(handovers)
    }
}

fn admit_to(
    frontiers: &mut [DiskFrontier],
    fingerprinter: Fingerprinter,
    queued: &QueuedUrl,
    now: Moment,
) -> Result<bool, Error> {
    let shard = fingerprinter.shard_of(queued.url.host(), frontiers.len());
    let Some(frontier) = frontiers.get_mut(shard) else {
        return Ok(false);
    };
    Ok(frontier.admit(queued.clone(), now)? == Admission::Admitted)
}

fn note_seen(
    frontiers: &mut [DiskFrontier],
    fingerprinter: Fingerprinter,
    url: &CanonicalUrl,
) -> Result<bool, Error> {
    let shard = fingerprinter.shard_of(url.host(), frontiers.len());
    let Some(frontier) = frontiers.get_mut(shard) else {
        return Ok(false);
    };
    Ok(frontier.note_seen(UrlKind::Page, url)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Settings;

    #[test]
    fn what_a_person_types_becomes_a_url() {
        let config = Settings::new().check().unwrap();
        let rows = [
            ("example.com", "https://example.com/"),
            ("example.com/a?b", "https://example.com/a?b"),
            ("localhost:8000/x", "http://localhost:8000/x"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000/"),
            ("[::1]:80/", "http://[::1]/"),
            ("HTTP://A.test", "http://a.test/"),
        ];
        for (typed, expected) in rows {
            let seeds = parse_seeds(&[typed.to_owned()], &config).unwrap();
            assert_eq!(seeds[0].url.as_str(), expected, "{typed}");
        }
        for wrong in [
            "mailto:a@b.test",
            "not a url",
            "http://",
            "ftp://a.test/",
            "word",
        ] {
            let error = parse_seeds(&[wrong.to_owned()], &config).unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
        }
        assert!(parse_seeds(&[" ".to_owned()], &config).is_err());
    }
}
