//! Packs of briefs are derived: whatever is wrong with them, reports stay what they are.

use gitfleet_shared::facts::{ChangeKind, ClaimedTime, CommitFacts, FileChange, Lines, UnknownReason};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::fake::{Fake, analysed, history, id, report, signature};
use crate::home::Home;

fn lines() -> impl Strategy<Value = Lines> {
    prop_oneof![
        6 => (0..9_000u32, 0..9_000u32).prop_map(|(added, deleted)| Lines::Counted { added, deleted }),
        1 => (-5..5i32).prop_map(|net_text_lines| Lines::Binary { net_text_lines }),
        1 => Just(Lines::Unknown(UnknownReason::MissingObject)),
        1 => Just(Lines::Unknown(UnknownReason::TooLarge)),
    ]
}

/// Lines of one side of a whole file, which are only added or only deleted.
fn whole() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![4 => (0..9_000u32).prop_map(Some), 1 => Just(None)]
}

fn file() -> impl Strategy<Value = FileChange> {
    let unknown = Lines::Unknown(UnknownReason::TooLarge);
    let kind = prop_oneof![
        Just(ChangeKind::Added),
        Just(ChangeKind::Deleted),
        Just(ChangeKind::Modified),
        (whole(), whole()).prop_map(move |(old, new)| ChangeKind::Renamed {
            from: b"before.c".to_vec(),
            whole_old: old.map_or(unknown, |deleted| Lines::Counted { added: 0, deleted }),
            whole_new: new.map_or(unknown, |added| Lines::Counted { added, deleted: 0 }),
        }),
    ];
    ("[a-c]\\.(rs|py|txt|none)", kind, lines()).prop_map(|(path, kind, lines)| FileChange {
        path: path.into_bytes(),
        kind,
        lines,
    })
}

fn time() -> impl Strategy<Value = ClaimedTime> {
    let seconds = prop_oneof![
        8 => (1_600_000_000..1_610_000_000i64).prop_map(Some),
        1 => Just(None),
        1 => prop_oneof![Just(0), Just(i64::MAX), Just(-1)].prop_map(Some),
    ];
    (seconds, -720..720i16).prop_map(|(seconds, offset_minutes)| ClaimedTime { seconds, offset_minutes })
}

/// Histories of commits that differ in their ids.
fn histories() -> impl Strategy<Value = Vec<CommitFacts>> {
    let person = || "[a-d]".prop_map(|name| signature(&name));
    vec((0..3u32, person(), person(), time(), time(), vec(file(), 0..4)), 1..40).prop_map(|commits| {
        let numbered = (0u32..).zip(commits);
        numbered
            .map(|(number, (parents, author, committer, authored, committed, files))| CommitFacts {
                id: id(number),
                parents,
                author,
                authored,
                committer,
                committed,
                message: b"why".to_vec(),
                files: if parents > 1 { Vec::new() } else { files },
            })
            .collect()
    })
}

/// Returns the commits of all packs, and how many packs there are.
async fn packed(home: &Home) -> (i64, i64) {
    let commits = home.number("SELECT CAST(coalesce(sum(commits), 0) AS BIGINT) FROM brief_pack").await;
    (commits, home.number("SELECT count(*) FROM brief_pack").await)
}

pub(crate) async fn packs_and_rows_give_the_same_report(home: &Home) {
    let (cases, wrongs) = if home.is_postgres() { (4, POSTGRES_WRONGS) } else { (24, SQLITE_WRONGS) };
    let mut runner = TestRunner::default();
    for case in 0..cases {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let slice_commits = (1..50usize).new_tree(&mut runner).unwrap().current();
        home.run("DELETE FROM brief_pack").await;
        let last = history.iter().filter(|facts| facts.are_final()).count() as i64;
        let fake = Fake::of(history);
        let batch = analysed(&*home.store, &format!("/{case}"), &fake, slice_commits).await;
        assert_eq!(packed(home).await.0, last, "{fake:?}");
        let from_packs = report(&*home.store, batch).await;
        for wrong in wrongs {
            home.run(wrong).await;
            assert_eq!(report(&*home.store, batch).await, from_packs, "{wrong}: {fake:?}");
            assert_eq!(packed(home).await.0, last, "{wrong}: {fake:?}");
            assert_eq!(report(&*home.store, batch).await, from_packs, "mended after {wrong}: {fake:?}");
        }
    }
}

/// None, some, of another version, cut, empty.
const SQLITE_WRONGS: &[&str] = &[
    "DELETE FROM brief_pack",
    "DELETE FROM brief_pack WHERE id IN (SELECT id FROM brief_pack LIMIT 1)",
    "UPDATE brief_pack SET content = CAST(substr(content, 1, 5) || x'0900' || substr(content, 8) AS BLOB)",
    "UPDATE brief_pack SET content = substr(content, 1, length(content) - 1)",
    "UPDATE brief_pack SET content = x''",
];
const POSTGRES_WRONGS: &[&str] = &[
    "DELETE FROM brief_pack",
    "DELETE FROM brief_pack WHERE id IN (SELECT id FROM brief_pack LIMIT 1)",
    "UPDATE brief_pack SET content = overlay(content PLACING '\\x0900'::bytea FROM 6)",
    "UPDATE brief_pack SET content = substr(content, 1, length(content) - 1)",
    "UPDATE brief_pack SET content = ''",
];

pub(crate) async fn many_small_packs_become_few(home: &Home) {
    let batch = analysed(&*home.store, "/r", &Fake::of(history(0..100)), 1).await;
    assert_eq!(packed(home).await, (100, 100));
    let before = report(&*home.store, batch).await;
    assert_eq!(packed(home).await, (100, 1));
    assert_eq!(report(&*home.store, batch).await, before);
}
