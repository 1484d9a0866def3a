//! A worker: its slots, its signs of life, its ear for the coordinator, and its end in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gitfleet_shared::cache::Cache;
use gitfleet_shared::contract::Identity;
use gitfleet_shared::people::erasure::Key;
use gitfleet_shared::queue::Queue;
use tokio::task::JoinSet;

use crate::credentials::Credentials;
use crate::gate::Gate;
use crate::job::{Slot, Tools};
use crate::lane::Lane;
use crate::meters::Meters;
use crate::mirror::Mirrors;
use crate::pulse::Pulse;
use crate::wishes::wishes;

#[derive(Debug, Clone)]
pub struct Config {
    /// How the worker is called in manifests, heartbeats and lists.
    pub identity: Identity,
    /// Jobs done at the same time; each has caches of its own.
    pub slots: usize,
    /// Where mirrors of remote repositories are kept.
    pub mirrors: PathBuf,
    /// How much the mirrors may take before those that were not used for longest go; `None` is no limit.
    pub mirror_bytes: Option<u64>,
    /// Which sources may be asked.
    pub gate: Gate,
    pub credentials: Credentials,
    /// A slice ends early when it holds so many file changes; the rest is put back. This, and not the number of
    /// commits, is what bounds memory.
    pub slice_changes: usize,
    /// A slice ends early after so long, in the same way.
    pub slice_time: Duration,
    /// A job that takes longer has failed.
    pub job_time: Duration,
    /// How long jobs in hand may go on when the worker is told to end; then they are handed back.
    pub grace: Duration,
    /// How often the worker is heard of at most, while its jobs get further.
    pub pulse: Duration,
    /// How much each slot may keep of what it decoded.
    pub cache_bytes: usize,
    pub meters: Meters,
    /// By which those are known who were erased; without it, jobs that name some fail.
    pub erasure_key: Option<Key>,
}

/// What [`Config::slice_changes`] is unless there is a reason: some 50 MB, whatever the commits are like.
pub const SLICE_CHANGES: usize = 100_000;
/// What [`Config::slice_time`] is unless there is a reason.
pub const SLICE_TIME: Duration = Duration::from_secs(5 * 60);
/// What [`Config::job_time`] is unless there is a reason: the first fetch of a large repository takes its time.
pub const JOB_TIME: Duration = Duration::from_secs(30 * 60);

pub struct Worker {
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    config: Config,
}

impl Worker {
    pub fn new(queue: Arc<dyn Queue>, cache: Arc<dyn Cache>, config: Config) -> Self {
        Self { queue, cache, config }
    }

    /// Works until `shutdown` ends or the queue closes. Jobs in hand may then go on for the grace period, and are
    /// handed back undone after it, at the next block of commits.
    ///
    /// # Errors
    ///
    /// Where the system gives no threads to work on, or a slot panics.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let Config { identity, slots, mirrors, mirror_bytes, gate, credentials, .. } = self.config.clone();
        let slots_count = slots.max(1);
        let count = u32::try_from(slots_count).unwrap_or(u32::MAX);
        let pulse = Pulse::new(self.queue.clone(), identity.clone(), count, self.config.pulse);
        let (ear, wishes) = wishes(&identity.name);
        self.config.meters.slots.set(f64::from(count));
        let mirrors = Arc::new(Mirrors::new(mirrors, gate, credentials, mirror_bytes));
        if let Err(error) = mirrors.tidy() {
            tracing::warn!(%error, "what was left of mirrors cannot be removed");
        }
        let mut slots = JoinSet::new();
        for _ in 0..slots_count {
            let tools = Tools {
                queue: self.queue.clone(),
                cache: self.cache.clone(),
                name: identity.name.clone(),
                mirrors: mirrors.clone(),
                pulse: pulse.clone(),
                wishes: wishes.clone(),
                stop: Arc::default(),
                lane: Lane::start()?,
                slice_changes: self.config.slice_changes.max(1),
                slice_time: self.config.slice_time,
                job_time: self.config.job_time,
                cache_bytes: self.config.cache_bytes,
                done: Arc::default(),
                meters: self.config.meters.clone(),
                erasure_key: self.config.erasure_key.clone(),
            };
            slots.spawn(Slot::new(tools).run());
        }
        let told = async {
            shutdown.await;
            ear.leave(self.config.grace).await;
            // Who has left is still waited for.
            std::future::pending::<()>().await;
        };
        let listening = async {
            // The queue has closed, which the slots hear, too.
            let _ = ear.listen(&*self.queue, &identity.name, &pulse).await;
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = ended(&mut slots) => result,
            () = told => unreachable!("it waits"),
            () = listening => unreachable!("it waits"),
            () = pulse.beat() => unreachable!("it beats until it is cancelled"),
        };
        pulse.leave().await;
        result
    }
}

/// Waits for all slots to end. One that panicked outside its lane has lost its place, and nobody would know.
async fn ended(slots: &mut JoinSet<()>) -> std::io::Result<()> {
    while let Some(slot) = slots.join_next().await {
        if let Err(error) = slot
            && error.is_panic()
        {
            return Err(std::io::Error::other(error));
        }
    }
    Ok(())
}
