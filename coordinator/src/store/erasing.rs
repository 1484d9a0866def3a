//! What a handle of a store knows of who was erased: the key, and the list as it was read last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gitfleet_shared::people::erasure::{Key, Suppression};

/// Shared by the clones of a handle.
#[derive(Clone, Default)]
pub(super) struct Erasing {
    pub(super) key: Option<Key>,
    /// The last mark that is in it, and the list. Held for as long as it takes to look.
    known: Arc<Mutex<(i64, Arc<Suppression>)>>,
    redactions: Arc<AtomicU64>,
}

impl Erasing {
    pub(super) fn new(key: Option<Key>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Returns the list, where it was read when `last` was its last mark.
    pub(super) fn known(&self, last: i64) -> Option<Arc<Suppression>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.0 == last).then(|| Arc::clone(&known.1))
    }

    pub(super) fn learn(&self, last: i64, list: &Arc<Suppression>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = (last, Arc::clone(list));
    }

    pub(super) fn note_redactions(&self, count: u64) {
        self.redactions.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn take_redactions(&self) -> u64 {
        self.redactions.swap(0, Ordering::Relaxed)
    }
}
