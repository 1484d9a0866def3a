//! Batches, their repositories and jobs, and the outbox.

use std::collections::{BTreeSet, HashMap};

use gitfleet_shared::contract::{
    Digest, Failure, FailureClass, Job, Outcome, Revisions, SliceResult, Source, TipResult, Work,
};
use gitfleet_shared::ids::{BatchId, JobId};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _, Transaction};

use super::snapshots::Published;
use super::{Arguments, Connection, Database, Doing as _, Driver, JOB_ORDER, bulk, facts, snapshots};
use crate::store::text::storable;
use crate::store::{
    BatchRepository, FactSet, Finished, NewBatch, Plan, RecordedFailure, RepositoryState, Result, StoreError,
    StoredJob, Submitted,
};
use crate::submit;

const DAMAGED_JOB: StoreError = StoreError::Damaged { what: "a job" };
const DAMAGED_BATCH: StoreError = StoreError::Damaged { what: "a batch" };

pub(super) async fn submit(database: &Database, batch: &NewBatch) -> Result<Submitted> {
    let mut transaction = database.begin().await?;
    let id = batch.id.as_bytes().as_slice();
    let text = |value: serde_json::Result<String>| value.map_err(|_| DAMAGED_BATCH);
    let taken = sqlx::query(
        "INSERT INTO batch (id, state, name, priority, labels, terms, config, created_at, idempotency_key, \
         request_digest) VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (idempotency_key) DO NOTHING",
    )
    .bind(id)
    .bind(&batch.name)
    .bind(batch.priority)
    .bind(text(serde_json::to_string(&batch.labels))?)
    .bind(text(serde_json::to_string(&batch.terms))?)
    .bind(&batch.config)
    .bind(batch.created_at)
    .bind(batch.request.as_ref().map(|request| request.key.as_str()))
    .bind(batch.request.as_ref().map(|request| request.digest.to_vec()))
    .execute(&mut *transaction)
    .await
    .doing("take a batch")?;
    if taken.rows_affected() == 0 {
        return submitted_before(&mut transaction, batch).await;
    }
    let named: BTreeSet<String> =
        batch.repositories.iter().map(|repository| repository.source.to_string()).collect();
    let mut ids = HashMap::new();
    // In order, so that two submissions of the same repositories do not wait for each other in a circle.
    for source in named {
        let id = repository_id(&mut transaction, &source).await?;
        ids.insert(source, id);
    }
    for (position, repository) in (0i64..).zip(&batch.repositories) {
        sqlx::query(
            "INSERT INTO batch_repository (batch_id, position, repository_id, name, project_key, source, \
             revisions, state) VALUES ($1, $2, $3, $4, $5, $6, $7, 'surveying')",
        )
        .bind(id)
        .bind(position)
        .bind(ids[&repository.source.to_string()])
        .bind(storable(&repository.name))
        .bind(storable(&repository.project_key))
        .bind(serde_json::to_string(&repository.source).map_err(|_| DAMAGED_BATCH)?)
        .bind(serde_json::to_string(&repository.revisions).map_err(|_| DAMAGED_BATCH)?)
        .execute(&mut *transaction)
        .await
        .doing("take a repository")?;
    }
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
    let before = row.get::<Vec<u8>, _>(0).try_into().map(BatchId::from_bytes).map_err(|_| DAMAGED_BATCH)?;
    let same = row.get::<Option<&[u8]>, _>(1) == Some(request.digest.as_slice());
    Ok(if same { Submitted::Before(before) } else { Submitted::Conflict(before) })
}

async fn repository_id(connection: &mut Connection, source: &str) -> Result<i64> {
    // Nearly always it is there. Where two add it at once, the second finds it at the second look.
    for statement in [
        "SELECT id FROM repository WHERE source = $1",
        "INSERT INTO repository (source) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id",
        "SELECT id FROM repository WHERE source = $1",
    ] {
        let row = sqlx::query(statement).bind(source).fetch_optional(&mut *connection).await;
        if let Some(row) = row.doing("take a repository")? {
            return Ok(row.get(0));
        }
    }
    Err(DAMAGED_BATCH)
}

/// The urgency of surveys: everything else waits for them.
const FIRST: i64 = i64::MAX;

/// Adds the jobs of the repository at `position` that are not there yet, and lets them be sent in this order.
async fn insert_jobs(connection: &mut Connection, position: u32, urgency: i64, jobs: &[Job]) -> Result<()> {
    // The same work in the same batch has the same id: planned twice, it is there once.
    let placed: Vec<(i64, &Job)> = jobs.iter().map(|job| (i64::from(position), job)).collect();
    bulk::insert_jobs(connection, urgency, &placed).await.doing("take jobs")
}

pub(super) async fn unsent(database: &Database, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
    // Surveys first, because everything else waits for them; then the largest, so that the tail is short; slices of
    // one repository together and in the order they were planned, because a worker that has just been in the
    // neighbourhood goes on faster.
    let rows = sqlx::query(
        "SELECT j.message FROM outbox o JOIN job j ON j.id = o.job_id WHERE o.batch_id = $1 AND j.state = 'queued' \
         ORDER BY o.urgency DESC, o.position, o.sequence LIMIT $2",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(i64::from(limit))
    .fetch_all(&database.pool)
    .await
    .doing("list waiting jobs")?;
    rows.iter().map(|row| Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB)).collect()
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

pub(super) async fn job(database: &Database, id: JobId) -> Result<Option<StoredJob>> {
    let row = sqlx::query("SELECT message, position, state FROM job WHERE id = $1")
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&database.pool)
        .await
        .doing("find a job")?;
    row.map(|row| {
        Ok(StoredJob {
            job: Job::decode(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED_JOB)?,
            position: place(row.get(1)).ok_or(DAMAGED_JOB)?,
            open: row.get::<&str, _>(2) == "queued",
        })
    })
    .transpose()
}

/// Returns a position as it is in the store.
fn place(position: i64) -> Option<u32> {
    u32::try_from(position).ok()
}

type Bound<'q> = Query<'q, Driver, Arguments>;

/// The end of a job: a transaction in which the job is done and what it led to is recorded.
///
/// It holds the row of the job's repository from its first statement on. So outcomes of one repository are recorded
/// one after the other, the last of them is the one that finds no open job, and nobody waits in a circle: whoever
/// changes jobs of a repository takes the repository first.
struct Ending {
    transaction: Transaction<'static, Driver>,
    id: JobId,
    batch: BatchId,
    position: u32,
}

impl Ending {
    /// Ends the job of `outcome` in `state`; `None` where it had ended already, for then nothing of it may be
    /// recorded.
    async fn begin(database: &Database, outcome: &Outcome, state: &'static str) -> Result<Option<Self>> {
        let mut transaction = database.begin().await?;
        let row = sqlx::query(
            "UPDATE batch_repository SET elapsed_millis = elapsed_millis + $2 \
             WHERE (batch_id, position) = (SELECT batch_id, position FROM job WHERE id = $1) \
             RETURNING batch_id, position",
        )
        .bind(outcome.job.as_bytes().as_slice())
        .bind(i64::try_from(outcome.elapsed_millis).unwrap_or(i64::MAX))
        .fetch_optional(&mut *transaction)
        .await
        .doing("end a job")?;
        let ended = sqlx::query("UPDATE job SET state = $2 WHERE id = $1 AND state = 'queued'")
            .bind(outcome.job.as_bytes().as_slice())
            .bind(state)
            .execute(&mut *transaction)
            .await
            .doing("end a job")?;
        let counts = ended.rows_affected() == 1 || gitfleet_shared::sabotaged!("no_idempotency");
        let (Some(row), true) = (row, counts) else {
            transaction.rollback().await.doing("leave a job alone")?;
            return Ok(None);
        };
        let batch: Vec<u8> = row.get(0);
        let batch = batch.try_into().map(BatchId::from_bytes).map_err(|_| DAMAGED_BATCH)?;
        let position = place(row.get(1)).ok_or(DAMAGED_BATCH)?;
        Ok(Some(Self { transaction, id: outcome.job, batch, position }))
    }

    async fn job(&mut self) -> Result<Job> {
        let row = sqlx::query("SELECT message FROM job WHERE id = $1")
            .bind(self.id.as_bytes().as_slice())
            .fetch_one(&mut *self.transaction)
            .await
            .doing("find a job")?;
        Job::decode(row.get(0)).map_err(|_| DAMAGED_JOB)
    }

    /// Sets columns of the job's repository to the values that `bind` adds, from `$3` on.
    async fn update<'q>(&mut self, columns: &str, bind: impl FnOnce(Bound<'q>) -> Bound<'q>) -> Result<()> {
        let statement =
            format!("UPDATE batch_repository SET {columns} WHERE batch_id = $1 AND position = $2");
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(self.batch.as_bytes().to_vec())
            .bind(i64::from(self.position));
        bind(query).execute(&mut *self.transaction).await.doing("record an outcome")?;
        Ok(())
    }

    async fn commit(self) -> Result<()> {
        self.transaction.commit().await.doing("record an outcome")
    }
}

pub(super) async fn record_unchanged(database: &Database, outcome: &Outcome) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    let revisions = revisions_of(&mut ending.transaction, ending.batch, ending.position).await?;
    let columns = "commits_new = 0, (state, commits_seen) = ( \
             SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END, \
                 (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
             FROM snapshot n WHERE n.repository_id = batch_repository.repository_id AND n.revisions = $3)";
    ending.update(columns, |query| query.bind(revisions.to_string())).await?;
    ending.commit().await
}

async fn revisions_of(connection: &mut Connection, batch: BatchId, position: u32) -> Result<Revisions> {
    let row = sqlx::query("SELECT revisions FROM batch_repository WHERE batch_id = $1 AND position = $2")
        .bind(batch.as_bytes().as_slice())
        .bind(i64::from(position))
        .fetch_one(connection)
        .await
        .doing("find a repository")?;
    serde_json::from_str(row.get(0)).map_err(|_| DAMAGED_BATCH)
}

pub(super) async fn record_plan(database: &Database, outcome: &Outcome, plan: &Plan) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    snapshots::hold(&mut ending.transaction, plan.facts).await?;
    let count = |commits: u64| i64::try_from(commits).unwrap_or(i64::MAX);
    let columns = "state = 'analysing', pending_facts = $3, commits_seen = $4, commits_new = $5";
    ending
        .update(columns, |query| {
            query.bind(plan.facts.0).bind(count(plan.commits_seen)).bind(count(plan.commits_new))
        })
        .await?;
    let base = match ending.job().await?.work {
        Work::Survey { base, .. } if plan.extends => base.map(|base| base.refs),
        _ => None,
    };
    let Ending { transaction, batch, position, .. } = &mut ending;
    snapshots::insert_pending(transaction, *batch, *position, &plan.changed, base).await?;
    insert_jobs(transaction, *position, count(plan.commits_new), &plan.jobs).await?;
    publish_if_done(&mut ending).await?;
    ending.commit().await
}

pub(super) async fn record_resurvey(database: &Database, outcome: &Outcome, again: &Job) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    insert_jobs(&mut ending.transaction, ending.position, FIRST, std::slice::from_ref(again)).await?;
    ending.commit().await
}

pub(super) async fn record_dry_run(
    database: &Database,
    outcome: &Outcome,
    seen: u64,
    new: u64,
) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    let count = |commits: u64| i64::try_from(commits).unwrap_or(i64::MAX);
    let columns = "state = 'planned', commits_seen = $3, commits_new = $4";
    ending.update(columns, |query| query.bind(count(seen)).bind(count(new))).await?;
    ending.commit().await
}

pub(super) async fn record_slice(
    database: &Database,
    outcome: &Outcome,
    slice: &SliceResult,
    rest: Option<&Job>,
) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    let row = sqlx::query(
        "UPDATE batch_repository SET cache_hits = cache_hits + $1 WHERE batch_id = $2 AND position = $3 \
         RETURNING pending_facts, commits_new",
    )
    .bind(i64::from(slice.cache_hits))
    .bind(outcome.batch.as_bytes().as_slice())
    .bind(i64::from(ending.position))
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

pub(super) async fn record_tip(database: &Database, outcome: &Outcome, tip: TipResult) -> Result<()> {
    let Some(mut ending) = Ending::begin(database, outcome, "done").await? else { return Ok(()) };
    let lines = i64::try_from(tip.lines).unwrap_or(i64::MAX);
    ending
        .update("tip_lines = $3, tip_unknown = $4", |query| {
            query.bind(lines).bind(i64::from(tip.unknown_files))
        })
        .await?;
    publish_if_done(&mut ending).await?;
    ending.commit().await
}

pub(super) async fn record_failure(database: &Database, outcome: &Outcome, failure: &Failure) -> Result<()> {
    // One that every worker was lost with is nobody's to try again by itself.
    let state = if failure.class == FailureClass::Poisoned { "dead" } else { "failed" };
    let Some(mut ending) = Ending::begin(database, outcome, state).await? else { return Ok(()) };
    let message = storable(&failure.message).into_owned();
    let columns = "state = 'failed', failure_class = $3, failure_message = $4, pending_facts = NULL";
    ending.update(columns, |query| query.bind(failure.class.name()).bind(message.clone())).await?;
    sqlx::query("UPDATE job SET failure_class = $2, failure_message = $3 WHERE id = $1")
        .bind(outcome.job.as_bytes().as_slice())
        .bind(failure.class.name())
        .bind(&message)
        .execute(&mut *ending.transaction)
        .await
        .doing("record a failure")?;
    for statement in [
        "DELETE FROM pending_snapshot WHERE batch_id = $1 AND position = $2",
        // Whoever has one of them in hand may be lost with it, and then nobody would end his attempt.
        "UPDATE attempt SET ended_at = heard_at, ending = 'cancelled' WHERE ended_at IS NULL \
         AND job_id IN (SELECT id FROM job WHERE batch_id = $1 AND position = $2 AND state = 'queued')",
        "UPDATE job SET state = 'cancelled' WHERE batch_id = $1 AND position = $2 AND state = 'queued'",
        "DELETE FROM outbox WHERE batch_id = $1 AND position = $2",
    ] {
        sqlx::query(statement)
            .bind(ending.batch.as_bytes().as_slice())
            .bind(i64::from(ending.position))
            .execute(&mut *ending.transaction)
            .await
            .doing("record a failure")?;
    }
    ending.commit().await
}

/// Publishes the snapshot of a repository whose last job has ended.
async fn publish_if_done(ending: &mut Ending) -> Result<()> {
    let open: bool = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM job WHERE batch_id = $1 AND position = $2 AND state = 'queued')",
    )
    .bind(ending.batch.as_bytes().as_slice())
    .bind(i64::from(ending.position))
    .fetch_one(&mut *ending.transaction)
    .await
    .doing("look for open jobs")?
    .get(0);
    if open {
        return Ok(());
    }
    let published = snapshots::publish(&mut ending.transaction, ending.batch, ending.position).await?;
    let revisions = match published {
        Published::Nothing => return Ok(()),
        Published::Outrun => return survey_again(ending).await,
        Published::Done => revisions_of(&mut ending.transaction, ending.batch, ending.position).await?,
    };
    let columns = "pending_facts = NULL, \
             state = (SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END FROM snapshot n \
                      WHERE n.repository_id = batch_repository.repository_id AND n.revisions = $3)";
    ending.update(columns, |query| query.bind(revisions.to_string())).await
}

/// Sends the repository of a job to be surveyed from nothing. All facts are there by now, so it costs a walk.
async fn survey_again(ending: &mut Ending) -> Result<()> {
    let Job { source, max_blob_bytes, .. } = ending.job().await?;
    let revisions = revisions_of(&mut ending.transaction, ending.batch, ending.position).await?;
    let work = Work::Survey { revisions, base: None };
    let survey = submit::job(ending.batch, ending.position, &source, work, max_blob_bytes);
    ending.update("state = 'surveying', pending_facts = NULL", |query| query).await?;
    insert_jobs(&mut ending.transaction, ending.position, FIRST, std::slice::from_ref(&survey)).await
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
    let id = finished.batch.as_bytes().as_slice();
    sqlx::query(
        // A batch whose failed repositories were tried again has a new one.
        "INSERT INTO report (batch_id, content, manifest, inputs, as_of_seconds) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (batch_id) DO UPDATE SET content = excluded.content, manifest = excluded.manifest, \
         inputs = excluded.inputs, as_of_seconds = excluded.as_of_seconds",
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
        "INSERT INTO published (name, batch_id) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET batch_id = excluded.batch_id",
    )
    .bind(name)
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
