//! Schedules: what is due is written down, and what is written down is submitted.

use futures_util::StreamExt as _;
use tokio::time::MissedTickBehavior;

use super::{Realm, Reign, TICK};
use crate::api::{self, RepositoryRequest};
use crate::github::{ListError, Note, Selector, requests};
use crate::schedule::{Decision, Run, Schedule, decide};
use crate::store::schedules::Begun;
use crate::store::{StoreError, Submitted};
use crate::submit::submit;

/// Firings that are submitted at the same time: one that waits for somebody keeps no other.
const TOGETHER: usize = 4;
/// After how long a listing is tried again that failed in passing.
const AGAIN_MILLIS: i64 = 60 * 1_000;
/// For how long.
const GIVE_UP_MILLIS: i64 = 12 * 60 * 60 * 1_000;

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

    async fn fire(&self, schedule: Schedule, mut run: Run) -> Result<(), StoreError> {
        let mut batch = match schedule.planned.at(&schedule.name, run.fired_at) {
            Ok(batch) => batch,
            Err(why) => return self.store.run_failed(&run, &why).await,
        };
        // What kept it waiting is over.
        run.note = None;
        if let Some(selector) = &schedule.planned.selector {
            match self.listed(selector, &batch.repositories).await {
                Ok((found, note)) => {
                    batch.repositories.extend(found);
                    run.note = Some(note);
                }
                Err(ListError::Store(error)) => return Err(error),
                Err(error) if error.is_passing() && self.now() - run.fired_at < GIVE_UP_MILLIS => {
                    let again = self.now() + AGAIN_MILLIS;
                    let until = match error {
                        ListError::Limited { until } => until.min(again.max(run.fired_at + GIVE_UP_MILLIS)),
                        _ => again,
                    };
                    tracing::warn!(schedule = schedule.name, %error, "a firing waits");
                    return self.store.run_waits(&run, until, &error.to_string()).await;
                }
                Err(error) => {
                    tracing::warn!(schedule = schedule.name, %error, "a firing is given up");
                    return self.store.run_failed(&run, &error.to_string()).await;
                }
            }
        }
        // What is allowed may be less than when it was added.
        if let Err(problem) = api::allowed(&self.config.sources, &batch.repositories) {
            return self.store.run_failed(&run, &problem.detail).await;
        }
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

    async fn listed(
        &self,
        selector: &Selector,
        named: &[RepositoryRequest],
    ) -> Result<(Vec<RepositoryRequest>, String), ListError> {
        let nothing = || ListError::Address("this coordinator lists nothing".to_owned());
        let lister = self.config.lister.as_ref().ok_or_else(nothing)?;
        let found = lister.discover(selector, Note::Down).await?;
        let mut note =
            format!("{} of {} listed repositories", found.chosen().count(), found.repositories.len());
        if !found.vanished.is_empty() {
            note.push_str(&format!("; not listed any more: {}", found.vanished.join(", ")));
        }
        Ok((requests(selector, found.chosen(), named), note))
    }
}
