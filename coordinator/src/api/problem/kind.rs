//! The kinds of problems: stable names, for scripts, and what each of them says.

use axum::http::StatusCode;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What stands behind `urn:gitfleet:problem:`.
    pub name: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What whoever asked should do.
    pub advice: &'static str,
}

const fn kind(status: StatusCode, name: &'static str, title: &'static str, advice: &'static str) -> Kind {
    Kind { name, status, title, advice }
}

const AWAY: &str = "something the coordinator needs does not answer";
const WAIT: &str = "try again later: nothing is lost; `gitfleet doctor` says what is wrong";

pub(in crate::api) const INVALID: Kind =
    kind(StatusCode::BAD_REQUEST, "invalid", "the request makes no sense", "correct what the detail names");
pub(in crate::api) const SOURCE_NOT_ALLOWED: Kind = kind(
    StatusCode::BAD_REQUEST,
    "source_not_allowed",
    "the source may not be asked",
    "name another source, or have it allowed (docs/runbooks/sources.md)",
);
pub(in crate::api) const UNAUTHENTICATED: Kind =
    kind(StatusCode::UNAUTHORIZED, "unauthenticated", "who asks?", "show a token that is valid");
pub(in crate::api) const FORBIDDEN: Kind = kind(
    StatusCode::FORBIDDEN,
    "forbidden",
    "not for this token",
    "use a token with the role or the scope that the detail names",
);
pub(in crate::api) const NOT_FOUND: Kind = kind(
    StatusCode::NOT_FOUND,
    "not_found",
    "not found",
    "look for it in the listing; what another team has is not found either",
);
pub(in crate::api) const METHOD_NOT_ALLOWED: Kind = kind(
    StatusCode::METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "the route knows other methods",
    "see the API's document",
);
pub(in crate::api) const TOO_SLOW: Kind = kind(
    StatusCode::REQUEST_TIMEOUT,
    "too_slow",
    "the request did not arrive",
    "send it again over a better connection",
);
pub(in crate::api) const CONFLICT: Kind = kind(
    StatusCode::CONFLICT,
    "conflict",
    "not possible in this state",
    "look at the object: somebody was there before",
);
pub(in crate::api) const TOO_LARGE: Kind = kind(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_large",
    "too much at once",
    "submit the repositories in several batches",
);
pub(in crate::api) const TOO_MANY_REQUESTS: Kind = kind(
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_requests",
    "later",
    "ask again after as many seconds as Retry-After says",
);
pub(in crate::api) const INTERNAL: Kind = kind(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "a defect",
    "report it with the X-Request-Id: the coordinator's log has the cause",
);
pub(in crate::api) const STORE_UNAVAILABLE: Kind =
    kind(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", AWAY, WAIT);
pub(in crate::api) const QUEUE_UNAVAILABLE: Kind =
    kind(StatusCode::SERVICE_UNAVAILABLE, "queue_unavailable", AWAY, WAIT);
pub(in crate::api) const CACHE_UNAVAILABLE: Kind =
    kind(StatusCode::SERVICE_UNAVAILABLE, "cache_unavailable", AWAY, WAIT);

/// All kinds, by status.
pub const KINDS: [Kind; 14] = [
    INVALID,
    SOURCE_NOT_ALLOWED,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_SLOW,
    CONFLICT,
    TOO_LARGE,
    TOO_MANY_REQUESTS,
    INTERNAL,
    STORE_UNAVAILABLE,
    QUEUE_UNAVAILABLE,
    CACHE_UNAVAILABLE,
];
