//! What whoever lists a forge may count on.

use gitfleet_coordinator::access::Scope;
use gitfleet_coordinator::github::Listed;
use gitfleet_coordinator::store::listings::{Budget, Known, Page};
use gitfleet_coordinator::submit::{Requested, Submission};
use gitfleet_shared::contract::{Revisions, Source};
use gitfleet_shared::ids::BatchId;

use crate::fake::terms;
use crate::home::Home;

fn page(etag: &str, next: Option<&str>) -> Page {
    let repository = Listed {
        id: 7,
        full_name: "acme/web".into(),
        clone_url: "https://github.com/acme/web.git".into(),
        default_branch: Some("main".into()),
        archived: true,
        fork: false,
        private: true,
        disabled: false,
    };
    Page { etag: etag.into(), next: next.map(str::to_owned), repositories: vec![repository] }
}

fn known(id: i64, name: &str) -> Known {
    Known {
        id,
        account: "orgs/acme".into(),
        full_name: format!("acme/{name}"),
        url: format!("https://github.com/acme/{name}"),
    }
}

pub(crate) async fn a_page_is_kept_by_token_and_address(home: &Home) {
    let store = &*home.store;
    assert_eq!(store.page("t", "https://x/1").await.unwrap(), None);
    let (first, second) = (page("\"a\"", Some("https://x/2")), page("\"b\"", None));
    store.keep_page("t", "https://x/1", &first, 1_000).await.unwrap();
    assert_eq!(store.page("t", "https://x/1").await.unwrap(), Some(first.clone()));
    // What one token was shown is not another's.
    assert_eq!(store.page("u", "https://x/1").await.unwrap(), None);
    store.keep_page("t", "https://x/1", &second, 2_000).await.unwrap();
    assert_eq!(store.page("t", "https://x/1").await.unwrap(), Some(second));
    const DAYS: i64 = 24 * 60 * 60 * 1_000;
    store.keep_page("t", "https://x/2", &first, 91 * DAYS).await.unwrap();
    assert_eq!(store.page("t", "https://x/1").await.unwrap(), None, "nobody asked for it for long");
}

pub(crate) async fn a_budget_is_everybodys(home: &Home) {
    let store = &*home.store;
    assert_eq!(store.budget("t", "h").await.unwrap(), Budget::default());
    let told = |remaining, resets_at| Budget {
        allowed: Some(5_000),
        remaining: Some(remaining),
        resets_at: Some(resets_at),
        ..Budget::default()
    };
    // Answers come in any order; within one span of time the least is the last.
    for remaining in [9, 7, 8] {
        store.note_budget("t", "h", told(remaining, 100_000)).await.unwrap();
    }
    assert_eq!(store.budget("t", "h").await.unwrap().remaining, Some(7));
    store.note_budget("t", "h", told(4_999, 200_000)).await.unwrap();
    assert_eq!(store.budget("t", "h").await.unwrap().remaining, Some(4_999));
    assert_eq!(store.budget("t", "h").await.unwrap().opens_at(1), 0);
    store.note_budget("t", "h", told(0, 200_000)).await.unwrap();
    let used = store.budget("t", "h").await.unwrap();
    assert_eq!((used.opens_at(199_999), used.opens_at(200_000)), (200_000, 0));
    // Who is to slow down is so for everybody, and the longest time counts.
    store.block("t", "h", 500_000, 2).await.unwrap();
    store.block("t", "h", 400_000, 3).await.unwrap();
    let blocked = store.budget("t", "h").await.unwrap();
    assert_eq!((blocked.opens_at(300_000), blocked.strikes), (500_000, 3));
    store.note_budget("t", "h", told(4_000, 600_000)).await.unwrap();
    assert_eq!(store.budget("t", "h").await.unwrap().strikes, 0);
    store.block("u", "h", 1, 1).await.unwrap();
    assert_eq!(store.budget("u", "h").await.unwrap().allowed, None);
    assert_eq!(store.budget("t", "other").await.unwrap(), Budget::default());
    let all: Vec<String> = store.budgets().await.unwrap().into_iter().map(|(token, _)| token).collect();
    assert_eq!(all, ["t", "u"]);
}

/// Submits a batch of one repository.
async fn submit(home: &Home, url: &str) -> BatchId {
    let submission = Submission {
        name: "nightly".into(),
        repositories: vec![Requested {
            name: url.into(),
            project_key: "A".into(),
            source: Source::Remote { url: url.into() },
            revisions: Revisions::Head,
            credential: None,
        }],
        priority: 0,
        labels: Default::default(),
        terms: terms(),
        config: "{}".into(),
        request: None,
        submitted_at: 1,
    };
    gitfleet_coordinator::submit::submit(&*home.store, submission).await.unwrap().0
}

pub(crate) async fn a_renamed_repository_keeps_what_is_known_of_it(home: &Home) {
    let store = &*home.store;
    let sources = || async {
        let found = store.sources(&Scope::All, 100).await.unwrap();
        let mut found: Vec<(i64, String)> = found.into_iter().map(|one| (one.id, one.source)).collect();
        found.sort();
        found
    };
    let [one, two, three] = ["one", "two", "three"].map(|name| format!("https://github.com/acme/{name}"));
    for url in [&one, &two, &three] {
        let batch = submit(home, url).await;
        store.cancel(batch, 2).await.unwrap();
    }
    let running = submit(home, &three).await;
    store.note_listed("h", &[known(1, "one"), known(2, "two"), known(3, "three")], 10).await.unwrap();
    let before = sources().await;
    // One has a new name, one the name of another that is there, and one is being analysed.
    let now = [known(1, "first"), known(2, "three"), known(3, "third")];
    store.note_listed("h", &now, 20).await.unwrap();
    let mut expected = before.clone();
    for (_, source) in &mut expected {
        if *source == one {
            *source = "https://github.com/acme/first".to_owned();
        }
    }
    expected.sort();
    assert_eq!(sources().await, expected);
    assert_eq!(store.listed_before("h").await.unwrap(), now);
    assert!(store.listed_before("other").await.unwrap().is_empty());
    store.cancel(running, 30).await.unwrap();
    // What is not listed is not touched.
    store.note_listed("h", &[known(1, "first")], 40).await.unwrap();
    assert_eq!((sources().await, store.listed_before("h").await.unwrap().len()), (expected, 3));
}
