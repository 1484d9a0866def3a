//! Records what workers say of their jobs, once, however often they say it.

use std::collections::HashSet;
use std::time::Duration;

use gitfleet_shared::contract::{Job, Outcome, SurveyResult, Work, WorkResult};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::queue::{Consumer, Delivery};
use tokio::time::{Instant, timeout_at};

use crate::plan::{Decision, plan};
use crate::store::{Effect, Ended, Recording, Result, Store, StoredJob};
use crate::submit;

/// How a batch treats surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Analyse what is missing, in slices of so many commits at most.
    Analyse { slice_commits: usize },
    /// Count what would be analysed, and leave it.
    Plan,
}

/// Answers that are taken at a time at most, and bytes after which no more are.
const ANSWERS: usize = 64;
const BYTES: usize = 8 << 20;

/// What some outcomes came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collection {
    /// What each of them brought, in their order; `None` of a job that had ended before, or that nobody asked for.
    pub brought: Vec<Option<Collected>>,
    /// Repositories that came to their end.
    pub ended: Vec<Ended>,
}

/// What an outcome brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// The repository of the batch whose state may have changed.
    pub position: u32,
    /// The commits of the job.
    pub units: u64,
    /// The kind of its work.
    pub work: &'static str,
}

/// Records `outcomes`, all of them or none, by what each of their batches is for. Where attempts are kept, they end at
/// `ended_at` (UTC milliseconds). Returns what each outcome brought; one of a job that has ended, or that nobody asked
/// for, changes nothing and gives `None`.
///
/// # Errors
///
/// Where the store fails; then nothing of the outcomes was recorded.
pub async fn collect(
    store: &dyn Store,
    purpose: impl Fn(BatchId) -> Purpose,
    outcomes: &[&Outcome],
    ended_at: Option<i64>,
) -> Result<Collection> {
    let jobs: Vec<JobId> = outcomes.iter().map(|outcome| outcome.job).collect();
    let asked = store.asked(&jobs).await?;
    let mut recordings = Vec::with_capacity(outcomes.len());
    let mut collected = Vec::with_capacity(outcomes.len());
    let mut taken = HashSet::new();
    for outcome in outcomes {
        let Some(asked) = asked.get(&outcome.job) else {
            tracing::warn!(job.id = %outcome.job, "an outcome of a job that is not known");
            collected.push(None);
            continue;
        };
        // Of those that say the same at once, the first.
        let is_new = asked.open && taken.insert(outcome.job);
        let counts = is_new || gitfleet_shared::sabotaged!("no_idempotency");
        let effect = match counts {
            true => effect(store, purpose(outcome.batch), asked, outcome).await?,
            false => Effect::Nothing,
        };
        let work = &asked.job.work;
        let brought = Collected { position: asked.position, units: work.units(), work: work.name() };
        collected.push(counts.then_some(brought));
        if counts || ended_at.is_some() {
            recordings.push(Recording { outcome, effect });
        }
    }
    let ended = match recordings.is_empty() {
        true => Vec::new(),
        false => store.record(&recordings, ended_at).await?,
    };
    Ok(Collection { brought: collected, ended })
}

/// Returns `first` and what else is there already or comes within `patience`, but for what would be too much at a time.
pub(crate) async fn with_more(
    first: Box<dyn Delivery>,
    answers: &mut Box<dyn Consumer>,
    patience: Duration,
) -> Vec<Box<dyn Delivery>> {
    let until = Instant::now() + patience;
    let mut bytes = first.body().len();
    let mut deliveries = vec![first];
    while deliveries.len() < ANSWERS && bytes < BYTES {
        // A queue that is away says so again when it is waited for.
        let Ok(Ok(next)) = timeout_at(until, answers.next()).await else { break };
        bytes += next.body().len();
        deliveries.push(next);
    }
    deliveries
}

/// Returns what is to be recorded of an outcome of an open job.
async fn effect<'a>(
    store: &dyn Store,
    purpose: Purpose,
    asked: &'a StoredJob,
    outcome: &'a Outcome,
) -> Result<Effect<'a>> {
    Ok(match (&outcome.result, &asked.job.work) {
        (Err(failure), _) => Effect::Failure(failure),
        (Ok(WorkResult::Survey(SurveyResult::Unchanged)), Work::Survey { revisions, .. }) => {
            Effect::Unchanged(revisions)
        }
        (Ok(WorkResult::Survey(SurveyResult::Changed(changed))), Work::Survey { revisions, .. }) => {
            let known = store.known(asked, revisions, changed).await?;
            let slice_commits = match purpose {
                Purpose::Analyse { slice_commits } => slice_commits,
                Purpose::Plan => usize::MAX,
            };
            match plan(asked, (**changed).clone(), known, slice_commits) {
                Decision::SurveyAll(work) => Effect::SurveyAgain(follow_up(asked, work)),
                Decision::Analyse(plan) if purpose == Purpose::Plan => {
                    Effect::DryRun { commits_seen: plan.commits_seen, commits_new: plan.commits_new }
                }
                Decision::Analyse(plan) => Effect::Plan(plan),
            }
        }
        (Ok(WorkResult::Slice(slice)), Work::Slice { head, .. }) => {
            // What the worker put back is a slice of its own, known by what it holds.
            let rest = (!slice.undone.is_empty() || !slice.undone_merges.is_empty()).then(|| {
                let (commits, mainline_merges) = (slice.undone.clone(), slice.undone_merges.clone());
                follow_up(asked, Work::Slice { head: *head, commits, mainline_merges })
            });
            Effect::Slice(slice, rest)
        }
        (Ok(WorkResult::Tip(tip)), Work::Tip { .. }) => Effect::Tip(tip),
        // An answer to another question.
        (Ok(_), _) => Effect::Nothing,
    })
}

/// Returns the job for more work on the repository of `asked`.
fn follow_up(asked: &StoredJob, work: Work) -> Job {
    submit::follow_up(&asked.job, asked.position, work)
}
