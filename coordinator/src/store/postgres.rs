//! The store in PostgreSQL: what a fleet runs on.
//!
//! Several coordinators may be connected. Rows are locked in one order (leadership, repository of a batch, job, fact
//! set, signatures by name, snapshot), so that recorders wait in a line and not in a circle; where two collide all the
//! same, one is undone by the server and tried again here.

#[path = "sql/access.rs"]
mod access;
#[path = "sql/attempts.rs"]
mod attempts;
#[path = "sql/audit.rs"]
mod audit;
pub mod backup;
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
mod copy;
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
mod leadership;
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

use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gitfleet_shared::people::erasure::Key;
use gitfleet_shared::secret::Secret;
use sqlx::migrate::Migrator;
use sqlx::postgres::{
    PgArguments as Arguments, PgConnectOptions, PgConnection as Connection, PgPool, PgPoolOptions,
    PgRow as Row,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Postgres as Driver, Row as _, Transaction};
use tracing::Instrument as _;

use super::doing::{Doing, is_collision};
use super::erasing::Erasing;
use super::migrations::{Schema, Step};
use super::span::span;
use super::{Observer, Result, StoreError, Term};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/postgres");

/// The order in which jobs were planned.
const JOB_ORDER: &str = "j.sequence";
/// Keeps a row from being removed.
const FOR_KEEPS: &str = "FOR KEY SHARE";
/// For one transaction at a time; others may still refer to the row.
const FOR_CHANGE: &str = "FOR NO KEY UPDATE";
/// As that, of several rows, in the order in which all take them.
const HOLD_JOBS: &str = "ORDER BY id FOR NO KEY UPDATE";
const HOLD_REPOSITORIES: &str = "ORDER BY r.batch_id, r.position FOR NO KEY UPDATE OF r";
/// The elements of a JSON array, `$1`, each with its place from 0 on.
const EACH: &str =
    "(SELECT value, ordinality - 1 AS place FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY)";
/// To be removed, unless somebody has it.
const IF_FREE: &str = "FOR UPDATE SKIP LOCKED";
/// The team of a batch `b`.
const TEAM: &str = "(b.labels::jsonb ->> 'team')";
/// Asks what stands behind the port.
const VERSION: &str = "SELECT 'PostgreSQL ' || current_setting('server_version')";
/// What all of the database takes.
const STORE_BYTES: &str = "SELECT pg_database_size(current_database())";
/// As OpenTelemetry calls it.
const SYSTEM: &str = "postgresql";
/// What names a row of any table.
const ROW: &str = "ctid";
/// Takes the list of who was erased for as long as a transaction lasts: with others, or alone.
const LOCK_ERASED_SHARED: &str =
    "SELECT pg_advisory_xact_lock_shared(hashtextextended('gitfleet erasure ' || current_schema(), 0))";
const LOCK_ERASED: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('gitfleet erasure ' || current_schema(), 0))";
/// What the server does in its own time.
const AFTER_SWEEP: [&str; 0] = [];
const HAS_STEPS: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";

/// How often a transaction is tried that collides with others, and what it waits after the first time.
const TRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// A connection that rested longer is asked for a sign of life before it is used.
const RESTED: Duration = Duration::from_secs(1);

/// How the database is used. The defaults are for a coordinator of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The schema all tables are in: letters, digits and `_`. One database may hold several stores.
    pub schema: String,
    /// Connections at most.
    pub connections: u32,
    /// How long a connection may take to be had.
    pub acquire_timeout: Duration,
    /// How long a statement may take, on the server.
    pub statement_timeout: Duration,
    /// How long a row may be waited for.
    pub lock_timeout: Duration,
    /// How long all of one call may take; what ends here is a server that does not even refuse.
    pub deadline: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: "public".into(),
            connections: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(120),
            lock_timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(300),
        }
    }
}

/// A process that was stopped in the middle of a transaction must not hold its locks for ever.
const IDLE_IN_TRANSACTION: &str = "15s";

/// The first version that has all that the statements ask for, as `server_version_num` has it.
const OLDEST: i32 = 150_000;

/// Why a connection is not tried, or not kept. Says nothing of the URL, because a password may be in it.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the database's URL is not of the form postgres://user:password@host:port/database")]
    Url,
    #[error("a schema's name has 1 to 63 letters, digits and underscores, and begins with no digit")]
    Schema,
    #[error("the database is PostgreSQL {found}, and gitfleet needs 15 or newer")]
    TooOld { found: String },
}

impl Unusable {
    /// Returns why there is no connection, where it is one of these reasons.
    pub fn of(error: &StoreError) -> Option<&Self> {
        match error {
            StoreError::Database { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Url => "write fleet.database_url (GITFLEET_DATABASE_URL) in this form",
            Self::Schema => "name another one with fleet.database_schema (GITFLEET_DATABASE_SCHEMA)",
            Self::TooOld { .. } => {
                "bring the server up to date (pg_upgrade), or name another one with fleet.database_url"
            }
        }
    }
}

/// Returns the elements of the list `name` in the JSON object of parameter `place`.
fn in_part(place: usize, name: &str) -> String {
    format!("(SELECT jsonb_array_elements_text(${place}::jsonb -> '{name}'))")
}

/// A handle; cheap to clone.
#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
    address: Arc<Address>,
    /// Under which everything is recorded.
    term: Option<Term>,
    observer: Option<Observer>,
    erasing: Erasing,
}

type Database = Postgres;

impl Postgres {
    /// Connects to the database at `url`, and to where it is later on when that changes. The schema is taken as it is; see
    /// [`Self::migrate`].
    ///
    /// # Errors
    ///
    /// Where the URL or the schema's name is none, or the server cannot be reached, refuses or is too old.
    pub async fn connect(url: impl Into<Secret>, options: Options) -> Result<Self> {
        let url = url.into();
        let last = url.now();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, resting| {
                Box::pin(async move {
                    // An error here would be told to whoever asked; a new connection is better.
                    Ok(resting.idle_for < RESTED || connection.ping().await.is_ok())
                })
            })
            .connect_with(connect_options(&last, &options)?)
            .await
            .doing("be reached")?;
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
        )
        .fetch_one(&pool)
        .await
        .doing("tell its version")?;
        check_version(row.get(0), row.get(1)).doing("be used")?;
        let address = Arc::new(Address { url, options, last: Mutex::new(last) });
        Ok(Self { pool, address, term: None, observer: None, erasing: Erasing::default() })
    }

    /// Returns the same store, which tells `observer` of everything it is asked.
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Returns the same store, which knows by `key` who was erased.
    pub fn erasing(self, key: Option<Key>) -> Self {
        Self { erasing: Erasing::new(key), ..self }
    }

    /// Brings the schema up to date and returns the steps that this took.
    ///
    /// # Errors
    ///
    /// Where a step fails, which then left nothing behind, or a newer program was here.
    pub async fn migrate(&self) -> Result<Vec<Step>> {
        self.schema().await?.up().await
    }

    /// Returns what is to be known and done about the schema, over a connection of its own.
    ///
    /// # Errors
    ///
    /// Where the server cannot be reached or refuses.
    pub async fn schema(&self) -> Result<Box<dyn Schema>> {
        self.address.tell(&self.pool);
        let options = (*self.pool.connect_options()).clone();
        // A step may take its time, but must not stop everybody else while it waits for its locks.
        let options = options.options([("statement_timeout", "0"), ("lock_timeout", "30s")]);
        let connection = options.connect().await.doing("be reached")?;
        Ok(Box::new(schema::Open { connection, migrations: &MIGRATIONS }))
    }

    /// Returns the database's clock, in UTC milliseconds.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn clock(&self) -> Result<i64> {
        let row = sqlx::query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            .fetch_one(&self.pool)
            .await
            .doing("tell the time")?;
        Ok(row.get(0))
    }

    /// Lets go of all connections, after what they are doing.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Begins a transaction that records something, if this handle may.
    async fn begin(&self) -> Result<Transaction<'static, Driver>> {
        let mut transaction = self.pool.begin().await.doing("begin")?;
        if let Some(term) = self.term
            && !leadership::hold(&mut transaction, term).await?
        {
            transaction.rollback().await.doing("leave it")?;
            return Err(StoreError::Deposed);
        }
        Ok(transaction)
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

    /// Begins a transaction that sees the store as of one moment.
    async fn begin_reading(&self) -> Result<Transaction<'static, Driver>> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await.doing("begin")
    }

    /// Runs `attempt`, which is one transaction, until it does not collide with another.
    async fn again<T, F: Future<Output = Result<T>>>(
        &self,
        operation: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T> {
        self.timed(operation, self.until_alone(attempt)).await
    }

    async fn until_alone<T, F: Future<Output = Result<T>>>(&self, attempt: impl Fn() -> F) -> Result<T> {
        self.address.tell(&self.pool);
        let mut tries = 1;
        loop {
            let ended = tokio::time::timeout(self.address.options.deadline, attempt())
                .await
                .doing("answer in time")?;
            match ended {
                Err(error) if tries < TRIES && is_collision(&error) => {
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                ended => return ended,
            }
        }
    }

    async fn take_lead(&self, holder: &str, held: Option<Term>, ttl: Duration) -> Result<Option<Term>> {
        leadership::take(&self.pool, holder, held, ttl).await
    }

    async fn give_up_lead(&self, term: Term) -> Result<()> {
        leadership::give_up(&self.pool, term).await
    }

    fn under(&self, term: Term) -> Self {
        Self { term: Some(term), ..self.clone() }
    }
}

/// Where the database is, and how it is spoken to.
struct Address {
    url: Secret,
    options: Options,
    /// What the address was when it was last looked at.
    last: Mutex<String>,
}

impl Address {
    /// Lets new connections go to the address as it is now. Where that is none, they go where they went.
    fn tell(&self, pool: &PgPool) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.url.now();
        if now == *last {
            return;
        }
        match connect_options(&now, &self.options) {
            Ok(options) => pool.set_connect_options(options),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the last address of the database stays in use");
            }
        }
        *last = now;
    }
}

/// Refuses a server that is too old, by its number (such as 140009) and its name (such as 14.9).
fn check_version(number: i32, name: &str) -> std::result::Result<(), Unusable> {
    match number < OLDEST {
        true => Err(Unusable::TooOld { found: name.to_owned() }),
        false => Ok(()),
    }
}

fn connect_options(url: &str, options: &Options) -> Result<PgConnectOptions> {
    let starts = |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let schema = options.schema.as_str();
    let is_name = starts(schema) && schema.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    if !is_name || schema.len() > 63 {
        return Err(Unusable::Schema).doing("be reached");
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Unusable::Url).doing("be reached");
    }
    let parsed = PgConnectOptions::from_str(url).map_err(|_| Unusable::Url).doing("be reached")?;
    let millis = |duration: Duration| duration.as_millis().to_string();
    Ok(parsed.application_name("gitfleet").options([
        ("search_path", format!("\"{schema}\"")),
        ("statement_timeout", millis(options.statement_timeout)),
        // A plan that was made while a table was empty is none for when it is full.
        ("plan_cache_mode", "force_custom_plan".into()),
        ("lock_timeout", millis(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.into()),
    ]))
}

/// Creates the schema that the connection works in, where it is missing. To ask first needs fewer rights.
async fn prepare(connection: &mut Connection) -> sqlx::Result<()> {
    let row =
        sqlx::query("SELECT current_schema(), current_setting('search_path')").fetch_one(&mut *connection);
    let row = row.await?;
    if row.get::<Option<&str>, _>(0).is_none() {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", row.get::<&str, _>(1));
        sqlx::query(AssertSqlSafe(create)).execute(connection).await?;
    }
    Ok(())
}

/// Returns how long to wait after the nth try: about twice as long each time, and never as long as another waits.
fn pause(tries: u32) -> Duration {
    let longest = FIRST_PAUSE * (1 << tries.min(7));
    let random = RandomState::new().hash_one(tries);
    longest / 2 + longest.mul_f64((random % 1_000) as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_about_a_url_repeats_it() {
        for url in
            ["postgres://user:hunter2@host:port/x", "hunter2", "mysql://hunter2@h/", "postgres://[hunter2"]
        {
            let error = connect_options(url, &Options::default()).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
            assert!(!error.is_passing());
        }
    }

    #[test]
    fn an_old_server_is_refused_with_both_versions() {
        for (number, name) in [(150_000, "15.0"), (170_002, "17.2"), (190_000, "19devel")] {
            assert!(check_version(number, name).is_ok(), "{name}");
        }
        for (number, name) in [(149_999, "14.99"), (140_009, "14.9 (Debian 14.9-1)"), (90_624, "9.6.24")] {
            let refused = check_version(number, name).doing("be used").unwrap_err();
            assert!(!refused.is_passing());
            let text = Unusable::of(&refused).unwrap().to_string();
            assert!(text.contains(name) && text.contains("15 or newer"), "{text}");
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        for (schema, fits) in [("fleet_1", true), ("", false), ("a b", false), ("1a", false), ("a\"", false)]
        {
            let options = Options { schema: schema.into(), ..Options::default() };
            assert_eq!(connect_options("postgres://h/d", &options).is_ok(), fits, "{schema}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let total: Duration = (1..TRIES).map(pause).sum();
        assert!(pause(1) < Duration::from_millis(10) && total < Duration::from_secs(5), "{total:?}");
    }
}
