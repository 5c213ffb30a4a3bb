//! What the net is like just now: the way to the client, and how slow hosts are. May change while a web is served.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// Bytes that are sent at a time on a way of limited bandwidth: connections take turns after as many.
pub(crate) const TURN_BYTES: usize = 16 << 10;
/// What the way may send at once after it was idle, in microseconds of its bandwidth: timers are no finer.
const BURST_MICROS: f64 = 4_000.0;

/// The conditions of a web that is being served. All start as the [`Web`](crate::Web) says.
#[derive(Debug)]
pub struct Conditions {
    clock: Clock,
    /// The bits of an `f64`.
    latency_times: AtomicU64,
    /// The same, for hosts of their own; few.
    slow: Mutex<HashMap<u32, f64>>,
    /// Bytes a second; 0 is without a limit.
    bandwidth: AtomicU64,
    /// When the way has sent what was given to it, in microseconds.
    free_at: Mutex<f64>,
    /// Requests that a host works on at once; 0 is all.
    host_workers: usize,
    workers: Mutex<HashMap<u32, Arc<Semaphore>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Conditions {
    pub(crate) fn new(bandwidth: Option<u64>, host_workers: Option<u32>) -> Self {
        Self {
            clock: Clock::start(),
            latency_times: AtomicU64::new(1.0_f64.to_bits()),
            slow: Mutex::default(),
            bandwidth: AtomicU64::new(bandwidth.unwrap_or(0)),
            free_at: Mutex::new(0.0),
            host_workers: host_workers.unwrap_or(0) as usize,
            workers: Mutex::default(),
        }
    }

    /// From now on every latency is `times` what the web says.
    pub fn set_latency_times(&self, times: f64) {
        self.latency_times.store(times.to_bits(), Ordering::Relaxed);
    }

    /// From now on the latency of one host is `times` what it would be.
    pub fn set_host_latency_times(&self, host: u32, times: f64) {
        lock(&self.slow).insert(host, times);
    }

    /// From now on all answers together are sent at so many bytes a second; `None` is without a limit.
    pub fn set_bandwidth(&self, bytes_per_second: Option<u64>) {
        self.bandwidth
            .store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// A latency as it is now.
    pub(crate) fn latency_micros(&self, host: Option<u32>, micros: u64) -> u64 {
        let times = f64::from_bits(self.latency_times.load(Ordering::Relaxed));
        let own = host.and_then(|host| lock(&self.slow).get(&host).copied());
        (micros as f64 * times * own.unwrap_or(1.0)) as u64
    }

    /// Waits until the host has a worker for a request; the worker is free again when this is dropped.
    pub(crate) async fn worker(&self, host: Option<u32>) -> Option<OwnedSemaphorePermit> {
        if self.host_workers == 0 {
            return None;
        }
        let workers = lock(&self.workers)
            .entry(host?)
            .or_insert_with(|| Arc::new(Semaphore::new(self.host_workers)))
            .clone();
        // It is never closed.
        workers.acquire_owned().await.ok()
    }

    /// Whether all answers share a way of limited bandwidth.
    pub(crate) fn is_limited(&self) -> bool {
        self.bandwidth.load(Ordering::Relaxed) > 0
    }

    /// Waits until the way has sent so many bytes more, after all that was given to it before.
    pub(crate) async fn send(&self, bytes: usize) {
        let bandwidth = self.bandwidth.load(Ordering::Relaxed);
        if bandwidth == 0 {
            return;
        }
        let now = self.clock.micros() as f64;
        let wait = {
            let mut free_at = lock(&self.free_at);
            *free_at = free_at.max(now - BURST_MICROS) + bytes as f64 * 1e6 / bandwidth as f64;
            *free_at - now
        };
        if wait > 0.0 {
            tokio::time::sleep(Duration::from_micros(wait as u64)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_multiplied() {
        let conditions = Conditions::new(None, None);
        conditions.set_latency_times(3.0);
        conditions.set_host_latency_times(7, 2.0);
        assert_eq!(conditions.latency_micros(Some(1), 100), 300);
        assert_eq!(conditions.latency_micros(Some(7), 100), 600);
        assert_eq!(conditions.latency_micros(None, 100), 300);
    }

    #[tokio::test]
    async fn a_host_works_on_as_many_requests_as_it_has_workers() {
        let conditions = Conditions::new(None, Some(2));
        let (one, two) = (
            conditions.worker(Some(1)).await,
            conditions.worker(Some(1)).await,
        );
        assert!(one.is_some() && two.is_some());
        let workers = lock(&conditions.workers).get(&1).cloned().unwrap();
        assert_eq!(workers.available_permits(), 0);
        drop(one);
        assert_eq!(workers.available_permits(), 1);
        assert!(conditions.worker(Some(2)).await.is_some(), "another host");
        assert!(
            conditions.worker(None).await.is_none(),
            "no host of this web"
        );
    }

    #[tokio::test]
    async fn what_is_sent_takes_the_time_of_the_way() {
        let conditions = Conditions::new(Some(1_000_000), None);
        for _ in 0..5 {
            conditions.send(10_000).await;
        }
        let free_at = *lock(&conditions.free_at);
        assert!(free_at >= 50_000.0 - BURST_MICROS, "{free_at}");
        conditions.set_bandwidth(None);
        assert!(!conditions.is_limited());
    }
}
