//! Notes signs of life, and looks after jobs and workers that give none.

use std::collections::HashMap;
use std::time::Duration;

use gitfleet_shared::contract::{Failure, FailureClass, Heartbeat, Outcome};
use gitfleet_shared::queue::Topic;
use tokio::time::MissedTickBehavior;

use super::{Purged, Realm, Reign, TICK};
use crate::store::ledger::Unheard;
use crate::store::{Effect, Recording};

/// Signs of life that are noted in one transaction.
const HEARD_AT_ONCE: usize = 256;

impl Realm {
    /// Notes signs of life.
    pub(super) async fn hear(self) -> Reign {
        let mut heartbeats = self.consume(Topic::Heartbeats).await?;
        loop {
            let Some(first) = self.next(&mut heartbeats).await? else { continue };
            let mut deliveries = vec![first];
            while deliveries.len() < HEARD_AT_ONCE
                && let Ok(Ok(more)) = tokio::time::timeout(Duration::from_millis(20), heartbeats.next()).await
            {
                deliveries.push(more);
            }
            let mut heard: HashMap<String, Heartbeat> = HashMap::new();
            for delivery in &deliveries {
                if let Ok(heartbeat) = Heartbeat::decode(delivery.body()) {
                    // The later one says all that the earlier one said.
                    heard.insert(heartbeat.worker.name.clone(), heartbeat);
                }
            }
            let heard: Vec<Heartbeat> = heard.into_values().collect();
            if let Err(error) = self.store.hear(&heard, self.now()).await {
                self.bear(&error.into(), "signs of life are not noted").await?;
            }
            for delivery in deliveries {
                self.settled(delivery.ack().await)?;
            }
        }
    }

    /// Looks after jobs and workers that went silent.
    pub(super) async fn rescue(self) -> Reign {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.purge().await;
            if let Err(error) = self.look_after().await {
                self.bear(&error, "silent jobs are not looked after").await?;
            }
        }
    }

    /// Purges the cache where what a worker said had to be redacted: it has put the same there.
    async fn purge(&self) {
        let Some(Purged(cache)) = &self.config.cache else { return };
        let named = self.store.take_redactions();
        if named == 0 {
            return;
        }
        tracing::warn!(outcomes = named, "workers named somebody who was erased; the cache is purged");
        if let Err(error) = cache.purge().await {
            self.store.note_redactions(named);
            tracing::warn!(error, "the cache cannot be purged; it is tried again");
        }
    }

    async fn look_after(&self) -> anyhow::Result<()> {
        let now = self.now();
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.store.miss_workers(now - millis(self.config.worker_silence), now).await?;
        for (job, workers) in self.store.condemned(self.config.patience, now).await? {
            let names: Vec<&str> = workers
                .iter()
                .map(|worker| if worker.is_empty() { "one not heard of" } else { worker })
                .collect();
            let message = format!(
                "its {} was given up, because {} workers were lost with it: {}",
                job.work.name(),
                names.len(),
                names.join(", ")
            );
            tracing::warn!(job.id = %job.id, batch.id = %job.batch, message, "a job is given up");
            let failure = Failure { class: FailureClass::Poisoned, message };
            let outcome = Outcome {
                job: job.id,
                batch: job.batch,
                worker: String::new(),
                elapsed_millis: 0,
                result: Err(failure.clone()),
            };
            let recording = Recording { outcome: &outcome, effect: Effect::Failure(&failure) };
            let ended = self.store.record(&[recording], None).await?;
            self.config.meters.jobs.with_label_values(&[job.work.name(), "dead"]).inc();
            self.count_ended(&ended);
            self.bell.work();
        }
        // A queue that holds fewer jobs than nobody was heard to take has lost some.
        let unheard = self.store.unheard().await?;
        let lost = unheard > 0 && self.queue.depth(Topic::Jobs).await? < unheard;
        let about = if lost { Unheard::Ring } else { Unheard::Wait };
        let rung = self.store.ring_all(now - millis(self.config.lease), about).await?;
        if rung > 0 {
            self.config.meters.lease_expiries.inc_by(rung);
            tracing::warn!(jobs = rung, "jobs went silent and are sent again");
            self.bell.work();
        }
        Ok(())
    }
}
