//! What an operator sees: the answers of the API, and what the commands print with `--json`.
//!
//! Times are RFC 3339 in UTC; what is not known is absent and never zero.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Returns UTC milliseconds as views show them.
pub(crate) fn instant(millis: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A batch and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchView {
    pub id: String,
    /// What its report is published as.
    pub name: String,
    /// running, finished, cancelled or abandoned.
    pub state: String,
    /// Whether its jobs rest.
    pub paused: bool,
    /// From -100 to 100; the higher one goes first.
    pub priority: i64,
    pub labels: BTreeMap<String, String>,
    /// The window of its report, in words.
    pub window: String,
    pub created_at: String,
    pub finished_at: Option<String>,
    pub repositories: RepositoryCounts,
    pub jobs: JobCounts,
    /// Commits that are to be analysed, of the repositories that have been surveyed.
    pub commits_new: i64,
    /// How many of them are done.
    pub commits_done: i64,
    /// Failed repositories by class, the most frequent class first.
    pub failures: Vec<FailureCount>,
    /// One of them, the latest in the order of the batch.
    pub last_failure: Option<FailureView>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepositoryCounts {
    pub total: i64,
    pub surveying: i64,
    pub analysing: i64,
    pub planned: i64,
    pub analysed: i64,
    pub empty: i64,
    pub failed: i64,
    pub cancelled: i64,
}

impl RepositoryCounts {
    /// How many have come to an end.
    pub fn ended(&self) -> i64 {
        self.total - self.surveying - self.analysing
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobCounts {
    /// Decided, and not on the queue yet.
    pub waiting: i64,
    /// On the queue, and not heard of yet.
    pub sent: i64,
    pub running: i64,
    pub done: i64,
    pub failed: i64,
    /// Given up, because every worker that took them was lost.
    pub dead: i64,
    pub cancelled: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureCount {
    pub class: String,
    pub repositories: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    pub repository: String,
    pub class: String,
    pub message: String,
}

/// A repository of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RepositoryView {
    pub name: String,
    pub source: String,
    /// surveying, analysing, planned, analysed, empty, failed or cancelled.
    pub state: String,
    pub failure_class: Option<String>,
    pub failure_message: Option<String>,
    pub commits_seen: u64,
    pub commits_new: u64,
    pub cache_hits: u64,
    /// Worker time, summed over its jobs.
    pub elapsed_millis: u64,
}

/// A job, as listings show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    pub id: String,
    pub batch: String,
    /// The name of its repository in the batch.
    pub repository: String,
    /// survey, slice or tip.
    pub work: String,
    /// Commits of a slice; 0 for what is not counted in commits.
    pub units: i64,
    /// waiting, held, sent, running, done, failed, dead or cancelled.
    pub state: String,
    /// Workers that were lost with it.
    pub losses: i64,
    pub sent_at: Option<String>,
    /// Not sent before.
    pub held_until: Option<String>,
    pub failure_class: Option<String>,
    pub failure_message: Option<String>,
}

/// A job with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobHistory {
    pub job: JobView,
    pub attempts: Vec<AttemptView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    pub number: i64,
    /// Absent where the worker was lost before it was heard of.
    pub worker: Option<String>,
    pub started_at: String,
    pub heard_at: String,
    /// Units done when it was last heard of.
    pub done: i64,
    pub ended_at: Option<String>,
    /// ok, failed, worker_lost, interrupted, fenced or cancelled; absent while it runs.
    pub ending: Option<String>,
    pub message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    pub name: String,
    pub host: String,
    pub version: String,
    /// busy, idle, draining, drained or gone.
    pub state: String,
    pub slots: i64,
    pub running: i64,
    pub started_at: String,
    pub heard_at: String,
    pub gone_at: Option<String>,
    /// What it has in hand.
    pub jobs: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// jobs, outcomes, heartbeats, control or dead.
    pub topic: String,
    /// Messages that wait; absent where the queue does not answer.
    pub waiting: Option<u64>,
}

/// A message that nobody could use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadView {
    pub id: i64,
    pub topic: String,
    pub cause: String,
    pub bytes: i64,
    pub arrived_at: String,
    /// The message in hexadecimal digits; only where one message is asked for.
    pub body: Option<String>,
}

/// A repository that has ever been submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    pub id: i64,
    pub source: String,
    /// Batches that name it.
    pub batches: i64,
    /// What was published of it: one snapshot for each choice of revisions.
    pub snapshots: Vec<SnapshotView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotView {
    pub revisions: String,
    pub head: Option<String>,
    pub branch: Option<String>,
    pub commits: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    pub batch: String,
    pub name: String,
    /// Whether it is what readers of the name see.
    pub published: bool,
    pub created_at: Option<String>,
    pub bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CacheView {
    pub backend: String,
    pub entries: u64,
    pub bytes: Option<u64>,
    pub limit_bytes: Option<u64>,
}

/// The whole fleet on one screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    pub version: String,
    /// Store, queue and cache, each with what is wrong with it.
    pub dependencies: Vec<DependencyView>,
    /// Who leads, where anybody does.
    pub leader: Option<String>,
    pub batches_running: i64,
    pub workers: i64,
    pub slots: i64,
    pub running: i64,
    pub queues: Vec<QueueView>,
    pub dead_letters: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyView {
    /// store, queue or cache.
    pub name: String,
    pub ok: bool,
    /// What it is, or what is wrong with it.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A step of the store's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    pub version: i64,
    pub name: String,
    /// applied, pending, ahead or differs.
    pub state: String,
}

/// Something in which two reports differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    pub what: String,
    pub first: String,
    pub second: String,
}
