//! What the store says of the fleet as a whole: for scrapes, for autoscalers and for whoever asks how it is. Every
//! coordinator says the same, because it is the store's truth, and asking often costs no more than asking seldom.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::scale::{Demand, Limits};
use crate::store::StoreError;
use crate::store::ledger::Ledger;

/// One look at the store, as of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signs {
    pub batches_running: u64,
    pub demand: Demand,
    /// Since when the job waits that waits for longest, of batches that do not rest; UTC milliseconds.
    pub oldest_queued_since: Option<i64>,
    pub workers: Workers,
    pub dead_letters: u64,
    /// The newest publications by the name of the batch, at most [`MOST_REPORTS`]; UTC milliseconds.
    pub reports: Vec<(String, i64)>,
    /// What the store takes on its disk.
    pub store_bytes: u64,
}

/// Publications that are told of. Names are an operator's, and a monitoring system must not be filled with them.
pub const MOST_REPORTS: u32 = 200;

/// Workers by what is known of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Workers {
    pub active: u64,
    /// They take no more jobs.
    pub draining: u64,
    pub gone: u64,
    /// Of those that are there; where none is, of those that are gone and not yet forgotten.
    pub slots_per_worker: Option<f64>,
}

/// How many workers there should be, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scaling {
    /// How long one worker slot would work for all that waits and runs, by what such work took before.
    pub backlog_work_seconds: f64,
    /// Jobs that somebody has in hand.
    pub running_jobs: u64,
    /// For how long the job waits that waits for longest; 0 where none does.
    pub oldest_queued_seconds: f64,
    /// Workers that are there.
    pub workers: u64,
    pub desired_workers: u64,
}

impl Signs {
    /// Returns what follows from them at `now` (UTC milliseconds).
    pub fn scaling(&self, limits: &Limits, now: i64) -> Scaling {
        let waited = self.oldest_queued_since.map_or(0, |since| now.saturating_sub(since).max(0));
        let slots = self.workers.slots_per_worker.unwrap_or(1.0);
        Scaling {
            backlog_work_seconds: self.demand.backlog_seconds(),
            running_jobs: self.demand.in_hand.len() as u64,
            oldest_queued_seconds: waited as f64 / 1_000.0,
            workers: self.workers.active + self.workers.draining,
            desired_workers: self.demand.desired_workers(limits, slots),
        }
    }
}

/// Looks at the store, and remembers for a moment what it saw.
pub struct Vital {
    store: Arc<dyn Ledger>,
    pub limits: Limits,
    /// Returns the time in UTC milliseconds.
    now: fn() -> i64,
    /// Held while one looks, so that whoever asks at the same time gets the same answer.
    seen: Mutex<Option<(Instant, Arc<Signs>)>>,
}

/// For how long a look is good.
const FRESH: Duration = Duration::from_secs(2);
/// How long a look may take. Who scrapes gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(5);

impl Vital {
    pub fn new(store: Arc<dyn Ledger>, limits: Limits, now: fn() -> i64) -> Self {
        Self { store, limits, now, seen: Mutex::default() }
    }

    /// Returns the time, in UTC milliseconds.
    pub(crate) fn now(&self) -> i64 {
        (self.now)()
    }

    /// Returns what the store says, or said a moment ago.
    ///
    /// # Errors
    ///
    /// Where it does not answer within five seconds, or fails.
    pub async fn look(&self) -> Result<Arc<Signs>, StoreError> {
        let mut seen = self.seen.lock().await;
        if let Some((_, signs)) = seen.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(signs.clone());
        }
        let looked = tokio::time::timeout(PATIENCE, self.store.signs((self.now)())).await;
        let signs = Arc::new(looked.map_err(|elapsed| StoreError::Database {
            doing: "tell how the fleet is",
            source: Box::new(elapsed),
        })??);
        *seen = Some((Instant::now(), signs.clone()));
        Ok(signs)
    }

    /// Returns how many workers there should be.
    ///
    /// # Errors
    ///
    /// As [`look`](Self::look).
    pub async fn scaling(&self) -> Result<Scaling, StoreError> {
        Ok(self.look().await?.scaling(&self.limits, (self.now)()))
    }
}
