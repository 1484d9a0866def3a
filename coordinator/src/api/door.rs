//! Who may ask: whoever shows the token, where there is one.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{Api, Problem};

/// The hash of a token: the token itself is not kept, and what is compared tells nothing by the time it takes.
#[derive(Clone)]
pub struct Token(blake3::Hash);

impl Token {
    pub fn new(secret: &str) -> Self {
        Self(blake3::hash(secret.trim().as_bytes()))
    }

    fn is(&self, shown: &str) -> bool {
        // Hashes of this library compare in constant time.
        self.0 == blake3::hash(shown.as_bytes())
    }
}

pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let mut response = match &api.token {
        Some(token) if !token.is(shown) => Problem::unauthenticated().into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
