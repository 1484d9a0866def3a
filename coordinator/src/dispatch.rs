//! Brings jobs from the outbox to the queue.

use std::collections::HashSet;

use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::{Queue, Topic};

use crate::store::Store;

/// Publishes waiting jobs until `on_queue` holds `window` of them. A job is marked as sent only after the queue has
/// stored it; a crash between the two rings twice, which changes nothing.
///
/// # Errors
///
/// Where store or queue fail; what was not marked is sent again.
pub async fn dispatch(
    queue: &dyn Queue,
    store: &dyn Store,
    batch: BatchId,
    window: usize,
    on_queue: &mut HashSet<JobId>,
    now: i64,
) -> anyhow::Result<()> {
    let room = window.saturating_sub(on_queue.len());
    if room == 0 {
        return Ok(());
    }
    let jobs = store.unsent(batch, u32::try_from(room).unwrap_or(u32::MAX)).await?;
    if jobs.is_empty() {
        return Ok(());
    }
    let mut sent = Vec::with_capacity(jobs.len());
    for job in jobs {
        queue.publish(Topic::Jobs, job.encode()).await?;
        on_queue.insert(job.id);
        sent.push(job.id);
    }
    Ok(store.mark_sent(&sent, now).await?)
}
