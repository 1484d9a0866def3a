//! What schedules may count on.

use gitfleet_coordinator::api::{BatchRequest, RepositoryRequest};
use gitfleet_coordinator::github::Selector;
use gitfleet_coordinator::schedule::{CatchUp, Decision, Planned, Run, RunState, Schedule};
use gitfleet_coordinator::store::ledger::{BatchFilter, Wish};
use gitfleet_coordinator::store::schedules::Begun;
use gitfleet_coordinator::store::{RequestKey, Submitted};
use gitfleet_coordinator::submit::{Requested, Submission};
use gitfleet_shared::contract::{Revisions, Source};
use gitfleet_shared::ids::BatchId;

use crate::fake::terms;
use crate::home::Home;

fn schedule(name: &str, owner: &str, next_due: Option<i64>) -> Schedule {
    let repository = RepositoryRequest {
        name: "one".into(),
        project_key: "ONE".into(),
        url: None,
        path: Some("/one".into()),
        branch: None,
        all_branches: false,
        credential: None,
    };
    Schedule {
        id: 0,
        name: name.into(),
        owner: owner.into(),
        cron: "0 2 * * *".into(),
        zone: "UTC".into(),
        hours: Some("20:00-06:00".into()),
        catch_up: CatchUp::None,
        planned: Planned {
            batch: BatchRequest {
                name: "nightly".into(),
                repositories: vec![repository],
                priority: 3,
                labels: [("team".to_owned(), "x".to_owned())].into(),
                terms: terms(),
                config: "{}".into(),
            },
            weeks: Some(4),
            include_current: true,
            selector: Some(Selector { organization: Some("acme".into()), ..Selector::default() }),
        },
        paused: false,
        next_due,
        created_by: "somebody".into(),
        created_at: 5,
    }
}

async fn added(home: &Home, name: &str, next_due: i64) -> i64 {
    home.store.add_schedule(&schedule(name, "", Some(next_due))).await.unwrap().unwrap()
}

fn fires(due: i64) -> Decision {
    Decision { fire: Some(due), missed: None, next_due: Some(due + 100) }
}

/// Submits the batch of a firing, as whoever leads does.
async fn submit(home: &Home, request: RequestKey) -> (BatchId, Submitted) {
    let submission = Submission {
        name: "nightly".into(),
        repositories: vec![Requested {
            name: "one".into(),
            project_key: "ONE".into(),
            source: Source::Local { path: "/one".into() },
            revisions: Revisions::Head,
            credential: None,
        }],
        priority: 0,
        labels: Default::default(),
        terms: terms(),
        config: "{}".into(),
        request: Some(request),
        submitted_at: 1,
    };
    gitfleet_coordinator::submit::submit(&*home.store, submission).await.unwrap()
}

fn states(runs: &[Run]) -> Vec<(i64, RunState)> {
    runs.iter().map(|run| (run.due_at, run.state)).collect()
}

pub(crate) async fn a_schedule_is_kept_as_it_was_added(home: &Home) {
    let store = &*home.store;
    let (mine, theirs) = (schedule("nightly", "team=x", Some(100)), schedule("nightly", "", None));
    let id = store.add_schedule(&mine).await.unwrap().unwrap();
    assert_eq!(store.add_schedule(&mine).await.unwrap(), None);
    let other = store.add_schedule(&theirs).await.unwrap().unwrap();
    let kept = store.schedules().await.unwrap();
    assert_eq!(kept.iter().map(|one| one.id).collect::<Vec<_>>(), [other, id]);
    let expected = Schedule { id, ..mine };
    assert_eq!(format!("{:?}", kept[1]), format!("{expected:?}"));
    assert!(store.remove_schedule(id).await.unwrap());
    assert!(!store.remove_schedule(id).await.unwrap());
    // A number is not given again: requests are named by it.
    assert!(store.add_schedule(&expected).await.unwrap().unwrap() > other);
}

pub(crate) async fn many_who_lead_fire_once(home: &Home) {
    let id = added(home, "nightly", 1_000).await;
    let mut deciding = Vec::new();
    for number in 0..16 {
        let store = home.store.clone();
        deciding.push(tokio::spawn(async move {
            let due = store.due_schedules(1_000).await.unwrap();
            // Some have looked before others decided, and some after.
            assert!(due.iter().all(|one| one.id == id && one.next_due == Some(1_000)));
            store.begin_due(id, 1_000, fires(1_000), 1_001 + number).await.unwrap()
        }));
    }
    let mut begun = Vec::new();
    for one in deciding {
        match one.await.unwrap() {
            Begun::Begun(run) => begun.push(run),
            Begun::Gone => {}
            Begun::Busy(why) => panic!("{why}"),
        }
    }
    assert_eq!(begun.len(), 1);
    assert!(home.store.due_schedules(1_099).await.unwrap().is_empty());
    let runs = home.store.begun_runs(2_000).await.unwrap();
    assert_eq!((runs.len(), &runs[0].1, runs[0].0.id), (1, &begun[0], id));
    // However often, and by however many, it is one batch.
    let (first, second) = tokio::join!(submit(home, runs[0].1.request()), submit(home, begun[0].request()));
    assert_eq!(first.0, second.0);
    for (batch, _) in [first, second] {
        home.store.run_submitted(&begun[0], batch).await.unwrap();
    }
    assert_eq!(submit(home, begun[0].request()).await.1, Submitted::Before(first.0));
    let batches = home.store.batches(&BatchFilter { limit: 10, ..BatchFilter::default() }).await.unwrap();
    assert_eq!(batches.len(), 1);
    let runs = home.store.runs(id, 10).await.unwrap();
    assert_eq!(
        (states(&runs), runs[0].batch.clone()),
        (vec![(1_000, RunState::Submitted)], Some(first.0.to_string()))
    );
    assert!(home.store.begun_runs(i64::MAX).await.unwrap().is_empty());
}

pub(crate) async fn one_runs_at_a_time(home: &Home) {
    let store = &*home.store;
    let id = added(home, "nightly", 1_000).await;
    let Begun::Begun(run) = store.begin_due(id, 1_000, fires(1_000), 1_000).await.unwrap() else { panic!() };
    // While it is being prepared, and while its batch runs.
    let Begun::Busy(why) = store.begin_due(id, 1_100, fires(1_100), 1_100).await.unwrap() else { panic!() };
    assert!(why.contains("still being prepared"), "{why}");
    let (batch, _) = submit(home, run.request()).await;
    store.run_submitted(&run, batch).await.unwrap();
    let Begun::Busy(why) = store.begin_asked(id, 1_150).await.unwrap() else { panic!() };
    assert!(why.contains(&batch.to_string()), "{why}");
    let Begun::Busy(_) = store.begin_due(id, 1_200, fires(1_200), 1_200).await.unwrap() else { panic!() };
    assert_eq!(store.cancel(batch, 1_250).await.unwrap(), Wish::Done);
    let Begun::Begun(_) = store.begin_asked(id, 1_260).await.unwrap() else { panic!() };
    let runs = store.runs(id, 10).await.unwrap();
    assert_eq!(
        states(&runs),
        [
            (1_260, RunState::Begun),
            (1_200, RunState::Skipped),
            (1_100, RunState::Skipped),
            (1_000, RunState::Submitted)
        ]
    );
    assert!(runs[0].manual && !runs[1].manual);
    assert!(runs[1].note.as_ref().unwrap().contains(&batch.to_string()));
    assert_eq!(store.runs(id, 1).await.unwrap().len(), 1);
}

pub(crate) async fn what_was_missed_is_written_down(home: &Home) {
    let store = &*home.store;
    let id = added(home, "nightly", 1_000).await;
    let decision = Decision { fire: None, missed: Some(1_000), next_due: Some(5_000) };
    assert_eq!(store.begin_due(id, 1_000, decision, 4_000).await.unwrap(), Begun::Gone);
    let decision = Decision { fire: Some(7_000), missed: Some(5_000), next_due: None };
    let Begun::Begun(_) = store.begin_due(id, 5_000, decision, 7_500).await.unwrap() else { panic!() };
    let runs = store.runs(id, 10).await.unwrap();
    assert_eq!(
        states(&runs),
        [(7_000, RunState::Begun), (5_000, RunState::Missed), (1_000, RunState::Missed)]
    );
    assert!(runs[1].note.as_ref().unwrap().contains("1970-01-01T00:00:07"), "{runs:?}");
    // Without a next time it is never due again.
    assert!(store.due_schedules(i64::MAX).await.unwrap().is_empty());
}

pub(crate) async fn a_schedule_rests_and_goes_on(home: &Home) {
    let store = &*home.store;
    let id = added(home, "nightly", 1_000).await;
    assert_eq!(store.set_schedule_paused(id, true, None).await.unwrap(), Wish::Done);
    assert_eq!(store.set_schedule_paused(id, true, None).await.unwrap(), Wish::Already);
    assert!(store.due_schedules(9_000).await.unwrap().is_empty());
    assert_eq!(store.begin_due(id, 1_000, fires(1_000), 1_000).await.unwrap(), Begun::Gone);
    assert_eq!(store.set_schedule_paused(id, false, Some(2_000)).await.unwrap(), Wish::Done);
    assert_eq!(store.due_schedules(2_000).await.unwrap().len(), 1);
    assert_eq!(store.set_schedule_paused(id + 1, true, None).await.unwrap(), Wish::NotFound);
    assert_eq!(store.begin_asked(id + 1, 1).await.unwrap(), Begun::Gone);
}

pub(crate) async fn a_firing_waits_fails_or_is_forgotten(home: &Home) {
    let store = &*home.store;
    let id = added(home, "nightly", 0).await;
    let Begun::Begun(run) = store.begin_asked(id, 10).await.unwrap() else { panic!() };
    store.run_waits(&run, 500, "the forge is asked too often").await.unwrap();
    assert!(store.begun_runs(499).await.unwrap().is_empty());
    let waiting = store.begun_runs(500).await.unwrap();
    assert_eq!(waiting[0].1.note.as_deref(), Some("the forge is asked too often"));
    store.run_failed(&run, "there is no such account").await.unwrap();
    // What has ended does not begin again.
    let (batch, _) = submit(home, run.request()).await;
    store.run_submitted(&run, batch).await.unwrap();
    store.run_waits(&run, 600, "again").await.unwrap();
    let runs = store.runs(id, 10).await.unwrap();
    assert_eq!((runs[0].state, runs[0].batch.clone()), (RunState::Failed, None));
    assert_eq!(runs[0].note.as_deref(), Some("there is no such account"));
    for at in 0..520 {
        let decision = Decision { fire: None, missed: Some(at * 10 + 1_000), next_due: Some(at * 10 + 10) };
        store.begin_due(id, at * 10, decision, at).await.unwrap();
    }
    assert_eq!(store.runs(id, 1_000).await.unwrap().len(), 500);
    assert!(store.remove_schedule(id).await.unwrap());
    assert_eq!(home.number("SELECT count(*) FROM schedule_run").await, 0);
}

pub(crate) async fn a_deposed_leader_fires_nothing(home: &Home) {
    if !home.is_postgres() {
        return;
    }
    let id = added(home, "nightly", 1_000).await;
    let ttl = std::time::Duration::from_millis(1);
    let old = home.store.lead("old", None, ttl).await.unwrap().unwrap();
    let fenced = home.store.fenced(old);
    let new = loop {
        if let Some(term) = home.store.lead("new", None, ttl).await.unwrap() {
            break term;
        }
    };
    assert!(fenced.begin_due(id, 1_000, fires(1_000), 1_000).await.is_err());
    let run = Begun::Begun(Run {
        schedule: id,
        due_at: 1_000,
        state: RunState::Begun,
        fired_at: 1_000,
        manual: false,
        batch: None,
        note: None,
    });
    assert_eq!(home.store.fenced(new).begin_due(id, 1_000, fires(1_000), 1_000).await.unwrap(), run);
}
