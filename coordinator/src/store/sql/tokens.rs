//! Tokens of the API, and the sessions that were begun with them.

use sqlx::Row as _;

use super::{Database, Doing as _, Row};
use crate::access::{Role, Scope, StoredToken};
use crate::store::ledger::Wish;
use crate::store::{Result, StoreError};

const COLUMNS: &str =
    "SELECT id, name, digest, role, scope, created_by, created_at, expires_at, revoked_at FROM api_token";

pub(super) async fn add(database: &Database, token: &StoredToken) -> Result<()> {
    sqlx::query(
        "INSERT INTO api_token (id, name, digest, role, scope, created_by, created_at, expires_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&token.id)
    .bind(&token.name)
    .bind(token.digest.as_slice())
    .bind(token.role.name())
    .bind(token.scope.stored())
    .bind(&token.created_by)
    .bind(token.created_at)
    .bind(token.expires_at)
    .bind(token.revoked_at)
    .execute(&database.pool)
    .await
    .doing("keep a token")?;
    Ok(())
}

pub(super) async fn find(database: &Database, id: &str) -> Result<Option<StoredToken>> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE id = $1")))
        .bind(id)
        .fetch_optional(&database.pool)
        .await
        .doing("find a token")?;
    row.as_ref().map(stored).transpose()
}

pub(super) async fn list(database: &Database) -> Result<Vec<StoredToken>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY created_at DESC, id")))
        .fetch_all(&database.pool)
        .await
        .doing("list tokens")?;
    rows.iter().map(stored).collect()
}

pub(super) async fn are_there(database: &Database) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM api_token LIMIT 1")
        .fetch_optional(&database.pool)
        .await
        .doing("look for tokens")?;
    Ok(row.is_some())
}

pub(super) async fn revoke(database: &Database, id: &str, now: i64) -> Result<Wish> {
    let done = sqlx::query("UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(now)
        .execute(&database.pool)
        .await
        .doing("revoke a token")?;
    if done.rows_affected() > 0 {
        return Ok(Wish::Done);
    }
    Ok(match find(database, id).await? {
        Some(_) => Wish::Already,
        None => Wish::NotFound,
    })
}

fn stored(row: &Row) -> Result<StoredToken> {
    // A scope that cannot be read must not become everything.
    const DAMAGED: StoreError = StoreError::Damaged { what: "a token" };
    Ok(StoredToken {
        id: row.get(0),
        name: row.get(1),
        digest: row.get::<Vec<u8>, _>(2).try_into().map_err(|_| DAMAGED)?,
        role: Role::named(row.get(3)).ok_or(DAMAGED)?,
        scope: Scope::restored(row.get(4)).ok_or(DAMAGED)?,
        created_by: row.get(5),
        created_at: row.get(6),
        expires_at: row.get(7),
        revoked_at: row.get(8),
    })
}

pub(super) async fn begin_session(
    database: &Database,
    digest: [u8; 32],
    token: &str,
    now: i64,
    expires_at: i64,
) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM api_session WHERE expires_at <= $1")
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("end old sessions")?;
    sqlx::query("INSERT INTO api_session (digest, token, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(digest.as_slice())
        .bind(token)
        .bind(now)
        .bind(expires_at)
        .execute(&mut *transaction)
        .await
        .doing("begin a session")?;
    transaction.commit().await.doing("begin a session")
}

pub(super) async fn session(database: &Database, digest: [u8; 32], now: i64) -> Result<Option<String>> {
    let row = sqlx::query("SELECT token FROM api_session WHERE digest = $1 AND expires_at > $2")
        .bind(digest.as_slice())
        .bind(now)
        .fetch_optional(&database.pool)
        .await
        .doing("find a session")?;
    Ok(row.map(|row| row.get(0)))
}

pub(super) async fn end_session(database: &Database, digest: [u8; 32]) -> Result<()> {
    sqlx::query("DELETE FROM api_session WHERE digest = $1")
        .bind(digest.as_slice())
        .execute(&database.pool)
        .await
        .doing("end a session")?;
    Ok(())
}
