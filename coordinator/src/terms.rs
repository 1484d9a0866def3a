//! What a batch was asked for beside its repositories: settled once, when it is submitted, and never looked up again.

use gitfleet_shared::contract::Scope;
use gitfleet_shared::window::Window;
use serde::{Deserialize, Serialize};

use crate::collect::Purpose;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The window of the report.
    pub window: Window,
    /// What "in the future" is measured against; UTC seconds.
    pub as_of_seconds: i64,
    /// A file with a larger side keeps its lines unknown.
    pub max_blob_bytes: u64,
    /// Whether the history of lines is analysed, too. What was submitted before there was a choice knew nothing of it.
    #[serde(default)]
    pub line_history: bool,
    /// Commits of one slice at most; no number depends on it.
    pub slice_commits: usize,
    /// Only count what would be analysed.
    pub dry_run: bool,
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
