//! Makes the reports of batches that have come to their end.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gitfleet_shared::ids::BatchId;

use super::{Realm, Reign, TICK};
use crate::conclude::conclude;
use crate::manifest::{Run, manifest};
use crate::store::ledger::RunningBatch;
use crate::store::{Finished, StoreError};

/// How often it is looked whether a batch has come to its end.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a batch rests whose report could not be made.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

impl Realm {
    /// Concludes what has come to its end, one batch after another: a large report keeps no job from being sent.
    pub(super) async fn conclude_all(self) -> Reign {
        let mut failed: HashMap<BatchId, tokio::time::Instant> = HashMap::new();
        loop {
            match self.store.running().await {
                Err(error) => self.bear(&error.into(), "batches are not concluded").await?,
                Ok(running) => {
                    for batch in running.iter().filter(|batch| batch.settled) {
                        if failed.get(&batch.id).is_some_and(|at| at.elapsed() < AGAIN_AFTER) {
                            continue;
                        }
                        match self.conclude(batch).await {
                            Ok(()) => failed.remove(&batch.id),
                            Err(error) => {
                                let what = "a report cannot be made, and is tried again later";
                                self.bear(&error, what).await?;
                                let passing = error.downcast_ref().is_some_and(StoreError::is_passing);
                                // One that fails for a reason of its own is in nobody's way.
                                (!passing)
                                    .then(|| failed.insert(batch.id, tokio::time::Instant::now()))
                                    .flatten()
                            }
                        };
                    }
                }
            }
            // A batch ends once, and an outcome that might have ended it comes all the time.
            tokio::time::sleep(LOOK_EVERY).await;
            let _ = tokio::time::timeout(TICK, self.bell.ends.notified()).await;
        }
    }

    async fn conclude(&self, batch: &RunningBatch) -> anyhow::Result<()> {
        if batch.terms.dry_run {
            return Ok(self.store.finish(batch.id, self.now()).await?);
        }
        gitfleet_shared::point!("C8");
        let concluded = conclude(&*self.store, batch.id, &batch.terms).await?;
        let repositories = self.store.repositories(batch.id).await?;
        let slots: i64 = self.store.workers().await?.iter().map(|worker| worker.slots).sum();
        let now = self.now();
        let run = Run {
            batch: batch.id,
            started_at: rfc3339(batch.created_at),
            finished_at: rfc3339(now),
            elapsed_millis: u64::try_from(now - batch.created_at).unwrap_or(0),
            worker_slots: usize::try_from(slots).unwrap_or(0),
            config: self.store.config(batch.id).await?,
        };
        let manifest = serde_json::to_string_pretty(&manifest(run, &repositories, &concluded.report))?;
        let finished = Finished {
            batch: batch.id,
            report: &concluded.json,
            manifest: &manifest,
            inputs: concluded.inputs,
            as_of_seconds: batch.terms.as_of_seconds,
            finished_at: now,
        };
        gitfleet_shared::point!("C9");
        self.store.publish(&batch.name, &finished).await?;
        gitfleet_shared::point!("C10");
        let elapsed = self.now().saturating_sub(batch.created_at).max(0);
        self.config.meters.batch_seconds.observe(elapsed as f64 / 1_000.0);
        tracing::info!(batch.id = %batch.id, name = batch.name, "the batch is finished and its report published");
        Ok(())
    }
}

fn rfc3339(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339()
}
