//! Packs of facts are derived: whatever is wrong with them, reports stay what they are.

use gitfleet_coordinator::store::Listed;
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, FileChange, How, Hunk, Lines, MergedPath, Origin, UnknownReason,
};
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
    ("[a-c]\\.(rs|py|txt|none)", kind, lines(), hunks(), any::<[u8; 8]>()).prop_map(
        |(path, kind, lines, hunks, content)| FileChange {
            path: path.into_bytes(),
            kind,
            lines,
            hunks,
            content,
        },
    )
}

/// Hunks by the unchanged lines between them.
fn hunks() -> impl Strategy<Value = Vec<Hunk>> {
    vec((0..300u32, 0..300u32, 0..300u32), 0..4).prop_map(|parts| {
        let (mut old_end, mut new_end) = (0, 0);
        let hunk = |(between, old_lines, new_lines)| {
            let (old_start, new_start) = (old_end + between, new_end + between);
            (old_end, new_end) = (old_start + old_lines, new_start + new_lines);
            Hunk { old_start, old_lines, new_start, new_lines }
        };
        parts.into_iter().map(hunk).collect()
    })
}

fn merged() -> impl Strategy<Value = MergedPath> {
    let origin = ("[d-f]", hunks()).prop_map(|(path, hunks)| Origin { path: path.into_bytes(), hunks });
    let composed =
        (proptest::option::of(0..9_000u32), any::<[u8; 8]>(), vec(proptest::option::of(origin), 0..3));
    let how = prop_oneof![
        (1..3u32).prop_map(|parent| How::Taken { parent }),
        Just(How::Gone),
        Just(How::Unknown(UnknownReason::TooLarge)),
        Just(How::Unknown(UnknownReason::MissingObject)),
        composed.prop_map(|(lines, content, from)| How::Composed { lines, content, from }),
    ];
    ("[a-z]{0,2}", how).prop_map(|(path, how)| MergedPath { path: path.into_bytes(), how })
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
    vec((0..3u32, person(), person(), time(), time(), vec(file(), 0..4), vec(merged(), 0..3)), 1..40)
        .prop_map(|commits| {
            let numbered = (0u32..).zip(commits);
            numbered
                .map(|(number, (parents, author, committer, authored, committed, files, merged))| {
                    CommitFacts {
                        id: id(number),
                        parents: (0..parents).map(|parent| id(number + 1 + parent)).collect(),
                        author,
                        authored,
                        committer,
                        committed,
                        message: b"why".to_vec(),
                        merged: if parents > 1 { merged } else { Vec::new() },
                        files: if parents > 1 { Vec::new() } else { files },
                    }
                })
                .collect()
        })
}

/// Returns the commits of all packs, and how many packs there are.
async fn packed(home: &Home) -> (i64, i64) {
    let commits = home.number("SELECT CAST(coalesce(sum(commits), 0) AS BIGINT) FROM fact_pack").await;
    (commits, home.number("SELECT count(*) FROM fact_pack").await)
}

/// Returns the facts of the newest snapshot, by id.
pub(crate) async fn read(home: &Home) -> Vec<CommitFacts> {
    let snapshot = home.number("SELECT max(id) FROM snapshot").await;
    let mut commits = Vec::new();
    let mut each = |block: &[Listed]| commits.extend(block.iter().map(|listed| listed.facts.clone()));
    home.store.read_facts(snapshot, &mut each).await.unwrap();
    commits.sort_by_key(|commit| commit.id);
    commits
}

pub(crate) async fn packs_and_rows_give_the_same_report(home: &Home) {
    let (cases, wrongs) = if home.is_postgres() { (4, POSTGRES_WRONGS) } else { (24, SQLITE_WRONGS) };
    let mut runner = TestRunner::default();
    for case in 0..cases {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let slice_commits = (1..50usize).new_tree(&mut runner).unwrap().current();
        home.run("DELETE FROM fact_pack").await;
        let last = history.iter().filter(|facts| facts.are_final()).count() as i64;
        let fake = Fake::of(history.clone());
        let batch = analysed(&*home.store, &format!("/{case}"), &fake, slice_commits).await;
        assert_eq!(packed(home).await.0, last, "{fake:?}");
        let from_packs = report(&*home.store, batch).await;
        assert_eq!(read(home).await, history, "{fake:?}");
        for wrong in wrongs {
            home.run(wrong).await;
            assert_eq!(read(home).await, history, "{wrong}");
            home.run(wrong).await;
            assert_eq!(report(&*home.store, batch).await, from_packs, "{wrong}: {fake:?}");
            assert_eq!(packed(home).await.0, last, "{wrong}: {fake:?}");
            assert_eq!(report(&*home.store, batch).await, from_packs, "mended after {wrong}: {fake:?}");
        }
    }
}

/// None, some, of another version, cut, empty.
const SQLITE_WRONGS: &[&str] = &[
    "DELETE FROM fact_pack",
    "DELETE FROM fact_pack WHERE id IN (SELECT id FROM fact_pack LIMIT 1)",
    "UPDATE fact_pack SET content = CAST(substr(content, 1, 5) || x'0900' || substr(content, 8) AS BLOB)",
    "UPDATE fact_pack SET content = substr(content, 1, length(content) - 1)",
    "UPDATE fact_pack SET content = x''",
];
const POSTGRES_WRONGS: &[&str] = &[
    "DELETE FROM fact_pack",
    "DELETE FROM fact_pack WHERE id IN (SELECT id FROM fact_pack LIMIT 1)",
    "UPDATE fact_pack SET content = overlay(content PLACING '\\x0900'::bytea FROM 6)",
    "UPDATE fact_pack SET content = substr(content, 1, length(content) - 1)",
    "UPDATE fact_pack SET content = ''",
];

pub(crate) async fn many_small_packs_become_few(home: &Home) {
    let batch = analysed(&*home.store, "/r", &Fake::of(history(0..100)), 1).await;
    assert_eq!(packed(home).await, (100, 100));
    let before = report(&*home.store, batch).await;
    assert_eq!(packed(home).await, (100, 1));
    assert_eq!(report(&*home.store, batch).await, before);
}
