//! What operators and the fleet's coordinator may count on.

use gitfleet_coordinator::access::Scope;
use gitfleet_coordinator::collect::Purpose;
use gitfleet_coordinator::store::ledger::{BatchFilter, JobFilter, Patience, Unheard, Wish};
use gitfleet_coordinator::store::{Effect, NewBatch, Recording, RequestKey, StoreError, Submitted, Term};
use gitfleet_shared::contract::{
    Failure, FailureClass, HandedBack, Heartbeat, Identity, Job, Outcome, Running, Why,
};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::DeadLetter;

use crate::fake::{Fake, analysed, collected, history, record, submitted, taken, terms};
use crate::home::Home;

const PATIENCE: Patience = Patience { losses: Some(2), doubt_millis: 100, unable_millis: 50 };

fn request(key: &str, digest: u8) -> NewBatch {
    NewBatch {
        id: BatchId::generate(),
        name: "nightly".into(),
        priority: 7,
        labels: [("team".to_owned(), "a".to_owned())].into(),
        terms: terms(),
        request: Some(RequestKey { key: key.into(), digest: [digest; 32] }),
        config: "{}".into(),
        trace: None,
        created_at: 5,
        repositories: Vec::new(),
    }
}

fn heartbeat(worker: &str, jobs: &[&Job], done: u64) -> Heartbeat {
    let running = jobs.iter().map(|job| Running { job: job.id, batch: job.batch, done });
    Heartbeat {
        worker: Identity { name: worker.into(), host: "h\0st".into(), version: "1".into() },
        slots: 2,
        running: running.collect(),
        draining: false,
        leaving: false,
    }
}

fn back(job: &Job, worker: &str, why: Why) -> HandedBack {
    HandedBack { job: job.id, batch: job.batch, worker: worker.into(), why }
}

pub(crate) async fn a_request_sent_twice_is_one_batch(home: &Home) {
    let store = &*home.store;
    let first = request("k", 1);
    assert_eq!(store.submit(&first).await.unwrap(), Submitted::Now);
    assert_eq!(store.submit(&request("k", 1)).await.unwrap(), Submitted::Before(first.id));
    assert_eq!(store.submit(&request("k", 2)).await.unwrap(), Submitted::Conflict(first.id));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = home.store.clone();
        tasks.spawn(async move { store.submit(&request("together", 1)).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == Submitted::Now).count(), 1, "{answers:?}");
    let listed = |labels: &[(&str, &str)]| BatchFilter {
        labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        limit: 10,
        ..BatchFilter::default()
    };
    assert_eq!(store.batches(&listed(&[])).await.unwrap().len(), 2);
    assert_eq!(store.batches(&listed(&[("team", "a")])).await.unwrap().len(), 2);
    assert!(store.batches(&listed(&[("team", "b")])).await.unwrap().is_empty());
    let older = BatchFilter { before: Some(first.id), state: Some("running".into()), ..listed(&[]) };
    assert!(store.batches(&older).await.unwrap().is_empty());
    let running = store.running().await.unwrap();
    assert_eq!((running.len(), running[0].priority, running[0].settled), (2, 7, true));
    store.finish(first.id, 9).await.unwrap();
    assert_eq!(store.batch(first.id).await.unwrap().unwrap().state, "finished");
}

pub(crate) async fn an_operator_sees_what_workers_do(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r"]).await;
    let fake = Fake::of(history(0..20));
    let survey = taken(store, batch).await.unwrap().remove(0);
    assert_eq!(store.unheard().await.unwrap(), 1);
    for done in [0, 3] {
        store.hear(&[heartbeat("w", &[&survey], done)], 10 + done as i64).await.unwrap();
    }
    assert_eq!(store.unheard().await.unwrap(), 0);
    let workers = store.workers().await.unwrap();
    assert_eq!((workers.len(), workers[0].state.as_str(), workers[0].jobs.len()), (1, "busy", 1));
    assert_eq!(store.batch(batch).await.unwrap().unwrap().jobs.running, 1);
    let filter =
        JobFilter { batch: Some(batch), state: Some("queued".into()), limit: 10, ..JobFilter::default() };
    assert_eq!(store.jobs(&filter, 20).await.unwrap()[0].state, "running");
    let outcome = fake.outcome(&survey);
    let purpose = Purpose::Analyse { slice_commits: 10 };
    for _ in 0..2 {
        collected(store, purpose, &outcome, Some(30)).await;
        let history = store.job_history(survey.id, 40).await.unwrap().unwrap();
        assert_eq!(history.attempts.len(), 1);
        assert_eq!((history.job.state.as_str(), history.attempts[0].ending.as_deref()), ("done", Some("ok")));
    }
    assert_eq!(store.set_draining("w", true).await.unwrap(), Wish::Done);
    assert_eq!(store.set_draining("w", true).await.unwrap(), Wish::Already);
    assert_eq!(store.set_draining("x", true).await.unwrap(), Wish::NotFound);
    assert_eq!(store.control(0).await.unwrap().draining, ["w"]);
    assert_eq!(store.miss_workers(100, 200).await.unwrap(), 1);
    assert_eq!(store.workers().await.unwrap()[0].state, "gone");
    assert!(store.describe().await.unwrap().contains(if home.is_postgres() {
        "PostgreSQL"
    } else {
        "SQLite"
    }));
    assert_eq!(store.leader(0).await.unwrap(), None);
}

pub(crate) async fn a_lost_job_rests_and_is_given_up(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r"]).await;
    let mut survey = taken(store, batch).await.unwrap().remove(0);
    for (loss, now) in [(1, 20), (2, 30)] {
        store.hear(&[heartbeat(&format!("w{loss}"), &[&survey], 0)], now).await.unwrap();
        for _ in 0..2 {
            store.hand_back(&back(&survey, "other", Why::Dropped), PATIENCE, now + 1).await.unwrap();
        }
        if loss == 1 {
            survey = taken(store, batch).await.unwrap().remove(0);
        }
    }
    assert!(store.unsent(batch, 10).await.unwrap().is_empty());
    assert!(store.condemned(PATIENCE, 130).await.unwrap().is_empty());
    let condemned = store.condemned(PATIENCE, 131).await.unwrap();
    assert_eq!((condemned.len(), &condemned[0].0), (1, &survey));
    assert_eq!(condemned[0].1, ["w1", "w2"]);
    let failure = Failure { class: FailureClass::Poisoned, message: "po\0ison".into() };
    let result = Err(failure.clone());
    let outcome = Outcome { job: survey.id, batch, worker: "c".into(), elapsed_millis: 0, result };
    let recording = Recording { outcome: &outcome, effect: Effect::Failure(&failure) };
    store.record(&[recording], Some(140)).await.unwrap();
    assert_eq!(store.job_history(survey.id, 150).await.unwrap().unwrap().job.state, "dead");

    // One that a worker could not do rests, and goes on.
    let batch = submitted(store, &["/s"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    store.hand_back(&back(&survey, "w", Why::Unable), PATIENCE, 200).await.unwrap();
    assert!(store.unsent(batch, 10).await.unwrap().is_empty());
    assert!(store.condemned(PATIENCE, 260).await.unwrap().is_empty());
    assert_eq!(taken(store, batch).await.unwrap(), std::slice::from_ref(&survey));
    // And one that went silent is rung for.
    assert_eq!(store.ring_all(500, Unheard::Wait).await.unwrap(), 0);
    assert_eq!(store.ring_all(500, Unheard::Ring).await.unwrap(), 1);
    assert_eq!(store.unsent(batch, 10).await.unwrap(), [survey]);
}

/// Two jobs that were always lost together: one of them may be harmless.
pub(crate) async fn suspects_go_out_one_at_a_time(home: &Home) {
    const PATIENCE: Patience = Patience { losses: Some(3), doubt_millis: 100, unable_millis: 50 };
    let store = &*home.store;
    let batch = submitted(store, &["/r", "/s"]).await;
    for now in [10, 20] {
        let jobs = taken(store, batch).await.unwrap();
        assert_eq!(jobs.len(), 2);
        for job in &jobs {
            store.hand_back(&back(job, "other", Why::Dropped), PATIENCE, now).await.unwrap();
        }
    }
    assert!(store.unsent(batch, 10).await.unwrap().is_empty());
    assert!(store.condemned(PATIENCE, 30).await.unwrap().is_empty());
    let first = taken(store, batch).await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(store.condemned(PATIENCE, 40).await.unwrap().is_empty());
    assert!(store.unsent(batch, 10).await.unwrap().is_empty(), "the other waits until this one is over");
    let purpose = Purpose::Analyse { slice_commits: 10 };
    collected(store, purpose, &Fake::of(history(0..20)).outcome(&first[0]), None).await;
    assert!(store.condemned(PATIENCE, 50).await.unwrap().is_empty());
    let surveys = store.unsent(batch, 100).await.unwrap();
    assert_eq!(surveys.iter().filter(|job| job.work.name() == "survey").count(), 1);
}

pub(crate) async fn who_is_heard_of_again_was_not_lost(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r"]).await;
    for now in [10, 20] {
        let survey = taken(store, batch).await.unwrap().remove(0);
        store.hear(&[heartbeat("w", &[&survey], 0)], now).await.unwrap();
        store.hand_back(&back(&survey, "other", Why::Dropped), PATIENCE, now + 1).await.unwrap();
    }
    // The broker had lost sight of it, and not it its life.
    store.hear(&[heartbeat("w", &[], 0)], 5_000).await.unwrap();
    assert!(store.condemned(PATIENCE, 6_000).await.unwrap().is_empty());
    assert_eq!(store.unsent(batch, 10).await.unwrap().len(), 1);
    let id = store.unsent(batch, 10).await.unwrap()[0].id;
    let history = store.job_history(id, 6_000).await.unwrap().unwrap();
    assert_eq!(history.job.losses, 0);
    assert!(history.attempts.iter().all(|attempt| attempt.ending.as_deref() == Some("interrupted")));
}

pub(crate) async fn batches_are_paused_cancelled_and_tried_again(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r", "/s"]).await;
    assert_eq!(store.set_paused(batch, true).await.unwrap(), Wish::Done);
    assert_eq!(store.set_paused(batch, true).await.unwrap(), Wish::Already);
    assert_eq!(store.control(0).await.unwrap().paused, [batch]);
    let surveys = taken(store, batch).await.unwrap();
    let failure = Failure { class: FailureClass::NotFound, message: "gone".into() };
    let result = Err(failure.clone());
    let outcome = Outcome { job: surveys[0].id, batch, worker: "w".into(), elapsed_millis: 0, result };
    record(store, &outcome, Effect::Failure(&failure)).await.unwrap();
    let view = store.batch(batch).await.unwrap().unwrap();
    assert_eq!((view.repositories.failed, view.jobs.failed, view.failures.len()), (1, 1, 1));
    assert_eq!(store.retry(batch, Some(1)).await.unwrap(), 0);
    assert_eq!(store.retry(batch, None).await.unwrap(), 1);
    assert_eq!(store.unsent(batch, 10).await.unwrap(), surveys[..1]);
    assert_eq!(store.cancel(batch, 9).await.unwrap(), Wish::Done);
    assert_eq!(store.cancel(batch, 9).await.unwrap(), Wish::Already);
    assert_eq!(store.cancel(BatchId::generate(), 9).await.unwrap(), Wish::NotFound);
    assert_eq!(store.control(9).await.unwrap().cancelled, [batch]);
    assert_eq!(store.batch(batch).await.unwrap().unwrap().repositories.cancelled, 2);
    assert!(store.unsent(batch, 10).await.unwrap().is_empty());
}

pub(crate) async fn a_list_says_of_each_batch_what_is_said_of_it_alone(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..40));
    let done = analysed(store, "/r", &fake, 10).await;
    let half = submitted(store, &["/s", "/t", "/u", "/v"]).await;
    let surveys = taken(store, half).await.unwrap();
    collected(store, Purpose::Analyse { slice_commits: 10 }, &fake.outcome(&surveys[0]), None).await;
    for (survey, class) in surveys[1..].iter().zip(["gone", "lost", "gone"]) {
        let class = if class == "gone" { FailureClass::NotFound } else { FailureClass::CommitGone };
        let failure = Failure { class, message: format!("of {}", survey.id) };
        let result = Err(failure.clone());
        let outcome = Outcome { job: survey.id, batch: half, worker: "w".into(), elapsed_millis: 0, result };
        record(store, &outcome, Effect::Failure(&failure)).await.unwrap();
    }
    let jobs = store.unsent(half, 10).await.unwrap();
    let slices: Vec<&Job> = jobs.iter().filter(|job| job.work.name() == "slice").collect();
    store.mark_sent(&[slices[0].id, slices[1].id], 20).await.unwrap();
    store.hear(&[heartbeat("w", &slices[..1], 3)], 30).await.unwrap();
    let empty = request("k", 1);
    store.submit(&empty).await.unwrap();

    let views = store.batches(&BatchFilter { limit: 10, ..BatchFilter::default() }).await.unwrap();
    let ids = [empty.id, half, done];
    assert_eq!(
        views.iter().map(|view| view.id.clone()).collect::<Vec<_>>(),
        ids.map(|id| id.to_string()),
        "the latest first"
    );
    for (view, id) in views.iter().zip(ids) {
        assert_eq!(Some(view), store.batch(id).await.unwrap().as_ref());
    }
    let view = &views[1];
    assert_eq!((view.repositories.total, view.repositories.analysing, view.repositories.failed), (4, 1, 3));
    assert_eq!((view.jobs.running, view.jobs.sent, view.jobs.done, view.jobs.failed), (1, 1, 1, 3));
    assert_eq!((view.commits_new, view.commits_done), (40, 3));
    let failures: Vec<_> = view.failures.iter().map(|one| (one.class.as_str(), one.repositories)).collect();
    assert_eq!(failures, [("not_found", 2), ("commit_gone", 1)]);
    assert_eq!(view.last_failure.as_ref().unwrap().message, format!("of {}", surveys[3].id));
    assert_eq!((views[0].repositories.total, views[2].commits_done), (0, 40));
    let one = BatchFilter { limit: 1, before: Some(empty.id), ..BatchFilter::default() };
    assert_eq!(store.batches(&one).await.unwrap(), views[1..2]);
    assert_eq!(store.batch(BatchId::generate()).await.unwrap(), None);
}

pub(crate) async fn an_operator_needs_no_leader_and_a_deposed_one_changes_nothing(home: &Home) {
    let store = &*home.store;
    store.hear(&[heartbeat("w", &[], 0)], 10).await.unwrap();
    let letter = DeadLetter { topic: "jobs".into(), cause: "no job".into(), body: vec![1] };
    store.keep_dead(&letter, 5).await.unwrap();
    let id = store.dead_letters(10).await.unwrap()[0].id;
    // Whoever has the file leads, so nobody is deposed there.
    if home.is_postgres() {
        let deposed = store.fenced(Term(9));
        assert!(matches!(deposed.set_draining("w", true).await, Err(StoreError::Deposed)));
        assert!(matches!(deposed.drop_dead(id, None).await, Err(StoreError::Deposed)));
    }
    assert_eq!(store.set_draining("w", true).await.unwrap(), Wish::Done);
    assert_eq!(store.set_draining("w", false).await.unwrap(), Wish::Done);
    assert!(store.drop_dead(id, None).await.unwrap());
    store.miss_workers(100, 200).await.unwrap();
    assert!(matches!(store.set_draining("w", true).await.unwrap(), Wish::Conflict(_)));
}

pub(crate) async fn many_may_hear_of_the_same_jobs(home: &Home) {
    let batch = submitted(&*home.store, &["/a", "/b", "/c", "/d", "/e", "/f"]).await;
    let jobs = taken(&*home.store, batch).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for turn in 0..8 {
        let (store, mut jobs) = (home.store.clone(), jobs.clone());
        let start = turn % jobs.len();
        jobs.rotate_left(start);
        tasks.spawn(async move {
            let heartbeats: Vec<Heartbeat> =
                jobs.iter().map(|job| heartbeat(&format!("w{}", job.id), &[job], 1)).collect();
            store.hear(&heartbeats, 10 + i64::try_from(turn).unwrap()).await.unwrap();
        });
    }
    tasks.join_all().await;
    assert_eq!(home.number("SELECT count(*) FROM attempt WHERE ended_at IS NULL").await, 6);
    assert_eq!(home.number("SELECT count(*) FROM job WHERE heard_at = 17").await, 6);
}

pub(crate) async fn dead_letters_are_kept_once(home: &Home) {
    let store = &*home.store;
    let letter = DeadLetter { topic: "jobs".into(), cause: "no\0 job".into(), body: vec![0, 255] };
    for _ in 0..2 {
        store.keep_dead(&letter, 5).await.unwrap();
    }
    assert_eq!(store.count_dead().await.unwrap(), 1);
    let listed = store.dead_letters(10).await.unwrap();
    let (_, kept, arrived_at) = store.dead_letter(listed[0].id).await.unwrap().unwrap();
    assert_eq!((kept.body, kept.topic), (letter.body, letter.topic));
    assert!(!store.drop_dead(listed[0].id, Some(arrived_at - 1)).await.unwrap());
    assert!(store.drop_dead(listed[0].id, None).await.unwrap());
    assert!(!store.drop_dead(listed[0].id, Some(arrived_at)).await.unwrap());
}

pub(crate) async fn a_repository_is_forgotten(home: &Home) {
    let store = &*home.store;
    let batch = analysed(store, "/r", &Fake::of(history(0..20)), 10).await;
    let source = store.sources(&Scope::All, 10).await.unwrap().remove(0);
    assert_eq!((source.batches, source.snapshots[0].commits), (1, 20));
    assert!(matches!(store.forget_source(source.id).await.unwrap(), Wish::Conflict(_)));
    store.finish(batch, 9).await.unwrap();
    assert_eq!(store.forget_source(source.id).await.unwrap(), Wish::Done);
    assert_eq!(home.number("SELECT count(*) FROM commit_file").await, 0);
    assert_eq!(store.forget_source(source.id + 9).await.unwrap(), Wish::NotFound);
    assert!(store.reports(&Scope::All, 10).await.unwrap().is_empty());
    assert_eq!(store.report(batch).await.unwrap(), None);
}

pub(crate) async fn one_attempt_of_many_counts_and_none_stays_open(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r"]).await;
    let fake = Fake::of(history(0..40));
    let survey = taken(store, batch).await.unwrap().remove(0);
    let purpose = Purpose::Analyse { slice_commits: 10 };
    // Eight workers have done the same job, and say so at once.
    collected(store, purpose, &fake.outcome(&survey), None).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let store = home.store.clone();
        let outcome = Outcome { worker: format!("w{number}"), ..fake.outcome(&survey) };
        tasks.spawn(async move {
            let recording = Recording { outcome: &outcome, effect: Effect::Nothing };
            store.record(&[recording], Some(10)).await.unwrap();
        });
    }
    tasks.join_all().await;
    let ok = "SELECT count(*) FROM attempt WHERE ending = 'ok'";
    assert_eq!(home.number(ok).await, 1);
    assert_eq!(home.number("SELECT count(*) FROM attempt WHERE ending = 'fenced'").await, 7);

    // With the first slice fails what others have in hand.
    let jobs = taken(store, batch).await.unwrap();
    let heartbeats: Vec<Heartbeat> = jobs.iter().map(|job| heartbeat("w", &[job], 0)).collect();
    store.hear(&heartbeats, 20).await.unwrap();
    let failure = Failure { class: FailureClass::CommitGone, message: "gone".into() };
    let failed = Outcome { result: Err(failure.clone()), ..fake.outcome(&jobs[0]) };
    let recording = Recording { outcome: &failed, effect: Effect::Failure(&failure) };
    store.record(&[recording], Some(30)).await.unwrap();
    assert_eq!(home.number("SELECT count(*) FROM attempt WHERE ended_at IS NULL").await, 0);

    // Tried again, a job that was done before is done again, and that is what counts.
    assert_eq!(store.retry(batch, None).await.unwrap(), 1);
    let again = store.unsent(batch, 10).await.unwrap();
    store.mark_sent(&[again[0].id], 40).await.unwrap();
    let outcome = Outcome { worker: "w0".into(), ..fake.outcome(&again[0]) };
    collected(store, purpose, &outcome, Some(50)).await;
    assert_eq!(home.number("SELECT count(*) FROM attempt WHERE ending = 'ok' AND ended_at = 50").await, 1);
}
