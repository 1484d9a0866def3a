//! The web face: what the commands show, for a browser. Pages are made here; nothing is loaded from elsewhere, and
//! everything works without the one script, which only keeps what is in progress up to date.

mod audit;
mod batches;
mod dead;
mod face;
mod jobs;
mod live;
mod monitoring;
mod overview;
mod reports;
mod schedules;
mod session;
mod tokens;
mod trouble;
mod workers;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use super::Api;
use super::grants::{Grants, LOOK, LOOK_AT_ALL, RULE, STEER, STEER_ALL};
use crate::access::Grant;

/// Where the pages are.
pub(super) const PREFIX: &str = "/ui";

const STYLE: &str = include_str!("web/style.css");
const SCRIPT: &str = include_str!("web/live.js");

/// Pages, each with what it asks of whoever opens it.
struct Pages {
    router: Router<Api>,
    grants: Grants,
}

impl Pages {
    fn show<H: Handler<T, Api>, T: 'static>(mut self, grant: Grant, path: &str, page: H) -> Self {
        let path = format!("{PREFIX}{path}");
        self.grants.add(Method::GET, path.clone(), grant);
        self.router = self.router.route(&path, get(page));
        self
    }

    fn act<H: Handler<T, Api>, T: 'static>(mut self, grant: Grant, path: &str, action: H) -> Self {
        let path = format!("{PREFIX}{path}");
        self.grants.add(Method::POST, path.clone(), grant);
        self.router = self.router.route(&path, post(action));
        self
    }
}

/// Returns all pages.
pub(super) fn router(api: &Api) -> Router<Api> {
    let pages = Pages { router: Router::new(), grants: Grants::default() }
        .show(LOOK, "", overview::show)
        .show(LOOK, "/batches", batches::list)
        .show(LOOK, "/batches/{id}", batches::show)
        .show(LOOK, "/batches/{id}/progress", batches::progress)
        .act(STEER, "/batches/{id}/cancel", batches::cancel)
        .act(STEER, "/batches/{id}/pause", batches::pause)
        .act(STEER, "/batches/{id}/resume", batches::resume)
        .act(STEER, "/batches/{id}/retry", batches::retry)
        .show(LOOK, "/jobs", jobs::list)
        .show(LOOK, "/jobs/{id}", jobs::show)
        .act(STEER, "/jobs/{id}/retry", jobs::retry)
        .show(LOOK, "/schedules", schedules::list)
        .show(LOOK, "/schedules/{name}", schedules::show)
        .act(STEER, "/schedules/{name}/pause", schedules::pause)
        .act(STEER, "/schedules/{name}/resume", schedules::resume)
        .act(STEER, "/schedules/{name}/trigger", schedules::trigger)
        .show(LOOK_AT_ALL, "/workers", workers::list)
        .act(STEER_ALL, "/workers/{name}/drain", workers::drain)
        .act(STEER_ALL, "/workers/{name}/undrain", workers::undrain)
        .show(LOOK_AT_ALL, "/dead", dead::list)
        .show(LOOK_AT_ALL, "/dead/{id}", dead::show)
        .act(STEER_ALL, "/dead/{id}/replay", dead::replay)
        .act(STEER_ALL, "/dead/{id}/drop", dead::drop_letter)
        .show(LOOK, "/reports", reports::list)
        .show(LOOK, "/reports/{id}", reports::show)
        .show(LOOK, "/reports/{id}/{file}", reports::download)
        .show(LOOK_AT_ALL, "/monitoring", monitoring::show)
        .show(RULE, "/tokens", tokens::list)
        .act(RULE, "/tokens/{id}/revoke", tokens::revoke)
        .show(RULE, "/audit", audit::list);
    let guard = (api.clone(), Arc::new(pages.grants));
    let guarded = pages.router.layer(axum::middleware::from_fn_with_state(guard, session::guard));
    Router::new()
        .route("/", get(|| async { Redirect::to(PREFIX) }))
        // Whoever watches batches looks for monitoring here, too.
        .route("/monitoring", get(|| async { Redirect::to("/ui/monitoring") }))
        .route("/ui/sign-in", get(session::ask).post(session::begin))
        .route("/ui/sign-out", post(session::end))
        .route("/ui/style.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/ui/live.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
        .merge(guarded)
        .layer(axum::middleware::from_fn(face::policy))
}

/// Asked for again with each page: after an upgrade nobody sees old forms of new pages.
fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}
