//! Who may ask what: tokens, roles, scopes, how often, and the log of it.
//!
//! What is asked of the store for it is the port in [`crate::store::access`]; where it is decided is `api/door.rs`.

pub mod entry;
pub mod lending;
pub mod pace;
pub mod role;
pub mod scope;
pub mod token;

pub use entry::{Entry, Phase};
pub use lending::{Lending, Loan};
pub use pace::{Lockout, Pace};
pub use role::{Grant, Reach, Role};
pub use scope::Scope;
pub use token::{Shown, StoredToken};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// In words, for the audit log.
    pub name: String,
    /// What names the token that was shown; sessions and request keys are bound to it.
    pub token: String,
    pub role: Role,
    pub scope: Scope,
}

impl Caller {
    /// Returns why `grant` does not let this caller pass, or `None` where it does.
    pub fn refused(&self, grant: Grant) -> Option<String> {
        if self.role < grant.role {
            return Some(format!("it takes the role {}, and {} is {}", grant.role, self.name, self.role));
        }
        if grant.reach == Reach::Fleet && self.scope != Scope::All {
            return Some(format!("it is about the whole fleet, and {} may see a part of it", self.name));
        }
        None
    }
}
