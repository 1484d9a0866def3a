//! The port, as both dialects fill it: each method one transaction, tried again where another was in its way.

use std::collections::HashMap;

use async_trait::async_trait;
use gitfleet_shared::contract::{Changed, Digest, Job, Revisions, Scope, Source, TipFile};
use gitfleet_shared::ids::{BatchId, JobId};

use super::{Database, batches, facts, packs, people, record, retention, snapshots};
use crate::store::{
    BatchRepository, Ended, Finished, Known, Listed, MainlineSums, NewBatch, PeopleLink, Recording, Result,
    Retention, Store, StoredJob, StoredSnapshot, Submitted,
};

#[async_trait]
impl Store for Database {
    async fn submit(&self, batch: &NewBatch) -> Result<Submitted> {
        self.again("submit", || batches::submit(self, batch)).await
    }

    async fn unsent(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
        self.again("unsent", || batches::unsent(self, batch, limit)).await
    }

    async fn mark_sent(&self, jobs: &[JobId], now: i64) -> Result<()> {
        self.again("mark_sent", || batches::mark_sent(self, jobs, now)).await
    }

    async fn mark_heard(&self, job: JobId, now: i64) -> Result<()> {
        self.again("mark_heard", || batches::mark_heard(self, job, now)).await
    }

    async fn ring_again(&self, batch: BatchId, before: i64) -> Result<u64> {
        self.again("ring_again", || batches::ring_again(self, batch, before)).await
    }

    async fn asked(&self, ids: &[JobId]) -> Result<HashMap<JobId, StoredJob>> {
        self.again("asked", || batches::asked(self, ids)).await
    }

    async fn snapshots(
        &self,
        sources: &[(&Source, &Revisions)],
        scope: Scope,
    ) -> Result<Vec<Option<StoredSnapshot>>> {
        self.again("snapshots", || snapshots::find(self, sources, scope)).await
    }

    async fn known(&self, job: &StoredJob, revisions: &Revisions, changed: &Changed) -> Result<Known> {
        self.again("known", || snapshots::known(self, job, revisions, changed)).await
    }

    async fn record(&self, recordings: &[Recording<'_>], ended_at: Option<i64>) -> Result<Vec<Ended>> {
        self.again("record", || record::record(self, recordings, ended_at)).await
    }

    async fn repositories(&self, batch: BatchId) -> Result<Vec<BatchRepository>> {
        self.again("repositories", || batches::repositories(self, batch, None)).await
    }

    async fn repository(&self, batch: BatchId, position: u32) -> Result<Option<BatchRepository>> {
        Ok(self.again("repository", || batches::repositories(self, batch, Some(position))).await?.pop())
    }

    async fn read_facts(
        &self,
        snapshot: i64,
        each: &mut (dyn for<'a> FnMut(&'a [Listed]) + Send),
    ) -> Result<()> {
        self.timed("read_facts", packs::read(self, snapshot, each)).await
    }

    async fn tip_files(&self, snapshot: i64) -> Result<Option<Vec<TipFile>>> {
        self.again("tip_files", || snapshots::tip_files(self, snapshot)).await
    }

    async fn people_links(&self) -> Result<Vec<PeopleLink>> {
        self.again("people_links", || people::list(self)).await
    }

    async fn decide_people(&self, link: &PeopleLink) -> Result<()> {
        self.again("decide_people", || people::decide(self, link)).await
    }

    async fn forget_people(&self, a: &str, b: &str) -> Result<bool> {
        self.again("forget_people", || people::forget(self, a, b)).await
    }

    async fn merge_sums(&self, snapshot: i64) -> Result<MainlineSums> {
        self.again("merge_sums", || facts::merge_sums(self, snapshot)).await
    }

    async fn publish(&self, name: &str, finished: &Finished<'_>) -> Result<()> {
        self.again("publish", || batches::publish(self, name, finished)).await
    }

    async fn report_of(&self, inputs: &Digest, as_of_seconds: i64) -> Result<Option<String>> {
        self.again("report_of", || batches::report_of(self, inputs, as_of_seconds)).await
    }

    async fn published(&self, name: &str) -> Result<Option<(String, String)>> {
        self.again("published", || batches::published(self, name)).await
    }

    async fn abandon(&self, batch: BatchId) -> Result<()> {
        self.again("abandon", || batches::abandon(self, batch)).await
    }

    async fn prune(&self, keep: u32) -> Result<()> {
        self.again("prune", || batches::prune(self, keep)).await
    }

    async fn retire(&self, before: &Retention) -> Result<u64> {
        self.again("retire", || retention::retire(self, before)).await
    }
}
