//! Jobs: what they are at, and why.

use axum::Json;
use axum::extract::{Path, Query, State};
use gitfleet_shared::queue::Topic;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batches::Retried;
use super::{Api, Problem, named};
use crate::access::Caller;
use crate::explain::{Surroundings, explain as say};
use crate::store::ledger::JobFilter;
use crate::view::{JobHistory, JobView};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only those of this batch.
    batch: Option<String>,
    /// queued, done, failed, dead or cancelled.
    state: Option<String>,
    /// Only those behind this one, in the order of ids.
    after: Option<String>,
    /// At most so many, 50 unless said otherwise, 1,000 at most.
    limit: Option<u32>,
}

/// Why a job is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    pub job: String,
    pub state: String,
    /// One sentence.
    pub explanation: String,
    /// What to do, where there is anything to do.
    pub hint: Option<String>,
}

#[utoipa::path(
    get, path = "/jobs", tag = "jobs", params(ListQuery),
    responses((status = 200, body = Vec<JobView>), (status = 400, body = Problem))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<JobView>>, Problem> {
    Problem::check_state(query.state.as_deref(), &JobFilter::STATES)?;
    let (mut batch, mut after) = (None, None);
    if let Some(id) = &query.batch {
        batch = Some(named::batch(&api, &caller, id).await?);
    }
    if let Some(id) = &query.after {
        after = Some(named::job(&api, &caller, id).await?);
    }
    let limit = query.limit.unwrap_or(50).clamp(1, 1_000);
    let filter = JobFilter { batch, state: query.state, after, scope: caller.scope, limit };
    Ok(Json(api.store.jobs(&filter, (api.now)()).await?))
}

#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = JobHistory), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<JobHistory>, Problem> {
    history(&api, &caller, &id).await.map(Json)
}

#[utoipa::path(
    get, path = "/jobs/{id}/explanation", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Explained), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn explain(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Explained>, Problem> {
    let history = history(&api, &caller, &id).await?;
    let batch = api.store.batch(named::batch(&api, &caller, &history.job.batch).await?).await?;
    let surroundings = Surroundings {
        batch,
        workers: api.store.workers().await?,
        leader: api.store.leader((api.now)()).await?,
        waiting: api.queue.depth(Topic::Jobs).await.ok(),
    };
    let (explanation, hint) = say(&history, &surroundings);
    Ok(Json(Explained { job: history.job.id, state: history.job.state, explanation, hint }))
}

#[utoipa::path(
    post, path = "/jobs/{id}/retry", tag = "jobs", params(("id" = String, Path)),
    responses((status = 200, body = Retried), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Retried>, Problem> {
    let job = named::job(&api, &caller, &id).await?;
    let stored = api.store.job(job).await?.ok_or_else(|| named::unknown_job(&id))?;
    // A job fails its repository, and that begins again as a whole: what is known of it is not done again.
    let repositories = api.store.retry(stored.job.batch, Some(stored.position)).await?;
    if repositories == 0 {
        return Err(Problem::conflict(format!("the repository of job {id} has not failed"))
            .hint("`gitfleet job explain` says what it is at"));
    }
    api.bell.work();
    Ok(Json(Retried { repositories }))
}

async fn history(api: &Api, caller: &Caller, id: &str) -> Result<JobHistory, Problem> {
    let history = api.store.job_history(named::job(api, caller, id).await?, (api.now)()).await?;
    history.ok_or_else(|| named::unknown_job(id))
}
