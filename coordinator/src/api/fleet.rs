//! Workers, and the fleet as a whole.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use gitfleet_shared::queue::Topic;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::batches::{Acted, acted};
use super::queues;
use super::text::without_nul;
use super::{Api, Problem};
use crate::view::{DependencyView, StatusView, WorkerView};

/// Whether the coordinator has what it needs; what is missing is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    pub ready: bool,
    pub dependencies: Vec<DependencyView>,
}

#[utoipa::path(get, path = "/workers", tag = "workers", responses((status = 200, body = Vec<WorkerView>)))]
pub(super) async fn workers(State(api): State<Api>) -> Result<Json<Vec<WorkerView>>, Problem> {
    Ok(Json(api.store.workers().await?))
}

#[utoipa::path(
    get, path = "/workers/{name}", tag = "workers", params(("name" = String, Path)),
    responses((status = 200, body = WorkerView), (status = 404, body = Problem))
)]
pub(super) async fn worker(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<WorkerView>, Problem> {
    let found = api.store.workers().await?.into_iter().find(|worker| worker.name == name);
    found.map(Json).ok_or_else(|| unknown(&name))
}

#[utoipa::path(
    post, path = "/workers/{name}/drain", tag = "workers", params(("name" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn drain(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Acted>, Problem> {
    set_draining(&api, &name, true).await
}

#[utoipa::path(
    post, path = "/workers/{name}/undrain", tag = "workers", params(("name" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem), (status = 409, body = Problem))
)]
pub(super) async fn undrain(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<Acted>, Problem> {
    set_draining(&api, &name, false).await
}

async fn set_draining(api: &Api, name: &str, draining: bool) -> Result<Json<Acted>, Problem> {
    without_nul("name", name)?;
    let wish = api.store.set_draining(name, draining).await?;
    api.bell.wishes();
    acted(wish, || unknown(name))
}

#[utoipa::path(get, path = "/status", tag = "fleet", responses((status = 200, body = StatusView)))]
pub(super) async fn status(State(api): State<Api>) -> Result<Json<StatusView>, Problem> {
    let workers = api.store.workers().await?;
    let alive: Vec<&WorkerView> = workers.iter().filter(|worker| worker.state != "gone").collect();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Json(StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        dependencies: dependencies(&api).await,
        leader: api.store.leader((api.now)()).await?,
        batches_running: count(api.store.running().await?.len()),
        workers: count(alive.len()),
        slots: alive.iter().map(|worker| worker.slots).sum(),
        running: alive.iter().map(|worker| worker.running).sum(),
        queues: queues::waiting(&api).await,
        dead_letters: api.store.count_dead().await?,
    }))
}

/// For probes: without the store nothing can be answered; without queue or cache something can.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    let dependencies = dependencies(&api).await;
    let needed = ["store", "queue"];
    let ready = dependencies.iter().all(|one| one.ok || !needed.contains(&one.name.as_str()));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, dependencies })).into_response()
}

async fn dependencies(api: &Api) -> Vec<DependencyView> {
    let view = |name: &str, asked: Result<String, String>, hint: &str| DependencyView {
        name: name.to_owned(),
        ok: asked.is_ok(),
        hint: asked.is_err().then(|| hint.to_owned()),
        detail: asked.unwrap_or_else(|wrong| wrong),
    };
    let store = api.store.describe().await.map_err(|error| error.to_string());
    let queue = match api.queue.depth(Topic::Jobs).await {
        Ok(waiting) => Ok(format!("{waiting} jobs wait")),
        Err(error) => Err(error.to_string()),
    };
    let cache = api.cache.describe().await;
    vec![
        view("store", store, "is PostgreSQL up, and is fleet.database_url right?"),
        view("queue", queue, "is RabbitMQ up, and is fleet.broker_url right?"),
        view("cache", cache, "is Redis up, and is fleet.cache_url right? Without it work is only slower"),
    ]
}

fn unknown(name: &str) -> Problem {
    Problem::not_found("worker", name).hint("`gitfleet worker ls` lists them")
}
