//! What the door of the API may count on.

use gitfleet_coordinator::access::entry::{Entry, Kept, Verifier};
use gitfleet_coordinator::access::{Lockout, Pace, Phase, Role, Scope, Shown, StoredToken};
use gitfleet_coordinator::store::ledger::{BatchFilter, JobFilter, Wish};
use gitfleet_coordinator::submit::{Requested, Submission};
use gitfleet_shared::contract::{Revisions, Source};
use gitfleet_shared::ids::{BatchId, JobId};

use crate::fake::terms;
use crate::home::Home;

fn token(scope: Scope) -> StoredToken {
    let shown = Shown::generate().unwrap();
    StoredToken {
        id: shown.id().to_owned(),
        name: "nightly".into(),
        digest: shown.digest(),
        role: Role::Operator,
        scope,
        created_by: "somebody".into(),
        created_at: 5,
        expires_at: Some(50),
        revoked_at: None,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) async fn a_token_is_found_until_it_is_revoked(home: &Home) {
    let access = &*home.access;
    assert!(!access.has_tokens().await.unwrap());
    let (all, part) = (token(Scope::All), token(Scope::of(names(&["it's", "\u{e9}"]), Vec::new())));
    for one in [&all, &part] {
        access.add_token(one).await.unwrap();
        assert_eq!(access.token(&one.id).await.unwrap().as_ref(), Some(one));
    }
    assert!(access.has_tokens().await.unwrap());
    assert_eq!(access.tokens().await.unwrap().len(), 2);
    assert_eq!(access.revoke_token(&all.id, 7).await.unwrap(), Wish::Done);
    assert_eq!(access.revoke_token(&all.id, 8).await.unwrap(), Wish::Already);
    assert_eq!(access.revoke_token("nobody", 8).await.unwrap(), Wish::NotFound);
    assert_eq!(access.token(&all.id).await.unwrap().unwrap().revoked_at, Some(7));
    assert_eq!(access.token("nobody").await.unwrap(), None);
    // A scope that nobody can read is not everything.
    home.run("UPDATE api_token SET scope = '{'").await;
    access.token(&part.id).await.unwrap_err();
}

pub(crate) async fn a_session_ends(home: &Home) {
    let access = &*home.access;
    access.add_session([1; 32], "one", 0, 10).await.unwrap();
    assert_eq!(access.session([1; 32], 9).await.unwrap().as_deref(), Some("one"));
    assert_eq!(access.session([1; 32], 10).await.unwrap(), None);
    assert_eq!(access.session([2; 32], 0).await.unwrap(), None);
    access.add_session([2; 32], "two", 10, 20).await.unwrap();
    assert_eq!(home.number("SELECT count(*) FROM api_session").await, 1);
    access.end_session([2; 32]).await.unwrap();
    assert_eq!(access.session([2; 32], 11).await.unwrap(), None);
}

pub(crate) async fn a_pace_holds_for_all_who_draw_at_once(home: &Home) {
    let pace = Pace { interval_millis: 100, burst_millis: 1_000 };
    let mut drawing = Vec::new();
    for number in 0..40_i64 {
        let access = home.access.clone();
        let own = format!("own {number}");
        drawing.push(tokio::spawn(async move {
            access.draw(&[own, "shared".into()], pace, 5_000).await.unwrap()
        }));
    }
    let (mut taken, mut waits) = (0, Vec::new());
    for one in drawing {
        match one.await.unwrap() {
            0 => taken += 1,
            wait => waits.push(wait),
        }
    }
    assert_eq!(taken, 10, "as many as may come at once, and not one more");
    assert!(waits.iter().all(|wait| *wait == 100), "{waits:?}");
    // Who was refused for one name has drawn from none.
    assert_eq!(home.number("SELECT count(*) FROM api_rate").await, 11);
    assert_eq!(home.access.draw(&names(&["shared"]), pace, 5_099).await.unwrap(), 1);
    assert_eq!(home.access.draw(&names(&["shared"]), pace, 5_100).await.unwrap(), 0);
    assert_eq!(home.access.draw(&names(&["shared"]), pace, 5_100).await.unwrap(), 100);
    // A clock that is behind takes nothing away, and gives nothing.
    assert!(home.access.draw(&names(&["shared"]), pace, 0).await.unwrap() > 100);
}

pub(crate) async fn who_fails_too_often_is_locked_out(home: &Home) {
    let access = &*home.access;
    let (lockout, x, y) = (Lockout::default(), names(&["address x", "token t at x"]), names(&["address y"]));
    let mut failing = Vec::new();
    for _ in 0..9 {
        let (access, x) = (home.access.clone(), x.clone());
        failing.push(tokio::spawn(async move { access.fail(&x, lockout, 1_000).await.unwrap() }));
    }
    for one in failing {
        one.await.unwrap();
    }
    assert_eq!(access.locked_until(&x).await.unwrap(), 0);
    access.fail(&x, lockout, 1_000).await.unwrap();
    assert_eq!(access.locked_until(&x).await.unwrap(), 61_000);
    assert_eq!(access.locked_until(&x[1..]).await.unwrap(), 61_000);
    access.fail(&x[..1], lockout, 62_000).await.unwrap();
    assert_eq!(access.locked_until(&x).await.unwrap(), 62_000 + 120_000);
    assert_eq!(access.locked_until(&y).await.unwrap(), 0);
    access.fail(&y, lockout, 62_000).await.unwrap();
    assert_eq!(access.locked_until(&y).await.unwrap(), 0);
}

pub(crate) fn entry(number: usize) -> Entry {
    Entry {
        seq: 77,
        at: "never".into(),
        request: format!("request {number}"),
        phase: Phase::Asked,
        actor: "nul \0, quote ' and \u{1f600}".into(),
        address: "192.0.2.1".into(),
        action: "POST /api/v1/batches".into(),
        object: "/api/v1/batches".into(),
        body_sha256: None,
        status: Some(201),
        reason: None,
    }
}

async fn verified(home: &Home) -> Result<Vec<Kept>, String> {
    let head = home.access.log_head().await.unwrap();
    let mut verifier = Verifier::new(&head);
    let kept = home.access.log_entries(head.removed_seq, 10_000).await.unwrap();
    kept.iter().try_for_each(|one| verifier.next(one))?;
    verifier.end(&head).map(|()| kept)
}

pub(crate) async fn the_log_is_a_chain_that_is_only_added_to(home: &Home) {
    assert_eq!(verified(home).await, Ok(Vec::new()));
    let mut logging = Vec::new();
    for number in 0..20 {
        let access = home.access.clone();
        logging.push(tokio::spawn(async move { access.log(entry(number), 1_000).await.unwrap() }));
    }
    for one in logging {
        one.await.unwrap();
    }
    let kept = verified(home).await.unwrap();
    let entries: Vec<Entry> = kept.iter().map(|kept| serde_json::from_str(&kept.entry).unwrap()).collect();
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    assert!(entries.iter().all(|one| one.at == "1970-01-01T00:00:01.000Z" && one.actor == entry(0).actor));
    assert_eq!(home.access.log_entries(18, 1).await.unwrap(), kept[18..19]);
    for statement in [
        "UPDATE audit SET at = 0 WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 20",
        "DELETE FROM audit",
    ] {
        let refused = home.refuses(statement).await;
        assert!(refused.contains("only added to"), "{statement}: {refused}");
    }
    if home.is_postgres() {
        assert!(home.refuses("TRUNCATE audit").await.contains("only added to"));
    }
    assert_eq!(verified(home).await, Ok(kept.clone()));
    // Whoever may change the schema can change rows, and is found out.
    let (off, on) = match home.is_postgres() {
        true => ("ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit ENABLE TRIGGER ALL"),
        false => ("DROP TRIGGER audit_keeps_what_it_says; DROP TRIGGER audit_keeps_rows", "SELECT 1"),
    };
    home.run(off).await;
    for (forge, first) in [
        ("UPDATE audit SET entry = replace(entry, '192.0.2.1', '192.0.2.2') WHERE seq = 4", "entry 4 "),
        ("DELETE FROM audit WHERE seq = 3", "entry 3 "),
        (
            "UPDATE audit SET seq = -2 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 1; UPDATE audit SET seq = 1 WHERE seq = -2",
            "entry 1 ",
        ),
    ] {
        home.run(forge).await;
        let found = verified(home).await.unwrap_err();
        assert!(found.starts_with(first), "{forge}: {found}");
    }
    home.run("DELETE FROM audit WHERE seq < 19").await;
    assert!(verified(home).await.is_err());
    home.run(on).await;
}

pub(crate) async fn what_is_old_goes_from_the_log_and_the_rest_verifies(home: &Home) {
    for number in 0..20_i64 {
        home.access.log(entry(0), number * 10).await.unwrap();
    }
    assert_eq!(home.access.trim_log(0, 100).await.unwrap(), 0);
    assert_eq!(home.access.trim_log(95, 4).await.unwrap(), 4);
    assert_eq!(home.access.trim_log(95, 100).await.unwrap(), 6);
    assert_eq!(home.access.trim_log(95, 100).await.unwrap(), 0);
    assert_eq!(verified(home).await.unwrap().len(), 10);
    assert!(home.refuses("DELETE FROM audit WHERE seq = 11").await.contains("only added to"));
    assert_eq!(home.access.trim_log(i64::MAX, 100).await.unwrap(), 10);
    home.access.log(entry(0), 500).await.unwrap();
    let kept = verified(home).await.unwrap();
    assert!(kept.len() == 1 && kept[0].entry.contains("\"seq\":21"), "{kept:?}");
}

/// Submits a batch of `repositories`, each a path and a project key.
async fn submit(home: &Home, team: Option<&str>, repositories: &[(&str, &str)]) -> BatchId {
    let requested = |(path, project): &(&str, &str)| Requested {
        name: (*path).to_owned(),
        project_key: (*project).to_owned(),
        source: Source::Local { path: (*path).to_owned() },
        revisions: Revisions::Head,
        credential: None,
    };
    let submission = Submission {
        name: "nightly".into(),
        repositories: repositories.iter().map(requested).collect(),
        priority: 0,
        labels: team.map(|team| ("team".to_owned(), team.to_owned())).into_iter().collect(),
        terms: terms(),
        config: "{}".into(),
        request: None,
        submitted_at: 1,
    };
    gitfleet_coordinator::submit::submit(&*home.store, submission).await.unwrap().0
}

pub(crate) async fn a_part_of_the_fleet_is_all_that_is_seen_of_it(home: &Home) {
    let store = &*home.store;
    let of_x = submit(home, Some("x"), &[("/x", "A")]).await;
    let of_y = submit(home, Some("y"), &[("/y", "A")]).await;
    let of_a = submit(home, None, &[("/a", "A"), ("/shared", "A")]).await;
    let of_a_and_b = submit(home, None, &[("/b", "B"), ("/shared", "A")]).await;
    let (first, last) = (BatchId::from_bytes([0; 16]), BatchId::from_bytes([255; 16]));
    let (first_job, last_job) = (JobId::from_bytes([0; 16]), JobId::from_bytes([255; 16]));
    for (teams, projects, seen, sources) in [
        (&[][..], &[][..], vec![of_x, of_y, of_a, of_a_and_b], 5),
        (&["x"], &[], vec![of_x], 1),
        (&["x", "y"], &[], vec![of_x, of_y], 2),
        (&[], &["A"], vec![of_a], 2),
        (&["y"], &["A", "B"], vec![of_y, of_a, of_a_and_b], 4),
        (&["z"], &["C"], vec![], 0),
        (&["x' OR '1' = '1"], &["%", "\""], vec![], 0),
    ] {
        let scope = Scope::of(names(teams), names(projects));
        let filter = BatchFilter { scope: scope.clone(), limit: 10, ..BatchFilter::default() };
        let mut listed: Vec<String> =
            store.batches(&filter).await.unwrap().into_iter().map(|batch| batch.id).collect();
        listed.sort();
        let mut expected: Vec<String> = seen.iter().map(BatchId::to_string).collect();
        expected.sort();
        assert_eq!(listed, expected, "{scope}");
        for batch in [of_x, of_y, of_a, of_a_and_b] {
            let found = store.batches_between(batch, batch, &scope).await.unwrap();
            assert_eq!(found.contains(&batch), seen.contains(&batch), "{scope}");
        }
        assert_eq!(
            store.batches_between(first, last, &scope).await.unwrap().len(),
            seen.len().min(2),
            "{scope}"
        );
        let filter = JobFilter { scope: scope.clone(), limit: 100, ..JobFilter::default() };
        let jobs = store.jobs(&filter, 1).await.unwrap();
        assert!(jobs.iter().all(|job| expected.contains(&job.batch)), "{scope}");
        assert_eq!(jobs.is_empty(), seen.is_empty(), "{scope}");
        assert_eq!(store.jobs_between(first_job, last_job, &scope).await.unwrap().len(), jobs.len().min(2));
        let found = store.sources(&scope, 100).await.unwrap();
        assert_eq!(found.len(), sources, "{scope}: {found:?}");
        let shared = found.iter().find(|source| source.source.contains("shared"));
        let naming = seen.iter().filter(|batch| [of_a, of_a_and_b].contains(batch)).count();
        assert_eq!(shared.map_or(0, |source| source.batches), i64::try_from(naming).unwrap(), "{scope}");
        for source in store.sources(&Scope::All, 100).await.unwrap() {
            let there = store.source(source.id, &scope).await.unwrap().is_some();
            assert_eq!(there, found.iter().any(|one| one.id == source.id), "{scope}");
        }
        assert!(store.reports(&scope, 10).await.unwrap().is_empty());
    }
}
