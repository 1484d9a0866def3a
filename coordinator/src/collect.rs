//! Records what workers say of their jobs, once, however often they say it.

use gitfleet_shared::contract::{Outcome, SurveyResult, Work, WorkResult};

use crate::plan::{Decision, plan};
use crate::store::{Result, Store};
use crate::submit;

/// How a batch treats surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Analyse what is missing, in slices of so many commits at most.
    Analyse { slice_commits: usize },
    /// Count what would be analysed, and leave it.
    Plan,
}

/// Records `outcome`. An outcome of a job that has ended, or that nobody asked for, changes nothing.
///
/// # Errors
///
/// Where the store fails; then nothing of the outcome was recorded.
pub async fn collect(store: &dyn Store, purpose: Purpose, outcome: &Outcome) -> Result<()> {
    let Some(asked) = store.job(outcome.job).await? else {
        tracing::warn!(job.id = %outcome.job, "an outcome of a job that is not known");
        return Ok(());
    };
    if !asked.open {
        return Ok(());
    }
    match &outcome.result {
        Err(failure) => store.record_failure(outcome, failure).await,
        Ok(WorkResult::Survey(SurveyResult::Unchanged)) => store.record_unchanged(outcome).await,
        Ok(WorkResult::Survey(SurveyResult::Changed(changed))) => {
            let Work::Survey { revisions, .. } = &asked.job.work else { return Ok(()) };
            let known = store.known(&asked, revisions, &changed.snapshot.attributes).await?;
            let slice_commits = match purpose {
                Purpose::Analyse { slice_commits } => slice_commits,
                Purpose::Plan => usize::MAX,
            };
            match plan(&asked, (**changed).clone(), known, slice_commits) {
                Decision::SurveyAll(work) => {
                    let again = submit::job(outcome.batch, &asked.job.source, work, asked.job.max_blob_bytes);
                    store.record_resurvey(outcome, &again).await
                }
                Decision::Analyse(plan) if purpose == Purpose::Plan => {
                    store.record_dry_run(outcome, plan.commits_seen, plan.commits_new).await
                }
                Decision::Analyse(plan) => store.record_plan(outcome, &plan).await,
            }
        }
        Ok(WorkResult::Slice(slice)) => store.record_slice(outcome, slice).await,
        Ok(WorkResult::Tip(tip)) => store.record_tip(outcome, *tip).await,
    }
}
