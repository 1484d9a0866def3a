//! What was done by the hour, and what went wrong.

use sqlx::Row as _;

use super::{Database, Doing as _};
use crate::store::Result;
use crate::store::ledger::{Ended, Throughput};

pub(super) async fn since(database: &Database, since: i64) -> Result<Throughput> {
    let ended = sqlx::query(
        "SELECT ended_at / 3600000, ending, count(*), CAST(sum(ended_at - started_at) AS BIGINT) FROM attempt \
         WHERE ended_at >= $1 AND ending IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .bind(since)
    .fetch_all(&database.pool)
    .await
    .doing("count attempts")?;
    let failures = sqlx::query(
        "SELECT coalesce(j.failure_class, 'unknown'), count(DISTINCT j.id) FROM attempt a \
         JOIN job j ON j.id = a.job_id WHERE a.ended_at >= $1 AND a.ending = 'failed' \
         GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    .bind(since)
    .fetch_all(&database.pool)
    .await
    .doing("count failures")?;
    Ok(Throughput {
        ended: ended
            .iter()
            .map(|row| Ended {
                hour: row.get(0),
                ending: row.get(1),
                attempts: row.get(2),
                millis: row.get(3),
            })
            .collect(),
        failures: failures.iter().map(|row| (row.get(0), row.get(1))).collect(),
    })
}
