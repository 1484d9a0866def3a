//! Facts at their grains: commit, file and person.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gitfleet_shared::contract::MainlineNet;
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, ContentMark, FileChange, Lines, Signature, UnknownReason,
};
use gitfleet_shared::object_id::ObjectId;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Connection, Database, Doing as _, FOR_CHANGE, Row, bulk, packs};
use crate::store::{FactSet, MainlineSums, Result, StoreError, pack};

/// Commits that are taken at a time, and ids of one statement.
const ROWS: usize = 1_000;

/// Adds facts to a fact set. Commits that stand there already are left as they are, because the same commit has the
/// same facts; only those that were not final are replaced.
pub(super) async fn insert(
    connection: &mut Connection,
    set: FactSet,
    signatures: &Signatures<'_>,
    facts: &[&CommitFacts],
    nets: &[(ObjectId, MainlineNet)],
) -> Result<()> {
    // A commit that two slices hold is one.
    let mut met = HashSet::new();
    let facts: Vec<&CommitFacts> = facts.iter().copied().filter(|commit| met.insert(commit.id)).collect();
    for commits in facts.chunks(ROWS) {
        forget_passing(connection, set, commits).await?;
        let new = insert_commits(connection, set, commits).await?;
        insert_people(connection, &new, signatures).await?;
        insert_files(connection, &new).await?;
        packs::pack(connection, set, &new).await?;
    }
    bulk::insert_nets(connection, set.0, nets).await.doing("take the sums of merges")
}

/// Lets one transaction at a time change the facts of a set: what it sees there is what is there. Returns false where
/// the set was forgotten.
pub(super) async fn lock(connection: &mut Connection, set: FactSet) -> Result<bool> {
    let statement = format!("SELECT 1 FROM fact_set WHERE id = $1 {FOR_CHANGE}");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(set.0)
        .fetch_optional(connection)
        .await
        .doing("take a fact set")?;
    Ok(row.is_some())
}

/// Signatures by the rows they stand in.
pub(super) type Signatures<'a> = HashMap<&'a Signature, i64>;

/// Adds the people of some commits, and returns them.
pub(super) async fn take_signatures<'a>(
    connection: &mut Connection,
    facts: impl Iterator<Item = &'a CommitFacts>,
) -> Result<Signatures<'a>> {
    let distinct: BTreeSet<&Signature> =
        facts.flat_map(|commit| [&commit.author, &commit.committer]).collect();
    let distinct: Vec<&Signature> = distinct.into_iter().collect();
    let mut ids = HashMap::new();
    // Sorted, so that two transactions which add the same ones do not wait for each other in a circle.
    for signatures in distinct.chunks(ROWS) {
        let rows = bulk::insert_signatures(connection, signatures).await.doing("take signatures")?;
        let found: HashMap<Signature, i64> =
            rows.iter().map(|row| (Signature { name: row.get(1), email: row.get(2) }, row.get(0))).collect();
        for signature in signatures {
            let id = found.get(*signature).ok_or(StoreError::Damaged { what: "signatures" })?;
            ids.insert(*signature, *id);
        }
    }
    Ok(ids)
}

/// Forgets files and people of those of `commits` whose facts were not final.
async fn forget_passing(connection: &mut Connection, set: FactSet, commits: &[&CommitFacts]) -> Result<()> {
    let arriving: HashSet<&[u8]> = commits.iter().map(|commit| commit.id.as_bytes()).collect();
    let passing: Vec<i64> =
        sqlx::query("SELECT id, oid FROM commit_fact WHERE fact_set_id = $1 AND final = 0")
            .bind(set.0)
            .fetch_all(&mut *connection)
            .await
            .doing("list facts that are not final")?
            .iter()
            .filter(|row| arriving.contains(row.get::<&[u8], _>(1)))
            .map(|row| row.get(0))
            .collect();
    for id in passing {
        for statement in
            ["DELETE FROM commit_file WHERE commit_id = $1", "DELETE FROM commit_person WHERE commit_id = $1"]
        {
            sqlx::query(statement).bind(id).execute(&mut *connection).await.doing("forget passing facts")?;
        }
    }
    Ok(())
}

/// Returns the commits that were not there before, or not for good, with their row ids.
async fn insert_commits<'a>(
    connection: &mut Connection,
    set: FactSet,
    commits: &[&'a CommitFacts],
) -> Result<Vec<(i64, &'a CommitFacts)>> {
    let rows = bulk::insert_commits(connection, set.0, commits).await.doing("take commits")?;
    let by_oid: HashMap<&[u8], &CommitFacts> =
        commits.iter().map(|commit| (commit.id.as_bytes(), *commit)).collect();
    Ok(rows.iter().filter_map(|row| Some((row.get(0), *by_oid.get(row.get::<&[u8], _>(1))?))).collect())
}

async fn insert_people(
    connection: &mut Connection,
    commits: &[(i64, &CommitFacts)],
    signatures: &Signatures<'_>,
) -> Result<()> {
    let people: Vec<(i64, &str, i64)> = commits
        .iter()
        .flat_map(|(id, commit)| {
            [(*id, "author", signatures[&commit.author]), (*id, "committer", signatures[&commit.committer])]
        })
        .collect();
    bulk::insert_people(connection, &people).await.doing("take people")
}

/// A changed file as a row.
pub(super) struct FileRow<'a> {
    /// The row of its commit, and its place there.
    pub(super) commit: i64,
    pub(super) position: i64,
    pub(super) path: &'a [u8],
    pub(super) kind: &'static str,
    pub(super) lines: Columns,
    pub(super) renamed: Option<Renamed<'a>>,
}

/// Where a renamed file came from, and the lines of both whole files.
pub(super) struct Renamed<'a> {
    pub(super) from: &'a [u8],
    pub(super) old: Columns,
    pub(super) new: Columns,
}

async fn insert_files(connection: &mut Connection, commits: &[(i64, &CommitFacts)]) -> Result<()> {
    let placed =
        commits.iter().flat_map(|(id, commit)| (0i64..).zip(&commit.files).map(|(at, file)| (*id, at, file)));
    let files: Vec<FileRow> =
        placed.map(|(commit, position, file)| file_row(commit, position, file)).collect();
    bulk::insert_files(connection, &files).await.doing("take changed files")
}

fn file_row(commit: i64, position: i64, file: &FileChange) -> FileRow<'_> {
    let (kind, renamed) = match &file.kind {
        ChangeKind::Added => ("added", None),
        ChangeKind::Deleted => ("deleted", None),
        ChangeKind::Modified => ("modified", None),
        ChangeKind::Renamed { from, whole_old, whole_new } => {
            let (old, new) = (Columns::of(*whole_old), Columns::of(*whole_new));
            ("renamed", Some(Renamed { from, old, new }))
        }
    };
    FileRow { commit, position, path: &file.path, kind, lines: Columns::of(file.lines), renamed }
}

/// [`Lines`] as columns.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) added: Option<i64>,
    pub(super) deleted: Option<i64>,
    pub(super) reason: Option<&'static str>,
    pub(super) net_text_lines: i64,
}

const BINARY: &str = "binary";

impl Columns {
    fn of(lines: Lines) -> Self {
        let none = Self { added: None, deleted: None, reason: None, net_text_lines: 0 };
        match lines {
            Lines::Counted { added, deleted } => {
                Self { added: Some(added.into()), deleted: Some(deleted.into()), ..none }
            }
            Lines::Binary { net_text_lines } => {
                Self { reason: Some(BINARY), net_text_lines: net_text_lines.into(), ..none }
            }
            Lines::Unknown(reason) => Self { reason: Some(reason.name()), ..none },
        }
    }
}

fn lines(
    added: Option<i64>,
    deleted: Option<i64>,
    reason: Option<&str>,
    net_text_lines: i64,
) -> Option<Lines> {
    let reasons = [UnknownReason::MissingObject, UnknownReason::TooLarge, UnknownReason::CorruptObject];
    match (added, deleted, reason) {
        (Some(added), Some(deleted), None) => {
            Some(Lines::Counted { added: added.try_into().ok()?, deleted: deleted.try_into().ok()? })
        }
        (_, _, Some(BINARY)) => Some(Lines::Binary { net_text_lines: net_text_lines.try_into().ok()? }),
        (_, _, Some(name)) => reasons.into_iter().find(|reason| reason.name() == name).map(Lines::Unknown),
        _ => None,
    }
}

/// Returns the facts of those commits, by row.
pub(super) async fn read(connection: &mut Connection, commits: &[i64]) -> Result<Vec<(i64, CommitFacts)>> {
    let people = "SELECT DISTINCT s.id, s.name, s.email FROM commit_person p JOIN signature s ON s.id = p.signature_id \
         WHERE p.commit_id";
    let facts = "SELECT c.id, c.oid, c.parents, c.authored_seconds, c.authored_offset_minutes, c.committed_seconds, \
         c.committed_offset_minutes, a.signature_id, k.signature_id, c.message, c.parent_oids FROM commit_fact c \
         JOIN commit_person a ON a.commit_id = c.id AND a.role = 'author' \
         JOIN commit_person k ON k.commit_id = c.id AND k.role = 'committer' WHERE c.id";
    let files = "SELECT commit_id, path, kind, added, deleted, reason, net_text_lines, from_path, old_lines, old_reason, \
         new_lines, new_reason FROM commit_file WHERE commit_id";
    let lines = "SELECT id, lines FROM commit_fact WHERE lines IS NOT NULL AND id";
    let signatures: HashMap<i64, Signature> = bulk::by_row(connection, people, commits, "")
        .await
        .doing("list signatures")?
        .iter()
        .map(|row| (row.get(0), Signature { name: row.get(1), email: row.get(2) }))
        .collect();
    let mut read = BTreeMap::new();
    for row in bulk::by_row(connection, facts, commits, "").await.doing("read commits")? {
        let commit = commit(&row, &signatures).ok_or(StoreError::Damaged { what: "a commit" })?;
        read.insert(row.get::<i64, _>(0), commit);
    }
    for row in bulk::by_row(connection, files, commits, "ORDER BY commit_id, position")
        .await
        .doing("read changed files")?
    {
        let commit = read.get_mut(&row.get(0)).ok_or(StoreError::Damaged { what: "a commit" })?;
        commit.files.push(file(&row).ok_or(StoreError::Damaged { what: "a changed file" })?);
    }
    for row in bulk::by_row(connection, lines, commits, "").await.doing("read lines")? {
        let commit = read.get_mut(&row.get(0)).ok_or(StoreError::Damaged { what: "a commit" })?;
        pack::decode_lines(commit, row.get(1))
            .ok_or(StoreError::Damaged { what: "the lines of a commit" })?;
    }
    if read.len() != commits.len() {
        return Err(StoreError::Damaged { what: "a snapshot that lists commits without facts" });
    }
    Ok(read.into_iter().collect())
}

fn commit(row: &Row, signatures: &HashMap<i64, Signature>) -> Option<CommitFacts> {
    let signature = |index: usize| signatures.get(&row.get::<i64, _>(index)).cloned();
    let time = |index: usize| {
        let offset_minutes = i16::try_from(row.get::<i64, _>(index + 1)).ok()?;
        Some(ClaimedTime { seconds: row.get(index), offset_minutes })
    };
    let id = ObjectId::try_from(row.get::<&[u8], _>(1)).ok()?;
    Some(CommitFacts {
        id,
        parents: parents(id, row.get::<i64, _>(2).try_into().ok()?, row.get(10))?,
        author: signature(7)?,
        authored: time(3)?,
        committer: signature(8)?,
        committed: time(5)?,
        message: row.get(9),
        files: Vec::new(),
        merged: Vec::new(),
    })
}

/// Returns the parents of a commit. A schema that was taken back and brought forth again knows no more than their number:
/// then they have ids that no object has.
fn parents(commit: ObjectId, count: usize, ids: &[u8]) -> Option<Vec<ObjectId>> {
    let len = commit.as_bytes().len();
    if ids.is_empty() && count > 0 {
        return ObjectId::try_from(&[0; 32][..len]).ok().map(|none| vec![none; count]);
    }
    let parents: Vec<ObjectId> =
        ids.chunks(len).map(|id| ObjectId::try_from(id).ok()).collect::<Option<_>>()?;
    (parents.len() == count).then_some(parents)
}

/// Returns the ids of a commit's parents, one behind the other.
pub(super) fn parent_ids(commit: &CommitFacts) -> Vec<u8> {
    commit.parents.iter().flat_map(|id| id.as_bytes().to_vec()).collect()
}

fn file(row: &Row) -> Option<FileChange> {
    let kind = match row.get::<&str, _>(2) {
        "added" => ChangeKind::Added,
        "deleted" => ChangeKind::Deleted,
        "modified" => ChangeKind::Modified,
        "renamed" => {
            let old: Option<i64> = row.get(8);
            let new: Option<i64> = row.get(10);
            ChangeKind::Renamed {
                from: row.get(7),
                whole_old: lines(old.map(|_| 0), old, row.get(9), 0)?,
                whole_new: lines(new, new.map(|_| 0), row.get(11), 0)?,
            }
        }
        _ => return None,
    };
    let lines = lines(row.get(3), row.get(4), row.get(5), row.get(6))?;
    Some(FileChange { path: row.get(1), kind, lines, hunks: Vec::new(), content: ContentMark::default() })
}

/// Sums what the merges on the first-parent chain of a snapshot did to their first parents' trees.
pub(super) async fn merge_sums(database: &Database, snapshot: i64) -> Result<MainlineSums> {
    let row = sqlx::query(
        // PostgreSQL sums to a type of its own.
        "SELECT CAST(coalesce(sum(m.net_lines), 0) AS BIGINT), \
                CAST(coalesce(sum(m.binary_flip_lines), 0) AS BIGINT), \
                CAST(coalesce(sum(m.unknown_files), 0) AS BIGINT) \
         FROM snapshot n CROSS JOIN mainline_net m CROSS JOIN commit_fact c CROSS JOIN snapshot_commit s \
         WHERE m.fact_set_id = n.fact_set_id AND c.fact_set_id = m.fact_set_id AND c.oid = m.oid \
         AND s.snapshot_id = n.id AND s.commit_id = c.id AND n.id = $1 AND s.mainline = 1 AND c.parents > 1",
    )
    .bind(snapshot)
    .fetch_one(&database.pool)
    .await
    .doing("sum the merges of the first-parent chain")?;
    Ok(MainlineSums {
        net_lines: row.get(0),
        binary_flip_lines: row.get(1),
        unknown_files: u64::try_from(row.get::<i64, _>(2)).unwrap_or(0),
    })
}
