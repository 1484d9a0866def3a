//! Requests, counted by the route they matched: never by their path, which anybody can make up.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use gitfleet_shared::trace::{self, TraceContext};
use tracing::{Instrument as _, Span};

use super::Api;
use crate::meters::Meters;

/// The label of what matched no route.
const NONE: &str = "none";

pub(super) async fn observe(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let route = route.as_deref().unwrap_or(NONE).to_owned();
    let method = Meters::method(request.method().as_str());
    let begun = Instant::now();
    let span = span(&request, &route, method);
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    let status = response.status();
    api.meters.http_requests.with_label_values(&[route.as_str(), method, status.as_str()]).inc();
    api.meters.http_seconds.with_label_values(&[route.as_str()]).observe(begun.elapsed().as_secs_f64());
    response
}

/// Returns the span of a request that is part of a trace. Whoever looks in every second begins none.
fn span(request: &Request, route: &str, method: &'static str) -> Span {
    let shown = request.headers().get(trace::HEADER).and_then(|value| value.to_str().ok());
    let Some(parent) = shown.and_then(TraceContext::parse) else { return Span::none() };
    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
    );
    trace::follow(&span, Some(parent));
    span
}
