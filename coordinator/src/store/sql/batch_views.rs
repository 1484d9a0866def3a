//! Batches, as the leader and the operators see them.

use std::collections::BTreeMap;

use gitfleet_shared::ids::BatchId;
use sqlx::Row as _;

use super::columns::{DAMAGED_BATCH, batch_id, instant};
use super::{Database, Doing as _};
use crate::store::Result;
use crate::store::ledger::{BatchFilter, RunningBatch};
use crate::view::{BatchView, FailureCount, FailureView, JobCounts, RepositoryCounts};

pub(super) async fn running(database: &Database) -> Result<Vec<RunningBatch>> {
    let rows = sqlx::query(
        "SELECT b.id, b.name, b.priority, b.paused, b.terms, b.config, b.created_at, \
         (SELECT count(*) FROM job j WHERE j.batch_id = b.id AND j.state = 'queued' \
          AND j.sent_at IS NOT NULL), \
         NOT EXISTS (SELECT 1 FROM batch_repository r \
                     WHERE r.batch_id = b.id AND r.state IN ('surveying', 'analysing')) \
         FROM batch b WHERE b.state = 'running' ORDER BY b.priority DESC, b.created_at, b.id",
    )
    .fetch_all(&database.pool)
    .await
    .doing("list running batches")?;
    rows.iter()
        .map(|row| {
            Ok(RunningBatch {
                id: batch_id(row.get(0))?,
                name: row.get(1),
                priority: row.get(2),
                paused: row.get::<i64, _>(3) == 1,
                terms: serde_json::from_str(row.get(4)).map_err(|_| DAMAGED_BATCH)?,
                config: row.get(5),
                created_at: row.get(6),
                sent: u64::try_from(row.get::<i64, _>(7)).unwrap_or(0),
                settled: row.get(8),
            })
        })
        .collect()
}

pub(super) async fn list(database: &Database, filter: &BatchFilter) -> Result<Vec<BatchView>> {
    // Ids sort by the time of submission.
    let rows = sqlx::query(
        "SELECT id, labels FROM batch WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR id < $2) \
         ORDER BY id DESC",
    )
    .bind(&filter.state)
    .bind(filter.before.map(|id| id.as_bytes().to_vec()))
    .fetch_all(&database.pool)
    .await
    .doing("list batches")?;
    let mut views = Vec::new();
    for row in rows {
        let labels: BTreeMap<String, String> = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED_BATCH)?;
        if filter.labels.iter().any(|(key, value)| labels.get(key) != Some(value)) {
            continue;
        }
        views.extend(find(database, batch_id(row.get(0))?).await?);
        if views.len() >= filter.limit as usize {
            break;
        }
    }
    Ok(views)
}

pub(super) async fn find(database: &Database, batch: BatchId) -> Result<Option<BatchView>> {
    let bytes = batch.as_bytes().to_vec();
    let row = sqlx::query(
        "SELECT name, state, paused, priority, labels, terms, created_at, finished_at FROM batch \
         WHERE id = $1",
    )
    .bind(&bytes)
    .fetch_optional(&database.pool)
    .await
    .doing("find a batch")?;
    let Some(row) = row else { return Ok(None) };
    let terms: Option<crate::terms::Terms> = serde_json::from_str(row.get(5)).ok();
    let repositories = sqlx::query(
        "SELECT state, count(*), CAST(coalesce(sum(commits_new), 0) AS BIGINT) FROM batch_repository \
         WHERE batch_id = $1 GROUP BY state",
    )
    .bind(&bytes)
    .fetch_all(&database.pool)
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
    .fetch_all(&database.pool)
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
         AS BIGINT) FROM attempt a JOIN job j ON j.id = a.job_id \
         WHERE a.ended_at IS NULL AND j.batch_id = $1 AND j.state = 'queued' AND j.sent_at IS NOT NULL",
    )
    .bind(&bytes)
    .fetch_one(&database.pool)
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
    .fetch_all(&database.pool)
    .await
    .doing("count failures")?;
    let last = sqlx::query(
        "SELECT name, failure_class, failure_message FROM batch_repository \
         WHERE batch_id = $1 AND state = 'failed' ORDER BY position DESC LIMIT 1",
    )
    .bind(&bytes)
    .fetch_optional(&database.pool)
    .await
    .doing("find a failure")?;
    Ok(Some(BatchView {
        id: batch.to_string(),
        name: row.get(0),
        state: row.get(1),
        paused: row.get::<i64, _>(2) == 1,
        priority: row.get(3),
        labels: serde_json::from_str(row.get(4)).map_err(|_| DAMAGED_BATCH)?,
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

pub(super) async fn between(database: &Database, first: BatchId, last: BatchId) -> Result<Vec<BatchId>> {
    let rows = sqlx::query("SELECT id FROM batch WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT 2")
        .bind(first.as_bytes().to_vec())
        .bind(last.as_bytes().to_vec())
        .fetch_all(&database.pool)
        .await
        .doing("find a batch")?;
    rows.iter().map(|row| batch_id(row.get(0))).collect()
}
