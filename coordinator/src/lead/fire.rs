//! Schedules: what is due is written down, and what is written down is submitted.

use futures_util::StreamExt as _;
use tokio::time::MissedTickBehavior;

use super::{Realm, Reign, TICK};
use crate::api;
use crate::schedule::{Decision, Run, Schedule, decide};
use crate::store::schedules::Begun;
use crate::store::{StoreError, Submitted};
use crate::submit::submit;

/// Firings that are submitted at the same time: one that waits for somebody keeps no other.
const TOGETHER: usize = 4;

impl Realm {
    /// Writes down what is due.
    pub(super) async fn watch_clock(self) -> Reign {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.begin_due().await {
                self.bear(&error.into(), "what is due is not looked at").await?;
            }
        }
    }

    async fn begin_due(&self) -> Result<(), StoreError> {
        let now = self.now();
        for schedule in self.store.due_schedules(now).await? {
            let due = schedule.next_due.unwrap_or(now);
            let decision = match schedule.timetable() {
                Ok(timetable) => decide(&timetable, schedule.catch_up, due, now),
                // It was read when it was added, by another version.
                Err(why) => {
                    tracing::warn!(schedule = schedule.name, why, "a schedule cannot be read any more");
                    Decision { fire: None, missed: Some(due), next_due: None }
                }
            };
            match self.store.begin_due(schedule.id, due, decision, now).await? {
                Begun::Begun(run) => {
                    tracing::info!(schedule = schedule.name, due = run.due_at, "a schedule fires");
                }
                Begun::Busy(why) => tracing::warn!(schedule = schedule.name, why, "a firing is skipped"),
                Begun::Gone => {}
            }
            gitfleet_shared::point!("S1");
        }
        Ok(())
    }

    /// Submits what was begun.
    pub(super) async fn fire_all(self) -> Reign {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let runs = match self.store.begun_runs(self.now()).await {
                Ok(runs) => runs,
                Err(error) => {
                    self.bear(&error.into(), "firings are not submitted").await?;
                    continue;
                }
            };
            let fired = futures_util::stream::iter(runs)
                .map(|(schedule, run)| self.fire(schedule, run))
                .buffer_unordered(TOGETHER)
                .collect::<Vec<_>>()
                .await;
            for fired in fired {
                if let Err(error) = fired {
                    self.bear(&error.into(), "a firing is not submitted").await?;
                }
            }
        }
    }

    async fn fire(&self, schedule: Schedule, run: Run) -> Result<(), StoreError> {
        let batch = match schedule.planned.at(&schedule.name, run.fired_at) {
            Ok(batch) => batch,
            Err(why) => return self.store.run_failed(&run, &why).await,
        };
        let submission = match api::settle(batch, run.request(), run.fired_at) {
            Ok(submission) => submission,
            Err(problem) => return self.store.run_failed(&run, &problem.detail).await,
        };
        let (batch, submitted) = submit(&*self.store, submission).await?;
        gitfleet_shared::point!("S2");
        if let Submitted::Conflict(other) = submitted {
            let why = format!("the request {} is that of batch {other}", run.request().key);
            return self.store.run_failed(&run, &why).await;
        }
        self.store.run_submitted(&run, batch).await?;
        self.bell.work();
        tracing::info!(schedule = schedule.name, batch = %batch, "a schedule submitted a batch");
        Ok(())
    }
}
