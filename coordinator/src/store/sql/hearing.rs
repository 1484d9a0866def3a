//! Signs of life: which workers there are, and what they have in hand.

use std::collections::HashSet;

use gitfleet_shared::contract::Heartbeat;
use gitfleet_shared::ids::JobId;
use sqlx::Row as _;

use super::columns::job_id;
use super::{Connection, Database, Doing as _, bulk};
use crate::store::Result;
use crate::store::text::storable;

/// A job in the hands of a worker.
pub(super) struct InHand {
    pub(super) job: JobId,
    pub(super) worker: String,
    /// Units, as the job counts them.
    pub(super) done: i64,
}

/// Workers in the order of their names, then jobs in that of their ids: two who hear of the same take them in one order,
/// or they wait for each other in a circle.
pub(super) async fn hear(database: &Database, heartbeats: &[Heartbeat], now: i64) -> Result<()> {
    let mut heartbeats: Vec<&Heartbeat> = heartbeats.iter().collect();
    heartbeats.sort_by(|one, other| one.worker.name.cmp(&other.worker.name));
    let mut transaction = database.begin().await?;
    let connection = &mut *transaction;
    let mut in_hand: Vec<InHand> = Vec::new();
    for heartbeat in heartbeats {
        note(connection, heartbeat, now).await?;
        in_hand.extend(heartbeat.running.iter().map(|running| InHand {
            job: running.job,
            worker: storable(&heartbeat.worker.name).into_owned(),
            done: i64::try_from(running.done).unwrap_or(i64::MAX),
        }));
    }
    let jobs: Vec<JobId> = in_hand.iter().map(|one| one.job).collect();
    let heard = bulk::hear_of(connection, &jobs, now).await.doing("note signs of life")?;
    let heard: HashSet<JobId> = heard.iter().map(|row| job_id(row.get(0))).collect::<Result<_>>()?;
    in_hand.retain(|one| heard.contains(&one.job));
    if !in_hand.is_empty() {
        bulk::note_attempts(connection, &in_hand, now).await.doing("note attempts")?;
    }
    transaction.commit().await.doing("note signs of life")
}

async fn note(connection: &mut Connection, heartbeat: &Heartbeat, now: i64) -> Result<()> {
    let worker = &heartbeat.worker;
    sqlx::query(
        "INSERT INTO worker (name, started_at, heard_at, slots, running, version, host, gone_at) \
         VALUES ($1, $2, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET heard_at = excluded.heard_at, \
         slots = excluded.slots, running = excluded.running, gone_at = excluded.gone_at",
    )
    .bind(storable(&worker.name))
    .bind(now)
    .bind(i64::from(heartbeat.slots))
    .bind(i64::try_from(heartbeat.running.len()).unwrap_or(i64::MAX))
    .bind(storable(&worker.version))
    .bind(storable(&worker.host))
    .bind(heartbeat.leaving.then_some(now))
    .execute(connection)
    .await
    .doing("note a worker")?;
    Ok(())
}
