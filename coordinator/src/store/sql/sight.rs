//! Which batches somebody sees, as a condition.

use super::{TEAM, in_part};

/// Returns the condition that a batch `b` is of the scope in parameter `place`; NULL there is everything.
pub(super) fn visible(place: usize) -> String {
    let (teams, projects) = (in_part(place, "teams"), in_part(place, "projects"));
    let repositories = "SELECT 1 FROM batch_repository s WHERE s.batch_id = b.id";
    // A batch of one team is of no other, whatever its projects.
    format!(
        "(${place} IS NULL OR CASE WHEN {TEAM} IS NOT NULL THEN {TEAM} IN {teams} ELSE \
         EXISTS ({repositories}) AND NOT EXISTS ({repositories} AND s.project_key NOT IN {projects}) END)"
    )
}

/// Returns the condition that `column` is a batch of that scope.
pub(super) fn is_visible(column: &str, place: usize) -> String {
    format!("(${place} IS NULL OR {column} IN (SELECT b.id FROM batch b WHERE {}))", visible(place))
}
