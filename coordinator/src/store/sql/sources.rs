//! Repositories that were ever submitted, as operators see them.

use gitfleet_shared::object_id::ObjectId;
use sqlx::Row as _;

use super::{Database, Doing as _, Row};
use crate::store::Result;
use crate::view::{SnapshotView, SourceView};

pub(super) async fn list(database: &Database, limit: u32) -> Result<Vec<SourceView>> {
    let rows = sqlx::query("SELECT id FROM repository ORDER BY source LIMIT $1")
        .bind(i64::from(limit))
        .fetch_all(&database.pool)
        .await
        .doing("list repositories")?;
    let mut sources = Vec::with_capacity(rows.len());
    for row in &rows {
        sources.extend(find(database, row.get(0)).await?);
    }
    Ok(sources)
}

pub(super) async fn find(database: &Database, id: i64) -> Result<Option<SourceView>> {
    let row = sqlx::query(
        "SELECT source, \
         (SELECT count(DISTINCT batch_id) FROM batch_repository b WHERE b.repository_id = r.id) \
         FROM repository r WHERE id = $1",
    )
    .bind(id)
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
