//! The audit log: rows are added behind the head, one at a time, and never changed.

use sqlx::{AssertSqlSafe, Row as _};

use super::columns::instant;
use super::{Connection, Database, Doing as _, FOR_CHANGE, Row};
use crate::access::entry::{Entry, Head, Kept, chained};
use crate::store::Result;
use crate::store::text::storable;

pub(super) async fn log(database: &Database, entry: &Entry, now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    let head = head_of(&mut transaction).await?;
    let entry = Entry { seq: head.seq + 1, at: instant(now), ..entry.clone() };
    // What the store would change must not be hashed.
    let text = storable(&entry.text()).into_owned();
    let hash = chained(&head.hash, &text);
    sqlx::query("INSERT INTO audit (seq, at, entry, hash) VALUES ($1, $2, $3, $4)")
        .bind(entry.seq)
        .bind(now)
        .bind(&text)
        .bind(&hash)
        .execute(&mut *transaction)
        .await
        .doing("write to the audit log")?;
    sqlx::query("UPDATE audit_head SET seq = $1, hash = $2")
        .bind(entry.seq)
        .bind(&hash)
        .execute(&mut *transaction)
        .await
        .doing("write to the audit log")?;
    transaction.commit().await.doing("write to the audit log")
}

pub(super) async fn head(database: &Database) -> Result<Head> {
    let row = sqlx::query("SELECT seq, hash, removed_seq, removed_hash FROM audit_head")
        .fetch_one(&database.pool)
        .await
        .doing("read the audit log")?;
    Ok(read(&row))
}

/// Returns the head, and keeps it from everybody else until the transaction ends.
async fn head_of(connection: &mut Connection) -> Result<Head> {
    let statement = format!("SELECT seq, hash, removed_seq, removed_hash FROM audit_head {FOR_CHANGE}");
    let row =
        sqlx::query(AssertSqlSafe(statement)).fetch_one(connection).await.doing("read the audit log")?;
    Ok(read(&row))
}

fn read(row: &Row) -> Head {
    Head { seq: row.get(0), hash: row.get(1), removed_seq: row.get(2), removed_hash: row.get(3) }
}

pub(super) async fn entries(database: &Database, after: i64, limit: u32) -> Result<Vec<Kept>> {
    let rows = sqlx::query("SELECT entry, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&database.pool)
        .await
        .doing("read the audit log")?;
    Ok(rows.iter().map(|row| Kept { entry: row.get(0), hash: row.get(1) }).collect())
}

pub(super) async fn trim(database: &Database, before: i64, limit: u32) -> Result<u64> {
    let mut transaction = database.begin().await?;
    let head = head_of(&mut transaction).await?;
    // Its times go forward as far as clocks do; what is removed is a beginning in any case.
    let last = sqlx::query(
        "SELECT seq, hash FROM audit WHERE seq <= $1 AND seq < coalesce((SELECT min(seq) FROM audit \
         WHERE at >= $2), $3) ORDER BY seq DESC LIMIT 1",
    )
    .bind(head.removed_seq + i64::from(limit))
    .bind(before)
    .bind(i64::MAX)
    .fetch_optional(&mut *transaction)
    .await
    .doing("trim the audit log")?;
    let Some(last) = last else {
        transaction.rollback().await.doing("leave it")?;
        return Ok(0);
    };
    sqlx::query("UPDATE audit_head SET removed_seq = $1, removed_hash = $2")
        .bind(last.get::<i64, _>(0))
        .bind(last.get::<String, _>(1))
        .execute(&mut *transaction)
        .await
        .doing("trim the audit log")?;
    let removed = sqlx::query("DELETE FROM audit WHERE seq <= $1")
        .bind(last.get::<i64, _>(0))
        .execute(&mut *transaction)
        .await
        .doing("trim the audit log")?;
    transaction.commit().await.doing("trim the audit log")?;
    Ok(removed.rows_affected())
}
