//! What has happened to a cache, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the cache was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Keys with a value.
    pub hits: u64,
    /// Keys without one, for whatever reason.
    pub misses: u64,
    /// Round trips that failed.
    pub errors: u64,
    /// Round trips that were not made, because too many had failed.
    pub rejected: u64,
    /// Values that are known not to have been stored.
    pub lost_puts: u64,
}

#[derive(Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
    rejected: AtomicU64,
    lost_puts: AtomicU64,
}

impl Tally {
    pub(super) fn looked_up(&self, hits: usize, misses: usize) {
        self.hits.fetch_add(hits as u64, Ordering::Relaxed);
        self.misses.fetch_add(misses as u64, Ordering::Relaxed);
    }

    pub(super) fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost_puts(&self, count: usize) {
        self.lost_puts.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counters {
            hits: read(&self.hits),
            misses: read(&self.misses),
            errors: read(&self.errors),
            rejected: read(&self.rejected),
            lost_puts: read(&self.lost_puts),
        }
    }
}
