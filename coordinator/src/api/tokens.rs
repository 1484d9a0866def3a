//! Tokens: who else may ask.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::batches::{Acted, acted};
use super::text::printable;
use super::{Api, Problem};
use crate::access::{Caller, Role, Scope, Shown, StoredToken};
use crate::view::instant;

/// What a token is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Whose it is or what it is for.
    pub name: String,
    pub role: Role,
    /// Only batches of these teams; with no team and no project, everything.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Only batches of these projects.
    #[serde(default)]
    pub projects: Vec<String>,
    /// After so many days it opens nothing; never, where it is absent.
    #[schema(minimum = 1, maximum = 3650)]
    pub expires_in_days: Option<u32>,
}

/// A token, once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// The token itself. It is kept nowhere.
    pub token: String,
    #[serde(flatten)]
    pub view: TokenView,
}

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub teams: Vec<String>,
    pub projects: Vec<String>,
    /// valid, expired or revoked.
    pub state: String,
    pub created_by: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub revoked_at: Option<String>,
}

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
const LONGEST_DAYS: u32 = 3650;
const MOST_PARTS: usize = 100;

#[utoipa::path(
    post, path = "/tokens", tag = "access", request_body = TokenRequest,
    responses((status = 201, body = NewToken), (status = 400, body = Problem))
)]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Json(request): Json<TokenRequest>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let now = (api.now)();
    let (shown, token) = made(request, &caller.name, now)?;
    api.access.add_token(&token).await?;
    let new = NewToken { token: shown.expose().to_owned(), view: view(&token, now) };
    Ok((StatusCode::CREATED, Json(new)))
}

#[utoipa::path(get, path = "/tokens", tag = "access", responses((status = 200, body = Vec<TokenView>)))]
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<TokenView>>, Problem> {
    let now = (api.now)();
    Ok(Json(api.access.tokens().await?.iter().map(|token| view(token, now)).collect()))
}

#[utoipa::path(
    post, path = "/tokens/{id}/revoke", tag = "access", params(("id" = String, Path)),
    responses((status = 200, body = Acted), (status = 404, body = Problem))
)]
pub(super) async fn revoke(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Acted>, Problem> {
    super::text::without_nul("id", &id)?;
    acted(api.access.revoke_token(&id, (api.now)()).await?, || {
        Problem::not_found("token", &id).hint("`gitfleet token ls` lists them")
    })
}

fn made(request: TokenRequest, by: &str, now: i64) -> Result<(Shown, StoredToken), Problem> {
    let TokenRequest { name, role, teams, projects, expires_in_days } = request;
    if name.trim().is_empty() {
        return Err(Problem::invalid("a token has a name, for the audit log and for whoever revokes it"));
    }
    printable("name", &name)?;
    for (field, parts) in [("teams", &teams), ("projects", &projects)] {
        if parts.len() > MOST_PARTS || parts.iter().any(|part| part.trim().is_empty()) {
            return Err(Problem::invalid(format!("{field} are 1 to {MOST_PARTS} names, none of them empty")));
        }
        parts.iter().try_for_each(|part| printable(field, part))?;
    }
    let scope = Scope::of(teams, projects);
    if role == Role::Admin && scope != Scope::All {
        // Whoever lets others in could let them see everything.
        return Err(Problem::invalid("an admin sees everything; teams and projects are for the other roles"));
    }
    if expires_in_days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        return Err(Problem::invalid(format!("a token expires in 1 to {LONGEST_DAYS} days")));
    }
    let shown = Shown::generate().map_err(Problem::internal)?;
    let token = StoredToken {
        id: shown.id().to_owned(),
        name,
        digest: shown.digest(),
        role,
        scope,
        created_by: by.to_owned(),
        created_at: now,
        expires_at: expires_in_days.map(|days| now + i64::from(days) * DAY_MILLIS),
        revoked_at: None,
    };
    Ok((shown, token))
}

fn view(token: &StoredToken, now: i64) -> TokenView {
    let (teams, projects) = match &token.scope {
        Scope::All => (Vec::new(), Vec::new()),
        Scope::Part(part) => (part.teams.clone(), part.projects.clone()),
    };
    let state = match (token.revoked_at, token.is_valid(now)) {
        (Some(_), _) => "revoked",
        (None, true) => "valid",
        (None, false) => "expired",
    };
    TokenView {
        id: token.id.clone(),
        name: token.name.clone(),
        role: token.role,
        teams,
        projects,
        state: state.to_owned(),
        created_by: token.created_by.clone(),
        created_at: instant(token.created_at),
        expires_at: token.expires_at.map(instant),
        revoked_at: token.revoked_at.map(instant),
    }
}
