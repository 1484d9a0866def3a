//! Who leads, by the clock of the database, and the fence around what a leader records.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::Row as _;
use sqlx::postgres::PgPool;

use crate::store::doing::Doing as _;
use crate::store::{Result, Term};

/// Keeps `term` from ending before the transaction does; false where it has ended. The lock is the weakest there is:
/// a renewal does not touch the term, so it waits for nobody who records, and a takeover waits for all of them.
pub(super) async fn hold(connection: &mut PgConnection, term: Term) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM leadership WHERE id = 1 AND term = $1 FOR KEY SHARE")
        .bind(term.0)
        .fetch_optional(connection)
        .await
        .doing("look who leads")?;
    Ok(row.is_some())
}

/// Milliseconds of the database's clock, which everybody shares.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}

pub(super) async fn take(
    pool: &PgPool,
    holder: &str,
    held: Option<Term>,
    ttl: Duration,
) -> Result<Option<Term>> {
    let millis = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
    if let Some(term) = held {
        let renewed = sqlx::query(concat!(
            "UPDATE leadership SET expires_at = ",
            now!(),
            " + $3 WHERE id = 1 AND holder = $1 AND term = $2"
        ))
        .bind(holder)
        .bind(term.0)
        .bind(millis)
        .execute(pool)
        .await
        .doing("renew the lead")?;
        if renewed.rows_affected() == 1 {
            return Ok(Some(term));
        }
    }
    // Asked before it is tried, because to try takes the lock that stops everybody who records.
    let taken = sqlx::query(concat!("SELECT expires_at > ", now!(), " FROM leadership WHERE id = 1"))
        .fetch_optional(pool)
        .await
        .doing("look who leads")?;
    match taken.map(|row| row.get(0)) {
        Some(true) => return Ok(None),
        Some(false) => {}
        None => {
            // The first ever. Whoever adds the row, all go on from it: nobody led in term 0.
            sqlx::query(
                "INSERT INTO leadership (id, term, holder, expires_at) VALUES (1, 0, '', 0) ON CONFLICT DO NOTHING",
            )
            .execute(pool)
            .await
            .doing("take the lead")?;
        }
    }
    let row = sqlx::query(concat!(
        "UPDATE leadership SET term = term + 1, holder = $1, expires_at = ",
        now!(),
        " + $2 WHERE id = 1 AND expires_at <= ",
        now!(),
        " RETURNING term"
    ))
    .bind(holder)
    .bind(millis)
    .fetch_optional(pool)
    .await
    .doing("take the lead")?;
    Ok(row.map(|row| Term(row.get(0))))
}

pub(super) async fn give_up(pool: &PgPool, term: Term) -> Result<()> {
    sqlx::query("UPDATE leadership SET expires_at = 0 WHERE id = 1 AND term = $1")
        .bind(term.0)
        .execute(pool)
        .await
        .doing("give up the lead")?;
    Ok(())
}
