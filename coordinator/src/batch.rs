//! Carries one batch to its end: dispatch, collect, rescue, until every repository is done or has failed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gitfleet_shared::contract::{Answer, Heartbeat, Outcome};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::{Queue, Topic};
use gitfleet_shared::trace::TraceContext;

use crate::collect::{Collected, Purpose, collect, with_more};
use crate::dispatch::dispatch;
use crate::rescue::rescue;
use crate::store::ledger::{Ledger, Patience};
use crate::store::{BatchRepository, RepositoryState};

#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub purpose: Purpose,
    /// Jobs of the batch that may be on the queue at a time.
    pub window: usize,
    /// A job that gives no sign of life for so long is sent again.
    pub lease: Duration,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

/// In one process nobody is lost without all being lost; what comes back goes out again.
const PATIENCE: Patience = Patience { losses: None, doubt_millis: 0, unable_millis: 0 };

/// How far a batch is, for whoever watches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub repositories: Vec<RepositoryProgress>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryProgress {
    pub name: String,
    pub state: RepositoryState,
    /// Commits to be analysed, and how many of them are done; both 0 until surveyed.
    pub commits_new: u64,
    pub commits_done: u64,
    pub failure: Option<String>,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Finished,
    /// It was told to stop. What is recorded stays; the rest is found undone by the next batch.
    Stopped,
}

/// Runs `batch` until it is finished or `shutdown` ends, telling `watch` of every step.
///
/// # Errors
///
/// Where store or queue fail for good.
pub async fn run(
    queue: Arc<dyn Queue>,
    store: Arc<dyn Ledger>,
    batch: BatchId,
    config: Config,
    mut watch: impl FnMut(&Progress),
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<End> {
    let trace = TraceContext::current();
    let mut outcomes = queue.consume(Topic::Outcomes).await?;
    let mut heartbeats = queue.consume(Topic::Heartbeats).await?;
    let mut silence = tokio::time::interval(config.lease / 4);
    let mut heard = Instant::now();
    let mut on_queue: HashSet<JobId> = HashSet::new();
    let mut running: HashMap<JobId, u64> = HashMap::new();
    let mut positions: HashMap<JobId, u32> = HashMap::new();
    let mut done: HashMap<u32, u64> = HashMap::new();
    let mut repositories = store.repositories(batch).await?;
    tokio::pin!(shutdown);
    loop {
        watch(&progress(&repositories, &done, &running, &positions));
        if repositories.iter().all(|repository| repository.state.is_final()) {
            return Ok(End::Finished);
        }
        let room = config.window.saturating_sub(on_queue.len());
        on_queue.extend(dispatch(&*queue, &*store, batch, room, trace, (config.now)()).await?);
        tokio::select! {
            // In this order: who is told to stop does not look at anything else.
            biased;
            () = &mut shutdown => return Ok(End::Stopped),
            delivery = outcomes.next() => {
                heard = Instant::now();
                let mut recorded = Vec::new();
                for delivery in with_more(delivery?, &mut outcomes, Duration::ZERO).await {
                    match Answer::decode(delivery.body()) {
                        Ok(Answer::Outcome(outcome)) => recorded.push((outcome, delivery)),
                        Ok(Answer::HandedBack(back)) => {
                            store.hand_back(&back, PATIENCE, (config.now)()).await?;
                            delivery.ack().await?;
                            on_queue.remove(&back.job);
                            running.remove(&back.job);
                        }
                        Err(error) => delivery.dead_letter(error.to_string()).await?,
                    }
                }
                let said: Vec<&Outcome> = recorded.iter().map(|(outcome, _)| &**outcome).collect();
                let collected = collect(&*store, |_| config.purpose, &said, None).await?;
                for (outcome, delivery) in recorded {
                    // Only now that it is durable.
                    delivery.ack().await?;
                    on_queue.remove(&outcome.job);
                    running.remove(&outcome.job);
                }
                let mut changed = BTreeSet::new();
                for Collected { position, units, .. } in collected.brought.into_iter().flatten() {
                    *done.entry(position).or_default() += units;
                    changed.insert(position);
                }
                for position in changed {
                    if let Some(now) = store.repository(batch, position).await?
                        && let Some(then) = repositories.iter_mut().find(|then| then.position == position)
                    {
                        *then = now;
                    }
                }
            }
            delivery = heartbeats.next() => {
                let delivery = delivery?;
                heard = Instant::now();
                if let Ok(heartbeat) = Heartbeat::decode(delivery.body()) {
                    for job in heartbeat.running.iter().filter(|running| running.batch == batch) {
                        store.mark_heard(job.job, (config.now)()).await?;
                        if let std::collections::hash_map::Entry::Vacant(vacant) = positions.entry(job.job)
                            && let Some(asked) = store.job(job.job).await?
                        {
                            vacant.insert(asked.position);
                        }
                        if on_queue.contains(&job.job) {
                            running.insert(job.job, job.done);
                        }
                    }
                }
                delivery.ack().await?;
            }
            // While anybody is heard of, a job that is not has its turn to come: it waits on the queue.
            _ = silence.tick() => {
                if heard.elapsed() >= config.lease && rescue(&*store, batch, config.lease, (config.now)()).await? > 0 {
                    // What is rung for again counts anew.
                    on_queue.clear();
                }
            }
        }
    }
}

fn progress(
    repositories: &[BatchRepository],
    done: &HashMap<u32, u64>,
    running: &HashMap<JobId, u64>,
    positions: &HashMap<JobId, u32>,
) -> Progress {
    let mut half_done: HashMap<u32, u64> = HashMap::new();
    for (job, commits) in running {
        if let Some(position) = positions.get(job) {
            *half_done.entry(*position).or_default() += commits;
        }
    }
    let of = |repository: &BatchRepository| {
        let position = &repository.position;
        let commits_done = done.get(position).unwrap_or(&0) + half_done.get(position).unwrap_or(&0);
        RepositoryProgress {
            name: repository.name.clone(),
            state: repository.state,
            commits_new: repository.commits_new,
            commits_done: commits_done.min(repository.commits_new),
            failure: repository.failure.as_ref().map(|failure| failure.message.clone()),
        }
    };
    Progress { repositories: repositories.iter().map(of).collect() }
}
