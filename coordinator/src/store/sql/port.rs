//! The port, as both dialects fill it: each method one transaction, tried again where another was in its way.

use std::collections::HashMap;

use async_trait::async_trait;
use gitfleet_shared::contract::{Changed, Digest, Job, Revisions, Scope, Source, TipFile};
use gitfleet_shared::ids::{BatchId, JobId};

use super::{Database, batches, facts, packs, people, record, retention, snapshots};
use crate::store::{
    BatchRepository, Finished, Known, Listed, MainlineSums, NewBatch, PeopleLink, Recording, Result,
    Retention, Store, StoredJob, StoredSnapshot, Submitted,
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

    async fn asked(&self, ids: &[JobId]) -> Result<HashMap<JobId, StoredJob>> {
        self.again(|| batches::asked(self, ids)).await
    }

    async fn snapshots(
        &self,
        sources: &[(&Source, &Revisions)],
        scope: Scope,
    ) -> Result<Vec<Option<StoredSnapshot>>> {
        self.again(|| snapshots::find(self, sources, scope)).await
    }

    async fn known(&self, job: &StoredJob, revisions: &Revisions, changed: &Changed) -> Result<Known> {
        self.again(|| snapshots::known(self, job, revisions, changed)).await
    }

    async fn record(&self, recordings: &[Recording<'_>], ended_at: Option<i64>) -> Result<()> {
        self.again(|| record::record(self, recordings, ended_at)).await
    }

    async fn repositories(&self, batch: BatchId) -> Result<Vec<BatchRepository>> {
        self.again(|| batches::repositories(self, batch, None)).await
    }

    async fn repository(&self, batch: BatchId, position: u32) -> Result<Option<BatchRepository>> {
        Ok(self.again(|| batches::repositories(self, batch, Some(position))).await?.pop())
    }

    async fn read_facts(
        &self,
        snapshot: i64,
        each: &mut (dyn for<'a> FnMut(&'a [Listed]) + Send),
    ) -> Result<()> {
        packs::read(self, snapshot, each).await
    }

    async fn tip_files(&self, snapshot: i64) -> Result<Option<Vec<TipFile>>> {
        self.again(|| snapshots::tip_files(self, snapshot)).await
    }

    async fn people_links(&self) -> Result<Vec<PeopleLink>> {
        self.again(|| people::list(self)).await
    }

    async fn decide_people(&self, link: &PeopleLink) -> Result<()> {
        self.again(|| people::decide(self, link)).await
    }

    async fn forget_people(&self, a: &str, b: &str) -> Result<bool> {
        self.again(|| people::forget(self, a, b)).await
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
