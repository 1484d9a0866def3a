//! What the fleet's coordinator and its operators ask, in the SQL that both dialects share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use gitfleet_shared::contract::{Control, HandedBack, Heartbeat, Job, Outcome, Why};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::queue::DeadLetter;
use sqlx::{AssertSqlSafe, Row as _};

use super::batches::forget_unsent;
use super::{Connection, Database, Doing as _, Row, VERSION};
use crate::store::ledger::{BatchFilter, JobFilter, Ledger, Patience, RunningBatch, Unheard, Wish};
use crate::store::text::storable;
use crate::store::{Result, StoreError, Term};
use crate::view::{
    AttemptView, BatchView, DeadView, FailureCount, FailureView, JobCounts, JobHistory, JobView, ReportView,
    RepositoryCounts, SnapshotView, SourceView, WorkerView,
};

const DAMAGED: StoreError = StoreError::Damaged { what: "a batch" };

/// A job that so many workers were lost with is sent while no other such job is out: of two that are always lost
/// together, the one that harms nobody comes through alone.
const SUSPECT: i64 = 2;

/// Puts the job of which `$1` is the id into the outbox, as urgent as others of its kind.
const INTO_OUTBOX: &str = "INSERT INTO outbox (job_id, batch_id, urgency, position) \
     SELECT j.id, j.batch_id, CASE j.work WHEN 'survey' THEN 9223372036854775807 ELSE \
     coalesce(b.commits_new, 0) END, \
            j.position \
     FROM job j JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position \
     WHERE j.id = $1 AND j.state = 'queued' ON CONFLICT DO NOTHING";

#[async_trait]
impl Ledger for Database {
    async fn running(&self) -> Result<Vec<RunningBatch>> {
        let rows = sqlx::query(
            "SELECT b.id, b.name, b.priority, b.paused, b.terms, b.config, b.created_at, \
             (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'queued' AND j.sent_at \
             IS NOT NULL), \
             NOT EXISTS (SELECT 1 FROM batch_repository r \
                         WHERE r.batch_id = b.id AND r.state IN ('surveying', 'analysing')) \
             FROM batch b WHERE b.state = 'running' ORDER BY b.priority DESC, b.created_at, b.id",
        )
        .fetch_all(&self.pool)
        .await
        .doing("list running batches")?;
        rows.iter()
            .map(|row| {
                Ok(RunningBatch {
                    id: batch_id(row.get(0))?,
                    name: row.get(1),
                    priority: row.get(2),
                    paused: row.get::<i64, _>(3) == 1,
                    terms: serde_json::from_str(row.get(4)).map_err(|_| DAMAGED)?,
                    config: row.get(5),
                    created_at: row.get(6),
                    sent: u64::try_from(row.get::<i64, _>(7)).unwrap_or(0),
                    settled: row.get(8),
                })
            })
            .collect()
    }

    async fn hear(&self, heartbeats: &[Heartbeat], now: i64) -> Result<()> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            for heartbeat in heartbeats {
                hear(&mut transaction, heartbeat, now).await?;
            }
            transaction.commit().await.doing("note signs of life")
        })
        .await
    }

    async fn close_attempts(&self, outcome: &Outcome, now: i64) -> Result<()> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            // Two may have done the same job at once. Who is the first of them is decided here, for one at a time.
            sqlx::query("UPDATE job SET heard_at = heard_at WHERE id = $1")
                .bind(id(outcome.job))
                .execute(&mut *transaction)
                .await
                .doing("hold a job")?;
            let attempts = sqlx::query(
                // What came of it before it was last sent counts no more: an operator has let it begin again.
                "SELECT a.number, a.worker, a.ended_at, \
             CASE WHEN a.ended_at >= coalesce(j.sent_at, 0) THEN a.ending END \
             FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.id = $1 ORDER BY a.number",
            )
            .bind(id(outcome.job))
            .fetch_all(&mut *transaction)
            .await
            .doing("list attempts")?;
            // Nobody asked for it, so there is nothing to add to.
            if attempts.is_empty() {
                return Ok(());
            }
            let worker = storable(&outcome.worker);
            let ended = |row: &&Row| {
                matches!(row.get::<Option<&str>, _>(3), Some("ok" | "failed"))
                    && row.get::<Option<&str>, _>(1) == Some(&*worker)
            };
            let open =
                |row: &&Row| row.get::<Option<i64>, _>(0).is_some() && row.get::<Option<i64>, _>(2).is_none();
            let twice = gitfleet_shared::sabotaged!("no_idempotency");
            let known = attempts.iter().any(|row| ended(&row)) && !twice;
            let mine = attempts
                .iter()
                .filter(open)
                .find(|row| row.get::<Option<&str>, _>(1) == Some(&*worker))
                .map(|row| row.get::<i64, _>(0));
            let over = |row: &Row| matches!(row.get::<Option<&str>, _>(3), Some("ok" | "failed"));
            let late = attempts.iter().any(over) && !twice;
            let (ending, message) = match &outcome.result {
                _ if late => ("fenced", None),
                Ok(_) => ("ok", None),
                Err(failure) => ("failed", Some(storable(&failure.message))),
            };
            if let Some(number) = mine {
                sqlx::query(
                    "UPDATE attempt SET ended_at = $3, heard_at = $3, ending = $4, message = $5, \
                 done = (SELECT units FROM job WHERE id = $1) WHERE job_id = $1 AND number = $2",
                )
                .bind(id(outcome.job))
                .bind(number)
                .bind(now)
                .bind(ending)
                .bind(message.as_deref())
                .execute(&mut *transaction)
                .await
                .doing("end an attempt")?;
            } else if !known {
                let elapsed = i64::try_from(outcome.elapsed_millis).unwrap_or(0);
                sqlx::query(
                    "INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done, ended_at, \
                 ending, message) \
                 SELECT j.id, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE job_id = $1), \
                 $2, $3, $4, \
                        j.units, $4, $5, $6 FROM job j WHERE j.id = $1",
                )
                .bind(id(outcome.job))
                .bind(&*worker)
                .bind(now.saturating_sub(elapsed))
                .bind(now)
                .bind(ending)
                .bind(message.as_deref())
                .execute(&mut *transaction)
                .await
                .doing("note an attempt")?;
            }
            if attempts.iter().filter(open).count() > usize::from(mine.is_some()) {
                end_attempts(&mut transaction, outcome.job, None, "fenced", now).await?;
            }
            transaction.commit().await.doing("end an attempt")
        })
        .await
    }

    async fn hand_back(&self, back: &HandedBack, patience: Patience, now: i64) -> Result<()> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
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
                into_outbox(&mut transaction, back.job).await?;
            }
            transaction.commit().await.doing("take a job back")
        })
        .await
    }

    async fn miss_workers(&self, before: i64, now: i64) -> Result<u64> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            let missed = sqlx::query(
                "UPDATE worker SET gone_at = $2, running = 0 WHERE gone_at IS NULL AND heard_at < $1",
            )
            .bind(before)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("note missing workers")?;
            transaction.commit().await.doing("note missing workers")?;
            Ok(missed.rows_affected())
        })
        .await
    }

    async fn ring_all(&self, before: i64, unheard: Unheard) -> Result<u64> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query(
                "UPDATE job SET sent_at = NULL WHERE state = 'queued' AND sent_at IS NOT NULL AND \
             heard_at < $1 \
             AND ($2 = 1 OR heard_at > sent_at) RETURNING id",
            )
            .bind(before)
            .bind(i64::from(unheard == Unheard::Ring))
            .fetch_all(&mut *transaction)
            .await
            .doing("ring again")?;
            for row in &rows {
                sqlx::query(INTO_OUTBOX)
                    .bind(row.get::<Vec<u8>, _>(0))
                    .execute(&mut *transaction)
                    .await
                    .doing("ring again")?;
            }
            transaction.commit().await.doing("ring again")?;
            Ok(rows.len() as u64)
        })
        .await
    }

    async fn unheard(&self) -> Result<u64> {
        let row = sqlx::query(
            "SELECT count(*) FROM job WHERE state = 'queued' AND sent_at IS NOT NULL AND heard_at <= \
             sent_at",
        )
        .fetch_one(&self.pool)
        .await
        .doing("count jobs that wait")?;
        Ok(u64::try_from(row.get::<i64, _>(0)).unwrap_or(0))
    }

    async fn condemned(&self, patience: Patience, now: i64) -> Result<Vec<(Job, Vec<String>)>> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            // Whoever was heard of after he was lost was not lost.
            let forgiven = sqlx::query(
            "UPDATE attempt SET ending = 'interrupted' WHERE ending = 'worker_lost' AND worker IS NOT NULL \
             AND job_id IN (SELECT id FROM job WHERE state = 'queued' AND hold_until > 0) \
             AND EXISTS (SELECT 1 FROM worker w WHERE w.name = attempt.worker AND w.heard_at > \
             attempt.ended_at + 1000) \
             RETURNING job_id",
        )
        .fetch_all(&mut *transaction)
        .await
        .doing("look after lost workers")?;
            let mut forgiven_of: HashMap<Vec<u8>, i64> = HashMap::new();
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
                        "SELECT coalesce(worker, '') FROM attempt WHERE job_id = $1 AND ending = \
                     'worker_lost' ORDER BY number",
                    )
                    .bind(job)
                    .fetch_all(&mut *transaction)
                    .await
                    .doing("list lost workers")?;
                    let job = Job::decode(row.get::<&[u8], _>(1))
                        .map_err(|_| StoreError::Damaged { what: "a job" })?;
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
                sqlx::query(INTO_OUTBOX)
                    .bind(job)
                    .execute(&mut *transaction)
                    .await
                    .doing("let a job go on")?;
            }
            transaction.commit().await.doing("look after jobs that rest")?;
            Ok(condemned)
        })
        .await
    }

    async fn control(&self, since: i64) -> Result<Control> {
        let draining =
            sqlx::query("SELECT name FROM worker WHERE draining = 1 AND gone_at IS NULL ORDER BY name")
                .fetch_all(&self.pool)
                .await
                .doing("list draining workers")?;
        let batches = sqlx::query(
            "SELECT id, state FROM batch WHERE (state = 'running' AND paused = 1) \
             OR (state = 'cancelled' AND finished_at >= $1) ORDER BY id",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await
        .doing("list batches that rest")?;
        let mut control =
            Control { draining: draining.iter().map(|row| row.get(0)).collect(), ..Control::default() };
        for row in &batches {
            let id = batch_id(row.get(0))?;
            match row.get(1) {
                "running" => control.paused.push(id),
                _ => control.cancelled.push(id),
            }
        }
        Ok(control)
    }

    async fn batches(&self, filter: &BatchFilter) -> Result<Vec<BatchView>> {
        // Ids sort by the time of submission.
        let rows = sqlx::query(
            "SELECT id, labels FROM batch WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR id < \
             $2) ORDER BY id DESC",
        )
        .bind(&filter.state)
        .bind(filter.before.map(|id| id.as_bytes().to_vec()))
        .fetch_all(&self.pool)
        .await
        .doing("list batches")?;
        let mut views = Vec::new();
        for row in rows {
            let labels: BTreeMap<String, String> = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED)?;
            if filter.labels.iter().any(|(key, value)| labels.get(key) != Some(value)) {
                continue;
            }
            views.extend(self.batch(batch_id(row.get(0))?).await?);
            if views.len() >= filter.limit as usize {
                break;
            }
        }
        Ok(views)
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<BatchView>> {
        let bytes = batch.as_bytes().to_vec();
        let row = sqlx::query(
            "SELECT name, state, paused, priority, labels, terms, created_at, finished_at FROM batch \
             WHERE id = $1",
        )
        .bind(&bytes)
        .fetch_optional(&self.pool)
        .await
        .doing("find a batch")?;
        let Some(row) = row else { return Ok(None) };
        let terms: Option<crate::terms::Terms> = serde_json::from_str(row.get(5)).ok();
        let repositories = sqlx::query(
            "SELECT state, count(*), CAST(coalesce(sum(commits_new), 0) AS BIGINT) FROM batch_repository \
             WHERE batch_id = $1 GROUP BY state",
        )
        .bind(&bytes)
        .fetch_all(&self.pool)
        .await
        .doing("count repositories")?;
        let mut counts = RepositoryCounts::default();
        let mut commits_new = 0;
        for row in &repositories {
            let (count, commits): (i64, i64) = (row.get(1), row.get(2));
            counts.total += count;
            commits_new += commits;
            match row.get(0) {
                "surveying" => counts.surveying = count,
                "analysing" => counts.analysing = count,
                "planned" => counts.planned = count,
                "analysed" => counts.analysed = count,
                "empty" => counts.empty = count,
                "failed" => counts.failed = count,
                _ => counts.cancelled = count,
            }
        }
        let jobs = sqlx::query(
            "SELECT state, sent_at IS NOT NULL, count(*), CAST(coalesce(sum(units), 0) AS BIGINT) FROM job \
             WHERE batch_id = $1 GROUP BY 1, 2",
        )
        .bind(&bytes)
        .fetch_all(&self.pool)
        .await
        .doing("count jobs")?;
        let mut job_counts = JobCounts::default();
        let mut commits_done = 0;
        for row in &jobs {
            let (sent, count, units): (bool, i64, i64) = (row.get(1), row.get(2), row.get(3));
            match row.get(0) {
                "queued" if sent => job_counts.sent += count,
                "queued" => job_counts.waiting += count,
                "done" => {
                    job_counts.done += count;
                    commits_done += units;
                }
                "failed" => job_counts.failed += count,
                "dead" => job_counts.dead += count,
                _ => job_counts.cancelled += count,
            }
        }
        let running = sqlx::query(
            "SELECT count(*), CAST(coalesce(sum(CASE j.work WHEN 'slice' THEN a.done ELSE 0 END), 0) \
             AS BIGINT) \
             FROM attempt a JOIN job j ON j.id = a.job_id \
             WHERE a.ended_at IS NULL AND j.batch_id = $1 AND j.state = 'queued' AND j.sent_at IS NOT NULL",
        )
        .bind(&bytes)
        .fetch_one(&self.pool)
        .await
        .doing("count jobs in hand")?;
        let (in_hand, half_done): (i64, i64) = (running.get(0), running.get(1));
        job_counts.running = in_hand.min(job_counts.sent);
        job_counts.sent -= job_counts.running;
        let failures = sqlx::query(
            "SELECT failure_class, count(*) FROM batch_repository WHERE batch_id = $1 AND state = 'failed' \
             GROUP BY failure_class ORDER BY count(*) DESC, failure_class",
        )
        .bind(&bytes)
        .fetch_all(&self.pool)
        .await
        .doing("count failures")?;
        let last = sqlx::query(
            "SELECT name, failure_class, failure_message FROM batch_repository \
             WHERE batch_id = $1 AND state = 'failed' ORDER BY position DESC LIMIT 1",
        )
        .bind(&bytes)
        .fetch_optional(&self.pool)
        .await
        .doing("find a failure")?;
        Ok(Some(BatchView {
            id: batch.to_string(),
            name: row.get(0),
            state: row.get(1),
            paused: row.get::<i64, _>(2) == 1,
            priority: row.get(3),
            labels: serde_json::from_str(row.get(4)).map_err(|_| DAMAGED)?,
            window: terms.map(|terms| terms.window.to_string()).unwrap_or_default(),
            created_at: instant(row.get(6)),
            finished_at: row.get::<Option<i64>, _>(7).map(instant),
            repositories: counts,
            jobs: job_counts,
            commits_new,
            commits_done: (commits_done + half_done).min(commits_new),
            failures: failures
                .iter()
                .map(|row| FailureCount { class: row.get(0), repositories: row.get(1) })
                .collect(),
            last_failure: last.map(|row| FailureView {
                repository: row.get(0),
                class: row.get(1),
                message: row.get::<Option<String>, _>(2).unwrap_or_default(),
            }),
        }))
    }

    async fn batches_between(&self, first: BatchId, last: BatchId) -> Result<Vec<BatchId>> {
        let rows = sqlx::query("SELECT id FROM batch WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT 2")
            .bind(first.as_bytes().to_vec())
            .bind(last.as_bytes().to_vec())
            .fetch_all(&self.pool)
            .await
            .doing("find a batch")?;
        rows.iter().map(|row| batch_id(row.get(0))).collect()
    }

    async fn jobs_between(&self, first: JobId, last: JobId) -> Result<Vec<JobId>> {
        let rows = sqlx::query("SELECT id FROM job WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT 2")
            .bind(id(first))
            .bind(id(last))
            .fetch_all(&self.pool)
            .await
            .doing("find a job")?;
        rows.iter().map(|row| job_id(row.get(0))).collect()
    }

    async fn cancel(&self, batch: BatchId, now: i64) -> Result<Wish> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            let bytes = batch.as_bytes().to_vec();
            let ended = sqlx::query(
                "UPDATE batch SET state = 'cancelled', paused = 0, finished_at = $2 WHERE id = $1 AND \
             state = 'running'",
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
        })
        .await
    }

    async fn set_paused(&self, batch: BatchId, paused: bool) -> Result<Wish> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            let changed = sqlx::query(
                "UPDATE batch SET paused = $2 WHERE id = $1 AND state = 'running' AND paused <> $2",
            )
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
        })
        .await
    }

    async fn retry(&self, batch: BatchId, position: Option<u32>) -> Result<u64> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            let bytes = batch.as_bytes().to_vec();
            let failed = sqlx::query(
                "UPDATE batch_repository SET state = 'surveying', failure_class = NULL, failure_message = \
             NULL, \
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
                    "UPDATE job SET state = 'queued', losses = 0, hold_until = 0, sent_at = NULL, \
                 heard_at = 0, \
                 failure_class = NULL, failure_message = NULL WHERE batch_id = $1 AND position = $2 \
                 AND work = 'survey' RETURNING id",
                )
                .bind(&bytes)
                .bind(position)
                .fetch_all(&mut *transaction)
                .await
                .doing("retry a survey")?;
                for job in &jobs {
                    sqlx::query(INTO_OUTBOX)
                        .bind(job.get::<Vec<u8>, _>(0))
                        .execute(&mut *transaction)
                        .await
                        .doing("retry a survey")?;
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
        })
        .await
    }

    async fn finish(&self, batch: BatchId, now: i64) -> Result<()> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
            sqlx::query(
                "UPDATE batch SET state = 'finished', finished_at = $2 WHERE id = $1 AND state = 'running'",
            )
            .bind(batch.as_bytes().to_vec())
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("finish a batch")?;
            forget_unsent(&mut transaction, batch).await?;
            transaction.commit().await.doing("finish a batch")
        })
        .await
    }

    async fn jobs(&self, filter: &JobFilter, now: i64) -> Result<Vec<JobView>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "{JOBS} WHERE ($1 IS NULL OR j.batch_id = $1) AND ($2 IS NULL OR j.state = $2) \
             AND ($3 IS NULL OR j.id > $3) ORDER BY j.id LIMIT $4"
        )))
        .bind(filter.batch.map(|id| id.as_bytes().to_vec()))
        .bind(&filter.state)
        .bind(filter.after.map(id))
        .bind(i64::from(filter.limit))
        .fetch_all(&self.pool)
        .await
        .doing("list jobs")?;
        rows.iter().map(|row| job_view(row, now)).collect()
    }

    async fn job_history(&self, job: JobId, now: i64) -> Result<Option<JobHistory>> {
        let row = sqlx::query(AssertSqlSafe(format!("{JOBS} WHERE j.id = $1")))
            .bind(id(job))
            .fetch_optional(&self.pool)
            .await
            .doing("find a job")?;
        let Some(row) = row else { return Ok(None) };
        let attempts = sqlx::query(
            "SELECT number, worker, started_at, heard_at, done, ended_at, ending, message FROM attempt \
             WHERE job_id = $1 ORDER BY number",
        )
        .bind(id(job))
        .fetch_all(&self.pool)
        .await
        .doing("list attempts")?;
        let attempt = |row: &Row| AttemptView {
            number: row.get(0),
            worker: row.get(1),
            started_at: instant(row.get(2)),
            heard_at: instant(row.get(3)),
            done: row.get(4),
            ended_at: row.get::<Option<i64>, _>(5).map(instant),
            ending: row.get(6),
            message: row.get(7),
        };
        Ok(Some(JobHistory { job: job_view(&row, now)?, attempts: attempts.iter().map(attempt).collect() }))
    }

    async fn workers(&self) -> Result<Vec<WorkerView>> {
        let rows = sqlx::query(
            "SELECT name, host, version, slots, running, started_at, heard_at, gone_at, draining FROM \
             worker \
             ORDER BY gone_at IS NOT NULL, name",
        )
        .fetch_all(&self.pool)
        .await
        .doing("list workers")?;
        let open =
            sqlx::query("SELECT worker, job_id FROM attempt WHERE ended_at IS NULL AND worker IS NOT NULL")
                .fetch_all(&self.pool)
                .await
                .doing("list attempts")?;
        let mut in_hand: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &open {
            in_hand.entry(row.get(0)).or_default().push(job_id(row.get(1))?.to_string());
        }
        Ok(rows
            .iter()
            .map(|row| {
                let (name, running, gone_at): (String, i64, Option<i64>) =
                    (row.get(0), row.get(4), row.get(7));
                let state = match (gone_at, row.get::<i64, _>(8) == 1, running > 0) {
                    (Some(_), ..) => "gone",
                    (None, true, true) => "draining",
                    (None, true, false) => "drained",
                    (None, false, true) => "busy",
                    (None, false, false) => "idle",
                };
                WorkerView {
                    jobs: in_hand.remove(&name).filter(|_| gone_at.is_none()).unwrap_or_default(),
                    name,
                    host: row.get(1),
                    version: row.get(2),
                    state: state.to_owned(),
                    slots: row.get(3),
                    running,
                    started_at: instant(row.get(5)),
                    heard_at: instant(row.get(6)),
                    gone_at: gone_at.map(instant),
                }
            })
            .collect())
    }

    async fn set_draining(&self, worker: &str, draining: bool) -> Result<Wish> {
        let row = sqlx::query("SELECT draining, gone_at FROM worker WHERE name = $1")
            .bind(worker)
            .fetch_optional(&self.pool)
            .await
            .doing("find a worker")?;
        match row {
            None => return Ok(Wish::NotFound),
            Some(row) if row.get::<Option<i64>, _>(1).is_some() => {
                return Ok(Wish::Conflict("the worker is gone".to_owned()));
            }
            Some(row) if (row.get::<i64, _>(0) == 1) == draining => return Ok(Wish::Already),
            Some(_) => {}
        }
        sqlx::query("UPDATE worker SET draining = $2 WHERE name = $1")
            .bind(worker)
            .bind(i64::from(draining))
            .execute(&self.pool)
            .await
            .doing("drain a worker")?;
        Ok(Wish::Done)
    }

    async fn keep_dead(&self, letter: &DeadLetter, now: i64) -> Result<()> {
        self.again(|| async {
            let digest = blake3::hash(&letter.encode());
            let mut transaction = self.begin().await?;
            sqlx::query(
            "INSERT INTO dead_letter (topic, cause, body, arrived_at, digest) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (digest) DO UPDATE SET arrived_at = excluded.arrived_at",
        )
        .bind(storable(&letter.topic))
        .bind(storable(&letter.cause))
        .bind(letter.body.as_slice())
        .bind(now)
        .bind(digest.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await
        .doing("keep a dead letter")?;
            transaction.commit().await.doing("keep a dead letter")
        })
        .await
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadView>> {
        let rows = sqlx::query(
            "SELECT id, topic, cause, CAST(length(body) AS BIGINT), arrived_at FROM dead_letter ORDER \
             BY id DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .doing("list dead letters")?;
        Ok(rows.iter().map(dead_view).collect())
    }

    async fn dead_letter(&self, id: i64) -> Result<Option<(DeadView, DeadLetter, i64)>> {
        let row = sqlx::query(
            "SELECT id, topic, cause, CAST(length(body) AS BIGINT), arrived_at, body FROM dead_letter \
             WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .doing("find a dead letter")?;
        Ok(row.map(|row| {
            let body: Vec<u8> = row.get(5);
            let hexadecimal = body.iter().map(|byte| format!("{byte:02x}")).collect();
            let letter = DeadLetter { topic: row.get(1), cause: row.get(2), body };
            (DeadView { body: Some(hexadecimal), ..dead_view(&row) }, letter, row.get(4))
        }))
    }

    async fn drop_dead(&self, id: i64, arrived_at: Option<i64>) -> Result<bool> {
        let dropped =
            sqlx::query("DELETE FROM dead_letter WHERE id = $1 AND ($2 IS NULL OR arrived_at = $2)")
                .bind(id)
                .bind(arrived_at)
                .execute(&self.pool)
                .await
                .doing("drop a dead letter")?;
        Ok(dropped.rows_affected() > 0)
    }

    async fn count_dead(&self) -> Result<i64> {
        let row = sqlx::query("SELECT count(*) FROM dead_letter")
            .fetch_one(&self.pool)
            .await
            .doing("count dead letters")?;
        Ok(row.get(0))
    }

    async fn sources(&self, limit: u32) -> Result<Vec<SourceView>> {
        let rows = sqlx::query("SELECT id FROM repository ORDER BY source LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .doing("list repositories")?;
        let mut sources = Vec::with_capacity(rows.len());
        for row in &rows {
            sources.extend(self.source(row.get(0)).await?);
        }
        Ok(sources)
    }

    async fn source(&self, id: i64) -> Result<Option<SourceView>> {
        let row = sqlx::query(
            "SELECT source, (SELECT count(DISTINCT batch_id) FROM batch_repository b WHERE \
             b.repository_id = r.id) \
             FROM repository r WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .doing("find a repository")?;
        let Some(row) = row else { return Ok(None) };
        let snapshots = sqlx::query(
            "SELECT revisions, head, branch, \
             (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) FROM snapshot n \
             WHERE repository_id = $1 ORDER BY revisions",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .doing("list snapshots")?;
        let snapshot = |row: &Row| SnapshotView {
            revisions: row.get(0),
            head: row
                .get::<Option<Vec<u8>>, _>(1)
                .and_then(|id| Some(ObjectId::try_from(id.as_slice()).ok()?.to_string())),
            branch: row.get(2),
            commits: row.get(3),
        };
        Ok(Some(SourceView {
            id,
            source: row.get(0),
            batches: row.get(1),
            snapshots: snapshots.iter().map(snapshot).collect(),
        }))
    }

    async fn forget_source(&self, id: i64) -> Result<Wish> {
        self.again(|| async {
            let mut transaction = self.begin().await?;
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
                sqlx::query(statement)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .doing("forget a repository")?;
            }
            transaction.commit().await.doing("forget a repository")?;
            Ok(Wish::Done)
        })
        .await
    }

    async fn reports(&self, limit: u32) -> Result<Vec<ReportView>> {
        let rows = sqlx::query(
            "SELECT r.batch_id, b.name, EXISTS (SELECT 1 FROM published p WHERE p.batch_id = r.batch_id), \
             b.finished_at, CAST(length(r.content) AS BIGINT) FROM report r JOIN batch b ON b.id = \
             r.batch_id \
             ORDER BY r.batch_id DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .doing("list reports")?;
        rows.iter()
            .map(|row| {
                Ok(ReportView {
                    batch: batch_id(row.get(0))?.to_string(),
                    name: row.get(1),
                    published: row.get(2),
                    created_at: row.get::<Option<i64>, _>(3).map(instant),
                    bytes: row.get(4),
                })
            })
            .collect()
    }

    async fn report(&self, batch: BatchId) -> Result<Option<(String, String)>> {
        let row = sqlx::query("SELECT content, manifest FROM report WHERE batch_id = $1")
            .bind(batch.as_bytes().to_vec())
            .fetch_optional(&self.pool)
            .await
            .doing("find a report")?;
        Ok(row.map(|row| (row.get(0), row.get(1))))
    }

    async fn leader(&self, now: i64) -> Result<Option<String>> {
        let row = sqlx::query("SELECT holder FROM leadership WHERE expires_at > $1")
            .bind(now)
            .fetch_optional(&self.pool)
            .await
            .doing("find the leader")?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn lead(&self, holder: &str, held: Option<Term>, ttl: Duration) -> Result<Option<Term>> {
        self.again(|| self.take_lead(holder, held, ttl)).await
    }

    async fn resign(&self, term: Term) -> Result<()> {
        self.again(|| self.give_up_lead(term)).await
    }

    fn fenced(&self, term: Term) -> Arc<dyn Ledger> {
        if gitfleet_shared::sabotaged!("no_fence") {
            return Arc::new(self.clone());
        }
        Arc::new(self.under(term))
    }

    async fn describe(&self) -> Result<String> {
        let row = sqlx::query(VERSION).fetch_one(&self.pool).await.doing("tell its version")?;
        Ok(row.get(0))
    }
}

const JOBS: &str = "SELECT j.id, j.batch_id, b.name, j.work, j.units, j.state, j.losses, j.sent_at, \
    j.hold_until, \
     j.failure_class, j.failure_message, \
     EXISTS (SELECT 1 FROM attempt a WHERE a.job_id = j.id AND a.ended_at IS NULL) \
     FROM job j JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position";

fn job_view(row: &Row, now: i64) -> Result<JobView> {
    let (state, sent_at, hold_until): (String, Option<i64>, i64) = (row.get(5), row.get(7), row.get(8));
    let held = state == "queued" && sent_at.is_none() && hold_until > now;
    let shown = match state.as_str() {
        "queued" if held => "held",
        "queued" if sent_at.is_none() => "waiting",
        "queued" if row.get(11) => "running",
        "queued" => "sent",
        state => state,
    };
    Ok(JobView {
        id: job_id(row.get(0))?.to_string(),
        batch: batch_id(row.get(1))?.to_string(),
        repository: row.get(2),
        work: row.get(3),
        units: row.get(4),
        state: shown.to_owned(),
        losses: row.get(6),
        sent_at: sent_at.map(instant),
        held_until: held.then(|| instant(hold_until)),
        failure_class: row.get(9),
        failure_message: row.get(10),
    })
}

fn dead_view(row: &Row) -> DeadView {
    DeadView {
        id: row.get(0),
        topic: row.get(1),
        cause: row.get(2),
        bytes: row.get(3),
        arrived_at: instant(row.get(4)),
        body: None,
    }
}

async fn hear(connection: &mut Connection, heartbeat: &Heartbeat, now: i64) -> Result<()> {
    let worker = &heartbeat.worker;
    let name = storable(&worker.name);
    sqlx::query(
        "INSERT INTO worker (name, started_at, heard_at, slots, running, version, host, gone_at) \
         VALUES ($1, $2, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET heard_at = \
         excluded.heard_at, \
         slots = excluded.slots, running = excluded.running, gone_at = excluded.gone_at",
    )
    .bind(&*name)
    .bind(now)
    .bind(i64::from(heartbeat.slots))
    .bind(i64::try_from(heartbeat.running.len()).unwrap_or(i64::MAX))
    .bind(storable(&worker.version))
    .bind(storable(&worker.host))
    .bind(heartbeat.leaving.then_some(now))
    .execute(&mut *connection)
    .await
    .doing("note a worker")?;
    for running in &heartbeat.running {
        let done = i64::try_from(running.done).unwrap_or(i64::MAX);
        let known =
            sqlx::query("UPDATE job SET heard_at = $2 WHERE id = $1 AND state = 'queued' AND heard_at < $2")
                .bind(id(running.job))
                .bind(now)
                .execute(&mut *connection)
                .await
                .doing("note a sign of life")?;
        if known.rows_affected() == 0 {
            continue;
        }
        let open = sqlx::query(
            "UPDATE attempt SET heard_at = $3, done = $4 WHERE job_id = $1 AND worker = $2 AND \
             ended_at IS NULL",
        )
        .bind(id(running.job))
        .bind(&*name)
        .bind(now)
        .bind(done)
        .execute(&mut *connection)
        .await
        .doing("note a sign of life")?;
        if open.rows_affected() == 0 {
            sqlx::query(
                "INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done) \
                 SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $3, $4 FROM attempt WHERE job_id = $1",
            )
            .bind(id(running.job))
            .bind(&*name)
            .bind(now)
            .bind(done)
            .execute(&mut *connection)
            .await
            .doing("note an attempt")?;
        }
    }
    Ok(())
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
             SELECT $1, coalesce(max(number), 0) + 1, $2, $2, 0, $2, 'worker_lost' FROM attempt WHERE \
             job_id = $1",
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
async fn end_attempts(
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

async fn into_outbox(connection: &mut Connection, job: JobId) -> Result<()> {
    sqlx::query(INTO_OUTBOX).bind(id(job)).execute(connection).await.doing("ring again")?;
    Ok(())
}

async fn state_of(connection: &mut Connection, batch: BatchId) -> Result<Option<String>> {
    let row = sqlx::query("SELECT state FROM batch WHERE id = $1")
        .bind(batch.as_bytes().to_vec())
        .fetch_optional(connection)
        .await
        .doing("find a batch")?;
    Ok(row.map(|row| row.get(0)))
}

fn id(job: JobId) -> Vec<u8> {
    job.as_bytes().to_vec()
}

fn batch_id(bytes: Vec<u8>) -> Result<BatchId> {
    bytes.try_into().map(BatchId::from_bytes).map_err(|_| DAMAGED)
}

fn job_id(bytes: Vec<u8>) -> Result<JobId> {
    bytes.try_into().map(JobId::from_bytes).map_err(|_| StoreError::Damaged { what: "a job" })
}

/// Returns UTC milliseconds as views show them.
fn instant(millis: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
