//! Files that change together.

use std::collections::BTreeMap;

use super::FileId;
use super::Partial;
use super::definition::{Chapter, Definition};

pub const DEFINITION: Definition = Definition {
    name: "temporal_coupling",
    title: "Temporal coupling",
    chapter: Chapter::Risk,
    unit: "percent",
    formula: "degree(A, B) = commits that change both / mean(commits that change A, commits that change B), in percent, cut \
              to whole ones. Shown where both have at least 5 revisions, 5 are shared, and the degree is at least 30. Sum \
              of coupling of a file: over its commits, the number of other files in each. Across repositories: commits of \
              the same ticket, or of the same author within the same day, are one logical change of components.",
    edges: "Commits of more than 30 source files are left out, for the revisions too; so are merges, bots and bulk commits. Renames \
            are followed.",
    source: "Gall, Hajek, Jazayeri 1998; thresholds as in code-maat",
    parts: "Counters by file and by pair add up, because a commit is never split.",
    caution: "Needs weeks of history; coupling is a question to the design, not a defect.",
};

/// Changes of more files are imports, renames or formatting.
pub const MOST_FILES: usize = 30;
pub const LEAST_REVISIONS: u64 = 5;
pub const LEAST_SHARED: u64 = 5;
pub const LEAST_DEGREE: u64 = 30;

/// How often things changed, and how often together. `T` is a file, or a component of several repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupling<T: Ord = FileId> {
    revisions: BTreeMap<T, u64>,
    shared: BTreeMap<(T, T), u64>,
    sums: BTreeMap<T, u64>,
}

impl<T: Ord> Default for Coupling<T> {
    fn default() -> Self {
        Self { revisions: BTreeMap::new(), shared: BTreeMap::new(), sums: BTreeMap::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<T> {
    pub a: T,
    pub b: T,
    pub shared: u64,
    /// Mean revisions of both, doubled.
    pub revisions: u64,
    /// Percent.
    pub degree: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub revisions: u64,
    pub shared: u64,
    pub degree: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { revisions: LEAST_REVISIONS, shared: LEAST_SHARED, degree: LEAST_DEGREE }
    }
}

impl<T: Ord + Copy> Coupling<T> {
    /// Observes what one change touched.
    pub fn observe(&mut self, touched: &[T]) {
        let mut touched = touched.to_vec();
        touched.sort_unstable();
        touched.dedup();
        if touched.len() > MOST_FILES {
            return;
        }
        for (place, a) in touched.iter().enumerate() {
            *self.revisions.entry(*a).or_default() += 1;
            *self.sums.entry(*a).or_default() += touched.len() as u64 - 1;
            for b in &touched[place + 1..] {
                *self.shared.entry((*a, *b)).or_default() += 1;
            }
        }
    }

    /// Returns the pairs beyond `thresholds`, the strongest first.
    pub fn pairs(&self, thresholds: Thresholds) -> Vec<Pair<T>> {
        let revisions = |one: &T| self.revisions.get(one).copied().unwrap_or(0);
        let mut pairs: Vec<Pair<T>> = self
            .shared
            .iter()
            .filter_map(|((a, b), shared)| {
                let (of_a, of_b) = (revisions(a), revisions(b));
                let degree = 200 * shared / (of_a + of_b);
                let enough = of_a.min(of_b) >= thresholds.revisions
                    && *shared >= thresholds.shared
                    && degree >= thresholds.degree;
                enough.then_some(Pair { a: *a, b: *b, shared: *shared, revisions: of_a + of_b, degree })
            })
            .collect();
        pairs.sort_by(|x, y| (y.degree, y.shared, x.a, x.b).cmp(&(x.degree, x.shared, y.a, y.b)));
        pairs
    }

    /// Returns the sum of coupling of each, the highest first.
    pub fn sums(&self) -> Vec<(T, u64)> {
        let mut sums: Vec<(T, u64)> = self.sums.iter().map(|(one, sum)| (*one, *sum)).collect();
        sums.sort_by(|x, y| (y.1, x.0).cmp(&(x.1, y.0)));
        sums
    }
}

impl<T: Ord> Partial for Coupling<T> {
    fn merge(&mut self, other: Self) {
        for (one, count) in other.revisions {
            *self.revisions.entry(one).or_default() += count;
        }
        for (pair, count) in other.shared {
            *self.shared.entry(pair).or_default() += count;
        }
        for (one, sum) in other.sums {
            *self.sums.entry(one).or_default() += sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Thresholds = Thresholds { revisions: 0, shared: 0, degree: 0 };

    #[test]
    fn the_example_of_code_maat() {
        // {A, B, C} and {A, B}: A and B always change together; C in one of two.
        let mut coupling = Coupling::default();
        coupling.observe(&['A', 'B', 'C']);
        coupling.observe(&['B', 'A', 'A']);
        let found: Vec<_> = coupling.pairs(ALL).iter().map(|pair| (pair.a, pair.b, pair.degree)).collect();
        assert_eq!(found, [('A', 'B', 100), ('A', 'C', 66), ('B', 'C', 66)]);
        assert_eq!(coupling.sums(), [('A', 3), ('B', 3), ('C', 2)]);
        assert_eq!(coupling.pairs(Thresholds::default()), []);
    }

    #[test]
    fn large_changes_are_left_out() {
        let mut coupling = Coupling::default();
        coupling.observe(&(0..31).collect::<Vec<FileId>>());
        assert_eq!(coupling, Coupling::default());
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            changes in proptest::collection::vec(proptest::collection::vec(0u32..8, 0..5), 0..20), at in 0usize..20,
        ) {
            let of = |changes: &[Vec<FileId>]| {
                let mut coupling = Coupling::default();
                changes.iter().for_each(|change| coupling.observe(change));
                coupling
            };
            let (left, right) = changes.split_at(at.min(changes.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&changes));
            proptest::prop_assert!(merged.pairs(ALL).iter().all(|pair| pair.degree <= 100));
        }
    }
}
