//! What a look at the fleet as a whole may be counted on to say.

use gitfleet_coordinator::collect::Purpose;
use gitfleet_coordinator::scale::{Amount, Limits};
use gitfleet_coordinator::store::RepositoryState;
use gitfleet_coordinator::store::migrations::Fit;
use gitfleet_shared::contract::{Heartbeat, Identity, Job, Running};

use crate::fake::{Fake, collected, history, submitted, taken};
use crate::home::Home;

fn heartbeat(worker: &str, jobs: &[&Job]) -> Heartbeat {
    let running = jobs.iter().map(|job| Running { job: job.id, batch: job.batch, done: 0 });
    Heartbeat {
        worker: Identity { name: worker.into(), host: "h".into(), version: "1".into() },
        slots: 3,
        running: running.collect(),
        draining: false,
        leaving: false,
    }
}

pub(crate) async fn signs_follow_a_job_from_waiting_to_history(home: &Home) {
    let store = &*home.store;
    assert_eq!(store.fit().await.unwrap(), Fit::UpToDate);
    let nothing = store.signs(0).await.unwrap();
    assert_eq!((nothing.batches_running, nothing.oldest_queued_since), (0, None));
    assert_eq!((nothing.workers.slots_per_worker, nothing.demand.backlog_seconds()), (None, 0.0));
    assert!(nothing.store_bytes > 0);

    let batch = submitted(store, &["/r", "/s"]).await;
    let waiting = store.signs(0).await.unwrap();
    assert_eq!(waiting.demand.waiting["survey"], Amount { jobs: 2, units: 0 });
    // By the clock of the store, and not by ours.
    assert!(waiting.oldest_queued_since.unwrap() > 1_600_000_000_000);
    assert_eq!((waiting.batches_running, waiting.demand.leases), (1, 0));

    // What rests needs no workers.
    store.set_paused(batch, true).await.unwrap();
    let resting = store.signs(0).await.unwrap();
    assert!(resting.demand.waiting.is_empty() && resting.oldest_queued_since.is_none());
    store.set_paused(batch, false).await.unwrap();

    let jobs = taken(store, batch).await.unwrap();
    assert_eq!(store.signs(0).await.unwrap().oldest_queued_since, Some(1));
    store.hear(&[heartbeat("w", &[&jobs[0]]), heartbeat("v", &[])], 1_000).await.unwrap();
    store.set_draining("v", true).await.unwrap();
    let running = store.signs(3_500).await.unwrap();
    assert_eq!(running.demand.waiting["survey"], Amount { jobs: 1, units: 0 });
    assert_eq!(running.demand.in_hand.len(), 1);
    assert_eq!(running.demand.in_hand[0].elapsed_millis, 2_500);
    assert_eq!((running.demand.leases, running.demand.busy_workers), (1, 1));
    let workers = running.workers;
    assert_eq!((workers.active, workers.draining, workers.gone), (1, 1, 0));
    assert_eq!(workers.slots_per_worker, Some(3.0));
    let scaling = running.scaling(&Limits::default(), 3_500);
    assert_eq!((scaling.running_jobs, scaling.workers, scaling.desired_workers), (1, 2, 1));
    assert_eq!(scaling.oldest_queued_seconds, 3.499);

    let fake = Fake::of(history(0..20));
    let purpose = Purpose::Analyse { slice_commits: 10 };
    collected(store, purpose, &fake.outcome(&jobs[0]), Some(5_000)).await;
    let done = store.signs(6_000).await.unwrap();
    assert_eq!(done.demand.history["survey"], (Amount { jobs: 1, units: 0 }, 4_000));
    assert_eq!(done.demand.waiting["slice"].units, 20);
    assert!(done.demand.in_hand.is_empty());

    // Nobody is there: what their slots were is the best there is to go by.
    store.miss_workers(2_000, 7_000).await.unwrap();
    let gone = store.signs(7_000).await.unwrap().workers;
    assert_eq!((gone.active, gone.gone, gone.slots_per_worker), (0, 2, Some(3.0)));
}

pub(crate) async fn whoever_ends_a_repository_is_told_so_once(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/r"]).await;
    let fake = Fake::of(history(0..20));
    let purpose = |_| Purpose::Analyse { slice_commits: 10 };
    let mut ended = Vec::new();
    loop {
        let jobs = taken(store, batch).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        for job in &jobs {
            let outcome = fake.outcome(job);
            for _ in 0..2 {
                let said = [&outcome, &outcome];
                let came =
                    gitfleet_coordinator::collect::collect(store, purpose, &said, Some(9)).await.unwrap();
                ended.extend(came.ended);
                assert!(came.brought[1].is_none(), "the same again counts no more");
            }
        }
    }
    let states: Vec<RepositoryState> = ended.iter().map(|one| one.state).collect();
    assert_eq!(states, [RepositoryState::Analysed]);
}
