//! Reports, as JSON; the other forms are made of it by whoever wants them.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Api, Problem, named};
use crate::access::Caller;
use crate::view::ReportView;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// At most so many, 50 unless said otherwise, 1,000 at most.
    limit: Option<u32>,
}

#[utoipa::path(
    get, path = "/reports", tag = "reports", params(ListQuery), responses((status = 200, body = Vec<ReportView>))
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<ReportView>>, Problem> {
    Ok(Json(api.store.reports(&caller.scope, query.limit.unwrap_or(50).clamp(1, 1_000)).await?))
}

#[utoipa::path(
    get, path = "/batches/{id}/report", tag = "reports", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn of_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(json(parts(&api, &caller, &id).await?.0))
}

#[utoipa::path(
    get, path = "/batches/{id}/manifest", tag = "reports", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn manifest_of_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(json(parts(&api, &caller, &id).await?.1))
}

pub(super) async fn parts(api: &Api, caller: &Caller, id: &str) -> Result<(String, String), Problem> {
    let batch = named::batch(api, caller, id).await?;
    if let Some(parts) = api.store.report(batch).await? {
        return Ok(parts);
    }
    Err(match api.store.batch(batch).await? {
        Some(view) => Problem::not_found("report of batch", format!("{id}, which is {}", view.state))
            .hint("`gitfleet batch watch` waits for its end"),
        None => named::unknown_batch(id),
    })
}

/// The bytes as they are kept: the report's are the same wherever it is read.
fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
