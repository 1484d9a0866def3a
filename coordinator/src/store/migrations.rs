//! The schema of a store beside the one this program knows: which steps are done, and going up and down.
//!
//! Nothing here happens by itself but in the SQLite file, which one program owns. A fleet's database is migrated by
//! whoever runs the fleet, before the first process of the new version starts.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::migrate::Migrator;

use super::{Result, StoreError};

/// The first steps have no way back: what was before them is no store of any release.
pub const LOWEST: i64 = 2;

/// One step, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub version: i64,
    /// Empty for a step this program does not know.
    pub name: String,
    pub state: StepState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Applied,
    Pending,
    /// Applied by a newer program.
    Ahead,
    /// Applied, in other words than this program has.
    Differs,
}

impl StepState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Ahead => "ahead",
            Self::Differs => "differs",
        }
    }
}

/// Whether a program can work with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    UpToDate,
    /// Steps are pending: migrate first.
    Behind,
    /// A newer program was here. By the rules of the steps it can still be worked with.
    Ahead,
    /// A step that was applied is not the one this program knows.
    Differs,
}

/// What is to be known and done about the schema of one store.
#[async_trait]
pub trait Schema: Send {
    /// Returns all steps, by version. Changes nothing, not even in an empty store.
    async fn status(&mut self) -> Result<Vec<Step>>;

    /// Applies what is pending and returns it.
    async fn up(&mut self) -> Result<Vec<Step>>;

    /// Undoes all steps above `version`, the newest first, and returns them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoWayBack`] below [`LOWEST`] and above steps this program does not know.
    async fn down(&mut self, version: i64) -> Result<Vec<Step>>;
}

/// Says what `steps` come to.
pub fn check(steps: &[Step]) -> Fit {
    let any = |state| steps.iter().any(|step| step.state == state);
    if any(StepState::Differs) {
        Fit::Differs
    } else if any(StepState::Pending) {
        Fit::Behind
    } else if any(StepState::Ahead) {
        Fit::Ahead
    } else {
        Fit::UpToDate
    }
}

/// Lays what was applied (version and checksum) beside what is known.
pub(super) fn compare(known: &Migrator, applied: &[(i64, Vec<u8>)]) -> Vec<Step> {
    let ups = || known.iter().filter(|migration| !migration.migration_type.is_down_migration());
    let mut steps: Vec<Step> = ups()
        .map(|migration| {
            let state = match applied.iter().find(|(version, _)| *version == migration.version) {
                None => StepState::Pending,
                Some((_, checksum)) if checksum[..] == *migration.checksum => StepState::Applied,
                Some(_) => StepState::Differs,
            };
            Step { version: migration.version, name: migration.description.to_string(), state }
        })
        .collect();
    let versions: HashSet<i64> = ups().map(|migration| migration.version).collect();
    for (version, _) in applied.iter().filter(|(version, _)| !versions.contains(version)) {
        steps.push(Step { version: *version, name: String::new(), state: StepState::Ahead });
    }
    steps.sort_by_key(|step| step.version);
    steps
}

/// Returns which of `steps` go on the way down to `version`.
///
/// # Errors
///
/// Where there is no way.
pub(super) fn way_down(steps: &[Step], version: i64) -> Result<Vec<Step>> {
    if version < LOWEST {
        return Err(StoreError::NoWayBack { why: "what was before step 2 is no store of any release" });
    }
    let above = steps.iter().rev().filter(|step| step.version > version && step.state != StepState::Pending);
    let above: Vec<Step> = above.cloned().collect();
    if above.iter().any(|step| step.state == StepState::Ahead) {
        return Err(StoreError::NoWayBack { why: "a newer gitfleet applied steps that only it can undo" });
    }
    Ok(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(states: &[StepState]) -> Vec<Step> {
        (1..)
            .zip(states)
            .map(|(version, state)| Step { version, name: String::new(), state: *state })
            .collect()
    }

    #[test]
    fn the_worst_step_decides() {
        use StepState::{Ahead, Applied, Differs, Pending};
        assert_eq!(check(&steps(&[Applied, Applied])), Fit::UpToDate);
        assert_eq!(check(&steps(&[Applied, Pending])), Fit::Behind);
        assert_eq!(check(&steps(&[Applied, Ahead])), Fit::Ahead);
        assert_eq!(check(&steps(&[Differs, Pending, Ahead])), Fit::Differs);
    }

    #[test]
    fn the_way_down_ends_where_nobody_knows_it() {
        use StepState::{Ahead, Applied, Pending};
        let versions = |way: Vec<Step>| way.iter().map(|step| step.version).collect::<Vec<_>>();
        assert_eq!(versions(way_down(&steps(&[Applied, Applied, Applied, Applied]), 2).unwrap()), [4, 3]);
        assert_eq!(versions(way_down(&steps(&[Applied, Applied, Applied, Pending]), 2).unwrap()), [3]);
        assert!(matches!(way_down(&steps(&[Applied; 4]), 1), Err(StoreError::NoWayBack { .. })));
        assert!(matches!(way_down(&steps(&[Applied, Applied, Ahead]), 2), Err(StoreError::NoWayBack { .. })));
    }
}
