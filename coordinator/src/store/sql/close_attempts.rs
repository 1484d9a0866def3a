//! The end of the attempts at a job of which an outcome has come.

use gitfleet_shared::contract::Outcome;
use sqlx::Row as _;

use super::attempts::end_attempts;
use super::columns::id;
use super::{Database, Doing as _, Row};
use crate::store::Result;
use crate::store::text::storable;

pub(super) async fn close_attempts(database: &Database, outcome: &Outcome, now: i64) -> Result<()> {
    let mut transaction = database.begin().await?;
    // Two may have done the same job at once. Who is the first of them is decided here, for one at a time.
    sqlx::query("UPDATE job SET heard_at = heard_at WHERE id = $1")
        .bind(id(outcome.job))
        .execute(&mut *transaction)
        .await
        .doing("hold a job")?;
    let attempts = sqlx::query(
        // What came of it before it was last sent counts no more: an operator has let it begin again.
        "SELECT a.number, a.worker, a.ended_at, \
         CASE WHEN a.ended_at >= coalesce(j.sent_at, 0) THEN a.ending END \
         FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.id = $1 ORDER BY a.number",
    )
    .bind(id(outcome.job))
    .fetch_all(&mut *transaction)
    .await
    .doing("list attempts")?;
    // Nobody asked for it, so there is nothing to add to.
    if attempts.is_empty() {
        return Ok(());
    }
    let worker = storable(&outcome.worker);
    let ended = |row: &&Row| {
        matches!(row.get::<Option<&str>, _>(3), Some("ok" | "failed"))
            && row.get::<Option<&str>, _>(1) == Some(&*worker)
    };
    let open = |row: &&Row| row.get::<Option<i64>, _>(0).is_some() && row.get::<Option<i64>, _>(2).is_none();
    let twice = gitfleet_shared::sabotaged!("no_idempotency");
    let known = attempts.iter().any(|row| ended(&row)) && !twice;
    let mine = attempts
        .iter()
        .filter(open)
        .find(|row| row.get::<Option<&str>, _>(1) == Some(&*worker))
        .map(|row| row.get::<i64, _>(0));
    let over = |row: &Row| matches!(row.get::<Option<&str>, _>(3), Some("ok" | "failed"));
    let late = attempts.iter().any(over) && !twice;
    let (ending, message) = match &outcome.result {
        _ if late => ("fenced", None),
        Ok(_) => ("ok", None),
        Err(failure) => ("failed", Some(storable(&failure.message))),
    };
    if let Some(number) = mine {
        sqlx::query(
            "UPDATE attempt SET ended_at = $3, heard_at = $3, ending = $4, message = $5, \
             done = (SELECT units FROM job WHERE id = $1) WHERE job_id = $1 AND number = $2",
        )
        .bind(id(outcome.job))
        .bind(number)
        .bind(now)
        .bind(ending)
        .bind(message.as_deref())
        .execute(&mut *transaction)
        .await
        .doing("end an attempt")?;
    } else if !known {
        let elapsed = i64::try_from(outcome.elapsed_millis).unwrap_or(0);
        sqlx::query(
            "INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done, ended_at, \
             ending, message) \
             SELECT j.id, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE job_id = $1), \
             $2, $3, $4, j.units, $4, $5, $6 FROM job j WHERE j.id = $1",
        )
        .bind(id(outcome.job))
        .bind(&*worker)
        .bind(now.saturating_sub(elapsed))
        .bind(now)
        .bind(ending)
        .bind(message.as_deref())
        .execute(&mut *transaction)
        .await
        .doing("note an attempt")?;
    }
    if attempts.iter().filter(open).count() > usize::from(mine.is_some()) {
        end_attempts(&mut transaction, outcome.job, None, "fenced", now).await?;
    }
    transaction.commit().await.doing("end an attempt")
}
