//! What a batch was asked for beside its repositories: settled once, when it is submitted, and never looked up again.

use std::sync::Arc;

use gitfleet_shared::contract::Scope;
use gitfleet_shared::window::Window;
use serde::{Deserialize, Serialize};

use crate::collect::Purpose;
use crate::lens::Lens;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The window of the report.
    pub window: Window,
    /// What "in the future" is measured against; UTC seconds.
    pub as_of_seconds: i64,
    /// A file with a larger side keeps its lines unknown.
    pub max_blob_bytes: u64,
    /// Whether the history of lines is analysed, too. Who says nothing gets it, as by the configuration's default.
    #[serde(default = "wanted")]
    pub line_history: bool,
    /// Commits of one slice at most; no number depends on it.
    pub slice_commits: usize,
    /// Only count what would be analysed.
    pub dry_run: bool,
    /// How the facts are read.
    #[serde(default, with = "shared")]
    pub lens: Arc<Lens>,
}

fn wanted() -> bool {
    true
}

impl Terms {
    pub fn scope(&self) -> Scope {
        Scope { max_blob_bytes: self.max_blob_bytes, line_history: self.line_history }
    }

    pub fn purpose(&self) -> Purpose {
        match self.dry_run {
            true => Purpose::Plan,
            false => Purpose::Analyse { slice_commits: self.slice_commits },
        }
    }
}

/// A lens may be large, and the loops of a coordinator hand terms around.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::lens::Lens;

    pub(super) fn serialize<S: Serializer>(lens: &Arc<Lens>, serializer: S) -> Result<S::Ok, S::Error> {
        lens.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Lens>, D::Error> {
        Lens::deserialize(deserializer).map(Arc::new)
    }
}
