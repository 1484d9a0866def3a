//! How far batches are, counted by the same few statements whether they are one or many.

use std::collections::HashMap;

use sqlx::Row as _;

use super::by_batch::by_batch;
use super::{Connection, Doing as _};
use crate::store::Result;
use crate::view::{FailureCount, FailureView, JobCounts, RepositoryCounts};

#[derive(Default)]
pub(super) struct Counts {
    pub(super) repositories: RepositoryCounts,
    pub(super) jobs: JobCounts,
    pub(super) commits_new: i64,
    pub(super) commits_done: i64,
    pub(super) failures: Vec<FailureCount>,
    pub(super) last_failure: Option<FailureView>,
}

/// By the ids of the batches. One of which nothing is there is not in it.
pub(super) type Counted = HashMap<Vec<u8>, Counts>;

/// Counts what there is of `batches`.
pub(super) async fn count(connection: &mut Connection, batches: &[Vec<u8>]) -> Result<Counted> {
    let mut counted = Counted::new();
    count_repositories(connection, batches, &mut counted).await?;
    count_jobs(connection, batches, &mut counted).await?;
    count_jobs_in_hand(connection, batches, &mut counted).await?;
    if counted.values().any(|counts| counts.repositories.failed > 0) {
        find_last_failures(connection, batches, &mut counted).await?;
    }
    Ok(counted)
}

async fn count_repositories(
    connection: &mut Connection,
    batches: &[Vec<u8>],
    counted: &mut Counted,
) -> Result<()> {
    let rows = by_batch(
        "SELECT batch_id, state, failure_class, count(*), CAST(coalesce(sum(commits_new), 0) AS BIGINT) \
         FROM batch_repository WHERE batch_id",
        batches,
        "GROUP BY batch_id, state, failure_class ORDER BY count(*) DESC, failure_class",
    )
    .fetch_all(connection)
    .await
    .doing("count repositories")?;
    for row in &rows {
        let counts = counted.entry(row.get(0)).or_default();
        let (count, commits): (i64, i64) = (row.get(3), row.get(4));
        counts.commits_new += commits;
        let repositories = &mut counts.repositories;
        repositories.total += count;
        match row.get(1) {
            "surveying" => repositories.surveying += count,
            "analysing" => repositories.analysing += count,
            "planned" => repositories.planned += count,
            "analysed" => repositories.analysed += count,
            "empty" => repositories.empty += count,
            "failed" => {
                repositories.failed += count;
                counts.failures.push(FailureCount { class: row.get(2), repositories: count });
            }
            _ => repositories.cancelled += count,
        }
    }
    Ok(())
}

async fn count_jobs(connection: &mut Connection, batches: &[Vec<u8>], counted: &mut Counted) -> Result<()> {
    let rows = by_batch(
        "SELECT batch_id, state, sent_at IS NOT NULL, count(*), CAST(coalesce(sum(units), 0) AS BIGINT) \
         FROM job WHERE batch_id",
        batches,
        "GROUP BY 1, 2, 3",
    )
    .fetch_all(connection)
    .await
    .doing("count jobs")?;
    for row in &rows {
        let counts = counted.entry(row.get(0)).or_default();
        let (sent, count, units): (bool, i64, i64) = (row.get(2), row.get(3), row.get(4));
        let jobs = &mut counts.jobs;
        match row.get(1) {
            "queued" if sent => jobs.sent += count,
            "queued" => jobs.waiting += count,
            "done" => {
                jobs.done += count;
                counts.commits_done += units;
            }
            "failed" => jobs.failed += count,
            "dead" => jobs.dead += count,
            _ => jobs.cancelled += count,
        }
    }
    Ok(())
}

/// Takes jobs in hand from those that were sent, and adds what is done of them. Needs both counted before.
async fn count_jobs_in_hand(
    connection: &mut Connection,
    batches: &[Vec<u8>],
    counted: &mut Counted,
) -> Result<()> {
    let rows = by_batch(
        "SELECT j.batch_id, count(*), \
                CAST(coalesce(sum(CASE j.work WHEN 'slice' THEN a.done ELSE 0 END), 0) AS BIGINT) \
         FROM attempt a JOIN job j ON j.id = a.job_id \
         WHERE a.ended_at IS NULL AND j.state = 'queued' AND j.sent_at IS NOT NULL AND j.batch_id",
        batches,
        "GROUP BY j.batch_id",
    )
    .fetch_all(connection)
    .await
    .doing("count jobs in hand")?;
    for row in &rows {
        let counts = counted.entry(row.get(0)).or_default();
        let (in_hand, half_done): (i64, i64) = (row.get(1), row.get(2));
        counts.jobs.running = in_hand.min(counts.jobs.sent);
        counts.jobs.sent -= counts.jobs.running;
        counts.commits_done += half_done;
    }
    for counts in counted.values_mut() {
        counts.commits_done = counts.commits_done.min(counts.commits_new);
    }
    Ok(())
}

async fn find_last_failures(
    connection: &mut Connection,
    batches: &[Vec<u8>],
    counted: &mut Counted,
) -> Result<()> {
    let rows = by_batch(
        "SELECT b.batch_id, b.name, b.failure_class, b.failure_message FROM batch_repository b \
         JOIN (SELECT batch_id, max(position) AS position FROM batch_repository \
               WHERE state = 'failed' AND batch_id",
        batches,
        "GROUP BY batch_id) l ON l.batch_id = b.batch_id AND l.position = b.position",
    )
    .fetch_all(connection)
    .await
    .doing("find failures")?;
    for row in &rows {
        counted.entry(row.get(0)).or_default().last_failure = Some(FailureView {
            repository: row.get(1),
            class: row.get(2),
            message: row.get::<Option<String>, _>(3).unwrap_or_default(),
        });
    }
    Ok(())
}
