//! What is held of somebody, handed out or erased. Whom it is about is in the body, of which the audit log has a hash: an
//! address is written down.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::door::RequestId;
use super::problem::kind;
use super::{Api, Problem, text};
use crate::person::{self, Erasure, Export, PersonError, PersonRequest};

/// Who is to be erased, and whether it is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    /// E-mails, or `Name <e-mail>`.
    #[schema(min_items = 1)]
    pub identities: Vec<String>,
    /// Only what is named, and not all signatures of the same person.
    #[serde(default)]
    pub only: bool,
    /// Erase them, and not only say what would be.
    #[serde(default)]
    pub confirmed: bool,
}

#[utoipa::path(
    post, path = "/people/export", tag = "people", request_body = PersonRequest,
    responses((status = 200, body = Export), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub(super) async fn export(
    State(api): State<Api>,
    Json(request): Json<PersonRequest>,
) -> Result<Json<Export>, Problem> {
    check(&request.identities)?;
    Ok(Json(person::export(&*api.store, &request).await?))
}

#[utoipa::path(
    post, path = "/people/erase", tag = "people", request_body = ErasureRequest,
    responses(
        (status = 200, body = Erasure), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
pub(super) async fn erase(
    State(api): State<Api>,
    Extension(RequestId(id)): Extension<RequestId>,
    Json(request): Json<ErasureRequest>,
) -> Result<Json<Erasure>, Problem> {
    check(&request.identities)?;
    let ErasureRequest { identities, only, confirmed } = request;
    let who = PersonRequest { identities, only };
    if !confirmed {
        return Ok(Json(person::preview(&*api.store, &who).await?));
    }
    // It goes on where whoever asked has gone.
    let erased = tokio::spawn(async move {
        let (now, cache) = ((api.now)(), &*api.cache);
        person::erase(&*api.store, || cache.purge(), &who, &id, now).await
    });
    Ok(Json(erased.await.map_err(|_| Problem::internal("erasing was cut short"))??))
}

fn check(identities: &[String]) -> Result<(), Problem> {
    identities.iter().try_for_each(|identity| text::printable("identities", identity))
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::NoIdentity { .. } | PersonError::Nobody => {
                Self::invalid(error.to_string()).hint("identities are e-mails, or \"Name <e-mail>\"")
            }
            PersonError::Unknown => Self::new(kind::NOT_FOUND, error.to_string())
                .hint("`gitfleet people ls` lists people with their e-mails"),
            PersonError::NoKey => Self::conflict(error.to_string()).hint(
                "give coordinators and workers the same people.erasure_key (GITFLEET_ERASURE_KEY_FILE)",
            ),
            PersonError::Cache(_) => Self::unavailable(kind::CACHE_UNAVAILABLE, error.to_string())
                .hint("they are listed as erased; erase again when the cache answers"),
            PersonError::Store(error) => error.into(),
        }
    }
}
