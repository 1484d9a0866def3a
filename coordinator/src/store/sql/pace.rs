//! How often somebody asked, and failed to say who they are.

use sqlx::Row as _;

use super::{Connection, Database, Doing as _};
use crate::access::{Lockout, Pace};
use crate::store::Result;

pub(super) async fn draw(database: &Database, names: &[String], pace: Pace, now: i64) -> Result<i64> {
    let mut transaction = database.begin().await?;
    let mut wait = 0;
    for name in ordered(names) {
        wait = wait.max(draw_one(&mut transaction, name, pace, now).await?);
    }
    if wait == 0 {
        transaction.commit().await.doing("count a request")?;
    } else {
        transaction.rollback().await.doing("leave it")?;
    }
    Ok(wait)
}

async fn draw_one(connection: &mut Connection, name: &str, pace: Pace, now: i64) -> Result<i64> {
    // Only where there is room is anything taken: who asks too often waits no longer for it.
    let drawn = sqlx::query(
        "INSERT INTO api_rate (name, earned_at) VALUES ($1, $2 + $3) \
         ON CONFLICT (name) DO UPDATE SET earned_at = \
             CASE WHEN api_rate.earned_at > $2 THEN api_rate.earned_at ELSE $2 END + $3 \
         WHERE api_rate.earned_at + $3 <= $2 + $4",
    )
    .bind(name)
    .bind(now)
    .bind(pace.interval_millis)
    .bind(pace.burst_millis)
    .execute(&mut *connection)
    .await
    .doing("count a request")?;
    if drawn.rows_affected() > 0 {
        return Ok(0);
    }
    let row = sqlx::query("SELECT earned_at FROM api_rate WHERE name = $1")
        .bind(name)
        .fetch_one(&mut *connection)
        .await
        .doing("count requests")?;
    Ok((row.get::<i64, _>(0) + pace.interval_millis - pace.burst_millis - now).max(1))
}

pub(super) async fn locked_until(database: &Database, names: &[String]) -> Result<i64> {
    let mut until = 0;
    for name in ordered(names) {
        let row = sqlx::query("SELECT locked_until FROM api_failure WHERE name = $1")
            .bind(name)
            .fetch_optional(&database.pool)
            .await
            .doing("look who is locked out")?;
        until = until.max(row.map_or(0, |row| row.get::<i64, _>(0)));
    }
    Ok(until)
}

pub(super) async fn fail(database: &Database, names: &[String], lockout: Lockout, now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    for name in ordered(names) {
        // The row is there and ours before it is read, so that two failures are two.
        sqlx::query(
            "INSERT INTO api_failure (name, failures, failed_at, locked_until) VALUES ($1, 0, $2, 0) \
             ON CONFLICT (name) DO UPDATE SET failures = api_failure.failures",
        )
        .bind(name)
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("note a failure")?;
        let row = sqlx::query("SELECT failures, failed_at, locked_until FROM api_failure WHERE name = $1")
            .bind(name)
            .fetch_one(&mut *transaction)
            .await
            .doing("note a failure")?;
        let (failures, locked) = lockout.after(row.get(0), row.get(1), row.get(2), now);
        sqlx::query(
            "UPDATE api_failure SET failures = $2, failed_at = $3, locked_until = $4 WHERE name = $1",
        )
        .bind(name)
        .bind(failures)
        .bind(now)
        .bind(locked)
        .execute(&mut *transaction)
        .await
        .doing("note a failure")?;
    }
    transaction.commit().await.doing("note a failure")
}

/// In one order, so that nobody waits in a circle.
fn ordered(names: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}
