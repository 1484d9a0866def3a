//! Brings jobs from the outbox to the queue.

use futures_util::future::join_all;
use gitfleet_shared::contract::Job;
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::{Queue, Topic};
use gitfleet_shared::trace::{self, TraceContext};
use tracing::{Instrument as _, Span};

use crate::store::Store;

/// Publishes up to `room` waiting jobs of `batch` and returns them. A job is marked as sent only after the queue has
/// stored it; they are part of `trace`. A crash between the two rings twice, which changes nothing.
///
/// # Errors
///
/// Where store or queue fail; what was not marked is sent again.
pub async fn dispatch(
    queue: &dyn Queue,
    store: &dyn Store,
    batch: BatchId,
    room: usize,
    trace: Option<TraceContext>,
    now: i64,
) -> anyhow::Result<Vec<JobId>> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let jobs = store.unsent(batch, u32::try_from(room).unwrap_or(u32::MAX)).await?;
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let span = match trace {
        Some(_) => tracing::info_span!(
            "dispatch",
            otel.name = "send jobs",
            otel.kind = "producer",
            messaging.operation.name = "send",
            "messaging.operation.type" = "send",
            messaging.destination.name = Topic::Jobs.name(),
            messaging.batch.message_count = jobs.len(),
            batch.id = %batch,
        ),
        None => Span::none(),
    };
    trace::follow(&span, trace);
    send(queue, store, jobs, now).instrument(span).await
}

async fn send(queue: &dyn Queue, store: &dyn Store, jobs: Vec<Job>, now: i64) -> anyhow::Result<Vec<JobId>> {
    let trace = TraceContext::current();
    // All at once: each waits for the queue to have stored it.
    let publish = |job: Job| async move {
        let published = queue.publish_traced(Topic::Jobs, job.encode(), trace).await;
        gitfleet_shared::point!("C4");
        (job.id, published)
    };
    let mut sent = Vec::with_capacity(jobs.len());
    let mut refused = None;
    for (job, published) in join_all(jobs.into_iter().map(publish)).await {
        match published {
            Ok(()) => sent.push(job),
            Err(error) => refused = Some(error),
        }
    }
    gitfleet_shared::point!("C6");
    store.mark_sent(&sent, now).await?;
    gitfleet_shared::point!("C7");
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(sent),
    }
}

/// How many more jobs each of some batches may have on the queue, which together may have `window`. Each batch is
/// given as its priority and the number of its jobs that are there. Ten steps of priority are worth twice the share;
/// what a batch cannot use is for the others to take on a second round, so a share is never less than one job.
pub fn rooms(window: usize, batches: &[(i64, u64)]) -> Vec<usize> {
    let weights: Vec<f64> = batches.iter().map(|(priority, _)| 2f64.powf(*priority as f64 / 10.0)).collect();
    let total: f64 = weights.iter().sum();
    let there = |sent: u64| usize::try_from(sent).unwrap_or(usize::MAX);
    let mut free = window.saturating_sub(batches.iter().map(|(_, sent)| there(*sent)).sum());
    batches
        .iter()
        .zip(weights)
        .map(|((_, sent), weight)| {
            let share = ((window as f64 * weight / total) as usize).max(1);
            let room = share.saturating_sub(there(*sent)).min(free.max(usize::from(*sent == 0)));
            free = free.saturating_sub(room);
            room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_share_the_window_by_priority() {
        let check = |window, batches: &[(i64, u64)], expect: &[usize]| {
            assert_eq!(rooms(window, batches), expect, "{window} {batches:?}");
        };
        check(60, &[], &[]);
        check(60, &[(0, 0)], &[60]);
        check(60, &[(0, 0), (0, 0), (0, 0)], &[20, 20, 20]);
        check(60, &[(10, 0), (0, 0)], &[40, 20]);
        check(60, &[(10, 10), (0, 5)], &[30, 15]);
        // A batch that came late gets its share as the others' jobs end, and one job at once.
        check(60, &[(0, 60), (0, 0)], &[0, 1]);
        check(60, &[(0, 45), (0, 0)], &[0, 15]);
        // However low, it goes on.
        check(8, &[(100, 0), (-100, 0)], &[7, 1]);
    }
}
