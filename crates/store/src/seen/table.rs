//! The fingerprints in memory: a hash table that is sorted.
//!
//! The slot where a key belongs, its home, grows with the key (its upper bits, scaled to the number of
//! slots), and keys that meet are kept in order with linear probing, not wrapping around. So the table
//! read from front to back is sorted: growing it is one pass over both, in order, and writing it out
//! sorted needs no sort and no memory. A search ends at the first key that is not smaller.

/// The slots of a table that has just been made.
pub(super) const SMALLEST_SLOTS: usize = 1024;

/// Slots behind the last home, for keys that found theirs taken.
const SPARE_SLOTS: usize = 64;

/// A set of keys, none of which is 0: that is an empty slot. Keys are taken to be uniform.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<u64>,
    homes: usize,
    keys: usize,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    New,
    Present,
    /// It is not there, and there is no room for it.
    Full,
}

impl Table {
    /// An empty table of so many slots, the spare ones included.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            slots: vec![0; slots],
            homes: slots.saturating_sub(SPARE_SLOTS),
            keys: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.keys
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u64>()
    }

    /// The most keys that it takes: four fifths of its slots. Fuller, probes and shifts grow long.
    pub(super) fn most_keys(&self) -> usize {
        self.homes / 5 * 4
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        let home = self.slots.get(self.home(key)..).unwrap_or_default();
        home.iter().find(|&&slot| stops(slot, key)) == Some(&key)
    }

    pub(super) fn insert(&mut self, key: u64) -> Placed {
        let (home, most) = (self.home(key), self.most_keys());
        let slots = self.slots.get_mut(home..).unwrap_or_default();
        let Some(at) = slots.iter().position(|&slot| stops(slot, key)) else {
            return Placed::Full;
        };
        // From here on: the keys that are larger, up to the next empty slot, move up by one.
        let slots = slots.get_mut(at..).unwrap_or_default();
        if slots.first() == Some(&key) {
            return Placed::Present;
        }
        let empty = slots.iter().position(|&slot| slot == 0);
        let Some(empty) = empty.filter(|_| self.keys < most) else {
            return Placed::Full;
        };
        slots.copy_within(..empty, 1);
        if let Some(first) = slots.first_mut() {
            *first = key;
        }
        self.keys += 1;
        Placed::New
    }

    /// All keys in ascending order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.slots.iter().copied().filter(|&slot| slot != 0)
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(0);
        self.keys = 0;
    }

    /// A table half as large again with the same keys, within `bytes`; None when that would not be
    /// larger by a fifth at least, or (for keys that are not uniform) has no place for them.
    pub(super) fn grown(&self, bytes: usize) -> Option<Self> {
        let slots = (self.slots.len() / 2 * 3).min(bytes / size_of::<u64>());
        if slots < self.slots.len() / 5 * 6 {
            return None;
        }
        let mut grown = Self::new(slots);
        let mut free = 0;
        for key in self.keys() {
            let place = grown.home(key).max(free);
            *grown.slots.get_mut(place)? = key;
            free = place + 1;
        }
        grown.keys = self.keys;
        Some(grown)
    }

    fn home(&self, key: u64) -> usize {
        // The upper 64 bits of a product with a usize are below that usize.
        ((u128::from(key) * self.homes as u128) >> 64) as usize
    }
}

/// Whether a search for `key` ends at `slot`: it is empty (0, which wraps to the largest) or not smaller.
fn stops(slot: u64, key: u64) -> bool {
    slot.wrapping_sub(1) >= key.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Also for keys that are anything but uniform: few values, all near one end.
        #[test]
        fn it_is_a_sorted_set(
            keys in prop::collection::vec(prop_oneof![1..40_u64, u64::MAX - 70.., 1_u64..], 1..400),
        ) {
            let mut table = Table::new(256);
            let mut model = BTreeSet::new();
            for key in keys {
                match table.insert(key) {
                    Placed::New => prop_assert!(model.insert(key)),
                    Placed::Present => prop_assert!(model.contains(&key)),
                    Placed::Full => {
                        prop_assert!(!model.contains(&key));
                        if let Some(grown) = table.grown(1 << 20) {
                            table = grown;
                        }
                    }
                }
                prop_assert_eq!(table.contains(key), model.contains(&key));
            }
            prop_assert!(table.keys().eq(model.iter().copied()));
            prop_assert_eq!(table.len(), model.len());
        }
    }

    #[test]
    fn an_empty_table_is_full_and_holds_nothing() {
        let mut table = Table::new(0);
        assert_eq!(table.insert(7), Placed::Full);
        assert!(!table.contains(7));
    }
}
