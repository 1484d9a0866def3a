//! Signs of life of a running job: whenever it got further, and now and then when it did not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gitfleet_shared::contract::{Heartbeat, Job};
use gitfleet_shared::queue::{Queue, Topic};
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// A progress bar is not watched more closely than this.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A job that only waits, for a fetch perhaps, is heard of so often; leases are longer.
const SILENT_AT_MOST: Duration = Duration::from_secs(15);

pub struct Pulse {
    queue: Arc<dyn Queue>,
    heartbeat: Heartbeat,
    /// What the work counts up.
    done: Arc<AtomicU64>,
    told: Instant,
    looks: Interval,
}

impl Pulse {
    /// Returns the pulse of `job`, whose work adds what is done to `done`.
    pub fn new(queue: Arc<dyn Queue>, job: &Job, worker: String, done: Arc<AtomicU64>) -> Self {
        let heartbeat = Heartbeat { job: job.id, batch: job.batch, worker, done: 0 };
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { queue, heartbeat, done, told: Instant::now(), looks }
    }

    /// Runs `work` to its end, telling of it all the while.
    pub async fn during<T>(mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                value = &mut work => return value,
                _ = self.looks.tick() => self.look().await,
            }
        }
    }

    async fn look(&mut self) {
        let done = self.done.load(Ordering::Relaxed);
        if done == self.heartbeat.done && self.told.elapsed() < SILENT_AT_MOST {
            return;
        }
        self.heartbeat.done = done;
        self.told = Instant::now();
        // Lost or refused, it is only a sign of life.
        let _ = self.queue.publish(Topic::Heartbeats, self.heartbeat.encode()).await;
    }
}
