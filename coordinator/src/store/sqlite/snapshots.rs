//! Published snapshots: which commits a repository has, and which of them are on its mainline.

use std::collections::HashSet;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::contract::{Base, CONTRACT_VERSION, Changed, Digest, Revisions, Source, TipResult};
use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::object_id::ObjectId;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{QueryBuilder, Row as _, Sqlite};

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
         NOT EXISTS (SELECT 1 FROM commit_fact c JOIN snapshot_commit s ON s.commit_id = c.id \
                     WHERE c.fact_set_id = n.fact_set_id AND c.final = 0 AND s.snapshot_id = n.id) AND \
         NOT EXISTS (SELECT 1 FROM mainline_net m \
                     JOIN commit_fact c ON c.fact_set_id = m.fact_set_id AND c.oid = m.oid \
                     JOIN snapshot_commit s ON s.commit_id = c.id AND s.snapshot_id = n.id \
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
        is_final: row.get(9),
    }))
}

pub(super) async fn known(
    pool: &SqlitePool,
    job: &StoredJob,
    revisions: &Revisions,
    attributes: &[u8],
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
    .bind(attributes)
    .bind(limit)
    .fetch_one(&mut *connection)
    .await
    .doing("find a fact set")?
    .get(0);
    let oids = |rows: Vec<sqlx::sqlite::SqliteRow>| -> Result<HashSet<ObjectId>> {
        rows.iter().map(|row| ObjectId::try_from(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED)).collect()
    };
    let commits = sqlx::query("SELECT oid FROM commit_fact WHERE fact_set_id = ? AND final = 1")
        .bind(facts)
        .fetch_all(&mut *connection)
        .await
        .doing("list known commits")?;
    let nets = sqlx::query("SELECT oid FROM mainline_net WHERE fact_set_id = ? AND passing_files = 0")
        .bind(facts)
        .fetch_all(&mut *connection)
        .await
        .doing("list known merges")?;
    let published = sqlx::query(
        "SELECT c.oid, s.mainline, n.fact_set_id FROM snapshot n JOIN repository r ON r.id = n.repository_id \
         JOIN snapshot_commit s ON s.snapshot_id = n.id JOIN commit_fact c ON c.id = s.commit_id \
         WHERE r.source = ? AND n.revisions = ? ORDER BY c.committed_seconds DESC, c.oid DESC",
    )
    .bind(&source)
    .bind(revisions.to_string())
    .fetch_all(&mut *connection)
    .await
    .doing("list the published commits")?;
    let published_here = published.first().is_none_or(|row| row.get::<i64, _>(2) == facts);
    let published = published
        .iter()
        .map(|row| Ok((ObjectId::try_from(row.get::<&[u8], _>(0)).map_err(|_| DAMAGED)?, row.get(1))))
        .collect::<Result<_>>()?;
    Ok(Known {
        facts: FactSet(facts),
        commits: oids(commits)?,
        mainline_nets: oids(nets)?,
        published,
        published_here,
    })
}

/// What a repository of a batch will publish when its last job is done.
pub(super) fn encode_pending(changed: &Changed, extends: bool) -> Vec<u8> {
    codec::encode(Kind::PendingSnapshot, CONTRACT_VERSION, &(changed, extends))
}

/// Publishes the pending snapshot of a repository of a batch.
pub(super) async fn publish(connection: &mut SqliteConnection, batch: BatchId, position: u32) -> Result<()> {
    let row = sqlx::query(
        "SELECT repository_id, pending, pending_facts, tip_lines, tip_unknown, revisions \
         FROM batch_repository WHERE batch_id = ? AND position = ?",
    )
    .bind(batch.as_bytes().as_slice())
    .bind(position)
    .fetch_one(&mut *connection)
    .await
    .doing("find a pending snapshot")?;
    let repository: i64 = row.get(0);
    let (changed, extends): (Changed, bool) =
        codec::decode(Kind::PendingSnapshot, CONTRACT_VERSION, row.get::<&[u8], _>(1))
            .map_err(|_| DAMAGED)?;
    let facts: i64 = row.get(2);
    let revisions: Revisions = serde_json::from_str(row.get(5)).map_err(|_| DAMAGED)?;
    let pinned = &changed.snapshot;
    let tips: Vec<u8> = pinned.tips.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
    let snapshot: i64 = sqlx::query(
        "INSERT INTO snapshot (repository_id, revisions, fact_set_id, refs, head, branch, tips, shallow, mailmap, \
                               tip_lines, tip_unknown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (repository_id, revisions) DO UPDATE SET fact_set_id = excluded.fact_set_id, \
             refs = excluded.refs, head = excluded.head, branch = excluded.branch, tips = excluded.tips, \
             shallow = excluded.shallow, mailmap = excluded.mailmap, tip_lines = excluded.tip_lines, \
             tip_unknown = excluded.tip_unknown RETURNING id",
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
    Ok(())
}
