//! Published snapshots: which commits a repository has, and which of them are on its mainline.

use std::collections::HashSet;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{Base, CONTRACT_VERSION, Changed, Digest, Revisions, Source, TipResult};
use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::object_id::ObjectId;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};

use super::Doing as _;
use crate::store::{FactSet, Known, Result, StoreError, StoredJob, StoredSnapshot};

const DAMAGED: StoreError = StoreError::Damaged { what: "a snapshot" };
/// Ids of one statement.
const IDS: usize = 10_000;

pub(super) async fn find(
    pool: &SqlitePool,
    source: &Source,
    revisions: &Revisions,
    max_blob_bytes: u64,
) -> Result<Option<StoredSnapshot>> {
    let row = sqlx::query(
        "SELECT n.id, n.refs, n.head, n.tips, n.branch, n.shallow, n.mailmap, n.tip_lines, n.tip_unknown, \
         n.published_by, \
         NOT EXISTS (SELECT 1 FROM commit_fact c CROSS JOIN snapshot_commit s \
                         ON s.snapshot_id = n.id AND s.commit_id = c.id \
                     WHERE c.fact_set_id = n.fact_set_id AND c.final = 0) AND \
         NOT EXISTS (SELECT 1 FROM mainline_net m \
                     CROSS JOIN commit_fact c ON c.fact_set_id = m.fact_set_id AND c.oid = m.oid \
                     CROSS JOIN snapshot_commit s ON s.snapshot_id = n.id AND s.commit_id = c.id \
                     WHERE m.fact_set_id = n.fact_set_id AND m.passing_files > 0) \
         FROM snapshot n JOIN repository r ON r.id = n.repository_id JOIN fact_set f ON f.id = n.fact_set_id \
         WHERE r.source = ? AND n.revisions = ? AND f.facts_version = ? AND f.max_blob_bytes = ?",
    )
    .bind(source.to_string())
    .bind(revisions.to_string())
    .bind(i64::from(FACTS_VERSION))
    .bind(i64::try_from(max_blob_bytes).unwrap_or(i64::MAX))
    .fetch_optional(pool)
    .await
    .doing("find a snapshot")?;
    let Some(row) = row else { return Ok(None) };
    let head: Option<Vec<u8>> = row.get(2);
    let head = head.map(|id| ObjectId::try_from(id.as_slice())).transpose().map_err(|_| DAMAGED)?;
    let refs: Digest = row.get::<Vec<u8>, _>(1).try_into().map_err(|_| DAMAGED)?;
    let hash_len = head.map_or(20, |head| head.as_bytes().len());
    let tips: std::result::Result<Vec<ObjectId>, _> =
        row.get::<&[u8], _>(3).chunks(hash_len).map(ObjectId::try_from).collect();
    let tip_lines: Option<i64> = row.get(7);
    Ok(Some(StoredSnapshot {
        id: row.get(0),
        base: Base { refs, tips: tips.map_err(|_| DAMAGED)?, head },
        branch: row.get(4),
        shallow: row.get(5),
        mailmap: row.get(6),
        tip: tip_lines.map(|lines| TipResult {
            lines: u64::try_from(lines).unwrap_or(0),
            unknown_files: row.get::<Option<u32>, _>(8).unwrap_or(0),
        }),
        published_by: row.get(9),
        is_final: row.get(10),
    }))
}

pub(super) async fn known(
    pool: &SqlitePool,
    job: &StoredJob,
    revisions: &Revisions,
    changed: &Changed,
) -> Result<Known> {
    let mut connection = pool.acquire().await.doing("be reached")?;
    let limit = i64::try_from(job.job.max_blob_bytes).unwrap_or(i64::MAX);
    let source = job.job.source.to_string();
    let facts: i64 = sqlx::query(
        "INSERT INTO fact_set (repository_id, facts_version, attributes, max_blob_bytes) \
         SELECT id, ?2, ?3, ?4 FROM repository WHERE source = ?1 \
         ON CONFLICT DO UPDATE SET attributes = excluded.attributes RETURNING id",
    )
    .bind(&source)
    .bind(i64::from(FACTS_VERSION))
    .bind(changed.snapshot.attributes.as_slice())
    .bind(limit)
    .fetch_one(&mut *connection)
    .await
    .doing("find a fact set")?
    .get(0);
    let published = sqlx::query(
        "SELECT n.id, n.fact_set_id, (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
         FROM snapshot n JOIN repository r ON r.id = n.repository_id WHERE r.source = ? AND n.revisions = ?",
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
            "SELECT oid FROM commit_fact WHERE fact_set_id = ? AND final = 1 AND oid",
            facts,
            &changed.added,
        )
        .await?,
        mainline_nets: among(
            &mut connection,
            "SELECT oid FROM mainline_net WHERE fact_set_id = ? AND passing_files = 0 AND oid",
            facts,
            &changed.mainline.merges,
        )
        .await?,
        published: among(
            &mut connection,
            "SELECT c.oid FROM snapshot n CROSS JOIN commit_fact c ON c.fact_set_id = n.fact_set_id \
             CROSS JOIN snapshot_commit s ON s.snapshot_id = n.id AND s.commit_id = c.id WHERE n.id = ? AND c.oid",
            snapshot,
            &changed.added,
        )
        .await?,
        published_count: u64::try_from(published_count).unwrap_or(0),
        published_here: published_count == 0 || published_set == facts,
    })
}

/// Returns those of `ids` that `query` finds. What is asked is what is new, so a history costs nothing for its length.
async fn among(
    connection: &mut SqliteConnection,
    query: &'static str,
    of: i64,
    ids: &[ObjectId],
) -> Result<HashSet<ObjectId>> {
    let mut found = HashSet::new();
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
        let places = vec!["?"; ids.len()].join(", ");
        let mut query = sqlx::query(AssertSqlSafe(format!("{query} IN ({places})"))).bind(of);
        for id in ids {
            query = query.bind(id.as_bytes());
        }
        let rows =
            query.persistent(false).fetch_all(&mut *connection).await.doing("look for what is known")?;
        for row in rows {
            found.insert(ObjectId::try_from(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED)?);
        }
    }
    Ok(found)
}

/// Writes down what a repository of a batch will publish when its last job is done.
pub(super) async fn insert_pending(
    connection: &mut SqliteConnection,
    batch: BatchId,
    position: u32,
    changed: &Changed,
    extends: bool,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO pending_snapshot (batch_id, position, content) VALUES (?, ?, ?) \
         ON CONFLICT DO UPDATE SET content = excluded.content",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(position)
    .bind(codec::encode(Kind::PendingSnapshot, CONTRACT_VERSION, &(changed, extends)))
    .execute(connection)
    .await
    .doing("keep a pending snapshot")?;
    Ok(())
}

/// Publishes the pending snapshot of a repository of a batch, and returns whether there was one.
pub(super) async fn publish(
    connection: &mut SqliteConnection,
    batch: BatchId,
    position: u32,
) -> Result<bool> {
    let pending =
        sqlx::query("DELETE FROM pending_snapshot WHERE batch_id = ? AND position = ? RETURNING content")
            .bind(batch.as_bytes().as_slice())
            .bind(position)
            .fetch_optional(&mut *connection)
            .await
            .doing("take a pending snapshot")?;
    let Some(pending) = pending else { return Ok(false) };
    let row = sqlx::query(
        "SELECT repository_id, revisions, pending_facts, tip_lines, tip_unknown \
         FROM batch_repository WHERE batch_id = ? AND position = ?",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(position)
    .fetch_one(&mut *connection)
    .await
    .doing("find a repository")?;
    let repository: i64 = row.get(0);
    let (changed, extends): (Changed, bool) =
        codec::decode(Kind::PendingSnapshot, CONTRACT_VERSION, pending.get::<&[u8], _>(0))
            .map_err(|_| DAMAGED)?;
    let facts: i64 = row.get(2);
    let revisions: Revisions = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED)?;
    let pinned = &changed.snapshot;
    let tips: Vec<u8> = pinned.tips.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
    let snapshot: i64 = sqlx::query(
        "INSERT INTO snapshot (repository_id, revisions, fact_set_id, refs, head, branch, tips, shallow, mailmap, \
                               tip_lines, tip_unknown, published_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (repository_id, revisions) DO UPDATE SET fact_set_id = excluded.fact_set_id, \
             refs = excluded.refs, head = excluded.head, branch = excluded.branch, tips = excluded.tips, \
             shallow = excluded.shallow, mailmap = excluded.mailmap, tip_lines = excluded.tip_lines, \
             tip_unknown = excluded.tip_unknown, published_by = excluded.published_by RETURNING id",
    )
    .bind(repository)
    .bind(revisions.to_string())
    .bind(facts)
    .bind(pinned.refs.as_slice())
    .bind(pinned.head.as_ref().map(ObjectId::as_bytes))
    .bind(&pinned.branch)
    .bind(&tips)
    .bind(pinned.shallow)
    .bind(pinned.mailmap.as_deref())
    .bind(row.get::<Option<i64>, _>(3))
    .bind(row.get::<Option<i64>, _>(4))
    .bind([batch.as_bytes().as_slice(), &position.to_be_bytes()].concat())
    .fetch_one(&mut *connection)
    .await
    .doing("publish a snapshot")?
    .get(0);

    if !extends {
        sqlx::query("DELETE FROM snapshot_commit WHERE snapshot_id = ?")
            .bind(snapshot)
            .execute(&mut *connection)
            .await
            .doing("replace a snapshot's commits")?;
    } else if !changed.mainline.continues_base {
        sqlx::query("UPDATE snapshot_commit SET mainline = 0 WHERE snapshot_id = ?")
            .bind(snapshot)
            .execute(&mut *connection)
            .await
            .doing("replace a snapshot's mainline")?;
    }
    for (ids, mainline) in [(&changed.added, false), (&changed.mainline.commits, true)] {
        for ids in ids.chunks(IDS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO snapshot_commit (snapshot_id, commit_id, mainline) SELECT ",
            );
            query.push_bind(snapshot).push(", id, ").push_bind(mainline);
            query.push(" FROM commit_fact WHERE fact_set_id = ").push_bind(facts).push(" AND oid IN (");
            let mut oids = query.separated(", ");
            for id in ids {
                oids.push_bind(id.as_bytes());
            }
            query
                .push(") ON CONFLICT DO UPDATE SET mainline = max(mainline, excluded.mainline)")
                .build()
                .persistent(false)
                .execute(&mut *connection)
                .await
                .doing("list a snapshot's commits")?;
        }
    }
    // A snapshot that lacks a commit would be a report that is silently short.
    if !extends {
        let listed: i64 = sqlx::query("SELECT count(*) FROM snapshot_commit WHERE snapshot_id = ?")
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
    sqlx::query(
        "DELETE FROM fact_set WHERE repository_id = ? AND id NOT IN (SELECT fact_set_id FROM snapshot) \
         AND id NOT IN (SELECT pending_facts FROM batch_repository WHERE pending_facts IS NOT NULL)",
    )
    .bind(repository)
    .execute(&mut *connection)
    .await
    .doing("forget outdated facts")?;
    Ok(true)
}
