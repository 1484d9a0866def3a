//! What many who record at once may count on.

use std::sync::Arc;

use gitfleet_coordinator::collect::{Purpose, collect};
use gitfleet_coordinator::store::RepositoryState;
use gitfleet_coordinator::store::ledger::Ledger;
use gitfleet_shared::contract::{Job, Outcome, Revisions, Source};
use gitfleet_shared::ids::BatchId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fake::{Fake, SCOPE, analysed, collected, finish, history, report, submitted, taken};
use crate::home::Home;

const TASKS: usize = 8;

/// Lets every task record all `jobs`, each beginning somewhere else.
async fn record_by_all(store: &Arc<dyn Ledger>, jobs: &[Job], fake: &Fake, slice_commits: usize) {
    let together = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (store, together, fake) = (store.clone(), together.clone(), fake.clone());
        let mut jobs = jobs.to_vec();
        let start = task * jobs.len() / TASKS;
        jobs.rotate_left(start);
        tasks.spawn(async move {
            together.wait().await;
            // Some one by one, others as many together as come together.
            for jobs in jobs.chunks(1 + task * task) {
                let outcomes: Vec<Outcome> = jobs.iter().map(|job| fake.outcome(job)).collect();
                let outcomes: Vec<&Outcome> = outcomes.iter().collect();
                let purpose = |_| Purpose::Analyse { slice_commits };
                collect(&*store, purpose, &outcomes, Some(1)).await.unwrap();
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

async fn finish_by_all(store: &Arc<dyn Ledger>, batches: &[BatchId], fake: &Fake, slice_commits: usize) {
    loop {
        let mut jobs = Vec::new();
        for batch in batches {
            jobs.extend(taken(&**store, *batch).await.unwrap());
        }
        if jobs.is_empty() {
            break;
        }
        record_by_all(store, &jobs, fake, slice_commits).await;
    }
    for batch in batches {
        for repository in store.repositories(*batch).await.unwrap() {
            assert_eq!(repository.state, RepositoryState::Analysed, "{repository:?}");
        }
    }
}

pub(crate) async fn outcomes_recorded_by_many_at_once_count_once(home: &Home) {
    let fake = Fake::of(history(0..400));
    // The same people in all of them, so that signatures are added from all sides.
    let batch = submitted(&*home.store, &["/a", "/b", "/c"]).await;
    finish_by_all(&home.store, &[batch], &fake, 10).await;
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, 1_200);
    assert_eq!(home.number("SELECT count(*) FROM commit_file").await, 2_400);
    assert_eq!(home.number("SELECT count(*) FROM commit_person").await, 2_400);
    assert_eq!(home.number("SELECT count(*) FROM signature").await, 17);
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit").await, 1_200);
    for repository in home.store.repositories(batch).await.unwrap() {
        // A survey, 40 slices and a tip took 1 ms each, and every slice had a hit.
        assert_eq!((repository.elapsed_millis, repository.cache_hits), (42, 40));
    }
    assert_eq!(home.number("SELECT count(*) FROM job WHERE state = 'done'").await, 3 * 42);
    let alone = Home::sqlite().await;
    let undisturbed = submitted(&*alone.store, &["/a", "/b", "/c"]).await;
    finish(&*alone.store, undisturbed, &fake, 1_000).await;
    assert_eq!(report(&*home.store, batch).await, report(&*alone.store, undisturbed).await);
}

pub(crate) async fn batches_of_the_same_repositories_do_not_mix(home: &Home) {
    let fake = Fake::of(history(0..200));
    let mut submissions = JoinSet::new();
    for order in [["/a", "/b", "/c", "/d"], ["/d", "/c", "/b", "/a"], ["/b", "/d", "/a", "/c"]] {
        let store = home.store.clone();
        submissions.spawn(async move { submitted(&*store, &order).await });
    }
    let batches = submissions.join_all().await;
    finish_by_all(&home.store, &batches, &fake, 20).await;
    assert_eq!(home.number("SELECT count(*) FROM repository").await, 4);
    assert_eq!(home.number("SELECT count(*) FROM fact_set").await, 4);
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, 800);
    assert_eq!(home.number("SELECT count(*) FROM snapshot").await, 4);
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit").await, 800);
}

pub(crate) async fn what_adds_to_a_replaced_snapshot_is_surveyed_again(home: &Home) {
    let store = &*home.store;
    analysed(store, "/r", &Fake::of(history(90..100)), 10).await;
    // Five commits on top of those ten.
    let added = Fake { refs: 2, since: Some((1, 10)), ..Fake::of(history(85..100)) };
    let slow = submitted(store, &["/r"]).await;
    let survey = taken(store, slow).await.unwrap().remove(0);
    let purpose = Purpose::Analyse { slice_commits: 10 };
    collected(store, purpose, &added.outcome(&survey), None).await;
    // Meanwhile somebody pushed another history by force, and another batch has published it.
    let forced = Fake { refs: 3, ..Fake::of(history(200..203)) };
    analysed(store, "/r", &forced, 10).await;
    finish(store, slow, &added, 10).await;
    let head = Revisions::Head;
    let snapshot = store.snapshot(&Source::Local { path: "/r".into() }, &head, SCOPE).await.unwrap().unwrap();
    assert_eq!(snapshot.base.refs, [2; 32]);
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit").await, 15);
    assert_eq!(store.repositories(slow).await.unwrap()[0].commits_seen, 15);

    // Where nobody came between, what is added is added.
    let more = Fake { refs: 4, since: Some((2, 15)), ..Fake::of(history(80..100)) };
    let batch = analysed(store, "/r", &more, 10).await;
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit").await, 20);
    assert_eq!(store.repositories(batch).await.unwrap()[0].commits_new, 5);
    assert_eq!(home.number("SELECT count(*) FROM job WHERE work = 'survey'").await, 5);
}

pub(crate) async fn a_batch_cancelled_in_mid_recording_ends(home: &Home) {
    let fake = Fake::of(history(0..400));
    let batch = submitted(&*home.store, &["/a", "/b", "/c"]).await;
    for survey in taken(&*home.store, batch).await.unwrap() {
        collected(&*home.store, Purpose::Analyse { slice_commits: 10 }, &fake.outcome(&survey), None).await;
    }
    let jobs = taken(&*home.store, batch).await.unwrap();
    let store = home.store.clone();
    let cancelling = tokio::spawn(async move { store.cancel(batch, 9).await.unwrap() });
    record_by_all(&home.store, &jobs, &fake, 10).await;
    cancelling.await.unwrap();
    // What was recorded first stays; nothing is left open, and nothing waits.
    assert_eq!(home.number("SELECT count(*) FROM job WHERE state = 'queued'").await, 0);
    assert_eq!(home.number("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(home.number("SELECT count(*) FROM pending_snapshot").await, 0);
    let done =
        "SELECT CAST(coalesce(sum(units), 0) AS BIGINT) FROM job WHERE state = 'done' AND work = 'slice'";
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, home.number(done).await);
    for repository in home.store.repositories(batch).await.unwrap() {
        assert!(repository.state.is_final(), "{repository:?}");
    }
}
