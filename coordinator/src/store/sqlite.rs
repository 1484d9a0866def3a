//! The store in one SQLite file: what `gitfleet analyze` runs on.

mod batches;
mod briefs;
mod facts;
mod rows;
mod snapshots;

use std::path::Path;

use async_trait::async_trait;
use gitfleet_shared::contract::{
    Changed, Digest, Failure, Job, Outcome, Revisions, SliceResult, Source, TipResult,
};
use gitfleet_shared::ids::{BatchId, JobId};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{
    BatchRepository, Block, Finished, Known, MainlineSums, NewBatch, Plan, Result, Store, StoreError,
    StoredJob, StoredSnapshot,
};

pub struct Sqlite {
    pool: SqlitePool,
}

/// Says what was being done when the database refused.
trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Database { doing, source: Box::new(source) })
    }
}

impl Sqlite {
    /// Opens or creates the store in `file` and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened, is no store, or was written by a newer version.
    pub async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            // A killed process loses nothing; a power cut may lose the last transactions, never the file.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(std::time::Duration::from_secs(10))
            // The pages that every slice touches (the upper ones of the indexes) stay in memory, and are written
            // into the file once for many slices.
            .pragma("cache_size", "-16384")
            .pragma("wal_autocheckpoint", "4096");
        // One connection: SQLite has one writer anyway, and what one connection writes empties the cache of another.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .doing("be opened")?;
        sqlx::migrate!("./migrations/sqlite")
            .run(&pool)
            .await
            .doing("be brought to this version's schema")?;
        Ok(Self { pool })
    }

    /// Ends every batch that a process left running. Only for whoever knows that no other process is there.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn abandon_unfinished(&self) -> Result<()> {
        for batch in batches::running(&self.pool).await? {
            batches::abandon(&self.pool, batch).await?;
        }
        Ok(())
    }

    /// Writes everything into the one file and lets go of it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn submit(&self, batch: &NewBatch) -> Result<()> {
        batches::submit(&self.pool, batch).await
    }

    async fn unsent(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>> {
        batches::unsent(&self.pool, batch, limit).await
    }

    async fn mark_sent(&self, jobs: &[JobId], now: i64) -> Result<()> {
        batches::mark_sent(&self.pool, jobs, now).await
    }

    async fn mark_heard(&self, job: JobId, now: i64) -> Result<()> {
        batches::mark_heard(&self.pool, job, now).await
    }

    async fn ring_again(&self, batch: BatchId, before: i64) -> Result<u64> {
        batches::ring_again(&self.pool, batch, before).await
    }

    async fn job(&self, id: JobId) -> Result<Option<StoredJob>> {
        batches::job(&self.pool, id).await
    }

    async fn snapshot(
        &self,
        source: &Source,
        revisions: &Revisions,
        max_blob_bytes: u64,
    ) -> Result<Option<StoredSnapshot>> {
        snapshots::find(&self.pool, source, revisions, max_blob_bytes).await
    }

    async fn known(&self, job: &StoredJob, revisions: &Revisions, changed: &Changed) -> Result<Known> {
        snapshots::known(&self.pool, job, revisions, changed).await
    }

    async fn record_unchanged(&self, outcome: &Outcome) -> Result<()> {
        batches::record_unchanged(&self.pool, outcome).await
    }

    async fn record_plan(&self, outcome: &Outcome, plan: &Plan) -> Result<()> {
        batches::record_plan(&self.pool, outcome, plan).await
    }

    async fn record_resurvey(&self, outcome: &Outcome, again: &Job) -> Result<()> {
        batches::record_resurvey(&self.pool, outcome, again).await
    }

    async fn record_dry_run(&self, outcome: &Outcome, commits_seen: u64, commits_new: u64) -> Result<()> {
        batches::record_dry_run(&self.pool, outcome, commits_seen, commits_new).await
    }

    async fn record_slice(&self, outcome: &Outcome, slice: &SliceResult, rest: Option<&Job>) -> Result<()> {
        batches::record_slice(&self.pool, outcome, slice, rest).await
    }

    async fn record_tip(&self, outcome: &Outcome, tip: TipResult) -> Result<()> {
        batches::record_tip(&self.pool, outcome, tip).await
    }

    async fn record_failure(&self, outcome: &Outcome, failure: &Failure) -> Result<()> {
        batches::record_failure(&self.pool, outcome, failure).await
    }

    async fn repositories(&self, batch: BatchId) -> Result<Vec<BatchRepository>> {
        batches::repositories(&self.pool, batch, None).await
    }

    async fn repository(&self, batch: BatchId, position: u32) -> Result<Option<BatchRepository>> {
        Ok(batches::repositories(&self.pool, batch, Some(position)).await?.pop())
    }

    async fn read_briefs(
        &self,
        snapshot: i64,
        each: &mut (dyn for<'a> FnMut(&'a Block) + Send),
    ) -> Result<()> {
        briefs::read(&self.pool, snapshot, each).await
    }

    async fn merge_sums(&self, snapshot: i64) -> Result<MainlineSums> {
        facts::merge_sums(&self.pool, snapshot).await
    }

    async fn publish(&self, name: &str, finished: &Finished<'_>) -> Result<()> {
        batches::publish(&self.pool, name, finished).await
    }

    async fn report_of(&self, inputs: &Digest, as_of_seconds: i64) -> Result<Option<String>> {
        batches::report_of(&self.pool, inputs, as_of_seconds).await
    }

    async fn published(&self, name: &str) -> Result<Option<(String, String)>> {
        batches::published(&self.pool, name).await
    }

    async fn abandon(&self, batch: BatchId) -> Result<()> {
        batches::abandon(&self.pool, batch).await
    }

    async fn prune(&self, keep: u32) -> Result<()> {
        batches::prune(&self.pool, keep).await
    }
}
