//! Who has which job in hand, and what came of it.

use gitfleet_shared::contract::{HandedBack, Why};
use gitfleet_shared::ids::JobId;
use sqlx::Row as _;

use super::columns::id;
use super::{Connection, Database, Doing as _, outbox};
use crate::store::Result;
use crate::store::ledger::Patience;
use crate::store::text::storable;

/// A job that so many workers were lost with is sent while no other such job is out: of two that are always lost
/// together, the one that harms nobody comes through alone.
pub(super) const SUSPECT: i64 = 2;

pub(super) async fn hand_back(
    database: &Database,
    back: &HandedBack,
    patience: Patience,
    now: i64,
) -> Result<()> {
    let mut transaction = database.begin().await?;
    // Only a job that is out can come back, so what is said twice counts once.
    let row = sqlx::query(
        "UPDATE job SET sent_at = NULL, losses = losses + $2 \
         WHERE id = $1 AND state = 'queued' AND sent_at IS NOT NULL RETURNING losses",
    )
    .bind(id(back.job))
    .bind(i64::from(back.why == Why::Dropped && !gitfleet_shared::sabotaged!("no_hand_back_count")))
    .fetch_optional(&mut *transaction)
    .await
    .doing("take a job back")?;
    let Some(row) = row else {
        let ending = if back.why == Why::Cancelled { "cancelled" } else { "fenced" };
        end_attempts(&mut transaction, back.job, Some(&storable(&back.worker)), ending, now).await?;
        return transaction.commit().await.doing("take a job back");
    };
    let ending = match back.why {
        Why::Cancelled => Some("cancelled"),
        Why::Interrupted | Why::Unable => Some("interrupted"),
        Why::Paused | Why::Dropped => None,
    };
    if let Some(ending) = ending {
        end_attempts(&mut transaction, back.job, Some(&storable(&back.worker)), ending, now).await?;
    }
    if back.why == Why::Dropped {
        lose(&mut transaction, back.job, now).await?;
    }
    let lost: i64 = row.get(0);
    let rests = match (back.why, patience.losses) {
        (Why::Unable, _) => patience.unable_millis,
        (Why::Dropped, Some(losses)) if lost >= i64::from(losses) => patience.doubt_millis,
        (Why::Dropped, Some(_)) if lost >= SUSPECT => 1,
        _ => 0,
    };
    if rests > 0 {
        sqlx::query("UPDATE job SET hold_until = $2 WHERE id = $1")
            .bind(id(back.job))
            .bind(now.saturating_add(rests))
            .execute(&mut *transaction)
            .await
            .doing("let a job rest")?;
    } else {
        outbox::put(&mut transaction, &id(back.job)).await.doing("ring again")?;
    }
    transaction.commit().await.doing("take a job back")
}

/// Notes that whoever had the job was lost with it.
async fn lose(connection: &mut Connection, job: JobId, now: i64) -> Result<()> {
    let lost = sqlx::query(
        "UPDATE attempt SET ended_at = $2, ending = 'worker_lost' WHERE job_id = $1 AND ended_at IS NULL",
    )
    .bind(id(job))
    .bind(now)
    .execute(&mut *connection)
    .await
    .doing("note a lost worker")?;
    if lost.rows_affected() == 0 {
        sqlx::query(
            "INSERT INTO attempt (job_id, number, started_at, heard_at, done, ended_at, ending) \
             SELECT $1, coalesce(max(number), 0) + 1, $2, $2, 0, $2, 'worker_lost' \
             FROM attempt WHERE job_id = $1",
        )
        .bind(id(job))
        .bind(now)
        .execute(&mut *connection)
        .await
        .doing("note a lost worker")?;
    }
    Ok(())
}

/// Ends the open attempts at a job, or that of one worker.
pub(super) async fn end_attempts(
    connection: &mut Connection,
    job: JobId,
    worker: Option<&str>,
    ending: &'static str,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE attempt SET ended_at = $3, ending = $4 WHERE job_id = $1 AND ended_at IS NULL \
         AND ($2 IS NULL OR worker = $2)",
    )
    .bind(id(job))
    .bind(worker)
    .bind(now)
    .bind(ending)
    .execute(connection)
    .await
    .doing("end an attempt")?;
    Ok(())
}
