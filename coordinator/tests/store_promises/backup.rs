//! What is saved while others work comes back as it was, or not at all.

use std::collections::BTreeMap;
use std::path::Path;

use gitfleet_coordinator::store::Store;
use gitfleet_coordinator::store::backup::Restored;
use gitfleet_coordinator::store::migrations::{Fit, check};
use gitfleet_coordinator::store::postgres::backup::accounted;
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_testkit::postgres::{Database, Postgres as Server};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Row as _};

use crate::fake::{Fake, analysed, history, report, submitted};

struct Place {
    store: Postgres,
    door: PgPool,
    _database: Database,
}

impl Place {
    async fn new() -> Self {
        let database = Server::shared().database();
        let options = Options { schema: "fleet".into(), ..Options::default() };
        let store = Postgres::connect(database.url(), options).await.unwrap();
        Self { store, door: PgPool::connect(database.url()).await.unwrap(), _database: database }
    }

    async fn tables(&self) -> Vec<String> {
        let rows = sqlx::query(
            "SELECT table_name::text FROM information_schema.tables \
             WHERE table_schema = 'fleet' AND table_type = 'BASE TABLE' ORDER BY 1",
        );
        rows.fetch_all(&self.door).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Returns what all rows of each table hash to.
    async fn digests(&self) -> BTreeMap<String, String> {
        let mut digests = BTreeMap::new();
        for table in self.tables().await.into_iter().filter(|table| table != "_sqlx_migrations") {
            let query = format!(
                "SELECT md5(coalesce(string_agg(t::text, ';' ORDER BY t::text COLLATE \"C\"), '')) FROM fleet.{table} t"
            );
            let row = sqlx::query(AssertSqlSafe(query)).fetch_one(&self.door).await.unwrap();
            digests.insert(table, row.get(0));
        }
        digests
    }

    async fn run(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&self.door).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_saved_or_left_out_on_purpose() {
    let place = Place::new().await;
    place.store.migrate().await.unwrap();
    assert_eq!(place.tables().await, accounted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleets_store_comes_back_row_by_row() {
    let (from, folder) = (Place::new().await, tempfile::tempdir().unwrap());
    from.store.migrate().await.unwrap();
    let fake = Fake::of(history(0..40));
    let batch = analysed(&from.store, "/r\t\\N\n", &fake, 10).await;
    submitted(&from.store, &["/s"]).await;
    let (before, rows) = (report(&from.store, batch).await, from.digests().await);
    let saved = from.store.save(folder.path()).await.unwrap();
    let held = saved.tables.iter().map(|table| table.rows).sum::<u64>();
    assert!(held > 100, "{held}");

    // Into a place where there is not even a schema.
    let to = Place::new().await;
    assert_eq!(to.store.restore(folder.path(), &saved, false).await.unwrap(), Restored::Done);
    assert_eq!(to.digests().await, rows);
    assert_eq!(report(&to.store, batch).await, before);
    assert_eq!(check(&to.store.schema().await.unwrap().status().await.unwrap()), Fit::UpToDate);
    // What is added later gets numbers of its own.
    let later = analysed(&to.store, "/t", &fake, 10).await;
    assert_ne!(later, batch);

    // Not over what is there, unless somebody says so; then all of that is gone.
    let now = to.digests().await;
    assert_eq!(to.store.restore(folder.path(), &saved, false).await.unwrap(), Restored::NotEmpty);
    assert_eq!(to.digests().await, now);
    to.run("INSERT INTO fleet.audit VALUES (1, 0, '{}', 'x')").await;
    assert_eq!(to.store.restore(folder.path(), &saved, true).await.unwrap(), Restored::Done);
    assert_eq!(to.digests().await, rows);

    // Not under a coordinator.
    to.run("INSERT INTO fleet.leadership VALUES (1, 1, 'somebody', 1e15::bigint)").await;
    assert_eq!(to.store.restore(folder.path(), &saved, true).await.unwrap(), Restored::InUse);
    to.run("DELETE FROM fleet.leadership").await;

    // Nothing of half a backup.
    let table = folder.path().join("commit_fact.copy");
    let text = std::fs::read(&table).unwrap();
    std::fs::write(&table, &text[..text.len() / 2]).unwrap();
    assert!(to.store.restore(folder.path(), &saved, true).await.is_err());
    assert_eq!(to.digests().await, rows);

    // Nothing of a newer program.
    let newer = gitfleet_coordinator::store::backup::Saved { schema: 9_000, ..saved };
    assert_eq!(to.store.restore(folder.path(), &newer, true).await.unwrap(), Restored::OtherSchema);
    assert_eq!(to.digests().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_older_schema_comes_back_and_goes_on() {
    let (from, folder) = (Place::new().await, tempfile::tempdir().unwrap());
    from.store.migrate().await.unwrap();
    let fake = Fake::of(history(0..20));
    let batch = analysed(&from.store, "/r", &fake, 10).await;
    from.store.schema().await.unwrap().down(7).await.unwrap();
    let saved = from.store.save(folder.path()).await.unwrap();
    assert_eq!(saved.schema, 7);
    let to = Place::new().await;
    to.store.migrate().await.unwrap();
    assert_eq!(to.store.restore(folder.path(), &saved, false).await.unwrap(), Restored::Done);
    assert_eq!(check(&to.store.schema().await.unwrap().status().await.unwrap()), Fit::Behind);
    assert_eq!(to.digests().await, from.digests().await);
    to.store.migrate().await.unwrap();
    from.store.migrate().await.unwrap();
    assert_eq!(report(&to.store, batch).await, report(&from.store, batch).await);
}

async fn file_digests(file: &Path) -> BTreeMap<String, i64> {
    let door = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await.unwrap();
    let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
    let mut digests = BTreeMap::new();
    for row in tables.fetch_all(&door).await.unwrap() {
        let table: String = row.get(0);
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        digests.insert(table, rows.fetch_one(&door).await.unwrap().get(0));
    }
    door.close().await;
    digests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_saved_while_it_is_worked_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let store = Sqlite::open(&path("store")).await.unwrap();
    let fake = Fake::of(history(0..40));
    let batch = analysed(&store, "/r", &fake, 10).await;
    let before = report(&store, batch).await;
    // The store is open, and goes on behind the backup.
    let saved = Sqlite::save(&path("store"), &path("saved")).await.unwrap();
    assert_eq!(saved.schema, Sqlite::newest_schema());
    let later = analysed(&store, "/later", &fake, 10).await;
    store.close().await;

    std::fs::copy(path("saved"), path("copy")).unwrap();
    let refused = Sqlite::restore(&path("copy"), &path("store"), false).await.unwrap();
    assert_eq!(refused, Restored::NotEmpty);
    assert_eq!(Sqlite::restore(&path("copy"), &path("store"), true).await.unwrap(), Restored::Done);
    assert_eq!(file_digests(&path("store")).await, file_digests(&path("saved")).await);
    let store = Sqlite::open(&path("store")).await.unwrap();
    assert_eq!(report(&store, batch).await, before);
    assert!(store.repositories(later).await.unwrap().is_empty());
    assert_eq!(report(&store, analysed(&store, "/r", &fake, 10).await).await, before);
    store.close().await;

    // A page in the middle that is no longer one.
    let mut bytes = std::fs::read(path("saved")).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    std::fs::write(path("broken"), bytes).unwrap();
    let held = std::fs::read(path("store")).unwrap();
    assert!(Sqlite::restore(&path("broken"), &path("store"), true).await.is_err());
    assert_eq!(std::fs::read(path("store")).unwrap(), held);
}
