//! Batches, their repositories and jobs, and the outbox.

use std::collections::HashSet;

use gitfleet_shared::contract::{Digest, Failure, Job, Outcome, Revisions, SliceResult, Source, TipResult};
use gitfleet_shared::ids::{BatchId, JobId};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, Transaction};

use super::rows::Values;
use super::{Doing as _, facts, rows, snapshots};
use crate::store::{
    BatchRepository, FactSet, Finished, NewBatch, Plan, RecordedFailure, RepositoryState, Result, StoreError,
    StoredJob,
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
        insert_jobs(&mut transaction, position, FIRST, std::slice::from_ref(&repository.survey)).await?;
    }
    transaction.commit().await.doing("take a batch")
}

/// The urgency of surveys: everything else waits for them.
const FIRST: i64 = i64::MAX;

/// Adds the jobs of the repository at `position` that are not there yet, and lets them be sent in this order.
async fn insert_jobs(
    connection: &mut SqliteConnection,
    position: u32,
    urgency: i64,
    jobs: &[Job],
) -> Result<()> {
    // The same work in the same batch has the same id: planned twice, it is there once.
    let inserted = rows::insert(
        connection,
        "job (id, batch_id, position, work, units, message, state, heard_at)",
        8,
        "ON CONFLICT DO NOTHING RETURNING id",
        jobs,
        |row, job| {
            row.bind(job.id.as_bytes().as_slice())
                .bind(job.batch.as_bytes().as_slice())
                .bind(position)
                .bind(job.work.name())
                .bind(i64::try_from(job.work.units()).unwrap_or(i64::MAX))
                .bind(job.encode())
                .bind("queued")
                .bind(0)
        },
    )
    .await
    .doing("take jobs")?;
    let inserted: HashSet<&[u8]> = inserted.iter().map(|row| row.get(0)).collect();
    let new: Vec<&Job> = jobs.iter().filter(|job| inserted.contains(job.id.as_bytes().as_slice())).collect();
    rows::insert(
        connection,
        "outbox (job_id, batch_id, urgency, position)",
        4,
        "ON CONFLICT DO NOTHING",
        &new,
        |row, job| {
            row.bind(job.id.as_bytes().as_slice())
                .bind(job.batch.as_bytes().as_slice())
                .bind(urgency)
                .bind(position)
        },
    )
    .await
    .doing("take jobs")?;
    Ok(())
}

pub(super) async fn unsent(pool: &SqlitePool, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
    // Surveys first, because everything else waits for them; then the largest, so that the tail is short; slices of
    // one repository together and in the order they were planned, because a worker that has just been in the
    // neighbourhood goes on faster.
    let rows = sqlx::query(
        "SELECT j.message FROM outbox o JOIN job j ON j.id = o.job_id WHERE o.batch_id = ? AND j.state = 'queued' \
         ORDER BY o.urgency DESC, o.position, o.sequence LIMIT ?",
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
        "INSERT INTO outbox (job_id, batch_id, urgency, position) \
         SELECT j.id, j.batch_id, CASE j.work WHEN 'survey' THEN ?3 ELSE coalesce(b.commits_new, 0) END, j.position \
         FROM job j JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position \
         WHERE j.batch_id = ?1 AND j.state = 'queued' AND j.heard_at < ?2 ORDER BY j.rowid ON CONFLICT DO NOTHING",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(before)
    .bind(FIRST)
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

/// The end of a job: a transaction in which the job is done and what it led to is recorded.
struct Ending {
    transaction: Transaction<'static, Sqlite>,
    batch: BatchId,
    position: u32,
}

impl Ending {
    /// Ends the job of `outcome`; `None` where it had ended already, for then nothing of it may be recorded.
    async fn begin(pool: &SqlitePool, outcome: &Outcome) -> Result<Option<Self>> {
        let mut transaction = pool.begin().await.doing("begin")?;
        let row =
            sqlx::query("UPDATE job SET state = 'done' WHERE id = ? AND state = 'queued' RETURNING position")
                .bind(outcome.job.as_bytes().as_slice())
                .fetch_optional(&mut *transaction)
                .await
                .doing("end a job")?;
        let Some(row) = row else { return Ok(None) };
        let mut ending = Self { transaction, batch: outcome.batch, position: row.get(0) };
        let elapsed = i64::try_from(outcome.elapsed_millis).unwrap_or(i64::MAX);
        ending.update("elapsed_millis = elapsed_millis + ?", |query| query.bind(elapsed)).await?;
        Ok(Some(ending))
    }

    /// Sets columns of the job's repository, with the values that `bind` adds.
    async fn update<'q>(&mut self, columns: &str, bind: impl FnOnce(Values<'q>) -> Values<'q>) -> Result<()> {
        let statement = format!("UPDATE batch_repository SET {columns} WHERE batch_id = ? AND position = ?");
        bind(sqlx::query(AssertSqlSafe(statement)))
            .bind(self.batch.as_bytes().to_vec())
            .bind(self.position)
            .execute(&mut *self.transaction)
            .await
            .doing("record an outcome")?;
        Ok(())
    }

    async fn commit(self) -> Result<()> {
        self.transaction.commit().await.doing("record an outcome")
    }
}

pub(super) async fn record_unchanged(pool: &SqlitePool, outcome: &Outcome) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let revisions = revisions_of(&mut ending.transaction, ending.batch, ending.position).await?;
    let columns = "commits_new = 0, (state, commits_seen) = ( \
             SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END, \
                 (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
             FROM snapshot n WHERE n.repository_id = batch_repository.repository_id AND n.revisions = ?)";
    ending.update(columns, |query| query.bind(revisions.to_string())).await?;
    ending.commit().await
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
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let count = |commits: u64| i64::try_from(commits).unwrap_or(i64::MAX);
    let columns = "state = 'analysing', pending_facts = ?, commits_seen = ?, commits_new = ?";
    ending
        .update(columns, |query| {
            query.bind(plan.facts.0).bind(count(plan.commits_seen)).bind(count(plan.commits_new))
        })
        .await?;
    let Ending { transaction, batch, position } = &mut ending;
    snapshots::insert_pending(transaction, *batch, *position, &plan.changed, plan.extends).await?;
    insert_jobs(transaction, *position, count(plan.commits_new), &plan.jobs).await?;
    publish_if_done(&mut ending).await?;
    ending.commit().await
}

pub(super) async fn record_resurvey(pool: &SqlitePool, outcome: &Outcome, again: &Job) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    insert_jobs(&mut ending.transaction, ending.position, FIRST, std::slice::from_ref(again)).await?;
    ending.commit().await
}

pub(super) async fn record_dry_run(pool: &SqlitePool, outcome: &Outcome, seen: u64, new: u64) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let count = |commits: u64| i64::try_from(commits).unwrap_or(i64::MAX);
    let columns = "state = 'planned', commits_seen = ?, commits_new = ?";
    ending.update(columns, |query| query.bind(count(seen)).bind(count(new))).await?;
    ending.commit().await
}

pub(super) async fn record_slice(
    pool: &SqlitePool,
    outcome: &Outcome,
    slice: &SliceResult,
    rest: Option<&Job>,
) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let row = sqlx::query(
        "UPDATE batch_repository SET cache_hits = cache_hits + ? WHERE batch_id = ? AND position = ? \
         RETURNING pending_facts, commits_new",
    )
    .bind(i64::from(slice.cache_hits))
    .bind(outcome.batch.as_bytes().as_slice())
    .bind(ending.position)
    .fetch_one(&mut *ending.transaction)
    .await
    .doing("record a slice")?;
    // A slice that arrives after its repository failed has nothing to add to.
    if let Some(set) = row.get::<Option<i64>, _>(0) {
        facts::insert(&mut ending.transaction, FactSet(set), &slice.facts, &slice.mainline_merges).await?;
        let rest = rest.map(std::slice::from_ref).unwrap_or_default();
        let urgency = row.get::<Option<i64>, _>(1).unwrap_or(0);
        insert_jobs(&mut ending.transaction, ending.position, urgency, rest).await?;
        publish_if_done(&mut ending).await?;
    }
    ending.commit().await
}

pub(super) async fn record_tip(pool: &SqlitePool, outcome: &Outcome, tip: TipResult) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let lines = i64::try_from(tip.lines).unwrap_or(i64::MAX);
    ending
        .update("tip_lines = ?, tip_unknown = ?", |query| {
            query.bind(lines).bind(i64::from(tip.unknown_files))
        })
        .await?;
    publish_if_done(&mut ending).await?;
    ending.commit().await
}

pub(super) async fn record_failure(pool: &SqlitePool, outcome: &Outcome, failure: &Failure) -> Result<()> {
    let Some(mut ending) = Ending::begin(pool, outcome).await? else { return Ok(()) };
    let columns = "state = 'failed', failure_class = ?, failure_message = ?, pending_facts = NULL";
    ending.update(columns, |query| query.bind(failure.class.name()).bind(failure.message.clone())).await?;
    for statement in [
        "DELETE FROM pending_snapshot WHERE batch_id = ? AND position = ?",
        "UPDATE job SET state = 'cancelled' WHERE batch_id = ? AND position = ? AND state = 'queued'",
        "DELETE FROM outbox WHERE batch_id = ? AND position = ?",
    ] {
        sqlx::query(statement)
            .bind(outcome.batch.as_bytes().as_slice())
            .bind(ending.position)
            .execute(&mut *ending.transaction)
            .await
            .doing("record a failure")?;
    }
    ending.commit().await
}

/// Publishes the snapshot of a repository whose last job has ended.
async fn publish_if_done(ending: &mut Ending) -> Result<()> {
    let open: bool = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM job WHERE batch_id = ? AND position = ? AND state = 'queued')",
    )
    .bind(ending.batch.as_bytes().as_slice())
    .bind(ending.position)
    .fetch_one(&mut *ending.transaction)
    .await
    .doing("look for open jobs")?
    .get(0);
    // Where the repository failed there is nothing to publish, whatever still comes in.
    if open || !snapshots::publish(&mut ending.transaction, ending.batch, ending.position).await? {
        return Ok(());
    }
    let revisions = revisions_of(&mut ending.transaction, ending.batch, ending.position).await?;
    let columns = "pending_facts = NULL, \
             state = (SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END FROM snapshot n \
                      WHERE n.repository_id = batch_repository.repository_id AND n.revisions = ?)";
    ending.update(columns, |query| query.bind(revisions.to_string())).await
}

/// Returns the repositories of a batch by position, or the one at `position`.
pub(super) async fn repositories(
    pool: &SqlitePool,
    batch: BatchId,
    position: Option<u32>,
) -> Result<Vec<BatchRepository>> {
    let rows = sqlx::query(
        "SELECT position, name, project_key, source, revisions, state, failure_class, failure_message, \
         commits_seen, commits_new, cache_hits, elapsed_millis FROM batch_repository \
         WHERE batch_id = ?1 AND position BETWEEN coalesce(?2, 0) AND coalesce(?2, ?3) ORDER BY position",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(position)
    .bind(u32::MAX)
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

pub(super) async fn publish(pool: &SqlitePool, name: &str, finished: &Finished<'_>) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    let id = finished.batch.as_bytes().as_slice();
    sqlx::query(
        "INSERT INTO report (batch_id, content, manifest, inputs, as_of_seconds) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(finished.report)
    .bind(finished.manifest)
    .bind(finished.inputs.as_ref().map(Digest::as_slice))
    .bind(finished.as_of_seconds)
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

/// Returns the newest report that was made of `inputs`, as of `as_of_seconds` or earlier.
pub(super) async fn report_of(
    pool: &SqlitePool,
    inputs: &Digest,
    as_of_seconds: i64,
) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT content FROM report WHERE inputs = ? AND as_of_seconds <= ? ORDER BY batch_id DESC LIMIT 1",
    )
    .bind(inputs.as_slice())
    .bind(as_of_seconds)
    .fetch_optional(pool)
    .await
    .doing("find a report")?;
    Ok(row.map(|row| row.get(0)))
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
        "UPDATE batch_repository SET pending_facts = NULL WHERE batch_id = ?",
        "DELETE FROM pending_snapshot WHERE batch_id = ?",
        "DELETE FROM outbox WHERE batch_id = ?",
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
