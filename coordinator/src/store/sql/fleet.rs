//! The fleet: its workers, what they are to be told, who leads it, and what it is written down in.

use std::collections::BTreeMap;

use gitfleet_shared::contract::Control;
use sqlx::Row as _;

use super::columns::{batch_id, instant, job_id};
use super::{Database, Doing as _, VERSION};
use crate::store::Result;
use crate::view::WorkerView;

pub(super) async fn workers(database: &Database) -> Result<Vec<WorkerView>> {
    let rows = sqlx::query(
        "SELECT name, host, version, slots, running, started_at, heard_at, gone_at, draining \
         FROM worker ORDER BY gone_at IS NOT NULL, name",
    )
    .fetch_all(&database.pool)
    .await
    .doing("list workers")?;
    let open =
        sqlx::query("SELECT worker, job_id FROM attempt WHERE ended_at IS NULL AND worker IS NOT NULL")
            .fetch_all(&database.pool)
            .await
            .doing("list attempts")?;
    let mut in_hand: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &open {
        in_hand.entry(row.get(0)).or_default().push(job_id(row.get(1))?.to_string());
    }
    Ok(rows
        .iter()
        .map(|row| {
            let (name, running, gone_at): (String, i64, Option<i64>) = (row.get(0), row.get(4), row.get(7));
            let state = match (gone_at, row.get::<i64, _>(8) == 1, running > 0) {
                (Some(_), ..) => "gone",
                (None, true, true) => "draining",
                (None, true, false) => "drained",
                (None, false, true) => "busy",
                (None, false, false) => "idle",
            };
            WorkerView {
                jobs: in_hand.remove(&name).filter(|_| gone_at.is_none()).unwrap_or_default(),
                name,
                host: row.get(1),
                version: row.get(2),
                state: state.to_owned(),
                slots: row.get(3),
                running,
                started_at: instant(row.get(5)),
                heard_at: instant(row.get(6)),
                gone_at: gone_at.map(instant),
            }
        })
        .collect())
}

pub(super) async fn control(database: &Database, since: i64) -> Result<Control> {
    let draining =
        sqlx::query("SELECT name FROM worker WHERE draining = 1 AND gone_at IS NULL ORDER BY name")
            .fetch_all(&database.pool)
            .await
            .doing("list draining workers")?;
    let batches = sqlx::query(
        "SELECT id, state FROM batch WHERE (state = 'running' AND paused = 1) \
         OR (state = 'cancelled' AND finished_at >= $1) ORDER BY id",
    )
    .bind(since)
    .fetch_all(&database.pool)
    .await
    .doing("list batches that rest")?;
    let mut control =
        Control { draining: draining.iter().map(|row| row.get(0)).collect(), ..Control::default() };
    for row in &batches {
        let id = batch_id(row.get(0))?;
        match row.get(1) {
            "running" => control.paused.push(id),
            _ => control.cancelled.push(id),
        }
    }
    Ok(control)
}

pub(super) async fn leader(database: &Database, now: i64) -> Result<Option<String>> {
    let row = sqlx::query("SELECT holder FROM leadership WHERE expires_at > $1")
        .bind(now)
        .fetch_optional(&database.pool)
        .await
        .doing("find the leader")?;
    Ok(row.map(|row| row.get(0)))
}

pub(super) async fn describe(database: &Database) -> Result<String> {
    let row = sqlx::query(VERSION).fetch_one(&database.pool).await.doing("tell its version")?;
    Ok(row.get(0))
}
