//! What goes on beside the batches: wishes are told, dead letters kept, old history removed.

use std::time::Duration;

use gitfleet_shared::queue::{DeadLetter, Topic};
use tokio::time::MissedTickBehavior;

use super::{Kept, Realm, Reign};
use crate::store::Retention;

/// How often workers are told what is wanted, though nothing new is.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// For how long workers are told that a batch was cancelled, in milliseconds.
const CANCELLED_FOR: i64 = 60 * 60 * 1_000;
/// How often what is old enough is removed.
const RETIRE_EVERY: Duration = Duration::from_secs(60 * 60);

impl Realm {
    /// Tells the workers what is wanted of them.
    pub(super) async fn tell(self) -> Reign {
        loop {
            match self.store.control(self.now() - CANCELLED_FOR).await {
                Ok(control) => {
                    // Told again soon; a queue that is away has nobody listening.
                    let _ = self.queue.publish(Topic::Control, control.encode()).await;
                }
                Err(error) => self.bear(&error.into(), "workers are not told what is wanted").await?,
            }
            let _ = tokio::time::timeout(TELL_EVERY, self.bell.wishes.notified()).await;
        }
    }

    /// Keeps what nobody could use where an operator can look at it.
    pub(super) async fn keep_dead(self) -> Reign {
        let mut letters = self.consume(Topic::Dead).await?;
        loop {
            let Some(delivery) = self.next(&mut letters).await? else { continue };
            let letter = DeadLetter::read(delivery.body());
            match self.store.keep_dead(&letter, self.now()).await {
                Ok(()) => self.settled(delivery.ack().await)?,
                Err(error) => {
                    drop(delivery);
                    self.bear(&error.into(), "a dead letter is not kept").await?;
                }
            }
        }
    }

    /// Removes the operator's history when it is old enough; facts and reports stay.
    pub(super) async fn retire(self) -> Reign {
        let mut ticks = tokio::time::interval(RETIRE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let before = |kept: Duration| {
                Some(self.now().saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)))
            };
            let Kept { batches, attempts, dead_letters, workers, tokens, audit } = self.config.kept;
            let before = Retention {
                batches: before(batches),
                attempts: before(attempts),
                dead_letters: before(dead_letters),
                workers: before(workers),
                tokens: before(tokens),
                sessions: before(Duration::ZERO),
                audit: before(audit),
            };
            if let Err(error) = self.store.retire(&before).await {
                self.bear(&error.into(), "old history is not removed").await?;
            }
            // Logs are kept elsewhere, and tell later whether the end of the audit log was cut off.
            match self.store.log_head().await {
                Ok(head) => tracing::info!("the audit log ends at {}:{}", head.seq, head.hash),
                Err(error) => self.bear(&error.into(), "the end of the audit log is not known").await?,
            }
        }
    }
}
