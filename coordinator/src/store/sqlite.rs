//! The store in one SQLite file: what `gitfleet analyze` runs on.

// What both dialects say in the same words is one text, and a module of each of them.
#[path = "sql/access.rs"]
mod access;
#[path = "sql/attempts.rs"]
mod attempts;
#[path = "sql/audit.rs"]
mod audit;
mod backup;
#[path = "sql/batch_counts.rs"]
mod batch_counts;
#[path = "sql/batch_views.rs"]
mod batch_views;
#[path = "sql/batches.rs"]
mod batches;
mod bulk;
mod by_batch;
#[path = "sql/closing.rs"]
mod closing;
#[path = "sql/columns.rs"]
mod columns;
#[path = "sql/erased.rs"]
mod erased;
#[path = "sql/facts.rs"]
mod facts;
#[path = "sql/fleet.rs"]
mod fleet;
#[path = "sql/hearing.rs"]
mod hearing;
#[path = "sql/held.rs"]
mod held;
#[path = "sql/job_views.rs"]
mod job_views;
#[path = "sql/ledger.rs"]
mod ledger;
#[path = "sql/letters.rs"]
mod letters;
#[path = "sql/listings.rs"]
mod listings;
#[path = "sql/outbox.rs"]
mod outbox;
#[path = "sql/pace.rs"]
mod pace;
#[path = "sql/packs.rs"]
mod packs;
#[path = "sql/people.rs"]
mod people;
#[path = "sql/port.rs"]
mod port;
#[path = "sql/record.rs"]
mod record;
#[path = "sql/reports.rs"]
mod reports;
#[path = "sql/retention.rs"]
mod retention;
mod rows;
#[path = "sql/schedules.rs"]
mod schedules;
#[path = "sql/schema.rs"]
mod schema;
#[path = "sql/sight.rs"]
mod sight;
#[path = "sql/signs.rs"]
mod signs;
#[path = "sql/silence.rs"]
mod silence;
#[path = "sql/snapshots.rs"]
mod snapshots;
#[path = "sql/sources.rs"]
mod sources;
#[path = "sql/sweep.rs"]
mod sweep;
#[path = "sql/throughput.rs"]
mod throughput;
#[path = "sql/tokens.rs"]
mod tokens;
#[path = "sql/wishes.rs"]
mod wishes;

use std::path::Path;
use std::time::{Duration, Instant};

use gitfleet_shared::ids::BatchId;
use gitfleet_shared::people::erasure::Key;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteArguments as Arguments, SqliteConnectOptions, SqliteConnection as Connection, SqliteJournalMode,
    SqlitePool, SqlitePoolOptions, SqliteRow as Row, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, Sqlite as Driver, Transaction};
use tracing::Instrument as _;

use super::doing::Doing;
use super::erasing::Erasing;
use super::migrations::Schema;
use super::span::span;
use super::{Observer, Result, StoreError, Term};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// The order in which jobs were planned.
const JOB_ORDER: &str = "j.rowid";
// One connection: who has it has the store, and no row needs a lock of its own.
const FOR_KEEPS: &str = "";
const FOR_CHANGE: &str = "";
const IF_FREE: &str = "";
const HOLD_JOBS: &str = "";
const HOLD_REPOSITORIES: &str = "";
/// The elements of a JSON array, `$1`, each with its place from 0 on.
const EACH: &str = "(SELECT value, key AS place FROM json_each($1))";
/// The team of a batch `b`.
const TEAM: &str = "json_extract(b.labels, '$.team')";
/// Asks what stands behind the port.
const VERSION: &str = "SELECT 'SQLite ' || sqlite_version()";
/// What the file takes.
const STORE_BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
/// As OpenTelemetry calls it.
const SYSTEM: &str = "sqlite";
/// What names a row of any table.
const ROW: &str = "rowid";
// There is one writer.
const LOCK_ERASED_SHARED: &str = "";
const LOCK_ERASED: &str = "";
/// What was deleted is still in free pages of the file, and in its log.
const AFTER_SWEEP: [&str; 2] = ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"];
const HAS_STEPS: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";

/// Returns the elements of the list `name` in the JSON object of parameter `place`.
fn in_part(place: usize, name: &str) -> String {
    format!("(SELECT value FROM json_each(${place}, '$.{name}'))")
}

/// A handle; cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    pool: SqlitePool,
    observer: Option<Observer>,
    erasing: Erasing,
}

type Database = Sqlite;

impl Sqlite {
    /// Opens or creates the store in `file` and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened, is no store, or was written by a newer version.
    pub async fn open(file: &Path) -> Result<Self> {
        let mut migrating = migrating(file).await?;
        MIGRATIONS.run(&mut migrating).await.doing("be brought to this version's schema")?;
        // One connection: SQLite has one writer anyway, and what one connection writes empties the cache of another.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_with(options(file))
            .await
            .doing("be opened")?;
        migrating.close().await.doing("be opened")?;
        Ok(Self { pool, observer: None, erasing: Erasing::default() })
    }

    /// Returns the same store, which tells `observer` of everything it is asked.
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Returns the same store, which knows by `key` who was erased.
    pub fn erasing(self, key: Option<Key>) -> Self {
        Self { erasing: Erasing::new(key), ..self }
    }

    /// Returns what is to be known and done about the schema of the store in `file`, which is not touched by asking.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened.
    pub async fn schema(file: &Path) -> Result<Box<dyn Schema>> {
        Ok(Box::new(schema::Open { connection: migrating(file).await?, migrations: &MIGRATIONS }))
    }

    /// Ends every batch that a process left running. Only for whoever knows that no other process is there.
    ///
    /// # Errors
    ///
    /// Where the store fails.
    pub async fn abandon_unfinished(&self) -> Result<()> {
        let rows = sqlx::query("SELECT id FROM batch WHERE state = 'running'")
            .fetch_all(&self.pool)
            .await
            .doing("list batches")?;
        for row in rows {
            let id = row.get::<Vec<u8>, _>(0).try_into();
            let batch = id.map(BatchId::from_bytes).map_err(|_| StoreError::Damaged { what: "a batch" })?;
            batches::abandon(self, batch).await?;
        }
        Ok(())
    }

    /// Writes everything into the one file and lets go of it.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Driver>> {
        self.pool.begin().await.doing("begin")
    }

    /// Tells the observer of how long `work` takes.
    async fn timed<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let worked = work.instrument(span(operation, SYSTEM)).await;
        if let Some(observer) = &self.observer {
            observer(operation, begun.elapsed());
        }
        worked
    }

    async fn begin_reading(&self) -> Result<Transaction<'static, Driver>> {
        self.begin().await
    }

    /// Nobody is in the way, so once is enough.
    async fn again<T, F: Future<Output = Result<T>>>(
        &self,
        operation: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T> {
        self.timed(operation, attempt()).await
    }

    async fn until_alone<T, F: Future<Output = Result<T>>>(&self, attempt: impl Fn() -> F) -> Result<T> {
        attempt().await
    }

    /// Whoever has the file leads; it is written down for those who ask.
    async fn take_lead(&self, holder: &str, _: Option<Term>, ttl: Duration) -> Result<Option<Term>> {
        sqlx::query(
            "INSERT INTO leadership (id, term, holder, expires_at) \
             VALUES (1, 1, $1, CAST(unixepoch('subsec') * 1000 AS INTEGER) + $2) \
             ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at",
        )
        .bind(holder)
        .bind(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await
        .doing("say who leads")?;
        Ok(Some(Term(1)))
    }

    async fn give_up_lead(&self, _: Term) -> Result<()> {
        sqlx::query("DELETE FROM leadership").execute(&self.pool).await.doing("say that nobody leads")?;
        Ok(())
    }

    fn under(&self, _: Term) -> Self {
        self.clone()
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .foreign_keys(true)
        // A killed process loses nothing; a power cut may lose the last transactions, never the file.
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(10))
        // The pages that every slice touches (the upper ones of the indexes) stay in memory, and are written
        // into the file once for many slices.
        .pragma("cache_size", "-16384")
        .pragma("wal_autocheckpoint", "4096")
}

/// A file needs nothing before its first step.
async fn prepare(_: &mut Connection) -> sqlx::Result<()> {
    Ok(())
}

/// Opens a connection that may change the schema. It enforces no foreign keys: a table that is made anew is dropped
/// on the way, and what refers to it must not go with it.
async fn migrating(file: &Path) -> Result<Connection> {
    options(file).foreign_keys(false).connect().await.doing("be opened")
}
