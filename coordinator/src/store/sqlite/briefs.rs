//! Briefs of commits in packs: what a report reads instead of rows.
//!
//! A pack is made of rows that never change, in the transaction that writes them, and anything wrong with it is no
//! more than a reason to read the rows again.

use std::collections::HashMap;

use gitfleet_shared::codec::{self, Kind};
use gitfleet_shared::facts::{CommitFacts, Signature};
use gitfleet_shared::metrics::brief::{BRIEF_VERSION, Brief, FileSums};
use gitfleet_shared::object_id::ObjectId;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use super::{Doing as _, facts};
use crate::store::{Block, FactSet, Listed, Result, StoreError};

/// Commits of a pack at most.
const PACK: usize = 1_000;
/// A pack of fewer commits is small, and so many small ones are put together.
const SMALL: i64 = 256;
const MANY: usize = 64;

#[derive(Serialize, Deserialize)]
struct Pack {
    authors: Vec<Signature>,
    commits: Vec<Packed>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Packed {
    /// The row of the commit.
    row: i64,
    id: ObjectId,
    is_merge: bool,
    authored: Option<i64>,
    committed: Option<i64>,
    /// Its place among the authors of the pack.
    author: usize,
    files: FileSums,
}

impl Pack {
    fn of<'a>(commits: impl Iterator<Item = (i64, &'a Signature, Brief)>) -> Self {
        let mut numbers: HashMap<&Signature, usize> = HashMap::new();
        let mut pack = Self { authors: Vec::new(), commits: Vec::new() };
        for (row, author, brief) in commits {
            let author = *numbers.entry(author).or_insert_with(|| {
                pack.authors.push(author.clone());
                pack.authors.len() - 1
            });
            let Brief { id, is_merge, authored, committed, files } = brief;
            pack.commits.push(Packed { row, id, is_merge, authored, committed, author, files });
        }
        pack
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let pack: Self = codec::decode(Kind::Briefs, BRIEF_VERSION, content).ok()?;
        pack.commits.iter().all(|commit| commit.author < pack.authors.len()).then_some(pack)
    }
}

/// Packs the final ones of `commits`, which were just written to their rows.
pub(super) async fn pack(
    connection: &mut SqliteConnection,
    set: FactSet,
    commits: &[(i64, &CommitFacts)],
) -> Result<()> {
    let last: Vec<&(i64, &CommitFacts)> = commits.iter().filter(|(_, facts)| facts.are_final()).collect();
    for commits in last.chunks(PACK) {
        let briefs = commits.iter().map(|(row, facts)| (*row, &facts.author, Brief::of(facts)));
        insert(connection, set, &Pack::of(briefs)).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, set: FactSet, pack: &Pack) -> Result<()> {
    let Some(first) = pack.commits.iter().map(|commit| commit.row).min() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO brief_pack (fact_set_id, first_commit_id, commits, content) VALUES (?, ?, ?, ?) \
         ON CONFLICT (fact_set_id, first_commit_id) DO UPDATE SET commits = excluded.commits, \
             content = excluded.content",
    )
    .bind(set.0)
    .bind(first)
    .bind(i64::try_from(pack.commits.len()).unwrap_or(i64::MAX))
    .bind(codec::encode(Kind::Briefs, BRIEF_VERSION, pack))
    .execute(connection)
    .await
    .doing("pack briefs")?;
    Ok(())
}

/// The commits of a snapshot by row, and which of them were met.
struct Members {
    /// Ascending by row; whether it is on the mainline.
    rows: Vec<(i64, bool)>,
    met: Vec<bool>,
}

impl Members {
    async fn of(connection: &mut SqliteConnection, snapshot: i64) -> Result<Self> {
        // One row for all, because a row costs a hundred times what a number costs.
        let listed: Option<String> = sqlx::query(
            "SELECT group_concat(2 * commit_id + mainline) FROM snapshot_commit WHERE snapshot_id = ?",
        )
        .bind(snapshot)
        .fetch_one(connection)
        .await
        .doing("list a snapshot's commits")?
        .get(0);
        let mut rows = Vec::new();
        for number in listed.as_deref().unwrap_or_default().split_terminator(',') {
            let number: i64 =
                number.parse().map_err(|_| StoreError::Damaged { what: "a snapshot's commits" })?;
            rows.push((number >> 1, number & 1 == 1));
        }
        rows.sort_unstable();
        Ok(Self { met: vec![false; rows.len()], rows })
    }

    /// Notes that the commit of `row` was met, and returns whether it is on the mainline; `None` where it is no member
    /// or was met before.
    fn meet(&mut self, row: i64) -> Option<bool> {
        let position = self.rows.binary_search_by_key(&row, |(known, _)| *known).ok()?;
        (!std::mem::replace(&mut self.met[position], true)).then(|| self.rows[position].1)
    }

    fn missing(&self) -> Vec<i64> {
        self.rows.iter().zip(&self.met).filter(|(_, met)| !**met).map(|((row, _), _)| *row).collect()
    }
}

/// Calls `each` with all commits of a snapshot, in blocks, and mends the packs where they need it.
pub(super) async fn read(
    pool: &SqlitePool,
    snapshot: i64,
    each: &mut (dyn for<'a> FnMut(&'a Block) + Send),
) -> Result<()> {
    let mut transaction = pool.begin().await.doing("begin")?;
    let set: i64 = sqlx::query("SELECT fact_set_id FROM snapshot WHERE id = ?")
        .bind(snapshot)
        .fetch_one(&mut *transaction)
        .await
        .doing("find a snapshot")?
        .get(0);
    let mut members = Members::of(&mut transaction, snapshot).await?;
    let packs: Vec<(i64, i64)> =
        sqlx::query("SELECT id, commits FROM brief_pack WHERE fact_set_id = ? ORDER BY id")
            .bind(set)
            .fetch_all(&mut *transaction)
            .await
            .doing("list packs")?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
    let gather = packs.iter().filter(|(_, commits)| *commits < SMALL).count() >= MANY;
    // Packs that go, and the commits that must not go with them.
    let (mut outdated, mut gathered): (Vec<i64>, Vec<(i64, Signature, Brief)>) = Default::default();
    for (id, commits) in packs {
        let row = sqlx::query("SELECT content FROM brief_pack WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .doing("read a pack")?;
        let Some(pack) = Pack::decode(row.get(0)) else {
            outdated.push(id);
            continue;
        };
        if gather && commits < SMALL {
            outdated.push(id);
            gathered.extend(
                pack.commits
                    .iter()
                    .map(|commit| (commit.row, pack.authors[commit.author].clone(), brief(commit.clone()))),
            );
        }
        each(&block(pack, &mut members));
    }
    for rows in members.missing().chunks(PACK) {
        let commits = facts::read(&mut transaction, rows).await?;
        let pack = Pack::of(commits.iter().map(|(row, facts)| (*row, &facts.author, Brief::of(facts))));
        each(&block(pack, &mut members));
        let last = commits.into_iter().filter(|(_, facts)| facts.are_final());
        gathered.extend(last.map(|(row, facts)| (row, facts.author.clone(), Brief::of(&facts))));
    }
    if outdated.is_empty() && gathered.is_empty() {
        return Ok(());
    }
    for id in outdated {
        sqlx::query("DELETE FROM brief_pack WHERE id = ?")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .doing("forget a pack")?;
    }
    for commits in gathered.chunks(PACK) {
        let briefs = commits.iter().map(|(row, author, brief)| (*row, author, brief.clone()));
        insert(&mut transaction, FactSet(set), &Pack::of(briefs)).await?;
    }
    transaction.commit().await.doing("mend packs")
}

fn brief(commit: Packed) -> Brief {
    let Packed { id, is_merge, authored, committed, files, .. } = commit;
    Brief { id, is_merge, authored, committed, files }
}

/// Returns those commits of a pack that are members and were not met.
fn block(pack: Pack, members: &mut Members) -> Block {
    let mut commits = Vec::with_capacity(pack.commits.len());
    for commit in pack.commits {
        if let Some(on_mainline) = members.meet(commit.row) {
            commits.push(Listed { author: commit.author, on_mainline, brief: brief(commit) });
        }
    }
    Block { authors: pack.authors, commits }
}

#[cfg(test)]
mod tests {
    use gitfleet_shared::contract::{
        Changed, Mainline, Outcome, Revisions, SliceResult, Snapshot, Source, SurveyResult, TipResult, Work,
        WorkResult,
    };
    use gitfleet_shared::facts::{ChangeKind, ClaimedTime, FileChange, Lines, UnknownReason};
    use gitfleet_shared::ids::BatchId;
    use gitfleet_shared::window::Window;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::Sqlite;
    use super::*;
    use crate::aggregate::aggregate;
    use crate::collect::{Purpose, collect};
    use crate::report::json;
    use crate::store::{RepositoryState, Store as _};
    use crate::submit::{Requested, Submission, submit};

    const LIMIT: u64 = 1 << 20;

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
    fn history() -> impl Strategy<Value = Vec<CommitFacts>> {
        let person = "[a-d]".prop_map(|name| Signature { name: name.into_bytes(), email: b"e".to_vec() });
        vec((0..3u32, person.clone(), person, time(), time(), vec(file(), 0..4)), 1..40).prop_map(|commits| {
            let numbered = (0u32..).zip(commits);
            numbered
                .map(|(number, (parents, author, committer, authored, committed, files))| {
                    let mut id = [7; 20];
                    id[..4].copy_from_slice(&number.to_be_bytes());
                    CommitFacts {
                        id: ObjectId::try_from(&id[..]).unwrap(),
                        parents,
                        author,
                        authored,
                        committer,
                        committed,
                        message: b"why".to_vec(),
                        files: if parents > 1 { Vec::new() } else { files },
                    }
                })
                .collect()
        })
    }

    struct Stored {
        _folder: tempfile::TempDir,
        store: Sqlite,
        batch: BatchId,
    }

    impl Stored {
        /// Returns a store that holds `history`, recorded in slices of `slice_commits`.
        async fn with(history: &[CommitFacts], slice_commits: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Sqlite::open(&folder.path().join("store")).await.unwrap();
            let requested = Requested {
                name: "r".into(),
                project_key: "R".into(),
                source: Source::Local { path: "/r".into() },
                revisions: Revisions::Head,
            };
            let submission = Submission {
                repositories: vec![requested],
                max_blob_bytes: LIMIT,
                config: String::new(),
                submitted_at: 0,
            };
            let batch = submit(&store, submission).await.unwrap();
            let ids: Vec<ObjectId> = history.iter().map(|commit| commit.id).collect();
            loop {
                let jobs = store.unsent(batch, 1_000).await.unwrap();
                if jobs.is_empty() {
                    break;
                }
                let sent: Vec<_> = jobs.iter().map(|job| job.id).collect();
                store.mark_sent(&sent, 0).await.unwrap();
                for job in jobs {
                    let result = match job.work {
                        Work::Survey { .. } => WorkResult::Survey(SurveyResult::Changed(Box::new(Changed {
                            snapshot: Snapshot {
                                refs: [1; 32],
                                head: ids.first().copied(),
                                branch: None,
                                tips: ids[..1].to_vec(),
                                attributes: [0; 32],
                                shallow: false,
                                mailmap: None,
                            },
                            since_base: false,
                            costs: Vec::new(),
                            added: ids.clone(),
                            mainline: Mainline {
                                continues_base: false,
                                commits: ids.iter().step_by(2).copied().collect(),
                                merges: Vec::new(),
                            },
                        }))),
                        Work::Slice { commits, .. } => WorkResult::Slice(SliceResult {
                            facts: history
                                .iter()
                                .filter(|facts| commits.contains(&facts.id))
                                .cloned()
                                .collect(),
                            mainline_merges: Vec::new(),
                            undone: Vec::new(),
                            undone_merges: Vec::new(),
                            cache_hits: 0,
                        }),
                        Work::Tip { .. } => WorkResult::Tip(TipResult { lines: 3, unknown_files: 0 }),
                    };
                    let (id, worker) = (job.id, String::new());
                    let outcome = Outcome { job: id, batch, worker, elapsed_millis: 1, result: Ok(result) };
                    collect(&store, Purpose::Analyse { slice_commits }, &outcome).await.unwrap();
                }
            }
            assert_eq!(store.repositories(batch).await.unwrap()[0].state, RepositoryState::Analysed);
            Self { _folder: folder, store, batch }
        }

        async fn report(&self) -> String {
            let window = Window::all_history(chrono_tz::UTC);
            json::render(&aggregate(&self.store, self.batch, &window, LIMIT, 1_605_000_000).await.unwrap())
        }

        async fn change_packs(&self, statement: &'static str) {
            sqlx::query(statement).execute(&self.store.pool).await.unwrap();
        }

        /// Returns the commits of all packs, and how many packs there are.
        async fn packed(&self) -> (usize, usize) {
            let rows =
                sqlx::query("SELECT content FROM brief_pack").fetch_all(&self.store.pool).await.unwrap();
            let commits = rows.iter().map(|row| Pack::decode(row.get(0)).unwrap().commits.len()).sum();
            (commits, rows.len())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn packs_and_rows_give_the_same_report(history in history(), slice_commits in 1..50usize) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let stored = Stored::with(&history, slice_commits).await;
                let last = history.iter().filter(|facts| facts.are_final()).count();
                assert_eq!(stored.packed().await.0, last);
                let from_packs = stored.report().await;
                for wrong in [
                    "DELETE FROM brief_pack",
                    "DELETE FROM brief_pack WHERE id IN (SELECT id FROM brief_pack LIMIT 1)",
                    // Another version, and bytes that are cut or none at all.
                    "UPDATE brief_pack SET content = \
                     CAST(substr(content, 1, 5) || x'0900' || substr(content, 8) AS BLOB)",
                    "UPDATE brief_pack SET content = substr(content, 1, length(content) - 1)",
                    "UPDATE brief_pack SET content = x''",
                ] {
                    stored.change_packs(wrong).await;
                    assert_eq!(stored.report().await, from_packs, "{wrong}");
                    assert_eq!(stored.packed().await.0, last, "{wrong}");
                    assert_eq!(stored.report().await, from_packs, "mended after: {wrong}");
                }
            });
        }
    }

    #[tokio::test]
    async fn many_small_packs_become_few() {
        let one = CommitFacts {
            id: ObjectId::try_from(&[0; 20][..]).unwrap(),
            parents: 1,
            author: Signature { name: b"a".to_vec(), email: b"e".to_vec() },
            authored: ClaimedTime { seconds: Some(1_600_000_000), offset_minutes: 0 },
            committer: Signature { name: b"a".to_vec(), email: b"e".to_vec() },
            committed: ClaimedTime { seconds: Some(1_600_000_000), offset_minutes: 0 },
            message: Vec::new(),
            files: Vec::new(),
        };
        let history: Vec<CommitFacts> = (0..100u8)
            .map(|number| CommitFacts { id: ObjectId::try_from(&[number; 20][..]).unwrap(), ..one.clone() })
            .collect();
        let stored = Stored::with(&history, 1).await;
        assert_eq!(stored.packed().await, (100, 100));
        let report = stored.report().await;
        assert_eq!(stored.packed().await, (100, 1));
        assert_eq!(stored.report().await, report);
    }
}
