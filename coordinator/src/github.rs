//! GitHub, or a GitHub Enterprise server, as a place where repositories are found.
//!
//! A listing is whole or an error: nothing is ever concluded from a part of one. What is known of a listing (pages with
//! their ETags, what each token may still ask, repositories by the id GitHub gave them) is in the store, so that
//! everybody who shares it shares the limits, too.

mod answer;
mod ask;
mod choose;
mod discover;

use std::fmt;

pub use ask::{Config, ListError, Lister};
pub use choose::Selector;
pub use discover::{Discovery, Note, Verdict, address, project_key, requests};

/// A repository as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Listed {
    /// Stays when the repository is renamed or moved.
    pub id: i64,
    /// `OWNER/NAME`.
    pub full_name: String,
    pub clone_url: String,
    pub default_branch: Option<String>,
    #[serde(default)]
    pub archived: bool,
    #[serde(default)]
    pub fork: bool,
    #[serde(default)]
    pub private: bool,
    #[serde(default)]
    pub disabled: bool,
}

impl Listed {
    /// Returns the name without its owner.
    pub fn name(&self) -> &str {
        self.full_name.rsplit('/').next().unwrap_or_default()
    }
}

/// Whose repositories are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    Organization(String),
    User(String),
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(name) => write!(formatter, "orgs/{name}"),
            Self::User(name) => write!(formatter, "users/{name}"),
        }
    }
}
