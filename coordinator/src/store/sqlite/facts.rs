//! Facts at their grains: commit, file and person.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::TryStreamExt as _;
use gitfleet_shared::contract::MainlineNet;
use gitfleet_shared::facts::{
    ChangeKind, ClaimedTime, CommitFacts, FileChange, Lines, Signature, UnknownReason,
};
use gitfleet_shared::object_id::ObjectId;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::Doing as _;
use crate::store::{FactSet, MainlineSums, Result, StoreError};

/// Rows of one statement; SQLite takes 32,766 bound values.
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
    }
    for nets in nets.chunks(ROWS) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO mainline_net (fact_set_id, oid, net_lines, binary_flip_lines, unknown_files, \
             passing_files) ",
        )
        .push_values(nets, |mut row, (id, net)| {
            row.push_bind(set.0)
                .push_bind(id.as_bytes())
                .push_bind(net.net_lines)
                .push_bind(net.binary_flip_lines)
                .push_bind(i64::from(net.unknown_files))
                .push_bind(i64::from(net.passing_files));
        })
        .push(
            " ON CONFLICT DO UPDATE SET net_lines = excluded.net_lines, \
             binary_flip_lines = excluded.binary_flip_lines, unknown_files = excluded.unknown_files, \
             passing_files = excluded.passing_files WHERE passing_files > 0",
        )
        .build()
        .persistent(false)
        .execute(&mut *connection)
        .await
        .doing("take the sums of merges")?;
    }
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
        QueryBuilder::<Sqlite>::new("INSERT INTO signature (name, email) ")
            .push_values(signatures, |mut row, signature| {
                row.push_bind(signature.name.as_slice()).push_bind(signature.email.as_slice());
            })
            .push(" ON CONFLICT DO NOTHING")
            .build()
            .persistent(false)
            .execute(&mut *connection)
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
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO commit_fact (fact_set_id, oid, parents, authored_seconds, authored_offset_minutes, \
         committed_seconds, committed_offset_minutes, message, final) ",
    );
    query.push_values(commits, |mut row, commit| {
        row.push_bind(set.0)
            .push_bind(commit.id.as_bytes())
            .push_bind(i64::from(commit.parents))
            .push_bind(commit.authored.seconds)
            .push_bind(i64::from(commit.authored.offset_minutes))
            .push_bind(commit.committed.seconds)
            .push_bind(i64::from(commit.committed.offset_minutes))
            .push_bind(commit.message.as_slice())
            .push_bind(commit.are_final());
    });
    let rows = query
        // A snapshot may list the row, so it is replaced where it is; its files and people were forgotten.
        .push(" ON CONFLICT DO UPDATE SET final = excluded.final WHERE final = 0 RETURNING id, oid")
        .build()
        .persistent(false)
        .fetch_all(&mut *connection)
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
    if commits.is_empty() {
        return Ok(());
    }
    let people = commits
        .iter()
        .flat_map(|(id, commit)| [(*id, "author", &commit.author), (*id, "committer", &commit.committer)]);
    QueryBuilder::<Sqlite>::new("INSERT INTO commit_person (commit_id, role, signature_id) ")
        .push_values(people, |mut row, (id, role, signature)| {
            row.push_bind(id).push_bind(role).push_bind(signatures[signature]);
        })
        .build()
        .persistent(false)
        .execute(&mut *connection)
        .await
        .doing("take people")?;
    Ok(())
}

async fn insert_files(connection: &mut SqliteConnection, commits: &[(i64, &CommitFacts)]) -> Result<()> {
    let rows: Vec<(i64, usize, &FileChange)> = commits
        .iter()
        .flat_map(|(id, commit)| {
            commit.files.iter().enumerate().map(|(position, file)| (*id, position, file))
        })
        .collect();
    for rows in rows.chunks(ROWS) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines, \
             from_path, old_lines, old_reason, new_lines, new_reason) ",
        )
        .push_values(rows, |mut row, (id, position, file)| {
            let lines = Columns::of(file.lines);
            let (kind, from, old, new) = match &file.kind {
                ChangeKind::Added => ("added", None, None, None),
                ChangeKind::Deleted => ("deleted", None, None, None),
                ChangeKind::Modified => ("modified", None, None, None),
                ChangeKind::Renamed { from, whole_old, whole_new } => {
                    ("renamed", Some(from.as_slice()), Some(Columns::of(*whole_old)), Some(Columns::of(*whole_new)))
                }
            };
            row.push_bind(*id)
                .push_bind(i64::try_from(*position).unwrap_or(i64::MAX))
                .push_bind(file.path.as_slice())
                .push_bind(kind)
                .push_bind(lines.added)
                .push_bind(lines.deleted)
                .push_bind(lines.reason)
                .push_bind(lines.net_text_lines)
                .push_bind(from)
                .push_bind(old.as_ref().and_then(|lines| lines.deleted))
                .push_bind(old.as_ref().and_then(|lines| lines.reason))
                .push_bind(new.as_ref().and_then(|lines| lines.added))
                .push_bind(new.as_ref().and_then(|lines| lines.reason));
        })
        .build()
        .persistent(false)
        .execute(&mut *connection)
        .await
        .doing("take changed files")?;
    }
    Ok(())
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

/// Calls `each` with every commit of a snapshot, its message left out.
pub(super) async fn read(
    pool: &SqlitePool,
    snapshot: i64,
    each: &mut (dyn for<'a> FnMut(&'a CommitFacts) + Send),
) -> Result<()> {
    let signatures: HashMap<i64, Signature> = sqlx::query(
        "SELECT id, name, email FROM signature WHERE id IN ( \
             SELECT p.signature_id FROM snapshot_commit s JOIN commit_person p ON p.commit_id = s.commit_id \
             WHERE s.snapshot_id = ?)",
    )
    .bind(snapshot)
    .fetch_all(pool)
    .await
    .doing("list signatures")?
    .iter()
    .map(|row| (row.get(0), Signature { name: row.get(1), email: row.get(2) }))
    .collect();
    // Both streams come in the order of their primary keys, so neither is sorted nor held.
    let mut commits = sqlx::query(
        "SELECT c.id, c.oid, c.parents, c.authored_seconds, c.authored_offset_minutes, c.committed_seconds, \
         c.committed_offset_minutes, a.signature_id, k.signature_id \
         FROM snapshot_commit s JOIN commit_fact c ON c.id = s.commit_id \
         JOIN commit_person a ON a.commit_id = c.id AND a.role = 'author' \
         JOIN commit_person k ON k.commit_id = c.id AND k.role = 'committer' \
         WHERE s.snapshot_id = ? ORDER BY s.commit_id",
    )
    .bind(snapshot)
    .fetch(pool);
    let mut files = sqlx::query(
        "SELECT f.commit_id, f.path, f.kind, f.added, f.deleted, f.reason, f.net_text_lines, f.from_path, \
         f.old_lines, f.old_reason, f.new_lines, f.new_reason \
         FROM snapshot_commit s JOIN commit_file f ON f.commit_id = s.commit_id \
         WHERE s.snapshot_id = ? ORDER BY s.commit_id, f.position",
    )
    .bind(snapshot)
    .fetch(pool);
    let mut next_file = files.try_next().await.doing("read changed files")?;
    while let Some(row) = commits.try_next().await.doing("read commits")? {
        let id: i64 = row.get(0);
        let mut commit = commit(&row, &signatures).ok_or(StoreError::Damaged { what: "a commit" })?;
        while let Some(row) = next_file.take() {
            if row.get::<i64, _>(0) != id {
                next_file = Some(row);
                break;
            }
            commit.files.push(file(&row).ok_or(StoreError::Damaged { what: "a changed file" })?);
            next_file = files.try_next().await.doing("read changed files")?;
        }
        each(&commit);
    }
    Ok(())
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

/// Sums the first-parent chain of a snapshot: changed files of its non-merge commits, and its merges.
pub(super) async fn mainline_sums(pool: &SqlitePool, snapshot: i64) -> Result<MainlineSums> {
    let row = sqlx::query(
        "WITH chain AS ( \
             SELECT c.id, c.oid, c.fact_set_id, c.parents FROM snapshot_commit s \
             JOIN commit_fact c ON c.id = s.commit_id WHERE s.snapshot_id = ?1 AND s.mainline = 1), \
         file AS ( \
             SELECT coalesce(sum(f.added - f.deleted), 0) AS net, coalesce(sum(f.net_text_lines), 0) AS flips, \
                    coalesce(sum(f.reason IS NOT NULL AND f.reason <> 'binary'), 0) AS unknown \
             FROM chain JOIN commit_file f ON f.commit_id = chain.id), \
         merge AS ( \
             SELECT coalesce(sum(m.net_lines), 0) AS net, coalesce(sum(m.binary_flip_lines), 0) AS flips, \
                    coalesce(sum(m.unknown_files), 0) AS unknown \
             FROM chain JOIN mainline_net m ON m.fact_set_id = chain.fact_set_id AND m.oid = chain.oid \
             WHERE chain.parents > 1) \
         SELECT file.net + merge.net, file.flips + merge.flips, file.unknown + merge.unknown FROM file, merge",
    )
    .bind(snapshot)
    .fetch_one(pool)
    .await
    .doing("sum the first-parent chain")?;
    Ok(MainlineSums {
        net_lines: row.get(0),
        binary_flip_lines: row.get(1),
        unknown_files: u64::try_from(row.get::<i64, _>(2)).unwrap_or(0),
    })
}
