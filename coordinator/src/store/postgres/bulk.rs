//! Many rows at once, the way PostgreSQL likes it: one statement over arrays, and COPY for what is only ever added.

use std::collections::{HashMap, HashSet};

use gitfleet_shared::contract::{Job, MainlineNet};
use gitfleet_shared::facts::{CommitFacts, Signature};
use gitfleet_shared::ids::JobId;
use gitfleet_shared::object_id::ObjectId;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::Doing as _;
use super::closing::EndedAttempt;
use super::copy::Rows;
use super::facts::{FileRow, parent_ids};
use super::hearing::InHand;
use crate::store::{Result, pack};

/// Fewer rows than this go in as arrays, in one round trip. COPY takes more of them: its data and its end are sent one
/// after the other, and without TCP_NODELAY, which the driver does not set, the end waits 40 ms for the server's ack.
const FOR_COPY: usize = 1_000;
/// Jobs of one statement; each may list ten thousand commits.
const JOBS: usize = 500;

/// Adds jobs, each with the position of its repository, that are not there yet, and their outbox rows in this order.
pub(super) async fn insert_jobs(
    connection: &mut PgConnection,
    urgency: i64,
    jobs: &[(i64, &Job)],
) -> sqlx::Result<()> {
    for jobs in jobs.chunks(JOBS) {
        let each = || jobs.iter().map(|(_, job)| job);
        sqlx::query(
            "WITH added AS ( \
                 INSERT INTO job (id, batch_id, position, work, units, message, state, heard_at) \
                 SELECT j.id, j.batch_id, j.position, j.work, j.units, j.message, 'queued', 0 \
                 FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[]) \
                     WITH ORDINALITY AS j (id, batch_id, position, work, units, message, place) \
                 ORDER BY j.place \
                 ON CONFLICT (id) DO UPDATE SET state = 'queued', losses = 0, hold_until = 0, sent_at = NULL, \
                     heard_at = 0, failure_class = NULL, failure_message = NULL \
                     WHERE job.state IN ('cancelled', 'failed', 'dead') \
                 RETURNING id, batch_id, position, sequence) \
             INSERT INTO outbox (job_id, batch_id, urgency, position) \
             SELECT id, batch_id, $7, position FROM added ORDER BY sequence ON CONFLICT DO NOTHING",
        )
        .bind(each().map(|job| job.id.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(each().map(|job| job.batch.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(jobs.iter().map(|(position, _)| *position).collect::<Vec<_>>())
        .bind(each().map(|job| job.work.name()).collect::<Vec<_>>())
        .bind(each().map(|job| i64::try_from(job.work.units()).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(each().map(|job| job.encode()).collect::<Vec<_>>())
        .bind(urgency)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Takes jobs out of the outbox, as sent at `now` (UTC milliseconds). What was quicker, and is done by now, stays as it is:
/// whoever did it was first, and not before it was sent.
pub(super) async fn mark_sent(connection: &mut PgConnection, jobs: &[JobId], now: i64) -> sqlx::Result<()> {
    let jobs: Vec<&[u8]> = jobs.iter().map(|job| job.as_bytes().as_slice()).collect();
    sqlx::query(
        "UPDATE job SET heard_at = greatest(heard_at, $2), sent_at = $2, hold_until = 0 \
         WHERE id IN (SELECT id FROM job WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE) AND state = 'queued'",
    )
    .bind(&jobs)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM outbox WHERE job_id = ANY($1)").bind(&jobs).execute(connection).await?;
    Ok(())
}

/// Ends those of some jobs that are open, each in a state, and returns their ids. None of them is to be sent again.
pub(super) async fn end_jobs(
    connection: &mut PgConnection,
    jobs: &[(JobId, &str)],
) -> sqlx::Result<Vec<PgRow>> {
    let ids: Vec<&[u8]> = jobs.iter().map(|(job, _)| job.as_bytes().as_slice()).collect();
    let ended = sqlx::query(
        // Who takes several jobs takes them in this order.
        "UPDATE job SET state = ended.state FROM ( \
             SELECT j.id, asked.state FROM unnest($1::bytea[], $2::text[]) AS asked (id, state) \
             JOIN job j ON j.id = asked.id WHERE j.state = 'queued' ORDER BY j.id FOR NO KEY UPDATE OF j) ended \
         WHERE job.id = ended.id RETURNING job.id",
    )
    .bind(&ids)
    .bind(jobs.iter().map(|(_, state)| *state).collect::<Vec<_>>())
    .fetch_all(&mut *connection)
    .await?;
    // A statement of its own sees what was put there while the jobs were waited for.
    sqlx::query("DELETE FROM outbox WHERE job_id = ANY($1)").bind(&ids).execute(connection).await?;
    Ok(ended)
}

/// Returns what `query`, which ends in the name of a column, finds where that column is one of `jobs`.
pub(super) async fn by_job(
    connection: &mut PgConnection,
    query: &str,
    jobs: &[JobId],
    order: &str,
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(AssertSqlSafe(format!("{query} = ANY($1) {order}")))
        .bind(jobs.iter().map(|job| job.as_bytes().as_slice()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
}

/// Notes that some jobs were heard of, and returns the ids of those that are open. One that is just being recorded
/// needs no sign of life, and is not waited for.
pub(super) async fn hear_of(
    connection: &mut PgConnection,
    jobs: &[JobId],
    now: i64,
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(
        "UPDATE job SET heard_at = $2 WHERE id IN ( \
             SELECT id FROM job WHERE id = ANY($1) AND state = 'queued' AND heard_at < $2 \
             ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) RETURNING id",
    )
    .bind(jobs.iter().map(|job| job.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(connection)
    .await
}

/// Notes how far the attempts at some jobs are, and those that are new.
pub(super) async fn note_attempts(
    connection: &mut PgConnection,
    in_hand: &[InHand],
    now: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "WITH heard AS (SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[]) AS h (job, worker, done)), \
         known AS ( \
             UPDATE attempt a SET heard_at = $4, done = h.done FROM heard h \
             WHERE a.job_id = h.job AND a.worker = h.worker AND a.ended_at IS NULL RETURNING a.job_id, a.worker) \
         INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done) \
         SELECT h.job, row_number() OVER (PARTITION BY h.job ORDER BY h.worker) \
                + coalesce((SELECT max(number) FROM attempt a WHERE a.job_id = h.job), 0), h.worker, $4, $4, h.done \
         FROM heard h WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.job_id = h.job AND k.worker = h.worker)",
    )
    .bind(in_hand.iter().map(|one| one.job.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(in_hand.iter().map(|one| one.worker.as_str()).collect::<Vec<_>>())
    .bind(in_hand.iter().map(|one| one.done).collect::<Vec<_>>())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes attempts that have ended.
pub(super) async fn insert_attempts(
    connection: &mut PgConnection,
    attempts: &[EndedAttempt<'_>],
) -> sqlx::Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO attempt (job_id, number, worker, started_at, heard_at, done, ended_at, ending, message) \
         SELECT a.job, a.number, a.worker, a.started_at, a.ended_at, a.done, a.ended_at, a.ending, a.message \
         FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], \
                     $8::text[]) AS a (job, number, worker, started_at, ended_at, done, ending, message)",
    )
    .bind(attempts.iter().map(|attempt| attempt.job.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| &*attempt.worker).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.started_at).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.ended_at).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.done).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.ending).collect::<Vec<_>>())
    .bind(attempts.iter().map(|attempt| attempt.message.as_deref()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds the signatures that are not there yet, in this order, and returns id, name and e-mail of all.
pub(super) async fn insert_signatures(
    connection: &mut PgConnection,
    signatures: &[&Signature],
) -> sqlx::Result<Vec<PgRow>> {
    let mut found = find_signatures(connection, signatures).await?;
    let known: HashSet<(&[u8], &[u8])> = found.iter().map(|row| (row.get(1), row.get(2))).collect();
    let new: Vec<&Signature> = signatures
        .iter()
        .filter(|signature| !known.contains(&(signature.name.as_slice(), signature.email.as_slice())))
        .copied()
        .collect();
    if !new.is_empty() {
        sqlx::query(
            "INSERT INTO signature (name, email) SELECT s.name, s.email \
             FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY AS s (name, email, place) \
             ORDER BY s.place ON CONFLICT DO NOTHING",
        )
        .bind(new.iter().map(|signature| signature.name.as_slice()).collect::<Vec<_>>())
        .bind(new.iter().map(|signature| signature.email.as_slice()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
        // A statement of its own sees what others added meanwhile, too.
        found.extend(find_signatures(connection, &new).await?);
    }
    Ok(found)
}

async fn find_signatures(
    connection: &mut PgConnection,
    signatures: &[&Signature],
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(
        "SELECT s.id, s.name, s.email FROM unnest($1::bytea[], $2::bytea[]) AS asked (name, email) \
         JOIN signature s ON s.digest = sha256(int8send(length(asked.name)) || asked.name || asked.email)",
    )
    .bind(signatures.iter().map(|signature| signature.name.as_slice()).collect::<Vec<_>>())
    .bind(signatures.iter().map(|signature| signature.email.as_slice()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}

/// Adds commits, replaces those that were not final, and returns row and object id of both.
pub(super) async fn insert_commits(
    connection: &mut PgConnection,
    set: i64,
    commits: &[&CommitFacts],
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(
        "INSERT INTO commit_fact (fact_set_id, oid, parents, authored_seconds, authored_offset_minutes, \
                                  committed_seconds, committed_offset_minutes, message, final, parent_oids, lines) \
         SELECT $1, c.* FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], \
                                    $7::bigint[], $8::bytea[], $9::bigint[], $10::bytea[], $11::bytea[]) AS c \
         ON CONFLICT (fact_set_id, oid) DO UPDATE SET final = excluded.final, parent_oids = excluded.parent_oids, \
         lines = excluded.lines WHERE commit_fact.final = 0 \
         RETURNING id, oid",
    )
    .bind(set)
    .bind(commits.iter().map(|commit| commit.id.as_bytes()).collect::<Vec<_>>())
    .bind(commits
            .iter()
            .map(|commit| i64::try_from(commit.parents.len()).unwrap_or(i64::MAX))
            .collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| commit.authored.seconds).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| i64::from(commit.authored.offset_minutes)).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| commit.committed.seconds).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| i64::from(commit.committed.offset_minutes)).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| commit.message.as_slice()).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| i64::from(commit.are_final())).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| parent_ids(commit)).collect::<Vec<_>>())
    .bind(commits.iter().map(|commit| pack::encode_lines(commit)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}

/// Adds commits' parts of people: row of the commit, role, signature.
pub(super) async fn insert_people(
    connection: &mut PgConnection,
    people: &[(i64, &str, i64)],
) -> sqlx::Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    if people.len() < FOR_COPY {
        sqlx::query(
            "INSERT INTO commit_person (commit_id, role, signature_id) \
             SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])",
        )
        .bind(people.iter().map(|(commit, ..)| *commit).collect::<Vec<_>>())
        .bind(people.iter().map(|(_, role, _)| *role).collect::<Vec<_>>())
        .bind(people.iter().map(|(.., signature)| *signature).collect::<Vec<_>>())
        .execute(connection)
        .await?;
        return Ok(());
    }
    let mut rows = Rows::of(3);
    for (commit, role, signature) in people {
        rows.row().number(*commit).bytes(role.as_bytes()).number(*signature);
    }
    rows.send(connection, "commit_person (commit_id, role, signature_id)").await
}

pub(super) async fn insert_files(connection: &mut PgConnection, files: &[FileRow<'_>]) -> sqlx::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    if files.len() < FOR_COPY {
        return insert_few_files(connection, files).await;
    }
    let text = |reason: Option<&'static str>| reason.map(str::as_bytes);
    let mut rows = Rows::of(13);
    for file in files {
        let renamed = file.renamed.as_ref();
        rows.row()
            .number(file.commit)
            .number(file.position)
            .bytes(file.path)
            .bytes(file.kind.as_bytes())
            .number(file.lines.added)
            .number(file.lines.deleted)
            .bytes(text(file.lines.reason))
            .number(file.lines.net_text_lines)
            .bytes(renamed.map(|renamed| renamed.from))
            .number(renamed.and_then(|renamed| renamed.old.deleted))
            .bytes(renamed.and_then(|renamed| text(renamed.old.reason)))
            .number(renamed.and_then(|renamed| renamed.new.added))
            .bytes(renamed.and_then(|renamed| text(renamed.new.reason)));
    }
    let into = "commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines, from_path, \
                old_lines, old_reason, new_lines, new_reason)";
    rows.send(connection, into).await
}

async fn insert_few_files(connection: &mut PgConnection, files: &[FileRow<'_>]) -> sqlx::Result<()> {
    fn each<'f, T>(files: &'f [FileRow<'f>], value: impl Fn(&'f FileRow<'f>) -> T) -> Vec<T> {
        files.iter().map(value).collect()
    }
    let old = |file: &FileRow<'_>| file.renamed.as_ref().map(|renamed| renamed.old);
    let new = |file: &FileRow<'_>| file.renamed.as_ref().map(|renamed| renamed.new);
    sqlx::query(
        "INSERT INTO commit_file (commit_id, position, path, kind, added, deleted, reason, net_text_lines, from_path, \
         old_lines, old_reason, new_lines, new_reason) \
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[], \
         $7::text[], $8::bigint[], $9::bytea[], $10::bigint[], $11::text[], $12::bigint[], $13::text[])",
    )
    .bind(each(files, |file| file.commit))
    .bind(each(files, |file| file.position))
    .bind(each(files, |file| file.path))
    .bind(each(files, |file| file.kind))
    .bind(each(files, |file| file.lines.added))
    .bind(each(files, |file| file.lines.deleted))
    .bind(each(files, |file| file.lines.reason))
    .bind(each(files, |file| file.lines.net_text_lines))
    .bind(each(files, |file| file.renamed.as_ref().map(|renamed| renamed.from)))
    .bind(each(files, |file| old(file).and_then(|lines| lines.deleted)))
    .bind(each(files, |file| old(file).and_then(|lines| lines.reason)))
    .bind(each(files, |file| new(file).and_then(|lines| lines.added)))
    .bind(each(files, |file| new(file).and_then(|lines| lines.reason)))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds what merges did, and replaces what was not final.
pub(super) async fn insert_nets(
    connection: &mut PgConnection,
    set: i64,
    nets: &[(ObjectId, MainlineNet)],
) -> sqlx::Result<()> {
    if nets.is_empty() {
        return Ok(());
    }
    // One statement changes a row once.
    let nets: Vec<(ObjectId, MainlineNet)> =
        nets.iter().copied().collect::<HashMap<ObjectId, MainlineNet>>().into_iter().collect();
    sqlx::query(
        "INSERT INTO mainline_net (fact_set_id, oid, net_lines, binary_flip_lines, unknown_files, passing_files) \
         SELECT $1, n.* FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS n \
         ON CONFLICT (fact_set_id, oid) DO UPDATE SET net_lines = excluded.net_lines, \
             binary_flip_lines = excluded.binary_flip_lines, unknown_files = excluded.unknown_files, \
             passing_files = excluded.passing_files WHERE mainline_net.passing_files > 0",
    )
    .bind(set)
    .bind(nets.iter().map(|(id, _)| id.as_bytes()).collect::<Vec<_>>())
    .bind(nets.iter().map(|(_, net)| net.net_lines).collect::<Vec<_>>())
    .bind(nets.iter().map(|(_, net)| net.binary_flip_lines).collect::<Vec<_>>())
    .bind(nets.iter().map(|(_, net)| i64::from(net.unknown_files)).collect::<Vec<_>>())
    .bind(nets.iter().map(|(_, net)| i64::from(net.passing_files)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns what `query`, which ends in the name of a column, finds for `of` where that column is one of `ids`.
pub(super) async fn among(
    connection: &mut PgConnection,
    query: &str,
    of: i64,
    ids: &[ObjectId],
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(AssertSqlSafe(format!("{query} = ANY($2)")))
        .bind(of)
        .bind(ids.iter().map(ObjectId::as_bytes).collect::<Vec<_>>())
        .fetch_all(connection)
        .await
}

/// Returns what `query`, which ends in the name of a column, finds where that column is one of `rows`.
pub(super) async fn by_row(
    connection: &mut PgConnection,
    query: &str,
    rows: &[i64],
    order: &str,
) -> sqlx::Result<Vec<PgRow>> {
    sqlx::query(AssertSqlSafe(format!("{query} = ANY($1) {order}"))).bind(rows).fetch_all(connection).await
}

/// Adds commits to a snapshot; one that is there already may only come onto the mainline.
pub(super) async fn list_commits(
    connection: &mut PgConnection,
    snapshot: i64,
    set: i64,
    ids: &[ObjectId],
    mainline: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO snapshot_commit (snapshot_id, commit_id, mainline) \
         SELECT $1, id, $2 FROM commit_fact WHERE fact_set_id = $3 AND oid = ANY($4) \
         ON CONFLICT (snapshot_id, commit_id) DO UPDATE SET mainline = excluded.mainline \
         WHERE snapshot_commit.mainline < excluded.mainline",
    )
    .bind(snapshot)
    .bind(i64::from(mainline))
    .bind(set)
    .bind(ids.iter().map(ObjectId::as_bytes).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Returns the rows of a snapshot's commits, and whether each is on the mainline.
pub(super) async fn members(connection: &mut PgConnection, snapshot: i64) -> Result<Vec<(i64, bool)>> {
    // One row for all, because a row costs a hundred times what a number costs.
    let listed: Option<Vec<i64>> =
        sqlx::query("SELECT array_agg(2 * commit_id + mainline) FROM snapshot_commit WHERE snapshot_id = $1")
            .bind(snapshot)
            .fetch_one(connection)
            .await
            .doing("list a snapshot's commits")?
            .get(0);
    Ok(listed.unwrap_or_default().into_iter().map(|number| (number >> 1, number & 1 == 1)).collect())
}
