//! The store port: the truth of what was asked, done and found.
//!
//! Every method is one transaction. Recording anything twice changes nothing the second time.

pub mod access;
pub mod backup;
mod doing;
mod erasing;
pub mod erasures;
pub mod ledger;
pub mod listings;
pub mod migrations;
mod pack;
#[expect(
    clippy::duplicate_mod,
    reason = "what both dialects say in the same words is one text, compiled for each"
)]
pub mod postgres;
pub mod schedules;
mod span;
pub mod sqlite;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gitfleet_shared::contract::{
    AttributesFile, Base, Changed, Digest, Failure, FailureClass, Job, Outcome, Revisions, Scope,
    SliceResult, Source, Tag, TipFile, TipResult,
};
use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::trace::TraceContext;

use self::erasures::Erasures;
use crate::terms::Terms;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store cannot {doing}")]
    Database {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the store holds {what} that cannot be read")]
    Damaged { what: &'static str },
    #[error("{what} changed while a plan was made from it")]
    Outrun { what: &'static str },
    #[error("another coordinator leads now")]
    Deposed,
    #[error("people were erased from the store, and {why}")]
    ErasureKey { why: &'static str },
    #[error("the schema cannot be taken back: {why}")]
    NoWayBack { why: &'static str },
}

impl StoreError {
    /// Whether the same may succeed later without anybody doing anything: the server restarts, a lock is held, a
    /// limit is reached. It may also have happened already, where the connection broke; doing it twice is no harm.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database { source, .. } => doing::is_passing(source.as_ref()),
            Self::Outrun { .. } => true,
            Self::Damaged { .. } | Self::Deposed | Self::ErasureKey { .. } | Self::NoWayBack { .. } => false,
        }
    }
}

/// Is told what the store was asked or told, by the name of the method, and how long that took.
pub type Observer = Arc<dyn Fn(&'static str, Duration) + Send + Sync>;

pub type Result<T> = std::result::Result<T, StoreError>;

/// One submission, as it is written down.
#[derive(Debug, Clone)]
pub struct NewBatch {
    pub id: BatchId,
    /// What its report is published as.
    pub name: String,
    /// From -100 to 100; the higher one goes first.
    pub priority: i64,
    pub labels: BTreeMap<String, String>,
    pub terms: Terms,
    /// By what a submission that is sent twice is recognised.
    pub request: Option<RequestKey>,
    /// The configuration it runs under, as JSON without secrets.
    pub config: String,
    /// What submitted it; its jobs are part of the same trace.
    pub trace: Option<TraceContext>,
    /// UTC milliseconds.
    pub created_at: i64,
    pub repositories: Vec<NewRepository>,
}

/// The name a client gave to its request, and what the request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    pub key: String,
    pub digest: Digest,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    Now,
    /// The same request had led to this batch before.
    Before(BatchId),
    /// Another request with the same key had led to this batch.
    Conflict(BatchId),
}

#[derive(Debug, Clone)]
pub struct NewRepository {
    pub name: String,
    pub project_key: String,
    pub source: Source,
    pub revisions: Revisions,
    /// The job that surveys it.
    pub survey: Job,
}

/// A repository of a batch and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRepository {
    pub position: u32,
    pub name: String,
    pub project_key: String,
    pub source: Source,
    pub revisions: Revisions,
    pub state: RepositoryState,
    pub failure: Option<RecordedFailure>,
    pub commits_seen: u64,
    pub commits_new: u64,
    pub cache_hits: u64,
    pub elapsed_millis: u64,
}

/// A failure as it is reported; its class is kept by name, so that old rows outlive new classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFailure {
    pub class: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryState {
    Surveying,
    Analysing,
    /// Surveyed for a plan that is not carried out.
    Planned,
    Analysed,
    Empty,
    Failed,
    /// Its batch was cancelled before it came to an end.
    Cancelled,
}

impl RepositoryState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Surveying => "surveying",
            Self::Analysing => "analysing",
            Self::Planned => "planned",
            Self::Analysed => "analysed",
            Self::Empty => "empty",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Surveying,
            Self::Analysing,
            Self::Planned,
            Self::Analysed,
            Self::Empty,
            Self::Failed,
            Self::Cancelled,
        ];
        all.into_iter().find(|state| state.name() == name)
    }

    pub fn is_final(self) -> bool {
        !matches!(self, Self::Surveying | Self::Analysing)
    }
}

/// A published snapshot: what the next survey starts from and what reports are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    pub id: i64,
    pub base: Base,
    pub branch: Option<String>,
    pub shallow: bool,
    pub mailmap: Option<Vec<u8>>,
    pub tip: Option<TipLines>,
    pub tags: Vec<Tag>,
    pub attributes_files: Vec<AttributesFile>,
    /// Names the publication its content is of: what another publication put there has another name. `None` is
    /// unknown.
    pub published_by: Option<Vec<u8>>,
    /// False where an object was missing or damaged, which may be there and sound another time. A survey that
    /// trusted this base would never look again.
    pub is_final: bool,
}

/// The text lines at the tip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TipLines {
    pub lines: u64,
    pub unknown_files: u32,
}

/// Sums over commits of a first-parent chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MainlineSums {
    pub net_lines: i64,
    pub binary_flip_lines: i64,
    pub unknown_files: u64,
}

/// A job as the coordinator looks it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    pub job: Job,
    pub position: u32,
    pub open: bool,
}

/// What a survey leads to, decided by the planner.
#[derive(Debug, Clone)]
pub struct Plan {
    pub changed: Changed,
    pub facts: FactSet,
    /// Where `changed` lists only what is new since the published snapshot, the refs of that snapshot.
    pub base: Option<Digest>,
    pub commits_seen: u64,
    pub commits_new: u64,
    pub jobs: Vec<Job>,
}

/// What a job came to.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    pub outcome: &'a Outcome,
    pub effect: Effect<'a>,
}

/// What is to be recorded of an outcome.
#[derive(Debug, Clone)]
pub enum Effect<'a> {
    /// Only who did the job; it had ended before.
    Nothing,
    /// A survey found nothing new since the published snapshot of these revisions.
    Unchanged(&'a Revisions),
    /// A survey, and the jobs it leads to; with none, the snapshot is published at once.
    Plan(Box<Plan>),
    /// A survey that must be done again as this job, because its base does not fit.
    SurveyAgain(Job),
    /// A survey whose plan is not to be carried out.
    DryRun { commits_seen: u64, commits_new: u64 },
    /// The facts of a slice, and the job for what the worker put back; with the last job of its repository, the
    /// snapshot is published.
    Slice(&'a SliceResult, Option<Job>),
    /// The files at the tip; with the last job of its repository, the snapshot is published.
    Tip(&'a TipResult),
    /// The repository of the job failed, and its other jobs are dropped. What was published before stays.
    Failure(&'a Failure),
}

/// A repository of a batch that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub state: RepositoryState,
    /// Why it failed, where it did.
    pub class: Option<FailureClass>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactSet(pub i64);

/// What the store knows, of what a survey listed, that a plan depends on.
#[derive(Debug, Clone)]
pub struct Known {
    pub facts: FactSet,
    /// Those of the listed commits whose facts are there for good.
    pub commits: HashSet<ObjectId>,
    /// Those of the listed merges whose sums are there for good.
    pub mainline_nets: HashSet<ObjectId>,
    /// Those of the listed commits that the published snapshot has already.
    pub published: HashSet<ObjectId>,
    /// All commits of the published snapshot.
    pub published_count: u64,
    /// Whether the published snapshot stands in the same fact set.
    pub published_here: bool,
}

/// A commit of a snapshot, as a report reads it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub on_mainline: bool,
    pub facts: CommitFacts,
}

/// What an operator decided about two names or e-mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleLink {
    /// An e-mail, or `Name <e-mail>`; the smaller of the two.
    pub a: String,
    pub b: String,
    /// Whether they are one person, or are not whatever else speaks for it.
    pub linked: bool,
    pub by: String,
    pub reason: String,
    /// UTC milliseconds.
    pub decided_at: i64,
}

/// A report, as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a> {
    pub batch: BatchId,
    /// As JSON.
    pub report: &'a str,
    pub manifest: &'a str,
    /// Hash over everything that the report is a function of, but for the as-of time; `None` where that is unknown.
    pub inputs: Option<Digest>,
    /// UTC.
    pub as_of_seconds: i64,
    /// UTC milliseconds.
    pub finished_at: i64,
}

/// A time of leadership. Every later one is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub i64);

/// Until when (UTC milliseconds) what ended is removed; `None` keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Batches with all that is theirs, but for those whose report is published.
    pub batches: Option<i64>,
    pub attempts: Option<i64>,
    pub dead_letters: Option<i64>,
    /// Workers that are gone.
    pub workers: Option<i64>,
    /// Tokens that expired or were revoked; the latest of all stays, so that an API that once had one is never open.
    pub tokens: Option<i64>,
    /// Sessions that expired.
    pub sessions: Option<i64>,
    /// The beginning of the audit log.
    pub audit: Option<i64>,
}

#[async_trait]
pub trait Store: Erasures {
    /// Writes the batch, its repositories, their survey jobs and the outbox rows.
    async fn submit(&self, batch: &NewBatch) -> Result<Submitted>;

    /// Returns up to `limit` jobs that are decided and not yet on the queue, largest first.
    async fn unsent(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>>;

    /// Notes that the jobs are on the queue since `now` (UTC milliseconds).
    async fn mark_sent(&self, jobs: &[JobId], now: i64) -> Result<()>;

    /// Notes a sign of life of a job.
    async fn mark_heard(&self, job: JobId, now: i64) -> Result<()>;

    /// Puts jobs that are on the queue and were not heard of since `before` back into the outbox; returns how many.
    async fn ring_again(&self, batch: BatchId, before: i64) -> Result<u64>;

    /// Returns those of some jobs that are known.
    async fn asked(&self, ids: &[JobId]) -> Result<HashMap<JobId, StoredJob>>;

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        Ok(self.asked(&[id]).await?.remove(&id))
    }

    /// Returns the published snapshots of some sources, in their order, where there is one and its facts are of the
    /// current version and of that scope.
    async fn snapshots(
        &self,
        sources: &[(&Source, &Revisions)],
        scope: Scope,
    ) -> Result<Vec<Option<StoredSnapshot>>>;

    async fn snapshot(
        &self,
        source: &Source,
        revisions: &Revisions,
        scope: Scope,
    ) -> Result<Option<StoredSnapshot>> {
        Ok(self.snapshots(&[(source, revisions)], scope).await?.pop().flatten())
    }

    /// Returns what is known of what a survey of `revisions` listed.
    async fn known(&self, job: &StoredJob, revisions: &Revisions, changed: &Changed) -> Result<Known>;

    /// Records what jobs came to: all of it, or nothing. Of a job that has ended already, or that is here twice, nothing
    /// is added. Where attempts are kept, those that led here end at `ended_at` (UTC milliseconds).
    /// Returns the repositories that came to their end by it.
    async fn record(&self, recordings: &[Recording<'_>], ended_at: Option<i64>) -> Result<Vec<Ended>>;

    /// Returns the repositories of a batch by position.
    async fn repositories(&self, batch: BatchId) -> Result<Vec<BatchRepository>>;

    async fn repository(&self, batch: BatchId, position: u32) -> Result<Option<BatchRepository>>;

    /// Calls `each` with every commit of a snapshot, in blocks and in no order that matters.
    async fn read_facts(
        &self,
        snapshot: i64,
        each: &mut (dyn for<'a> FnMut(&'a [Listed]) + Send),
    ) -> Result<()>;

    /// Returns the files at the tip of a snapshot, ascending by path; `None` where they are unknown.
    async fn tip_files(&self, snapshot: i64) -> Result<Option<Vec<TipFile>>>;

    /// Returns what operators decided about people, ascending.
    async fn people_links(&self) -> Result<Vec<PeopleLink>>;

    /// Puts a decision in the place of an earlier one about the same two.
    async fn decide_people(&self, link: &PeopleLink) -> Result<()>;

    /// Forgets the decision about two, and returns whether there was one. `a` is the smaller.
    async fn forget_people(&self, a: &str, b: &str) -> Result<bool>;

    /// Sums the merges of a snapshot's mainline, each compared with its first parent.
    async fn merge_sums(&self, snapshot: i64) -> Result<MainlineSums>;

    /// Keeps a report and its manifest, and makes it the published one of `name`, at once.
    async fn publish(&self, name: &str, finished: &Finished<'_>) -> Result<()>;

    /// Returns a kept report that was made of the same inputs, as of `as_of_seconds` (UTC) or earlier.
    async fn report_of(&self, inputs: &Digest, as_of_seconds: i64) -> Result<Option<String>>;

    /// Returns the published report of `name` and its manifest.
    async fn published(&self, name: &str) -> Result<Option<(String, String)>>;

    /// Ends a batch that nobody will go on with. Its facts stay and are found by the next one.
    async fn abandon(&self, batch: BatchId) -> Result<()>;

    /// Removes all but the newest `keep` batches.
    async fn prune(&self, keep: u32) -> Result<()>;

    /// Removes ended batches and attempts, dead letters and gone workers older than `before` says; returns how many rows went.
    async fn retire(&self, before: &Retention) -> Result<u64>;
}
