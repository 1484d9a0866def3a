//! Commits, merges and lines.

use serde::{Deserialize, Serialize};

use super::definition::{Chapter, Definition};
use super::{Observation, Partial};
use crate::facts::Lines;

pub const COMMITS: Definition = Definition {
    name: "commits",
    title: "Commits and merges",
    chapter: Chapter::Activity,
    unit: "commits",
    formula: "Commits reachable from the pinned tip of the default branch (or of the asked branches) whose author time lies \
              in the window; with two or more parents they are merges and counted apart. Weeks are ISO weeks in the \
              report's zone.",
    edges: "Empty commits count. A commit that several repositories hold counts once in all totals. Times that no calendar \
            holds count in all history and in no week.",
    source: "git rev-list; CHAOSS Code Changes Commits, which includes merges by default",
    parts: "Counts add up; duplicates are dropped by object id.",
    caution: "Depends on how finely a change is cut and whether branches are squashed: no measure of work.",
};

pub const LINES: Definition = Definition {
    name: "lines",
    title: "Lines added and deleted",
    chapter: Chapter::Activity,
    unit: "lines",
    formula: "Over non-merge commits, as git log -M --numstat counts them; beside it without renames, and for source files \
              alone: not vendored, generated or documentation by linguist's rules, not configured otherwise, and of a \
              language of programs or markup.",
    edges: "Binary and unknown changes add no lines and are counted as such. Commits of more than 10,000 lines or 500 files \
            are bulk, and told.",
    source: "git log --numstat; CHAOSS Code Changes Lines; github-linguist for what is source",
    parts: "Sums add up. Check in every run: over the first-parent chain, added - deleted = text lines at the tip.",
    caution: "Measures formatting, vendoring and generators as well as work.",
};

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
