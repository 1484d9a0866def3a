//! The port, as both dialects fill it: each method one transaction, tried again where another was in its way.

use async_trait::async_trait;
use gitfleet_shared::contract::{
    Changed, Digest, Failure, Job, Outcome, Revisions, SliceResult, Source, TipResult,
};
use gitfleet_shared::ids::{BatchId, JobId};

use super::{Database, batches, briefs, facts, retention, snapshots};
use crate::store::{
    BatchRepository, Block, Finished, Known, MainlineSums, NewBatch, Plan, Result, Retention, Store,
    StoredJob, StoredSnapshot, Submitted,
};

#[async_trait]
impl Store for Database {
    async fn submit(&self, batch: &NewBatch) -> Result<Submitted> {
        self.again(|| batches::submit(self, batch)).await
    }

    async fn unsent(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
        self.again(|| batches::unsent(self, batch, limit)).await
    }

    async fn mark_sent(&self, jobs: &[JobId], now: i64) -> Result<()> {
        self.again(|| batches::mark_sent(self, jobs, now)).await
    }

    async fn mark_heard(&self, job: JobId, now: i64) -> Result<()> {
        self.again(|| batches::mark_heard(self, job, now)).await
    }

    async fn ring_again(&self, batch: BatchId, before: i64) -> Result<u64> {
        self.again(|| batches::ring_again(self, batch, before)).await
    }

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        self.again(|| batches::job(self, id)).await
    }

    async fn snapshot(
        &self,
        source: &Source,
        revisions: &Revisions,
        max_blob_bytes: u64,
    ) -> Result<Option<StoredSnapshot>> {
        self.again(|| snapshots::find(self, source, revisions, max_blob_bytes)).await
    }

    async fn known(&self, job: &StoredJob, revisions: &Revisions, changed: &Changed) -> Result<Known> {
        self.again(|| snapshots::known(self, job, revisions, changed)).await
    }

    async fn record_unchanged(&self, outcome: &Outcome) -> Result<()> {
        self.again(|| batches::record_unchanged(self, outcome)).await
    }

    async fn record_plan(&self, outcome: &Outcome, plan: &Plan) -> Result<()> {
        self.again(|| batches::record_plan(self, outcome, plan)).await
    }

    async fn record_resurvey(&self, outcome: &Outcome, again: &Job) -> Result<()> {
        self.again(|| batches::record_resurvey(self, outcome, again)).await
    }

    async fn record_dry_run(&self, outcome: &Outcome, commits_seen: u64, commits_new: u64) -> Result<()> {
        self.again(|| batches::record_dry_run(self, outcome, commits_seen, commits_new)).await
    }

    async fn record_slice(&self, outcome: &Outcome, slice: &SliceResult, rest: Option<&Job>) -> Result<()> {
        self.again(|| batches::record_slice(self, outcome, slice, rest)).await
    }

    async fn record_tip(&self, outcome: &Outcome, tip: TipResult) -> Result<()> {
        self.again(|| batches::record_tip(self, outcome, tip)).await
    }

    async fn record_failure(&self, outcome: &Outcome, failure: &Failure) -> Result<()> {
        self.again(|| batches::record_failure(self, outcome, failure)).await
    }

    async fn repositories(&self, batch: BatchId) -> Result<Vec<BatchRepository>> {
        self.again(|| batches::repositories(self, batch, None)).await
    }

    async fn repository(&self, batch: BatchId, position: u32) -> Result<Option<BatchRepository>> {
        Ok(self.again(|| batches::repositories(self, batch, Some(position))).await?.pop())
    }

    async fn read_briefs(
        &self,
        snapshot: i64,
        each: &mut (dyn for<'a> FnMut(&'a Block) + Send),
    ) -> Result<()> {
        briefs::read(self, snapshot, each).await
    }

    async fn merge_sums(&self, snapshot: i64) -> Result<MainlineSums> {
        self.again(|| facts::merge_sums(self, snapshot)).await
    }

    async fn publish(&self, name: &str, finished: &Finished<'_>) -> Result<()> {
        self.again(|| batches::publish(self, name, finished)).await
    }

    async fn report_of(&self, inputs: &Digest, as_of_seconds: i64) -> Result<Option<String>> {
        self.again(|| batches::report_of(self, inputs, as_of_seconds)).await
    }

    async fn published(&self, name: &str) -> Result<Option<(String, String)>> {
        self.again(|| batches::published(self, name)).await
    }

    async fn abandon(&self, batch: BatchId) -> Result<()> {
        self.again(|| batches::abandon(self, batch)).await
    }

    async fn prune(&self, keep: u32) -> Result<()> {
        self.again(|| batches::prune(self, keep)).await
    }

    async fn retire(&self, before: &Retention) -> Result<u64> {
        self.again(|| retention::retire(self, before)).await
    }
}
