//! What an autoscaler asks.

use axum::Json;
use axum::extract::State;

use super::{Api, Problem};
use crate::vital::Scaling;

#[utoipa::path(
    get, path = "/scaling", tag = "fleet",
    responses((status = 200, body = Scaling), (status = 503, body = Problem))
)]
pub(super) async fn scaling(State(api): State<Api>) -> Result<Json<Scaling>, Problem> {
    Ok(Json(api.vital.scaling().await?))
}
