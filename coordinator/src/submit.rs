//! From a list of repositories to a batch in the store, each with the job that surveys it.

use std::collections::BTreeMap;

use gitfleet_shared::contract::{Job, Revisions, Scope, Source, Work};
use gitfleet_shared::ids::{BatchId, JobId};
use gitfleet_shared::trace::TraceContext;

use crate::store::{NewBatch, NewRepository, RequestKey, Result, Store, Submitted};
use crate::terms::Terms;

/// What somebody wants analysed.
#[derive(Debug, Clone)]
pub struct Submission {
    pub repositories: Vec<Requested>,
    /// What its report is published as.
    pub name: String,
    /// From -100 to 100; the higher one goes first.
    pub priority: i64,
    pub labels: BTreeMap<String, String>,
    pub terms: Terms,
    pub request: Option<RequestKey>,
    /// The configuration it runs under, as JSON without secrets.
    pub config: String,
    /// UTC milliseconds.
    pub submitted_at: i64,
}

#[derive(Debug, Clone)]
pub struct Requested {
    pub name: String,
    pub project_key: String,
    pub source: Source,
    pub revisions: Revisions,
    /// The name of what workers are to show to the source's host.
    pub credential: Option<String>,
}

/// Writes the submission down and returns its batch, and what became of it. Each survey starts from what was last
/// published of its repository.
///
/// # Errors
///
/// Where the store fails; then nothing was submitted.
pub async fn submit(store: &dyn Store, submission: Submission) -> Result<(BatchId, Submitted)> {
    let scope = submission.terms.scope();
    let batch = BatchId::generate();
    let mut repositories = Vec::with_capacity(submission.repositories.len());
    let sources: Vec<_> = submission.repositories.iter().map(|one| (&one.source, &one.revisions)).collect();
    let snapshots = store.snapshots(&sources, scope).await?;
    for ((position, requested), snapshot) in (0u32..).zip(submission.repositories).zip(snapshots) {
        let Requested { name, project_key, source, revisions, credential } = requested;
        let base = snapshot.filter(|snapshot| snapshot.is_final).map(|snapshot| snapshot.base);
        let work = Work::Survey { revisions: revisions.clone(), base };
        let survey = job(batch, position, &source, credential, work, scope);
        repositories.push(NewRepository { name, project_key, source, revisions, survey });
    }
    let Submission { name, priority, labels, terms, request, config, submitted_at, .. } = submission;
    let new = NewBatch {
        id: batch,
        name,
        priority,
        labels,
        terms,
        request,
        config,
        trace: TraceContext::current(),
        created_at: submitted_at,
        repositories,
    };
    gitfleet_shared::point!("C1");
    let submitted = store.submit(&new).await?;
    gitfleet_shared::point!("C3");
    Ok(match submitted {
        Submitted::Now => (batch, submitted),
        Submitted::Before(known) | Submitted::Conflict(known) => (known, submitted),
    })
}

/// Returns the job that does `work` for the repository at `position`; the same work has the same id. The position
/// counts, because a batch may ask for one source twice, for two of its branches.
fn job(
    batch: BatchId,
    position: u32,
    source: &Source,
    credential: Option<String>,
    work: Work,
    scope: Scope,
) -> Job {
    let mut key = position.to_le_bytes().to_vec();
    key.extend(source.to_string().into_bytes());
    key.push(0);
    key.extend(work.key());
    let Scope { max_blob_bytes, line_history } = scope;
    let (id, source) = (JobId::derive(batch, &key), source.clone());
    Job { id, batch, source, work, max_blob_bytes, line_history, credential, erased: None }
}

/// Returns the job for more work on the repository of `asked`, which stands at `position`.
pub(crate) fn follow_up(asked: &Job, position: u32, work: Work) -> Job {
    job(asked.batch, position, &asked.source, asked.credential.clone(), work, asked.scope())
}
