//! How far the numbers can be trusted: what could not be counted, and what is claimed against all odds.

use std::collections::BTreeMap;

use super::sums::LineSums;
use super::{Observation, Partial};
use crate::facts::UnknownReason;

/// Beyond these a commit is an import or a bulk move.
pub const BULK_TOUCHED_LINES: u64 = 10_000;
pub const BULK_FILES: u64 = 500;
/// Clocks of people and servers differ; a day ahead is more than a difference.
pub const FUTURE_SECONDS: i64 = 24 * 60 * 60;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quality {
    pub binary_changes: u64,
    pub unknown_changes: BTreeMap<UnknownReason, u64>,
    pub empty_commits: u64,
    pub bulk_commits: u64,
    pub bulk_lines: LineSums,
    pub invalid_times: u64,
    pub future_times: u64,
    pub authored_after_commit: u64,
}

impl Quality {
    /// `fetched_seconds` is when the repository was surveyed, in UTC seconds.
    pub fn observe(&mut self, seen: &Observation, fetched_seconds: i64) {
        match seen.commit.authored {
            None => self.invalid_times += 1,
            // The first second of 1970 is what a clock without a battery says.
            Some(seconds) if seconds <= 0 || seen.day.is_none() => self.invalid_times += 1,
            Some(seconds) if seconds > fetched_seconds.saturating_add(FUTURE_SECONDS) => {
                self.future_times += 1;
            }
            Some(_) => {}
        }
        if let (Some(authored), Some(committed)) = (seen.commit.authored, seen.commit.committed)
            && authored > committed
        {
            self.authored_after_commit += 1;
        }
        if seen.commit.is_merge {
            return;
        }
        let files = &seen.commit.files;
        let lines = files.lines;
        if lines.files_changed == 0 {
            self.empty_commits += 1;
        }
        self.binary_changes += files.binary_changes;
        for (reason, changes) in &files.unknown_changes {
            *self.unknown_changes.entry(*reason).or_default() += changes;
        }
        if lines.touched() > BULK_TOUCHED_LINES || lines.files_changed > BULK_FILES {
            self.bulk_commits += 1;
            self.bulk_lines.merge(lines);
        }
    }
}

impl Partial for Quality {
    fn merge(&mut self, other: Self) {
        self.binary_changes += other.binary_changes;
        for (reason, changes) in other.unknown_changes {
            *self.unknown_changes.entry(reason).or_default() += changes;
        }
        self.empty_commits += other.empty_commits;
        self.bulk_commits += other.bulk_commits;
        self.bulk_lines.merge(other.bulk_lines);
        self.invalid_times += other.invalid_times;
        self.future_times += other.future_times;
        self.authored_after_commit += other.authored_after_commit;
    }
}
