//! A worker's signs of life: whenever one of its jobs got further, and now and then when none did.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gitfleet_shared::contract::{Heartbeat, Identity, Job, Running};
use gitfleet_shared::queue::{Queue, Topic};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

/// A worker that only waits is heard of so often; leases are longer.
const SILENT_AT_MOST: Duration = Duration::from_secs(5);

/// Cheap to clone; all clones speak for the same worker.
#[derive(Clone)]
pub struct Pulse {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Arc<dyn Queue>,
    worker: Identity,
    slots: u32,
    look_every: Duration,
    draining: AtomicBool,
    // Held to add, remove or copy a few entries.
    running: Mutex<Vec<(Running, Arc<AtomicU64>)>>,
    begun: Notify,
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, Vec<(Running, Arc<AtomicU64>)>> {
        // Each push and removal is one step.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job in hand, until this is dropped.
pub struct InHand {
    shared: Arc<Shared>,
    done: Arc<AtomicU64>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.shared.running().retain(|(_, done)| !Arc::ptr_eq(done, &self.done));
    }
}

impl Pulse {
    /// Returns the pulse of a worker that is heard of about once in `look_every` at most.
    pub fn new(queue: Arc<dyn Queue>, worker: Identity, slots: u32, look_every: Duration) -> Self {
        let shared = Shared {
            queue,
            worker,
            slots,
            look_every,
            draining: AtomicBool::new(false),
            running: Mutex::default(),
            begun: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lets the job be heard of until what is returned is dropped; its work adds what is done to `done`.
    pub fn begin(&self, job: &Job, done: Arc<AtomicU64>) -> InHand {
        let running = Running { job: job.id, batch: job.batch, done: 0 };
        self.shared.running().push((running, done.clone()));
        self.shared.begun.notify_one();
        InHand { shared: self.shared.clone(), done }
    }

    /// Says from now on whether the worker takes jobs.
    pub fn set_draining(&self, draining: bool) {
        self.shared.draining.store(draining, Ordering::Relaxed);
        self.shared.begun.notify_one();
    }

    /// Beats until it is cancelled.
    pub async fn beat(&self) {
        let mut looks = tokio::time::interval(self.shared.look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: Option<(Heartbeat, Instant)> = None;
        loop {
            tokio::select! {
                // Who begins after a while of silence is heard of at once: it may be the last that is heard of it.
                () = self.shared.begun.notified() => {}
                _ = looks.tick() => {}
            }
            let now = self.heartbeat(false);
            let due = told.as_ref().is_none_or(|(last, at)| {
                at.elapsed() >= SILENT_AT_MOST
                    || (at.elapsed() >= self.shared.look_every * 3 / 4 && *last != now)
            });
            if due {
                // The telling takes its time, and the next look must not be found to be too early for it.
                let at = Instant::now();
                self.tell(&now).await;
                told = Some((now, at));
            }
        }
    }

    /// The last sign, after which nobody waits for another one.
    pub async fn leave(&self) {
        self.tell(&self.heartbeat(true)).await;
    }

    async fn tell(&self, heartbeat: &Heartbeat) {
        // Lost or refused, it is only a sign of life.
        let _ = self.shared.queue.publish(Topic::Heartbeats, heartbeat.encode()).await;
    }

    fn heartbeat(&self, leaving: bool) -> Heartbeat {
        let running = self.shared.running();
        let look = |(running, done): &(Running, Arc<AtomicU64>)| Running {
            done: done.load(Ordering::Relaxed),
            ..*running
        };
        Heartbeat {
            worker: self.shared.worker.clone(),
            slots: self.shared.slots,
            running: running.iter().map(look).collect(),
            draining: self.shared.draining.load(Ordering::Relaxed),
            leaving,
        }
    }
}
