//! Batches, their repositories and jobs, and the outbox.

use gitfleet_shared::contract::{Failure, Job, Outcome, Revisions, SliceResult, Source, TipResult};
use gitfleet_shared::ids::{BatchId, JobId};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{Doing as _, facts, snapshots};
use crate::store::{
    BatchRepository, FactSet, NewBatch, Plan, RecordedFailure, RepositoryState, Result, StoreError, StoredJob,
};

const DAMAGED_JOB: StoreError = StoreError::Damaged { what: "a job" };
const DAMAGED_BATCH: StoreError = StoreError::Damaged { what: "a batch" };

pub(super) async fn submit(pool: &SqlitePool, batch: &NewBatch) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    let id = batch.id.as_bytes().as_slice();
    sqlx::query("INSERT INTO batch (id, state, config, created_at) VALUES (?, 'running', ?, ?)")
        .bind(id)
        .bind(&batch.config)
        .bind(batch.created_at)
        .execute(&mut *transaction)
        .await
        .doing("take a batch")?;
    for (position, repository) in (0u32..).zip(&batch.repositories) {
        let repository_id: i64 = sqlx::query(
            "INSERT INTO repository (source) VALUES (?) \
             ON CONFLICT DO UPDATE SET source = excluded.source RETURNING id",
        )
        .bind(repository.source.to_string())
        .fetch_one(&mut *transaction)
        .await
        .doing("take a repository")?
        .get(0);
        sqlx::query(
            "INSERT INTO batch_repository (batch_id, position, repository_id, name, project_key, source, \
             revisions, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'surveying')",
        )
        .bind(id)
        .bind(position)
        .bind(repository_id)
        .bind(&repository.name)
        .bind(&repository.project_key)
        .bind(serde_json::to_string(&repository.source).map_err(|_| DAMAGED_BATCH)?)
        .bind(serde_json::to_string(&repository.revisions).map_err(|_| DAMAGED_BATCH)?)
        .execute(&mut *transaction)
        .await
        .doing("take a repository")?;
        insert_jobs(&mut transaction, position, std::slice::from_ref(&repository.survey)).await?;
    }
    transaction.commit().await.doing("take a batch")
}

async fn insert_jobs(connection: &mut SqliteConnection, position: u32, jobs: &[Job]) -> Result<()> {
    for job in jobs {
        // The same work in the same batch has the same id: planned twice, it is there once.
        let inserted = sqlx::query(
            "INSERT INTO job (id, batch_id, position, work, units, message, state, heard_at) \
             VALUES (?, ?, ?, ?, ?, ?, 'queued', 0) ON CONFLICT DO NOTHING",
        )
        .bind(job.id.as_bytes().as_slice())
        .bind(job.batch.as_bytes().as_slice())
        .bind(position)
        .bind(job.work.name())
        .bind(i64::try_from(job.work.units()).unwrap_or(i64::MAX))
        .bind(job.encode())
        .execute(&mut *connection)
        .await
        .doing("take a job")?;
        if inserted.rows_affected() == 1 {
            sqlx::query("INSERT INTO outbox (job_id) VALUES (?)")
                .bind(job.id.as_bytes().as_slice())
                .execute(&mut *connection)
                .await
                .doing("take a job")?;
        }
    }
    Ok(())
}

pub(super) async fn unsent(pool: &SqlitePool, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
    // Surveys first, because everything else waits for them; then the largest, so that the tail is short; slices of
    // one repository together and in the order they were planned, because a worker that has just been in the
    // neighbourhood goes on faster.
    let rows = sqlx::query(
        "SELECT j.message FROM outbox o JOIN job j ON j.id = o.job_id WHERE j.batch_id = ? AND j.state = 'queued' \
         ORDER BY j.work = 'survey' DESC, \
                  (SELECT sum(units) FROM job w WHERE w.batch_id = j.batch_id AND w.position = j.position) DESC, \
                  j.position, j.rowid LIMIT ?",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(limit)
    .fetch_all(pool)
    .await
    .doing("list waiting jobs")?;
    rows.iter().map(|row| Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB)).collect()
}

pub(super) async fn mark_sent(pool: &SqlitePool, jobs: &[JobId], now: i64) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    for job in jobs {
        sqlx::query("DELETE FROM outbox WHERE job_id = ?")
            .bind(job.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await
            .doing("mark a job as sent")?;
        set_heard(&mut transaction, *job, now).await?;
    }
    transaction.commit().await.doing("mark jobs as sent")
}

pub(super) async fn mark_heard(pool: &SqlitePool, job: JobId, now: i64) -> Result<()> {
    let mut connection = pool.acquire().await.doing("be reached")?;
    set_heard(&mut connection, job, now).await
}

async fn set_heard(connection: &mut SqliteConnection, job: JobId, now: i64) -> Result<()> {
    sqlx::query("UPDATE job SET heard_at = max(heard_at, ?) WHERE id = ?")
        .bind(now)
        .bind(job.as_bytes().as_slice())
        .execute(connection)
        .await
        .doing("note a sign of life")?;
    Ok(())
}

pub(super) async fn ring_again(pool: &SqlitePool, batch: BatchId, before: i64) -> Result<u64> {
    let rung = sqlx::query(
        "INSERT INTO outbox (job_id) SELECT id FROM job \
         WHERE batch_id = ? AND state = 'queued' AND heard_at < ? ON CONFLICT DO NOTHING",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(before)
    .execute(pool)
    .await
    .doing("ring again")?;
    Ok(rung.rows_affected())
}

pub(super) async fn job(pool: &SqlitePool, id: JobId) -> Result<Option<StoredJob>> {
    let row = sqlx::query("SELECT message, position, state FROM job WHERE id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(pool)
        .await
        .doing("find a job")?;
    row.map(|row| {
        Ok(StoredJob {
            job: Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB)?,
            position: row.get(1),
            open: row.get::<&str, _>(2) == "queued",
        })
    })
    .transpose()
}

/// Ends a job and returns the position of its repository, or `None` where it had ended already: then nothing of the
/// outcome may be recorded.
async fn end_job(connection: &mut SqliteConnection, outcome: &Outcome) -> Result<Option<u32>> {
    let row =
        sqlx::query("UPDATE job SET state = 'done' WHERE id = ? AND state = 'queued' RETURNING position")
            .bind(outcome.job.as_bytes().as_slice())
            .fetch_optional(&mut *connection)
            .await
            .doing("end a job")?;
    let Some(position) = row.map(|row| row.get::<u32, _>(0)) else { return Ok(None) };
    sqlx::query(
        "UPDATE batch_repository SET elapsed_millis = elapsed_millis + ? WHERE batch_id = ? AND position = ?",
    )
    .bind(i64::try_from(outcome.elapsed_millis).unwrap_or(i64::MAX))
    .bind(outcome.batch.as_bytes().as_slice())
    .bind(position)
    .execute(&mut *connection)
    .await
    .doing("end a job")?;
    Ok(Some(position))
}

pub(super) async fn record_unchanged(pool: &SqlitePool, outcome: &Outcome) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        sqlx::query(
            "UPDATE batch_repository AS b SET commits_new = 0, \
                 (state, commits_seen) = (SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END, \
                     (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
                     FROM snapshot n WHERE n.repository_id = b.repository_id AND n.revisions = ?) \
             WHERE batch_id = ? AND position = ?",
        )
        .bind(revisions_of(&mut transaction, outcome.batch, position).await?.to_string())
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a survey")?;
    }
    transaction.commit().await.doing("record a survey")
}

async fn revisions_of(connection: &mut SqliteConnection, batch: BatchId, position: u32) -> Result<Revisions> {
    let row = sqlx::query("SELECT revisions FROM batch_repository WHERE batch_id = ? AND position = ?")
        .bind(batch.as_bytes().as_slice())
        .bind(position)
        .fetch_one(connection)
        .await
        .doing("find a repository")?;
    serde_json::from_str(row.get(0)).map_err(|_| DAMAGED_BATCH)
}

pub(super) async fn record_plan(pool: &SqlitePool, outcome: &Outcome, plan: &Plan) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        sqlx::query(
            "UPDATE batch_repository SET state = 'analysing', pending = ?, pending_facts = ?, commits_seen = ?, \
             commits_new = ? WHERE batch_id = ? AND position = ?",
        )
        .bind(snapshots::encode_pending(&plan.changed, plan.extends))
        .bind(plan.facts.0)
        .bind(i64::try_from(plan.commits_seen).unwrap_or(i64::MAX))
        .bind(i64::try_from(plan.commits_new).unwrap_or(i64::MAX))
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a plan")?;
        insert_jobs(&mut transaction, position, &plan.jobs).await?;
        publish_if_done(&mut transaction, outcome.batch, position).await?;
    }
    transaction.commit().await.doing("record a plan")
}

pub(super) async fn record_resurvey(pool: &SqlitePool, outcome: &Outcome, again: &Job) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        insert_jobs(&mut transaction, position, std::slice::from_ref(again)).await?;
    }
    transaction.commit().await.doing("record a survey")
}

pub(super) async fn record_dry_run(pool: &SqlitePool, outcome: &Outcome, seen: u64, new: u64) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        sqlx::query(
            "UPDATE batch_repository SET state = 'planned', commits_seen = ?, commits_new = ? \
             WHERE batch_id = ? AND position = ?",
        )
        .bind(i64::try_from(seen).unwrap_or(i64::MAX))
        .bind(i64::try_from(new).unwrap_or(i64::MAX))
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a survey")?;
    }
    transaction.commit().await.doing("record a survey")
}

pub(super) async fn record_slice(
    pool: &SqlitePool,
    outcome: &Outcome,
    slice: &SliceResult,
    rest: Option<&Job>,
) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        let row = sqlx::query(
            "UPDATE batch_repository SET cache_hits = cache_hits + ? WHERE batch_id = ? AND position = ? \
             RETURNING pending_facts",
        )
        .bind(i64::from(slice.cache_hits))
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .fetch_one(&mut *transaction)
        .await
        .doing("record a slice")?;
        // A slice that arrives after its repository failed has nothing to add to.
        if let Some(set) = row.get::<Option<i64>, _>(0) {
            facts::insert(&mut transaction, FactSet(set), &slice.facts, &slice.mainline_merges).await?;
            insert_jobs(&mut transaction, position, rest.map(std::slice::from_ref).unwrap_or_default())
                .await?;
            publish_if_done(&mut transaction, outcome.batch, position).await?;
        }
    }
    transaction.commit().await.doing("record a slice")
}

pub(super) async fn record_tip(pool: &SqlitePool, outcome: &Outcome, tip: TipResult) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        sqlx::query(
            "UPDATE batch_repository SET tip_lines = ?, tip_unknown = ? WHERE batch_id = ? AND position = ?",
        )
        .bind(i64::try_from(tip.lines).unwrap_or(i64::MAX))
        .bind(i64::from(tip.unknown_files))
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a tip")?;
        publish_if_done(&mut transaction, outcome.batch, position).await?;
    }
    transaction.commit().await.doing("record a tip")
}

pub(super) async fn record_failure(pool: &SqlitePool, outcome: &Outcome, failure: &Failure) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    if let Some(position) = end_job(&mut transaction, outcome).await? {
        sqlx::query(
            "UPDATE batch_repository SET state = 'failed', failure_class = ?, failure_message = ?, pending = NULL, \
             pending_facts = NULL WHERE batch_id = ? AND position = ? AND state <> 'failed'",
        )
        .bind(failure.class.name())
        .bind(&failure.message)
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a failure")?;
        sqlx::query(
            "UPDATE job SET state = 'cancelled' WHERE batch_id = ? AND position = ? AND state = 'queued'",
        )
        .bind(outcome.batch.as_bytes().as_slice())
        .bind(position)
        .execute(&mut *transaction)
        .await
        .doing("record a failure")?;
    }
    transaction.commit().await.doing("record a failure")
}

/// Publishes the snapshot of a repository whose last job has ended.
async fn publish_if_done(connection: &mut SqliteConnection, batch: BatchId, position: u32) -> Result<()> {
    let open: i64 =
        sqlx::query("SELECT count(*) FROM job WHERE batch_id = ? AND position = ? AND state = 'queued'")
            .bind(batch.as_bytes().as_slice())
            .bind(position)
            .fetch_one(&mut *connection)
            .await
            .doing("count open jobs")?
            .get(0);
    if open > 0 {
        return Ok(());
    }
    snapshots::publish(connection, batch, position).await?;
    sqlx::query(
        "UPDATE batch_repository AS b SET pending = NULL, pending_facts = NULL, \
             state = (SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END FROM snapshot n \
                      WHERE n.repository_id = b.repository_id AND n.revisions = ?) \
         WHERE batch_id = ? AND position = ?",
    )
    .bind(revisions_of(connection, batch, position).await?.to_string())
    .bind(batch.as_bytes().as_slice())
    .bind(position)
    .execute(&mut *connection)
    .await
    .doing("publish a snapshot")?;
    Ok(())
}

pub(super) async fn repositories(pool: &SqlitePool, batch: BatchId) -> Result<Vec<BatchRepository>> {
    let rows = sqlx::query(
        "SELECT position, name, project_key, source, revisions, state, failure_class, failure_message, \
         commits_seen, commits_new, cache_hits, elapsed_millis FROM batch_repository WHERE batch_id = ? \
         ORDER BY position",
    )
    .bind(batch.as_bytes().as_slice())
    .fetch_all(pool)
    .await
    .doing("list repositories")?;
    rows.iter()
        .map(|row| {
            let count = |index: usize| {
                row.get::<Option<i64>, _>(index).and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
            };
            let source: Source = serde_json::from_str(row.get(3)).map_err(|_| DAMAGED_BATCH)?;
            let revisions: Revisions = serde_json::from_str(row.get(4)).map_err(|_| DAMAGED_BATCH)?;
            let class: Option<String> = row.get(6);
            Ok(BatchRepository {
                position: row.get(0),
                name: row.get(1),
                project_key: row.get(2),
                source,
                revisions,
                state: RepositoryState::from_name(row.get(5)).ok_or(DAMAGED_BATCH)?,
                failure: class.map(|class| RecordedFailure {
                    class,
                    message: row.get::<Option<String>, _>(7).unwrap_or_default(),
                }),
                commits_seen: count(8),
                commits_new: count(9),
                cache_hits: count(10),
                elapsed_millis: count(11),
            })
        })
        .collect()
}

pub(super) async fn publish(
    pool: &SqlitePool,
    name: &str,
    batch: BatchId,
    report: &str,
    manifest: &str,
) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    let id = batch.as_bytes().as_slice();
    sqlx::query("INSERT INTO report (batch_id, content, manifest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(report)
        .bind(manifest)
        .execute(&mut *transaction)
        .await
        .doing("keep a report")?;
    sqlx::query(
        "INSERT INTO published (name, batch_id) VALUES (?, ?) \
         ON CONFLICT DO UPDATE SET batch_id = excluded.batch_id",
    )
    .bind(name)
    .bind(id)
    .execute(&mut *transaction)
    .await
    .doing("publish a report")?;
    sqlx::query("UPDATE batch SET state = 'finished' WHERE id = ?")
        .bind(id)
        .execute(&mut *transaction)
        .await
        .doing("finish a batch")?;
    transaction.commit().await.doing("publish a report")
}

pub(super) async fn published(pool: &SqlitePool, name: &str) -> Result<Option<(String, String)>> {
    let row = sqlx::query(
        "SELECT r.content, r.manifest FROM published p JOIN report r ON r.batch_id = p.batch_id WHERE p.name = ?",
    )
    .bind(name)
    .fetch_optional(pool)
    .await
    .doing("find a report")?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

pub(super) async fn running(pool: &SqlitePool) -> Result<Vec<BatchId>> {
    let rows = sqlx::query("SELECT id FROM batch WHERE state = 'running'")
        .fetch_all(pool)
        .await
        .doing("list batches")?;
    rows.iter()
        .map(|row| row.get::<Vec<u8>, _>(0).try_into().map(BatchId::from_bytes).map_err(|_| DAMAGED_BATCH))
        .collect()
}

pub(super) async fn abandon(pool: &SqlitePool, batch: BatchId) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    let id = batch.as_bytes().as_slice();
    for statement in [
        "UPDATE batch SET state = 'abandoned' WHERE id = ?",
        "UPDATE job SET state = 'cancelled' WHERE batch_id = ? AND state = 'queued'",
        "UPDATE batch_repository SET pending = NULL, pending_facts = NULL WHERE batch_id = ?",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *transaction).await.doing("abandon a batch")?;
    }
    transaction.commit().await.doing("abandon a batch")
}

pub(super) async fn prune(pool: &SqlitePool, keep: u32) -> Result<()> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "DELETE FROM batch WHERE id NOT IN (SELECT id FROM batch ORDER BY id DESC LIMIT ",
    );
    query
        .push_bind(keep)
        .push(") AND id NOT IN (SELECT batch_id FROM published) AND state <> 'running'")
        .build()
        .execute(pool)
        .await
        .doing("remove old batches")?;
    Ok(())
}
