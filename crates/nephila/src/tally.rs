//! The counts of a crawl: by outcome, by status, by host. Made live while crawling and again by
//! replaying the commit log: the same code, so the same figures.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use nephila_frontier::{Moment, Outcome, UrlKind};

use crate::distribution::Distribution;
use crate::journal::{DoneEntry, take_u64};

/// Hosts that are counted one by one; what is over counts together.
const MOST_HOSTS: usize = 200_000;
/// Link distances that are counted one by one; the last counter is of all that are longer.
const MOST_HOPS: usize = 64;

/// Counts of all done URLs of a crawl.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    outcomes: BTreeMap<Outcome, u64>,
    /// Pages with an answer, by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// URLs done that are no pages: robots.txt, sitemaps and feeds.
    pub side_fetches: u64,
    /// Seeds whose answer was a page, a redirect or a type that is not wanted.
    pub seeds_fetched: u64,
    /// Bytes of all bodies on the wire.
    pub wire_bytes: u64,
    /// Bytes of all bodies after decompression.
    pub decoded_bytes: u64,
    hosts: HashMap<Box<str>, HostTally>,
    /// Pages of hosts that are not counted one by one.
    pub other_hosts_pages: u64,
    /// Pages that were fetched, by their bytes after decompression.
    pub(crate) sizes: Distribution,
    /// Pages that were answered, by the milliseconds of their fetch.
    pub(crate) fetch_millis: Distribution,
    /// Pages by their link distance from a seed, up to [`MOST_HOPS`] of them.
    hops: Vec<u64>,
}

/// Counts of one host.
#[derive(Clone, Debug, Default)]
pub struct HostTally {
    /// Pages done.
    pub pages: u64,
    /// Pages done that got no answer or an error status.
    pub errors: u64,
    /// Time of all fetches.
    pub fetch_time: Duration,
    /// Bytes on the wire.
    pub wire_bytes: u64,
    /// When it may next be fetched, as far as is known.
    pub next_at: Moment,
    /// What politeness asked for between its last fetch and the next.
    pub(crate) pace: Duration,
}

impl HostTally {
    /// The mean time of a fetch.
    pub fn mean_fetch(&self) -> Duration {
        self.fetch_time / u32::try_from(self.pages.max(1)).unwrap_or(u32::MAX)
    }
}

impl Tally {
    /// Counts one done URL.
    pub(crate) fn add(&mut self, done: &DoneEntry) {
        // A log may say anything that its checksums hold.
        self.wire_bytes = self.wire_bytes.saturating_add(done.wire_bytes);
        self.decoded_bytes = self.decoded_bytes.saturating_add(done.decoded_bytes);
        let is_page = done.kind == UrlKind::Page;
        if is_page {
            *self.outcomes.entry(done.outcome).or_default() += 1;
            if done.status > 0 {
                *self.statuses.entry(done.status).or_default() += 1;
            }
            let was_had = done.outcome.is_answer() && done.outcome != Outcome::HttpError;
            self.seeds_fetched += u64::from(done.hops == 0 && was_had);
            self.distribute(done);
        } else {
            self.side_fetches += 1;
        }
        self.add_to_host(done, is_page);
    }

    fn distribute(&mut self, done: &DoneEntry) {
        if done.outcome == Outcome::Fetched {
            self.sizes.note(done.decoded_bytes);
        }
        if done.status > 0 {
            self.fetch_millis.note(u64::from(done.fetch_millis));
        }
        let place = usize::from(done.hops).min(MOST_HOPS - 1);
        if place >= self.hops.len() {
            self.hops.resize(place + 1, 0);
        }
        if let Some(count) = self.hops.get_mut(place) {
            *count += 1;
        }
    }

    fn add_to_host(&mut self, done: &DoneEntry, is_page: bool) {
        let name = done.host();
        if !self.hosts.contains_key(name) {
            if self.hosts.len() >= MOST_HOSTS {
                self.other_hosts_pages += u64::from(is_page);
                return;
            }
            self.hosts.insert(name.into(), HostTally::default());
        }
        let Some(host) = self.hosts.get_mut(name) else {
            return;
        };
        host.next_at = host.next_at.max(done.host_next_at);
        // What was refused without a fetch asks for no pause.
        let pace = done.host_next_at.since(done.finished_at);
        if pace > Duration::ZERO {
            host.pace = pace;
        }
        if is_page {
            let is_error = !done.outcome.is_answer() || done.outcome == Outcome::HttpError;
            host.pages += 1;
            host.errors += u64::from(is_error);
            host.fetch_time += Duration::from_millis(u64::from(done.fetch_millis));
            host.wire_bytes = host.wire_bytes.saturating_add(done.wire_bytes);
        }
    }

    /// Appends the stored form: all counts, the hosts, and how figures are distributed.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |number: u64| out.extend_from_slice(&number.to_le_bytes());
        put(self.outcomes.len() as u64);
        for (outcome, count) in &self.outcomes {
            put(u64::from(*outcome as u8));
            put(*count);
        }
        put(self.statuses.len() as u64);
        for (status, count) in &self.statuses {
            put(u64::from(*status));
            put(*count);
        }
        for count in [
            self.side_fetches,
            self.seeds_fetched,
            self.wire_bytes,
            self.decoded_bytes,
            self.other_hosts_pages,
            self.hosts.len() as u64,
        ] {
            put(count);
        }
        for (name, host) in &self.hosts {
            for part in [
                name.len() as u64,
                host.pages,
                host.errors,
                host.fetch_time.as_micros() as u64,
                host.wire_bytes,
                host.next_at.as_micros(),
                host.pace.as_micros() as u64,
            ] {
                out.extend_from_slice(&part.to_le_bytes());
            }
            out.extend_from_slice(name.as_bytes());
        }
        self.encode_distributions(out);
    }

    fn encode_distributions(&self, out: &mut Vec<u8>) {
        self.sizes.encode(out);
        self.fetch_millis.encode(out);
        for place in 0..MOST_HOPS {
            let count = self.hops.get(place).copied().unwrap_or(0);
            out.extend_from_slice(&count.to_le_bytes());
        }
    }

    fn decode_distributions(&mut self, bytes: &mut &[u8]) -> Option<()> {
        self.sizes = Distribution::decode(bytes)?;
        self.fetch_millis = Distribution::decode(bytes)?;
        let mut hops = Vec::with_capacity(MOST_HOPS);
        for _ in 0..MOST_HOPS {
            hops.push(take_u64(bytes)?);
        }
        let length = hops.iter().rposition(|count| *count > 0);
        hops.truncate(length.map_or(0, |last| last + 1));
        self.hops = hops;
        Some(())
    }

    /// Reads what [`Tally::encode`] appended; `None` when it is damaged.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Tally> {
        let mut tally = Tally::default();
        for _ in 0..take_u64(bytes)? {
            let outcome = u8::try_from(take_u64(bytes)?).ok()?;
            let count = take_u64(bytes)?;
            tally.outcomes.insert(Outcome::from_code(outcome)?, count);
        }
        for _ in 0..take_u64(bytes)? {
            let status = u16::try_from(take_u64(bytes)?).ok()?;
            tally.statuses.insert(status, take_u64(bytes)?);
        }
        tally.side_fetches = take_u64(bytes)?;
        tally.seeds_fetched = take_u64(bytes)?;
        tally.wire_bytes = take_u64(bytes)?;
        tally.decoded_bytes = take_u64(bytes)?;
        tally.other_hosts_pages = take_u64(bytes)?;
        for _ in 0..take_u64(bytes)? {
            let length = usize::try_from(take_u64(bytes)?).ok()?;
            let host = HostTally {
                pages: take_u64(bytes)?,
                errors: take_u64(bytes)?,
                fetch_time: Duration::from_micros(take_u64(bytes)?),
                wire_bytes: take_u64(bytes)?,
                next_at: Moment::from_micros(take_u64(bytes)?),
                pace: Duration::from_micros(take_u64(bytes)?),
            };
            let (name, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            let name = std::str::from_utf8(name).ok()?;
            tally.hosts.insert(name.into(), host);
        }
        tally.decode_distributions(bytes)?;
        Some(tally)
    }

    /// Pages done, by outcome.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> {
        self.outcomes
            .iter()
            .map(|(outcome, count)| (*outcome, *count))
    }

    /// Pages done with this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Pages done.
    pub fn pages(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Pages that were asked for: all but those refused before.
    pub fn pages_asked(&self) -> u64 {
        const NOT_ASKED: [Outcome; 5] = [
            Outcome::RobotsDenied,
            Outcome::RobotsUnavailable,
            Outcome::OutOfScope,
            Outcome::GaveUp,
            Outcome::Trapped,
        ];
        self.pages()
            - NOT_ASKED
                .iter()
                .map(|outcome| self.count(*outcome))
                .sum::<u64>()
    }

    /// Pages without an answer, or with an error status.
    pub fn errors(&self) -> u64 {
        let is_error = |outcome: Outcome| {
            outcome == Outcome::HttpError
                || !(outcome.is_answer()
                    || matches!(
                        outcome,
                        Outcome::RobotsDenied | Outcome::OutOfScope | Outcome::Trapped
                    ))
        };
        self.outcomes()
            .filter(|(outcome, _)| is_error(*outcome))
            .map(|(_, count)| count)
            .sum()
    }

    /// Pages by their link distance from a seed, 0 first; the last of 64 is of all that are farther.
    pub fn hops(&self) -> &[u64] {
        &self.hops
    }

    /// The counted hosts.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, &HostTally)> {
        self.hosts.iter().map(|(name, host)| (&**name, host))
    }

    /// One host's counts.
    pub fn host(&self, name: &str) -> Option<&HostTally> {
        self.hosts.get(name)
    }

    /// The `count` hosts with the highest `key`, highest first.
    pub fn top_hosts<K: Ord>(
        &self,
        count: usize,
        key: impl Fn(&HostTally) -> K,
    ) -> Vec<(&str, &HostTally)> {
        let mut hosts: Vec<_> = self.hosts().filter(|(_, host)| host.pages > 0).collect();
        let order = |a: &(&str, &HostTally), b: &(&str, &HostTally)| {
            key(b.1).cmp(&key(a.1)).then_with(|| a.0.cmp(b.0))
        };
        // Of 200,000 hosts a few are wanted, each second.
        if count > 0 && count < hosts.len() {
            hosts.select_nth_unstable_by(count - 1, order);
        }
        hosts.truncate(count);
        hosts.sort_by(order);
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_all_counting_stay_at_the_end_of_it() {
        let done = DoneEntry {
            url: "http://a.test/".to_owned(),
            kind: UrlKind::Page,
            outcome: Outcome::Fetched,
            status: 200,
            hops: 0,
            wire_bytes: u64::MAX,
            decoded_bytes: u64::MAX - 1,
            fetch_millis: u32::MAX,
            finished_at: Moment::EPOCH,
            host_next_at: Moment::EPOCH,
        };
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.add(&done);
        }
        assert_eq!([tally.wire_bytes, tally.decoded_bytes], [u64::MAX; 2]);
        let host = tally.host("a.test").unwrap();
        assert_eq!((host.pages, host.wire_bytes), (2, u64::MAX));
    }

    #[test]
    fn a_tally_reads_back() {
        let mut tally = Tally::default();
        for (number, kind) in [UrlKind::Page, UrlKind::Page, UrlKind::Robots]
            .into_iter()
            .enumerate()
        {
            tally.add(&DoneEntry {
                url: format!("http://h{number}.test/"),
                kind,
                outcome: Outcome::ALL[number],
                status: 200 + number as u16,
                hops: number as u16,
                wire_bytes: 10,
                decoded_bytes: 20,
                fetch_millis: 30,
                finished_at: Moment::from_micros(40),
                host_next_at: Moment::from_micros(50 + number as u64),
            });
        }
        let mut bytes = Vec::new();
        tally.encode(&mut bytes);
        let mut rest = bytes.as_slice();
        let read = Tally::decode(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!(
            format!("{:?}", read.statuses),
            format!("{:?}", tally.statuses)
        );
        let hosts = |tally: &Tally| {
            let mut hosts: Vec<_> = tally.hosts().map(|host| format!("{host:?}")).collect();
            hosts.sort();
            hosts
        };
        assert_eq!(hosts(&read), hosts(&tally));
        assert!(read.outcomes().eq(tally.outcomes()));
        assert_eq!(
            (&read.sizes, &read.fetch_millis, read.hops()),
            (&tally.sizes, &tally.fetch_millis, &[1, 1][..])
        );
        assert_eq!(
            (
                read.side_fetches,
                read.wire_bytes,
                read.decoded_bytes,
                read.seeds_fetched
            ),
            (1, 30, 60, tally.seeds_fetched)
        );
        for cut in 0..bytes.len() {
            assert!(Tally::decode(&mut &bytes[..cut]).is_none(), "cut at {cut}");
        }
    }
}
