//! Batches, their repositories and jobs, and the outbox.

use std::collections::HashMap;

use gitfleet_shared::contract::{Digest, Job, Revisions, Source};
use gitfleet_shared::ids::{BatchId, JobId};
use sqlx::{AssertSqlSafe, Row as _};

use super::columns::{DAMAGED_BATCH, DAMAGED_JOB, batch_id};
use super::{Connection, Database, Doing as _, EACH, JOB_ORDER, Row, bulk, erased};
use crate::redact;
use crate::store::text::storable;
use crate::store::{
    BatchRepository, Finished, NewBatch, NewRepository, RecordedFailure, RepositoryState, Result, StoreError,
    StoredJob, Submitted,
};

pub(super) async fn submit(database: &Database, batch: &NewBatch) -> Result<Submitted> {
    let mut transaction = database.begin().await?;
    let list = erased::hold(database, &mut transaction).await?;
    let id = batch.id.as_bytes().as_slice();
    let json = |value: serde_json::Result<String>| {
        let text = value.map_err(|_| DAMAGED_BATCH)?;
        Ok::<_, StoreError>(redact::document(&list, &text).unwrap_or(text))
    };
    let taken = sqlx::query(
        "INSERT INTO batch (id, state, name, priority, labels, terms, config, created_at, idempotency_key, \
         request_digest, trace) VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (idempotency_key) DO NOTHING",
    )
    .bind(id)
    .bind(list.redact_text(&batch.name))
    .bind(batch.priority)
    .bind(json(serde_json::to_string(&batch.labels))?)
    .bind(json(serde_json::to_string(&batch.terms))?)
    .bind(redact::settings(&list, &batch.config).unwrap_or_else(|| batch.config.clone()))
    .bind(batch.created_at)
    .bind(batch.request.as_ref().map(|request| request.key.as_str()))
    .bind(batch.request.as_ref().map(|request| request.digest.to_vec()))
    .bind(batch.trace.map(|trace| trace.to_string()))
    .execute(&mut *transaction)
    .await
    .doing("take a batch")?;
    if taken.rows_affected() == 0 {
        return submitted_before(&mut transaction, batch).await;
    }
    insert_repositories(&mut transaction, batch).await?;
    let surveys: Vec<(i64, &Job)> =
        (0i64..).zip(batch.repositories.iter().map(|repository| &repository.survey)).collect();
    bulk::insert_jobs(&mut transaction, FIRST, &surveys).await.doing("take jobs")?;
    gitfleet_shared::point!("C2");
    transaction.commit().await.doing("take a batch")?;
    Ok(Submitted::Now)
}

/// Says which batch has the key of this one.
async fn submitted_before(connection: &mut Connection, batch: &NewBatch) -> Result<Submitted> {
    let request = batch.request.as_ref().ok_or(DAMAGED_BATCH)?;
    let row = sqlx::query("SELECT id, request_digest FROM batch WHERE idempotency_key = $1")
        .bind(&request.key)
        .fetch_one(connection)
        .await
        .doing("find a batch")?;
    let before = batch_id(row.get(0))?;
    let same = row.get::<Option<&[u8]>, _>(1) == Some(request.digest.as_slice());
    Ok(if same { Submitted::Before(before) } else { Submitted::Conflict(before) })
}

/// Adds the repositories of a batch, and what they are of where that is new.
async fn insert_repositories(connection: &mut Connection, batch: &NewBatch) -> Result<()> {
    let rows: Vec<[String; 5]> = batch
        .repositories
        .iter()
        .map(|repository| {
            let NewRepository { name, project_key, source, revisions, .. } = repository;
            Ok([
                source.to_string(),
                storable(name).into_owned(),
                storable(project_key).into_owned(),
                serde_json::to_string(source)?,
                serde_json::to_string(revisions)?,
            ])
        })
        .collect::<serde_json::Result<_>>()
        .map_err(|_| DAMAGED_BATCH)?;
    let rows = serde_json::to_string(&rows).map_err(|_| DAMAGED_BATCH)?;
    // In order, so that two submissions of the same repositories do not wait for each other in a circle.
    let sources = format!(
        "INSERT INTO repository (source) SELECT DISTINCT one.value ->> 0 FROM {EACH} one \
         WHERE NOT EXISTS (SELECT 1 FROM repository r WHERE r.source = one.value ->> 0) ORDER BY 1 \
         ON CONFLICT DO NOTHING"
    );
    sqlx::query(AssertSqlSafe(sources))
        .bind(&rows)
        .execute(&mut *connection)
        .await
        .doing("take repositories")?;
    let places = format!(
        "INSERT INTO batch_repository (batch_id, position, repository_id, name, project_key, source, revisions, \
         state) SELECT $2, one.place, r.id, one.value ->> 1, one.value ->> 2, one.value ->> 3, one.value ->> 4, \
         'surveying' FROM {EACH} one JOIN repository r ON r.source = one.value ->> 0 ORDER BY one.place"
    );
    let placed = sqlx::query(AssertSqlSafe(places))
        .bind(&rows)
        .bind(batch.id.as_bytes().as_slice())
        .execute(connection)
        .await
        .doing("take repositories")?;
    if placed.rows_affected() != batch.repositories.len() as u64 {
        return Err(StoreError::Outrun { what: "the list of repositories" });
    }
    Ok(())
}

/// The urgency of surveys: everything else waits for them.
pub(super) const FIRST: i64 = i64::MAX;

/// Adds the jobs of the repository at `position` that are not there yet, and lets them be sent in this order.
pub(super) async fn insert_jobs(
    connection: &mut Connection,
    position: u32,
    urgency: i64,
    jobs: &[Job],
) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    // The same work in the same batch has the same id: planned twice, it is there once.
    let placed: Vec<(i64, &Job)> = jobs.iter().map(|job| (i64::from(position), job)).collect();
    bulk::insert_jobs(connection, urgency, &placed).await.doing("take jobs")
}

pub(super) async fn unsent(database: &Database, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
    // Surveys first, because everything else waits for them; then the largest, so that the tail is short; slices of
    // one repository together and in the order they were planned, because a worker that has just been in the
    // neighbourhood goes on faster.
    // The first ones are looked for among those that wait, and their jobs then: the other way round all would be read.
    let rows = sqlx::query(
        "SELECT j.message FROM (SELECT job_id, urgency, position, sequence FROM outbox WHERE batch_id = $1 \
                                ORDER BY urgency DESC, position, sequence LIMIT $2) o \
         JOIN job j ON j.id = o.job_id WHERE j.state = 'queued' \
         ORDER BY o.urgency DESC, o.position, o.sequence",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(i64::from(limit))
    .fetch_all(&database.pool)
    .await
    .doing("list waiting jobs")?;
    // As it is now: who was erased since it was planned is not to be named either.
    let erased = erased::now(database).await?.told();
    let job = |row: &Row| Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB);
    rows.iter().map(|row| Ok(Job { erased: erased.clone(), ..job(row)? })).collect()
}

pub(super) async fn mark_sent(database: &Database, jobs: &[JobId], now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    bulk::mark_sent(&mut transaction, jobs, now).await.doing("mark jobs as sent")?;
    transaction.commit().await.doing("mark jobs as sent")
}

pub(super) async fn mark_heard(database: &Database, job: JobId, now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query("UPDATE job SET heard_at = $2 WHERE id = $1 AND heard_at < $2")
        .bind(job.as_bytes().as_slice())
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("note a sign of life")?;
    transaction.commit().await.doing("note a sign of life")
}

pub(super) async fn ring_again(database: &Database, batch: BatchId, before: i64) -> Result<u64> {
    let mut transaction = database.begin().await?;
    let statement = format!(
        "INSERT INTO outbox (job_id, batch_id, urgency, position) \
         SELECT j.id, j.batch_id, CASE j.work WHEN 'survey' THEN $3 ELSE coalesce(b.commits_new, 0) END, j.position \
         FROM job j JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position \
         WHERE j.batch_id = $1 AND j.state = 'queued' AND j.heard_at < $2 ORDER BY {JOB_ORDER} \
         ON CONFLICT DO NOTHING",
    );
    let rung = sqlx::query(AssertSqlSafe(statement))
        .bind(batch.as_bytes().as_slice())
        .bind(before)
        .bind(FIRST)
        .execute(&mut *transaction)
        .await
        .doing("ring again")?;
    transaction.commit().await.doing("ring again")?;
    Ok(rung.rows_affected())
}

pub(super) async fn asked(database: &Database, ids: &[JobId]) -> Result<HashMap<JobId, StoredJob>> {
    let mut connection = database.pool.acquire().await.doing("be reached")?;
    let query = "SELECT message, position, state FROM job WHERE id";
    let rows = bulk::by_job(&mut connection, query, ids, "").await.doing("find jobs")?;
    rows.iter()
        .map(|row| {
            let job = Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB)?;
            let position = place(row.get(1)).ok_or(DAMAGED_JOB)?;
            Ok((job.id, StoredJob { job, position, open: row.get::<&str, _>(2) == "queued" }))
        })
        .collect()
}

/// Returns a position as it is in the store.
pub(super) fn place(position: i64) -> Option<u32> {
    u32::try_from(position).ok()
}

/// Returns the repositories of a batch by position, or the one at `position`.
pub(super) async fn repositories(
    database: &Database,
    batch: BatchId,
    position: Option<u32>,
) -> Result<Vec<BatchRepository>> {
    let rows = sqlx::query(
        "SELECT position, name, project_key, source, revisions, state, failure_class, failure_message, \
         commits_seen, commits_new, cache_hits, elapsed_millis FROM batch_repository \
         WHERE batch_id = $1 AND position BETWEEN coalesce($2, 0) AND coalesce($2, $3) ORDER BY position",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(position.map(i64::from))
    .bind(i64::from(u32::MAX))
    .fetch_all(&database.pool)
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
                position: place(row.get(0)).ok_or(DAMAGED_BATCH)?,
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

pub(super) async fn publish(database: &Database, name: &str, finished: &Finished<'_>) -> Result<()> {
    let mut transaction = database.begin().await?;
    // A report may have been made of facts that were read before they were gone over.
    let list = erased::hold(database, &mut transaction).await?;
    let report = redact::report(&list, finished.report);
    let manifest = redact::document(&list, finished.manifest);
    let name = list.redact_text(name);
    let id = finished.batch.as_bytes().as_slice();
    sqlx::query(
        // A batch whose failed repositories were tried again has a new one.
        "INSERT INTO report (batch_id, content, manifest, inputs, as_of_seconds) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (batch_id) DO UPDATE SET content = excluded.content, manifest = excluded.manifest, \
         inputs = excluded.inputs, as_of_seconds = excluded.as_of_seconds",
    )
    .bind(id)
    .bind(report.as_deref().unwrap_or(finished.report))
    .bind(manifest.as_deref().unwrap_or(finished.manifest))
    .bind(finished.inputs.as_ref().map(Digest::as_slice))
    .bind(finished.as_of_seconds)
    .execute(&mut *transaction)
    .await
    .doing("keep a report")?;
    sqlx::query(
        "INSERT INTO published (name, batch_id) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET batch_id = excluded.batch_id",
    )
    .bind(&*name)
    .bind(id)
    .execute(&mut *transaction)
    .await
    .doing("publish a report")?;
    sqlx::query("UPDATE batch SET state = 'finished', finished_at = $2 WHERE id = $1 AND state = 'running'")
        .bind(id)
        .bind(finished.finished_at)
        .execute(&mut *transaction)
        .await
        .doing("finish a batch")?;
    forget_unsent(&mut transaction, finished.batch).await?;
    transaction.commit().await.doing("publish a report")
}

/// Clears the outbox of a batch that has ended: a job that was to be sent again may have been done meanwhile.
pub(super) async fn forget_unsent(connection: &mut Connection, batch: BatchId) -> Result<()> {
    sqlx::query("DELETE FROM outbox WHERE batch_id = $1")
        .bind(batch.as_bytes().as_slice())
        .execute(connection)
        .await
        .doing("clear the outbox")?;
    Ok(())
}

/// Returns the newest report that was made of `inputs`, as of `as_of_seconds` or earlier.
pub(super) async fn report_of(
    database: &Database,
    inputs: &Digest,
    as_of_seconds: i64,
) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT content FROM report WHERE inputs = $1 AND as_of_seconds <= $2 ORDER BY batch_id DESC LIMIT 1",
    )
    .bind(inputs.as_slice())
    .bind(as_of_seconds)
    .fetch_optional(&database.pool)
    .await
    .doing("find a report")?;
    Ok(row.map(|row| row.get(0)))
}

pub(super) async fn published(database: &Database, name: &str) -> Result<Option<(String, String)>> {
    let row = sqlx::query(
        "SELECT r.content, r.manifest FROM published p JOIN report r ON r.batch_id = p.batch_id WHERE p.name = $1",
    )
    .bind(name)
    .fetch_optional(&database.pool)
    .await
    .doing("find a report")?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

pub(super) async fn abandon(database: &Database, batch: BatchId) -> Result<()> {
    let mut transaction = database.begin().await?;
    let id = batch.as_bytes().as_slice();
    for statement in [
        "UPDATE batch SET state = 'abandoned' WHERE id = $1",
        "UPDATE batch_repository SET pending_facts = NULL WHERE batch_id = $1",
        "UPDATE job SET state = 'cancelled' WHERE batch_id = $1 AND state = 'queued'",
        "DELETE FROM pending_snapshot WHERE batch_id = $1",
        "DELETE FROM outbox WHERE batch_id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *transaction).await.doing("abandon a batch")?;
    }
    transaction.commit().await.doing("abandon a batch")
}

pub(super) async fn prune(database: &Database, keep: u32) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "DELETE FROM batch WHERE id NOT IN (SELECT id FROM batch ORDER BY id DESC LIMIT $1) \
         AND id NOT IN (SELECT batch_id FROM published) AND state <> 'running'",
    )
    .bind(i64::from(keep))
    .execute(&mut *transaction)
    .await
    .doing("remove old batches")?;
    transaction.commit().await.doing("remove old batches")
}
