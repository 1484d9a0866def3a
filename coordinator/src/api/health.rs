//! How the fleet is: in a word for everybody, in detail for whoever may see it.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, Problem};
use crate::store::StoreError;
use crate::store::migrations::Fit;

/// How it is, for everybody: `ok`, `degraded` or `down`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Down without the store, degraded without queue or cache.
    pub status: String,
    pub version: String,
    pub database: String,
    pub cache: String,
    pub queue: String,
}

/// How it is, for whoever may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetailedHealth {
    /// Down without the store, degraded without queue or cache, or while the queue takes no messages.
    pub status: String,
    pub version: String,
    /// Store, queue and cache.
    pub dependencies: Vec<DependencyHealth>,
    /// up_to_date, behind, ahead or differs; absent where the store does not answer.
    pub schema: Option<String>,
    /// Who leads, where anybody does.
    pub leader: Option<String>,
    /// Workers that are there; absent where the store does not answer.
    pub workers: Option<u64>,
    /// For how long the job waits that waits for longest, in seconds.
    pub oldest_queued_seconds: Option<f64>,
    /// Why the queue takes no messages for now.
    pub queue_blocked: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DependencyHealth {
    /// store, queue or cache.
    pub name: String,
    /// ok or down.
    pub status: String,
    /// What it is, with its version, where it answers.
    pub version: Option<String>,
    /// How long it took to answer, or to be given up.
    pub latency_millis: f64,
    /// late, unavailable or refused, where it is down.
    pub error: Option<String>,
}

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// For everybody, so it says no more than a word of each.
pub(super) async fn open(State(api): State<Api>) -> Response {
    let found = ask(&api).await;
    let health = Health {
        status: found.status().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: found.store.status,
        cache: found.cache.status,
        queue: found.queue.status,
    };
    (code(&health.status), Json(health)).into_response()
}

#[utoipa::path(
    get, path = "/health", tag = "fleet",
    responses(
        (status = 200, body = DetailedHealth), (status = 401, body = Problem),
        (status = 503, body = DetailedHealth, description = "the store is down")
    )
)]
pub(super) async fn detailed(State(api): State<Api>) -> Response {
    let found = ask(&api).await;
    let (schema, leader, scaling) = tokio::join!(
        answer(api.store.fit()),
        answer(api.store.leader((api.now)())),
        answer(api.vital.scaling()),
    );
    let health = DetailedHealth {
        status: found.status().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: schema.map(|fit| word(fit).to_owned()),
        leader: leader.flatten(),
        workers: scaling.as_ref().map(|scaling| scaling.workers),
        oldest_queued_seconds: scaling.map(|scaling| scaling.oldest_queued_seconds),
        queue_blocked: found.blocked,
        dependencies: vec![found.store, found.queue, found.cache],
    };
    (code(&health.status), Json(health)).into_response()
}

struct Found {
    store: DependencyHealth,
    queue: DependencyHealth,
    cache: DependencyHealth,
    blocked: Option<String>,
}

impl Found {
    fn status(&self) -> &'static str {
        let is_down = |dependency: &DependencyHealth| dependency.status != OK;
        if is_down(&self.store) {
            "down"
        } else if is_down(&self.queue) || is_down(&self.cache) || self.blocked.is_some() {
            "degraded"
        } else {
            OK
        }
    }
}

const OK: &str = "ok";

/// Asks all of them at once.
async fn ask(api: &Api) -> Found {
    let (store, queue, cache) = tokio::join!(
        dependency("store", api.store.describe(), |error| match error {
            StoreError::Database { .. } if error.is_passing() => "unavailable",
            _ => "refused",
        }),
        dependency("queue", api.queue.describe(), |error| match error {
            gitfleet_shared::queue::QueueError::Refused { .. } => "refused",
            _ => "unavailable",
        }),
        dependency("cache", api.cache.describe(), |_| "unavailable"),
    );
    Found { store, queue, cache, blocked: api.queue.blocked().reason }
}

async fn dependency<E>(
    name: &str,
    asked: impl Future<Output = Result<String, E>>,
    class: impl Fn(&E) -> &'static str,
) -> DependencyHealth {
    let begun = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    let latency_millis = begun.elapsed().as_secs_f64() * 1_000.0;
    let (version, error) = match answer {
        Ok(Ok(version)) => (Some(version), None),
        Ok(Err(error)) => (None, Some(class(&error).to_owned())),
        Err(_) => (None, Some("late".to_owned())),
    };
    let status = if error.is_none() { OK } else { "down" };
    DependencyHealth { name: name.to_owned(), status: status.to_owned(), version, latency_millis, error }
}

async fn answer<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()
}

fn code(status: &str) -> StatusCode {
    if status == "down" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

fn word(fit: Fit) -> &'static str {
    match fit {
        Fit::UpToDate => "up_to_date",
        Fit::Behind => "behind",
        Fit::Ahead => "ahead",
        Fit::Differs => "differs",
    }
}
