//! What operators wish of batches, workers and repositories.

use gitfleet_shared::ids::BatchId;
use sqlx::Row as _;

use super::batches::forget_unsent;
use super::{Connection, Database, Doing as _, outbox};
use crate::store::Result;
use crate::store::ledger::Wish;

pub(super) async fn cancel(database: &Database, batch: BatchId, now: i64) -> Result<Wish> {
    let mut transaction = database.begin().await?;
    let bytes = batch.as_bytes().to_vec();
    let ended = sqlx::query(
        "UPDATE batch SET state = 'cancelled', paused = 0, finished_at = $2 \
         WHERE id = $1 AND state = 'running'",
    )
    .bind(&bytes)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("cancel a batch")?;
    if ended.rows_affected() == 0 {
        return Ok(match state_of(&mut transaction, batch).await?.as_deref() {
            None => Wish::NotFound,
            Some("cancelled") => Wish::Already,
            Some(state) => Wish::Conflict(format!("the batch is {state}")),
        });
    }
    for statement in [
        // Repositories first, as whoever records does.
        "UPDATE batch_repository SET state = 'cancelled', pending_facts = NULL \
         WHERE batch_id = $1 AND state IN ('surveying', 'analysing') AND $2 > 0",
        "UPDATE attempt SET ended_at = $2, ending = 'cancelled' WHERE ended_at IS NULL \
         AND job_id IN (SELECT id FROM job WHERE batch_id = $1 AND state = 'queued')",
        "UPDATE job SET state = 'cancelled' WHERE batch_id = $1 AND state = 'queued' AND $2 > 0",
        "DELETE FROM pending_snapshot WHERE batch_id = $1 AND $2 > 0",
        "DELETE FROM outbox WHERE batch_id = $1 AND $2 > 0",
    ] {
        sqlx::query(statement)
            .bind(&bytes)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("cancel a batch")?;
    }
    transaction.commit().await.doing("cancel a batch")?;
    Ok(Wish::Done)
}

pub(super) async fn set_paused(database: &Database, batch: BatchId, paused: bool) -> Result<Wish> {
    let mut transaction = database.begin().await?;
    let changed =
        sqlx::query("UPDATE batch SET paused = $2 WHERE id = $1 AND state = 'running' AND paused <> $2")
            .bind(batch.as_bytes().to_vec())
            .bind(i64::from(paused))
            .execute(&mut *transaction)
            .await
            .doing("pause a batch")?;
    if changed.rows_affected() == 1 {
        transaction.commit().await.doing("pause a batch")?;
        return Ok(Wish::Done);
    }
    Ok(match state_of(&mut transaction, batch).await?.as_deref() {
        None => Wish::NotFound,
        Some("running") => Wish::Already,
        Some(state) => Wish::Conflict(format!("the batch is {state}")),
    })
}

pub(super) async fn retry(database: &Database, batch: BatchId, position: Option<u32>) -> Result<u64> {
    let mut transaction = database.begin().await?;
    let bytes = batch.as_bytes().to_vec();
    let failed = sqlx::query(
        "UPDATE batch_repository SET state = 'surveying', failure_class = NULL, failure_message = NULL, \
         commits_seen = NULL, commits_new = NULL, tip_lines = NULL, tip_unknown = NULL \
         WHERE batch_id = $1 AND state = 'failed' AND ($2 IS NULL OR position = $2) RETURNING position",
    )
    .bind(&bytes)
    .bind(position.map(i64::from))
    .fetch_all(&mut *transaction)
    .await
    .doing("retry repositories")?;
    for row in &failed {
        let position: i64 = row.get(0);
        // Its first job: the survey that it began with.
        let jobs = sqlx::query(
            "UPDATE job SET state = 'queued', losses = 0, hold_until = 0, sent_at = NULL, heard_at = 0, \
             failure_class = NULL, failure_message = NULL WHERE batch_id = $1 AND position = $2 \
             AND work = 'survey' RETURNING id",
        )
        .bind(&bytes)
        .bind(position)
        .fetch_all(&mut *transaction)
        .await
        .doing("retry a survey")?;
        for job in &jobs {
            outbox::put(&mut transaction, job.get(0)).await.doing("retry a survey")?;
        }
    }
    if !failed.is_empty() {
        sqlx::query("UPDATE batch SET state = 'running', finished_at = NULL WHERE id = $1")
            .bind(&bytes)
            .execute(&mut *transaction)
            .await
            .doing("retry a batch")?;
    }
    transaction.commit().await.doing("retry a batch")?;
    Ok(failed.len() as u64)
}

pub(super) async fn finish(database: &Database, batch: BatchId, now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query("UPDATE batch SET state = 'finished', finished_at = $2 WHERE id = $1 AND state = 'running'")
        .bind(batch.as_bytes().to_vec())
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("finish a batch")?;
    forget_unsent(&mut transaction, batch).await?;
    transaction.commit().await.doing("finish a batch")
}

pub(super) async fn set_draining(database: &Database, worker: &str, draining: bool) -> Result<Wish> {
    let mut transaction = database.begin().await?;
    let changed =
        sqlx::query("UPDATE worker SET draining = $2 WHERE name = $1 AND gone_at IS NULL AND draining <> $2")
            .bind(worker)
            .bind(i64::from(draining))
            .execute(&mut *transaction)
            .await
            .doing("drain a worker")?;
    if changed.rows_affected() == 1 {
        transaction.commit().await.doing("drain a worker")?;
        return Ok(Wish::Done);
    }
    let row = sqlx::query("SELECT gone_at FROM worker WHERE name = $1")
        .bind(worker)
        .fetch_optional(&mut *transaction)
        .await
        .doing("find a worker")?;
    Ok(match row.map(|row| row.get::<Option<i64>, _>(0)) {
        None => Wish::NotFound,
        Some(Some(_)) => Wish::Conflict("the worker is gone".to_owned()),
        Some(None) => Wish::Already,
    })
}

pub(super) async fn forget_source(database: &Database, id: i64) -> Result<Wish> {
    let mut transaction = database.begin().await?;
    let row = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM batch_repository b JOIN batch ON batch.id = b.batch_id \
                        WHERE b.repository_id = r.id AND batch.state = 'running'), \
                EXISTS (SELECT 1 FROM batch_repository b WHERE b.repository_id = r.id) \
         FROM repository r WHERE r.id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await
    .doing("find a repository")?;
    let Some(row) = row else { return Ok(Wish::NotFound) };
    if row.get(0) {
        return Ok(Wish::Conflict("a running batch names the repository".to_owned()));
    }
    let named: bool = row.get(1);
    let mut statements = vec![
        "DELETE FROM snapshot WHERE repository_id = $1",
        "DELETE FROM fact_set WHERE repository_id = $1",
    ];
    // A batch that has ended still says what it was of.
    if !named {
        statements.push("DELETE FROM repository WHERE id = $1");
    }
    for statement in statements {
        sqlx::query(statement).bind(id).execute(&mut *transaction).await.doing("forget a repository")?;
    }
    transaction.commit().await.doing("forget a repository")?;
    Ok(Wish::Done)
}

async fn state_of(connection: &mut Connection, batch: BatchId) -> Result<Option<String>> {
    let row = sqlx::query("SELECT state FROM batch WHERE id = $1")
        .bind(batch.as_bytes().to_vec())
        .fetch_optional(connection)
        .await
        .doing("find a batch")?;
    Ok(row.map(|row| row.get(0)))
}
