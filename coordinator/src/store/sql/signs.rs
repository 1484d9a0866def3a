//! The fleet as a whole, in a few questions that are answered from indexes, however many jobs wait.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::{Connection, Database, Doing as _, STORE_BYTES};
use crate::scale::{Amount, Demand, InHand};
use crate::store::Result;
use crate::vital::{MOST_REPORTS, Signs, Workers};

/// Attempts that a prediction is made of.
const HISTORY: i64 = 1_000;

pub(super) async fn look(database: &Database, now: i64) -> Result<Signs> {
    let mut transaction = database.begin_reading().await?;
    let connection = &mut *transaction;
    let signs = Signs {
        batches_running: number(connection, "SELECT count(*) FROM batch WHERE state = 'running'").await?,
        demand: demand(connection, now).await?,
        oldest_queued_since: oldest(connection).await?,
        workers: workers(connection).await?,
        dead_letters: number(connection, "SELECT count(*) FROM dead_letter").await?,
        reports: reports(connection).await?,
        store_bytes: number(connection, STORE_BYTES).await?,
    };
    transaction.rollback().await.doing("leave it")?;
    Ok(signs)
}

async fn number(connection: &mut Connection, query: &'static str) -> Result<u64> {
    let row = sqlx::query(query).fetch_one(connection).await.doing("tell how the fleet is")?;
    Ok(count(row.get(0)))
}

async fn demand(connection: &mut Connection, now: i64) -> Result<Demand> {
    let waiting = sqlx::query(
        "SELECT j.work, count(*), CAST(coalesce(sum(j.units), 0) AS BIGINT) \
         FROM batch b JOIN job j ON j.batch_id = b.id AND j.state = 'queued' \
         WHERE b.state = 'running' AND b.paused = 0 GROUP BY j.work",
    )
    .fetch_all(&mut *connection)
    .await
    .doing("sum up what waits")?;
    let mut waiting: BTreeMap<String, Amount> = waiting
        .iter()
        .map(|row| (row.get(0), Amount { jobs: count(row.get(1)), units: count(row.get(2)) }))
        .collect();
    // Somebody who lost sight of the queue and somebody else may have the same job: it is one job.
    let in_hand = sqlx::query(
        "SELECT j.work, j.units, min(a.started_at), b.paused \
         FROM attempt a JOIN job j ON j.id = a.job_id JOIN batch b ON b.id = j.batch_id \
         WHERE a.ended_at IS NULL AND j.state = 'queued' AND b.state = 'running' \
         GROUP BY j.id, j.work, j.units, b.paused",
    )
    .fetch_all(&mut *connection)
    .await
    .doing("list jobs in hand")?;
    let in_hand: Vec<InHand> = in_hand
        .iter()
        .map(|row| {
            let (work, units): (String, u64) = (row.get(0), count(row.get(1)));
            if row.get::<i64, _>(3) == 0
                && let Some(amount) = waiting.get_mut(&work)
            {
                amount.jobs = amount.jobs.saturating_sub(1);
                amount.units = amount.units.saturating_sub(units);
            }
            InHand { work, units, elapsed_millis: count(now.saturating_sub(row.get(2))) }
        })
        .collect();
    waiting.retain(|_, amount| amount.jobs > 0);
    let busy = "SELECT count(DISTINCT worker) FROM attempt WHERE ended_at IS NULL AND worker IS NOT NULL";
    let leases =
        "SELECT count(*) FROM job WHERE state = 'queued' AND sent_at IS NOT NULL AND heard_at > sent_at";
    Ok(Demand {
        waiting,
        in_hand,
        busy_workers: number(connection, busy).await?,
        leases: number(connection, leases).await?,
        history: history(connection).await?,
    })
}

async fn history(connection: &mut Connection) -> Result<BTreeMap<String, (Amount, u64)>> {
    let rows = sqlx::query(
        "SELECT t.work, count(*), CAST(sum(t.units) AS BIGINT), CAST(sum(t.millis) AS BIGINT) \
         FROM (SELECT j.work, j.units, a.ended_at - a.started_at AS millis \
               FROM (SELECT job_id, started_at, ended_at FROM attempt \
                     WHERE ended_at IS NOT NULL AND ending = 'ok' ORDER BY ended_at DESC LIMIT $1) a \
               JOIN job j ON j.id = a.job_id) t GROUP BY t.work",
    )
    .bind(HISTORY)
    .fetch_all(connection)
    .await
    .doing("sum up what was done")?;
    let done = |row: &super::Row| Amount { jobs: count(row.get(1)), units: count(row.get(2)) };
    Ok(rows.iter().map(|row| (row.get(0), (done(row), count(row.get(3))))).collect())
}

/// What is sent waits on the queue since then, and what is not in the outbox since it came there.
async fn oldest(connection: &mut Connection) -> Result<Option<i64>> {
    let row = sqlx::query(
        "SELECT (SELECT o.since FROM outbox o JOIN batch b ON b.id = o.batch_id WHERE b.paused = 0 \
                 ORDER BY o.sequence LIMIT 1), \
                (SELECT min(j.sent_at) FROM job j JOIN batch b ON b.id = j.batch_id \
                 WHERE j.state = 'queued' AND j.sent_at IS NOT NULL AND j.heard_at <= j.sent_at AND b.paused = 0)",
    )
    .fetch_one(connection)
    .await
    .doing("find what waits for longest")?;
    let (waits, sent): (Option<i64>, Option<i64>) = (row.get(0), row.get(1));
    Ok(waits.into_iter().chain(sent).min())
}

async fn workers(connection: &mut Connection) -> Result<Workers> {
    let rows = sqlx::query(
        "SELECT CASE WHEN gone_at IS NOT NULL THEN 2 ELSE draining END, count(*), CAST(sum(slots) AS BIGINT) \
         FROM worker GROUP BY 1",
    )
    .fetch_all(connection)
    .await
    .doing("count workers")?;
    let mut of = [(0, 0); 3];
    for row in &rows {
        let state = usize::try_from(row.get::<i64, _>(0)).unwrap_or(0).min(2);
        of[state] = (count(row.get(1)), count(row.get(2)));
    }
    let [active, draining, gone] = of;
    let mean =
        |(workers, slots): (u64, u64)| (workers > 0 && slots > 0).then(|| slots as f64 / workers as f64);
    let there = (active.0 + draining.0, active.1 + draining.1);
    let slots_per_worker = mean(there).or_else(|| mean(gone));
    Ok(Workers { active: active.0, draining: draining.0, gone: gone.0, slots_per_worker })
}

async fn reports(connection: &mut Connection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query(
        "SELECT p.name, b.finished_at FROM published p JOIN batch b ON b.id = p.batch_id \
         WHERE b.finished_at IS NOT NULL ORDER BY b.finished_at DESC, p.name LIMIT $1",
    )
    .bind(i64::from(MOST_REPORTS))
    .fetch_all(connection)
    .await
    .doing("list publications")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn count(things: i64) -> u64 {
    u64::try_from(things).unwrap_or(0)
}
