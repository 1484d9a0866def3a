//! Facts at their grains: commit, file and person.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gitfleet_shared::contract::MainlineNet;
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, FileChange, Lines, Signature, UnknownReason,
};
use gitfleet_shared::object_id::ObjectId;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};

use super::rows::Values;
use super::{Doing as _, briefs, rows};
use crate::store::{FactSet, MainlineSums, Result, StoreError};

/// Commits that are taken at a time, and ids of one statement; SQLite takes 32,766 bound values.
const ROWS: usize = 1_000;

/// Adds facts to a fact set. Commits that stand there already are left as they are, because the same commit has the
/// same facts; only those that were not final are replaced.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    set: FactSet,
    facts: &[CommitFacts],
    nets: &[(ObjectId, MainlineNet)],
) -> Result<()> {
    let signatures = signature_ids(connection, facts).await?;
    for commits in facts.chunks(ROWS) {
        forget_passing(connection, set, commits).await?;
        let new = insert_commits(connection, set, commits).await?;
        insert_people(connection, &new, &signatures).await?;
        insert_files(connection, &new).await?;
        briefs::pack(connection, set, &new).await?;
    }
    rows::insert(
        connection,
        "mainline_net (fact_set_id, oid, net_lines, binary_flip_lines, unknown_files, passing_files)",
        6,
        "ON CONFLICT DO UPDATE SET net_lines = excluded.net_lines, \
         binary_flip_lines = excluded.binary_flip_lines, unknown_files = excluded.unknown_files, \
         passing_files = excluded.passing_files WHERE passing_files > 0",
        nets,
        |row, (id, net)| {
            row.bind(set.0)
                .bind(id.as_bytes())
                .bind(net.net_lines)
                .bind(net.binary_flip_lines)
                .bind(i64::from(net.unknown_files))
                .bind(i64::from(net.passing_files))
        },
    )
    .await
    .doing("take the sums of merges")?;
    Ok(())
}

async fn signature_ids<'a>(
    connection: &mut SqliteConnection,
    facts: &'a [CommitFacts],
) -> Result<HashMap<&'a Signature, i64>> {
    let distinct: BTreeSet<&Signature> =
        facts.iter().flat_map(|commit| [&commit.author, &commit.committer]).collect();
    let distinct: Vec<&Signature> = distinct.into_iter().collect();
    let mut ids = HashMap::new();
    for signatures in distinct.chunks(ROWS) {
        rows::insert(
            connection,
            "signature (name, email)",
            2,
            "ON CONFLICT DO NOTHING",
            signatures,
            |row, signature| row.bind(signature.name.as_slice()).bind(signature.email.as_slice()),
        )
        .await
        .doing("take signatures")?;
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, name, email FROM signature WHERE (name, email) IN (");
        query.push_values(signatures, |mut row, signature| {
            row.push_bind(signature.name.as_slice()).push_bind(signature.email.as_slice());
        });
        let rows = query
            .push(")")
            .build()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await
            .doing("find signatures")?;
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
async fn forget_passing(
    connection: &mut SqliteConnection,
    set: FactSet,
    commits: &[CommitFacts],
) -> Result<()> {
    let arriving: HashSet<&[u8]> = commits.iter().map(|commit| commit.id.as_bytes()).collect();
    let passing: Vec<i64> =
        sqlx::query("SELECT id, oid FROM commit_fact WHERE fact_set_id = ? AND final = 0")
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
            ["DELETE FROM commit_file WHERE commit_id = ?", "DELETE FROM commit_person WHERE commit_id = ?"]
        {
            sqlx::query(statement).bind(id).execute(&mut *connection).await.doing("forget passing facts")?;
        }
    }
    Ok(())
}

/// Returns the commits that were not there before, or not for good, with their row ids.
async fn insert_commits<'a>(
    connection: &mut SqliteConnection,
    set: FactSet,
    commits: &'a [CommitFacts],
) -> Result<Vec<(i64, &'a CommitFacts)>> {
    let rows = rows::insert(
        connection,
        "commit_fact (fact_set_id, oid, parents, authored_seconds, authored_offset_minutes, committed_seconds, \
         committed_offset_minutes, message, final)",
        9,
        // A snapshot may list the row, so it is replaced where it is; its files and people were forgotten.
        "ON CONFLICT DO UPDATE SET final = excluded.final WHERE final = 0 RETURNING id, oid",
        commits,
        |row, commit| {
            row.bind(set.0)
                .bind(commit.id.as_bytes())
                .bind(i64::from(commit.parents))
                .bind(commit.authored.seconds)
                .bind(i64::from(commit.authored.offset_minutes))
                .bind(commit.committed.seconds)
                .bind(i64::from(commit.committed.offset_minutes))
                .bind(commit.message.as_slice())
                .bind(commit.are_final())
        },
    )
    .await
    .doing("take commits")?;
    let by_oid: HashMap<&[u8], &CommitFacts> =
        commits.iter().map(|commit| (commit.id.as_bytes(), commit)).collect();
    Ok(rows.iter().filter_map(|row| Some((row.get(0), *by_oid.get(row.get::<&[u8], _>(1))?))).collect())
}

async fn insert_people(
    connection: &mut SqliteConnection,
    commits: &[(i64, &CommitFacts)],
    signatures: &HashMap<&Signature, i64>,
) -> Result<()> {
    let people: Vec<(i64, &str, i64)> = commits
        .iter()
        .flat_map(|(id, commit)| {
            [(*id, "author", signatures[&commit.author]), (*id, "committer", signatures[&commit.committer])]
        })
        .collect();
    rows::insert(
        connection,
        "commit_person (commit_id, role, signature_id)",
        3,
        "",
        &people,
        |row, (id, role, signature)| row.bind(id).bind(*role).bind(signature),
    )
    .await
    .doing("take people")?;
    Ok(())
}

/// A changed file, the row of its commit and its place there.
type Placed<'a> = (i64, i64, &'a FileChange);

async fn insert_files(connection: &mut SqliteConnection, commits: &[(i64, &CommitFacts)]) -> Result<()> {
    let placed =
        commits.iter().flat_map(|(id, commit)| (0i64..).zip(&commit.files).map(|(at, file)| (*id, at, file)));
    let (renamed, plain): (Vec<Placed>, Vec<Placed>) =
        placed.partition(|(_, _, file)| matches!(file.kind, ChangeKind::Renamed { .. }));
    // Few files are renamed, and only those fill the last columns.
    rows::insert(
        connection,
        "commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines)",
        8,
        "",
        &plain,
        bind_change,
    )
    .await
    .doing("take changed files")?;
    rows::insert(
        connection,
        "commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines, from_path, \
         old_lines, old_reason, new_lines, new_reason)",
        13,
        "",
        &renamed,
        |row, placed| {
            let row = bind_change(row, placed);
            let ChangeKind::Renamed { from, whole_old, whole_new } = &placed.2.kind else { return row };
            let (old, new) = (Columns::of(*whole_old), Columns::of(*whole_new));
            row.bind(from.as_slice()).bind(old.deleted).bind(old.reason).bind(new.added).bind(new.reason)
        },
    )
    .await
    .doing("take renamed files")?;
    Ok(())
}

fn bind_change<'q>(row: Values<'q>, (commit, position, file): &'q Placed) -> Values<'q> {
    let kind = match file.kind {
        ChangeKind::Added => "added",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Modified => "modified",
        ChangeKind::Renamed { .. } => "renamed",
    };
    let lines = Columns::of(file.lines);
    row.bind(commit)
        .bind(position)
        .bind(file.path.as_slice())
        .bind(kind)
        .bind(lines.added)
        .bind(lines.deleted)
        .bind(lines.reason)
        .bind(lines.net_text_lines)
}

/// [`Lines`] as columns.
struct Columns {
    added: Option<i64>,
    deleted: Option<i64>,
    reason: Option<&'static str>,
    net_text_lines: i64,
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
    added: Option<u32>,
    deleted: Option<u32>,
    reason: Option<&str>,
    net_text_lines: i32,
) -> Option<Lines> {
    let reasons = [UnknownReason::MissingObject, UnknownReason::TooLarge, UnknownReason::CorruptObject];
    match (added, deleted, reason) {
        (Some(added), Some(deleted), None) => Some(Lines::Counted { added, deleted }),
        (_, _, Some(BINARY)) => Some(Lines::Binary { net_text_lines }),
        (_, _, Some(name)) => reasons.into_iter().find(|reason| reason.name() == name).map(Lines::Unknown),
        _ => None,
    }
}

/// Returns the facts of those commits, by row and without their messages.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    commits: &[i64],
) -> Result<Vec<(i64, CommitFacts)>> {
    let among = |query: &str, order: &str| {
        let places = vec!["?"; commits.len()].join(", ");
        AssertSqlSafe(format!("{query} IN ({places}) {order}"))
    };
    let people = among(
        "SELECT DISTINCT s.id, s.name, s.email FROM commit_person p JOIN signature s ON s.id = p.signature_id \
         WHERE p.commit_id",
        "",
    );
    let facts = among(
        "SELECT c.id, c.oid, c.parents, c.authored_seconds, c.authored_offset_minutes, c.committed_seconds, \
         c.committed_offset_minutes, a.signature_id, k.signature_id FROM commit_fact c \
         JOIN commit_person a ON a.commit_id = c.id AND a.role = 'author' \
         JOIN commit_person k ON k.commit_id = c.id AND k.role = 'committer' WHERE c.id",
        "",
    );
    let files = among(
        "SELECT commit_id, path, kind, added, deleted, reason, net_text_lines, from_path, old_lines, old_reason, \
         new_lines, new_reason FROM commit_file WHERE commit_id",
        "ORDER BY commit_id, position",
    );
    let bound = |statement| commits.iter().fold(sqlx::query(statement), |query, id| query.bind(*id));
    let signatures: HashMap<i64, Signature> = bound(people)
        .fetch_all(&mut *connection)
        .await
        .doing("list signatures")?
        .iter()
        .map(|row| (row.get(0), Signature { name: row.get(1), email: row.get(2) }))
        .collect();
    let mut read = BTreeMap::new();
    for row in bound(facts).fetch_all(&mut *connection).await.doing("read commits")? {
        let commit = commit(&row, &signatures).ok_or(StoreError::Damaged { what: "a commit" })?;
        read.insert(row.get::<i64, _>(0), commit);
    }
    for row in bound(files).fetch_all(&mut *connection).await.doing("read changed files")? {
        let commit = read.get_mut(&row.get(0)).ok_or(StoreError::Damaged { what: "a commit" })?;
        commit.files.push(file(&row).ok_or(StoreError::Damaged { what: "a changed file" })?);
    }
    if read.len() != commits.len() {
        return Err(StoreError::Damaged { what: "a snapshot that lists commits without facts" });
    }
    Ok(read.into_iter().collect())
}

fn commit(row: &SqliteRow, signatures: &HashMap<i64, Signature>) -> Option<CommitFacts> {
    let signature = |index: usize| signatures.get(&row.get::<i64, _>(index)).cloned();
    let time = |index: usize| {
        let offset_minutes = i16::try_from(row.get::<i64, _>(index + 1)).ok()?;
        Some(ClaimedTime { seconds: row.get(index), offset_minutes })
    };
    Some(CommitFacts {
        id: ObjectId::try_from(row.get::<&[u8], _>(1)).ok()?,
        parents: row.get(2),
        author: signature(7)?,
        authored: time(3)?,
        committer: signature(8)?,
        committed: time(5)?,
        message: Vec::new(),
        files: Vec::new(),
    })
}

fn file(row: &SqliteRow) -> Option<FileChange> {
    let kind = match row.get::<&str, _>(2) {
        "added" => ChangeKind::Added,
        "deleted" => ChangeKind::Deleted,
        "modified" => ChangeKind::Modified,
        "renamed" => {
            let old: Option<u32> = row.get(8);
            let new: Option<u32> = row.get(10);
            ChangeKind::Renamed {
                from: row.get(7),
                whole_old: lines(old.map(|_| 0), old, row.get(9), 0)?,
                whole_new: lines(new, new.map(|_| 0), row.get(11), 0)?,
            }
        }
        _ => return None,
    };
    Some(FileChange { path: row.get(1), kind, lines: lines(row.get(3), row.get(4), row.get(5), row.get(6))? })
}

/// Sums what the merges on the first-parent chain of a snapshot did to their first parents' trees.
pub(super) async fn merge_sums(pool: &SqlitePool, snapshot: i64) -> Result<MainlineSums> {
    let row = sqlx::query(
        "SELECT coalesce(sum(m.net_lines), 0), coalesce(sum(m.binary_flip_lines), 0), \
                coalesce(sum(m.unknown_files), 0) \
         FROM snapshot n CROSS JOIN mainline_net m ON m.fact_set_id = n.fact_set_id \
         CROSS JOIN commit_fact c ON c.fact_set_id = m.fact_set_id AND c.oid = m.oid \
         CROSS JOIN snapshot_commit s ON s.snapshot_id = n.id AND s.commit_id = c.id \
         WHERE n.id = ? AND s.mainline = 1 AND c.parents > 1",
    )
    .bind(snapshot)
    .fetch_one(pool)
    .await
    .doing("sum the merges of the first-parent chain")?;
    Ok(MainlineSums {
        net_lines: row.get(0),
        binary_flip_lines: row.get(1),
        unknown_files: u64::try_from(row.get::<i64, _>(2)).unwrap_or(0),
    })
}
