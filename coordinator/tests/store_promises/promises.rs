//! What one coordinator may count on.

use gitfleet_coordinator::store::{
    Effect, Finished, NewBatch, PeopleLink, RepositoryState, Retention, Store, StoredJob,
};
use gitfleet_shared::contract::{
    Failure, FailureClass, Job, Outcome, Revisions, Scope, Source, SurveyResult, Work, WorkResult,
};
use gitfleet_shared::facts::{Lines, UnknownReason};
use gitfleet_shared::ids::{BatchId, JobId};

use crate::fake::{
    Fake, SCOPE, analysed, finish, history, id, planned, record, report, submitted, tag, taken, terms, tip,
};
use crate::home::Home;
use crate::packs::read;

fn head() -> Revisions {
    Revisions::Head
}

fn source(path: &str) -> Source {
    Source::Local { path: path.into() }
}

async fn stored(store: &dyn Store, job: &Job) -> StoredJob {
    store.job(job.id).await.unwrap().unwrap()
}

fn failed(job: &Job, message: &str) -> (Outcome, Failure) {
    let failure = Failure { class: FailureClass::NotFound, message: message.into() };
    let result = Err(failure.clone());
    (Outcome { job: job.id, batch: job.batch, worker: "w".into(), elapsed_millis: 1, result }, failure)
}

fn slice_of(fake: &Fake, job: &Job) -> gitfleet_shared::contract::SliceResult {
    match fake.answer(job) {
        WorkResult::Slice(slice) => slice,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_batch_is_there_with_its_surveys(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/b", "/a", "/b"]).await;
    let surveys = store.unsent(batch, 10).await.unwrap();
    let sources: Vec<String> = surveys.iter().map(|job| job.source.to_string()).collect();
    assert_eq!(sources, ["/b", "/a", "/b"]);
    assert_eq!(store.unsent(batch, 2).await.unwrap(), surveys[..2]);
    for (position, job) in (0..).zip(&surveys) {
        let stored = stored(store, job).await;
        assert_eq!(stored, StoredJob { job: job.clone(), position, open: true });
    }
    let names: Vec<String> =
        store.repositories(batch).await.unwrap().into_iter().map(|repository| repository.name).collect();
    assert_eq!(names, ["/b", "/a", "/b"]);
    assert_eq!(store.repository(batch, 1).await.unwrap().unwrap().name, "/a");
    assert!(store.repository(batch, 3).await.unwrap().is_none());
    assert!(store.job(JobId::derive(batch, b"another")).await.unwrap().is_none());
    // The same batch again is refused as a whole.
    let again = NewBatch {
        id: batch,
        name: "analyze".into(),
        priority: 0,
        labels: Default::default(),
        terms: terms(),
        request: None,
        config: String::new(),
        trace: None,
        created_at: 0,
        repositories: Vec::new(),
    };
    let before = home.rows().await;
    assert!(!store.submit(&again).await.unwrap_err().is_passing());
    assert_eq!(home.rows().await, before);
}

pub(crate) async fn what_is_recorded_twice_counts_once(home: &Home) {
    let store = &*home.store;
    let mut commits = history(0..60);
    commits[3].parents = vec![id(4), id(5)];
    commits[3].files.clear();
    commits[2].files[0].lines = Lines::Unknown(UnknownReason::MissingObject);
    let fake = Fake::of(commits);
    let batch = submitted(store, &["/r"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    let asked = stored(store, &survey).await;
    let plan = planned(store, &asked, &fake, 20).await;
    let mut before = None;
    for _ in 0..2 {
        record(store, &fake.outcome(&survey), Effect::Plan(plan.clone().into())).await.unwrap();
        let now = (home.rows().await, store.repositories(batch).await.unwrap());
        assert_eq!(before.get_or_insert_with(|| now.clone()), &now);
    }
    assert!(!stored(store, &survey).await.open);
    let jobs = taken(store, batch).await.unwrap();
    assert_eq!(jobs.len(), 4);
    for job in &jobs {
        let outcome = fake.outcome(job);
        let mut before = None;
        for _ in 0..2 {
            match outcome.result.as_ref().unwrap() {
                WorkResult::Slice(slice) => {
                    record(store, &outcome, Effect::Slice(slice, None)).await.unwrap();
                }
                WorkResult::Tip(tip) => record(store, &outcome, Effect::Tip(tip)).await.unwrap(),
                WorkResult::Survey(_) => panic!("a survey of a survey"),
            }
            let now = (home.rows().await, store.repositories(batch).await.unwrap());
            assert_eq!(before.get_or_insert_with(|| now.clone()), &now);
        }
        // What comes after the end changes nothing either.
        let (late, failure) = failed(job, "late");
        record(store, &late, Effect::Failure(&failure)).await.unwrap();
        assert_eq!(before.unwrap(), (home.rows().await, store.repositories(batch).await.unwrap()));
    }
    let repository = store.repository(batch, 0).await.unwrap().unwrap();
    assert_eq!(
        (repository.state, repository.commits_seen, repository.commits_new, repository.cache_hits),
        (RepositoryState::Analysed, 60, 60, 3)
    );
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit WHERE mainline = 1").await, 30);

    // What was found unchanged, twice.
    let batch = submitted(store, &["/r"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    // One file is not known for good, so the survey starts from nothing.
    assert!(matches!(&survey.work, Work::Survey { base: None, .. }));
    for _ in 0..2 {
        record(store, &fake.outcome(&survey), Effect::Unchanged(&head())).await.unwrap();
        let repository = store.repository(batch, 0).await.unwrap().unwrap();
        assert_eq!((repository.state, repository.commits_seen), (RepositoryState::Analysed, 60));
        assert_eq!(repository.elapsed_millis, 1);
    }
}

pub(crate) async fn a_survey_done_again_is_another_job(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..5));
    analysed(store, "/r", &fake, 10).await;
    let batch = submitted(store, &["/r"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    let Work::Survey { base: Some(base), .. } = &survey.work else { panic!("{survey:?}") };
    assert_eq!(base.head, Some(id(0)));
    let again = Job {
        id: JobId::derive(batch, b"again"),
        work: Work::Survey { revisions: head(), base: None },
        ..survey.clone()
    };
    for _ in 0..2 {
        record(store, &fake.outcome(&survey), Effect::SurveyAgain(again.clone())).await.unwrap();
        assert_eq!(store.unsent(batch, 10).await.unwrap(), std::slice::from_ref(&again));
    }
    finish(store, batch, &fake, 10).await;
}

pub(crate) async fn a_failure_ends_the_repository_and_no_other(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..40));
    let before = analysed(store, "/a", &Fake { refs: 9, ..Fake::of(history(30..40)) }, 10).await;
    let kept = report(store, before).await;
    let batch = submitted(store, &["/a", "/b"]).await;
    for survey in taken(store, batch).await.unwrap() {
        let plan = planned(store, &stored(store, &survey).await, &fake, 10).await;
        record(store, &fake.outcome(&survey), Effect::Plan(plan.clone().into())).await.unwrap();
    }
    let jobs = taken(store, batch).await.unwrap();
    let (ours, theirs): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.source == source("/a"));
    let slices: Vec<&Job> = ours.iter().filter(|job| job.work.units() > 0).collect();
    let slice = slice_of(&fake, slices[0]);
    record(store, &fake.outcome(slices[0]), Effect::Slice(&slice, None)).await.unwrap();
    store.ring_again(batch, 100).await.unwrap();
    let (outcome, failure) = failed(slices[1], "gone\0away");
    for _ in 0..2 {
        record(store, &outcome, Effect::Failure(&failure)).await.unwrap();
    }
    let repository = store.repository(batch, 0).await.unwrap().unwrap();
    assert_eq!(repository.state, RepositoryState::Failed);
    assert_eq!(repository.failure.unwrap().message, "gone\u{fffd}away");
    for job in &ours {
        assert!(!stored(store, job).await.open);
    }
    assert_eq!(home.number("SELECT count(*) FROM job WHERE state = 'failed'").await, 1);
    // What comes in late adds nothing, and what was published before stays.
    let rows = home.rows().await;
    let late = slices[2];
    record(store, &fake.outcome(late), Effect::Slice(&slice_of(&fake, late), None)).await.unwrap();
    assert_eq!(home.rows().await, rows);
    let snapshot = store.snapshot(&source("/a"), &head(), SCOPE).await.unwrap().unwrap();
    assert_eq!(snapshot.base.refs, [9; 32]);
    // The other repository goes on.
    for job in &theirs {
        assert!(stored(store, job).await.open);
    }
    let waiting = store.unsent(batch, 100).await.unwrap();
    assert!(waiting.iter().all(|job| job.source == source("/b")), "{waiting:?}");
    finish(store, batch, &fake, 10).await;
    assert_eq!(store.repository(batch, 1).await.unwrap().unwrap().state, RepositoryState::Analysed);
    assert_eq!(report(store, before).await, kept);
}

pub(crate) async fn jobs_come_surveys_first_and_large_repositories_next(home: &Home) {
    let store = &*home.store;
    let batch = submitted(store, &["/small", "/large", "/late"]).await;
    let surveys = taken(store, batch).await.unwrap();
    for (survey, commits) in surveys[..2].iter().zip([20, 50]) {
        let fake = Fake::of(history(0..commits));
        let plan = planned(store, &stored(store, survey).await, &fake, 10).await;
        record(store, &fake.outcome(survey), Effect::Plan(plan.clone().into())).await.unwrap();
    }
    store.ring_again(batch, 100).await.unwrap();
    let jobs = store.unsent(batch, 100).await.unwrap();
    let order: Vec<(String, &str)> =
        jobs.iter().map(|job| (job.source.to_string(), job.work.name())).collect();
    let expect = [
        vec![("/late".to_owned(), "survey"), ("/large".to_owned(), "tip")],
        vec![("/large".to_owned(), "slice"); 5],
        vec![("/small".to_owned(), "tip")],
        vec![("/small".to_owned(), "slice"); 2],
    ];
    assert_eq!(order, expect.concat());
    // Slices in the order of the walk.
    let firsts: Vec<_> = jobs[2..7]
        .iter()
        .map(|job| match &job.work {
            Work::Slice { commits, .. } => commits[0],
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(firsts, [id(0), id(10), id(20), id(30), id(40)]);
    store.mark_sent(&[jobs[0].id, jobs[3].id], 5).await.unwrap();
    assert_eq!(store.unsent(batch, 100).await.unwrap().len(), jobs.len() - 2);
    assert_eq!(home.number("SELECT count(*) FROM job WHERE sent_at = 5").await, 2);
}

pub(crate) async fn silent_jobs_are_rung_for_once(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..5));
    let batch = submitted(store, &["/a", "/b", "/c"]).await;
    let jobs = store.unsent(batch, 10).await.unwrap();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    store.mark_sent(&ids, 100).await.unwrap();
    store.mark_heard(ids[1], 150).await.unwrap();
    // An older sign of life does not make a job silent.
    store.mark_heard(ids[1], 20).await.unwrap();
    record(store, &fake.outcome(&jobs[2]), Effect::DryRun { commits_seen: 5, commits_new: 5 }).await.unwrap();
    assert_eq!(store.ring_again(batch, 100).await.unwrap(), 0);
    assert_eq!(store.ring_again(batch, 150).await.unwrap(), 1);
    assert_eq!(store.ring_again(batch, 150).await.unwrap(), 0);
    assert_eq!(store.unsent(batch, 10).await.unwrap(), jobs[..1]);
    assert_eq!(store.ring_again(batch, 151).await.unwrap(), 1);
    assert_eq!(store.unsent(batch, 10).await.unwrap(), jobs[..2]);
}

pub(crate) async fn what_is_known_is_what_was_recorded(home: &Home) {
    let store = &*home.store;
    let mut commits = history(0..30);
    commits[4].files[0].lines = Lines::Unknown(UnknownReason::CorruptObject);
    commits[5].parents = vec![id(6), id(7)];
    let fake = Fake::of(commits);
    analysed(store, "/r", &fake, 7).await;
    let newer = Fake { refs: 2, ..Fake::of(history(0..33)) };
    let batch = submitted(store, &["/r"]).await;
    let survey = stored(store, &store.unsent(batch, 1).await.unwrap()[0]).await;
    let WorkResult::Survey(SurveyResult::Changed(mut changed)) = newer.answer(&survey.job) else { panic!() };
    changed.mainline.merges = vec![id(5), id(6)];
    let known = store.known(&survey, &head(), &changed).await.unwrap();
    let expect = |numbers: Vec<u32>| numbers.into_iter().map(id).collect::<std::collections::HashSet<_>>();
    assert_eq!(known.commits, expect((0..30).filter(|number| *number != 4).collect()));
    assert_eq!(known.mainline_nets, expect(vec![5]));
    assert_eq!(known.published, expect((0..30).collect()));
    assert_eq!((known.published_count, known.published_here), (30, true));
    // Under other attributes nothing is known.
    changed.snapshot.attributes = [1; 32];
    let other = store.known(&survey, &head(), &changed).await.unwrap();
    assert_ne!(other.facts, known.facts);
    assert!(other.commits.is_empty() && !other.published_here);
    // What was not final is computed again and replaced.
    finish(store, batch, &newer, 7).await;
    let snapshot = store.snapshot(&source("/r"), &head(), SCOPE).await.unwrap().unwrap();
    assert!(snapshot.is_final);
    assert_eq!((snapshot.base.refs, snapshot.tip.unwrap().lines), ([2; 32], 3));
    // What is kept beside the commits is that of the newer survey.
    assert_eq!(snapshot.tags, [tag(2)]);
    assert_eq!(snapshot.attributes_files[0].directory, b"gen/");
    assert_eq!(store.tip_files(snapshot.id).await.unwrap(), Some(tip().files));
    assert_eq!(store.tip_files(snapshot.id + 1).await.unwrap(), None);
    // Facts of another scope are other facts.
    let counts_only = Scope { line_history: false, ..SCOPE };
    assert_eq!(store.snapshot(&source("/r"), &head(), counts_only).await.unwrap(), None);
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, 33);
    assert_eq!(home.number("SELECT count(*) FROM commit_file WHERE reason IS NOT NULL").await, 0);
    // Nothing uses the set of the other attributes.
    assert_eq!(home.number("SELECT count(*) FROM fact_set").await, 1);
}

pub(crate) async fn a_dry_run_leaves_nothing(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..5));
    let batch = submitted(store, &["/r"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    for _ in 0..2 {
        record(store, &fake.outcome(&survey), Effect::DryRun { commits_seen: 5, commits_new: 4 })
            .await
            .unwrap();
        let repository = store.repository(batch, 0).await.unwrap().unwrap();
        assert_eq!(
            (repository.state, repository.commits_seen, repository.commits_new),
            (RepositoryState::Planned, 5, 4)
        );
    }
    assert!(store.unsent(batch, 10).await.unwrap().is_empty());
}

fn finished<'a>(batch: BatchId, report: &'a str, inputs: u8, as_of_seconds: i64) -> Finished<'a> {
    Finished { batch, report, manifest: "{}", inputs: Some([inputs; 32]), as_of_seconds, finished_at: 1 }
}

pub(crate) async fn reports_are_found_by_what_they_were_made_of(home: &Home) {
    let store = &*home.store;
    let mut batches = Vec::new();
    for _ in 0..3 {
        batches.push(submitted(store, &["/r"]).await);
    }
    assert_eq!(store.published("analyze").await.unwrap(), None);
    store.publish("analyze", &finished(batches[0], "first", 1, 10)).await.unwrap();
    store.publish("analyze", &finished(batches[1], "second", 1, 20)).await.unwrap();
    // Published again, as after a retry, it is the newer one.
    store.publish("analyze", &finished(batches[1], "other", 1, 20)).await.unwrap();
    store.publish("analyze", &finished(batches[1], "second", 1, 20)).await.unwrap();
    store.publish("weekly", &finished(batches[2], "third", 2, 20)).await.unwrap();
    let shown = |name: &'static str| async move { store.published(name).await.unwrap().unwrap().0 };
    assert_eq!((shown("analyze").await, shown("weekly").await), ("second".into(), "third".into()));
    for (inputs, as_of, expect) in
        [(1, 9, None), (1, 10, Some("first")), (1, 30, Some("second")), (2, 30, Some("third")), (3, 30, None)]
    {
        let found = store.report_of(&[inputs; 32], as_of).await.unwrap();
        assert_eq!(found.as_deref(), expect, "{inputs} as of {as_of}");
    }
}

pub(crate) async fn old_batches_go_and_published_ones_stay(home: &Home) {
    let store = &*home.store;
    let mut batches = Vec::new();
    for _ in 0..5 {
        batches.push(submitted(store, &["/r"]).await);
    }
    store.publish("kept", &finished(batches[0], "r", 1, 1)).await.unwrap();
    store.publish("moved", &finished(batches[1], "r", 1, 1)).await.unwrap();
    store.publish("moved", &finished(batches[4], "r", 1, 1)).await.unwrap();
    store.abandon(batches[3]).await.unwrap();
    // The newest goes on, one is published, one runs; the one that was published once goes.
    store.prune(1).await.unwrap();
    let mut left = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        if !store.repositories(*batch).await.unwrap().is_empty() {
            left.push(number);
        }
    }
    assert_eq!(left, [0, 2, 4]);
    assert_eq!(home.number("SELECT count(*) FROM job").await, 3);
}

pub(crate) async fn what_ended_long_ago_retires(home: &Home) {
    let store = &*home.store;
    submitted(store, &["/r"]).await;
    home.run(
        "INSERT INTO attempt (job_id, number, started_at, heard_at, ended_at, ending) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
         SELECT (SELECT id FROM job), i, 0, 0, i, 'ok' FROM n; \
         INSERT INTO attempt (job_id, number, started_at, heard_at) SELECT id, 9999, 0, 0 FROM job; \
         INSERT INTO worker (name, started_at, heard_at, slots, running, version, host, gone_at) \
         VALUES ('old', 0, 0, 1, 0, '1', 'h', 5), ('here', 0, 0, 1, 0, '1', 'h', NULL)",
    )
    .await;
    let nothing = Retention::default();
    assert_eq!(store.retire(&nothing).await.unwrap(), 0);
    let old =
        Retention { attempts: Some(2401), dead_letters: Some(9), workers: Some(6), ..Retention::default() };
    assert_eq!(store.retire(&old).await.unwrap(), 2401);
    assert_eq!(home.number("SELECT count(*) FROM attempt").await, 101);
    assert_eq!(home.number("SELECT count(*) FROM worker").await, 1);
    assert_eq!(store.retire(&old).await.unwrap(), 0);
}

/// The clock goes forward: what is due goes, in steps of a thousand rows, and nothing else.
pub(crate) async fn tokens_sessions_and_the_log_retire(home: &Home) {
    let store = &*home.store;
    home.run(
        "INSERT INTO api_token (id, name, digest, role, created_by, created_at, expires_at, revoked_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2200) \
         SELECT 't' || i, 'n', (SELECT digest FROM api_failed_digest), 'viewer', 'c', i, \
                CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 2 = 1 THEN i END FROM n; \
         INSERT INTO api_token (id, name, digest, role, created_by, created_at) \
         SELECT 'valid', 'n', (SELECT digest FROM api_failed_digest), 'viewer', 'c', 0; \
         INSERT INTO api_session (digest, token, created_at, expires_at) \
         SELECT (SELECT digest FROM api_failed_digest), 't', 0, 50"
            .replace("(SELECT digest FROM api_failed_digest)", &home.bytes(32))
            .as_str(),
    )
    .await;
    for at in 0..1_100_i64 {
        home.access.log(crate::access::entry(0), at).await.unwrap();
    }
    let old =
        Retention { tokens: Some(2101), sessions: Some(50), audit: Some(1_050), ..Retention::default() };
    assert_eq!(store.retire(&old).await.unwrap(), 2100 + 1_050);
    assert_eq!(home.number("SELECT count(*) FROM api_token").await, 101);
    assert_eq!(home.number("SELECT count(*) FROM api_session").await, 1);
    assert_eq!(home.number("SELECT min(seq) FROM audit").await, 1_051);
    let later = Retention { tokens: Some(9_000), sessions: Some(51), audit: Some(0), ..Retention::default() };
    // Of the tokens that are over the last one stays: who once asked for tokens goes on to do so.
    assert_eq!(store.retire(&later).await.unwrap(), 99 + 1);
    assert_eq!(home.number("SELECT count(*) FROM api_token WHERE id IN ('t2200', 'valid')").await, 2);
    assert!(home.access.has_tokens().await.unwrap());
    assert_eq!(store.retire(&later).await.unwrap(), 0);
}

pub(crate) async fn batches_retire_but_for_what_is_published(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..20));
    let mut batches = Vec::new();
    for (name, finished_at) in [("a", 10), ("a", 20), ("b", 10), ("b", 90)] {
        let batch = analysed(store, "/r", &fake, 10).await;
        let content = report(store, batch).await;
        let finished =
            Finished { batch, report: &content, manifest: "{}", inputs: None, as_of_seconds: 0, finished_at };
        store.publish(name, &finished).await.unwrap();
        batches.push((batch, content));
    }
    let running = submitted(store, &["/r"]).await;
    let old = Retention { batches: Some(50), ..Retention::default() };
    assert_eq!(store.retire(&old).await.unwrap(), 2);
    let mut left = Vec::new();
    for (batch, _) in &batches {
        left.push(store.batch(*batch).await.unwrap().is_some());
    }
    assert_eq!(left, [false, true, false, true]);
    assert!(store.batch(running).await.unwrap().is_some());
    assert_eq!(store.published("a").await.unwrap().unwrap().0, batches[1].1);
    // What they found out is there for the next one.
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, 20);
    assert_eq!(home.number("SELECT count(*) FROM snapshot").await, 1);
    assert_eq!(home.number("SELECT count(*) FROM job WHERE state <> 'queued'").await, 2);
    assert_eq!(store.retire(&old).await.unwrap(), 0);
}

pub(crate) async fn an_unfinished_batch_can_be_abandoned(home: &Home) {
    let store = &*home.store;
    let fake = Fake::of(history(0..20));
    let batch = submitted(store, &["/r"]).await;
    let survey = taken(store, batch).await.unwrap().remove(0);
    let plan = planned(store, &stored(store, &survey).await, &fake, 5).await;
    record(store, &fake.outcome(&survey), Effect::Plan(plan.clone().into())).await.unwrap();
    let slices = store.unsent(batch, 10).await.unwrap();
    for _ in 0..2 {
        store.abandon(batch).await.unwrap();
        assert!(store.unsent(batch, 10).await.unwrap().is_empty());
    }
    let late = &slices[1];
    record(store, &fake.outcome(late), Effect::Slice(&slice_of(&fake, late), None)).await.unwrap();
    assert_eq!(home.number("SELECT count(*) FROM commit_fact").await, 0);
    // The next batch does it all.
    analysed(store, "/r", &fake, 5).await;
}

pub(crate) async fn hostile_text_is_taken(home: &Home) {
    let store = &*home.store;
    let long: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut commits = history(0..3);
    commits[0].author.name = long.clone();
    commits[1].author.email = [0, 255, b'\'', b'"'].to_vec();
    commits[2].committer.name = Vec::new();
    commits[0].files[0].path = long;
    commits[1].message = b"\0\xff".to_vec();
    commits[2].authored.seconds = Some(i64::MIN);
    commits[1].authored.seconds = None;
    let fake = Fake::of(commits.clone());
    let batch = submitted(store, &["/r'; DROP TABLE job; --"]).await;
    finish(store, batch, &fake, 10).await;
    commits.sort_by_key(|commit| commit.id);
    assert_eq!(read(home).await, commits);
    // And from the rows, without the packs.
    home.run("DELETE FROM fact_pack").await;
    assert_eq!(read(home).await, commits);
}

pub(crate) async fn a_large_history_is_recorded_whole(home: &Home) {
    let store = &*home.store;
    // More than one statement takes of anything.
    let mut commits = history(0..12_500);
    for commit in commits.iter_mut().step_by(100) {
        commit.parents.push(id(0));
        commit.files.clear();
    }
    let fake = Fake::of(commits);
    let batch = analysed(store, "/r", &fake, 5_000).await;
    assert_eq!(home.number("SELECT count(*) FROM snapshot_commit").await, 12_500);
    assert_eq!(home.number("SELECT count(*) FROM commit_person").await, 25_000);
    assert_eq!(home.number("SELECT count(*) FROM commit_file").await, 2 * (12_500 - 125));
    assert_eq!(home.number("SELECT count(*) FROM signature").await, 17);
    let snapshot = store.snapshot(&source("/r"), &head(), SCOPE).await.unwrap().unwrap();
    let sums = store.merge_sums(snapshot.id).await.unwrap();
    assert_eq!(sums.net_lines, 5 * 125);
    assert_eq!(read(home).await.len(), 12_500);
    assert_eq!(store.repository(batch, 0).await.unwrap().unwrap().commits_new, 12_500);
}

pub(crate) async fn the_last_decision_about_two_people_stands(home: &Home) {
    let store = &*home.store;
    let decision = |a: &str, linked, reason: &str| PeopleLink {
        a: a.into(),
        b: "z@x".into(),
        linked,
        by: "operator".into(),
        reason: reason.into(),
        decided_at: 7,
    };
    assert_eq!(store.people_links().await.unwrap(), []);
    store.decide_people(&decision("b@x", true, "one")).await.unwrap();
    store.decide_people(&decision("Zo\u{eb} <a@x>", true, "two")).await.unwrap();
    store.decide_people(&decision("b@x", false, "three")).await.unwrap();
    let kept = [decision("Zo\u{eb} <a@x>", true, "two"), decision("b@x", false, "three")];
    assert_eq!(store.people_links().await.unwrap(), kept, "by bytes, in either dialect");
    assert!(store.forget_people("b@x", "z@x").await.unwrap());
    assert!(!store.forget_people("b@x", "z@x").await.unwrap());
    assert_eq!(store.people_links().await.unwrap(), kept[..1]);
}
