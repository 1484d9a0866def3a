//! PostgreSQL killed, cut off, frozen and in a bad mood.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gitfleet_coordinator::collect::{Purpose, collect};
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::{Effect, Store, StoreError};
use gitfleet_shared::secret::Secret;
use gitfleet_testkit::postgres::{Fsync, Postgres as Server};
use gitfleet_testkit::proxy::Proxy;
use sqlx::Row as _;
use sqlx::postgres::PgPool;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::fake::{Fake, collected, finish, history, record, report, submitted, taken};
use crate::home::Home;

const PURPOSE: Purpose = Purpose::Analyse { slice_commits: 5 };

async fn connect(url: &str) -> Postgres {
    let store = Postgres::connect(url, Options::default()).await.unwrap();
    store.migrate().await.unwrap();
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_mid_recording_has_nothing_by_half() {
    let server = Server::start(Fsync::On);
    let database = server.database();
    let store = Arc::new(connect(database.url()).await);
    let fake = Fake::of(history(0..1_000));
    let batch = submitted(&*store, &["/a", "/b"]).await;
    for survey in taken(&*store, batch).await.unwrap() {
        collected(&*store, PURPOSE, &fake.outcome(&survey), None).await;
    }
    let mut promised = 0;
    for kill_after in [40, 90, 150] {
        let jobs = taken(&*store, batch).await.unwrap();
        let (recorded, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        for jobs in jobs.chunks(jobs.len().div_ceil(4)) {
            let (store, fake, jobs) = (store.clone(), fake.clone(), jobs.to_vec());
            let (recorded, enough) = (recorded.clone(), enough.clone());
            tasks.spawn(async move {
                for job in jobs {
                    match collect(&*store, |_| PURPOSE, &[&fake.outcome(&job)], Some(1)).await {
                        Ok(_) if recorded.fetch_add(1, Ordering::SeqCst) + 1 == kill_after => {
                            enough.notify_one();
                        }
                        Ok(_) => {}
                        Err(error) => return assert!(error.is_passing(), "{error:?}"),
                    }
                }
            });
        }
        enough.notified().await;
        server.server().kill();
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        server.server().run();
        let answered = recorded.load(Ordering::SeqCst);
        promised += answered;
        look(database.url(), promised).await;
        // What is not recorded rings again, as soon as the last broken connection has been found out.
        let mut rung = store.ring_again(batch, i64::MAX).await;
        while let Err(error) = rung {
            assert!(error.is_passing(), "{error:?}");
            rung = store.ring_again(batch, i64::MAX).await;
        }
    }
    finish(&*store, batch, &fake, 5).await;
    let alone = Home::sqlite().await;
    let undisturbed = submitted(&*alone.store, &["/a", "/b"]).await;
    finish(&*alone.store, undisturbed, &fake, 1_000).await;
    assert_eq!(report(&*store, batch).await, report(&*alone.store, undisturbed).await);
}

/// Asks whether every recorded slice is there as a whole, and of the others nothing.
async fn look(url: &str, promised: usize) {
    let door = PgPool::connect(url).await.unwrap();
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM job WHERE work = 'slice' AND state = 'done'), \
                (SELECT CAST(coalesce(sum(units), 0) AS BIGINT) FROM job WHERE work = 'slice' AND state = 'done'), \
                (SELECT count(*) FROM commit_fact), (SELECT count(*) FROM commit_file), \
                (SELECT count(*) FROM commit_person), \
                (SELECT CAST(coalesce(sum(commits), 0) AS BIGINT) FROM fact_pack), \
                (SELECT count(*) FROM job WHERE work <> 'survey' AND state = 'done')",
    )
    .fetch_one(&door)
    .await
    .unwrap();
    let counts: Vec<i64> = (0..7).map(|index| row.get(index)).collect();
    let [_, commits, .., ended] = counts[..] else { panic!() };
    assert_eq!(counts[2..6], [commits, 2 * commits, 2 * commits, commits], "{counts:?}");
    // What was answered is there. What was not answered may be there too.
    assert!(ended >= i64::try_from(promised).unwrap(), "{promised} of {counts:?}");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_wire_passes() {
    let server = Server::start(Fsync::Off);
    let database = server.database();
    let proxy = Proxy::to(server.port()).await;
    let options = Options {
        connections: 2,
        acquire_timeout: Duration::from_millis(500),
        deadline: Duration::from_secs(2),
        ..Options::default()
    };
    connect(database.url()).await.close().await;
    let store = Postgres::connect(database.url_at(proxy.port()), options).await.unwrap();
    let batch = submitted(&store, &["/r"]).await;

    proxy.refuse();
    let refused = store.abandon(batch).await.unwrap_err();
    assert!(refused.is_passing(), "{refused:?}");
    proxy.heal();
    // Whatever of the pool broke, it is whole again after as many calls as it has connections.
    for _ in 0..2 {
        if let Err(error) = store.repositories(batch).await {
            assert!(error.is_passing(), "{error:?}");
        }
    }
    assert_eq!(store.repositories(batch).await.unwrap().len(), 1);

    proxy.swallow();
    let silent = store.abandon(batch).await.unwrap_err();
    assert!(silent.is_passing(), "{silent:?}");
    proxy.heal();
    let mut healed = store.abandon(batch).await;
    while let Err(error) = healed {
        assert!(error.is_passing(), "{error:?}");
        healed = store.abandon(batch).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_go_to_where_its_file_says_the_database_is() {
    let server = Server::start(Fsync::Off);
    let database = server.database();
    connect(database.url()).await.close().await;
    let proxy = Proxy::to(server.port()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, database.url_at(proxy.port())).unwrap();
    let options = Options { connections: 2, deadline: Duration::from_secs(2), ..Options::default() };
    let store = Postgres::connect(Secret::in_file(&file).unwrap(), options).await.unwrap();
    let batch = submitted(&store, &["/r"]).await;
    // What is no address changes nothing.
    std::fs::write(&file, "nonsense").unwrap();
    assert_eq!(store.repositories(batch).await.unwrap().len(), 1);
    std::fs::write(&file, database.url()).unwrap();
    proxy.refuse();
    for _ in 0..2 {
        if let Err(error) = store.repositories(batch).await {
            assert!(error.is_passing(), "{error:?}");
        }
    }
    assert_eq!(store.repositories(batch).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_for_now_passes_and_what_is_wrong_stays() {
    let database = Server::shared().database();
    let wait = Duration::from_millis(200);
    let options = Options { lock_timeout: wait, statement_timeout: wait * 2, ..Options::default() };
    let store = Postgres::connect(database.url(), options).await.unwrap();
    // Without tables nothing works, and waiting helps nobody.
    let unmigrated = store.abandon(gitfleet_shared::ids::BatchId::generate()).await.unwrap_err();
    assert!(!unmigrated.is_passing(), "{unmigrated:?}");
    store.migrate().await.unwrap();
    let batch = submitted(&store, &["/r"]).await;
    let door = PgPool::connect(database.url()).await.unwrap();
    let mut holding = door.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM batch FOR UPDATE").execute(&mut *holding).await.unwrap();
    let held = store.abandon(batch).await.unwrap_err();
    assert!(held.is_passing(), "{held:?}");
    holding.rollback().await.unwrap();
    // A read-only database, as one that was demoted.
    let name = database.url().rsplit('/').next().unwrap();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    sqlx::raw_sql(sqlx::AssertSqlSafe(read_only)).execute(&door).await.unwrap();
    let demoted = Postgres::connect(database.url(), Options::default()).await.unwrap();
    let refused = demoted.abandon(batch).await.unwrap_err();
    assert!(refused.is_passing(), "{refused:?}");
    // Its sessions are ended by the server.
    sqlx::raw_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'gitfleet'",
    )
    .execute(&door)
    .await
    .unwrap();
    if let Err(ended) = store.repositories(batch).await {
        assert!(ended.is_passing(), "{ended:?}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collision_is_tried_again() {
    let home = Home::postgres().await;
    let fake = Fake::of(history(0..20));
    let batch = submitted(&*home.store, &["/r"]).await;
    // Every other transaction that ends a job is undone, as a serialization failure is.
    home.run(
        "CREATE SEQUENCE tries; \
         CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('fleet.tries') % 2 = 1 THEN RAISE EXCEPTION 'collided' USING ERRCODE = '40001'; END IF; \
             RETURN NEW; END $$; \
         CREATE TRIGGER collide BEFORE UPDATE OF state ON job FOR EACH ROW EXECUTE FUNCTION collide()",
    )
    .await;
    finish(&*home.store, batch, &fake, 5).await;
    assert_eq!(home.number("SELECT last_value FROM tries").await, 2 * 6);
    // And not for ever.
    home.run(
        "CREATE OR REPLACE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM nextval('fleet.tries'); RAISE EXCEPTION 'collided' USING ERRCODE = '40P01'; END $$",
    )
    .await;
    let batch = submitted(&*home.store, &["/s"]).await;
    let survey = taken(&*home.store, batch).await.unwrap().remove(0);
    let error =
        record(&*home.store, &fake.outcome(&survey), Effect::DryRun { commits_seen: 1, commits_new: 1 })
            .await
            .unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }) && error.is_passing(), "{error:?}");
    assert_eq!(home.number("SELECT last_value FROM tries").await, 12 + 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_tells_the_password() {
    let server = Server::start(Fsync::Off);
    let url = format!("postgres://nobody:hunter2@127.0.0.1:{}/none", server.port());
    for url in [url.clone(), url.replace("127.0.0.1", "localhost"), url.replace("none", "postgres")] {
        if let Err(error) = Postgres::connect(url.as_str(), Options::default()).await {
            let mut told = format!("{error} {error:?}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                told += &format!(" {cause} {cause:?}");
                source = cause.source();
            }
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
