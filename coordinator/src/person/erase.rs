//! Making everything that is held name somebody no more.
//!
//! First they are listed, in a transaction that waits for whatever is being recorded: from then on nothing is written that
//! names them. Then the cache goes, because workers ask it. Then everything that was there is gone over, in small steps, and
//! the cache goes again, for what was put there by whoever had not heard of it. Cut short anywhere, it is to be asked for
//! again; whoever was erased already is known by the list.

use gitfleet_shared::people::erasure::Pseudonym;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::export::{Export, of};
use super::{Person, PersonError, PersonRequest};
use crate::store::erasures::{NewErasure, Swept};
use crate::store::ledger::Ledger;

/// What was found of somebody, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasure {
    /// What was held before.
    pub found: Export,
    /// `None` where nothing was done.
    pub replaced: Option<Replaced>,
    /// What no erasure reaches, and what to do about it.
    pub unreached: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Replaced {
    /// What names them from now on.
    pub name: String,
    pub email: String,
    /// The request that asked for it first: the audit log of a coordinator names it, and nothing else of them.
    pub request: String,
    /// What was changed now.
    pub swept: Swept,
}

/// What no erasure reaches, and what to do about it.
pub const UNREACHED: [&str; 5] = [
    "reports that were written to files or exported before: make them again, and delete the old ones",
    "backups that were made before: after one is restored, erase again",
    "clones and mirrors of the repositories, which hold the history as it was: mirrors are in the directory `mirrors` of \
     each worker's data directory, may be deleted while it does not run, and hold the same history when they are fetched \
     again",
    "addresses of repositories, paths of files, and names of branches and tags, which are not gone over",
    "logs that were written before, and the configuration files that name them: take them out there, too",
];

/// Says what would be erased.
///
/// # Errors
///
/// Where the request names nobody, nothing is held of them, or the store fails.
pub async fn preview(store: &dyn Ledger, request: &PersonRequest) -> Result<Erasure, PersonError> {
    let person = Person::find(store, request).await?;
    found(store, &person).await
}

/// Erases whom `who` means, under the name `request`, at `now` (UTC milliseconds). `purge` empties the cache.
///
/// # Errors
///
/// Where it names nobody, nothing is held of them, there is no key, or store or cache fail. What was begun then is done by
/// asking again.
pub async fn erase<P: Future<Output = Result<u64, String>>>(
    store: &dyn Ledger,
    purge: impl Fn() -> P,
    who: &PersonRequest,
    request: &str,
    now: i64,
) -> Result<Erasure, PersonError> {
    let key = store.erasure_key().ok_or(PersonError::NoKey)?;
    let person = Person::find(store, who).await?;
    let found = found(store, &person).await?;
    let marks = person.marks(&key);
    let listed =
        store.list_erased(&NewErasure { request: request.to_owned(), marks, erased_at: now }).await?;
    gitfleet_shared::point!("E1");
    purge().await.map_err(PersonError::Cache)?;
    let swept = store.sweep(now).await?;
    gitfleet_shared::point!("E4");
    purge().await.map_err(PersonError::Cache)?;
    let Pseudonym { name, email, .. } = Pseudonym::of(&listed.digits);
    Ok(Erasure { replaced: Some(Replaced { name, email, request: listed.request, swept }), ..found })
}

async fn found(store: &dyn Ledger, person: &Person) -> Result<Erasure, PersonError> {
    let found = of(store, person).await?;
    let nothing = found.identities.is_empty() && found.reports.is_empty() && found.decisions.is_empty();
    if nothing && found.erased_as.is_none() {
        return Err(PersonError::Unknown);
    }
    let unreached = UNREACHED.iter().map(|text| (*text).to_owned()).collect();
    Ok(Erasure { found, replaced: None, unreached })
}
