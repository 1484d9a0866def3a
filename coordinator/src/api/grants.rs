//! Routes, each with what it asks of whoever asks it. A route cannot be declared without.

use std::collections::HashMap;

use axum::http::Method;
use utoipa::openapi::HttpMethod;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::Api;
use crate::access::{Grant, Role};

/// Look at batches and what belongs to them.
pub(super) const LOOK: Grant = Grant::own(Role::Viewer);
pub(super) const STEER: Grant = Grant::own(Role::Operator);
/// Look at what all share.
pub(super) const LOOK_AT_ALL: Grant = Grant::fleet(Role::Viewer);
pub(super) const STEER_ALL: Grant = Grant::fleet(Role::Operator);
pub(super) const RULE: Grant = Grant::fleet(Role::Admin);

/// What each route asks, by its path and method.
#[derive(Debug, Default)]
pub(super) struct Grants(HashMap<String, Vec<(Method, Grant)>>);

impl Grants {
    /// Returns what a route asks; `None` where there is no such route. Whoever may read may ask for the head alone.
    pub(super) fn of(&self, method: &Method, route: &str) -> Option<Grant> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(route)?.iter().find(|(one, _)| one == method).map(|(_, grant)| *grant)
    }

    pub(super) fn add(&mut self, method: Method, route: String, grant: Grant) {
        self.0.entry(route).or_default().push((method, grant));
    }

    /// Lists all of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Method, &str, Grant)> {
        self.0.iter().flat_map(|(route, grants)| {
            grants.iter().map(move |(method, grant)| (method, route.as_str(), *grant))
        })
    }
}

/// Routes below a prefix, and their grants.
pub(super) struct Granted {
    pub(super) router: OpenApiRouter<Api>,
    pub(super) grants: Grants,
    prefix: &'static str,
}

impl Granted {
    pub(super) fn below(prefix: &'static str) -> Self {
        Self { router: OpenApiRouter::new(), grants: Grants::default(), prefix }
    }

    /// Adds routes that all ask the same.
    pub(super) fn route(mut self, grant: Grant, routes: UtoipaMethodRouter<Api>) -> Self {
        for (path, item) in &routes.1.paths {
            for (method, there) in [
                (HttpMethod::Get, item.get.is_some()),
                (HttpMethod::Post, item.post.is_some()),
                (HttpMethod::Put, item.put.is_some()),
                (HttpMethod::Patch, item.patch.is_some()),
                (HttpMethod::Delete, item.delete.is_some()),
            ] {
                if there {
                    self.grants.add(http(&method), format!("{}{path}", self.prefix), grant);
                }
            }
        }
        self.router = self.router.routes(routes);
        self
    }
}

fn http(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
        _ => Method::GET,
    }
}
