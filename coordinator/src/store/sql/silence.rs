//! Workers and jobs that are not heard of: noted, rung for again, and given up at last.

use std::collections::BTreeMap;

use gitfleet_shared::contract::Job;
use sqlx::Row as _;

use super::attempts::SUSPECT;
use super::{Database, Doing as _, outbox};
use crate::store::ledger::{Patience, Unheard};
use crate::store::{Result, StoreError};

pub(super) async fn miss_workers(database: &Database, before: i64, now: i64) -> Result<u64> {
    let mut transaction = database.begin().await?;
    let missed =
        sqlx::query("UPDATE worker SET gone_at = $2, running = 0 WHERE gone_at IS NULL AND heard_at < $1")
            .bind(before)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("note missing workers")?;
    transaction.commit().await.doing("note missing workers")?;
    Ok(missed.rows_affected())
}

pub(super) async fn ring_all(database: &Database, before: i64, unheard: Unheard) -> Result<u64> {
    let mut transaction = database.begin().await?;
    let rows = sqlx::query(
        "UPDATE job SET sent_at = NULL WHERE state = 'queued' AND sent_at IS NOT NULL \
         AND heard_at < $1 AND ($2 = 1 OR heard_at > sent_at) RETURNING id",
    )
    .bind(before)
    .bind(i64::from(unheard == Unheard::Ring))
    .fetch_all(&mut *transaction)
    .await
    .doing("ring again")?;
    for row in &rows {
        outbox::put(&mut transaction, row.get(0)).await.doing("ring again")?;
    }
    transaction.commit().await.doing("ring again")?;
    Ok(rows.len() as u64)
}

pub(super) async fn unheard(database: &Database) -> Result<u64> {
    let row = sqlx::query(
        "SELECT count(*) FROM job WHERE state = 'queued' AND sent_at IS NOT NULL \
         AND heard_at <= sent_at",
    )
    .fetch_one(&database.pool)
    .await
    .doing("count jobs that wait")?;
    Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
}

pub(super) async fn condemned(
    database: &Database,
    patience: Patience,
    now: i64,
) -> Result<Vec<(Job, Vec<String>)>> {
    let mut transaction = database.begin().await?;
    // Whoever was heard of after he was lost was not lost.
    let forgiven = sqlx::query(
        "UPDATE attempt SET ending = 'interrupted' WHERE ending = 'worker_lost' AND worker IS NOT NULL \
         AND job_id IN (SELECT id FROM job WHERE state = 'queued' AND hold_until > 0) \
         AND EXISTS (SELECT 1 FROM worker w WHERE w.name = attempt.worker \
                     AND w.heard_at > attempt.ended_at + 1000) RETURNING job_id",
    )
    .fetch_all(&mut *transaction)
    .await
    .doing("look after lost workers")?;
    // In the order of ids, as whoever takes several jobs.
    let mut forgiven_of: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for row in &forgiven {
        *forgiven_of.entry(row.get(0)).or_default() += 1;
    }
    for (job, forgiven) in &forgiven_of {
        sqlx::query("UPDATE job SET losses = losses - $2 WHERE id = $1 AND losses >= $2")
            .bind(job)
            .bind(forgiven)
            .execute(&mut *transaction)
            .await
            .doing("look after lost workers")?;
    }
    let resting = sqlx::query(
        "SELECT id, message, losses FROM job \
         WHERE state = 'queued' AND hold_until > 0 AND hold_until <= $1 AND sent_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = job.id) ORDER BY hold_until, id",
    )
    .bind(now)
    .fetch_all(&mut *transaction)
    .await
    .doing("list jobs that rest")?;
    let mut suspect_is_out: bool = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM job WHERE state = 'queued' AND losses >= $1 \
         AND (sent_at IS NOT NULL OR EXISTS (SELECT 1 FROM outbox o WHERE o.job_id = job.id)))",
    )
    .bind(SUSPECT)
    .fetch_one(&mut *transaction)
    .await
    .doing("look for suspects")?
    .get(0);
    let mut condemned = Vec::new();
    for row in &resting {
        let (job, lost): (Vec<u8>, i64) = (row.get(0), row.get(2));
        if patience.losses.is_some_and(|losses| lost >= i64::from(losses)) {
            let workers = sqlx::query(
                "SELECT coalesce(worker, '') FROM attempt WHERE job_id = $1 AND ending = 'worker_lost' \
                 ORDER BY number",
            )
            .bind(job)
            .fetch_all(&mut *transaction)
            .await
            .doing("list lost workers")?;
            let job =
                Job::decode(row.get::<&[u8], _>(1)).map_err(|_| StoreError::Damaged { what: "a job" })?;
            condemned.push((job, workers.iter().map(|row| row.get(0)).collect()));
            continue;
        }
        if lost >= SUSPECT && std::mem::replace(&mut suspect_is_out, true) {
            continue;
        }
        sqlx::query("UPDATE job SET hold_until = 0 WHERE id = $1")
            .bind(&job)
            .execute(&mut *transaction)
            .await
            .doing("let a job go on")?;
        outbox::put(&mut transaction, &job).await.doing("let a job go on")?;
    }
    transaction.commit().await.doing("look after jobs that rest")?;
    Ok(condemned)
}
