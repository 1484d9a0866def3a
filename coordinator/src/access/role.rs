//! Roles, and what a route asks for.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Viewer,
    /// Submit and steer.
    Operator,
    /// Let others in, read the audit log, and remove what cannot be had again by itself.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whose objects a route is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Batches and what belongs to them: everybody sees their own.
    Own,
    /// What all share: workers, queues, the cache, people, tokens.
    Fleet,
}

/// What a route asks of whoever asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub role: Role,
    pub reach: Reach,
}

impl Grant {
    pub const fn own(role: Role) -> Self {
        Self { role, reach: Reach::Own }
    }

    pub const fn fleet(role: Role) -> Self {
        Self { role, reach: Reach::Fleet }
    }
}
