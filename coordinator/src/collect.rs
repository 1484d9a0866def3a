//! Records what workers say of their jobs, once, however often they say it.

use gitfleet_shared::contract::{Job, Outcome, SurveyResult, Work, WorkResult};

use crate::plan::{Decision, plan};
use crate::store::{Result, Store, StoredJob};
use crate::submit;

/// How a batch treats surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Analyse what is missing, in slices of so many commits at most.
    Analyse { slice_commits: usize },
    /// Count what would be analysed, and leave it.
    Plan,
}

/// What an outcome brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// The repository of the batch whose state may have changed.
    pub position: u32,
    /// The commits of the job.
    pub units: u64,
}

/// Records `outcome`. An outcome of a job that has ended, or that nobody asked for, changes nothing and gives `None`.
///
/// # Errors
///
/// Where the store fails; then nothing of the outcome was recorded.
pub async fn collect(store: &dyn Store, purpose: Purpose, outcome: &Outcome) -> Result<Option<Collected>> {
    let Some(asked) = store.job(outcome.job).await? else {
        tracing::warn!(job.id = %outcome.job, "an outcome of a job that is not known");
        return Ok(None);
    };
    if !asked.open && !gitfleet_shared::sabotaged!("no_idempotency") {
        return Ok(None);
    }
    record(store, purpose, &asked, outcome).await?;
    Ok(Some(Collected { position: asked.position, units: asked.job.work.units() }))
}

async fn record(store: &dyn Store, purpose: Purpose, asked: &StoredJob, outcome: &Outcome) -> Result<()> {
    match &outcome.result {
        Err(failure) => store.record_failure(outcome, failure).await,
        Ok(WorkResult::Survey(SurveyResult::Unchanged)) => store.record_unchanged(outcome).await,
        Ok(WorkResult::Survey(SurveyResult::Changed(changed))) => {
            let Work::Survey { revisions, .. } = &asked.job.work else { return Ok(()) };
            let known = store.known(asked, revisions, changed).await?;
            let slice_commits = match purpose {
                Purpose::Analyse { slice_commits } => slice_commits,
                Purpose::Plan => usize::MAX,
            };
            match plan(asked, (**changed).clone(), known, slice_commits) {
                Decision::SurveyAll(work) => {
                    let again = follow_up(asked, work);
                    store.record_resurvey(outcome, &again).await
                }
                Decision::Analyse(plan) if purpose == Purpose::Plan => {
                    store.record_dry_run(outcome, plan.commits_seen, plan.commits_new).await
                }
                Decision::Analyse(plan) => store.record_plan(outcome, &plan).await,
            }
        }
        Ok(WorkResult::Slice(slice)) => {
            let Work::Slice { head, .. } = asked.job.work else { return Ok(()) };
            // What the worker put back is a slice of its own, known by what it holds.
            let rest = (!slice.undone.is_empty() || !slice.undone_merges.is_empty()).then(|| {
                let (commits, mainline_merges) = (slice.undone.clone(), slice.undone_merges.clone());
                follow_up(asked, Work::Slice { head, commits, mainline_merges })
            });
            store.record_slice(outcome, slice, rest.as_ref()).await
        }
        Ok(WorkResult::Tip(tip)) => store.record_tip(outcome, *tip).await,
    }
}

/// Returns the job for more work on the repository of `asked`.
fn follow_up(asked: &StoredJob, work: Work) -> Job {
    submit::job(asked.job.batch, asked.position, &asked.job.source, work, asked.job.max_blob_bytes)
}
