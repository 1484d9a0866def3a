//! The ledger, as both dialects fill it: each method one transaction, tried again where another was in its way.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gitfleet_shared::contract::{Control, HandedBack, Heartbeat, Job};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::DeadLetter;

use super::{
    Database, attempts, batch_views, fleet, hearing, job_views, letters, reports, silence, sources,
    throughput, wishes,
};
use crate::access::Scope;
use crate::store::ledger::{
    BatchFilter, JobFilter, Ledger, Patience, RunningBatch, Throughput, Unheard, Wish,
};
use crate::store::{Result, Term};
use crate::view::{BatchView, DeadView, JobHistory, JobView, ReportView, SourceView, WorkerView};

#[async_trait]
impl Ledger for Database {
    async fn running(&self) -> Result<Vec<RunningBatch>> {
        self.again(|| batch_views::running(self)).await
    }

    async fn config(&self, batch: BatchId) -> Result<String> {
        self.again(|| batch_views::config(self, batch)).await
    }

    async fn hear(&self, heartbeats: &[Heartbeat], now: i64) -> Result<()> {
        self.again(|| hearing::hear(self, heartbeats, now)).await
    }

    async fn hand_back(&self, back: &HandedBack, patience: Patience, now: i64) -> Result<()> {
        self.again(|| attempts::hand_back(self, back, patience, now)).await
    }

    async fn miss_workers(&self, before: i64, now: i64) -> Result<u64> {
        self.again(|| silence::miss_workers(self, before, now)).await
    }

    async fn ring_all(&self, before: i64, unheard: Unheard) -> Result<u64> {
        self.again(|| silence::ring_all(self, before, unheard)).await
    }

    async fn unheard(&self) -> Result<u64> {
        self.again(|| silence::unheard(self)).await
    }

    async fn condemned(&self, patience: Patience, now: i64) -> Result<Vec<(Job, Vec<String>)>> {
        self.again(|| silence::condemned(self, patience, now)).await
    }

    async fn control(&self, since: i64) -> Result<Control> {
        self.again(|| fleet::control(self, since)).await
    }

    async fn batches(&self, filter: &BatchFilter) -> Result<Vec<BatchView>> {
        self.again(|| batch_views::list(self, filter)).await
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<BatchView>> {
        self.again(|| batch_views::find(self, batch)).await
    }

    async fn batches_between(&self, first: BatchId, last: BatchId, scope: &Scope) -> Result<Vec<BatchId>> {
        self.again(|| batch_views::between(self, first, last, scope)).await
    }

    async fn jobs_between(&self, first: JobId, last: JobId, scope: &Scope) -> Result<Vec<JobId>> {
        self.again(|| job_views::between(self, first, last, scope)).await
    }

    async fn cancel(&self, batch: BatchId, now: i64) -> Result<Wish> {
        self.again(|| wishes::cancel(self, batch, now)).await
    }

    async fn set_paused(&self, batch: BatchId, paused: bool) -> Result<Wish> {
        self.again(|| wishes::set_paused(self, batch, paused)).await
    }

    async fn retry(&self, batch: BatchId, position: Option<u32>) -> Result<u64> {
        self.again(|| wishes::retry(self, batch, position)).await
    }

    async fn finish(&self, batch: BatchId, now: i64) -> Result<()> {
        self.again(|| wishes::finish(self, batch, now)).await
    }

    async fn jobs(&self, filter: &JobFilter, now: i64) -> Result<Vec<JobView>> {
        self.again(|| job_views::list(self, filter, now)).await
    }

    async fn job_history(&self, job: JobId, now: i64) -> Result<Option<JobHistory>> {
        self.again(|| job_views::history(self, job, now)).await
    }

    async fn workers(&self) -> Result<Vec<WorkerView>> {
        self.again(|| fleet::workers(self)).await
    }

    async fn set_draining(&self, worker: &str, draining: bool) -> Result<Wish> {
        self.again(|| wishes::set_draining(self, worker, draining)).await
    }

    async fn keep_dead(&self, letter: &DeadLetter, now: i64) -> Result<()> {
        self.again(|| letters::keep(self, letter, now)).await
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadView>> {
        self.again(|| letters::list(self, limit)).await
    }

    async fn dead_letter(&self, id: i64) -> Result<Option<(DeadView, DeadLetter, i64)>> {
        self.again(|| letters::find(self, id)).await
    }

    async fn drop_dead(&self, id: i64, arrived_at: Option<i64>) -> Result<bool> {
        self.again(|| letters::remove(self, id, arrived_at)).await
    }

    async fn count_dead(&self) -> Result<i64> {
        self.again(|| letters::count(self)).await
    }

    async fn sources(&self, scope: &Scope, limit: u32) -> Result<Vec<SourceView>> {
        self.again(|| sources::list(self, scope, limit)).await
    }

    async fn source(&self, id: i64, scope: &Scope) -> Result<Option<SourceView>> {
        self.again(|| sources::find(self, id, scope)).await
    }

    async fn forget_source(&self, id: i64) -> Result<Wish> {
        self.again(|| wishes::forget_source(self, id)).await
    }

    async fn reports(&self, scope: &Scope, limit: u32) -> Result<Vec<ReportView>> {
        self.again(|| reports::list(self, scope, limit)).await
    }

    async fn report(&self, batch: BatchId) -> Result<Option<(String, String)>> {
        self.again(|| reports::find(self, batch)).await
    }

    async fn throughput(&self, since: i64) -> Result<Throughput> {
        self.again(|| throughput::since(self, since)).await
    }

    async fn leader(&self, now: i64) -> Result<Option<String>> {
        self.again(|| fleet::leader(self, now)).await
    }

    async fn lead(&self, holder: &str, held: Option<Term>, ttl: Duration) -> Result<Option<Term>> {
        self.again(|| self.take_lead(holder, held, ttl)).await
    }

    async fn resign(&self, term: Term) -> Result<()> {
        self.again(|| self.give_up_lead(term)).await
    }

    fn fenced(&self, term: Term) -> Arc<dyn Ledger> {
        if gitfleet_shared::sabotaged!("no_fence") {
            return Arc::new(self.clone());
        }
        Arc::new(self.under(term))
    }

    async fn describe(&self) -> Result<String> {
        self.again(|| fleet::describe(self)).await
    }
}
