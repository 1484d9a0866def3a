//! Stops asking somebody who does not answer: after some failures in a row nobody passes for a while, then one does,
//! and on what comes of that one it depends whether others follow.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub(super) struct Breaker {
    limit: u32,
    pause: Duration,
    // Held for a look or a count, and never across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Nobody passes before this.
    open_until: Option<Instant>,
    /// Whether the one who may try is on its way.
    trying: bool,
}

/// Leave to ask once. Dropped without a word, as when the caller is cancelled, it says nothing about the other side.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    trying: bool,
}

impl Breaker {
    pub(super) fn new(limit: u32, pause: Duration) -> Self {
        Self { limit: limit.max(1), pause, state: Mutex::default() }
    }

    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.state().open_until.is_some_and(|until| now < until)
    }

    pub(super) fn enter(&self, now: Instant) -> Option<Pass<'_>> {
        let mut state = self.state();
        match state.open_until {
            None => Some(Pass { breaker: self, trying: false }),
            Some(until) if now < until || state.trying => None,
            Some(_) => {
                state.trying = true;
                Some(Pass { breaker: self, trying: true })
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    pub(super) fn succeeded(self) {
        let mut state = self.breaker.state();
        // One that set out before the breaker opened comes too late to close it.
        if state.open_until.is_none() || self.trying {
            state.failures = 0;
            state.open_until = None;
        }
    }

    /// Returns whether this failure was the one that opened the breaker.
    pub(super) fn failed(self, now: Instant) -> bool {
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        let opens = self.trying || (state.open_until.is_none() && state.failures >= self.breaker.limit);
        if opens {
            state.open_until = Some(now + self.breaker.pause);
        }
        opens
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.trying {
            self.breaker.state().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try_after_the_pause() {
        let breaker = Breaker::new(2, PAUSE);
        let now = Instant::now();
        assert!(!breaker.enter(now).unwrap().failed(now));
        breaker.enter(now).unwrap().succeeded();
        assert!(!breaker.enter(now).unwrap().failed(now), "a success begins the count anew");
        let late = breaker.enter(now).unwrap();
        assert!(breaker.enter(now).unwrap().failed(now));
        assert!(breaker.is_open(now) && breaker.enter(now).is_none());
        late.succeeded();
        assert!(breaker.is_open(now), "one from before does not close it");

        let later = now + PAUSE;
        let first = breaker.enter(later).unwrap();
        assert!(breaker.enter(later).is_none(), "one tries, not all");
        assert!(first.failed(later));
        assert!(breaker.enter(later + PAUSE / 2).is_none());
        drop(breaker.enter(later + PAUSE).unwrap());
        breaker.enter(later + PAUSE).unwrap().succeeded();
        assert!(!breaker.is_open(later + PAUSE) && breaker.enter(later + PAUSE).is_some());
    }
}
