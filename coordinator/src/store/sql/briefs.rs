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

use super::{Connection, Database, Doing as _, bulk, facts};
use crate::store::{Block, FactSet, Listed, Result};

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
    connection: &mut Connection,
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

async fn insert(connection: &mut Connection, set: FactSet, pack: &Pack) -> Result<()> {
    let Some(first) = pack.commits.iter().map(|commit| commit.row).min() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO brief_pack (fact_set_id, first_commit_id, commits, content) VALUES ($1, $2, $3, $4) \
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
    async fn of(connection: &mut Connection, snapshot: i64) -> Result<Self> {
        let mut rows = bulk::members(connection, snapshot).await?;
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
    database: &Database,
    snapshot: i64,
    each: &mut (dyn for<'a> FnMut(&'a Block) + Send),
) -> Result<()> {
    // All of it as of one moment: packs and members belong together.
    let mut transaction = database.begin_reading().await?;
    let set: i64 = sqlx::query("SELECT fact_set_id FROM snapshot WHERE id = $1")
        .bind(snapshot)
        .fetch_one(&mut *transaction)
        .await
        .doing("find a snapshot")?
        .get(0);
    let mut members = Members::of(&mut transaction, snapshot).await?;
    let packs: Vec<(i64, i64)> =
        sqlx::query("SELECT id, commits FROM brief_pack WHERE fact_set_id = $1 ORDER BY id")
            .bind(set)
            .fetch_all(&mut *transaction)
            .await
            .doing("list packs")?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
    let gather = packs.iter().filter(|(_, commits)| *commits < SMALL).count() >= MANY;
    let mut mending = Mending { set: FactSet(set), outdated: Vec::new(), gathered: Vec::new() };
    for (id, commits) in packs {
        let row = sqlx::query("SELECT content FROM brief_pack WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .doing("read a pack")?;
        let Some(pack) = Pack::decode(row.get(0)) else {
            mending.outdated.push(id);
            continue;
        };
        if gather && commits < SMALL {
            mending.outdated.push(id);
            mending.gathered.extend(
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
        mending.gathered.extend(last.map(|(row, facts)| (row, facts.author.clone(), Brief::of(&facts))));
    }
    transaction.commit().await.doing("read packs")?;
    if mending.is_needed()
        && let Err(error) = mending.carry_out(database).await
    {
        // The report has all it needs; the next one mends.
        tracing::warn!(error = &error as &dyn std::error::Error, "packs of briefs stay as they are");
    }
    Ok(())
}

/// Packs that go, and the commits that must not go with them.
struct Mending {
    set: FactSet,
    outdated: Vec<i64>,
    gathered: Vec<(i64, Signature, Brief)>,
}

impl Mending {
    fn is_needed(&self) -> bool {
        !self.outdated.is_empty() || !self.gathered.is_empty()
    }

    async fn carry_out(&self, database: &Database) -> Result<()> {
        let mut transaction = database.begin().await?;
        if !facts::lock(&mut transaction, self.set).await? {
            return transaction.rollback().await.doing("leave packs alone");
        }
        for id in &self.outdated {
            sqlx::query("DELETE FROM brief_pack WHERE id = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .doing("forget a pack")?;
        }
        for commits in self.gathered.chunks(PACK) {
            let briefs = commits.iter().map(|(row, author, brief)| (*row, author, brief.clone()));
            insert(&mut transaction, self.set, &Pack::of(briefs)).await?;
        }
        transaction.commit().await.doing("mend packs")
    }
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
