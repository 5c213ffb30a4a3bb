//! How many exchanges may be with one public address at once, over all threads.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::is_public;

/// Counts of exchanges by address. Has an entry only for addresses with an exchange under way, so
/// that it is bounded by the exchanges in flight.
pub(crate) struct AddressLimit {
    max: usize,
    is_counted: fn(IpAddr) -> bool,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

impl AddressLimit {
    /// At most `max` exchanges at once with each public address.
    ///
    /// Addresses that are not public are not counted: politeness there is the user's own affair, and
    /// a simulated web has thousands of hosts on one loopback address.
    pub(crate) fn new(max: usize) -> Arc<AddressLimit> {
        AddressLimit::counting(max, is_public)
    }

    /// At most `max` exchanges at once with each address for which `is_counted` says true.
    pub(crate) fn counting(max: usize, is_counted: fn(IpAddr) -> bool) -> Arc<AddressLimit> {
        Arc::new(AddressLimit {
            max,
            is_counted,
            counts: Mutex::default(),
        })
    }

    /// A place for one exchange with `address`; `None` when all are taken.
    pub(crate) fn acquire(limit: &Arc<AddressLimit>, address: IpAddr) -> Option<AddressPermit> {
        if !(limit.is_counted)(address) {
            return Some(AddressPermit { counted: None });
        }
        let mut counts = limit.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= limit.max {
            return None;
        }
        *count += 1;
        Some(AddressPermit {
            counted: Some((Arc::clone(limit), address)),
        })
    }
}

#[cfg(test)]
impl AddressLimit {
    /// Whether no exchange has a place.
    pub(crate) fn is_idle(&self) -> bool {
        self.counts.lock().unwrap().is_empty()
    }
}

/// One exchange's place at an address; given back when dropped.
#[derive(Default)]
pub(crate) struct AddressPermit {
    counted: Option<(Arc<AddressLimit>, IpAddr)>,
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let Some((limit, address)) = self.counted.take() else {
            return;
        };
        let mut counts = limit.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_has_so_many_places_and_leaves_nothing_behind() {
        let limit = AddressLimit::new(2);
        let address = "192.0.3.1".parse().unwrap();
        let first = AddressLimit::acquire(&limit, address);
        let second = AddressLimit::acquire(&limit, address);
        assert!(first.is_some() && second.is_some());
        assert!(AddressLimit::acquire(&limit, address).is_none());
        assert!(AddressLimit::acquire(&limit, "192.0.3.2".parse().unwrap()).is_some());
        drop(first);
        assert!(AddressLimit::acquire(&limit, address).is_some());
        drop(second);
        assert!(limit.counts.lock().unwrap().is_empty());
    }

    #[test]
    fn loopback_is_not_counted() {
        let limit = AddressLimit::new(1);
        let address = "127.0.0.1".parse().unwrap();
        let places: Vec<_> = (0..5)
            .map(|_| AddressLimit::acquire(&limit, address))
            .collect();
        assert!(places.iter().all(Option::is_some));
    }
}
