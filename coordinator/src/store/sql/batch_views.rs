//! Batches, as the leader and the operators see them.

use std::collections::BTreeMap;

use gitfleet_shared::ids::BatchId;
use gitfleet_shared::trace::TraceContext;
use sqlx::{AssertSqlSafe, Row as _};

use super::batch_counts::{Counts, count};
use super::by_batch::by_batch;
use super::columns::{DAMAGED_BATCH, batch_id, instant};
use super::sight::visible;
use super::{Connection, Database, Doing as _, Row};
use crate::access::Scope;
use crate::store::Result;
use crate::store::ledger::{BatchFilter, RunningBatch};
use crate::terms::Terms;
use crate::view::BatchView;

pub(super) async fn running(database: &Database) -> Result<Vec<RunningBatch>> {
    let rows = sqlx::query(
        "SELECT b.id, b.name, b.priority, b.paused, b.terms, b.created_at, \
         coalesce(o.jobs, 0), \
         NOT EXISTS (SELECT 1 FROM batch_repository r \
                     WHERE r.batch_id = b.id AND r.state IN ('surveying', 'analysing')), b.trace \
         FROM batch b LEFT JOIN (SELECT batch_id, count(*) AS jobs FROM job \
                                 WHERE state = 'queued' AND sent_at IS NOT NULL GROUP BY batch_id) o \
         ON o.batch_id = b.id WHERE b.state = 'running' ORDER BY b.priority DESC, b.created_at, b.id",
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
                created_at: row.get(5),
                sent: u64::try_from(row.get::<i64, _>(6)).unwrap_or(0),
                settled: row.get(7),
                trace: row.get::<Option<&str>, _>(8).and_then(TraceContext::parse),
            })
        })
        .collect()
}

/// As of one moment, so that the counts of a view belong together.
pub(super) async fn config(database: &Database, batch: BatchId) -> Result<String> {
    let row = sqlx::query("SELECT config FROM batch WHERE id = $1")
        .bind(batch.as_bytes().to_vec())
        .fetch_one(&database.pool)
        .await
        .doing("find a batch")?;
    Ok(row.get(0))
}

pub(super) async fn list(database: &Database, filter: &BatchFilter) -> Result<Vec<BatchView>> {
    let mut transaction = database.begin_reading().await?;
    let batches = matching(&mut transaction, filter).await?;
    let views = views(&mut transaction, &batches).await?;
    transaction.rollback().await.doing("leave it")?;
    Ok(views)
}

pub(super) async fn find(database: &Database, batch: BatchId) -> Result<Option<BatchView>> {
    let mut transaction = database.begin_reading().await?;
    let mut views = views(&mut transaction, &[batch.as_bytes().to_vec()]).await?;
    transaction.rollback().await.doing("leave it")?;
    Ok(views.pop())
}

/// Returns the ids of the batches that `filter` lets through, the latest first.
async fn matching(connection: &mut Connection, filter: &BatchFilter) -> Result<Vec<Vec<u8>>> {
    // Labels are looked at here, so only where nobody asks for them the first rows are the answer.
    let rows = if filter.labels.is_empty() { i64::from(filter.limit) } else { i64::MAX };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT b.id, b.labels FROM batch b WHERE ($1 IS NULL OR b.state = $1) AND ($2 IS NULL OR b.id < $2) \
         AND {} ORDER BY b.id DESC LIMIT $3",
        visible(4)
    )))
    .bind(&filter.state)
    .bind(filter.before.map(|id| id.as_bytes().to_vec()))
    .bind(rows)
    .bind(filter.scope.stored())
    .fetch_all(connection)
    .await
    .doing("list batches")?;
    let mut batches = Vec::new();
    for row in &rows {
        let labels: BTreeMap<String, String> = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED_BATCH)?;
        if filter.labels.iter().all(|(key, value)| labels.get(key) == Some(value)) {
            batches.push(row.get(0));
        }
    }
    batches.truncate(filter.limit as usize);
    Ok(batches)
}

/// Returns the views of those of `batches` that there are, the latest first: ids sort by the time of submission.
async fn views(connection: &mut Connection, batches: &[Vec<u8>]) -> Result<Vec<BatchView>> {
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let rows = by_batch(
        "SELECT id, name, state, paused, priority, labels, terms, created_at, finished_at FROM batch WHERE id",
        batches,
        "ORDER BY id DESC",
    )
    .fetch_all(&mut *connection)
    .await
    .doing("list batches")?;
    let mut counted = count(connection, batches).await?;
    rows.iter().map(|row| view(row, counted.remove(row.get::<&[u8], _>(0)).unwrap_or_default())).collect()
}

fn view(row: &Row, counts: Counts) -> Result<BatchView> {
    let terms: Option<Terms> = serde_json::from_str(row.get(6)).ok();
    let Counts { repositories, jobs, commits_new, commits_done, failures, last_failure } = counts;
    Ok(BatchView {
        id: batch_id(row.get(0))?.to_string(),
        name: row.get(1),
        state: row.get(2),
        paused: row.get::<i64, _>(3) == 1,
        priority: row.get(4),
        labels: serde_json::from_str(row.get(5)).map_err(|_| DAMAGED_BATCH)?,
        window: terms.map(|terms| terms.window.to_string()).unwrap_or_default(),
        created_at: instant(row.get(7)),
        finished_at: row.get::<Option<i64>, _>(8).map(instant),
        repositories,
        jobs,
        commits_new,
        commits_done,
        failures,
        last_failure,
    })
}

pub(super) async fn between(
    database: &Database,
    first: BatchId,
    last: BatchId,
    scope: &Scope,
) -> Result<Vec<BatchId>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT b.id FROM batch b WHERE b.id >= $1 AND b.id <= $2 AND {} ORDER BY b.id LIMIT 2",
        visible(3)
    )))
    .bind(first.as_bytes().to_vec())
    .bind(last.as_bytes().to_vec())
    .bind(scope.stored())
    .fetch_all(&database.pool)
    .await
    .doing("find a batch")?;
    rows.iter().map(|row| batch_id(row.get(0))).collect()
}
