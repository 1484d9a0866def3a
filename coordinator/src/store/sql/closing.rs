//! The ends of attempts: who did a job first, and who came too late.

use std::borrow::Cow;
use std::collections::HashMap;

use gitfleet_shared::contract::Outcome;
use gitfleet_shared::ids::JobId;
use sqlx::Row as _;

use super::columns::job_id;
use super::{Connection, Doing as _, bulk};
use crate::store::Result;
use crate::store::text::storable;

/// An attempt that is noted at its end, because nobody was heard of while it lasted.
pub(super) struct EndedAttempt<'a> {
    pub(super) job: JobId,
    pub(super) number: i64,
    pub(super) worker: Cow<'a, str>,
    /// UTC milliseconds.
    pub(super) started_at: i64,
    pub(super) ended_at: i64,
    /// Units, as the job counts them.
    pub(super) done: i64,
    pub(super) ending: &'static str,
    pub(super) message: Option<Cow<'a, str>>,
}

/// What is noted of a job.
#[derive(Default)]
struct Noted {
    units: i64,
    attempts: Vec<Attempt>,
}

struct Attempt {
    number: i64,
    worker: Option<String>,
    is_open: bool,
    /// Whether an outcome came of it since the job was last sent: what was before counts no more, because an operator
    /// has let the job begin again.
    has_result: bool,
}

/// Ends the attempts that led to `outcomes`, and with each those of others at the same job, which came too late. Of
/// two who have done the same job the first counts; who it is, is decided here: the rows of the jobs are taken.
pub(super) async fn close_attempts(
    connection: &mut Connection,
    outcomes: &[&Outcome],
    now: i64,
) -> Result<()> {
    let mut jobs = noted(connection, outcomes).await?;
    let mut ended = Vec::new();
    for outcome in outcomes {
        // Nobody asked for it, so there is nothing to add to.
        let Some(noted) = jobs.get_mut(&outcome.job) else { continue };
        let worker = storable(&outcome.worker);
        let twice = gitfleet_shared::sabotaged!("no_idempotency");
        let late = noted.attempts.iter().any(|attempt| attempt.has_result) && !twice;
        let (ending, message) = match &outcome.result {
            _ if late => ("fenced", None),
            Ok(_) => ("ok", None),
            Err(failure) => ("failed", Some(storable(&failure.message))),
        };
        let of_worker = |attempt: &Attempt| attempt.worker.as_deref() == Some(&*worker);
        let is_known =
            noted.attempts.iter().any(|attempt| attempt.has_result && of_worker(attempt)) && !twice;
        let mine = noted.attempts.iter_mut().find(|attempt| attempt.is_open && of_worker(attempt));
        if let Some(mine) = mine {
            end(connection, outcome.job, mine.number, noted.units, ending, message.as_deref(), now).await?;
            (mine.is_open, mine.has_result) = (false, !late);
        } else if !is_known {
            let number = noted.attempts.last().map_or(0, |attempt| attempt.number) + 1;
            let elapsed = i64::try_from(outcome.elapsed_millis).unwrap_or(0);
            let worker = Some(worker.clone().into_owned());
            noted.attempts.push(Attempt { number, worker, is_open: false, has_result: !late });
            ended.push(EndedAttempt {
                job: outcome.job,
                number,
                worker: storable(&outcome.worker),
                started_at: now.saturating_sub(elapsed),
                ended_at: now,
                done: noted.units,
                ending,
                message,
            });
        }
        for other in noted.attempts.iter_mut().filter(|attempt| attempt.is_open) {
            end(connection, outcome.job, other.number, -1, "fenced", None, now).await?;
            other.is_open = false;
        }
    }
    bulk::insert_attempts(connection, &ended).await.doing("note attempts")
}

/// Takes the jobs, and returns what is noted of them.
async fn noted(connection: &mut Connection, outcomes: &[&Outcome]) -> Result<HashMap<JobId, Noted>> {
    let mut ids: Vec<JobId> = outcomes.iter().map(|outcome| outcome.job).collect();
    ids.sort_unstable();
    ids.dedup();
    // Those that had ended before are not held yet.
    bulk::by_job(connection, "SELECT id FROM job WHERE id", &ids, super::HOLD_JOBS)
        .await
        .doing("hold jobs")?;
    let query = "SELECT j.id, j.units, a.number, a.worker, a.ended_at IS NULL, \
         a.ending IN ('ok', 'failed') AND a.ended_at >= coalesce(j.sent_at, 0) \
         FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.id";
    let rows = bulk::by_job(connection, query, &ids, "ORDER BY a.number").await.doing("list attempts")?;
    let mut jobs: HashMap<JobId, Noted> = HashMap::new();
    for row in rows {
        let noted = jobs.entry(job_id(row.get(0))?).or_default();
        noted.units = row.get(1);
        let Some(number) = row.get(2) else { continue };
        noted.attempts.push(Attempt {
            number,
            worker: row.get(3),
            is_open: row.get(4),
            has_result: row.get::<Option<bool>, _>(5).unwrap_or(false),
        });
    }
    Ok(jobs)
}

/// Ends an open attempt; with `done` below 0, what was done is what was last heard.
async fn end(
    connection: &mut Connection,
    job: JobId,
    number: i64,
    done: i64,
    ending: &'static str,
    message: Option<&str>,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE attempt SET ended_at = $3, ending = $4, message = $5, \
         heard_at = CASE WHEN $6 < 0 THEN heard_at ELSE $3 END, done = CASE WHEN $6 < 0 THEN done ELSE $6 END \
         WHERE job_id = $1 AND number = $2",
    )
    .bind(job.as_bytes().as_slice())
    .bind(number)
    .bind(now)
    .bind(ending)
    .bind(message)
    .bind(done)
    .execute(connection)
    .await
    .doing("end an attempt")?;
    Ok(())
}
