//! Hosts that wait for their first fetch, beyond those that memory has room for.
//!
//! A broad crawl knows millions of hosts long before it asks them for anything. Each takes 24 bytes here
//! and some 6 in an index; its URLs are a chain of records on disk, in the order in which they were
//! admitted. Hosts wake in the order in which they were found.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// Hosts in a chunk: the table grows by one at a time, and nothing is moved.
const CHUNK_HOSTS: usize = 1 << 14;

/// A host that sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DormantHost {
    /// The fingerprint of its name.
    pub(crate) name: u64,
    /// The last record of its chain.
    pub(crate) chain: u64,
    /// URLs in its chain.
    pub(crate) urls: u32,
}

/// All that sleep, the first found first.
#[derive(Debug, Default)]
pub(crate) struct Dormant {
    chunks: VecDeque<Vec<DormantHost>>,
    /// Hosts that woke since the beginning: the number of the first that sleeps.
    woken: u32,
    /// Where that one is in the first chunk.
    offset: usize,
    /// By name, the number of each.
    index: HashTable<u32>,
    urls: usize,
}

impl Dormant {
    /// Hosts that sleep.
    pub(crate) fn hosts(&self) -> usize {
        self.index.len()
    }

    /// Their URLs.
    pub(crate) fn urls(&self) -> usize {
        self.urls
    }

    /// The chain of a host that sleeps.
    pub(crate) fn chain(&self, name: u64) -> Option<u64> {
        let number = self
            .index
            .find(name, |number| self.name_of(*number) == name)?;
        self.get(*number).map(|host| host.chain)
    }

    /// Notes that the chain of a host has one URL more, and a new last record. A host that is not here goes
    /// to sleep.
    pub(crate) fn note(&mut self, name: u64, chain: u64) {
        let found = self
            .index
            .find(name, |number| self.name_of(*number) == name);
        if let Some(number) = found.copied() {
            if let Some(host) = self.get_mut(number) {
                host.chain = chain;
                host.urls += 1;
            }
            self.urls += 1;
            return;
        }
        self.restore(DormantHost {
            name,
            chain,
            urls: 1,
        });
    }

    /// Takes back a host, which is not here, behind all others.
    pub(crate) fn restore(&mut self, host: DormantHost) {
        self.urls += host.urls as usize;
        if self
            .chunks
            .back()
            .is_none_or(|chunk| chunk.len() == CHUNK_HOSTS)
        {
            self.chunks.push_back(Vec::with_capacity(CHUNK_HOSTS));
        }
        let number = self.woken.wrapping_add(self.hosts() as u32);
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(host);
        }
        let (chunks, woken, offset) = (&self.chunks, self.woken, self.offset);
        let hash = |number: &u32| {
            let place = number.wrapping_sub(woken) as usize + offset;
            at(chunks, place).map_or(0, |host| host.name)
        };
        self.index.insert_unique(host.name, number, hash);
    }

    /// The host that was found first; it sleeps no more.
    pub(crate) fn wake(&mut self) -> Option<DormantHost> {
        let number = self.woken;
        let host = *self.get(number)?;
        if let Ok(entry) = self.index.find_entry(host.name, |found| *found == number) {
            entry.remove();
        }
        self.urls = self.urls.saturating_sub(host.urls as usize);
        self.woken = self.woken.wrapping_add(1);
        self.offset += 1;
        if self.offset == CHUNK_HOSTS {
            self.chunks.pop_front();
            self.offset = 0;
        }
        Some(host)
    }

    /// All that sleep, the first found first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &DormantHost> {
        self.chunks.iter().flatten().skip(self.offset)
    }

    fn name_of(&self, number: u32) -> u64 {
        self.get(number).map_or(0, |host| host.name)
    }

    fn place(&self, number: u32) -> usize {
        number.wrapping_sub(self.woken) as usize + self.offset
    }

    fn get(&self, number: u32) -> Option<&DormantHost> {
        at(&self.chunks, self.place(number))
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut DormantHost> {
        let place = self.place(number);
        let chunk = self.chunks.get_mut(place / CHUNK_HOSTS)?;
        chunk.get_mut(place % CHUNK_HOSTS)
    }
}

fn at(chunks: &VecDeque<Vec<DormantHost>>, place: usize) -> Option<&DormantHost> {
    chunks.get(place / CHUNK_HOSTS)?.get(place % CHUNK_HOSTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fingerprint that says nothing of its number's order.
    fn name(number: u64) -> u64 {
        number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn hosts_wake_in_the_order_in_which_they_were_found() {
        const HOSTS: u64 = 100_000;
        let mut dormant = Dormant::default();
        for round in 0..3 {
            for host in 0..HOSTS {
                assert_eq!(dormant.chain(name(host)).is_some(), round > 0);
                dormant.note(name(host), host * 10 + round);
            }
        }
        assert_eq!(
            (dormant.hosts(), dormant.urls()),
            (HOSTS as usize, 3 * HOSTS as usize)
        );
        for host in 0..HOSTS {
            let expected = DormantHost {
                name: name(host),
                chain: host * 10 + 2,
                urls: 3,
            };
            assert_eq!(dormant.chain(name(host)), Some(expected.chain));
            assert_eq!(dormant.wake(), Some(expected));
            assert_eq!(dormant.chain(name(host)), None);
            // What is found again meanwhile sleeps again, behind all others.
            if host % 7 == 0 {
                dormant.note(name(host), 1);
            }
        }
        assert_eq!(dormant.hosts(), HOSTS as usize / 7 + 1);
        assert_eq!(dormant.wake().map(|host| host.name), Some(name(0)));
        assert!(dormant.chunks.len() <= 2);
    }
}
