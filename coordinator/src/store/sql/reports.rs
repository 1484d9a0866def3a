//! Reports, as they were made.

use gitfleet_shared::ids::BatchId;
use sqlx::{AssertSqlSafe, Row as _};

use super::columns::{batch_id, instant};
use super::sight::visible;
use super::{Database, Doing as _};
use crate::access::Scope;
use crate::store::Result;
use crate::view::ReportView;

pub(super) async fn list(database: &Database, scope: &Scope, limit: u32) -> Result<Vec<ReportView>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT r.batch_id, b.name, EXISTS (SELECT 1 FROM published p WHERE p.batch_id = r.batch_id), \
         b.finished_at, CAST(length(r.content) AS BIGINT) FROM report r \
         JOIN batch b ON b.id = r.batch_id WHERE {} ORDER BY r.batch_id DESC LIMIT $1",
        visible(2)
    )))
    .bind(i64::from(limit))
    .bind(scope.stored())
    .fetch_all(&database.pool)
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

pub(super) async fn find(database: &Database, batch: BatchId) -> Result<Option<(String, String)>> {
    let row = sqlx::query("SELECT content, manifest FROM report WHERE batch_id = $1")
        .bind(batch.as_bytes().to_vec())
        .fetch_optional(&database.pool)
        .await
        .doing("find a report")?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}
