//! What operators decided about people.

use sqlx::Row as _;

use super::{Database, Doing as _, erased};
use crate::redact;
use crate::store::{PeopleLink, Result};

/// Returns all decisions, ascending by whom they are about.
pub(super) async fn list(database: &Database) -> Result<Vec<PeopleLink>> {
    let rows =
        sqlx::query("SELECT a, b, linked, decided_by, reason, decided_at FROM people_link ORDER BY a, b")
            .fetch_all(&database.pool)
            .await
            .doing("list links of people")?;
    Ok(rows
        .iter()
        .map(|row| PeopleLink {
            a: row.get(0),
            b: row.get(1),
            linked: row.get(2),
            by: row.get(3),
            reason: row.get(4),
            decided_at: row.get(5),
        })
        .collect())
}

/// Puts a decision in the place of an earlier one about the same two. Of somebody who was erased nothing is decided.
pub(super) async fn decide(database: &Database, link: &PeopleLink) -> Result<()> {
    let mut transaction = database.begin().await?;
    let list = erased::hold(database, &mut transaction).await?;
    let Some(link) = redact::link(&list, link) else {
        return transaction.rollback().await.doing("leave it");
    };
    sqlx::query(
        "INSERT INTO people_link (a, b, linked, decided_by, reason, decided_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (a, b) DO UPDATE SET linked = excluded.linked, decided_by = excluded.decided_by, \
             reason = excluded.reason, decided_at = excluded.decided_at",
    )
    .bind(&link.a)
    .bind(&link.b)
    .bind(link.linked)
    .bind(&link.by)
    .bind(&link.reason)
    .bind(link.decided_at)
    .execute(&mut *transaction)
    .await
    .doing("decide about people")?;
    transaction.commit().await.doing("decide about people")
}

/// Forgets a decision, and returns whether there was one.
pub(super) async fn forget(database: &Database, a: &str, b: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM people_link WHERE a = $1 AND b = $2")
        .bind(a)
        .bind(b)
        .execute(&database.pool)
        .await
        .doing("forget a decision about people")?;
    Ok(done.rows_affected() > 0)
}
