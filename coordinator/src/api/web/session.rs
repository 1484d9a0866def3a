//! Signing in with a token, and staying so for a working day.
//!
//! The browser keeps a random name of the session and never the token. The store keeps a hash of that name with the
//! token's id, so a token that is revoked ends its sessions with the next request, at every coordinator.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::face::frame;
use super::trouble::Trouble;
use crate::access::{Caller, Phase, token};
use crate::api::door::{self, Visit};
use crate::api::grants::Grants;
use crate::api::origin::Secure;
use crate::api::{Api, Problem};
use crate::report::escape::html;

const COOKIE: &str = "gitfleet_session";
/// How long a session lasts.
const LASTS_SECONDS: i64 = 8 * 60 * 60;

/// Lets in who has a session; others are asked to sign in.
pub(super) async fn guard(
    State((api, grants)): State<(Api, Arc<Grants>)>,
    request: Request,
    next: Next,
) -> Response {
    let visit = Visit::of(&api, &request);
    match pass(&api, &grants, &visit, request, next).await {
        Ok(response) => response,
        Err(problem) => Trouble::from(problem).into_response(),
    }
}

async fn pass(
    api: &Api,
    grants: &Grants,
    visit: &Visit,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = match session(api, request.headers(), visit.now).await? {
        Some(caller) => caller,
        None => match door::open(api, request.headers(), visit).await? {
            Some(caller) => caller,
            None => return Ok(to_sign_in(&request)),
        },
    };
    door::pace(api, visit, &caller).await?;
    let grant = visit.grant(grants);
    if let Some(grant) = grant {
        door::check(api, visit, &caller, grant).await?;
    }
    if grant.is_some() && visit.changes() && !is_ours(request.headers()) {
        return Err(Problem::forbidden("the request comes from another page than ours"));
    }
    door::carry_out(api, visit, caller, grant, request, next).await
}

/// Returns who is signed in.
async fn session(api: &Api, headers: &HeaderMap, now: i64) -> Result<Option<Caller>, Problem> {
    let Some(name) = cookie(headers) else { return Ok(None) };
    let Some(id) = api.access.session(token::hash(name), now).await? else { return Ok(None) };
    door::known(api, &id, now).await
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Whether a form was sent from a page of ours: browsers say so, and do not let pages lie about it.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => false,
    }
}

fn to_sign_in(request: &Request) -> Response {
    if request.method() != Method::GET {
        return Redirect::to("/ui/sign-in").into_response();
    }
    let path = request.uri().path_and_query().map_or("/ui", |path| path.as_str());
    Redirect::to(&format!("/ui/sign-in?next={}", super::face::segment(path))).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Onward {
    #[serde(default)]
    next: String,
}

/// Asks for a token.
pub(super) async fn ask(Query(query): Query<Onward>) -> Response {
    form(StatusCode::OK, &query.next, None)
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// Begins a session, where the token is one.
pub(super) async fn begin(
    State(api): State<Api>,
    secure: Secure,
    visit: Visit,
    headers: HeaderMap,
    Form(sent): Form<SignIn>,
) -> Response {
    if !is_ours(&headers) {
        return Trouble::from(Problem::forbidden("the request comes from another page than ours"))
            .into_response();
    }
    let admitted = door::admit(&api, &visit, sent.token.trim(), &HeaderMap::new()).await;
    match begun(&api, &visit, admitted).await {
        Ok(name) => {
            let safe = if secure.0 { "; Secure" } else { "" };
            let cookie = format!(
                "{COOKIE}={name}; HttpOnly; SameSite=Strict; Path=/ui; Max-Age={LASTS_SECONDS}{safe}"
            );
            let mut response = Redirect::to(inside(&sent.next)).into_response();
            let cookie = HeaderValue::from_str(&cookie).expect("it is ASCII");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Err(problem) if problem.status == 401 => {
            let wrong = "This is no token that opens anything: it was mistyped, has expired or was revoked.";
            form(StatusCode::UNAUTHORIZED, &sent.next, Some(wrong))
        }
        Err(problem) => Trouble::from(problem).into_response(),
    }
}

async fn begun(api: &Api, visit: &Visit, admitted: Result<Caller, Problem>) -> Result<String, Problem> {
    let caller = admitted?;
    let name = token::random().map_err(Problem::internal)?;
    let expires_at = visit.now + LASTS_SECONDS * 1000;
    api.access.add_session(token::hash(&name), &caller.token, visit.now, expires_at).await?;
    let entry = crate::access::Entry { status: Some(303), ..visit.entry(Phase::Answered, &caller.name) };
    api.access.log(entry, visit.now).await?;
    Ok(name)
}

/// Ends the session, here and at every coordinator.
pub(super) async fn end(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Trouble> {
    if !is_ours(&headers) {
        return Err(Problem::forbidden("the request comes from another page than ours").into());
    }
    if let Some(name) = cookie(&headers) {
        api.access.end_session(token::hash(name)).await?;
    }
    let mut response = Redirect::to("/ui/sign-in").into_response();
    let gone = HeaderValue::from_static("gitfleet_session=; HttpOnly; SameSite=Strict; Path=/ui; Max-Age=0");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok(response)
}

/// Returns where to go after signing in: somewhere here, whatever the address says.
fn inside(next: &str) -> &str {
    let is_path = next == "/ui" || next.starts_with("/ui/") || next.starts_with("/ui?");
    if is_path && !next.contains(['\\', '\r', '\n']) { next } else { "/ui" }
}

fn form(status: StatusCode, next: &str, wrong: Option<&str>) -> Response {
    let wrong = wrong.map(|wrong| format!("<p class=\"alarm\" role=\"alert\" id=\"wrong\">{wrong}</p>\n"));
    let described = if wrong.is_some() { " aria-describedby=\"wrong\" aria-invalid=\"true\"" } else { "" };
    let page = frame(
        "Sign in",
        &format!(
            "<main id=\"content\" tabindex=\"-1\" class=\"alone\">\n<h1>Sign in to gitfleet</h1>\n{}\
             <form method=\"post\" action=\"/ui/sign-in\" class=\"sign-in\">\n\
             <label for=\"token\">Token</label>\n\
             <input id=\"token\" name=\"token\" type=\"password\" required autofocus autocomplete=\"current-password\" \
             spellcheck=\"false\"{described}>\n\
             <input type=\"hidden\" name=\"next\" value=\"{}\">\n<button>Sign in</button>\n</form>\n\
             <p>An admin makes one with <code>gitfleet token create</code>.</p>\n</main>\n",
            wrong.unwrap_or_default(),
            html(next)
        ),
    );
    (status, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_send_forms() {
        for (lines, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://fleet"), ("host", "fleet")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "https://fleet:7171"), ("host", "fleet:7171")], true),
            (&[("origin", "https://evil"), ("host", "fleet:7171")], false),
            (&[("origin", "null"), ("host", "fleet:7171")], false),
            (&[("host", "fleet:7171")], false),
        ] {
            assert_eq!(is_ours(&headers(lines)), ours, "{lines:?}");
        }
    }

    #[test]
    fn nobody_is_led_away() {
        for next in ["/ui", "/ui/batches?state=running", "/ui/jobs/1"] {
            assert_eq!(inside(next), next);
        }
        for next in [
            "",
            "https://evil.example",
            "//evil.example",
            "/ui\\@evil",
            "/uix",
            "/api",
            "/ui/\r\nSet-Cookie: a",
        ] {
            assert_eq!(inside(next), "/ui", "{next:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = headers(&[("cookie", "a=b; gitfleet_session=xyz; c=d")]);
        assert_eq!(cookie(&found), Some("xyz"));
        assert_eq!(cookie(&headers(&[("cookie", "not_gitfleet_session=xyz")])), None);
    }
}
