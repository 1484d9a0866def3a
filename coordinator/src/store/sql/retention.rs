//! What may go after a time: batches and what was noted of them, never facts.

use super::{Database, Doing as _, ROW, audit};
use crate::store::{Result, Retention};
use sqlx::AssertSqlSafe;

/// Rows of one statement, so that nothing waits long for it. With a batch go its jobs, by the ten thousand.
const ROWS: u32 = 1_000;
const BATCHES: u32 = 1;

/// Removes what is older than `before` says, in small steps, each a transaction; returns how many rows went.
pub(super) async fn retire(database: &Database, before: &Retention) -> Result<u64> {
    let mut retired = 0;
    let unread = "finished_at < $1 AND id NOT IN (SELECT batch_id FROM published)";
    let ended = "(revoked_at < $1 OR expires_at < $1) \
                 AND id <> (SELECT id FROM api_token ORDER BY created_at DESC, id LIMIT 1)";
    for (table, old, before, rows) in [
        ("batch", unread, before.batches, BATCHES),
        ("attempt", "ended_at < $1", before.attempts, ROWS),
        ("dead_letter", "arrived_at < $1", before.dead_letters, ROWS),
        ("worker", "gone_at < $1", before.workers, ROWS),
        ("api_token", ended, before.tokens, ROWS),
        ("api_session", "expires_at < $1", before.sessions, ROWS),
    ] {
        let Some(before) = before else { continue };
        let statement =
            format!("DELETE FROM {table} WHERE {ROW} IN (SELECT {ROW} FROM {table} WHERE {old} LIMIT $2)");
        loop {
            let mut transaction = database.begin().await?;
            let gone = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(before)
                .bind(i64::from(rows))
                .execute(&mut *transaction)
                .await
                .doing("retire old rows")?
                .rows_affected();
            transaction.commit().await.doing("retire old rows")?;
            retired += gone;
            if gone == 0 {
                break;
            }
        }
    }
    if let Some(before) = before.audit {
        loop {
            let gone = audit::trim(database, before, ROWS).await?;
            retired += gone;
            if gone == 0 {
                break;
            }
        }
    }
    Ok(retired)
}
