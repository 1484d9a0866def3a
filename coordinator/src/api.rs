//! The coordinator's HTTP API, version 1: what the operator's commands speak to.
//!
//! Every coordinator answers, whoever leads: all it needs is the store. Errors are problems as RFC 9457 has them, and
//! the OpenAPI document is made of the code (`gitfleet help openapi` prints it).

mod audit;
mod batches;
mod door;
mod fleet;
mod grants;
mod health;
mod jobs;
mod listen;
mod named;
mod observe;
mod origin;
mod people;
mod person;
mod problem;
mod queues;
mod reports;
mod scaling;
mod schedules;
mod sources;
mod text;
mod tls;
mod tokens;
mod web;

use std::sync::Arc;

use axum::Router;
use gitfleet_shared::cache::Cache;
use gitfleet_shared::queue::Queue;
use gitfleet_shared::sources::Policy;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::grants::{Granted, Grants, LOOK, LOOK_AT_ALL, RULE, STEER, STEER_ALL};

pub use batches::{Acted, BatchRequest, RepositoryRequest, Retried, Submission};
pub(crate) use batches::{allowed, settle};
pub use door::{Tokens, TokensError, tokens};
pub use fleet::Ready;
pub use health::{DependencyHealth, DetailedHealth, Health};
pub use jobs::Explained;
pub use listen::serve;
pub use origin::Proxies;
pub use people::{PeopleDecision, pair};
pub use person::ErasureRequest;
pub use problem::Problem;
pub use problem::kind::{KINDS, Kind};
pub use queues::Purged;
pub use schedules::{RunView, ScheduleRequest, ScheduleView};
pub use tls::{Tls, TlsError};
pub use tokens::{NewToken, TokenRequest, TokenView};

use crate::access::{Grant, Lending, Lockout, Pace};
use crate::lead::Bell;
use crate::meters::Meters;
use crate::store::access::Access;
use crate::store::ledger::Ledger;
use crate::view::{DifferenceView, StepView};
use crate::vital::Vital;

/// What the answers are made of.
#[derive(Clone)]
pub struct Api {
    pub store: Arc<dyn Ledger>,
    pub access: Arc<dyn Access>,
    pub queue: Arc<dyn Queue>,
    pub cache: Arc<dyn Cache>,
    pub bell: Bell,
    pub meters: Meters,
    pub vital: Arc<Vital>,
    pub door: Door,
    /// Where workers may be sent.
    pub sources: Arc<Policy>,
    /// Who may name which credential.
    pub lending: Arc<Lending>,
    /// Returns the time in UTC milliseconds.
    pub now: fn() -> i64,
}

/// How the door is kept.
#[derive(Clone)]
pub struct Door {
    /// The tokens of the configuration. Where there are none, and none was ever made, whoever is on this machine may do
    /// everything.
    pub tokens: Option<Tokens>,
    pub pace: Pace,
    pub lockout: Lockout,
    pub proxies: Proxies,
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

fn versioned() -> (OpenApiRouter<Api>, Grants) {
    let granted = Granted::below(PREFIX)
        .route(STEER, routes!(batches::submit))
        .route(LOOK, routes!(batches::list))
        .route(LOOK, routes!(batches::show))
        .route(LOOK, routes!(batches::repositories))
        .route(STEER, routes!(batches::cancel))
        .route(STEER, routes!(batches::pause))
        .route(STEER, routes!(batches::resume))
        .route(STEER, routes!(batches::retry))
        .route(STEER, routes!(schedules::add))
        .route(LOOK, routes!(schedules::list))
        .route(LOOK, routes!(schedules::show))
        .route(LOOK, routes!(schedules::runs))
        .route(LOOK, routes!(schedules::next))
        .route(STEER, routes!(schedules::pause))
        .route(STEER, routes!(schedules::resume))
        .route(STEER, routes!(schedules::trigger))
        .route(STEER, routes!(schedules::remove))
        .route(LOOK, routes!(reports::of_batch))
        .route(LOOK, routes!(reports::manifest_of_batch))
        .route(LOOK, routes!(reports::list))
        .route(LOOK, routes!(jobs::list))
        .route(LOOK, routes!(jobs::show))
        .route(LOOK, routes!(jobs::explain))
        .route(STEER, routes!(jobs::retry))
        .route(LOOK_AT_ALL, routes!(fleet::workers))
        .route(LOOK_AT_ALL, routes!(fleet::worker))
        .route(STEER_ALL, routes!(fleet::drain))
        .route(STEER_ALL, routes!(fleet::undrain))
        .route(LOOK_AT_ALL, routes!(fleet::status))
        .route(LOOK_AT_ALL, routes!(health::detailed))
        .route(LOOK_AT_ALL, routes!(scaling::scaling))
        .route(LOOK_AT_ALL, routes!(queues::list))
        .route(LOOK_AT_ALL, routes!(queues::dead))
        .route(LOOK_AT_ALL, routes!(queues::dead_letter))
        .route(STEER_ALL, routes!(queues::drop_dead))
        .route(STEER_ALL, routes!(queues::replay))
        .route(LOOK_AT_ALL, routes!(queues::cache))
        .route(RULE, routes!(queues::purge_cache))
        .route(LOOK_AT_ALL, routes!(people::list))
        .route(STEER_ALL, routes!(people::decide, people::forget))
        .route(RULE, routes!(person::export))
        .route(RULE, routes!(person::erase))
        .route(LOOK, routes!(sources::list))
        .route(LOOK, routes!(sources::show))
        .route(RULE, routes!(sources::forget))
        .route(RULE, routes!(tokens::create, tokens::list))
        .route(RULE, routes!(tokens::revoke))
        .route(RULE, routes!(audit::list))
        .route(RULE, routes!(audit::head));
    (OpenApiRouter::with_openapi(Document::openapi()).nest(PREFIX, granted.router), granted.grants)
}

/// Returns the OpenAPI document as JSON.
pub fn document() -> String {
    versioned().0.to_openapi().to_pretty_json().expect("the document is made of strings and maps")
}

/// Returns what each route asks: method, path, and the grant.
pub fn grants() -> Vec<(String, String, Grant)> {
    let (_, grants) = versioned();
    let mut all: Vec<_> =
        grants.all().map(|(method, route, grant)| (method.to_string(), route.to_owned(), grant)).collect();
    all.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    all
}

/// Returns all routes. Those of probes are open to everybody.
pub fn router(api: Api) -> Router {
    let (routes, grants) = versioned();
    let (routes, _) = routes.split_for_parts();
    let guarded = routes
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(axum::middleware::from_fn_with_state((api.clone(), Arc::new(grants)), door::guard));
    Router::new()
        .route("/livez", axum::routing::get(|| async { "ok\n" }))
        .route("/readyz", axum::routing::get(fleet::ready))
        .route("/health", axum::routing::get(health::open))
        .route(&format!("{PREFIX}/openapi.json"), axum::routing::get(openapi))
        .merge(guarded)
        .merge(web::router(&api))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(api.clone(), observe::observe))
        .layer(axum::middleware::from_fn(door::secure))
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
