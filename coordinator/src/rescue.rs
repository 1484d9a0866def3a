//! Rings again for jobs that went silent: the store is the truth, the queue a bell.

use std::time::Duration;

use gitfleet_shared::ids::BatchId;

use crate::store::{Result, Store};

/// Puts jobs not heard of for `lease` before `now` (UTC milliseconds) back into the outbox; returns how many.
///
/// # Errors
///
/// Where the store fails.
pub async fn rescue(store: &dyn Store, batch: BatchId, lease: Duration, now: i64) -> Result<u64> {
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    let rung = store.ring_again(batch, now.saturating_sub(lease)).await?;
    if rung > 0 {
        tracing::warn!(jobs = rung, "jobs went silent and are sent again");
    }
    Ok(rung)
}
