//! Whoever is erased is nowhere any more: not in what was there, and not in what comes.

use gitfleet_coordinator::person::{self, PersonRequest};
use gitfleet_coordinator::store::erasures::{Erasures as _, KeyFit, NewErasure};
use gitfleet_coordinator::store::ledger::Ledger;
use gitfleet_coordinator::store::postgres::{Options, Postgres};
use gitfleet_coordinator::store::{Effect, Finished, PeopleLink, Recording, Store, StoreError};
use gitfleet_shared::codec;
use gitfleet_shared::contract::{Failure, FailureClass, Outcome};
use gitfleet_shared::facts::{CommitFacts, Signature};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::people::erasure::Key;
use gitfleet_shared::queue::DeadLetter;
use serde_json::Value;

use crate::fake::{ANALYSE, Fake, analysed, collected, finish, history, report, submitted, taken};
use crate::home::{Home, SECRET};

/// What nothing may say, in lower case. They have nothing in common with anything else in these tests.
const CANARIES: [&str; 5] =
    ["zelda quark", "zq@quark.example", "zelda@home.example", "zquark99", "quark.example"];

fn zelda(name: &str, email: &str) -> Signature {
    Signature { name: name.into(), email: email.into() }
}

/// A history in which she has a part in every third commit, by several names.
fn hers(numbers: std::ops::Range<u32>) -> Vec<CommitFacts> {
    let mut history = history(numbers);
    for (nth, commit) in history.iter_mut().enumerate() {
        match nth % 12 {
            0 => commit.author = zelda("Zelda Quark", "ZQ@quark.example"),
            3 => commit.author = zelda("zquark99", "zq@quark.example"),
            6 => commit.committer = zelda("Zelda Quark", "zelda@home.example"),
            9 => {
                commit.message =
                    b"undo what Zelda\nQuark did\n\nReviewed-by: zquark99 <zq@quark.example>\n".to_vec();
            }
            _ => {}
        }
    }
    history
}

fn fake(numbers: std::ops::Range<u32>) -> Fake {
    let mailmap = b"# who is who\nP Nought <p0@x>\nZelda Quark <zq@quark.example> <zelda@home.example>\n";
    Fake { mailmap: Some(mailmap.to_vec()), ..Fake::of(hers(numbers)) }
}

fn asked(identity: &str) -> PersonRequest {
    PersonRequest { identities: vec![identity.into()], only: false }
}

async fn erase(store: &dyn Ledger, identity: &str) -> person::Erasure {
    let purge = || async { Ok(0) };
    person::erase(store, purge, &asked(identity), "request-1", 5).await.unwrap()
}

/// Returns what names her, in whatever column, and inside of whatever frame.
async fn hits(home: &Home) -> Vec<String> {
    let mut hits = Vec::new();
    for (place, bytes) in home.dump().await {
        let inside = codec::inside(&bytes).unwrap_or_default();
        for bytes in [bytes, inside] {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            hits.extend(
                CANARIES.iter().filter(|one| words.contains(*one)).map(|one| format!("{one} in {place}")),
            );
        }
    }
    hits.sort();
    hits.dedup();
    hits
}

/// Returns the numbers of a report: rows by what they say of nobody in particular.
fn numbers(report: &str) -> Value {
    let report: Value = serde_json::from_str(report).unwrap();
    let mut people: Vec<(Value, Value, Value)> = report["tables"]["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["commits"].clone(), row["reviews"].clone(), row["lines_held"].clone()))
        .collect();
    people.sort_by_key(|row| format!("{row:?}"));
    serde_json::json!([
        report["totals"],
        report["weeks"],
        report["repositories"],
        report["languages"],
        people
    ])
}

async fn publish(store: &dyn Store, batch: BatchId, name: &str, report: &str, manifest: &str) {
    let finished = Finished { batch, report, manifest, inputs: None, as_of_seconds: 1, finished_at: 1 };
    store.publish(name, &finished).await.unwrap();
}

fn failed(job: &gitfleet_shared::contract::Job, message: &str) -> Outcome {
    let failure = Failure { class: FailureClass::Internal, message: message.into() };
    Outcome { job: job.id, batch: job.batch, worker: "w".into(), elapsed_millis: 1, result: Err(failure) }
}

pub(crate) async fn nothing_names_whom_it_was(home: &Home) {
    let store = &*home.store;
    let fake = fake(0..240);
    let batch = analysed(store, "/r", &fake, 50).await;
    let before = report(store, batch).await;
    publish(store, batch, "analyze", &before, "{\"by\": \"zq@quark.example\"}").await;
    // What is on its way to a snapshot, and what failed.
    let pending = submitted(store, &["/s", "/t"]).await;
    let surveys = taken(store, pending).await.unwrap();
    collected(store, ANALYSE, &fake.outcome(&surveys[0]), None).await;
    let outcome = failed(&surveys[1], "it broke at a commit of Zelda Quark");
    let Err(failure) = &outcome.result else { panic!("it failed") };
    let recording = Recording { outcome: &outcome, effect: Effect::Failure(failure) };
    store.record(&[recording], Some(3)).await.unwrap();
    let jobs = taken(store, pending).await.unwrap();
    let slice = jobs.iter().find(|job| job.work.name() == "slice").unwrap();
    for (letter, body) in [
        ("plain", b"zq@quark.example".to_vec()),
        ("frame", fake.outcome(slice).encode()),
        ("hers not", b"{}".to_vec()),
    ] {
        let letter =
            DeadLetter { topic: "outcomes".into(), cause: format!("{letter} of zq@quark.example"), body };
        store.keep_dead(&letter, 1).await.unwrap();
    }
    let link = |a: &str, b: &str, by: &str| PeopleLink {
        a: a.into(),
        b: b.into(),
        linked: true,
        by: by.into(),
        reason: "as Zelda Quark said".into(),
        decided_at: 1,
    };
    store.decide_people(&link("zelda@home.example", "zq@quark.example", "ann")).await.unwrap();
    store.decide_people(&link("a@x", "b@x", "Zelda Quark")).await.unwrap();
    let found = hits(home).await;
    for place in [
        "signature",
        "commit_fact",
        "fact_pack",
        "snapshot",
        "pending_snapshot",
        "report",
        "job",
        "attempt",
        "batch_repository",
        "dead_letter",
        "people_link",
    ] {
        assert!(
            found.iter().any(|hit| hit.contains(&format!(" in {place}."))),
            "no canary in {place}: {found:?}"
        );
    }

    let erasure = erase(store, "zq@quark.example").await;
    assert_eq!(erasure.found.identities.len(), 3, "{:?}", erasure.found.identities);
    assert_eq!(erasure.found.mentions.len(), 20);
    assert_eq!(erasure.found.commits.len(), 60);
    let replaced = erasure.replaced.unwrap();
    assert!(!replaced.swept.is_nothing());
    assert_eq!(replaced.swept.dead_letters, 2, "the third names nobody");
    assert_eq!(hits(home).await, [""; 0]);
    assert_eq!(store.people_links().await.unwrap().len(), 1);

    let after = report(store, batch).await;
    assert_eq!(numbers(&after), numbers(&before));
    assert!(after.contains(&replaced.name) && after.contains(&replaced.email));
    // Those of rows are those of packs.
    home.run("DELETE FROM fact_pack").await;
    assert_eq!(report(store, batch).await, after);
    let (kept, manifest) = store.published("analyze").await.unwrap().unwrap();
    assert_eq!(numbers(&kept), numbers(&before));
    assert_eq!(manifest, format!("{{\"by\":\"{}\"}}", replaced.email));

    let again = erase(store, "Zelda Quark <zq@quark.example>").await.replaced.unwrap();
    assert_eq!((&again.name, &again.request), (&replaced.name, &replaced.request));
    assert!(again.swept.is_nothing(), "{:?}", again.swept);
    assert_eq!(report(store, batch).await, after);
}

pub(crate) async fn what_comes_later_names_nobody(home: &Home) {
    let store = &*home.store;
    analysed(store, "/r", &fake(0..24), 50).await;
    let replaced = erase(store, "zelda@home.example").await.replaced.unwrap();
    // The whole history again, in another repository, with a name that was not known.
    let mut whole = fake(0..120);
    whole.history[1].author = zelda("Zelda Quark", "new@quark.example");
    whole.history[1].message = b"mine\n\nSigned-off-by: Z. <zelda@home.example>\n".to_vec();
    let batch = submitted(store, &["/s", "/t"]).await;
    let jobs = taken(store, batch).await.unwrap();
    collected(store, ANALYSE, &failed(&jobs[1], "Zelda Quark broke it"), Some(7)).await;
    collected(store, ANALYSE, &whole.outcome(&jobs[0]), Some(7)).await;
    assert!(store.take_redactions() > 0);
    finish(store, batch, &whole, 50).await;
    let letter = DeadLetter {
        topic: "outcomes".into(),
        cause: "zq@quark.example".into(),
        body: whole.outcome(&jobs[0]).encode(),
    };
    store.keep_dead(&letter, 1).await.unwrap();
    let link = PeopleLink {
        a: "a@x".into(),
        b: "zq@quark.example".into(),
        linked: true,
        by: "b".into(),
        reason: String::new(),
        decided_at: 1,
    };
    store.decide_people(&link).await.unwrap();
    assert_eq!(store.people_links().await.unwrap(), []);
    let late = "{\"developers\": [{\"name\": \"zquark99\", \"email\": \"ZQ@quark.example\"}]}";
    publish(store, batch, "late", late, "{}").await;
    assert_eq!(hits(home).await.into_iter().filter(|hit| !hit.contains("new@")).collect::<Vec<_>>(), [""; 0]);
    assert!(report(store, batch).await.contains(&replaced.name));
    let (kept, _) = store.published("late").await.unwrap().unwrap();
    assert!(kept.contains(&replaced.name) && !kept.contains("zquark99"), "{kept}");
}

pub(crate) async fn an_erasure_that_was_cut_short_is_done_again(home: &Home) {
    let store = &*home.store;
    let batch = analysed(store, "/r", &fake(0..120), 50).await;
    let before = report(store, batch).await;
    let key = store.erasure_key().unwrap();
    // Listed, and then nothing.
    let marks = vec![key.email("zq@quark.example"), key.email("zelda@home.example"), key.name("Zelda Quark")];
    let listed = |request: &str| NewErasure { request: request.into(), marks: marks.clone(), erased_at: 1 };
    let first = store.list_erased(&listed("first")).await.unwrap();
    assert_eq!(store.list_erased(&listed("second")).await.unwrap(), first);
    assert_eq!(first.request, "first");
    let open = "SELECT count(*) FROM erased_person WHERE swept_at IS NULL";
    assert_eq!(home.number(open).await, 1);
    assert!(!hits(home).await.is_empty());
    let erasure = erase(store, "zq@quark.example").await;
    assert_eq!(erasure.found.erased_as.as_deref(), Some(erasure.replaced.unwrap().name.as_str()));
    assert_eq!(hits(home).await, [""; 0]);
    assert_eq!(home.number(open).await, 0);
    assert_eq!(home.number("SELECT count(*) FROM erased_person").await, 1);
    assert_eq!(numbers(&report(store, batch).await), numbers(&before));
}

/// Recorders that had begun when somebody was listed are waited for, and all later ones know.
pub(crate) async fn what_is_recorded_meanwhile_does_not_slip_through(home: &Home) {
    let fake = fake(0..360);
    analysed(&*home.store, "/known", &fake, 360).await;
    let batch = submitted(&*home.store, &["/a", "/b", "/c", "/d"]).await;
    // The surveys, and then the slices of all four beside the erasure.
    for job in taken(&*home.store, batch).await.unwrap() {
        collected(&*home.store, ANALYSE, &fake.outcome(&job), None).await;
    }
    let slices = taken(&*home.store, batch).await.unwrap();
    assert!(slices.len() > 8, "{}", slices.len());
    let mut tasks = tokio::task::JoinSet::new();
    for job in slices {
        let (store, fake) = (home.store.clone(), fake.clone());
        tasks.spawn(async move {
            collected(&*store, ANALYSE, &fake.outcome(&job), None).await;
        });
    }
    let erased = erase(&*home.store, "zq@quark.example").await;
    assert!(erased.replaced.is_some());
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(hits(home).await, [""; 0]);
    finish(&*home.store, batch, &fake, 50).await;
    assert_eq!(hits(home).await, [""; 0]);
}

pub(crate) async fn what_is_held_is_handed_out(home: &Home) {
    let store = &*home.store;
    let batch = analysed(store, "/r", &fake(0..48), 50).await;
    let made = report(store, batch).await;
    publish(store, batch, "analyze", &made, "{}").await;
    let export = person::export(store, &asked("zelda@home.example")).await.unwrap();
    let by_hand = |role: &str| {
        format!(
            "SELECT count(*) FROM commit_person p JOIN signature s ON s.id = p.signature_id WHERE p.role = '{role}' \
             AND lower({}) LIKE '%quark%'",
            if home.is_postgres() { "convert_from(s.name, 'UTF8')" } else { "CAST(s.name AS TEXT)" }
        )
    };
    let count = |role: &str| export.commits.iter().filter(|one| one.role == role).count() as i64;
    assert_eq!(count("author"), home.number(&by_hand("author")).await);
    assert_eq!(count("committer"), home.number(&by_hand("committer")).await);
    assert_eq!((count("author"), count("committer")), (8, 4));
    assert_eq!(export.mentions.len(), 4);
    assert!(export.mentions.iter().all(|one| one.role == "reviewed-by" && one.email == "zq@quark.example"));
    assert_eq!(export.commits[0].at.as_deref().map(str::len), Some("2020-09-13T13:26:40+01:00".len()));
    assert_eq!(export.identities.iter().map(|one| one.commits).sum::<u64>(), 8);
    assert_eq!(export.reports.len(), 1);
    assert!(export.reports[0].rows > 2, "{:?}", export.reports);
    let nobody = person::export(store, &asked("nobody@nowhere.example")).await;
    assert!(matches!(nobody, Err(person::PersonError::Unknown)));
    for (identities, wrong) in [(vec![], "nobody"), (vec!["zelda".to_owned()], "identity 1")] {
        let refused = person::export(store, &PersonRequest { identities, only: false }).await.unwrap_err();
        assert!(refused.to_string().contains(wrong), "{refused}");
    }
    // Only what is named.
    let only = PersonRequest { only: true, ..asked("zelda@home.example") };
    let export = person::export(store, &only).await.unwrap();
    assert_eq!(export.identities.len(), 1);
    assert_eq!(export.commits.len(), 4);
}

pub(crate) async fn whom_others_share_a_name_with_stays_them(home: &Home) {
    let store = &*home.store;
    let mut history = history(0..30);
    history[3].author = zelda("Kim Shared", "root@localhost");
    history[4].author = zelda("Max Other", "root@localhost");
    history[5].message = b"Max Other and Kim Shared".to_vec();
    let batch = analysed(store, "/r", &Fake::of(history), 50).await;
    let before = report(store, batch).await;
    let replaced = erase(store, "Kim Shared <root@localhost>").await.replaced.unwrap();
    let after = report(store, batch).await;
    assert_eq!(numbers(&after), numbers(&before));
    assert!(
        after.contains("Max Other") && after.contains("root@localhost") && !after.contains("Kim"),
        "{after}"
    );
    assert!(after.contains(&replaced.name));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused() {
    let home = Home::postgres().await;
    analysed(&*home.store, "/r", &fake(0..24), 50).await;
    assert_eq!(home.store.erasure_key_fits().await.unwrap(), KeyFit::Fits);
    erase(&*home.store, "zq@quark.example").await;
    let options = || Options { schema: "fleet".into(), ..Options::default() };
    for (secret, fit) in [(None, KeyFit::Missing), (Some("quite another secret"), KeyFit::Wrong)] {
        let store = Postgres::connect(home.url().unwrap(), options()).await.unwrap();
        let store = store.erasing(secret.and_then(|secret| Key::new(secret.as_bytes())));
        assert_eq!(store.erasure_key_fits().await.unwrap(), fit);
        // Nothing can be written that might name them.
        let batch = decided(&store).await;
        assert!(matches!(batch, Err(StoreError::ErasureKey { .. })), "{batch:?}");
    }
    let key = Key::new(SECRET.as_bytes());
    let store = Postgres::connect(home.url().unwrap(), options()).await.unwrap().erasing(key);
    assert_eq!(store.erasure_key_fits().await.unwrap(), KeyFit::Fits);
}

async fn decided(store: &dyn Store) -> Result<(), StoreError> {
    let link = PeopleLink {
        a: "a@x".into(),
        b: "b@x".into(),
        linked: true,
        by: String::new(),
        reason: String::new(),
        decided_at: 1,
    };
    store.decide_people(&link).await
}
