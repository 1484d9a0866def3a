//! Somebody, as a request for access or for erasure means them (GDPR, articles 15 and 17).
//!
//! A person is asked for by e-mails and signatures, and is by default all signatures that are theirs over everything the
//! store holds. What is found can be handed out whole ([`export`]), and can be made to name nobody ([`erase`]).

mod erase;
mod export;
mod find;
mod marks;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::erase::{Erasure, Replaced, UNREACHED, erase, preview};
pub use self::export::{Export, HeldReport, export};
pub use self::find::Person;
use crate::store::StoreError;

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonRequest {
    /// E-mails, or `Name <e-mail>`.
    #[schema(min_items = 1)]
    pub identities: Vec<String>,
    /// Only what is named, and not all signatures of the same person.
    #[serde(default)]
    pub only: bool,
}

/// A name and an e-mail that somebody is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    pub name: String,
    pub email: String,
    /// Commits by it as their author, of all published snapshots.
    pub commits: u64,
}

/// Why nothing comes of a request.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// Does not repeat it: it may be in a log.
    #[error("identity {place} is neither an e-mail nor \"Name <e-mail>\"")]
    NoIdentity { place: usize },
    #[error("nobody is named")]
    Nobody,
    #[error("the store holds nobody of that name or e-mail")]
    Unknown,
    #[error("nobody can be erased without a key that those are known by who were")]
    NoKey,
    #[error("the cache cannot be purged: {0}")]
    Cache(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}
