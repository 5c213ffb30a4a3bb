//! What was asked of the server, and what follows from it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::error::{Error, ErrorKind};

/// How much the server notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogMode {
    /// Counts only.
    Off,
    /// Every request up to this many; those beyond are counted in [`Log::dropped`]. 48 bytes each.
    Entries(usize),
}

impl Default for LogMode {
    /// Four million requests.
    fn default() -> Self {
        Self::Entries(4_000_000)
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The name of the host, without a port, as the web writes it where it is one of its own.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// What was answered; 0 where nothing was, because the connection ended before.
    pub status: u16,
    /// When the request had been read, in microseconds since the server started.
    pub at_micros: u64,
    /// When the last byte of the answer had been handed to the kernel (HTTP/2: to the connection), or
    /// the connection been given up.
    pub done_micros: u64,
    /// Which connection it came over, counted from 1.
    pub connection: u64,
    /// Requests on this host that were being answered when this one came, itself included.
    pub in_flight_on_host: u32,
}

/// Every request that the server saw, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The requests.
    pub entries: Vec<LogEntry>,
    /// Requests that the log had no room for: judgements are worth nothing unless this is 0.
    pub dropped: u64,
}

impl LogEntry {
    /// Whether the answer settles what the page is: not so for none, 429 and 5xx, after which a
    /// crawler may ask again.
    pub fn is_settled(&self) -> bool {
        self.status != 0 && self.status != 429 && self.status < 500
    }

    /// Whether a crawler asked for it to find its way: robots.txt, sitemaps.
    pub fn is_guide(&self) -> bool {
        let path = self.path.as_str();
        path == "/robots.txt" || path == "/robots-moved.txt" || path.starts_with("/sitemap")
    }
}

impl Log {
    /// Host and path of each URL that was asked for again after an answer that settled it, with the
    /// number of such answers.
    pub fn asked_twice(&self) -> Vec<(String, String, usize)> {
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        let settled = self.entries.iter().filter(|entry| entry.is_settled());
        for entry in settled {
            *counts.entry((&entry.host, &entry.path)).or_default() += 1;
        }
        let mut twice: Vec<_> = counts
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|((host, path), count)| (host.to_owned(), path.to_owned(), count))
            .collect();
        twice.sort_unstable();
        twice
    }

    /// The smallest time between the starts of two consecutive requests on a host; none where it was
    /// asked less than twice. Costs a pass over the log: [`crate::judge()`] sees all hosts in one.
    pub fn smallest_gap_micros(&self, host: &str) -> Option<u64> {
        let starts = self.entries.iter().filter(|entry| entry.host == host);
        let starts: Vec<u64> = starts.map(|entry| entry.at_micros).collect();
        starts
            .windows(2)
            .filter_map(|pair| Some(pair.last()?.saturating_sub(*pair.first()?)))
            .min()
    }

    /// The most requests on a host that were in flight at once.
    pub fn most_at_once(&self, host: &str) -> u32 {
        let entries = self.entries.iter().filter(|entry| entry.host == host);
        entries
            .map(|entry| entry.in_flight_on_host)
            .max()
            .unwrap_or_default()
    }

    /// How many requests were answered with each status.
    pub fn by_status(&self) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.status).or_default() += 1;
        }
        counts
    }

    /// The log as text: a line a request with tabs between at_micros, done_micros, connection,
    /// in_flight_on_host, status, host and path; first a line `#dropped TAB n`.
    pub fn to_tsv(&self) -> String {
        let mut out = String::with_capacity(16 + 80 * self.entries.len());
        // Writing to a string does not fail.
        let _ = writeln!(out, "#dropped\t{}", self.dropped);
        for entry in &self.entries {
            let LogEntry {
                host,
                path,
                status,
                at_micros,
                done_micros,
                ..
            } = entry;
            let (connection, in_flight) = (entry.connection, entry.in_flight_on_host);
            let _ = writeln!(
                out,
                "{at_micros}\t{done_micros}\t{connection}\t{in_flight}\t{status}\t{host}\t{path}"
            );
        }
        out
    }

    /// Reads what [`Log::to_tsv`] writes.
    ///
    /// # Errors
    /// [`ErrorKind::Log`] with the first line that is not of this form.
    pub fn from_tsv(text: &str) -> Result<Self, Error> {
        let mut log = Self::default();
        for line in text.lines() {
            let read = match line.strip_prefix("#dropped\t") {
                Some(count) => count.parse().map(|count| log.dropped = count).ok(),
                None => read_entry(line).map(|entry| log.entries.push(entry)),
            };
            read.ok_or_else(|| {
                Error::new(ErrorKind::Log, line.chars().take(200).collect::<String>())
            })?;
        }
        Ok(log)
    }
}

fn read_entry(line: &str) -> Option<LogEntry> {
    let mut fields = line.splitn(7, '\t');
    Some(LogEntry {
        at_micros: fields.next()?.parse().ok()?,
        done_micros: fields.next()?.parse().ok()?,
        connection: fields.next()?.parse().ok()?,
        in_flight_on_host: fields.next()?.parse().ok()?,
        status: fields.next()?.parse().ok()?,
        host: fields.next()?.to_owned(),
        path: fields.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(host: &str, path: &str, status: u16, at_micros: u64) -> LogEntry {
        LogEntry {
            host: host.to_owned(),
            path: path.to_owned(),
            status,
            at_micros,
            done_micros: at_micros + 10,
            connection: 1,
            in_flight_on_host: 1,
        }
    }

    #[test]
    fn the_log_tells_gaps_and_repeats() {
        let log = Log {
            entries: vec![
                entry("a", "/", 200, 0),
                entry("b", "/", 503, 50),
                entry("a", "/x", 200, 300),
                entry("b", "/", 200, 60),
                entry("a", "/", 200, 500),
            ],
            dropped: 0,
        };
        assert_eq!(log.asked_twice(), [("a".to_owned(), "/".to_owned(), 2)]);
        assert_eq!(log.smallest_gap_micros("a"), Some(200));
        assert_eq!(log.smallest_gap_micros("c"), None);
        assert_eq!(log.most_at_once("a"), 1);
        assert_eq!(log.by_status(), BTreeMap::from([(200, 4), (503, 1)]));
    }

    #[test]
    fn a_log_survives_its_text() {
        let log = Log {
            entries: vec![entry("a", "/x y", 0, 7)],
            dropped: 3,
        };
        assert_eq!(Log::from_tsv(&log.to_tsv()).unwrap(), log);
        assert_eq!(Log::from_tsv("1\t2\tx").unwrap_err().kind(), ErrorKind::Log);
    }
}
