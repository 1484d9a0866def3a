//! A fresh store of one dialect, and a second door to it for tests that look or do harm.

use std::sync::Arc;

use gitfleet_coordinator::store::access::Access;
use gitfleet_coordinator::store::ledger::Ledger;
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_shared::people::erasure::Key;
use gitfleet_testkit::postgres::{Database, Postgres as Server};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Row as _};

/// By which those are known who were erased.
pub(crate) const SECRET: &str = "the secret of these tests";

pub(crate) struct Home {
    pub(crate) store: Arc<dyn Ledger>,
    pub(crate) access: Arc<dyn Access>,
    door: Door,
    keep: Keep,
}

enum Door {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// What the store is in; gone with its home.
enum Keep {
    Folder(#[expect(dead_code, reason = "its end is what it is kept for")] tempfile::TempDir),
    Database(Database),
}

impl Home {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store");
        let store = Arc::new(Sqlite::open(&file).await.unwrap().erasing(Key::new(SECRET.as_bytes())));
        let door = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&file)).await.unwrap();
        Self { access: store.clone(), store, door: Door::Sqlite(door), keep: Keep::Folder(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let database = Server::shared().database();
        let options = Options { schema: "fleet".into(), ..Options::default() };
        let store = Postgres::connect(database.url(), options).await.unwrap();
        store.migrate().await.unwrap();
        let door = PgPool::connect(database.url()).await.unwrap();
        let store = Arc::new(store.erasing(Key::new(SECRET.as_bytes())));
        Self { access: store.clone(), store, door: Door::Postgres(door), keep: Keep::Database(database) }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.door, Door::Postgres(_))
    }

    /// Returns so many bytes, as a statement has them.
    pub(crate) fn bytes(&self, count: usize) -> String {
        let hex = "ab".repeat(count);
        if self.is_postgres() { format!("'\\x{hex}'::bytea") } else { format!("x'{hex}'") }
    }

    /// Runs statements that have no result.
    pub(crate) async fn run(&self, statement: &str) {
        match &self.door {
            Door::Sqlite(pool) => {
                sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(pool).await.unwrap();
            }
            Door::Postgres(pool) => {
                let statement = format!("SET search_path TO fleet; {statement}");
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.unwrap();
            }
        }
    }

    /// Returns why a statement is refused.
    pub(crate) async fn refuses(&self, statement: &str) -> String {
        let ended = match &self.door {
            Door::Sqlite(pool) => {
                sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(pool).await.map(drop)
            }
            Door::Postgres(pool) => {
                let statement = format!("SET search_path TO fleet; {statement}");
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.map(drop)
            }
        };
        ended.unwrap_err().to_string()
    }

    /// Returns the one number that `query` finds.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        match &self.door {
            Door::Sqlite(pool) => {
                sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(pool).await.unwrap().get(0)
            }
            Door::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                sqlx::query("SET LOCAL search_path TO fleet").execute(&mut *transaction).await.unwrap();
                let row = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(&mut *transaction).await;
                row.unwrap().get(0)
            }
        }
    }

    /// Returns the address of its database, where there is one.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.keep {
            Keep::Folder(_) => None,
            Keep::Database(database) => Some(database.url()),
        }
    }

    /// Returns every value of every column of every table, as its bytes, with where it stands.
    pub(crate) async fn dump(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        match &self.door {
            Door::Sqlite(pool) => {
                let columns = "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'";
                for row in sqlx::query(columns).fetch_all(pool).await.unwrap() {
                    let (table, column): (String, String) = (row.get(0), row.get(1));
                    let values =
                        format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE {column} IS NOT NULL");
                    let values = sqlx::query(AssertSqlSafe(values)).fetch_all(pool).await.unwrap();
                    all.extend(values.iter().map(|row| (format!("{table}.{column}"), row.get(0))));
                }
            }
            Door::Postgres(pool) => {
                let columns = "SELECT c.table_name::text, c.column_name::text, c.data_type::text \
                     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
                     WHERE table_schema = 'fleet' AND t.table_type = 'BASE TABLE'";
                for row in sqlx::query(columns).fetch_all(pool).await.unwrap() {
                    let (table, column, kind): (String, String, String) =
                        (row.get(0), row.get(1), row.get(2));
                    let value = match kind.as_str() {
                        "bytea" => column.clone(),
                        _ => format!("convert_to({column}::text, 'UTF8')"),
                    };
                    let values = format!("SELECT {value} FROM fleet.{table} WHERE {column} IS NOT NULL");
                    let values = sqlx::query(AssertSqlSafe(values)).fetch_all(pool).await.unwrap();
                    all.extend(values.iter().map(|row| (format!("{table}.{column}"), row.get(0))));
                }
            }
        }
        all
    }

    /// Counts the rows of every table, so that a change shows that nobody looks for.
    pub(crate) async fn rows(&self) -> Vec<(&'static str, i64)> {
        let tables = [
            "repository",
            "fact_set",
            "signature",
            "commit_fact",
            "commit_file",
            "commit_person",
            "mainline_net",
            "snapshot",
            "snapshot_commit",
            "snapshot_tip",
            "fact_pack",
            "batch",
            "batch_repository",
            "pending_snapshot",
            "job",
            "outbox",
            "report",
            "published",
        ];
        let mut rows = Vec::new();
        for table in tables {
            rows.push((table, self.number(&format!("SELECT count(*) FROM {table}")).await));
        }
        rows
    }
}
