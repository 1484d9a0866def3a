//! Repositories that were ever submitted.

use axum::Json;
use axum::extract::{Path, State};

use super::batches::{Acted, acted};
use super::{Api, Problem};
use crate::access::Caller;
use crate::view::SourceView;

const MOST: u32 = 10_000;

#[utoipa::path(get, path = "/repositories", tag = "repositories", responses((status = 200, body = Vec<SourceView>)))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<SourceView>>, Problem> {
    Ok(Json(api.store.sources(&caller.scope, MOST).await?))
}

#[utoipa::path(
    get, path = "/repositories/{id}", tag = "repositories", params(("id" = i64, Path)),
    responses((status = 200, body = SourceView), (status = 404, body = Problem))
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<SourceView>, Problem> {
    api.store.source(id, &caller.scope).await?.map(Json).ok_or_else(|| unknown(id))
}

#[utoipa::path(
    delete, path = "/repositories/{id}", tag = "repositories", params(("id" = i64, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn forget(State(api): State<Api>, Path(id): Path<i64>) -> Result<Json<Acted>, Problem> {
    acted(api.store.forget_source(id).await?, || unknown(id))
}

fn unknown(id: i64) -> Problem {
    Problem::not_found("repository", id).hint("`gitfleet repo ls` lists them")
}
