//! The store as the fleet's coordinator and its operators use it, beside what one batch needs of it.
//!
//! As in [`Store`], every method is one transaction, and doing anything twice changes nothing the second time.
//! Times are UTC milliseconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gitfleet_shared::contract::{Control, HandedBack, Heartbeat, Job};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::DeadLetter;
use gitfleet_shared::trace::TraceContext;

use super::access::Access;
use super::listings::Listings;
use super::migrations::Fit;
use super::schedules::Schedules;
use super::{Result, Store, Term};
use crate::access::Scope;
use crate::terms::Terms;
use crate::view::{
    AttemptView, BatchView, DeadView, JobHistory, JobView, ReportView, SourceView, WorkerView,
};
use crate::vital::Signs;

/// A batch that somebody has to carry on.
#[derive(Debug, Clone)]
pub struct RunningBatch {
    pub id: BatchId,
    pub name: String,
    pub priority: i64,
    pub paused: bool,
    pub terms: Terms,
    pub created_at: i64,
    /// What submitted it.
    pub trace: Option<TraceContext>,
    /// Jobs of it that are on the queue or in hand.
    pub sent: u64,
    /// Whether all its repositories have come to an end.
    pub settled: bool,
}

/// What is done about jobs that come back.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// So many workers lost with a job, and it is given up; `None` is never.
    pub losses: Option<u32>,
    /// How long a job that is to be given up rests before, in milliseconds: a worker that only lost sight of the
    /// queue is heard of again in that time.
    pub doubt_millis: i64,
    /// How long a job rests that a worker could not do, in milliseconds.
    pub unable_millis: i64,
}

/// What is done about jobs that nobody was heard to take: they wait on the queue, or were lost with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unheard {
    Wait,
    Ring,
}

/// What an operator's wish came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Done,
    /// It was so already.
    Already,
    NotFound,
    /// It cannot be, in this state.
    Conflict(String),
}

#[derive(Debug, Clone, Default)]
pub struct BatchFilter {
    pub state: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// Only those that are older than this one.
    pub before: Option<BatchId>,
    pub scope: Scope,
    pub limit: u32,
}

impl BatchFilter {
    pub const STATES: [&str; 4] = ["running", "finished", "cancelled", "abandoned"];
}

#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub batch: Option<BatchId>,
    /// queued, done, failed, dead or cancelled.
    pub state: Option<String>,
    /// Only those behind this one.
    pub after: Option<JobId>,
    pub scope: Scope,
    pub limit: u32,
}

impl JobFilter {
    pub const STATES: [&str; 5] = ["queued", "done", "failed", "dead", "cancelled"];
}

/// What became of attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Throughput {
    pub ended: Vec<Ended>,
    /// Jobs that failed, by class, the most frequent class first.
    pub failures: Vec<(String, i64)>,
}

/// Attempts that ended alike within the same hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Hours since 1970 in UTC.
    pub hour: i64,
    /// As in [`AttemptView::ending`].
    pub ending: String,
    pub attempts: i64,
    /// How long they took together, in milliseconds.
    pub millis: i64,
}

#[async_trait]
pub trait Ledger: Store + Schedules + Listings + Access {
    /// Returns the batches that are running, the most urgent first, then the oldest.
    async fn running(&self) -> Result<Vec<RunningBatch>>;

    /// Returns the configuration a batch runs under, as JSON without secrets. It names every repository.
    async fn config(&self, batch: BatchId) -> Result<String>;

    /// Notes workers and what they have in hand.
    async fn hear(&self, heartbeats: &[Heartbeat], now: i64) -> Result<()>;

    /// Takes a job back: it is sent again, unless its batch has ended.
    async fn hand_back(&self, back: &HandedBack, patience: Patience, now: i64) -> Result<()>;

    /// Notes workers that were not heard of since `before` as gone, and forgets nothing of theirs.
    async fn miss_workers(&self, before: i64, now: i64) -> Result<u64>;

    /// Puts jobs back into the outbox that were sent and not heard of since `before`; returns how many.
    async fn ring_all(&self, before: i64, unheard: Unheard) -> Result<u64>;

    /// Returns how many jobs were sent and not heard of since.
    async fn unheard(&self) -> Result<u64>;

    /// Returns jobs that are to be given up, as far as is known at `now`, each with the workers that were lost with it.
    /// Workers that were heard of again were not lost, and what they were blamed for is taken back.
    async fn condemned(&self, patience: Patience, now: i64) -> Result<Vec<(Job, Vec<String>)>>;

    /// Returns what workers are to be told; of the batches that were cancelled, those since `since`.
    async fn control(&self, since: i64) -> Result<Control>;

    async fn batches(&self, filter: &BatchFilter) -> Result<Vec<BatchView>>;

    async fn batch(&self, id: BatchId) -> Result<Option<BatchView>>;

    /// Returns the first two batches of a scope between two ids, both inside: who was named by the beginning of an id.
    async fn batches_between(&self, first: BatchId, last: BatchId, scope: &Scope) -> Result<Vec<BatchId>>;

    /// As [`batches_between`](Self::batches_between), of jobs.
    async fn jobs_between(&self, first: JobId, last: JobId, scope: &Scope) -> Result<Vec<JobId>>;

    /// Ends a batch: what is queued is cancelled, what was published stays.
    async fn cancel(&self, batch: BatchId, now: i64) -> Result<Wish>;

    async fn set_paused(&self, batch: BatchId, paused: bool) -> Result<Wish>;

    /// Lets the failed repositories of a batch begin again, or one of them; returns how many.
    async fn retry(&self, batch: BatchId, position: Option<u32>) -> Result<u64>;

    /// Closes a batch that has come to its end without a report: a dry run.
    async fn finish(&self, batch: BatchId, now: i64) -> Result<()>;

    async fn jobs(&self, filter: &JobFilter, now: i64) -> Result<Vec<JobView>>;

    async fn job_history(&self, id: JobId, now: i64) -> Result<Option<JobHistory>>;

    async fn workers(&self) -> Result<Vec<WorkerView>>;

    async fn set_draining(&self, worker: &str, draining: bool) -> Result<Wish>;

    async fn keep_dead(&self, letter: &DeadLetter, now: i64) -> Result<()>;

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadView>>;

    /// Returns a dead letter and when it arrived last.
    async fn dead_letter(&self, id: i64) -> Result<Option<(DeadView, DeadLetter, i64)>>;

    /// Forgets a dead letter; where `arrived_at` is given, only if it has not come again since.
    async fn drop_dead(&self, id: i64, arrived_at: Option<i64>) -> Result<bool>;

    async fn count_dead(&self) -> Result<i64>;

    /// Returns the repositories that batches of a scope named.
    async fn sources(&self, scope: &Scope, limit: u32) -> Result<Vec<SourceView>>;

    async fn source(&self, id: i64, scope: &Scope) -> Result<Option<SourceView>>;

    /// Removes a repository with its facts, unless a batch that runs names it. Reports that were made of it stay.
    async fn forget_source(&self, id: i64) -> Result<Wish>;

    async fn reports(&self, scope: &Scope, limit: u32) -> Result<Vec<ReportView>>;

    /// Returns the report of a batch and its manifest.
    async fn report(&self, batch: BatchId) -> Result<Option<(String, String)>>;

    /// Returns what became of attempts that have ended since `since`.
    async fn throughput(&self, since: i64) -> Result<Throughput>;

    /// Returns who leads, as far as anybody does.
    async fn leader(&self, now: i64) -> Result<Option<String>>;

    /// Returns how the fleet is at `now`, as of one moment.
    async fn signs(&self, now: i64) -> Result<Signs>;

    /// Returns whether this program can work with the schema of the store.
    async fn fit(&self) -> Result<Fit>;

    /// What stands behind the port, with its version.
    async fn describe(&self) -> Result<String>;

    /// Renews the leadership that `holder` has (`held`), or takes it where it is free or has expired by the clock of
    /// the store; it then lasts for `ttl`. Returns its term, which is a new one where it was taken, and `None` while
    /// somebody else leads.
    async fn lead(&self, holder: &str, held: Option<Term>, ttl: Duration) -> Result<Option<Term>>;

    /// Lets go of the leadership of `term`, so that nobody needs to wait for its end.
    async fn resign(&self, term: Term) -> Result<()>;

    /// Returns a handle whose every change is refused with [`StoreError::Deposed`](super::StoreError::Deposed) once `term` is over, however long
    /// this process was stopped in between.
    fn fenced(&self, term: Term) -> Arc<dyn Ledger>;
}

/// Returns an attempt that nobody has ended yet.
pub fn open_attempt(history: &JobHistory) -> Option<&AttemptView> {
    history.attempts.iter().find(|attempt| attempt.ended_at.is_none())
}
