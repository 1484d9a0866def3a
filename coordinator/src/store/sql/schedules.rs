//! Schedules and their firings.

use async_trait::async_trait;
use gitfleet_shared::ids::BatchId;
use sqlx::{AssertSqlSafe, Row as _};

use super::columns::batch_id;
use super::{Connection, Database, Doing as _, FOR_CHANGE, Row, erased};
use crate::redact;
use crate::schedule::{CatchUp, Decision, Run, RunState, Schedule};
use crate::store::ledger::Wish;
use crate::store::schedules::{Begun, KEPT_RUNS, Schedules};
use crate::store::{Result, StoreError};

const DAMAGED: StoreError = StoreError::Damaged { what: "a schedule" };

const COLUMNS: &str = "s.id, s.name, s.owner, s.cron, s.zone, s.hours, s.catch_up, s.planned, s.paused, \
                       s.next_due, s.created_by, s.created_at";
const RUN: &str = "r.schedule_id, r.due_at, r.state AS run_state, r.fired_at, r.manual, r.batch_id, r.note";

#[async_trait]
impl Schedules for Database {
    async fn add_schedule(&self, schedule: &Schedule) -> Result<Option<i64>> {
        self.again("add_schedule", || add(self, schedule)).await
    }

    async fn schedules(&self) -> Result<Vec<Schedule>> {
        self.again("schedules", || select(self, "ORDER BY s.name, s.owner", None)).await
    }

    async fn remove_schedule(&self, id: i64) -> Result<bool> {
        self.again("remove_schedule", || remove(self, id)).await
    }

    async fn set_schedule_paused(&self, id: i64, paused: bool, next_due: Option<i64>) -> Result<Wish> {
        self.again("set_schedule_paused", || set_paused(self, id, paused, next_due)).await
    }

    async fn due_schedules(&self, now: i64) -> Result<Vec<Schedule>> {
        let which = "WHERE s.paused = 0 AND s.next_due <= $1 ORDER BY s.next_due, s.id";
        self.again("due_schedules", || select(self, which, Some(now))).await
    }

    async fn begin_due(&self, schedule: i64, due: i64, decision: Decision, now: i64) -> Result<Begun> {
        self.again("begin_due", || begin_due(self, schedule, due, decision, now)).await
    }

    async fn begin_asked(&self, schedule: i64, now: i64) -> Result<Begun> {
        self.again("begin_asked", || begin_asked(self, schedule, now)).await
    }

    async fn begun_runs(&self, now: i64) -> Result<Vec<(Schedule, Run)>> {
        self.again("begun_runs", || begun_runs(self, now)).await
    }

    async fn run_submitted(&self, run: &Run, batch: BatchId) -> Result<()> {
        self.again("run_submitted", || end(self, run, RunState::Submitted, Some(batch), run.note.as_deref()))
            .await
    }

    async fn run_failed(&self, run: &Run, note: &str) -> Result<()> {
        self.again("run_failed", || end(self, run, RunState::Failed, None, Some(note))).await
    }

    async fn run_waits(&self, run: &Run, retry_at: i64, note: &str) -> Result<()> {
        self.again("run_waits", || wait(self, run, retry_at, note)).await
    }

    async fn runs(&self, schedule: i64, limit: u32) -> Result<Vec<Run>> {
        self.again("runs", || runs(self, schedule, limit)).await
    }
}

async fn add(database: &Database, schedule: &Schedule) -> Result<Option<i64>> {
    let planned = serde_json::to_string(&schedule.planned).map_err(|_| DAMAGED)?;
    let mut transaction = database.begin().await?;
    let list = erased::hold(database, &mut transaction).await?;
    let planned = redact::document(&list, &planned).unwrap_or(planned);
    let row = sqlx::query(
        "INSERT INTO schedule (name, owner, cron, zone, hours, catch_up, planned, paused, next_due, created_by, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (owner, name) DO NOTHING RETURNING id",
    )
    .bind(&schedule.name)
    .bind(&schedule.owner)
    .bind(&schedule.cron)
    .bind(&schedule.zone)
    .bind(&schedule.hours)
    .bind(schedule.catch_up.name())
    .bind(planned)
    .bind(i64::from(schedule.paused))
    .bind(schedule.next_due)
    .bind(list.redact_text(&schedule.created_by))
    .bind(schedule.created_at)
    .fetch_optional(&mut *transaction)
    .await
    .doing("add a schedule")?;
    transaction.commit().await.doing("add a schedule")?;
    Ok(row.map(|row| row.get(0)))
}

/// Returns the schedules that `which` says; `$1` in it is `at`.
async fn select(database: &Database, which: &str, at: Option<i64>) -> Result<Vec<Schedule>> {
    let statement = format!("SELECT {COLUMNS} FROM schedule s {which}");
    let mut query = sqlx::query(AssertSqlSafe(statement));
    if let Some(at) = at {
        query = query.bind(at);
    }
    let rows = query.fetch_all(&database.pool).await.doing("list schedules")?;
    Ok(rows.iter().filter_map(|row| told(schedule(row))).collect())
}

fn told<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "a schedule of another version is passed over")).ok()
}

async fn remove(database: &Database, id: i64) -> Result<bool> {
    let mut transaction = database.begin().await?;
    let removed = sqlx::query("DELETE FROM schedule WHERE id = $1")
        .bind(id)
        .execute(&mut *transaction)
        .await
        .doing("remove a schedule")?;
    transaction.commit().await.doing("remove a schedule")?;
    Ok(removed.rows_affected() > 0)
}

async fn set_paused(database: &Database, id: i64, paused: bool, next_due: Option<i64>) -> Result<Wish> {
    let mut transaction = database.begin().await?;
    let changed =
        sqlx::query("UPDATE schedule SET paused = $2, next_due = $3 WHERE id = $1 AND paused <> $2")
            .bind(id)
            .bind(i64::from(paused))
            .bind(next_due)
            .execute(&mut *transaction)
            .await
            .doing("pause a schedule")?;
    if changed.rows_affected() > 0 {
        transaction.commit().await.doing("pause a schedule")?;
        return Ok(Wish::Done);
    }
    let there = hold(&mut transaction, id).await?;
    transaction.rollback().await.doing("leave it")?;
    Ok(if there { Wish::Already } else { Wish::NotFound })
}

/// Keeps everybody else from deciding about a schedule; false where there is none.
async fn hold(connection: &mut Connection, id: i64) -> Result<bool> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM schedule WHERE id = $1 {FOR_CHANGE}")))
        .bind(id)
        .fetch_optional(connection)
        .await
        .doing("find a schedule")?;
    Ok(row.is_some())
}

async fn begin_due(
    database: &Database,
    schedule: i64,
    due: i64,
    decision: Decision,
    now: i64,
) -> Result<Begun> {
    let Decision { fire, missed, next_due } = decision;
    let mut transaction = database.begin().await?;
    // Whoever changes this first has decided.
    let taken =
        sqlx::query("UPDATE schedule SET next_due = $3 WHERE id = $1 AND next_due = $2 AND paused = 0")
            .bind(schedule)
            .bind(due)
            .bind(next_due)
            .execute(&mut *transaction)
            .await
            .doing("take a firing")?;
    if taken.rows_affected() == 0 {
        transaction.rollback().await.doing("leave it")?;
        return Ok(Begun::Gone);
    }
    let run = |due_at, state, note| Run {
        schedule,
        due_at,
        state,
        fired_at: now,
        manual: false,
        batch: None,
        note,
    };
    if let Some(missed) = missed {
        let note = match fire {
            Some(fire) => {
                format!("nobody led; made up for by the firing of {}", super::columns::instant(fire))
            }
            None => "nobody led, and nothing is made up for".to_owned(),
        };
        insert(&mut transaction, &run(missed, RunState::Missed, Some(note))).await?;
    }
    let begun = match fire {
        None => Begun::Gone,
        Some(fire) => {
            let busy = busy(&mut transaction, schedule).await?;
            let run = run(fire, Begun::state(busy.as_ref()), busy.clone());
            insert(&mut transaction, &run).await?;
            busy.map_or(Begun::Begun(run), Begun::Busy)
        }
    };
    forget_old(&mut transaction, schedule).await?;
    transaction.commit().await.doing("take a firing")?;
    Ok(begun)
}

async fn begin_asked(database: &Database, schedule: i64, now: i64) -> Result<Begun> {
    let mut transaction = database.begin().await?;
    if !hold(&mut transaction, schedule).await? {
        transaction.rollback().await.doing("leave it")?;
        return Ok(Begun::Gone);
    }
    if let Some(busy) = busy(&mut transaction, schedule).await? {
        transaction.rollback().await.doing("leave it")?;
        return Ok(Begun::Busy(busy));
    }
    let run = Run {
        schedule,
        due_at: now,
        state: RunState::Begun,
        fired_at: now,
        manual: true,
        batch: None,
        note: None,
    };
    if !insert(&mut transaction, &run).await? {
        transaction.rollback().await.doing("leave it")?;
        return Ok(Begun::Busy("one was asked for in this very moment".to_owned()));
    }
    forget_old(&mut transaction, schedule).await?;
    transaction.commit().await.doing("begin a firing")?;
    Ok(Begun::Begun(run))
}

/// Says what goes on of a schedule, if anything does.
async fn busy(connection: &mut Connection, schedule: i64) -> Result<Option<String>> {
    let row = sqlx::query(
        "SELECT r.due_at, r.batch_id FROM schedule_run r LEFT JOIN batch b ON b.id = r.batch_id \
         WHERE r.schedule_id = $1 AND (r.state = 'begun' OR b.state = 'running') ORDER BY r.due_at DESC LIMIT 1",
    )
    .bind(schedule)
    .fetch_optional(connection)
    .await
    .doing("look for what goes on")?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(match row.get::<Option<Vec<u8>>, _>(1) {
        Some(batch) => format!("batch {} still runs", batch_id(batch)?),
        None => format!("the firing of {} is still being prepared", super::columns::instant(row.get(0))),
    }))
}

async fn insert(connection: &mut Connection, run: &Run) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO schedule_run (schedule_id, due_at, state, fired_at, manual, note, retry_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $4) ON CONFLICT (schedule_id, due_at) DO NOTHING",
    )
    .bind(run.schedule)
    .bind(run.due_at)
    .bind(run.state.name())
    .bind(run.fired_at)
    .bind(i64::from(run.manual))
    .bind(&run.note)
    .execute(connection)
    .await
    .doing("write a firing down")?;
    Ok(done.rows_affected() > 0)
}

async fn forget_old(connection: &mut Connection, schedule: i64) -> Result<()> {
    sqlx::query(
        "DELETE FROM schedule_run WHERE schedule_id = $1 AND state <> 'begun' AND due_at < \
         (SELECT due_at FROM schedule_run WHERE schedule_id = $1 ORDER BY due_at DESC LIMIT 1 OFFSET $2)",
    )
    .bind(schedule)
    .bind(KEPT_RUNS - 1)
    .execute(connection)
    .await
    .doing("forget old firings")?;
    Ok(())
}

async fn begun_runs(database: &Database, now: i64) -> Result<Vec<(Schedule, Run)>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {COLUMNS}, {RUN} FROM schedule_run r JOIN schedule s ON s.id = r.schedule_id \
         WHERE r.state = 'begun' AND r.retry_at <= $1 ORDER BY r.due_at, s.id"
    )))
    .bind(now)
    .fetch_all(&database.pool)
    .await
    .doing("list firings")?;
    // One that another version wrote keeps no other from being carried out.
    let readable = |row| Ok((schedule(row)?, run(row)?));
    Ok(rows.iter().filter_map(|row| told(readable(row))).collect())
}

async fn end(
    database: &Database,
    run: &Run,
    state: RunState,
    batch: Option<BatchId>,
    note: Option<&str>,
) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "UPDATE schedule_run SET state = $3, batch_id = $4, note = $5 \
         WHERE schedule_id = $1 AND due_at = $2 AND state = 'begun'",
    )
    .bind(run.schedule)
    .bind(run.due_at)
    .bind(state.name())
    .bind(batch.map(|batch| batch.as_bytes().to_vec()))
    .bind(note)
    .execute(&mut *transaction)
    .await
    .doing("end a firing")?;
    transaction.commit().await.doing("end a firing")
}

async fn wait(database: &Database, run: &Run, retry_at: i64, note: &str) -> Result<()> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "UPDATE schedule_run SET retry_at = $3, note = $4 \
         WHERE schedule_id = $1 AND due_at = $2 AND state = 'begun'",
    )
    .bind(run.schedule)
    .bind(run.due_at)
    .bind(retry_at)
    .bind(note)
    .execute(&mut *transaction)
    .await
    .doing("put a firing off")?;
    transaction.commit().await.doing("put a firing off")
}

async fn runs(database: &Database, schedule: i64, limit: u32) -> Result<Vec<Run>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {RUN} FROM schedule_run r WHERE r.schedule_id = $1 ORDER BY r.fired_at DESC, r.due_at DESC LIMIT $2"
    )))
    .bind(schedule)
    .bind(i64::from(limit))
    .fetch_all(&database.pool)
    .await
    .doing("list firings")?;
    rows.iter().map(run).collect()
}

fn schedule(row: &Row) -> Result<Schedule> {
    Ok(Schedule {
        id: row.get("id"),
        name: row.get("name"),
        owner: row.get("owner"),
        cron: row.get("cron"),
        zone: row.get("zone"),
        hours: row.get("hours"),
        catch_up: CatchUp::named(row.get("catch_up")).ok_or(DAMAGED)?,
        planned: serde_json::from_str(row.get("planned")).map_err(|_| DAMAGED)?,
        paused: row.get::<i64, _>("paused") == 1,
        next_due: row.get("next_due"),
        created_by: row.get("created_by"),
        created_at: row.get("created_at"),
    })
}

fn run(row: &Row) -> Result<Run> {
    let batch = row.get::<Option<Vec<u8>>, _>("batch_id").map(batch_id).transpose()?;
    Ok(Run {
        schedule: row.get("schedule_id"),
        due_at: row.get("due_at"),
        state: RunState::named(row.get("run_state")).ok_or(DAMAGED)?,
        fired_at: row.get("fired_at"),
        manual: row.get::<i64, _>("manual") == 1,
        batch: batch.map(|batch| batch.to_string()),
        note: row.get("note"),
    })
}
