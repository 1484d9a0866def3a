//! Jobs and the attempts at them, as operators see them.

use gitfleet_shared::ids::JobId;
use sqlx::{AssertSqlSafe, Row as _};

use super::columns::{batch_id, id, instant, job_id};
use super::sight::is_visible;
use super::{Database, Doing as _, Row};
use crate::access::Scope;
use crate::store::Result;
use crate::store::ledger::JobFilter;
use crate::view::{AttemptView, JobHistory, JobView};

/// Asks for jobs by a condition, an order and a limit. They are chosen first, and only then is looked what belongs to
/// each: a server that knows little of its tables yet would do it the other way round.
fn jobs(which: &str) -> String {
    format!(
        "SELECT j.id, j.batch_id, b.name, j.work, j.units, j.state, j.losses, j.sent_at, j.hold_until, \
         j.failure_class, j.failure_message, \
         EXISTS (SELECT 1 FROM attempt a WHERE a.job_id = j.id AND a.ended_at IS NULL) \
         FROM (SELECT id, batch_id, position, work, units, state, losses, sent_at, hold_until, failure_class, \
                      failure_message FROM job WHERE {which}) j \
         JOIN batch_repository b ON b.batch_id = j.batch_id AND b.position = j.position ORDER BY j.id"
    )
}

pub(super) async fn list(database: &Database, filter: &JobFilter, now: i64) -> Result<Vec<JobView>> {
    let rows = sqlx::query(AssertSqlSafe(jobs(&format!(
        "($1 IS NULL OR batch_id = $1) AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR id > $3) \
         AND {} ORDER BY id LIMIT $4",
        is_visible("batch_id", 5)
    ))))
    .bind(filter.batch.map(|id| id.as_bytes().to_vec()))
    .bind(&filter.state)
    .bind(filter.after.map(id))
    .bind(i64::from(filter.limit))
    .bind(filter.scope.stored())
    .fetch_all(&database.pool)
    .await
    .doing("list jobs")?;
    rows.iter().map(|row| job_view(row, now)).collect()
}

pub(super) async fn history(database: &Database, job: JobId, now: i64) -> Result<Option<JobHistory>> {
    let row = sqlx::query(AssertSqlSafe(jobs("id = $1")))
        .bind(id(job))
        .fetch_optional(&database.pool)
        .await
        .doing("find a job")?;
    let Some(row) = row else { return Ok(None) };
    let attempts = sqlx::query(
        "SELECT number, worker, started_at, heard_at, done, ended_at, ending, message FROM attempt \
         WHERE job_id = $1 ORDER BY number",
    )
    .bind(id(job))
    .fetch_all(&database.pool)
    .await
    .doing("list attempts")?;
    let attempt = |row: &Row| AttemptView {
        number: row.get(0),
        worker: row.get(1),
        started_at: instant(row.get(2)),
        heard_at: instant(row.get(3)),
        done: row.get(4),
        ended_at: row.get::<Option<i64>, _>(5).map(instant),
        ending: row.get(6),
        message: row.get(7),
    };
    Ok(Some(JobHistory { job: job_view(&row, now)?, attempts: attempts.iter().map(attempt).collect() }))
}

pub(super) async fn between(
    database: &Database,
    first: JobId,
    last: JobId,
    scope: &Scope,
) -> Result<Vec<JobId>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT id FROM job WHERE id >= $1 AND id <= $2 AND {} ORDER BY id LIMIT 2",
        is_visible("batch_id", 3)
    )))
    .bind(id(first))
    .bind(id(last))
    .bind(scope.stored())
    .fetch_all(&database.pool)
    .await
    .doing("find a job")?;
    rows.iter().map(|row| job_id(row.get(0))).collect()
}

fn job_view(row: &Row, now: i64) -> Result<JobView> {
    let (state, sent_at, hold_until): (String, Option<i64>, i64) = (row.get(5), row.get(7), row.get(8));
    let held = state == "queued" && sent_at.is_none() && hold_until > now;
    let shown = match state.as_str() {
        "queued" if held => "held",
        "queued" if sent_at.is_none() => "waiting",
        "queued" if row.get(11) => "running",
        "queued" => "sent",
        state => state,
    };
    Ok(JobView {
        id: job_id(row.get(0))?.to_string(),
        batch: batch_id(row.get(1))?.to_string(),
        repository: row.get(2),
        work: row.get(3),
        units: row.get(4),
        state: shown.to_owned(),
        losses: row.get(6),
        sent_at: sent_at.map(instant),
        held_until: held.then(|| instant(hold_until)),
        failure_class: row.get(9),
        failure_message: row.get(10),
    })
}
