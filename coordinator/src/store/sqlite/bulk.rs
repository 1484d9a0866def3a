//! Many rows at once, the way SQLite likes it: few statements of a few sizes, each parsed once.

use std::collections::HashSet;

use gitfleet_shared::contract::{Job, MainlineNet};
use gitfleet_shared::facts::{CommitFacts, Signature};
use gitfleet_shared::ids::JobId;
use gitfleet_shared::object_id::ObjectId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};

use super::Doing as _;
use super::closing::EndedAttempt;
use super::facts::{FileRow, parent_ids};
use super::hearing::InHand;
use super::rows::{Values, insert};
use crate::store::{Result, StoreError, pack};

/// Adds jobs, each with the position of its repository, that are not there yet, and their outbox rows in this order.
pub(super) async fn insert_jobs(
    connection: &mut SqliteConnection,
    urgency: i64,
    jobs: &[(i64, &Job)],
) -> sqlx::Result<()> {
    let inserted = insert(
        connection,
        "job (id, batch_id, position, work, units, message, state, heard_at)",
        8,
        // What was cancelled with its repository, which is tried again now, begins anew.
        "ON CONFLICT (id) DO UPDATE SET state = 'queued', losses = 0, hold_until = 0, sent_at = NULL, heard_at = 0, \
         failure_class = NULL, failure_message = NULL WHERE job.state IN ('cancelled', 'failed', 'dead') RETURNING id",
        jobs,
        |row, (position, job)| {
            row.bind(job.id.as_bytes().as_slice())
                .bind(job.batch.as_bytes().as_slice())
                .bind(position)
                .bind(job.work.name())
                .bind(i64::try_from(job.work.units()).unwrap_or(i64::MAX))
                .bind(job.encode())
                .bind("queued")
                .bind(0)
        },
    )
    .await?;
    let inserted: HashSet<&[u8]> = inserted.iter().map(|row| row.get(0)).collect();
    let new: Vec<&(i64, &Job)> =
        jobs.iter().filter(|(_, job)| inserted.contains(job.id.as_bytes().as_slice())).collect();
    insert(
        connection,
        "outbox (job_id, batch_id, urgency, position)",
        4,
        "ON CONFLICT DO NOTHING",
        &new,
        |row, (position, job)| {
            row.bind(job.id.as_bytes().as_slice())
                .bind(job.batch.as_bytes().as_slice())
                .bind(urgency)
                .bind(position)
        },
    )
    .await?;
    Ok(())
}

/// Takes jobs out of the outbox, as sent at `now` (UTC milliseconds). What was quicker, and is done by now, stays as it is:
/// whoever did it was first, and not before it was sent.
pub(super) async fn mark_sent(
    connection: &mut SqliteConnection,
    jobs: &[JobId],
    now: i64,
) -> sqlx::Result<()> {
    for job in jobs {
        sqlx::query(
            "UPDATE job SET heard_at = max(heard_at, $2), sent_at = $2, hold_until = 0 WHERE id = $1 AND state = 'queued'",
        )
        .bind(job.as_bytes().as_slice())
        .bind(now)
        .execute(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM outbox WHERE job_id = $1")
            .bind(job.as_bytes().as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Ends those of some jobs that are open, each in a state, and returns their ids. None of them is to be sent again.
pub(super) async fn end_jobs(
    connection: &mut SqliteConnection,
    jobs: &[(JobId, &str)],
) -> sqlx::Result<Vec<SqliteRow>> {
    let mut ended = Vec::with_capacity(jobs.len());
    for (job, state) in jobs {
        let row = sqlx::query("UPDATE job SET state = $2 WHERE id = $1 AND state = 'queued' RETURNING id")
            .bind(job.as_bytes().as_slice())
            .bind(*state)
            .fetch_optional(&mut *connection)
            .await?;
        if row.is_some() {
            sqlx::query("DELETE FROM outbox WHERE job_id = $1")
                .bind(job.as_bytes().as_slice())
                .execute(&mut *connection)
                .await?;
        }
        ended.extend(row);
    }
    Ok(ended)
}

/// Returns what `query`, which ends in the name of a column, finds where that column is one of `jobs`.
pub(super) async fn by_job(
    connection: &mut SqliteConnection,
    query: &str,
    jobs: &[JobId],
    order: &str,
) -> sqlx::Result<Vec<SqliteRow>> {
    let places = vec!["?"; jobs.len()].join(", ");
    let statement = sqlx::query(AssertSqlSafe(format!("{query} IN ({places}) {order}")));
    jobs.iter()
        .fold(statement, |query, job| query.bind(job.as_bytes().as_slice()))
        .fetch_all(connection)
        .await
}

/// Notes that some jobs were heard of, and returns the ids of those that are open.
pub(super) async fn hear_of(
    connection: &mut SqliteConnection,
    jobs: &[JobId],
    now: i64,
) -> sqlx::Result<Vec<SqliteRow>> {
    let mut heard = Vec::with_capacity(jobs.len());
    for job in jobs {
        let statement =
            "UPDATE job SET heard_at = $2 WHERE id = $1 AND state = 'queued' AND heard_at < $2 RETURNING id";
        let row = sqlx::query(statement).bind(job.as_bytes().as_slice()).bind(now);
        heard.extend(row.fetch_optional(&mut *connection).await?);
    }
    Ok(heard)
}

/// Notes how far the attempts at some jobs are, and those that are new.
pub(super) async fn note_attempts(
    connection: &mut SqliteConnection,
    in_hand: &[InHand],
    now: i64,
) -> sqlx::Result<()> {
    for one in in_hand {
        for statement in [
            "INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done) \
             SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $3, $4 FROM attempt WHERE job_id = $1 \
             HAVING NOT EXISTS (SELECT 1 FROM attempt WHERE job_id = $1 AND worker = $2 AND ended_at IS NULL)",
            "UPDATE attempt SET heard_at = $3, done = $4 WHERE job_id = $1 AND worker = $2 AND ended_at IS NULL",
        ] {
            sqlx::query(statement)
                .bind(one.job.as_bytes().as_slice())
                .bind(one.worker.as_str())
                .bind(now)
                .bind(one.done)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Notes attempts that have ended.
pub(super) async fn insert_attempts(
    connection: &mut SqliteConnection,
    attempts: &[EndedAttempt<'_>],
) -> sqlx::Result<()> {
    insert(
        connection,
        "attempt (job_id, number, worker, started_at, heard_at, done, ended_at, ending, message)",
        9,
        "",
        attempts,
        |row, attempt| {
            row.bind(attempt.job.as_bytes().as_slice())
                .bind(attempt.number)
                .bind(&*attempt.worker)
                .bind(attempt.started_at)
                .bind(attempt.ended_at)
                .bind(attempt.done)
                .bind(attempt.ended_at)
                .bind(attempt.ending)
                .bind(attempt.message.as_deref())
        },
    )
    .await?;
    Ok(())
}

/// Adds the signatures that are not there yet, and returns id, name and e-mail of all.
pub(super) async fn insert_signatures(
    connection: &mut SqliteConnection,
    signatures: &[&Signature],
) -> sqlx::Result<Vec<SqliteRow>> {
    insert(
        connection,
        "signature (name, email)",
        2,
        "ON CONFLICT DO NOTHING",
        signatures,
        |row, signature| row.bind(signature.name.as_slice()).bind(signature.email.as_slice()),
    )
    .await?;
    let mut query =
        QueryBuilder::<Sqlite>::new("SELECT id, name, email FROM signature WHERE (name, email) IN (");
    query.push_values(signatures, |mut row, signature| {
        row.push_bind(signature.name.as_slice()).push_bind(signature.email.as_slice());
    });
    query.push(")").build().persistent(false).fetch_all(connection).await
}

/// Adds commits, replaces those that were not final, and returns row and object id of both.
pub(super) async fn insert_commits(
    connection: &mut SqliteConnection,
    set: i64,
    commits: &[&CommitFacts],
) -> sqlx::Result<Vec<SqliteRow>> {
    insert(
        connection,
        "commit_fact (fact_set_id, oid, parents, authored_seconds, authored_offset_minutes, committed_seconds, \
         committed_offset_minutes, message, final, parent_oids, lines)",
        11,
        // A snapshot may list the row, so it is replaced where it is; its files and people were forgotten.
        "ON CONFLICT DO UPDATE SET final = excluded.final, parent_oids = excluded.parent_oids, \
         lines = excluded.lines WHERE final = 0 RETURNING id, oid",
        commits,
        |row, commit| {
            row.bind(set)
                .bind(commit.id.as_bytes())
                .bind(i64::try_from(commit.parents.len()).unwrap_or(i64::MAX))
                .bind(commit.authored.seconds)
                .bind(i64::from(commit.authored.offset_minutes))
                .bind(commit.committed.seconds)
                .bind(i64::from(commit.committed.offset_minutes))
                .bind(commit.message.as_slice())
                .bind(commit.are_final())
                .bind(parent_ids(commit))
                .bind(pack::encode_lines(commit))
        },
    )
    .await
}

/// Adds commits' parts of people: row of the commit, role, signature.
pub(super) async fn insert_people(
    connection: &mut SqliteConnection,
    people: &[(i64, &str, i64)],
) -> sqlx::Result<()> {
    let into = "commit_person (commit_id, role, signature_id)";
    insert(connection, into, 3, "", people, |row, (id, role, signature)| {
        row.bind(id).bind(*role).bind(signature)
    })
    .await?;
    Ok(())
}

pub(super) async fn insert_files(
    connection: &mut SqliteConnection,
    files: &[FileRow<'_>],
) -> sqlx::Result<()> {
    let (renamed, plain): (Vec<&FileRow>, Vec<&FileRow>) =
        files.iter().partition(|file| file.renamed.is_some());
    // Few files are renamed, and only those fill the last columns.
    insert(
        connection,
        "commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines)",
        8,
        "",
        &plain,
        |row, file| bind_file(row, file),
    )
    .await?;
    insert(
        connection,
        "commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines, from_path, \
         old_lines, old_reason, new_lines, new_reason)",
        13,
        "",
        &renamed,
        |row, file| {
            let row = bind_file(row, file);
            let Some(renamed) = &file.renamed else { return row };
            row.bind(renamed.from)
                .bind(renamed.old.deleted)
                .bind(renamed.old.reason)
                .bind(renamed.new.added)
                .bind(renamed.new.reason)
        },
    )
    .await?;
    Ok(())
}

fn bind_file<'q>(row: Values<'q>, file: &'q FileRow) -> Values<'q> {
    row.bind(file.commit)
        .bind(file.position)
        .bind(file.path)
        .bind(file.kind)
        .bind(file.lines.added)
        .bind(file.lines.deleted)
        .bind(file.lines.reason)
        .bind(file.lines.net_text_lines)
}

/// Adds what merges did, and replaces what was not final.
pub(super) async fn insert_nets(
    connection: &mut SqliteConnection,
    set: i64,
    nets: &[(ObjectId, MainlineNet)],
) -> sqlx::Result<()> {
    insert(
        connection,
        "mainline_net (fact_set_id, oid, net_lines, binary_flip_lines, unknown_files, passing_files)",
        6,
        "ON CONFLICT DO UPDATE SET net_lines = excluded.net_lines, \
         binary_flip_lines = excluded.binary_flip_lines, unknown_files = excluded.unknown_files, \
         passing_files = excluded.passing_files WHERE passing_files > 0",
        nets,
        |row, (id, net)| {
            row.bind(set)
                .bind(id.as_bytes())
                .bind(net.net_lines)
                .bind(net.binary_flip_lines)
                .bind(i64::from(net.unknown_files))
                .bind(i64::from(net.passing_files))
        },
    )
    .await?;
    Ok(())
}

/// Returns what `query`, which ends in the name of a column, finds for `of` where that column is one of `ids`.
pub(super) async fn among(
    connection: &mut SqliteConnection,
    query: &str,
    of: i64,
    ids: &[ObjectId],
) -> sqlx::Result<Vec<SqliteRow>> {
    let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
    let statement = format!("{query} IN ({})", places.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(statement)).bind(of);
    for id in ids {
        query = query.bind(id.as_bytes());
    }
    query.persistent(false).fetch_all(connection).await
}

/// Returns what `query`, which ends in the name of a column, finds where that column is one of `rows`.
pub(super) async fn by_row(
    connection: &mut SqliteConnection,
    query: &str,
    rows: &[i64],
    order: &str,
) -> sqlx::Result<Vec<SqliteRow>> {
    let places = vec!["?"; rows.len()].join(", ");
    let statement = sqlx::query(AssertSqlSafe(format!("{query} IN ({places}) {order}")));
    rows.iter().fold(statement, |query, row| query.bind(*row)).fetch_all(connection).await
}

/// Adds commits to a snapshot; one that is there already may only come onto the mainline.
pub(super) async fn list_commits(
    connection: &mut SqliteConnection,
    snapshot: i64,
    set: i64,
    ids: &[ObjectId],
    mainline: bool,
) -> sqlx::Result<()> {
    let mut query =
        QueryBuilder::<Sqlite>::new("INSERT INTO snapshot_commit (snapshot_id, commit_id, mainline) SELECT ");
    query.push_bind(snapshot).push(", id, ").push_bind(mainline);
    query.push(" FROM commit_fact WHERE fact_set_id = ").push_bind(set).push(" AND oid IN (");
    let mut oids = query.separated(", ");
    for id in ids {
        oids.push_bind(id.as_bytes());
    }
    query
        .push(") ON CONFLICT DO UPDATE SET mainline = max(mainline, excluded.mainline)")
        .build()
        .persistent(false)
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns the rows of a snapshot's commits, and whether each is on the mainline.
pub(super) async fn members(connection: &mut SqliteConnection, snapshot: i64) -> Result<Vec<(i64, bool)>> {
    // One row for all, because a row costs a hundred times what a number costs.
    let listed: Option<String> = sqlx::query(
        "SELECT group_concat(2 * commit_id + mainline) FROM snapshot_commit WHERE snapshot_id = $1",
    )
    .bind(snapshot)
    .fetch_one(connection)
    .await
    .doing("list a snapshot's commits")?
    .get(0);
    let mut rows = Vec::new();
    for number in listed.as_deref().unwrap_or_default().split_terminator(',') {
        let number: i64 = number.parse().map_err(|_| StoreError::Damaged { what: "a snapshot's commits" })?;
        rows.push((number >> 1, number & 1 == 1));
    }
    Ok(rows)
}
