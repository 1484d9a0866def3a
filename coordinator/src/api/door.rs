//! Who may ask, and what: every request but those of probes goes through here.
//!
//! In this order: somebody who failed too often is not answered; a token says who asks; nobody asks more often than
//! agreed; the route says which role it takes; and what changes anything is written down before it is done.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use gitfleet_shared::reread::Reread;
use gitfleet_shared::secret::words;
use ring::digest::{SHA256, digest};

use super::grants::Grants;
use super::origin::{Peer, is_local};
use super::{Api, BODY_BYTES, Problem, problem};
use crate::access::token::hex;
use crate::access::{Caller, Entry, Grant, Phase, Role, Scope, Shown, StoredToken};

/// What names a request in answers, in the audit log and in logs.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long what is sent may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);

/// The tokens of the configuration, as they were given or as their file has them now.
#[derive(Clone)]
pub struct Tokens(Place);

#[derive(Clone)]
enum Place {
    Given(Arc<Hashes>),
    File(Arc<Reread<Hashes>>),
}

/// The hashes of tokens: the tokens themselves are not kept, and what is compared tells nothing by the time it takes.
struct Hashes(Vec<blake3::Hash>);

/// Why a file holds no tokens. Says nothing of what is in it.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} holds no token", .0.display())]
    None(PathBuf),
}

impl Tokens {
    /// Returns the tokens in `text`, or `None` where it holds none: nobody could show one.
    pub fn new(text: &str) -> Option<Self> {
        Hashes::of(text).map(|hashes| Self(Place::Given(Arc::new(hashes))))
    }

    /// Returns the tokens in a file, which is read again when it changes.
    ///
    /// # Errors
    ///
    /// Where it cannot be read now, or holds none.
    pub fn in_file(path: &Path) -> Result<Self, TokensError> {
        let file = path.to_owned();
        let reread = Reread::open("the file of the API's tokens", vec![file.clone()], move || {
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|source| TokensError::Unreadable { path: file.clone(), source })?;
            Hashes::of(&text).ok_or_else(|| TokensError::None(file.clone()))
        })?;
        Ok(Self(Place::File(Arc::new(reread))))
    }

    fn now(&self) -> Arc<Hashes> {
        match &self.0 {
            Place::Given(hashes) => Arc::clone(hashes),
            Place::File(file) => file.get(),
        }
    }

    /// Returns who shows the token that `shown` is.
    fn caller(&self, shown: &str) -> Option<Caller> {
        let hashes = self.now();
        hashes.place(shown).map(|place| hashes.at(place))
    }

    /// Returns who began a session with the token that is called `label`.
    fn labelled(&self, label: &str) -> Option<Caller> {
        let hashes = self.now();
        (1..=hashes.0.len()).map(|place| hashes.at(place)).find(|caller| caller.token == label)
    }
}

impl Hashes {
    fn of(text: &str) -> Option<Self> {
        let hashes: Vec<blake3::Hash> = tokens(text).map(|token| blake3::hash(token.as_bytes())).collect();
        (!hashes.is_empty()).then_some(Self(hashes))
    }

    /// Returns the place of a token, from 1 on.
    fn place(&self, shown: &str) -> Option<usize> {
        let shown = blake3::hash(shown.as_bytes());
        // Hashes of this library compare in constant time, and all of them are compared.
        (1..).zip(&self.0).fold(None, |held, (place, token)| if *token == shown { Some(place) } else { held })
    }

    fn at(&self, place: usize) -> Caller {
        Caller {
            name: format!("token {place} of the configuration"),
            token: format!("configured-{}", &self.0[place - 1].to_hex()[..16]),
            role: Role::Admin,
            scope: Scope::All,
        }
    }
}

/// Returns the tokens in `text`, one a line or between commas. A client shows the first of them.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    words(text)
}

/// What names a request, for whoever writes it down elsewhere.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// A request on its way in.
pub(super) struct Visit {
    /// Names the request.
    pub(super) id: String,
    pub(super) address: IpAddr,
    method: Method,
    /// The route, as it is declared; `None` where there is none.
    route: Option<String>,
    path: String,
    pub(super) now: i64,
}

impl Visit {
    pub(super) fn of(api: &Api, request: &Request) -> Self {
        Self::new(api, request.extensions(), request.headers(), request.method(), request.uri())
    }

    fn new(api: &Api, extensions: &Extensions, headers: &HeaderMap, method: &Method, uri: &Uri) -> Self {
        let peer = extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.address.ip());
        Self {
            id: uuid::Uuid::now_v7().to_string(),
            address: api.door.proxies.client(peer, headers),
            method: method.clone(),
            route: extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()),
            path: uri.path().to_owned(),
            now: (api.now)(),
        }
    }

    /// Returns what the route asks; `None` where there is no such route.
    pub(super) fn grant(&self, grants: &Grants) -> Option<Grant> {
        grants.of(&self.method, self.route.as_deref()?)
    }

    pub(super) fn changes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    pub(super) fn entry(&self, phase: Phase, actor: &str) -> Entry {
        Entry {
            seq: 0,
            at: String::new(),
            request: self.id.clone(),
            phase,
            actor: actor.to_owned(),
            address: self.address.to_string(),
            action: format!("{} {}", self.method, self.route.as_deref().unwrap_or("nowhere")),
            object: self.path.clone(),
            body_sha256: None,
            status: None,
            reason: None,
        }
    }
}

pub(super) async fn guard(
    State((api, grants)): State<(Api, Arc<Grants>)>,
    request: Request,
    next: Next,
) -> Response {
    let visit = Visit::of(&api, &request);
    let mut response = match pass(&api, &grants, &visit, request, next).await {
        Ok(response) => problem::told(response).await,
        Err(problem) => problem.into_response(),
    };
    let id = HeaderValue::from_str(&visit.id).expect("a UUID is ASCII");
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn pass(
    api: &Api,
    grants: &Grants,
    visit: &Visit,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let shown = shown(request.headers()).to_owned();
    let caller = admit(api, visit, &shown, request.headers()).await?;
    let grant = visit.grant(grants);
    if let Some(grant) = grant {
        check(api, visit, &caller, grant).await?;
    }
    carry_out(api, visit, caller, grant, request, next).await
}

/// Does what the caller may do, and writes it down where it changes anything.
pub(super) async fn carry_out(
    api: &Api,
    visit: &Visit,
    caller: Caller,
    grant: Option<Grant>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(RequestId(visit.id.clone()));
    // Where there is no such route nothing is done, and where it is asked for in another way neither.
    if grant.is_none() || !visit.changes() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let body = receive(body).await?;
    write_down(api, visit, &caller, parts, body, next).await
}

/// Refuses what the caller may not do, and writes that down.
pub(super) async fn check(api: &Api, visit: &Visit, caller: &Caller, grant: Grant) -> Result<(), Problem> {
    let Some(why) = caller.refused(grant) else { return Ok(()) };
    let entry =
        Entry { status: Some(403), reason: Some(why.clone()), ..visit.entry(Phase::Refused, &caller.name) };
    api.access.log(entry, visit.now).await?;
    Err(Problem::forbidden(why))
}

/// Says who asks.
///
/// # Errors
///
/// Where nobody is known by what is shown, or asks too often.
pub(super) async fn admit(
    api: &Api,
    visit: &Visit,
    shown: &str,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let read = Shown::read(shown);
    let suspects = suspects(visit.address, read.as_ref());
    // A store that is away must not lock out whoever comes to mend it; what they ask for says that it is away.
    let locked = api.access.locked_until(&suspects).await.unwrap_or(0);
    if locked > visit.now {
        return Err(Problem::too_many("there were too many failures to say who asks", locked - visit.now));
    }
    let known = match (&api.door.tokens, &read) {
        (Some(tokens), _) if let Some(caller) = tokens.caller(shown) => Some(caller),
        (_, Some(shown)) => stored(api, visit, shown).await?,
        _ => None,
    };
    let caller = match known {
        Some(caller) => caller,
        None => match open(api, headers, visit).await? {
            Some(caller) => caller,
            None => {
                if !shown.is_empty() {
                    turned_away(api, visit, &suspects, "an unknown token").await?;
                }
                return Err(Problem::unauthenticated());
            }
        },
    };
    pace(api, visit, &caller).await?;
    Ok(caller)
}

/// Refuses whoever asks more often than agreed.
pub(super) async fn pace(api: &Api, visit: &Visit, caller: &Caller) -> Result<(), Problem> {
    let names = [format!("token {}", caller.token), format!("address {}", visit.address)];
    match api.access.draw(&names, api.door.pace, visit.now).await.unwrap_or(0) {
        0 => Ok(()),
        wait => Err(Problem::too_many("there are too many requests", wait)),
    }
}

/// Notes a failure to say who asks.
async fn turned_away(api: &Api, visit: &Visit, suspects: &[String], reason: &str) -> Result<(), Problem> {
    api.access.fail(suspects, api.door.lockout, visit.now).await?;
    let reason = Some(reason.to_owned());
    let entry = Entry { status: Some(401), reason, ..visit.entry(Phase::Refused, "nobody") };
    Ok(api.access.log(entry, visit.now).await?)
}

/// Returns whose failures count: those of the address, and those with this token from there. Nobody locks out another by
/// failing in their name.
fn suspects(address: IpAddr, shown: Option<&Shown>) -> Vec<String> {
    let mut suspects = vec![format!("address {address}")];
    suspects.extend(shown.map(|shown| format!("token {} at {address}", shown.id())));
    suspects
}

/// Returns who shows a token that was made by `token create`. The store is asked each time, so that one that is revoked
/// opens no door at all from then on.
async fn stored(api: &Api, visit: &Visit, shown: &Shown) -> Result<Option<Caller>, Problem> {
    let token = api.access.token(shown.id()).await?;
    Ok(token.filter(|token| token.is(shown) && token.is_valid(visit.now)).map(caller))
}

/// Returns whose token it is that a session was begun with, as long as it opens the door.
pub(super) async fn known(api: &Api, id: &str, now: i64) -> Result<Option<Caller>, Problem> {
    if let Some(caller) = api.door.tokens.as_ref().and_then(|tokens| tokens.labelled(id)) {
        return Ok(Some(caller));
    }
    let token = api.access.token(id).await?;
    Ok(token.filter(|token| token.is_valid(now)).map(caller))
}

fn caller(token: StoredToken) -> Caller {
    Caller {
        name: format!("{} ({})", token.name, token.id),
        token: token.id,
        role: token.role,
        scope: token.scope,
    }
}

/// Lets in whoever needs no token: none was ever made, and whoever asks is on this machine, and not a page of elsewhere in
/// a browser, nor behind a proxy.
pub(super) async fn open(api: &Api, headers: &HeaderMap, visit: &Visit) -> Result<Option<Caller>, Problem> {
    let is_open =
        api.door.tokens.is_none() && is_local(visit.address, headers) && !api.access.has_tokens().await?;
    Ok(is_open.then(|| Caller {
        name: "whoever is on this machine".to_owned(),
        token: "open".to_owned(),
        role: Role::Admin,
        scope: Scope::All,
    }))
}

/// Returns what is shown as a token; nothing where there is none.
fn shown(headers: &HeaderMap) -> &str {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

/// Does what changes something, between two entries of the log: without the first it is not done.
async fn write_down(
    api: &Api,
    visit: &Visit,
    caller: &Caller,
    parts: Parts,
    body: Bytes,
    next: Next,
) -> Result<Response, Problem> {
    let body_sha256 = (!body.is_empty()).then(|| hex(digest(&SHA256, &body).as_ref()));
    let entry = Entry { body_sha256, ..visit.entry(Phase::Asked, &caller.name) };
    api.access.log(entry.clone(), visit.now).await?;
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let answered = Entry { phase: Phase::Answered, status: Some(response.status().as_u16()), ..entry };
    // It is done, and that it was asked for is written down: an answer is better than none.
    if let Err(error) = api.access.log(answered, (api.now)()).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            request = visit.id,
            "how a request ended is not in the audit log"
        );
    }
    Ok(response)
}

/// Returns all of what was sent.
async fn receive(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::too_large(BODY_BYTES)),
        Err(_) => Err(Problem::too_slow(BODY_TIME)),
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthenticated)
    }
}

impl FromRequestParts<Api> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        Ok(Self::new(api, &parts.extensions, &parts.headers, &parts.method, &parts.uri))
    }
}

/// Says on every answer what browsers and proxies must not do with it.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A page says itself what it may load.
    let usual = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in usual {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(tokens(text).collect::<Vec<_>>(), expect, "{text:?}");
        let held = Hashes::of(text);
        assert_eq!(held.is_some(), !expect.is_empty(), "{text:?}");
        if let Some(held) = held {
            for (place, token) in (1..).zip(expect) {
                assert_eq!(held.place(token), Some(place), "{text:?}");
            }
            for other in ["", "other", text.trim_end_matches(expect[expect.len() - 1])] {
                assert_eq!(held.place(other), None, "{other:?} of {text:?}");
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
