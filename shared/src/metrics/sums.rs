//! Commits, merges and lines.

use serde::{Deserialize, Serialize};

use super::{Observation, Partial};
use crate::facts::Lines;

/// Lines and files of non-merge commits. A change without counted lines counts as a file and adds no lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSums {
    pub additions: u64,
    pub deletions: u64,
    pub files_changed: u64,
}

impl LineSums {
    pub fn add(&mut self, lines: Lines) {
        self.files_changed += 1;
        if let Lines::Counted { added, deleted } = lines {
            self.additions += u64::from(added);
            self.deletions += u64::from(deleted);
        }
    }

    pub fn touched(&self) -> u64 {
        self.additions + self.deletions
    }
}

impl Partial for LineSums {
    fn merge(&mut self, other: Self) {
        self.additions += other.additions;
        self.deletions += other.deletions;
        self.files_changed += other.files_changed;
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Commits with at most one parent.
    pub commits: u64,
    /// Commits with two or more.
    pub merges: u64,
    pub lines: LineSums,
    pub without_renames: LineSums,
}

impl Sums {
    pub fn observe(&mut self, seen: &Observation) {
        if seen.commit.is_merge {
            self.merges += 1;
            return;
        }
        self.commits += 1;
        self.lines.merge(seen.commit.files.lines);
        self.without_renames.merge(seen.commit.files.without_renames);
    }
}

impl Partial for Sums {
    fn merge(&mut self, other: Self) {
        self.commits += other.commits;
        self.merges += other.merges;
        self.lines.merge(other.lines);
        self.without_renames.merge(other.without_renames);
    }
}
