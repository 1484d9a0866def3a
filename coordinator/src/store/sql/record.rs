//! What jobs came to, as many as came together in one transaction.
//!
//! Rows are taken in one order, each kind for all outcomes before the next: repositories of batches, jobs, fact sets,
//! signatures. So recorders wait in a line and not in a circle, outcomes of one repository are recorded one after the
//! other, and the last of them is the one that finds no open job.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gitfleet_shared::contract::{
    Failure, FailureClass, Job, MainlineNet, Outcome, Revisions, SliceResult, TipResult, Work,
};
use gitfleet_shared::facts::CommitFacts;
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::object_id::ObjectId;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Row as _};

use super::batches::{self, FIRST, place};
use super::columns::{DAMAGED_BATCH, DAMAGED_JOB, batch_id, job_id};
use super::facts::Signatures;
use super::snapshots::Published;
use super::{
    Arguments, Connection, Database, Doing as _, Driver, HOLD_REPOSITORIES, bulk, closing, erased, facts,
    snapshots,
};
use crate::redact::Redacted;
use crate::store::text::storable;
use crate::store::{Effect, Ended, FactSet, Plan, Recording, RepositoryState, Result};
use crate::submit;

pub(super) async fn record(
    database: &Database,
    recordings: &[Recording<'_>],
    ended_at: Option<i64>,
) -> Result<Vec<Ended>> {
    let mut transaction = database.begin().await?;
    let connection = &mut *transaction;
    let list = erased::hold(database, connection).await?;
    let redacted: Vec<Redacted> = match list.is_empty() {
        true => Vec::new(),
        false => recordings.iter().map(|recording| Redacted::of(&list, recording)).collect(),
    };
    let named = redacted.iter().filter(|one| one.named_somebody()).count();
    let instead: Vec<Recording<'_>> =
        redacted.iter().zip(recordings).map(|(one, recording)| one.instead(recording)).collect();
    let recordings = if named > 0 { instead.as_slice() } else { recordings };
    let mut places = hold(connection, recordings).await?;
    let ended = end_jobs(connection, recordings).await?;
    if !gitfleet_shared::sabotaged!("no_idempotency") {
        places.retain(|job, _| ended.contains(job));
    }
    let mut groups: BTreeMap<Place, Vec<&Recording<'_>>> = BTreeMap::new();
    for recording in recordings {
        // The first of those that say the same.
        if let Some(place) = places.remove(&recording.outcome.job) {
            groups.entry(place).or_default().push(recording);
        }
    }
    let sets: BTreeSet<i64> = groups
        .iter()
        .filter(|(_, recordings)| slices(recordings).next().is_some())
        .filter_map(|(place, _)| place.pending)
        .collect();
    for set in sets {
        facts::lock(connection, FactSet(set)).await?;
    }
    let all = groups.values().flat_map(|recordings| slices(recordings)).flat_map(|slice| &slice.facts);
    let signatures = facts::take_signatures(connection, all).await?;
    let mut repositories = Vec::new();
    for (place, recordings) in groups {
        repositories.extend(Ending::of(connection, place, &signatures, &recordings).end(&recordings).await?);
    }
    if let Some(now) = ended_at {
        let outcomes: Vec<&Outcome> = recordings.iter().map(|recording| recording.outcome).collect();
        closing::close_attempts(connection, &outcomes, now).await?;
    }
    transaction.commit().await.doing("record outcomes")?;
    database.erasing.note_redactions(named as u64);
    Ok(repositories)
}

fn slices<'a>(recordings: &[&'a Recording<'_>]) -> impl Iterator<Item = &'a SliceResult> {
    recordings.iter().filter_map(|recording| match recording.effect {
        Effect::Slice(slice, _) => Some(slice),
        _ => None,
    })
}

/// A repository of a batch, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    batch: BatchId,
    position: u32,
    /// Where facts go, until the repository is published or has failed.
    pending: Option<i64>,
    commits_new: i64,
}

/// Takes the repositories of all the jobs, and returns them by job.
async fn hold(connection: &mut Connection, recordings: &[Recording<'_>]) -> Result<HashMap<JobId, Place>> {
    let jobs: Vec<JobId> = recordings.iter().map(|recording| recording.outcome.job).collect();
    let query = "SELECT j.id, r.batch_id, r.position, r.pending_facts, coalesce(r.commits_new, 0) \
         FROM job j JOIN batch_repository r ON r.batch_id = j.batch_id AND r.position = j.position WHERE j.id";
    let rows = bulk::by_job(connection, query, &jobs, HOLD_REPOSITORIES).await.doing("take repositories")?;
    rows.iter()
        .map(|row| {
            let place = Place {
                batch: batch_id(row.get(1))?,
                position: place(row.get(2)).ok_or(DAMAGED_BATCH)?,
                pending: row.get(3),
                commits_new: row.get(4),
            };
            Ok((job_id(row.get(0))?, place))
        })
        .collect()
}

/// Ends the jobs, and returns those that were open.
async fn end_jobs(connection: &mut Connection, recordings: &[Recording<'_>]) -> Result<HashSet<JobId>> {
    let states: Vec<(JobId, &str)> = recordings
        .iter()
        .filter_map(|recording| {
            let state = match &recording.effect {
                Effect::Nothing => return None,
                // One that every worker was lost with is nobody's to try again by itself.
                Effect::Failure(failure) if failure.class == FailureClass::Poisoned => "dead",
                Effect::Failure(_) => "failed",
                _ => "done",
            };
            Some((recording.outcome.job, state))
        })
        .collect();
    let rows = bulk::end_jobs(connection, &states).await.doing("end jobs")?;
    rows.iter().map(|row| job_id(row.get(0))).collect()
}

type Bound<'q> = Query<'q, Driver, Arguments>;

/// The end of some jobs of one repository.
struct Ending<'a> {
    connection: &'a mut Connection,
    place: Place,
    signatures: &'a Signatures<'a>,
    /// Not yet added to what the repository has taken.
    elapsed_millis: i64,
    /// Where the repository came to its end by them.
    ended: Option<Ended>,
}

impl<'a> Ending<'a> {
    fn of(
        connection: &'a mut Connection,
        place: Place,
        signatures: &'a Signatures<'a>,
        recordings: &[&Recording<'_>],
    ) -> Self {
        let elapsed: u64 = recordings.iter().map(|recording| recording.outcome.elapsed_millis).sum();
        let elapsed_millis = i64::try_from(elapsed).unwrap_or(i64::MAX);
        Self { connection, place, signatures, elapsed_millis, ended: None }
    }

    async fn end(mut self, recordings: &[&Recording<'_>]) -> Result<Option<Ended>> {
        let mut failures = Vec::new();
        for recording in recordings {
            match &recording.effect {
                // All of them at once, below.
                Effect::Nothing | Effect::Slice(..) => {}
                Effect::Unchanged(revisions) => self.unchanged(revisions).await?,
                Effect::Plan(plan) => self.plan(plan).await?,
                Effect::SurveyAgain(again) => self.add_jobs(FIRST, std::slice::from_ref(again)).await?,
                Effect::DryRun { commits_seen, commits_new } => {
                    self.dry_run(*commits_seen, *commits_new).await?;
                }
                Effect::Tip(tip) => self.tip(tip).await?,
                Effect::Failure(failure) => failures.push((recording.outcome.job, *failure)),
            }
        }
        self.slices(recordings).await?;
        if !failures.is_empty() {
            self.fail(&failures).await?;
        } else if let Some(last) = recordings.iter().rfind(|recording| {
            matches!(recording.effect, Effect::Plan(_) | Effect::Slice(..) | Effect::Tip(_))
        }) {
            self.publish_if_done(last.outcome.job).await?;
        }
        if self.elapsed_millis > 0 {
            self.update("state = state", |query| query).await?;
        }
        Ok(self.ended)
    }

    fn ends(&mut self, state: RepositoryState) {
        self.ended = Some(Ended { state, class: None });
    }

    /// Sets columns of the repository to the values that `bind` adds, from `$4` on.
    async fn update<'q>(&mut self, columns: &str, bind: impl FnOnce(Bound<'q>) -> Bound<'q>) -> Result<()> {
        let statement = format!(
            "UPDATE batch_repository SET elapsed_millis = elapsed_millis + $3, {columns} \
             WHERE batch_id = $1 AND position = $2"
        );
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(self.place.batch.as_bytes().to_vec())
            .bind(i64::from(self.place.position))
            .bind(std::mem::take(&mut self.elapsed_millis));
        bind(query).execute(&mut *self.connection).await.doing("record an outcome")?;
        Ok(())
    }

    async fn add_jobs(&mut self, urgency: i64, jobs: &[Job]) -> Result<()> {
        batches::insert_jobs(self.connection, self.place.position, urgency, jobs).await
    }

    async fn unchanged(&mut self, revisions: &Revisions) -> Result<()> {
        let columns = "commits_new = 0, cache_hits = 0, (state, commits_seen) = ( \
                 SELECT CASE WHEN n.head IS NULL THEN 'empty' ELSE 'analysed' END, \
                     (SELECT count(*) FROM snapshot_commit s WHERE s.snapshot_id = n.id) \
                 FROM snapshot n WHERE n.repository_id = batch_repository.repository_id AND n.revisions = $4)";
        self.update(columns, |query| query.bind(revisions.to_string())).await?;
        let state: String =
            sqlx::query("SELECT state FROM batch_repository WHERE batch_id = $1 AND position = $2")
                .bind(self.place.batch.as_bytes().as_slice())
                .bind(i64::from(self.place.position))
                .fetch_one(&mut *self.connection)
                .await
                .doing("record an outcome")?
                .get(0);
        self.ends(RepositoryState::from_name(&state).ok_or(DAMAGED_BATCH)?);
        Ok(())
    }

    async fn plan(&mut self, plan: &Plan) -> Result<()> {
        snapshots::hold(self.connection, plan.facts).await?;
        // What an earlier plan found in caches was of other commits.
        let columns =
            "state = 'analysing', pending_facts = $4, commits_seen = $5, commits_new = $6, cache_hits = 0";
        let (seen, new) = (count(plan.commits_seen), count(plan.commits_new));
        self.update(columns, |query| query.bind(plan.facts.0).bind(seen).bind(new)).await?;
        let Place { batch, position, .. } = self.place;
        snapshots::insert_pending(self.connection, batch, position, &plan.changed, plan.base).await?;
        self.add_jobs(new, &plan.jobs).await
    }

    async fn dry_run(&mut self, seen: u64, new: u64) -> Result<()> {
        let columns = "state = 'planned', commits_seen = $4, commits_new = $5";
        self.ends(RepositoryState::Planned);
        self.update(columns, |query| query.bind(count(seen)).bind(count(new))).await
    }

    async fn tip(&mut self, tip: &TipResult) -> Result<()> {
        let Place { batch, position, .. } = self.place;
        snapshots::insert_pending_tip(self.connection, batch, position, &tip.files).await?;
        let columns = "tip_lines = $4, tip_unknown = $5";
        self.update(columns, |query| query.bind(count(tip.lines)).bind(i64::from(tip.unknown_files))).await
    }

    async fn slices(&mut self, recordings: &[&Recording<'_>]) -> Result<()> {
        let slices: Vec<&SliceResult> = slices(recordings).collect();
        // A slice that arrives after its repository failed has nothing to add to.
        let (Some(set), false) = (self.place.pending, slices.is_empty()) else { return Ok(()) };
        let facts: Vec<&CommitFacts> = slices.iter().flat_map(|slice| &slice.facts).collect();
        let nets: Vec<(ObjectId, MainlineNet)> =
            slices.iter().flat_map(|slice| &slice.mainline_merges).copied().collect();
        facts::insert(self.connection, FactSet(set), self.signatures, &facts, &nets).await?;
        let rests: Vec<Job> = recordings
            .iter()
            .filter_map(|recording| match &recording.effect {
                Effect::Slice(_, rest) => rest.clone(),
                _ => None,
            })
            .collect();
        self.add_jobs(self.place.commits_new, &rests).await?;
        let hits: i64 = slices.iter().map(|slice| i64::from(slice.cache_hits)).sum();
        self.update("cache_hits = cache_hits + $4", |query| query.bind(hits)).await
    }

    async fn fail(&mut self, failures: &[(JobId, &Failure)]) -> Result<()> {
        let Some((_, first)) = failures.first() else { return Ok(()) };
        self.ended = Some(Ended { state: RepositoryState::Failed, class: Some(first.class) });
        let message = storable(&first.message).into_owned();
        let columns = "state = 'failed', failure_class = $4, failure_message = $5, pending_facts = NULL";
        self.update(columns, |query| query.bind(first.class.name()).bind(message)).await?;
        for (job, failure) in failures {
            sqlx::query("UPDATE job SET failure_class = $2, failure_message = $3 WHERE id = $1")
                .bind(job.as_bytes().as_slice())
                .bind(failure.class.name())
                .bind(storable(&failure.message))
                .execute(&mut *self.connection)
                .await
                .doing("record a failure")?;
        }
        for statement in [
            "DELETE FROM pending_snapshot WHERE batch_id = $1 AND position = $2",
            // Whoever has one of them in hand may be lost with it, and then nobody would end his attempt.
            "UPDATE attempt SET ended_at = heard_at, ending = 'cancelled' WHERE ended_at IS NULL \
             AND job_id IN (SELECT id FROM job WHERE batch_id = $1 AND position = $2 AND state = 'queued')",
            "UPDATE job SET state = 'cancelled' WHERE batch_id = $1 AND position = $2 AND state = 'queued'",
            "DELETE FROM outbox WHERE batch_id = $1 AND position = $2",
        ] {
            sqlx::query(statement)
                .bind(self.place.batch.as_bytes().as_slice())
                .bind(i64::from(self.place.position))
                .execute(&mut *self.connection)
                .await
                .doing("record a failure")?;
        }
        Ok(())
    }

    /// Publishes the snapshot of the repository if its last job has ended; `job` is one of its jobs.
    async fn publish_if_done(&mut self, job: JobId) -> Result<()> {
        let open: bool = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM job WHERE batch_id = $1 AND position = $2 AND state = 'queued')",
        )
        .bind(self.place.batch.as_bytes().as_slice())
        .bind(i64::from(self.place.position))
        .fetch_one(&mut *self.connection)
        .await
        .doing("look for open jobs")?
        .get(0);
        if open {
            return Ok(());
        }
        match snapshots::publish(self.connection, self.place.batch, self.place.position).await? {
            Published::Nothing => Ok(()),
            Published::Outrun => self.survey_again(job).await,
            Published::Done { is_empty } => {
                let state = if is_empty { RepositoryState::Empty } else { RepositoryState::Analysed };
                self.ends(state);
                self.update("pending_facts = NULL, state = $4", |query| query.bind(state.name())).await
            }
        }
    }

    /// Sends the repository of `job` to be surveyed from nothing. All facts are there by now, so it costs a walk.
    async fn survey_again(&mut self, job: JobId) -> Result<()> {
        let position = self.place.position;
        let row = sqlx::query(
            "SELECT j.message, r.revisions FROM job j JOIN batch_repository r ON r.batch_id = j.batch_id \
             AND r.position = j.position WHERE j.id = $1",
        )
        .bind(job.as_bytes().as_slice())
        .fetch_one(&mut *self.connection)
        .await
        .doing("find a job")?;
        let asked = Job::decode(row.get(0)).map_err(|_| DAMAGED_JOB)?;
        let revisions = serde_json::from_str(row.get(1)).map_err(|_| DAMAGED_BATCH)?;
        let work = Work::Survey { revisions, base: None };
        let survey = submit::follow_up(&asked, position, work);
        self.update("state = 'surveying', pending_facts = NULL", |query| query).await?;
        self.add_jobs(FIRST, std::slice::from_ref(&survey)).await
    }
}

fn count(things: u64) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}
