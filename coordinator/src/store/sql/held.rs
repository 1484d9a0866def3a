//! What is held of people, as a search for somebody reads it.

use gitfleet_shared::facts::Signature;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::object_id::ObjectId;
use sqlx::Row as _;

use super::columns::batch_id;
use super::{Database, Doing as _, Row};
use crate::store::erasures::{HeldBatch, HeldCommit, HeldSnapshot};
use crate::store::{Result, StoreError};
use crate::terms::Terms;

const DAMAGED: StoreError = StoreError::Damaged { what: "a commit" };

pub(super) async fn snapshots(database: &Database) -> Result<Vec<HeldSnapshot>> {
    let rows = sqlx::query(
        "SELECT n.id, r.source, n.revisions, n.mailmap FROM snapshot n JOIN repository r ON r.id = n.repository_id \
         ORDER BY r.source, n.revisions",
    )
    .fetch_all(&database.pool)
    .await
    .doing("list snapshots")?;
    let held = |row: &Row| HeldSnapshot {
        id: row.get(0),
        repository: row.get(1),
        revisions: row.get(2),
        mailmap: row.get(3),
    };
    Ok(rows.iter().map(held).collect())
}

pub(super) async fn signatures(database: &Database) -> Result<Vec<Signature>> {
    let rows = sqlx::query("SELECT name, email FROM signature ORDER BY name, email")
        .fetch_all(&database.pool)
        .await
        .doing("list signatures")?;
    Ok(rows.iter().map(|row| Signature { name: row.get(0), email: row.get(1) }).collect())
}

pub(super) async fn commits(database: &Database, signatures: &[Signature]) -> Result<Vec<HeldCommit>> {
    let mut held = Vec::new();
    for signature in signatures {
        let rows = sqlx::query(
            "SELECT r.source, c.oid, p.role, c.authored_seconds, c.authored_offset_minutes, c.committed_seconds, \
             c.committed_offset_minutes FROM signature s JOIN commit_person p ON p.signature_id = s.id \
             JOIN commit_fact c ON c.id = p.commit_id JOIN fact_set f ON f.id = c.fact_set_id \
             JOIN repository r ON r.id = f.repository_id WHERE s.name = $1 AND s.email = $2",
        )
        .bind(signature.name.as_slice())
        .bind(signature.email.as_slice())
        .fetch_all(&database.pool)
        .await
        .doing("list somebody's commits")?;
        for row in &rows {
            held.push(commit(row, signature)?);
        }
    }
    held.sort();
    // A commit that stands in several fact sets is one.
    held.dedup();
    Ok(held)
}

fn commit(row: &Row, signature: &Signature) -> Result<HeldCommit> {
    let role: &str = row.get(2);
    let time = if role == "author" { 3 } else { 5 };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(HeldCommit {
        repository: row.get(0),
        commit: ObjectId::try_from(row.get::<&[u8], _>(1)).map_err(|_| DAMAGED)?.to_string(),
        role: role.to_owned(),
        name: text(&signature.name),
        email: text(&signature.email),
        at: row.get::<Option<i64>, _>(time).and_then(|seconds| HeldCommit::clock(seconds, row.get(time + 1))),
    })
}

pub(super) async fn batches(database: &Database) -> Result<Vec<HeldBatch>> {
    let rows = sqlx::query("SELECT id, terms FROM batch ORDER BY created_at DESC, id DESC")
        .fetch_all(&database.pool)
        .await
        .doing("list batches")?;
    // One that another version wrote says nothing.
    let terms = |row: &Row| serde_json::from_str::<Terms>(row.get(1)).ok();
    rows.iter()
        .filter_map(|row| Some((row, terms(row)?)))
        .map(|(row, terms)| Ok(HeldBatch { id: batch_id(row.get(0))?, lens: terms.lens.as_ref().clone() }))
        .collect()
}

pub(super) async fn reports(database: &Database) -> Result<Vec<BatchId>> {
    let rows = sqlx::query("SELECT batch_id FROM report ORDER BY batch_id DESC")
        .fetch_all(&database.pool)
        .await
        .doing("list reports")?;
    rows.iter().map(|row| batch_id(row.get(0))).collect()
}
