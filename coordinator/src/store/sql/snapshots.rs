//! Published snapshots: which commits a repository has, and which of them are on its mainline.

use std::collections::HashSet;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{Base, CONTRACT_VERSION, Changed, Digest, Revisions, Scope, Source, TipFile};
use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::object_id::ObjectId;
use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Connection, Database, Doing as _, EACH, FOR_CHANGE, FOR_KEEPS, IF_FREE, Row, bulk};
use crate::store::{FactSet, Known, Result, StoreError, StoredJob, StoredSnapshot, TipLines};

const DAMAGED: StoreError = StoreError::Damaged { what: "a snapshot" };
/// Ids of one statement.
const IDS: usize = 10_000;
/// Version of the frames that a published snapshot keeps; tags, attributes and files at the tip.
const KEPT_VERSION: u16 = 1;

pub(super) async fn find(
    database: &Database,
    sources: &[(&Source, &Revisions)],
    scope: Scope,
) -> Result<Vec<Option<StoredSnapshot>>> {
    let mut found = vec![None; sources.len()];
    let asked: Vec<[String; 2]> =
        sources.iter().map(|(source, revisions)| [source.to_string(), revisions.to_string()]).collect();
    let statement = format!(
        "SELECT n.id, n.refs, n.head, n.tips, n.branch, n.shallow, n.mailmap, n.tip_lines, n.tip_unknown, \
         n.published_by, \
         NOT EXISTS (SELECT 1 FROM commit_fact c CROSS JOIN snapshot_commit s \
                     WHERE s.snapshot_id = n.id AND s.commit_id = c.id \
                     AND c.fact_set_id = n.fact_set_id AND c.final = 0) AND \
         NOT EXISTS (SELECT 1 FROM mainline_net m CROSS JOIN commit_fact c CROSS JOIN snapshot_commit s \
                     WHERE c.fact_set_id = m.fact_set_id AND c.oid = m.oid \
                     AND s.snapshot_id = n.id AND s.commit_id = c.id \
                     AND m.fact_set_id = n.fact_set_id AND m.passing_files > 0), asked.place, n.tags, \
         n.attributes_files \
         FROM {EACH} asked JOIN repository r ON r.source = asked.value ->> 0 \
         JOIN snapshot n ON n.repository_id = r.id AND n.revisions = asked.value ->> 1 \
         JOIN fact_set f ON f.id = n.fact_set_id WHERE f.facts_version = $2 AND f.max_blob_bytes = $3 \
         AND f.line_history = $4"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(serde_json::to_string(&asked).map_err(|_| DAMAGED)?)
        .bind(i64::from(FACTS_VERSION))
        .bind(i64::try_from(scope.max_blob_bytes).unwrap_or(i64::MAX))
        .bind(i64::from(scope.line_history))
        .fetch_all(&database.pool)
        .await
        .doing("find snapshots")?;
    for row in &rows {
        let place = usize::try_from(row.get::<i64, _>(11)).map_err(|_| DAMAGED)?;
        *found.get_mut(place).ok_or(DAMAGED)? = Some(stored(row)?);
    }
    Ok(found)
}

fn stored(row: &Row) -> Result<StoredSnapshot> {
    let head: Option<Vec<u8>> = row.get(2);
    let head = head.map(|id| ObjectId::try_from(id.as_slice())).transpose().map_err(|_| DAMAGED)?;
    let refs: Digest = row.get::<Vec<u8>, _>(1).try_into().map_err(|_| DAMAGED)?;
    let hash_len = head.map_or(20, |head| head.as_bytes().len());
    let tips: std::result::Result<Vec<ObjectId>, _> =
        row.get::<&[u8], _>(3).chunks(hash_len).map(ObjectId::try_from).collect();
    let tip_lines: Option<i64> = row.get(7);
    Ok(StoredSnapshot {
        id: row.get(0),
        base: Base { refs, tips: tips.map_err(|_| DAMAGED)?, head },
        branch: row.get(4),
        shallow: row.get::<i64, _>(5) != 0,
        mailmap: row.get(6),
        tip: tip_lines.map(|lines| TipLines {
            lines: u64::try_from(lines).unwrap_or(0),
            unknown_files: row
                .get::<Option<i64>, _>(8)
                .and_then(|files| u32::try_from(files).ok())
                .unwrap_or(0),
        }),
        tags: kept(Kind::Tags, row.get(12))?,
        attributes_files: kept(Kind::AttributesFiles, row.get(13))?,
        published_by: row.get(9),
        is_final: row.get(10),
    })
}

/// Returns what a frame of a published snapshot holds; nothing where there is none.
fn kept<T: Default + DeserializeOwned>(kind: Kind, frame: Option<&[u8]>) -> Result<T> {
    frame.map_or_else(
        || Ok(T::default()),
        |frame| codec::decode(kind, KEPT_VERSION, frame).map_err(|_| DAMAGED),
    )
}

pub(super) async fn tip_files(database: &Database, snapshot: i64) -> Result<Option<Vec<TipFile>>> {
    let row = sqlx::query("SELECT files FROM snapshot_tip WHERE snapshot_id = $1")
        .bind(snapshot)
        .fetch_optional(&database.pool)
        .await
        .doing("read the files at the tip")?;
    row.map(|row| kept(Kind::TipFiles, Some(row.get(0)))).transpose()
}

/// Keeps the files at the tip for when the pending snapshot is published.
pub(super) async fn insert_pending_tip(
    connection: &mut Connection,
    batch: BatchId,
    position: u32,
    files: &Vec<TipFile>,
) -> Result<()> {
    sqlx::query("UPDATE pending_snapshot SET tip_files = $3 WHERE batch_id = $1 AND position = $2")
        .bind(batch.as_bytes().as_slice())
        .bind(i64::from(position))
        .bind(codec::encode(Kind::TipFiles, KEPT_VERSION, files))
        .execute(connection)
        .await
        .doing("keep the files at the tip")?;
    Ok(())
}

pub(super) async fn known(
    database: &Database,
    job: &StoredJob,
    revisions: &Revisions,
    changed: &Changed,
) -> Result<Known> {
    let mut connection = database.pool.acquire().await.doing("be reached")?;
    let source = job.job.source.to_string();
    let facts = fact_set(&mut connection, &source, changed, job.job.scope()).await?;
    let published = sqlx::query(
        "SELECT n.id, n.fact_set_id, (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
         FROM snapshot n JOIN repository r ON r.id = n.repository_id WHERE r.source = $1 AND n.revisions = $2",
    )
    .bind(&source)
    .bind(revisions.to_string())
    .fetch_optional(&mut *connection)
    .await
    .doing("find the published snapshot")?;
    let (snapshot, published_set, published_count) =
        published.map_or((0, facts, 0), |row| (row.get(0), row.get(1), row.get::<i64, _>(2)));
    Ok(Known {
        facts: FactSet(facts),
        commits: among(
            &mut connection,
            "SELECT oid FROM commit_fact WHERE fact_set_id = $1 AND final = 1 AND oid",
            facts,
            &changed.added,
        )
        .await?,
        mainline_nets: among(
            &mut connection,
            "SELECT oid FROM mainline_net WHERE fact_set_id = $1 AND passing_files = 0 AND oid",
            facts,
            &changed.mainline.merges,
        )
        .await?,
        published: among(
            &mut connection,
            "SELECT c.oid FROM snapshot n CROSS JOIN commit_fact c CROSS JOIN snapshot_commit s \
             WHERE s.snapshot_id = n.id AND s.commit_id = c.id \
             AND c.fact_set_id = n.fact_set_id AND n.id = $1 AND c.oid",
            snapshot,
            &changed.added,
        )
        .await?,
        published_count: u64::try_from(published_count).unwrap_or(0),
        published_here: published_count == 0 || published_set == facts,
    })
}

/// Returns the set for the facts of what a survey found, which is new where there was none.
async fn fact_set(connection: &mut Connection, source: &str, changed: &Changed, scope: Scope) -> Result<i64> {
    let find = "SELECT f.id FROM fact_set f JOIN repository r ON r.id = f.repository_id \
                WHERE r.source = $1 AND f.facts_version = $2 AND f.attributes = $3 AND f.max_blob_bytes = $4 \
                AND f.line_history = $5";
    let add = "INSERT INTO fact_set (repository_id, facts_version, attributes, max_blob_bytes, line_history) \
               SELECT id, $2, $3, $4, $5 FROM repository WHERE source = $1 ON CONFLICT DO NOTHING RETURNING id";
    for statement in [find, add, find] {
        let row = sqlx::query(statement)
            .bind(source)
            .bind(i64::from(FACTS_VERSION))
            .bind(changed.snapshot.attributes.as_slice())
            .bind(i64::try_from(scope.max_blob_bytes).unwrap_or(i64::MAX))
            .bind(i64::from(scope.line_history))
            .fetch_optional(&mut *connection)
            .await
            .doing("find a fact set")?;
        if let Some(row) = row {
            return Ok(row.get(0));
        }
    }
    Err(StoreError::Outrun { what: "a fact set" })
}

/// Keeps the set of a plan from being forgotten until the transaction ends.
///
/// # Errors
///
/// [`StoreError::Outrun`] where it was forgotten since the plan was made: then other commits are known, and the
/// survey must be planned again.
pub(super) async fn hold(connection: &mut Connection, set: FactSet) -> Result<()> {
    let statement = format!("SELECT 1 FROM fact_set WHERE id = $1 {FOR_KEEPS}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(set.0)
        .fetch_optional(connection)
        .await
        .doing("find a fact set")?;
    row.map(|_| ()).ok_or(StoreError::Outrun { what: "a fact set" })
}

/// Returns those of `ids` that `query` finds. What is asked is what is new, so a history costs nothing for its length.
async fn among(
    connection: &mut Connection,
    query: &'static str,
    of: i64,
    ids: &[ObjectId],
) -> Result<HashSet<ObjectId>> {
    let mut found = HashSet::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let statement = format!("SELECT EXISTS ({query} IS NOT NULL)");
    let any: bool = sqlx::query(AssertSqlSafe(statement))
        .bind(of)
        .fetch_one(&mut *connection)
        .await
        .doing("look for what is known")?
        .get(0);
    if !any {
        return Ok(found);
    }
    for ids in ids.chunks(IDS) {
        for row in bulk::among(connection, query, of, ids).await.doing("look for what is known")? {
            found.insert(ObjectId::try_from(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED)?);
        }
    }
    Ok(found)
}

/// Writes down what a repository of a batch will publish when its last job is done. What only adds to a snapshot names
/// the refs of that snapshot (`base`).
pub(super) async fn insert_pending(
    connection: &mut Connection,
    batch: BatchId,
    position: u32,
    changed: &Changed,
    base: Option<Digest>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO pending_snapshot (batch_id, position, content) VALUES ($1, $2, $3) \
         ON CONFLICT (batch_id, position) DO UPDATE SET content = excluded.content",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(i64::from(position))
    .bind(codec::encode(Kind::PendingSnapshot, CONTRACT_VERSION, &(changed, base)))
    .execute(connection)
    .await
    .doing("keep a pending snapshot")?;
    Ok(())
}

/// What came of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Published {
    /// Nothing was pending: the repository failed, or has been published.
    Nothing,
    Done {
        /// Whether there is no commit in it.
        is_empty: bool,
    },
    /// It would have added to a snapshot in whose place another batch has put another one meanwhile.
    Outrun,
}

/// Publishes the pending snapshot of a repository of a batch.
pub(super) async fn publish(connection: &mut Connection, batch: BatchId, position: u32) -> Result<Published> {
    let pending = sqlx::query(
        "DELETE FROM pending_snapshot WHERE batch_id = $1 AND position = $2 RETURNING content, tip_files",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(i64::from(position))
    .fetch_optional(&mut *connection)
    .await
    .doing("take a pending snapshot")?;
    let Some(pending) = pending else { return Ok(Published::Nothing) };
    let row = sqlx::query(
        "SELECT repository_id, revisions, pending_facts, tip_lines, tip_unknown \
         FROM batch_repository WHERE batch_id = $1 AND position = $2",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(i64::from(position))
    .fetch_one(&mut *connection)
    .await
    .doing("find a repository")?;
    let repository: i64 = row.get(0);
    let (changed, base): (Changed, Option<Digest>) =
        codec::decode(Kind::PendingSnapshot, CONTRACT_VERSION, pending.get::<&[u8], _>(0))
            .map_err(|_| DAMAGED)?;
    let facts: i64 = row.get(2);
    let revisions: Revisions = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED)?;
    let pinned = &changed.snapshot;
    if let Some(base) = base
        && !still_fits(connection, repository, &revisions, facts, [base, pinned.refs]).await?
    {
        return Ok(Published::Outrun);
    }
    let extends = base.is_some();
    let tips: Vec<u8> = pinned.tips.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
    let snapshot: i64 = sqlx::query(
        "INSERT INTO snapshot (repository_id, revisions, fact_set_id, refs, head, branch, tips, shallow, mailmap, \
                               tip_lines, tip_unknown, published_by, tags, attributes_files) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (repository_id, revisions) DO UPDATE SET fact_set_id = excluded.fact_set_id, \
             refs = excluded.refs, head = excluded.head, branch = excluded.branch, tips = excluded.tips, \
             shallow = excluded.shallow, mailmap = excluded.mailmap, tip_lines = excluded.tip_lines, \
             tip_unknown = excluded.tip_unknown, published_by = excluded.published_by, tags = excluded.tags, \
             attributes_files = excluded.attributes_files RETURNING id",
    )
    .bind(repository)
    .bind(revisions.to_string())
    .bind(facts)
    .bind(pinned.refs.as_slice())
    .bind(pinned.head.as_ref().map(ObjectId::as_bytes))
    .bind(&pinned.branch)
    .bind(&tips)
    .bind(i64::from(pinned.shallow))
    .bind(pinned.mailmap.as_deref())
    .bind(row.get::<Option<i64>, _>(3))
    .bind(row.get::<Option<i64>, _>(4))
    .bind([batch.as_bytes().as_slice(), &position.to_be_bytes()].concat())
    .bind(codec::encode(Kind::Tags, KEPT_VERSION, &pinned.tags))
    .bind(codec::encode(Kind::AttributesFiles, KEPT_VERSION, &pinned.attributes_files))
    .fetch_one(&mut *connection)
    .await
    .doing("publish a snapshot")?
    .get(0);
    publish_tip(connection, snapshot, pending.get(1)).await?;

    if !extends {
        sqlx::query("DELETE FROM snapshot_commit WHERE snapshot_id = $1")
            .bind(snapshot)
            .execute(&mut *connection)
            .await
            .doing("replace a snapshot's commits")?;
    } else if !changed.mainline.continues_base {
        sqlx::query("UPDATE snapshot_commit SET mainline = 0 WHERE snapshot_id = $1")
            .bind(snapshot)
            .execute(&mut *connection)
            .await
            .doing("replace a snapshot's mainline")?;
    }
    for (ids, mainline) in [(&changed.added, false), (&changed.mainline.commits, true)] {
        for ids in ids.chunks(IDS) {
            bulk::list_commits(connection, snapshot, facts, ids, mainline)
                .await
                .doing("list a snapshot's commits")?;
        }
    }
    // A snapshot that lacks a commit would be a report that is silently short.
    if !extends {
        let listed: i64 = sqlx::query("SELECT count(*) FROM snapshot_commit WHERE snapshot_id = $1")
            .bind(snapshot)
            .fetch_one(&mut *connection)
            .await
            .doing("count a snapshot's commits")?
            .get(0);
        if u64::try_from(listed).ok() != Some(changed.added.len() as u64) {
            return Err(StoreError::Damaged {
                what: "a snapshot that lacks the facts of some of its commits",
            });
        }
    }
    forget_outdated(connection, repository).await?;
    Ok(Published::Done { is_empty: pinned.head.is_none() })
}

/// Puts the files at the tip in the place of those of the snapshot before.
async fn publish_tip(connection: &mut Connection, snapshot: i64, files: Option<&[u8]>) -> Result<()> {
    sqlx::query("DELETE FROM snapshot_tip WHERE snapshot_id = $1")
        .bind(snapshot)
        .execute(&mut *connection)
        .await
        .doing("replace the files at the tip")?;
    if let Some(files) = files {
        sqlx::query("INSERT INTO snapshot_tip (snapshot_id, files) VALUES ($1, $2)")
            .bind(snapshot)
            .bind(files)
            .execute(connection)
            .await
            .doing("publish the files at the tip")?;
    }
    Ok(())
}

/// Whether the published snapshot stands in the fact set and has one of these refs: those that were added to, or
/// those that come of it already. Nobody else publishes there until the transaction ends.
async fn still_fits(
    connection: &mut Connection,
    repository: i64,
    revisions: &Revisions,
    facts: i64,
    refs: [Digest; 2],
) -> Result<bool> {
    let statement = format!(
        "SELECT fact_set_id, refs FROM snapshot WHERE repository_id = $1 AND revisions = $2 {FOR_CHANGE}"
    );
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(repository)
        .bind(revisions.to_string())
        .fetch_optional(connection)
        .await
        .doing("find the published snapshot")?;
    Ok(row.is_some_and(|row| {
        row.get::<i64, _>(0) == facts && refs.iter().any(|refs| refs.as_slice() == row.get::<&[u8], _>(1))
    }))
}

/// Removes the fact sets of a repository that nothing uses any more.
async fn forget_outdated(connection: &mut Connection, repository: i64) -> Result<()> {
    // Counted, because NOT EXISTS is answered by reading all snapshots where the server knows little of the table.
    let unused = "repository_id = $1 \
         AND (SELECT count(*) FROM snapshot n WHERE n.fact_set_id = fact_set.id) = 0 \
         AND (SELECT count(*) FROM batch_repository b WHERE b.pending_facts = fact_set.id) = 0";
    // Whoever holds one is about to use it. Asked again with the rest held, because it may have come into use
    // between the question and the hold.
    let statement = format!("SELECT id FROM fact_set WHERE {unused} {IF_FREE}");
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(repository)
        .fetch_all(&mut *connection)
        .await
        .doing("look for outdated facts")?;
    for row in rows {
        let statement = format!("DELETE FROM fact_set WHERE {unused} AND id = $2");
        sqlx::query(AssertSqlSafe(statement))
            .bind(repository)
            .bind(row.get::<i64, _>(0))
            .execute(&mut *connection)
            .await
            .doing("forget outdated facts")?;
    }
    Ok(())
}
