//! The audit log, as it is kept: whoever reads it can verify it without us.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Api, Problem};
use crate::access::entry::{Head, Kept};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only entries behind this place.
    #[serde(default)]
    after: i64,
    /// At most so many, 1,000 unless said otherwise, 10,000 at most.
    limit: Option<u32>,
}

#[utoipa::path(
    get, path = "/audit", tag = "access", params(ListQuery),
    responses((status = 200, body = Vec<Kept>), (status = 400, body = Problem))
)]
pub(super) async fn list(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Kept>>, Problem> {
    let limit = query.limit.unwrap_or(1_000).clamp(1, 10_000);
    Ok(Json(api.access.log_entries(query.after, limit).await?))
}

#[utoipa::path(get, path = "/audit/head", tag = "access", responses((status = 200, body = Head)))]
pub(super) async fn head(State(api): State<Api>) -> Result<Json<Head>, Problem> {
    Ok(Json(api.access.log_head().await?))
}
