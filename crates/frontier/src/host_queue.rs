//! The queue of one host: URLs in order, the middle of it on disk when memory is short.
//!
//! URLs stand in *lanes* by their key (hops, or priority): the lowest key leaves first, and
//! within a lane the first admitted leaves first. Each lane is a head in memory, then blocks on
//! disk, then a tail in memory that becomes the next block:
//!
//! ```text
//! pop <- [ head ] <- ( block )( block )( block ) <- [ tail ] <- push
//! ```
//!
//! Order is exact whether or not anything was spilled: as long as a lane has blocks or a tail,
//! new URLs go to the tail.

use std::collections::{BTreeMap, VecDeque};

use crate::queued::QueuedUrl;
use crate::storage::{Overflow, StorageError};

/// URLs in one block on disk.
pub(crate) const BLOCK_URLS: usize = 64;

/// Bytes of queued URLs in memory, over all host queues of a frontier, and their bound.
#[derive(Debug)]
pub(crate) struct MemoryMeter {
    used: usize,
    limit: usize,
}

impl MemoryMeter {
    pub(crate) fn new(limit: usize) -> MemoryMeter {
        MemoryMeter { used: 0, limit }
    }

    pub(crate) fn used(&self) -> usize {
        self.used
    }

    fn is_over(&self) -> bool {
        self.used > self.limit
    }

    fn add(&mut self, url: &QueuedUrl) {
        self.used += url.memory_bytes();
    }

    fn subtract(&mut self, url: &QueuedUrl) {
        self.used = self.used.saturating_sub(url.memory_bytes());
    }
}

#[derive(Debug, Default)]
pub(crate) struct Lane {
    head: VecDeque<QueuedUrl>,
    blocks: VecDeque<u64>,
    tail: Vec<QueuedUrl>,
}

/// The URLs that wait for one host.
#[derive(Debug, Default)]
pub(crate) struct HostQueue {
    lanes: BTreeMap<u32, Lane>,
    length: usize,
}

impl HostQueue {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Appends to the lane of `key`. With memory over its limit a full tail goes to disk.
    pub(crate) fn push(
        &mut self,
        key: u32,
        url: QueuedUrl,
        meter: &mut MemoryMeter,
        overflow: &mut impl Overflow,
    ) -> Result<(), StorageError> {
        let lane = self.lanes.entry(key).or_default();
        meter.add(&url);
        self.length += 1;
        if lane.blocks.is_empty() && lane.tail.is_empty() {
            let room = !meter.is_over() || lane.head.len() < BLOCK_URLS;
            if room {
                lane.head.push_back(url);
                return Ok(());
            }
        }
        lane.tail.push(url);
        if lane.tail.len() >= BLOCK_URLS {
            lane.spill_tail(meter, overflow)?;
        }
        Ok(())
    }

    /// Appends a block that a snapshot has to the lane of `key`; returns how many URLs it holds.
    pub(crate) fn push_block(&mut self, key: u32, block: u64) -> usize {
        let lane = self.lanes.entry(key).or_default();
        lane.blocks.push_back(block);
        self.length += BLOCK_URLS;
        BLOCK_URLS
    }

    /// The lanes with their keys, the one that leaves first at the front.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = (u32, &Lane)> {
        self.lanes.iter().map(|(key, lane)| (*key, lane))
    }

    /// Puts a URL back where it would be popped next, as when its host could not be asked yet.
    pub(crate) fn push_front(&mut self, key: u32, url: QueuedUrl, meter: &mut MemoryMeter) {
        meter.add(&url);
        self.length += 1;
        self.lanes.entry(key).or_default().head.push_front(url);
    }

    /// The key and URL that would be popped next. Reads a block when the head ran empty.
    pub(crate) fn peek(
        &mut self,
        meter: &mut MemoryMeter,
        overflow: &mut impl Overflow,
    ) -> Result<Option<(u32, &QueuedUrl)>, StorageError> {
        let Some(mut entry) = self.lanes.first_entry() else {
            return Ok(None);
        };
        entry.get_mut().refill(meter, overflow)?;
        let Some((key, lane)) = self.lanes.first_key_value() else {
            return Ok(None);
        };
        Ok(lane.head.front().map(|url| (*key, url)))
    }

    /// Takes what [`HostQueue::peek`] showed.
    pub(crate) fn pop(
        &mut self,
        meter: &mut MemoryMeter,
        overflow: &mut impl Overflow,
    ) -> Result<Option<(u32, QueuedUrl)>, StorageError> {
        let Some(mut entry) = self.lanes.first_entry() else {
            return Ok(None);
        };
        let key = *entry.key();
        let lane = entry.get_mut();
        lane.refill(meter, overflow)?;
        let Some(url) = lane.head.pop_front() else {
            return Ok(None);
        };
        if lane.head.is_empty() && lane.blocks.is_empty() && lane.tail.is_empty() {
            entry.remove();
        }
        self.length -= 1;
        meter.subtract(&url);
        Ok(Some((key, url)))
    }
}

impl Lane {
    pub(crate) fn head(&self) -> impl Iterator<Item = &QueuedUrl> {
        self.head.iter()
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = u64> {
        self.blocks.iter().copied()
    }

    pub(crate) fn tail(&self) -> impl Iterator<Item = &QueuedUrl> {
        self.tail.iter()
    }

    fn spill_tail(
        &mut self,
        meter: &mut MemoryMeter,
        overflow: &mut impl Overflow,
    ) -> Result<(), StorageError> {
        let mut block = Vec::new();
        for url in &self.tail {
            url.encode(&mut block);
        }
        self.blocks.push_back(overflow.write(&block)?);
        for url in self.tail.drain(..) {
            meter.subtract(&url);
        }
        Ok(())
    }

    fn refill(
        &mut self,
        meter: &mut MemoryMeter,
        overflow: &mut impl Overflow,
    ) -> Result<(), StorageError> {
        if !self.head.is_empty() {
            return Ok(());
        }
        let Some(number) = self.blocks.front().copied() else {
            self.head.extend(self.tail.drain(..));
            return Ok(());
        };
        let block = overflow.take(number)?;
        self.blocks.pop_front();
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let url = QueuedUrl::decode(&mut rest)
                .ok_or_else(|| format!("block {number} of a host queue is damaged"))?;
            meter.add(&url);
            self.head.push_back(url);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canonical::CanonicalUrl;
    use crate::moment::Moment;
    use crate::storage::InMemory;

    fn url(number: usize) -> QueuedUrl {
        let text = format!("http://a.test/{number}");
        QueuedUrl::page(
            CanonicalUrl::from_serialized(&text).unwrap(),
            0,
            None,
            Moment::EPOCH,
        )
    }

    proptest! {
        /// Lowest key first, first in first out within a key, whatever was spilled.
        #[test]
        fn order_is_exact_under_spilling(
            steps in prop::collection::vec((0u32..3, prop::bool::weighted(0.7)), 1..2_000),
            limit in 0usize..20_000,
        ) {
            let mut queue = HostQueue::default();
            let mut meter = MemoryMeter::new(limit);
            let mut disk = InMemory::default();
            let mut model: BTreeMap<u32, VecDeque<usize>> = BTreeMap::new();
            for (number, (key, is_push)) in steps.into_iter().enumerate() {
                if is_push {
                    queue.push(key, url(number), &mut meter, &mut disk).unwrap();
                    model.entry(key).or_default().push_back(number);
                } else {
                    let popped = queue.pop(&mut meter, &mut disk).unwrap();
                    let expected = model
                        .iter_mut()
                        .find_map(|(key, lane)| lane.pop_front().map(|n| (*key, url(n))));
                    prop_assert_eq!(popped, expected);
                }
            }
            while let Some(popped) = queue.pop(&mut meter, &mut disk).unwrap() {
                let expected = model
                    .iter_mut()
                    .find_map(|(key, lane)| lane.pop_front().map(|n| (*key, url(n))));
                prop_assert_eq!(Some(popped), expected);
            }
            prop_assert!(model.values().all(VecDeque::is_empty));
            prop_assert_eq!((queue.len(), meter.used(), disk.blocks()), (0, 0, 0));
        }
    }

    #[test]
    fn memory_stays_near_its_limit() {
        let mut queue = HostQueue::default();
        let limit = 40 * BLOCK_URLS * url(1).memory_bytes() / 10;
        let mut meter = MemoryMeter::new(limit);
        let mut disk = InMemory::default();
        for number in 0..100_000 {
            queue.push(0, url(number), &mut meter, &mut disk).unwrap();
            let slack = 2 * BLOCK_URLS * url(100_000).memory_bytes();
            assert!(
                meter.used() <= limit + slack,
                "{} at {number}",
                meter.used()
            );
        }
        assert!(disk.blocks() > 1_000);
    }
}
