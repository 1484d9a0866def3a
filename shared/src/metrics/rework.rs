//! Lines that are changed again soon after they were written.

use super::Partial;
use super::definition::{Chapter, Definition};
use super::share::Ratio;

pub const DEFINITION: Definition = Definition {
    name: "rework",
    title: "Rework",
    chapter: Chapter::Flow,
    unit: "lines; share of 1",
    formula: "Lines deleted by non-merge commits of the window, by the age of each line at that time (author time of the \
              deleting commit - author time of the line, which git blame names): younger than 21 days is rework, of the \
              same author or of another; older is refactoring. Rework share = young deleted lines / (added + deleted).",
    edges: "Negative ages count as 0. Nothing changed: null. Bots and bulk commits are left out.",
    source: "21 days as LinearB and Code Climate have it; ages by blame, and not by the author's deletions of the fortnight",
    parts: "Four sums by week.",
    caution: "Early rework is also what review is for. Not DORA's deployment rework rate.",
};

pub const YOUNG_DAYS: i64 = 21;

/// Lines by what their change was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rework {
    pub added: u64,
    /// Deleted when younger than [`YOUNG_DAYS`], by who wrote them.
    pub own: u64,
    /// The same, by somebody else.
    pub others: u64,
    /// Deleted when older.
    pub old: u64,
}

impl Rework {
    pub fn observe_added(&mut self, lines: u64) {
        self.added += lines;
    }

    /// Observes deleted lines of one origin; times in UTC seconds.
    pub fn observe_deleted(&mut self, written: i64, deleted: i64, same_author: bool, lines: u64) {
        let is_young = deleted.saturating_sub(written) < YOUNG_DAYS * 86_400;
        *match (is_young, same_author) {
            (true, true) => &mut self.own,
            (true, false) => &mut self.others,
            (false, _) => &mut self.old,
        } += lines;
    }

    pub fn share(&self) -> Option<Ratio> {
        let young = self.own + self.others;
        Ratio::of(young, self.added + young + self.old)
    }
}

impl Partial for Rework {
    fn merge(&mut self, other: Self) {
        self.added += other.added;
        self.own += other.own;
        self.others += other.others;
        self.old += other.old;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rework_by_hand() {
        let day = |days: i64| days * 86_400;
        let mut rework = Rework::default();
        rework.observe_added(70);
        rework.observe_deleted(day(0), day(5), true, 6);
        rework.observe_deleted(day(0), day(20), false, 4);
        rework.observe_deleted(day(0), day(21), true, 20);
        rework.observe_deleted(day(9), day(8), true, 0);
        assert_eq!(rework, Rework { added: 70, own: 6, others: 4, old: 20 });
        assert_eq!(rework.share(), Ratio::of(10, 100));
        assert_eq!(Rework::default().share(), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(deaths in proptest::collection::vec((0i64..9_000_000, proptest::bool::ANY, 0u64..9), 0..30), at in 0usize..30) {
            let of = |deaths: &[(i64, bool, u64)]| {
                let mut rework = Rework::default();
                deaths.iter().for_each(|(age, own, lines)| rework.observe_deleted(0, *age, *own, *lines));
                rework
            };
            let (left, right) = deaths.split_at(at.min(deaths.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(merged, of(&deaths));
        }
    }
}
