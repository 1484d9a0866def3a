//! The ledger, as both dialects fill it: each method one transaction, tried again where another was in its way.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gitfleet_shared::contract::{Control, HandedBack, Heartbeat, Job};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::DeadLetter;

use super::{
    Database, attempts, batch_views, fleet, hearing, job_views, letters, reports, schema, signs, silence,
    sources, throughput, wishes,
};
use crate::access::Scope;
use crate::store::ledger::{
    BatchFilter, JobFilter, Ledger, Patience, RunningBatch, Throughput, Unheard, Wish,
};
use crate::store::migrations::Fit;
use crate::store::{Result, Term};
use crate::view::{BatchView, DeadView, JobHistory, JobView, ReportView, SourceView, WorkerView};
use crate::vital::Signs;

#[async_trait]
impl Ledger for Database {
    async fn running(&self) -> Result<Vec<RunningBatch>> {
        self.again("running", || batch_views::running(self)).await
    }

    async fn config(&self, batch: BatchId) -> Result<String> {
        self.again("config", || batch_views::config(self, batch)).await
    }

    async fn hear(&self, heartbeats: &[Heartbeat], now: i64) -> Result<()> {
        self.again("hear", || hearing::hear(self, heartbeats, now)).await
    }

    async fn hand_back(&self, back: &HandedBack, patience: Patience, now: i64) -> Result<()> {
        self.again("hand_back", || attempts::hand_back(self, back, patience, now)).await
    }

    async fn miss_workers(&self, before: i64, now: i64) -> Result<u64> {
        self.again("miss_workers", || silence::miss_workers(self, before, now)).await
    }

    async fn ring_all(&self, before: i64, unheard: Unheard) -> Result<u64> {
        self.again("ring_all", || silence::ring_all(self, before, unheard)).await
    }

    async fn unheard(&self) -> Result<u64> {
        self.again("unheard", || silence::unheard(self)).await
    }

    async fn condemned(&self, patience: Patience, now: i64) -> Result<Vec<(Job, Vec<String>)>> {
        self.again("condemned", || silence::condemned(self, patience, now)).await
    }

    async fn control(&self, since: i64) -> Result<Control> {
        self.again("control", || fleet::control(self, since)).await
    }

    async fn batches(&self, filter: &BatchFilter) -> Result<Vec<BatchView>> {
        self.again("batches", || batch_views::list(self, filter)).await
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<BatchView>> {
        self.again("batch", || batch_views::find(self, batch)).await
    }

    async fn batches_between(&self, first: BatchId, last: BatchId, scope: &Scope) -> Result<Vec<BatchId>> {
        self.again("batches_between", || batch_views::between(self, first, last, scope)).await
    }

    async fn jobs_between(&self, first: JobId, last: JobId, scope: &Scope) -> Result<Vec<JobId>> {
        self.again("jobs_between", || job_views::between(self, first, last, scope)).await
    }

    async fn cancel(&self, batch: BatchId, now: i64) -> Result<Wish> {
        self.again("cancel", || wishes::cancel(self, batch, now)).await
    }

    async fn set_paused(&self, batch: BatchId, paused: bool) -> Result<Wish> {
        self.again("set_paused", || wishes::set_paused(self, batch, paused)).await
    }

    async fn retry(&self, batch: BatchId, position: Option<u32>) -> Result<u64> {
        self.again("retry", || wishes::retry(self, batch, position)).await
    }

    async fn finish(&self, batch: BatchId, now: i64) -> Result<()> {
        self.again("finish", || wishes::finish(self, batch, now)).await
    }

    async fn jobs(&self, filter: &JobFilter, now: i64) -> Result<Vec<JobView>> {
        self.again("jobs", || job_views::list(self, filter, now)).await
    }

    async fn job_history(&self, job: JobId, now: i64) -> Result<Option<JobHistory>> {
        self.again("job_history", || job_views::history(self, job, now)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerView>> {
        self.again("workers", || fleet::workers(self)).await
    }

    async fn set_draining(&self, worker: &str, draining: bool) -> Result<Wish> {
        self.again("set_draining", || wishes::set_draining(self, worker, draining)).await
    }

    async fn keep_dead(&self, letter: &DeadLetter, now: i64) -> Result<()> {
        self.again("keep_dead", || letters::keep(self, letter, now)).await
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadView>> {
        self.again("dead_letters", || letters::list(self, limit)).await
    }

    async fn dead_letter(&self, id: i64) -> Result<Option<(DeadView, DeadLetter, i64)>> {
        self.again("dead_letter", || letters::find(self, id)).await
    }

    async fn drop_dead(&self, id: i64, arrived_at: Option<i64>) -> Result<bool> {
        self.again("drop_dead", || letters::remove(self, id, arrived_at)).await
    }

    async fn count_dead(&self) -> Result<i64> {
        self.again("count_dead", || letters::count(self)).await
    }

    async fn sources(&self, scope: &Scope, limit: u32) -> Result<Vec<SourceView>> {
        self.again("sources", || sources::list(self, scope, limit)).await
    }

    async fn source(&self, id: i64, scope: &Scope) -> Result<Option<SourceView>> {
        self.again("source", || sources::find(self, id, scope)).await
    }

    async fn forget_source(&self, id: i64) -> Result<Wish> {
        self.again("forget_source", || wishes::forget_source(self, id)).await
    }

    async fn reports(&self, scope: &Scope, limit: u32) -> Result<Vec<ReportView>> {
        self.again("reports", || reports::list(self, scope, limit)).await
    }

    async fn report(&self, batch: BatchId) -> Result<Option<(String, String)>> {
        self.again("report", || reports::find(self, batch)).await
    }

    async fn throughput(&self, since: i64) -> Result<Throughput> {
        self.again("throughput", || throughput::since(self, since)).await
    }

    async fn leader(&self, now: i64) -> Result<Option<String>> {
        self.again("leader", || fleet::leader(self, now)).await
    }

    async fn lead(&self, holder: &str, held: Option<Term>, ttl: Duration) -> Result<Option<Term>> {
        self.again("lead", || self.take_lead(holder, held, ttl)).await
    }

    async fn resign(&self, term: Term) -> Result<()> {
        self.again("resign", || self.give_up_lead(term)).await
    }

    fn fenced(&self, term: Term) -> Arc<dyn Ledger> {
        if gitfleet_shared::sabotaged!("no_fence") {
            return Arc::new(self.clone());
        }
        Arc::new(self.under(term))
    }

    async fn signs(&self, now: i64) -> Result<Signs> {
        self.again("signs", || signs::look(self, now)).await
    }

    async fn fit(&self) -> Result<Fit> {
        self.again("fit", || schema::fit(self)).await
    }

    async fn describe(&self) -> Result<String> {
        self.again("describe", || fleet::describe(self)).await
    }
}
