//! Everything that is held of somebody, for an access request.

use gitfleet_shared::people::erasure::{Erased, Key, Pseudonym, Suppression};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Identity, Person, PersonError, PersonRequest};
use crate::api::PeopleDecision;
use crate::redact;
use crate::store::erasures::HeldCommit;
use crate::store::ledger::Ledger;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    /// Names and e-mails that are theirs.
    pub identities: Vec<Identity>,
    /// Commits as author and as committer.
    pub commits: Vec<HeldCommit>,
    /// Trailers that name them.
    pub mentions: Vec<HeldCommit>,
    pub decisions: Vec<PeopleDecision>,
    /// By the configuration of the last batch.
    pub teams: Vec<String>,
    pub reports: Vec<HeldReport>,
    /// What names them since they were erased, where they were.
    pub erased_as: Option<String>,
}

/// A report that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldReport {
    pub batch: String,
    /// Rows that name them.
    pub rows: u64,
}

/// Returns all that is held of whom `request` means.
///
/// # Errors
///
/// Where it names nobody, nothing is held of them, or the store fails.
pub async fn export(store: &dyn Ledger, request: &PersonRequest) -> Result<Export, PersonError> {
    let person = Person::find(store, request).await?;
    let found = of(store, &person).await?;
    let nothing = found.identities.is_empty() && found.reports.is_empty() && found.decisions.is_empty();
    match nothing && found.erased_as.is_none() {
        true => Err(PersonError::Unknown),
        false => Ok(found),
    }
}

pub(super) async fn of(store: &dyn Ledger, person: &Person) -> Result<Export, PersonError> {
    Ok(Export {
        identities: person.identities.clone(),
        commits: store.held_commits(&person.signatures).await?,
        mentions: person.mentions.clone(),
        decisions: person.decisions().into_iter().map(PeopleDecision::of).collect(),
        teams: person.teams.clone(),
        reports: reports(store, person).await?,
        erased_as: erased_as(store, person).await?,
    })
}

/// Finds reports as an erasure would, by marks that nobody keeps.
async fn reports(store: &dyn Ledger, person: &Person) -> Result<Vec<HeldReport>, PersonError> {
    let secret: [[u8; 16]; 2] = [*uuid::Uuid::new_v4().as_bytes(), *uuid::Uuid::new_v4().as_bytes()];
    let key = Key::new(secret.as_flattened()).ok_or(PersonError::NoKey)?;
    let marks = person.marks(&key);
    let theirs = Suppression::new(key, &[Erased { digits: String::new(), marks }]);
    let mut reports = Vec::new();
    for batch in store.held_reports().await? {
        let Some((content, _)) = store.report(batch).await? else { continue };
        let rows = serde_json::from_str(&content).map_or(0, |report| redact::rows(&theirs, &report));
        if rows > 0 {
            reports.push(HeldReport { batch: batch.to_string(), rows });
        }
    }
    Ok(reports)
}

async fn erased_as(store: &dyn Ledger, person: &Person) -> Result<Option<String>, PersonError> {
    let Some(key) = store.erasure_key() else { return Ok(None) };
    let marks = person.marks(&key);
    Ok(store.erased().await?.known(&marks).map(|Pseudonym { name, .. }| name.clone()))
}
