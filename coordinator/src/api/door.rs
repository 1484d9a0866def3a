//! Who may ask: whoever shows one of the tokens, where there are any.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{Api, Problem};

/// The hashes of tokens: the tokens themselves are not kept, and what is compared tells nothing by the time it takes.
#[derive(Clone)]
pub struct Tokens(Vec<blake3::Hash>);

impl Tokens {
    /// Returns the tokens in `text`, or `None` where it holds none: nobody could show one.
    pub fn new(text: &str) -> Option<Self> {
        let tokens: Vec<blake3::Hash> = tokens(text).map(|token| blake3::hash(token.as_bytes())).collect();
        (!tokens.is_empty()).then_some(Self(tokens))
    }

    fn hold(&self, shown: &str) -> bool {
        let shown = blake3::hash(shown.as_bytes());
        // Hashes of this library compare in constant time, and all of them are compared.
        self.0.iter().fold(false, |held, token| held | (*token == shown))
    }
}

/// Returns the tokens in `text`, one a line or between commas. A client shows the first of them.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ',']).map(str::trim).filter(|token| !token.is_empty())
}

pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let mut response = match &api.tokens {
        Some(tokens) if !tokens.hold(shown) => Problem::unauthenticated().into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(tokens(text).collect::<Vec<_>>(), expect, "{text:?}");
        let held = Tokens::new(text);
        assert_eq!(held.is_some(), !expect.is_empty(), "{text:?}");
        if let Some(held) = held {
            assert!(expect.iter().all(|token| held.hold(token)), "{text:?}");
            for other in ["", "other", text.trim_end_matches(expect[expect.len() - 1])] {
                assert!(!held.hold(other), "{other:?} of {text:?}");
            }
        }
    }

    #[test]
    fn tokens_are_one_a_line_or_between_commas() {
        check("old", &["old"]);
        check("old\n", &["old"]);
        check("old\r\nnew\r\n", &["old", "new"]);
        check("old, new,", &["old", "new"]);
        check("\n\n old \n,third", &["old", "third"]);
        for none in ["", " ", ",", "\n,\r\n"] {
            check(none, &[]);
        }
    }
}
