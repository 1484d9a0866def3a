//! Both dialects take the same steps, forth and back.

use std::collections::BTreeSet;
use std::path::Path;

use gitfleet_coordinator::store::StoreError;
use gitfleet_coordinator::store::migrations::{Fit, Schema, Step, StepState, check};
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_testkit::postgres::Postgres as Server;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::fake::{Fake, analysed, history, report, submitted};

fn files(dialect: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(|first: char| first.is_ascii_digit())).collect()
}

#[test]
fn both_dialects_have_the_same_steps() {
    assert_eq!(files("sqlite"), files("postgres"));
    for name in files("sqlite").iter().filter(|name| name.ends_with(".up.sql")) {
        assert!(files("sqlite").contains(&name.replace(".up.", ".down.")), "{name} has a way back");
    }
}

async fn forth_and_back(schema: &mut dyn Schema) {
    let versions = |steps: &[Step]| steps.iter().map(|step| step.version).collect::<Vec<_>>();
    let known = schema.status().await.unwrap();
    assert!(known.iter().all(|step| step.state == StepState::Pending && !step.name.is_empty()));
    assert_eq!(check(&known), Fit::Behind);
    // To ask creates nothing.
    assert_eq!(schema.status().await.unwrap(), known);
    assert_eq!(schema.up().await.unwrap(), known);
    assert!(schema.up().await.unwrap().is_empty());
    assert_eq!(check(&schema.status().await.unwrap()), Fit::UpToDate);
    let mut above: Vec<i64> = versions(&known).into_iter().filter(|version| *version > 2).collect();
    above.reverse();
    for _ in 0..2 {
        assert_eq!(versions(&schema.down(2).await.unwrap()), above);
        assert_eq!(check(&schema.status().await.unwrap()), Fit::Behind);
        assert_eq!(schema.up().await.unwrap().len(), above.len());
    }
    for version in [1, 0, -1] {
        let refused = schema.down(version).await.unwrap_err();
        assert!(matches!(refused, StoreError::NoWayBack { .. }) && !refused.is_passing());
    }
    assert_eq!(check(&schema.status().await.unwrap()), Fit::UpToDate);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_goes_forth_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut schema = Sqlite::schema(&folder.path().join("store")).await.unwrap();
    forth_and_back(&mut *schema).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_goes_forth_and_back() {
    let database = Server::shared().database();
    let options = Options { schema: "new_one".into(), ..Options::default() };
    let store = Postgres::connect(database.url(), options).await.unwrap();
    forth_and_back(&mut *store.schema().await.unwrap()).await;
    // Two stores in one database do not see each other.
    let other = Options { schema: "other".into(), ..Options::default() };
    let other = Postgres::connect(database.url(), other).await.unwrap();
    assert_eq!(check(&other.schema().await.unwrap().status().await.unwrap()), Fit::Behind);
    other.migrate().await.unwrap();
    let batch = submitted(&other, &["/r"]).await;
    assert!(gitfleet_coordinator::store::Store::repositories(&store, batch).await.unwrap().is_empty());
}

/// Returns a report without the tables that need more of a commit than its changes.
fn activity(report: &str) -> serde_json::Value {
    let mut report: serde_json::Value = serde_json::from_str(report).unwrap();
    report["tables"] = serde_json::Value::Null;
    report
}

/// What was recorded before a step is there after it, and after its way back. What a way back takes with it, as the
/// history of lines, is known to be lost, and the next batch brings it.
#[tokio::test(flavor = "multi_thread")]
async fn steps_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let fake = Fake::of(history(0..30));
    let store = Sqlite::open(&file).await.unwrap();
    let batch = analysed(&store, "/r", &fake, 10).await;
    let open = submitted(&store, &["/s"]).await;
    let before = report(&store, batch).await;
    store.close().await;
    Sqlite::schema(&file).await.unwrap().down(2).await.unwrap();
    let store = Sqlite::open(&file).await.unwrap();
    assert_eq!(activity(&report(&store, batch).await), activity(&before));
    let again = analysed(&store, "/r", &fake, 10).await;
    assert_eq!(report(&store, again).await, before);
    let waiting = gitfleet_coordinator::store::Store::unsent(&store, open, 10).await.unwrap();
    assert_eq!(waiting.len(), 1);

    let database = Server::shared().database();
    let store = Postgres::connect(database.url(), Options::default()).await.unwrap();
    store.migrate().await.unwrap();
    let batch = analysed(&store, "/r", &fake, 10).await;
    let before = report(&store, batch).await;
    store.schema().await.unwrap().down(2).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(activity(&report(&store, batch).await), activity(&before));
    let again = analysed(&store, "/r", &fake, 10).await;
    assert_eq!(report(&store, again).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_and_a_changed_step_are_seen() {
    let database = Server::shared().database();
    let store = Postgres::connect(database.url(), Options::default()).await.unwrap();
    store.migrate().await.unwrap();
    let door = PgPool::connect(database.url()).await.unwrap();
    let run = async |statement: &str| {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&door).await.unwrap();
    };
    run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'later', true, '', 0)")
    .await;
    let mut schema = store.schema().await.unwrap();
    assert_eq!(check(&schema.status().await.unwrap()), Fit::Ahead);
    assert!(matches!(schema.down(2).await, Err(StoreError::NoWayBack { .. })));
    assert!(!store.migrate().await.unwrap_err().is_passing());
    run("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 2").await;
    assert_eq!(check(&schema.status().await.unwrap()), Fit::Differs);
    door.close().await;
}
