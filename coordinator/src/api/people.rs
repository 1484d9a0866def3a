//! What operators decided about people: which names and e-mails are one person, or are not.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::batches::Acted;
use super::{Api, Problem, text};
use crate::store::PeopleLink;

/// A decision about two names or e-mails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleDecision {
    /// An e-mail, or `Name <e-mail>`.
    pub a: String,
    pub b: String,
    /// Whether they are one person, or are not whatever else speaks for it.
    pub linked: bool,
    /// Who decided.
    pub by: String,
    pub reason: String,
    /// UTC milliseconds; what is asked for is decided now.
    #[serde(default)]
    pub decided_at: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PairQuery {
    a: String,
    b: String,
}

impl PeopleDecision {
    /// Returns the decision as it is kept: the smaller one first.
    ///
    /// # Errors
    ///
    /// Where one is empty, or both are the same; in words.
    pub fn kept(&self, now: i64) -> Result<PeopleLink, String> {
        let (a, b) = pair(&self.a, &self.b)?;
        let (by, reason) = (self.by.clone(), self.reason.clone());
        Ok(PeopleLink { a, b, linked: self.linked, by, reason, decided_at: now })
    }

    pub fn of(link: &PeopleLink) -> Self {
        let PeopleLink { a, b, linked, by, reason, decided_at } = link.clone();
        Self { a, b, linked, by, reason, decided_at }
    }
}

/// Returns two names or e-mails as they are kept, the smaller one first.
///
/// # Errors
///
/// Where one is empty, or both are the same; in words.
pub fn pair(a: &str, b: &str) -> Result<(String, String), String> {
    let (a, b) = (a.trim().to_owned(), b.trim().to_owned());
    if a.is_empty() || b.is_empty() {
        return Err("an empty text is nobody".to_owned());
    }
    if a == b {
        return Err(format!("{a} is given twice"));
    }
    for one in [&a, &b] {
        if !one.contains('@') {
            return Err(format!("{one} is neither an e-mail nor \"Name <e-mail>\""));
        }
    }
    Ok(if a < b { (a, b) } else { (b, a) })
}

#[utoipa::path(
    get, path = "/people/decisions", tag = "people", responses((status = 200, body = Vec<PeopleDecision>))
)]
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<PeopleDecision>>, Problem> {
    Ok(Json(api.store.people_links().await?.iter().map(PeopleDecision::of).collect()))
}

#[utoipa::path(
    post, path = "/people/decisions", tag = "people", request_body = PeopleDecision,
    responses((status = 200, body = Acted), (status = 400, body = Problem))
)]
pub(super) async fn decide(
    State(api): State<Api>,
    Json(decision): Json<PeopleDecision>,
) -> Result<Json<Acted>, Problem> {
    for (field, value) in
        [("a", &decision.a), ("b", &decision.b), ("by", &decision.by), ("reason", &decision.reason)]
    {
        text::printable(field, value)?;
    }
    let link = decision.kept((api.now)()).map_err(Problem::invalid)?;
    api.store.decide_people(&link).await?;
    Ok(Json(Acted { changed: true }))
}

#[utoipa::path(
    delete, path = "/people/decisions", tag = "people", params(PairQuery),
    responses((status = 200, body = Acted), (status = 400, body = Problem))
)]
pub(super) async fn forget(
    State(api): State<Api>,
    Query(query): Query<PairQuery>,
) -> Result<Json<Acted>, Problem> {
    let (a, b) = pair(&query.a, &query.b).map_err(Problem::invalid)?;
    Ok(Json(Acted { changed: api.store.forget_people(&a, &b).await? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_an_order_and_two_sides() {
        assert_eq!(pair("b@x ", "a@x"), Ok(("a@x".into(), "b@x".into())));
        assert!(pair("a@x", "a@x").is_err());
        assert!(pair("a@x", "  ").is_err());
        assert!(pair("Ann", "a@x").unwrap_err().contains("Ann"));
    }
}
