//! Facts of commits in packs: what a report reads instead of rows.
//!
//! A pack is made of rows that never change, in the transaction that writes them, and anything wrong with it is no
//! more than a reason to read the rows again.

use std::borrow::Cow;

use gitfleet_shared::facts::CommitFacts;
use sqlx::Row as _;

use super::{Connection, Database, Doing as _, bulk, erased, facts};
use crate::store::{FactSet, Listed, Result, pack};

/// Commits of a pack at most.
const PACK: usize = 1_000;
/// A pack of fewer commits is small, and so many small ones are put together.
const SMALL: i64 = 256;
const MANY: usize = 64;

/// Packs the final ones of `commits`, which were just written to their rows.
pub(super) async fn pack(
    connection: &mut Connection,
    set: FactSet,
    commits: &[(i64, &CommitFacts)],
) -> Result<()> {
    let last: Vec<(i64, &CommitFacts)> =
        commits.iter().filter(|(_, facts)| facts.are_final()).copied().collect();
    for commits in last.chunks(PACK) {
        insert(connection, set, commits).await?;
    }
    Ok(())
}

async fn insert(connection: &mut Connection, set: FactSet, commits: &[(i64, &CommitFacts)]) -> Result<()> {
    let Some(first) = commits.iter().map(|(row, _)| *row).min() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO fact_pack (fact_set_id, first_commit_id, commits, content) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (fact_set_id, first_commit_id) DO UPDATE SET commits = excluded.commits, \
             content = excluded.content",
    )
    .bind(set.0)
    .bind(first)
    .bind(i64::try_from(commits.len()).unwrap_or(i64::MAX))
    .bind(pack::encode(commits))
    .execute(connection)
    .await
    .doing("pack facts")?;
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
    each: &mut (dyn for<'a> FnMut(&'a [Listed]) + Send),
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
        sqlx::query("SELECT id, commits FROM fact_pack WHERE fact_set_id = $1 ORDER BY id")
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
        let row = sqlx::query("SELECT content FROM fact_pack WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *transaction)
            .await
            .doing("read a pack")?;
        let Some(pack) = pack::decode(row.get(0)) else {
            mending.outdated.push(id);
            continue;
        };
        if gather && commits < SMALL {
            mending.outdated.push(id);
            mending.gathered.extend(pack.iter().cloned());
        }
        each(&block(pack, &mut members));
    }
    for rows in members.missing().chunks(PACK) {
        let commits = facts::read(&mut transaction, rows).await?;
        mending.gathered.extend(commits.iter().filter(|(_, facts)| facts.are_final()).cloned());
        each(&block(commits, &mut members));
    }
    transaction.commit().await.doing("read packs")?;
    if mending.is_needed()
        && let Err(error) = mending.carry_out(database).await
    {
        // The report has all it needs; the next one mends.
        tracing::warn!(error = &error as &dyn std::error::Error, "packs of facts stay as they are");
    }
    Ok(())
}

/// Packs that go, and the commits that must not go with them.
struct Mending {
    set: FactSet,
    outdated: Vec<i64>,
    gathered: Vec<(i64, CommitFacts)>,
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
        let list = erased::hold(database, &mut transaction).await?;
        let mut gathered = Cow::Borrowed(self.gathered.as_slice());
        if !list.is_empty() {
            // They may have been read before the list was what it is.
            for (_, facts) in gathered.to_mut() {
                list.facts(facts);
            }
        }
        for id in &self.outdated {
            sqlx::query("DELETE FROM fact_pack WHERE id = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .doing("forget a pack")?;
        }
        for commits in gathered.chunks(PACK) {
            let commits: Vec<_> = commits.iter().map(|(row, facts)| (*row, facts)).collect();
            insert(&mut transaction, self.set, &commits).await?;
        }
        transaction.commit().await.doing("mend packs")
    }
}

/// Returns those commits of a pack that are members and were not met.
fn block(pack: Vec<(i64, CommitFacts)>, members: &mut Members) -> Vec<Listed> {
    let listed = |(row, facts)| Some(Listed { on_mainline: members.meet(row)?, facts });
    pack.into_iter().filter_map(listed).collect()
}
