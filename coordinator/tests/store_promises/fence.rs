//! Leadership, and the fence around what a leader records. Both matter only where more than one may record.

use std::sync::Arc;
use std::time::Duration;

use gitfleet_coordinator::store::ledger::Ledger as _;
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_coordinator::store::{Effect, Finished, Recording, Retention, StoreError, Term};
use gitfleet_shared::contract::{Failure, FailureClass, Revisions};
use gitfleet_testkit::postgres::Postgres as Server;
use sqlx::postgres::PgPool;
use tokio::task::JoinSet;

use crate::fake::{Fake, history, planned, record, submitted, taken};
use crate::home::Home;

const LONG: Duration = Duration::from_secs(600);
const OVER: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_file_leads() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("store")).await.unwrap();
    let term = store.lead("a", None, OVER).await.unwrap().unwrap();
    assert_eq!(store.lead("a", Some(term), OVER).await.unwrap(), Some(term));
    store.resign(term).await.unwrap();
    submitted(&*store.fenced(term), &["/r"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_until_its_time_is_over() {
    let home = Home::postgres().await;
    let store = &*home.store;
    let first = store.lead("a", None, LONG).await.unwrap();
    assert_eq!(first, Some(Term(1)));
    assert_eq!(store.lead("a", first, LONG).await.unwrap(), first);
    assert_eq!(store.lead("b", None, LONG).await.unwrap(), None);
    // The same name is not the same process.
    assert_eq!(store.lead("a", None, LONG).await.unwrap(), None);
    assert_eq!(store.lead("b", first, LONG).await.unwrap(), None);
    // Late, but nobody came between.
    assert_eq!(store.lead("a", first, OVER).await.unwrap(), first);
    assert_eq!(store.lead("a", first, OVER).await.unwrap(), first);
    let second = store.lead("b", None, LONG).await.unwrap();
    assert_eq!(second, Some(Term(2)));
    assert_eq!(store.lead("a", first, LONG).await.unwrap(), None);
    // Only the leader can let go.
    store.resign(Term(1)).await.unwrap();
    assert_eq!(store.lead("a", None, LONG).await.unwrap(), None);
    store.resign(Term(2)).await.unwrap();
    assert_eq!(store.lead("a", None, LONG).await.unwrap(), Some(Term(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_to_lead_one_does() {
    let home = Home::postgres().await;
    for term in 1..=10 {
        let mut tasks = JoinSet::new();
        for name in 0..8 {
            let store = home.store.clone();
            tasks.spawn(async move { store.lead(&format!("c{name}"), None, LONG).await.unwrap() });
        }
        let leaders: Vec<Term> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(leaders, [Term(term)]);
        home.store.resign(Term(term)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposed_leader_changes_nothing() {
    let home = Home::postgres().await;
    let store = &*home.store;
    let term = store.lead("old", None, OVER).await.unwrap().unwrap();
    let old = store.fenced(term);
    let fake = Fake::of(history(0..20));
    let batch = submitted(&*old, &["/r", "/s"]).await;
    let surveys = taken(&*old, batch).await.unwrap();
    let asked = old.job(surveys[0].id).await.unwrap().unwrap();
    let plan = planned(&*old, &asked, &fake, 10).await;
    record(&*old, &fake.outcome(&surveys[0]), Effect::Plan(plan.into())).await.unwrap();
    let jobs = taken(&*old, batch).await.unwrap();
    let tip = jobs.iter().find(|job| job.work.name() == "tip").unwrap();
    let slice = jobs.iter().find(|job| job.work.name() == "slice").unwrap();

    let new = store.lead("new", None, LONG).await.unwrap().unwrap();
    let before = (home.rows().await, store.repositories(batch).await.unwrap());
    let outcome = fake.outcome(&surveys[1]);
    let failure = Failure { class: FailureClass::Internal, message: String::new() };
    let report =
        Finished { batch, report: "r", manifest: "{}", inputs: None, as_of_seconds: 0, finished_at: 1 };
    let Ok(gitfleet_shared::contract::WorkResult::Slice(result)) = fake.outcome(slice).result else {
        panic!()
    };
    let asked = store.job(surveys[1].id).await.unwrap().unwrap();
    let other = planned(store, &asked, &fake, 10).await;
    for (what, refused) in [
        ("mark_sent", old.mark_sent(&[tip.id], 9).await),
        ("mark_heard", old.mark_heard(tip.id, 9).await),
        ("ring_again", old.ring_again(batch, 100).await.map(|_| ())),
        ("unchanged", record(&*old, &outcome, Effect::Unchanged(&Revisions::Head)).await),
        ("plan", record(&*old, &outcome, Effect::Plan(other.into())).await),
        ("survey again", record(&*old, &outcome, Effect::SurveyAgain(tip.clone())).await),
        ("dry run", record(&*old, &outcome, Effect::DryRun { commits_seen: 1, commits_new: 1 }).await),
        ("slice", record(&*old, &fake.outcome(slice), Effect::Slice(&result, None)).await),
        ("tip", record(&*old, &fake.outcome(tip), Effect::Tip(&Default::default())).await),
        ("failure", record(&*old, &outcome, Effect::Failure(&failure)).await),
        (
            "attempt",
            old.record(&[Recording { outcome: &outcome, effect: Effect::Nothing }], Some(9)).await.map(drop),
        ),
        ("publish", old.publish("analyze", &report).await),
        ("abandon", old.abandon(batch).await),
        ("prune", old.prune(0).await),
        (
            "retire",
            old.retire(&Retention { workers: Some(i64::MAX), ..Retention::default() }).await.map(|_| ()),
        ),
    ] {
        assert!(matches!(refused, Err(StoreError::Deposed)), "{what}: {refused:?}");
    }
    // A fact set was looked up by the plan above, and nothing else happened.
    let after = (home.rows().await, store.repositories(batch).await.unwrap());
    let changed: Vec<_> = before.0.iter().zip(&after.0).filter(|(before, after)| before != after).collect();
    assert!(changed.iter().all(|(before, _)| before.0 == "fact_set"), "{changed:?}");
    assert_eq!(after.1, before.1);
    // Readers need not lead, and the new leader goes on with what is there.
    assert_eq!(old.repositories(batch).await.unwrap().len(), 2);
    record(&*store.fenced(new), &fake.outcome(slice), Effect::Slice(&result, None)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_waits_for_no_recorder_and_a_takeover_for_all() {
    let database = Server::shared().database();
    let options = Options { lock_timeout: Duration::from_millis(300), ..Options::default() };
    let store = Arc::new(Postgres::connect(database.url(), options).await.unwrap());
    store.migrate().await.unwrap();
    let term = store.lead("a", None, LONG).await.unwrap().unwrap();
    // Somebody is in the middle of recording under this term.
    let door = PgPool::connect(database.url()).await.unwrap();
    let mut recording = door.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM leadership WHERE term = 1 FOR KEY SHARE")
        .execute(&mut *recording)
        .await
        .unwrap();
    assert_eq!(store.lead("a", Some(term), OVER).await.unwrap(), Some(term));
    // It has expired, and may be taken only when the recorder is done.
    let refused = store.lead("b", None, LONG).await.unwrap_err();
    assert!(refused.is_passing(), "{refused:?}");
    recording.commit().await.unwrap();
    assert_eq!(store.lead("b", None, LONG).await.unwrap(), Some(Term(2)));
    drop(store);
    door.close().await;
}
