//! Politeness, as the server saw it, over all runs of a crawl: a crash is no reason to hurry.

use std::collections::BTreeMap;
use std::time::Duration;

use super::web::Asked;

/// How much less is forgiven: a request may be noted some time after it was sent.
const SLACK: Duration = Duration::from_millis(5);

/// The server answers at once; an answer that ended later than this was noted late, on a machine that was
/// busy with something else between the last byte and the note.
const LONGEST_ANSWER: Duration = Duration::from_millis(2);

/// Holds a log against the delay that was asked for and the crawl-delays of the hosts. A crawl-delay
/// holds between pages (before robots.txt is read no one knows it), whatever was asked in between.
pub(super) fn broken(
    log: &[Asked],
    delay: Duration,
    crawl_delays: &BTreeMap<String, Duration>,
) -> Vec<String> {
    let mut hosts: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    for asked in log
        .iter()
        .filter(|asked| !asked.host.starts_with("control."))
    {
        hosts.entry(&asked.host).or_default().push(asked);
    }
    let mut found = Vec::new();
    for (host, mut all) in hosts {
        all.sort_by_key(|asked| asked.at);
        found.extend(too_soon(host, &all, delay));
        if let Some(crawl_delay) = crawl_delays.get(host) {
            let is_page = |asked: &&&Asked| !asked.path.starts_with("/robots");
            let pages: Vec<&Asked> = all.iter().filter(is_page).copied().collect();
            found.extend(too_soon(host, &pages, *crawl_delay));
        }
    }
    found
}

/// The first pair of requests of a host that overlap or are too close.
fn too_soon(host: &str, all: &[&Asked], least: Duration) -> Option<String> {
    let pairs = all.iter().zip(all.iter().skip(1));
    // Redirects of robots.txt are one fetch of it (RFC 9309 section 2.3.1.2).
    let pairs = pairs.filter(|(_, second)| second.path != "/robots-moved.txt");
    pairs.into_iter().find_map(|(first, second)| {
        let longest = first.at + LONGEST_ANSWER.as_micros() as u64;
        let gap = i128::from(second.at) - i128::from(first.done.min(longest));
        let least = least.as_micros() as i128 - SLACK.as_micros() as i128;
        (gap < least || second.at < first.done).then(|| {
            format!(
                "{host}: {} was asked for at {} us, and {} from {} to {} us",
                second.path, second.at, first.path, first.at, first.done
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, at_ms: u64) -> Asked {
        Asked {
            host: "a.test".to_owned(),
            path: path.to_owned(),
            at: at_ms * 1_000,
            done: at_ms * 1_000 + 500,
        }
    }

    #[test]
    fn a_pause_that_is_too_short_is_found() {
        let log = [
            asked("/robots.txt", 100),
            asked("/1", 101),
            asked("/robots.txt", 120),
            asked("/2", 140),
        ];
        let delays = |ms| BTreeMap::from([("a.test".to_owned(), Duration::from_millis(ms))]);
        assert_eq!(broken(&log, Duration::ZERO, &delays(30)), [""; 0]);
        assert_eq!(broken(&log, Duration::ZERO, &delays(50)).len(), 1);
        assert_eq!(
            broken(&log, Duration::from_millis(10), &delays(30)).len(),
            1
        );
        let overlapping = [
            Asked {
                done: 200_000,
                ..asked("/1", 100)
            },
            asked("/2", 150),
        ];
        let none = BTreeMap::new();
        assert_eq!(broken(&overlapping, Duration::ZERO, &none).len(), 1);
    }
}
