//! What a frontier tells of itself for a snapshot, and takes back from one, and from a commit log.
//!
//! Entries, in pieces of some kilobytes: a URL that waits (also one that is leased or to be tried again:
//! nobody knows what became of it), a block of a host's queue, a host that sleeps, a URL of an earlier snapshot that has its outcome. Hosts that are awake
//! stand one after the other, each with its lanes in order. What is on disk is named, not copied.

use super::Frontier;
use crate::dormant::DormantHost;
use crate::fingerprint::UrlKind;
use crate::moment::Moment;
use crate::queued::{QueuedUrl, decode_text, encode_text, take};
use crate::storage::{Overflow, Seen, StorageError};

/// Entries are given out when they come to this many bytes.
const PIECE_BYTES: usize = 64 << 10;

const URL: u8 = 1;
const BLOCK: u8 = 2;
const SLEEPER: u8 = 3;
const ENDED: u8 = 4;

/// When a host may be asked that is met for the first time, by its name; after a crash that is not at once.
pub struct FirstPause(Box<PauseOf>);

type PauseOf = dyn Fn(&str) -> Option<Moment> + Send;

impl FirstPause {
    /// As `pause` tells; `None` is at once.
    pub fn new(pause: impl Fn(&str) -> Option<Moment> + Send + 'static) -> FirstPause {
        FirstPause(Box::new(pause))
    }

    /// At once, whatever the name.
    pub(super) fn none() -> FirstPause {
        FirstPause::new(|_| None)
    }

    pub(super) fn of(&self, name: &str) -> Option<Moment> {
        (self.0)(name)
    }
}

impl std::fmt::Debug for FirstPause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirstPause")
    }
}

/// Takes a piece of what is saved.
pub type SavePiece<'a> = dyn FnMut(&[u8]) -> Result<(), StorageError> + 'a;

impl<S: Seen, O: Overflow> Frontier<S, O> {
    /// Tells all that [`Frontier::restore`] needs beside the storage below, piece by piece. The frontier
    /// is as it was.
    ///
    /// # Errors
    /// Those of `save`.
    pub fn save(&self, save: &mut SavePiece<'_>) -> Result<(), StorageError> {
        let mut piece = Vec::new();
        let mut end_entry = |piece: &mut Vec<u8>| -> Result<(), StorageError> {
            if piece.len() >= PIECE_BYTES {
                save(piece)?;
                piece.clear();
            }
            Ok(())
        };
        for host in self.hosts.iter().filter(|host| host.is_awake) {
            let leased = host.leased.iter().filter_map(|(_, url)| url.as_ref());
            let retries = host.retries.iter().map(|waiting| &waiting.0.url);
            for url in leased.chain(retries) {
                encode_url(url, &mut piece);
                end_entry(&mut piece)?;
            }
            for (key, lane) in host.queue.lanes() {
                for url in lane.head() {
                    encode_url(url, &mut piece);
                    end_entry(&mut piece)?;
                }
                for block in lane.blocks() {
                    piece.push(BLOCK);
                    piece.extend_from_slice(&key.to_le_bytes());
                    piece.extend_from_slice(&block.to_le_bytes());
                    encode_text(&host.name, &mut piece);
                    end_entry(&mut piece)?;
                }
                for url in lane.tail() {
                    encode_url(url, &mut piece);
                    end_entry(&mut piece)?;
                }
            }
        }
        for host in self.dormant.iter() {
            piece.push(SLEEPER);
            piece.extend_from_slice(&host.name.to_le_bytes());
            piece.extend_from_slice(&host.chain.to_le_bytes());
            piece.extend_from_slice(&host.urls.to_le_bytes());
            end_entry(&mut piece)?;
        }
        for fingerprint in &self.ended {
            piece.push(ENDED);
            piece.extend_from_slice(&fingerprint.to_le_bytes());
            end_entry(&mut piece)?;
        }
        save(&piece)
    }

    /// Takes back a piece that [`Frontier::save`] told; pieces in their order, into an empty frontier
    /// over the storage of the same snapshot.
    ///
    /// # Errors
    /// When the piece is damaged, or the storage fails.
    pub fn restore(&mut self, piece: &[u8], now: Moment) -> Result<(), StorageError> {
        let mut rest = piece;
        while !rest.is_empty() {
            self.restore_entry(&mut rest, now)
                .unwrap_or_else(|| Err("a snapshot of the frontier is damaged".into()))?;
        }
        Ok(())
    }

    /// Notes that a URL of the restored queues has its outcome: it is not given out again.
    pub fn restore_done(&mut self, fingerprint: u64) {
        self.ended.insert(fingerprint);
    }

    /// Takes back what a commit log says was admitted; queues nothing.
    ///
    /// # Errors
    /// When the storage below fails.
    pub fn restore_seen(&mut self, fingerprint: u64) -> Result<(), StorageError> {
        self.seen.insert(fingerprint).map(|_| ())
    }

    /// Takes back a URL that was admitted and has no outcome yet.
    ///
    /// # Errors
    /// When the storage below fails.
    pub fn restore_queued(&mut self, url: QueuedUrl, now: Moment) -> Result<(), StorageError> {
        self.enqueue(url, now)
    }

    /// Takes back when a host may next be fetched, and how many of its pages were.
    pub fn restore_host(&mut self, name: &str, next_at: Moment, pages: u64) {
        let number = self.host_number(name);
        if let Some(host) = self.hosts.get_mut(number as usize) {
            host.manners.next_at = host.manners.next_at.max(next_at);
            host.pages_started += pages;
        }
    }

    /// Gives hosts that are met for the first time from now on the moment that `pause` tells for their
    /// name, if it tells one.
    pub fn restore_pause(&mut self, pause: FirstPause) {
        self.first_pause = pause;
    }

    /// The storage below, to make it part of a snapshot.
    pub fn storage(&mut self) -> (&mut S, &mut O) {
        (&mut self.seen, &mut self.overflow)
    }

    fn restore_entry(&mut self, rest: &mut &[u8], now: Moment) -> Option<Result<(), StorageError>> {
        let [tag] = take(rest)?;
        match tag {
            URL => Some(self.enqueue_awake(QueuedUrl::decode(rest)?, now)),
            BLOCK => {
                let key = u32::from_le_bytes(take(rest)?);
                let block = u64::from_le_bytes(take(rest)?);
                let number = self.host_number(decode_text(rest)?);
                let added = self.hosts.get_mut(number as usize)?;
                let urls = added.queue.push_block(key, block);
                self.note_queued(number, urls, now);
                Some(Ok(()))
            }
            SLEEPER => {
                self.dormant.restore(DormantHost {
                    name: u64::from_le_bytes(take(rest)?),
                    chain: u64::from_le_bytes(take(rest)?),
                    urls: u32::from_le_bytes(take(rest)?),
                });
                Some(Ok(()))
            }
            ENDED => {
                self.ended.insert(u64::from_le_bytes(take(rest)?));
                Some(Ok(()))
            }
            _ => None,
        }
    }

    /// Drops the URLs at the front of a host's queue that have their outcome since the snapshot.
    pub(super) fn drop_ended(&mut self, number: u32) -> Result<(), StorageError> {
        while let Some(host) = self.hosts.get_mut(number as usize) {
            let Some((_, next)) = host.queue.peek(&mut self.meter, &mut self.overflow)? else {
                return Ok(());
            };
            let (kind, text): (UrlKind, &str) = (next.kind, next.url.as_str());
            let fingerprint = self.fingerprinter.fingerprint(kind, text);
            if !self.ended.remove(&fingerprint) {
                return Ok(());
            }
            host.queue.pop(&mut self.meter, &mut self.overflow)?;
            match host.is_closed {
                true => self.held -= 1,
                false => self.available -= 1,
            }
        }
        Ok(())
    }
}

fn encode_url(url: &QueuedUrl, piece: &mut Vec<u8>) {
    piece.push(URL);
    url.encode(piece);
}
