//! Repositories that were ever submitted, as operators see them.

use gitfleet_shared::object_id::ObjectId;
use sqlx::{AssertSqlSafe, Row as _};

use super::sight::is_visible;
use super::{Database, Doing as _, Row};
use crate::access::Scope;
use crate::store::Result;
use crate::view::{SnapshotView, SourceView};

/// Returns the condition that a batch of the scope in parameter `place` named a repository `r`.
fn named(place: usize) -> String {
    let visible = is_visible("n.batch_id", place);
    format!(
        "(${place} IS NULL OR EXISTS (SELECT 1 FROM batch_repository n WHERE n.repository_id = r.id AND {visible}))"
    )
}

pub(super) async fn list(database: &Database, scope: &Scope, limit: u32) -> Result<Vec<SourceView>> {
    let statement = format!("SELECT r.id FROM repository r WHERE {} ORDER BY r.source LIMIT $1", named(2));
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(i64::from(limit))
        .bind(scope.stored())
        .fetch_all(&database.pool)
        .await
        .doing("list repositories")?;
    let mut sources = Vec::with_capacity(rows.len());
    for row in &rows {
        sources.extend(find(database, row.get(0), scope).await?);
    }
    Ok(sources)
}

pub(super) async fn find(database: &Database, id: i64, scope: &Scope) -> Result<Option<SourceView>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT r.source, \
         (SELECT count(DISTINCT c.batch_id) FROM batch_repository c WHERE c.repository_id = r.id AND {}) \
         FROM repository r WHERE r.id = $1 AND {}",
        is_visible("c.batch_id", 2),
        named(2)
    )))
    .bind(id)
    .bind(scope.stored())
    .fetch_optional(&database.pool)
    .await
    .doing("find a repository")?;
    let Some(row) = row else { return Ok(None) };
    let snapshots = sqlx::query(
        "SELECT revisions, head, branch, \
         (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) FROM snapshot n \
         WHERE repository_id = $1 ORDER BY revisions",
    )
    .bind(id)
    .fetch_all(&database.pool)
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
