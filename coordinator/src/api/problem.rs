//! Errors as RFC 9457 has them: what is wrong, with what, and what to do next.

pub(super) mod kind;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::kind::Kind;
use crate::store::StoreError;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable name: `urn:gitfleet:problem:` and the kind.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Which object, and what is wrong with it.
    pub detail: String,
    /// What to do next.
    pub hint: Option<String>,
    /// After how many seconds to ask again, where it is refused for the time being.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:gitfleet:problem:{}", kind.name),
            title: kind.title.to_owned(),
            status: kind.status.as_u16(),
            detail: detail.into(),
            hint: None,
            retry_after_seconds: None,
        }
    }

    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    pub(super) fn not_found(what: &str, name: impl std::fmt::Display) -> Self {
        Self::new(kind::NOT_FOUND, format!("there is no {what} {name}"))
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(kind::INVALID, detail)
    }

    pub(super) fn source_not_allowed(detail: impl Into<String>) -> Self {
        Self::new(kind::SOURCE_NOT_ALLOWED, detail)
    }

    /// Refuses a state that is none of `known`: an empty list would say that nothing is in it.
    pub(super) fn check_state(state: Option<&str>, known: &[&str]) -> Result<(), Self> {
        match state {
            Some(state) if !known.contains(&state) => {
                Err(Self::invalid(format!("{state} is no state; there are {}", known.join(", "))))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(kind::CONFLICT, detail)
    }

    pub(super) fn unauthenticated() -> Self {
        let detail =
            "the API wants a token, and this is none, another one, or one that has expired or was revoked";
        Self::new(kind::UNAUTHENTICATED, detail).hint(
            "give a token with GITFLEET_API_TOKEN_FILE; an admin makes one with `gitfleet token create`",
        )
    }

    pub(super) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(kind::FORBIDDEN, why).hint("an admin makes another token with `gitfleet token create`")
    }

    /// Refuses for the time being; `wait` in milliseconds.
    pub(super) fn too_many(detail: &str, wait: i64) -> Self {
        let seconds = wait.max(1).unsigned_abs().div_ceil(1000);
        let problem = Self::new(kind::TOO_MANY_REQUESTS, detail);
        Self { retry_after_seconds: Some(seconds), ..problem }.hint("ask again after the time that is given")
    }

    pub(super) fn too_large(most: usize) -> Self {
        let detail = format!("a request has {} MiB at most", most >> 20);
        Self::new(kind::TOO_LARGE, detail).hint("submit the repositories in several batches")
    }

    pub(super) fn too_slow(time: std::time::Duration) -> Self {
        let detail = format!("what is sent has to arrive within {} s", time.as_secs());
        Self::new(kind::TOO_SLOW, detail)
    }

    pub(super) fn internal(detail: impl Into<String>) -> Self {
        Self::new(kind::INTERNAL, detail).hint("the coordinator's log has the cause")
    }

    /// `kind` says what does not answer.
    pub(super) fn unavailable(kind: Kind, detail: impl Into<String>) -> Self {
        Self::new(kind, detail).hint("`gitfleet doctor` says what is wrong; nothing is lost, try again later")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = match self.retry_after_seconds {
            None if status == StatusCode::SERVICE_UNAVAILABLE => Some(5),
            wait => wait,
        };
        let mut response = (status, Json(self)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    /// The cause goes to the log and not to the client, who could learn from it what the store is made of.
    fn from(error: StoreError) -> Self {
        tracing::warn!(error = &error as &dyn std::error::Error, "the store failed a request");
        if matches!(error, StoreError::ErasureKey { .. }) {
            return Self::conflict(error.to_string())
                .hint("give every coordinator the same people.erasure_key (GITFLEET_ERASURE_KEY_FILE)");
        }
        if error.is_passing() {
            return Self::unavailable(kind::STORE_UNAVAILABLE, "the store does not answer");
        }
        Self::internal(error.to_string())
    }
}

/// Turns what the framework refuses in plain words (a path, a query or a body of another form) into a problem.
pub(super) async fn told(response: Response) -> Response {
    const LONGEST: usize = 64 << 10;
    let is_refusal = response.status().is_client_error();
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !is_refusal || !is_plain {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = axum::body::to_bytes(body, LONGEST).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words);
    match parts.status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(super::BODY_BYTES),
        _ => Problem::invalid(words).hint("GET /api/v1/openapi.json says how a request looks"),
    }
    .into_response()
}

pub(super) async fn no_such_route(uri: axum::http::Uri) -> Problem {
    Problem::not_found("route", uri.path()).hint("GET /api/v1/openapi.json lists them")
}

pub(super) async fn no_such_method(method: axum::http::Method, uri: axum::http::Uri) -> Problem {
    Problem::new(kind::METHOD_NOT_ALLOWED, format!("{method} is not for {}", uri.path()))
}
