//! The coordinator's HTTP API, version 1: what the operator's commands speak to.
//!
//! Every coordinator answers, whoever leads: all it needs is the store. Errors are problems as RFC 9457 has them, and
//! the OpenAPI document is made of the code (`gitfleet help openapi` prints it).

mod batches;
mod door;
mod fleet;
mod health;
mod jobs;
mod named;
mod observe;
mod people;
mod problem;
mod queues;
mod reports;
mod scaling;
mod sources;
mod text;

use std::sync::Arc;

use axum::Router;
use gitfleet_shared::cache::Cache;
use gitfleet_shared::queue::Queue;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use batches::{Acted, BatchRequest, RepositoryRequest, Retried, Submission};
pub use door::{Tokens, tokens};
pub use fleet::Ready;
pub use health::{DependencyHealth, DetailedHealth, Health};
pub use jobs::Explained;
pub use people::{PeopleDecision, pair};
pub use problem::Problem;
pub use queues::Purged;

use crate::lead::Bell;
use crate::meters::Meters;
use crate::store::ledger::Ledger;
use crate::view::{DifferenceView, StepView};
use crate::vital::Vital;

/// What the answers are made of.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Ledger>,
    pub queue: Arc<dyn Queue>,
    pub cache: Arc<dyn Cache>,
    pub bell: Bell,
    pub meters: Meters,
    pub vital: Arc<Vital>,
    /// One of what a client has to show; `None` lets everybody in.
    pub tokens: Option<Tokens>,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

/// Where version 1 begins.
pub const PREFIX: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "gitfleet",
        description = "Exact, distributed git analytics: batches, jobs, workers, queues and reports. Errors are \
                   `application/problem+json` (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(DifferenceView, StepView, Health))
)]
// The first two are answers of commands that ask no coordinator for them, the last one that of the open /health.
struct Document;

fn versioned() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi()).nest(
        PREFIX,
        OpenApiRouter::new()
            .routes(routes!(batches::submit, batches::list))
            .routes(routes!(batches::show))
            .routes(routes!(batches::repositories))
            .routes(routes!(batches::cancel))
            .routes(routes!(batches::pause))
            .routes(routes!(batches::resume))
            .routes(routes!(batches::retry))
            .routes(routes!(reports::of_batch))
            .routes(routes!(reports::manifest_of_batch))
            .routes(routes!(reports::list))
            .routes(routes!(jobs::list))
            .routes(routes!(jobs::show))
            .routes(routes!(jobs::explain))
            .routes(routes!(jobs::retry))
            .routes(routes!(fleet::workers))
            .routes(routes!(fleet::worker))
            .routes(routes!(fleet::drain))
            .routes(routes!(fleet::undrain))
            .routes(routes!(fleet::status))
            .routes(routes!(health::detailed))
            .routes(routes!(scaling::scaling))
            .routes(routes!(queues::list))
            .routes(routes!(queues::dead))
            .routes(routes!(queues::dead_letter, queues::drop_dead))
            .routes(routes!(queues::replay))
            .routes(routes!(queues::cache))
            .routes(routes!(queues::purge_cache))
            .routes(routes!(people::list, people::decide, people::forget))
            .routes(routes!(sources::list))
            .routes(routes!(sources::show, sources::forget)),
    )
}

/// Returns the OpenAPI document as JSON.
pub fn document() -> String {
    versioned().to_openapi().to_pretty_json().expect("the document is made of strings and maps")
}

/// Returns all routes. Those of probes are open to everybody.
pub fn router(api: Api) -> Router {
    let (routes, _) = versioned().split_for_parts();
    let guarded = routes
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(axum::middleware::from_fn_with_state(api.clone(), door::guard));
    Router::new()
        .route("/livez", axum::routing::get(|| async { "ok\n" }))
        .route("/readyz", axum::routing::get(fleet::ready))
        .route("/health", axum::routing::get(health::open))
        .route(&format!("{PREFIX}/openapi.json"), axum::routing::get(openapi))
        .merge(guarded)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(api.clone(), observe::observe))
        .with_state(api)
}

/// Returns the routes of probes alone, for a listener that is not the API's.
pub fn probes(api: Api) -> Router {
    Router::new()
        .route("/livez", axum::routing::get(|| async { "ok\n" }))
        .route("/readyz", axum::routing::get(fleet::ready))
        .with_state(api)
}

async fn openapi() -> impl axum::response::IntoResponse {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], document())
}

/// A submission of 10,000 repositories takes some 2 MB.
const BODY_BYTES: usize = 16 << 20;

/// Answers on `listener` until `shutdown` ends, and then what is being asked.
///
/// # Errors
///
/// Where the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    api: Api,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(api)).with_graceful_shutdown(shutdown).await
}
