//! Change in proportion to what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::FileId;
use super::Partial;
use super::definition::{Chapter, Definition};
use super::share::Ratio;
use crate::window::Week;

pub const DEFINITION: Definition = Definition {
    name: "relative_churn",
    title: "Relative churn",
    chapter: Chapter::Risk,
    unit: "ratios",
    formula: "Of a component in the window: churned lines (added) / lines at the tip; deleted lines / lines at the tip; \
              files churned / files at the tip; changes of a file by a commit / files churned; weeks with churn / files at the \
              tip; lines worked on (added + deleted) / weeks with churn; churned / deleted lines; lines worked on / changes.",
    edges: "git knows added and deleted lines and no changed ones: a changed line is one of each. A denominator of 0: null. \
            Files that are gone were churned, too, so the share of files can exceed 1. Merges, bots and bulk commits are left \
            out; the commits of a component, which are a matter of ownership, hold the bulk ones.",
    source: "Nagappan and Ball 2005, Use of relative code churn measures to predict system defect density, measures 1 to 8 \
             in its order, with added lines for churned ones",
    parts: "Sums and sets add up; ratios are taken at the end.",
    caution: "Predicted defects of one large system; here a reason to look.",
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Churn {
    pub added: u64,
    pub deleted: u64,
    /// Changes of a file by a commit.
    pub changes: u64,
    pub files: BTreeSet<FileId>,
    pub weeks: BTreeSet<Week>,
}

/// What a component has at the tip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    pub files: u64,
    pub lines: u64,
}

impl Churn {
    pub fn observe(&mut self, file: FileId, week: Option<Week>, added: u64, deleted: u64) {
        self.added += added;
        self.deleted += deleted;
        self.changes += 1;
        self.files.insert(file);
        self.weeks.extend(week);
    }

    /// Returns the eight measures in the paper's order.
    pub fn measures(&self, size: Size) -> [Option<Ratio>; 8] {
        let (files, weeks) = (self.files.len() as u64, self.weeks.len() as u64);
        let worked_on = self.added + self.deleted;
        [
            Ratio::of(self.added, size.lines),
            Ratio::of(self.deleted, size.lines),
            Ratio::of(files, size.files),
            Ratio::of(self.changes, files),
            Ratio::of(weeks, size.files),
            Ratio::of(worked_on, weeks),
            Ratio::of(self.added, self.deleted),
            Ratio::of(worked_on, self.changes),
        ]
    }
}

impl Partial for Churn {
    fn merge(&mut self, other: Self) {
        self.added += other.added;
        self.deleted += other.deleted;
        self.changes += other.changes;
        self.files.extend(other.files);
        self.weeks.extend(other.weeks);
    }
}

/// Returns the component of a path: its first `depth` directories, or "(root)" for a file without one.
pub fn component(path: &[u8], depth: usize) -> String {
    let directories: Vec<&[u8]> = {
        let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
        parts.pop();
        parts.truncate(depth);
        parts
    };
    match directories.is_empty() {
        true => "(root)".to_owned(),
        false => String::from_utf8_lossy(&directories.join(&b'/')).into_owned(),
    }
}

/// Churn by component.
pub type ByComponent = BTreeMap<String, Churn>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_by_hand() {
        let mut churn = Churn::default();
        let week = |text: &str| Some(text.parse().unwrap());
        churn.observe(1, week("2026-W01"), 30, 10);
        churn.observe(1, week("2026-W02"), 10, 0);
        churn.observe(2, week("2026-W02"), 10, 15);
        let found: Vec<String> = churn
            .measures(Size { files: 4, lines: 200 })
            .iter()
            .map(|ratio| ratio.map_or("-".to_owned(), |ratio| ratio.to_string()))
            .collect();
        // 50/200, 25/200, 2/4, 3/2, 2/4, 75/2, 50/25, 75/3.
        assert_eq!(found, ["0.2500", "0.1250", "0.5000", "1.5000", "0.5000", "37.5000", "2.0000", "25.0000"]);
        assert_eq!(Churn::default().measures(Size::default()), [None; 8]);
    }

    #[test]
    fn components() {
        assert_eq!(component(b"src/store/sql.rs", 1), "src");
        assert_eq!(component(b"src/store/sql.rs", 2), "src/store");
        assert_eq!(component(b"README.md", 1), "(root)");
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(changes in proptest::collection::vec((0u32..5, 0usize..2, 0u64..9, 0u64..9), 0..20), at in 0usize..20) {
            let of = |changes: &[(FileId, usize, u64, u64)]| {
                let mut churn = Churn::default();
                for (file, week, added, deleted) in changes {
                    churn.observe(*file, ["2026-W01", "2026-W02"][*week].parse().ok(), *added, *deleted);
                }
                churn
            };
            let (left, right) = changes.split_at(at.min(changes.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(merged, of(&changes));
        }
    }
}
