//! The real loops of coordinator and worker over the embedded adapters, disturbed on purpose: whatever happens on
//! the way, the report has the same bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod history;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gitfleet_coordinator::aggregate::aggregate;
use gitfleet_coordinator::batch::{self, End, Progress};
use gitfleet_coordinator::collect::{Purpose, collect};
use gitfleet_coordinator::lens::Lens;
use gitfleet_coordinator::report::json;
use gitfleet_coordinator::store::RepositoryState;
use gitfleet_coordinator::store::ledger::Ledger;
use gitfleet_coordinator::store::sqlite::Sqlite;
use gitfleet_coordinator::submit::{Requested, Submission, submit};
use gitfleet_coordinator::terms::Terms;
use gitfleet_shared::cache::embedded::Embedded;
use gitfleet_shared::cache::{Cache, CacheStats, Key, NoCache};
use gitfleet_shared::contract::{Identity, Job, Outcome, Revisions, Scope, Source};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::queue::in_process::InProcess;
use gitfleet_shared::queue::{Blocked, Consumer, Queue, QueueError, Topic};
use gitfleet_shared::sources::{Policy, Scheme};
use gitfleet_shared::trace::TraceContext;
use gitfleet_shared::window::Window;
use gitfleet_worker::credentials::Credentials;
use gitfleet_worker::gate::Gate;
use gitfleet_worker::meters::Meters;
use gitfleet_worker::worker::{Config as WorkerConfig, JOB_TIME, SLICE_CHANGES, SLICE_TIME, Worker};
use tokio::sync::Notify;

const LIMIT: u64 = 1 << 20;
const SCOPE: Scope = Scope { max_blob_bytes: LIMIT, line_history: true };
/// A fixed "now": the report must not depend on when it is made.
const AS_OF: i64 = 1_800_000_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// One machine: queue, cache and store, each real.
struct Machine {
    queue: Arc<dyn Queue>,
    in_process: InProcess,
    cache: Arc<dyn Cache>,
    store: Arc<dyn Ledger>,
    slice_changes: usize,
    folder: tempfile::TempDir,
}

impl Machine {
    async fn new() -> Self {
        Self::with_queue(|in_process| Arc::new(in_process)).await
    }

    async fn with_queue(wrap: impl FnOnce(InProcess) -> Arc<dyn Queue>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let in_process = InProcess::new(16);
        Self {
            queue: wrap(in_process.clone()),
            in_process,
            cache: Arc::new(Embedded::open(&folder.path().join("cache")).unwrap()),
            store: Arc::new(Sqlite::open(&folder.path().join("store")).await.unwrap()),
            slice_changes: SLICE_CHANGES,
            folder,
        }
    }

    fn worker(&self, slots: usize) -> Worker {
        let config = WorkerConfig {
            identity: Identity { name: "w".into(), ..Identity::default() },
            slots,
            mirrors: self.folder.path().join("mirrors"),
            mirror_bytes: None,
            gate: Gate::new(Policy { schemes: Scheme::ALL.to_vec(), ..Policy::default() }),
            credentials: Credentials::default(),
            slice_changes: self.slice_changes,
            slice_time: SLICE_TIME,
            job_time: JOB_TIME,
            grace: Duration::ZERO,
            pulse: Duration::from_millis(100),
            cache_bytes: 1 << 20,
            meters: Meters::default(),
            erasure_key: None,
        };
        Worker::new(self.queue.clone(), self.cache.clone(), config)
    }

    async fn submit(&self, repositories: &[&Path]) -> BatchId {
        let requested = repositories.iter().map(|path| Requested {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            project_key: "KEY".into(),
            source: Source::Local { path: path.to_string_lossy().into_owned() },
            revisions: Revisions::Head,
            credential: None,
        });
        let submission = Submission {
            repositories: requested.collect(),
            name: "test".into(),
            priority: 0,
            labels: Default::default(),
            terms: Terms {
                window: Window::all_history(chrono_tz::UTC),
                as_of_seconds: AS_OF,
                max_blob_bytes: LIMIT,
                line_history: true,
                slice_commits: 1_000,
                dry_run: false,
                lens: Default::default(),
            },
            request: None,
            config: String::new(),
            submitted_at: 0,
        };
        submit(&*self.store, submission).await.unwrap().0
    }

    /// Runs the coordinator's loop to its end.
    async fn coordinate(
        &self,
        batch: BatchId,
        slice_commits: usize,
        lease: Duration,
        watch: impl FnMut(&Progress),
    ) {
        let config = batch::Config {
            purpose: Purpose::Analyse { slice_commits },
            window: 256,
            lease,
            now: || chrono::Utc::now().timestamp_millis(),
        };
        let run = batch::run(
            self.queue.clone(),
            self.store.clone(),
            batch,
            config,
            watch,
            std::future::pending::<()>(),
        );
        assert_eq!(tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap(), End::Finished);
    }

    async fn report(&self, batch: BatchId) -> String {
        let window = Window::all_history(chrono_tz::UTC);
        json::render(&aggregate(&*self.store, batch, &window, SCOPE, &Lens::default(), AS_OF).await.unwrap())
    }

    /// Analyses `repositories` undisturbed and returns the report.
    async fn analyse(&self, repositories: &[&Path], slots: usize, slice_commits: usize) -> String {
        let batch = self.submit(repositories).await;
        let working = tokio::spawn(self.worker(slots).run(std::future::pending::<()>()));
        self.coordinate(batch, slice_commits, PATIENCE, |_| {}).await;
        working.abort();
        self.report(batch).await
    }
}

async fn undisturbed(repositories: &[&Path]) -> String {
    Machine::new().await.analyse(repositories, 2, 1_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_slices_of_any_size_give_the_same_bytes() {
    let history = history::generate(1);
    let expect = undisturbed(&[history.path()]).await;
    for (slots, slice_commits) in [(1, 1_000), (1, 1), (3, 7), (4, 100)] {
        let report = Machine::new().await.analyse(&[history.path()], slots, slice_commits).await;
        assert_eq!(report, expect, "{slots} slots, {slice_commits} commits");
    }
}

/// A queue that delivers everything twice.
struct Twice(InProcess);

#[async_trait]
impl Queue for Twice {
    async fn publish_traced(
        &self,
        topic: Topic,
        body: Vec<u8>,
        trace: Option<TraceContext>,
    ) -> Result<(), QueueError> {
        self.0.publish_traced(topic, body.clone(), trace).await?;
        self.0.publish_traced(topic, body, trace).await
    }

    async fn consume(&self, topic: Topic) -> Result<Box<dyn Consumer>, QueueError> {
        self.0.consume(topic).await
    }

    async fn depth(&self, topic: Topic) -> Result<u64, QueueError> {
        self.0.depth(topic).await
    }

    async fn describe(&self) -> Result<String, QueueError> {
        self.0.describe().await
    }

    fn blocked(&self) -> Blocked {
        self.0.blocked()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_slots_than_outcomes_may_wait_block_nobody() {
    let history = history::generate(11);
    let expect = undisturbed(&[history.path()]).await;
    assert_eq!(Machine::new().await.analyse(&[history.path()], 64, 1).await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_that_grow_too_large_are_put_back_and_counted_once() {
    let history = history::generate(12);
    let expect = undisturbed(&[history.path()]).await;
    for slice_changes in [1, 3, 50] {
        let mut machine = Machine::new().await;
        machine.slice_changes = slice_changes;
        assert_eq!(machine.analyse(&[history.path()], 2, 1_000).await, expect, "{slice_changes} changes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_may_be_asked_for_twice() {
    let history = history::generate(13);
    let machine = Machine::new().await;
    let report: serde_json::Value =
        serde_json::from_str(&machine.analyse(&[history.path(), history.path()], 2, 50).await).unwrap();
    for row in [0, 1] {
        assert_eq!(report["repositories"][row]["commits"], report["totals"]["commits"], "row {row}");
        assert_eq!(report["repositories"][row]["conservation"]["holds"], true, "row {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_twice_counts_nothing_twice() {
    let history = history::generate(2);
    let expect = undisturbed(&[history.path()]).await;
    let machine = Machine::with_queue(|queue| Arc::new(Twice(queue))).await;
    // Jobs twice and outcomes twice: each outcome arrives up to four times.
    assert_eq!(machine.analyse(&[history.path()], 3, 20).await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_queue_is_rung_for_again() {
    let history = history::generate(3);
    let expect = undisturbed(&[history.path()]).await;
    let machine = Machine::new().await;
    let batch = machine.submit(&[history.path()]).await;
    // Nobody works yet, so the survey waits on the queue when it is purged.
    let (queue, sent) = (machine.in_process.clone(), Arc::new(Notify::new()));
    let told = sent.clone();
    let disturber = async {
        sent.notified().await;
        while machine.store.unsent(batch, 1).await.unwrap().len() == 1 {
            tokio::task::yield_now().await;
        }
        queue.purge();
        machine.worker(2).run(std::future::pending::<()>()).await
    };
    let coordinate = machine.coordinate(batch, 20, Duration::from_millis(200), |_| told.notify_one());
    // The worker would go on for ever.
    tokio::select! {
        () = coordinate => {}
        worked = disturber => panic!("the worker ended: {worked:?}"),
    }
    assert_eq!(machine.report(batch).await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_die_lose_nothing() {
    let history = history::generate(4);
    let expect = undisturbed(&[history.path()]).await;
    let machine = Machine::new().await;
    let batch = machine.submit(&[history.path()]).await;
    let progressed = Arc::new(Notify::new());
    let disturber = async {
        for _ in 0..10 {
            let working = tokio::spawn(machine.worker(2).run(std::future::pending::<()>()));
            progressed.notified().await;
            // In the middle of whatever it does.
            working.abort();
            let _ = working.await;
        }
        machine.worker(2).run(std::future::pending::<()>()).await
    };
    let told = progressed.clone();
    let coordinate = machine.coordinate(batch, 5, PATIENCE, move |_| told.notify_one());
    tokio::select! {
        () = coordinate => {}
        worked = disturber => panic!("the last worker ended: {worked:?}"),
    }
    assert_eq!(machine.report(batch).await, expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_in_any_order_and_late_ones_give_the_same_bytes() {
    let history = history::generate(5);
    let expect = undisturbed(&[history.path()]).await;
    let machine = Machine::new().await;
    let batch = machine.submit(&[history.path()]).await;
    let working = tokio::spawn(machine.worker(2).run(std::future::pending::<()>()));
    let purpose = Purpose::Analyse { slice_commits: 10 };
    let mut recorded: Vec<Outcome> = Vec::new();
    let mut outcomes = machine.queue.consume(Topic::Outcomes).await.unwrap();
    loop {
        // By hand what the coordinator's loop does, but the outcomes of a round are recorded last to first.
        let jobs = machine.store.unsent(batch, 1_000).await.unwrap();
        if jobs.is_empty() {
            break;
        }
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let publish = async {
            for job in &jobs {
                machine.queue.publish(Topic::Jobs, job.encode()).await.unwrap();
            }
        };
        let gather = async {
            let mut round = Vec::new();
            while round.len() < jobs.len() {
                let delivery = tokio::time::timeout(PATIENCE, outcomes.next()).await.unwrap().unwrap();
                round.push(Outcome::decode(delivery.body()).unwrap());
                delivery.ack().await.unwrap();
            }
            round
        };
        let ((), mut round) = tokio::join!(publish, gather);
        machine.store.mark_sent(&ids, 0).await.unwrap();
        round.reverse();
        collect(&*machine.store, |_| purpose, &round.iter().collect::<Vec<_>>(), None).await.unwrap();
        recorded.extend(round);
    }
    working.abort();
    assert_eq!(machine.report(batch).await, expect);
    // All of them once more, after the end.
    for some in recorded.chunks(100) {
        collect(&*machine.store, |_| purpose, &some.iter().collect::<Vec<_>>(), None).await.unwrap();
    }
    assert_eq!(machine.report(batch).await, expect);
}

/// A cache that answers with damaged values.
struct Damaged(Arc<dyn Cache>);

#[async_trait]
impl Cache for Damaged {
    async fn get(&self, keys: &[Key]) -> Vec<Option<Vec<u8>>> {
        let mut values = self.0.get(keys).await;
        for (number, value) in values.iter_mut().flatten().enumerate() {
            let position = number * 31 % value.len();
            value[position] ^= 1;
        }
        values
    }

    async fn put(&self, entries: Vec<(Key, Vec<u8>)>) {
        self.0.put(entries).await;
    }

    async fn describe(&self) -> Result<String, String> {
        self.0.describe().await
    }

    async fn stats(&self) -> Result<CacheStats, String> {
        self.0.stats().await
    }

    async fn purge(&self) -> Result<u64, String> {
        self.0.purge().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_cold_damaged_or_missing_cache_gives_the_same_bytes() {
    let history = history::generate(6);
    let first = Machine::new().await;
    let expect = first.analyse(&[history.path()], 2, 50).await;
    let caches: [(&str, Arc<dyn Cache>); 3] = [
        ("warm", first.cache.clone()),
        ("damaged", Arc::new(Damaged(first.cache.clone()))),
        ("missing", Arc::new(NoCache)),
    ];
    for (name, cache) in caches {
        let mut machine = Machine::new().await;
        machine.cache = cache;
        let batch = machine.submit(&[history.path()]).await;
        let working = tokio::spawn(machine.worker(2).run(std::future::pending::<()>()));
        machine.coordinate(batch, 50, PATIENCE, |_| {}).await;
        working.abort();
        assert_eq!(machine.report(batch).await, expect, "{name}");
        let row = &machine.store.repositories(batch).await.unwrap()[0];
        assert_eq!(row.cache_hits == row.commits_new, name == "warm", "{name}: {} hits", row.cache_hits);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_batch_costs_what_is_new() {
    let history = history::generate(7);
    let machine = Machine::new().await;
    let first = machine.analyse(&[history.path()], 2, 50).await;
    assert_eq!(machine.analyse(&[history.path()], 2, 50).await, first, "unchanged");

    history.commit("late.txt", "one\ntwo\n", "2001-01-01T00:00:00Z");
    let batch = machine.submit(&[history.path()]).await;
    let working = tokio::spawn(machine.worker(2).run(std::future::pending::<()>()));
    machine.coordinate(batch, 50, PATIENCE, |_| {}).await;
    working.abort();
    let row = &machine.store.repositories(batch).await.unwrap()[0];
    assert_eq!((row.commits_new, row.state), (1, RepositoryState::Analysed));
    assert_eq!(machine.report(batch).await, undisturbed(&[history.path()]).await);

    history.git(&["reset", "--quiet", "--hard", "HEAD~20"]);
    let rewound = machine.analyse(&[history.path()], 2, 50).await;
    assert_eq!(rewound, undisturbed(&[history.path()]).await, "force-pushed");

    // Another rule for what is binary: other facts for commits that were known.
    history.commit(".gitattributes", "*.txt binary\n", "2026-01-01T00:00:00Z");
    let binary = machine.analyse(&[history.path()], 2, 50).await;
    assert_eq!(binary, undisturbed(&[history.path()]).await, "attributes");
    assert_ne!(binary, rewound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_fails_does_not_fail_the_others_nor_lose_what_was_published() {
    let history = history::generate(8);
    let gone = history.path().with_file_name("gone");
    let machine = Machine::new().await;
    let report = machine.analyse(&[&gone, history.path()], 2, 50).await;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["coverage"]["repositories_failed"], 1);
    assert_eq!(report["coverage"]["failures"][0]["class"], "not_found");
    assert_eq!(report["repositories"][0]["commits"], serde_json::Value::Null, "unknown is not zero");
    assert!(report["totals"]["commits"].as_u64().unwrap() > 100);
    // Repaired, it is there: a failure was not remembered as "no activity".
    history.git(&["clone", "--quiet", ".", gone.to_str().unwrap()]);
    let report = machine.analyse(&[&gone, history.path()], 2, 50).await;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["coverage"]["repositories_failed"], 0);
    assert_eq!(report["repositories"][0]["commits"], report["totals"]["commits"]);
    // The same commits twice are counted once.
    assert_eq!(report["repositories"][1]["commits"], report["totals"]["commits"]);
    assert!(report["data_quality"]["shared_commits"].as_u64().unwrap() > 100);
    std::fs::remove_dir_all(gone).unwrap();
}

#[tokio::test]
async fn garbage_on_the_queue_is_put_aside_with_its_bytes() {
    let history = history::generate(9);
    let expect = undisturbed(&[history.path()]).await;
    let machine = Machine::new().await;
    machine.queue.publish(Topic::Jobs, b"no job".to_vec()).await.unwrap();
    machine.queue.publish(Topic::Outcomes, b"no outcome".to_vec()).await.unwrap();
    assert_eq!(machine.analyse(&[history.path()], 1, 50).await, expect);
    let mut dead: Vec<Vec<u8>> =
        machine.in_process.dead_letters().iter().map(|letter| letter.body.to_vec()).collect();
    dead.sort();
    assert_eq!(dead, [b"no job".to_vec(), b"no outcome".to_vec()]);
}

#[tokio::test]
async fn an_outcome_nobody_asked_for_changes_nothing() {
    let history = history::generate(10);
    let machine = Machine::new().await;
    let expect = machine.analyse(&[history.path()], 1, 50).await;
    let stranger = Job {
        id: gitfleet_shared::ids::JobId::derive(BatchId::from_bytes([9; 16]), b"?"),
        batch: BatchId::from_bytes([9; 16]),
        source: Source::Local { path: "/".into() },
        work: gitfleet_shared::contract::Work::Survey { revisions: Revisions::Head, base: None },
        max_blob_bytes: LIMIT,
        line_history: true,
        credential: None,
        erased: None,
    };
    let outcome = Outcome {
        job: stranger.id,
        batch: stranger.batch,
        worker: "x".into(),
        elapsed_millis: 0,
        result: Ok(gitfleet_shared::contract::WorkResult::Tip(Default::default())),
    };
    collect(&*machine.store, |_| Purpose::Analyse { slice_commits: 1 }, &[&outcome], None).await.unwrap();
    assert_eq!(machine.analyse(&[history.path()], 1, 50).await, expect);
}
