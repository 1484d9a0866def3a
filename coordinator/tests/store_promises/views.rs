//! What people read with SQL, and that they read nothing else.

use std::process::Command;

use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_testkit::postgres::{Fsync, Postgres as Server};
use sqlx::Row as _;
use sqlx::postgres::PgPool;

use crate::fake::{Fake, analysed, history, id};
use crate::home::Home;

pub(crate) async fn weeks_are_those_of_iso_8601(home: &Home) {
    let monday = |date: &str| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").unwrap();
    for (date, week) in [
        ("1969-12-29", "1970-W01"),
        ("2020-12-28", "2020-W53"),
        ("2021-01-04", "2021-W01"),
        ("2024-12-30", "2025-W01"),
        ("2026-11-16", "2026-W47"),
        ("2099-12-28", "2099-W53"),
    ] {
        let starts_at = monday(date).and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp();
        let query = format!(
            "SELECT count(*) FROM calendar_week WHERE starts_at = {starts_at} AND ends_at = {starts_at} + 604800 \
             AND week = '{week}' AND CAST(monday AS TEXT) = '{date}'"
        );
        assert_eq!(home.number(&query).await, 1, "{date}");
    }
    let weeks = (monday("2099-12-28") - monday("1969-12-29")).num_days() / 7 + 1;
    assert_eq!(home.number("SELECT count(*) FROM calendar_week").await, weeks);
    assert_eq!(home.number("SELECT count(DISTINCT week) FROM calendar_week").await, weeks);
}

pub(crate) async fn views_show_what_was_recorded(home: &Home) {
    let mut commits = history(0..50);
    commits[0].parents.push(id(9));
    commits[0].files.clear();
    commits[1].authored.seconds = Some(i64::MAX);
    commits[2].authored.seconds = None;
    analysed(&*home.store, "/r", &Fake::of(commits), 10).await;
    let all = "repository = '/r' AND revisions = 'default branch'";
    for (query, expect) in [
        (format!("SELECT count(*) FROM report_commit WHERE {all}"), 50),
        (format!("SELECT count(*) FROM report_commit WHERE {all} AND week_starts_at IS NULL"), 2),
        ("SELECT count(*) FROM report_commit WHERE is_mainline = 1".into(), 25),
        (
            "SELECT count(*) FROM report_commit WHERE message = 'commit 7' AND author = 'p7' \
          AND author_email = 'p7@x' AND id LIKE '00000007%' AND additions = 9 AND deletions = 2"
                .into(),
            1,
        ),
        (
            format!(
                "SELECT count(*) FROM report_file WHERE {all} AND path = 'src/b.rs' AND from_path = 'old.rs'"
            ),
            49,
        ),
        // All that has a time is of one week: 47 commits by 17 people, and a merge.
        ("SELECT count(*) FROM report_week".into(), 1),
        ("SELECT commits FROM report_week WHERE week = '2020-W37'".into(), 47),
        ("SELECT merges FROM report_week".into(), 1),
        ("SELECT authors FROM report_week".into(), 17),
        ("SELECT files_changed FROM report_week".into(), 94),
        ("SELECT deletions FROM report_week".into(), 94),
        ("SELECT repositories_done + 10 * jobs + 1000 * jobs_queued FROM batch_overview".into(), 71),
        ("SELECT commits_new FROM repository_overview WHERE state = 'analysed'".into(), 50),
        ("SELECT count(*) FROM attempt_overview".into(), 0),
        ("SELECT count(*) FROM worker_overview".into(), 0),
    ] {
        assert_eq!(home.number(&query).await, expect, "{query}");
    }
}

pub(crate) async fn odd_names_fail_no_query(home: &Home) {
    let mut commits = history(0..3);
    commits[0].author.name = vec![b'a', 0xff, 0, b'b'];
    commits[1].author.name = "Jos\u{e9}".into();
    analysed(&*home.store, "/r", &Fake::of(commits), 10).await;
    assert_eq!(home.number("SELECT count(*) FROM report_commit WHERE author = 'Jos\u{e9}'").await, 1);
    assert_eq!(home.number("SELECT count(author) FROM report_commit").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_read_views_and_no_table() {
    // Roles are of the whole server, so it is one of its own.
    let server = Server::start(Fsync::Off);
    let database = server.database();
    let options = Options { schema: "fleet".into(), ..Options::default() };
    let store = Postgres::connect(database.url(), options).await.unwrap();
    store.migrate().await.unwrap();
    analysed(&store, "/r", &Fake::of(history(0..5)), 10).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/roles.sql");
    // Twice, because it is run again after migrations.
    for _ in 0..2 {
        let run = Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "schema=fleet", "-f", script, database.url()])
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let door = PgPool::connect(database.url()).await.unwrap();
    let mut reader = door.acquire().await.unwrap();
    sqlx::raw_sql("SET ROLE gitfleet_read; SET search_path TO fleet").execute(&mut *reader).await.unwrap();
    let rows =
        sqlx::query("SELECT count(*) FROM report_commit JOIN calendar_week ON starts_at = week_starts_at")
            .fetch_one(&mut *reader)
            .await
            .unwrap();
    assert_eq!(rows.get::<i64, _>(0), 5);
    for refused in [
        "SELECT 1 FROM commit_fact",
        "SELECT 1 FROM batch",
        "SELECT 1 FROM leadership",
        "SELECT 1 FROM _sqlx_migrations",
        "DELETE FROM worker_overview",
        "DELETE FROM calendar_week",
        "CREATE TABLE fleet.mine (id BIGINT)",
    ] {
        let error = sqlx::raw_sql(refused).execute(&mut *reader).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{refused}: {error}");
    }
    drop(reader);
    door.close().await;
    store.close().await;
}
