//! Dead letters: messages that nobody could use.

use gitfleet_shared::queue::DeadLetter;
use sqlx::Row as _;

use super::columns::instant;
use super::{Database, Doing as _, Row, erased};
use crate::redact;
use crate::store::Result;
use crate::store::text::storable;
use crate::view::DeadView;

pub(super) async fn keep(database: &Database, letter: &DeadLetter, now: i64) -> Result<()> {
    let digest = blake3::hash(&letter.encode());
    let mut transaction = database.begin().await?;
    let list = erased::hold(database, &mut transaction).await?;
    // That there was one is worth knowing; what it said may be about somebody who was erased.
    let body = if redact::holds(&list, &letter.body) { &[][..] } else { letter.body.as_slice() };
    sqlx::query(
        "INSERT INTO dead_letter (topic, cause, body, arrived_at, digest) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (digest) DO UPDATE SET arrived_at = excluded.arrived_at",
    )
    .bind(storable(&letter.topic))
    .bind(storable(&list.redact_text(&letter.cause)))
    .bind(body)
    .bind(now)
    .bind(digest.as_bytes().as_slice())
    .execute(&mut *transaction)
    .await
    .doing("keep a dead letter")?;
    transaction.commit().await.doing("keep a dead letter")
}

pub(super) async fn list(database: &Database, limit: u32) -> Result<Vec<DeadView>> {
    let rows = sqlx::query(
        "SELECT id, topic, cause, CAST(length(body) AS BIGINT), arrived_at FROM dead_letter \
         ORDER BY id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .fetch_all(&database.pool)
    .await
    .doing("list dead letters")?;
    Ok(rows.iter().map(dead_view).collect())
}

pub(super) async fn find(database: &Database, id: i64) -> Result<Option<(DeadView, DeadLetter, i64)>> {
    let row = sqlx::query(
        "SELECT id, topic, cause, CAST(length(body) AS BIGINT), arrived_at, body FROM dead_letter \
         WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&database.pool)
    .await
    .doing("find a dead letter")?;
    Ok(row.map(|row| {
        let body: Vec<u8> = row.get(5);
        let hexadecimal = body.iter().map(|byte| format!("{byte:02x}")).collect();
        let letter = DeadLetter { topic: row.get(1), cause: row.get(2), body };
        (DeadView { body: Some(hexadecimal), ..dead_view(&row) }, letter, row.get(4))
    }))
}

pub(super) async fn remove(database: &Database, id: i64, arrived_at: Option<i64>) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let dropped = sqlx::query("DELETE FROM dead_letter WHERE id = $1 AND ($2 IS NULL OR arrived_at = $2)")
        .bind(id)
        .bind(arrived_at)
        .execute(&mut *transaction)
        .await
        .doing("drop a dead letter")?;
    transaction.commit().await.doing("drop a dead letter")?;
    Ok(dropped.rows_affected() > 0)
}

pub(super) async fn count(database: &Database) -> Result<i64> {
    let row = sqlx::query("SELECT count(*) FROM dead_letter")
        .fetch_one(&database.pool)
        .await
        .doing("count dead letters")?;
    Ok(row.get(0))
}

fn dead_view(row: &Row) -> DeadView {
    DeadView {
        id: row.get(0),
        topic: row.get(1),
        cause: row.get(2),
        bytes: row.get(3),
        arrived_at: instant(row.get(4)),
        body: None,
    }
}
