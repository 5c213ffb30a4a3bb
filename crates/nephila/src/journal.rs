//! What the commit log holds: entries, many to a commit.
//!
//! A URL is done if and only if a [`DoneEntry`] of it is committed, and that commit also holds the
//! outlinks that were admitted from it and the position in the rows behind its own row. Replaying
//! the log gives the seen set (all admitted and all done), the queues (admitted, not done), each
//! host's politeness and the counts. An outlink may be done in an earlier commit than the one
//! that admits it, when two shards worked on them: only the whole set counts, not the order.

use nephila_frontier::{Moment, Outcome, QueuedUrl, UrlKind};
use nephila_store::PartPosition;

/// A URL that has its outcome and its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DoneEntry {
    /// The canonical URL.
    pub url: String,
    /// What it was fetched for.
    pub kind: UrlKind,
    /// What happened to it.
    pub outcome: Outcome,
    /// The HTTP status, 0 without an answer.
    pub status: u16,
    /// Link distance from a seed.
    pub hops: u16,
    /// Bytes of the body on the wire.
    pub wire_bytes: u64,
    /// Bytes of the body after decompression.
    pub decoded_bytes: u64,
    /// Time of the fetch, without its queueing, in milliseconds.
    pub fetch_millis: u32,
    /// When it was finished.
    pub finished_at: Moment,
    /// When its host may next be fetched.
    pub host_next_at: Moment,
}

/// Why and when a run of the crawl ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopEntry {
    /// Why.
    pub reason: StopReason,
    /// When.
    pub at: Moment,
    /// How long this run took, in milliseconds.
    pub ran_millis: u64,
}

/// Why a run of a crawl ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StopReason {
    /// Nothing is left to fetch.
    Done = 0,
    /// `--max-pages` was reached.
    MaxPages = 1,
    /// `--max-duration` was reached.
    MaxDuration = 2,
    /// The user, or a signal, stopped it.
    Interrupted = 3,
}

impl StopReason {
    /// The stable name, as it stands in `summary.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::Done => "done",
            StopReason::MaxPages => "max_pages",
            StopReason::MaxDuration => "max_duration",
            StopReason::Interrupted => "interrupted",
        }
    }

    fn from_code(code: u8) -> Option<StopReason> {
        use StopReason::{Done, Interrupted, MaxDuration, MaxPages};
        [Done, MaxPages, MaxDuration, Interrupted]
            .into_iter()
            .find(|one| *one as u8 == code)
    }
}

/// How many parts of the rows and of the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartCounts {
    pub(crate) rows: u32,
    pub(crate) archive: u32,
}

/// One entry of a commit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// The crawl's own facts, first of all: the key of its fingerprints and when it began.
    Begin {
        /// The key of the fingerprints.
        key: [u64; 2],
        /// When the crawl was made.
        at: Moment,
    },
    /// A URL that was admitted.
    Admitted(Box<QueuedUrl>),
    /// A URL that is done.
    Done(Box<DoneEntry>),
    /// The archive is durable up to here. It stands before the rows' position, where there is one.
    Archive(PartPosition),
    /// Parts that are published in every form and in their place: those below these numbers.
    Published(PartCounts),
    /// The rows are durable up to here. The last entry of every commit.
    Rows(PartPosition),
    /// A run ended in good order.
    Stop(StopEntry),
    /// A run began, at this moment: what it fetches is not known before its first commit.
    Run(Moment),
}

const BEGIN: u8 = 1;
const ADMITTED: u8 = 2;
const DONE: u8 = 3;
const ROWS: u8 = 4;
const STOP: u8 = 5;
const ARCHIVE: u8 = 6;
const PUBLISHED: u8 = 7;
const RUN: u8 = 8;

/// Appends the stored form of an admitted URL.
pub(crate) fn encode_admitted(url: &QueuedUrl, out: &mut Vec<u8>) {
    out.push(ADMITTED);
    url.encode(out);
}

impl Entry {
    /// Appends the stored form.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Entry::Begin { key, at } => {
                out.push(BEGIN);
                out.extend_from_slice(&key[0].to_le_bytes());
                out.extend_from_slice(&key[1].to_le_bytes());
                out.extend_from_slice(&at.as_micros().to_le_bytes());
            }
            Entry::Admitted(url) => encode_admitted(url, out),
            Entry::Done(done) => done.encode(out),
            Entry::Archive(position) => {
                out.push(ARCHIVE);
                encode_position(position, out);
            }
            Entry::Published(parts) => {
                out.push(PUBLISHED);
                out.extend_from_slice(&parts.rows.to_le_bytes());
                out.extend_from_slice(&parts.archive.to_le_bytes());
            }
            Entry::Rows(position) => {
                out.push(ROWS);
                encode_position(position, out);
            }
            Entry::Run(at) => {
                out.push(RUN);
                out.extend_from_slice(&at.as_micros().to_le_bytes());
            }
            Entry::Stop(stop) => {
                out.extend_from_slice(&[STOP, stop.reason as u8]);
                out.extend_from_slice(&stop.at.as_micros().to_le_bytes());
                out.extend_from_slice(&stop.ran_millis.to_le_bytes());
            }
        }
    }

    /// Reads one entry off the front of a commit's payload; `None` when it is damaged.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Entry> {
        let [tag] = take(bytes)?;
        Some(match tag {
            BEGIN => {
                let key = [take_u64(bytes)?, take_u64(bytes)?];
                Entry::Begin {
                    key,
                    at: Moment::from_micros(take_u64(bytes)?),
                }
            }
            ADMITTED => Entry::Admitted(Box::new(QueuedUrl::decode(bytes)?)),
            DONE => Entry::Done(Box::new(DoneEntry::decode(bytes)?)),
            ARCHIVE => Entry::Archive(decode_position(bytes)?),
            PUBLISHED => Entry::Published(PartCounts {
                rows: u32::from_le_bytes(take(bytes)?),
                archive: u32::from_le_bytes(take(bytes)?),
            }),
            ROWS => Entry::Rows(decode_position(bytes)?),
            STOP => {
                let [reason] = take(bytes)?;
                Entry::Stop(StopEntry {
                    reason: StopReason::from_code(reason)?,
                    at: Moment::from_micros(take_u64(bytes)?),
                    ran_millis: take_u64(bytes)?,
                })
            }
            RUN => Entry::Run(Moment::from_micros(take_u64(bytes)?)),
            _ => return None,
        })
    }
}

impl DoneEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[DONE, self.kind as u8, self.outcome as u8]);
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(&self.hops.to_le_bytes());
        out.extend_from_slice(&self.fetch_millis.to_le_bytes());
        out.extend_from_slice(&self.wire_bytes.to_le_bytes());
        out.extend_from_slice(&self.decoded_bytes.to_le_bytes());
        out.extend_from_slice(&self.finished_at.as_micros().to_le_bytes());
        out.extend_from_slice(&self.host_next_at.as_micros().to_le_bytes());
        // Canonical URLs are bounded by --max-url-length, far below 4 GiB.
        out.extend_from_slice(&(self.url.len() as u32).to_le_bytes());
        out.extend_from_slice(self.url.as_bytes());
    }

    fn decode(bytes: &mut &[u8]) -> Option<DoneEntry> {
        let [kind, outcome] = take(bytes)?;
        let status = u16::from_le_bytes(take(bytes)?);
        let hops = u16::from_le_bytes(take(bytes)?);
        let fetch_millis = u32::from_le_bytes(take(bytes)?);
        let wire_bytes = take_u64(bytes)?;
        let decoded_bytes = take_u64(bytes)?;
        let finished_at = Moment::from_micros(take_u64(bytes)?);
        let host_next_at = Moment::from_micros(take_u64(bytes)?);
        let length = u32::from_le_bytes(take(bytes)?) as usize;
        let (url, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(DoneEntry {
            url: std::str::from_utf8(url).ok()?.to_owned(),
            kind: UrlKind::from_code(kind)?,
            outcome: Outcome::from_code(outcome)?,
            status,
            hops,
            wire_bytes,
            decoded_bytes,
            fetch_millis,
            finished_at,
            host_next_at,
        })
    }

    /// The host of its URL.
    pub(crate) fn host(&self) -> &str {
        let rest = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or(rest)
    }
}

pub(crate) fn encode_position(position: &PartPosition, out: &mut Vec<u8>) {
    out.extend_from_slice(&position.part.to_le_bytes());
    out.extend_from_slice(&position.bytes.to_le_bytes());
    out.extend_from_slice(&position.rows.to_le_bytes());
}

pub(crate) fn decode_position(bytes: &mut &[u8]) -> Option<PartPosition> {
    Some(PartPosition {
        part: u32::from_le_bytes(take(bytes)?),
        bytes: take_u64(bytes)?,
        rows: take_u64(bytes)?,
    })
}

pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

pub(crate) fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    take(bytes).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use nephila_frontier::CanonicalUrl;

    use super::*;

    #[test]
    fn entries_read_back_and_damage_is_noticed() {
        let moment = Moment::from_micros(1_234_567);
        let url = CanonicalUrl::from_serialized("http://a.test:81/b?c").unwrap();
        let entries = vec![
            Entry::Begin {
                key: [3, u64::MAX],
                at: moment,
            },
            Entry::Admitted(Box::new(QueuedUrl::page(url, 2, None, moment))),
            Entry::Done(Box::new(DoneEntry {
                url: "http://a.test:81/b?c".into(),
                kind: UrlKind::Page,
                outcome: Outcome::HttpError,
                status: 404,
                hops: 2,
                wire_bytes: 10,
                decoded_bytes: 20,
                fetch_millis: 30,
                finished_at: moment,
                host_next_at: moment,
            })),
            Entry::Archive(PartPosition {
                part: 4,
                bytes: 5,
                rows: 6,
            }),
            Entry::Published(PartCounts {
                rows: 7,
                archive: 8,
            }),
            Entry::Rows(PartPosition {
                part: 1,
                bytes: 2,
                rows: 3,
            }),
            Entry::Stop(StopEntry {
                reason: StopReason::MaxPages,
                at: moment,
                ran_millis: 9,
            }),
            Entry::Run(moment),
        ];
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| entry.encode(&mut bytes));
        let mut rest = bytes.as_slice();
        for entry in &entries {
            assert_eq!(Entry::decode(&mut rest).as_ref(), Some(entry));
        }
        assert!(rest.is_empty());
        let Entry::Done(done) = &entries[2] else {
            panic!()
        };
        assert_eq!(done.host(), "a.test:81");
        assert_eq!(Entry::decode(&mut &[99u8][..]), None);
        assert_eq!(Entry::decode(&mut &bytes[..7]), None);
    }
}
