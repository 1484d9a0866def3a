//! Which lines of which time stood when.

use std::collections::{BTreeMap, BTreeSet};

use super::Partial;
use super::contributors::Quarter;
use super::definition::{Chapter, Definition};

pub const DEFINITION: Definition = Definition {
    name: "burndown",
    title: "Burndown of lines",
    chapter: Chapter::Risk,
    unit: "lines",
    formula: "Lines that stood at the end of each quarter on the first-parent chain, by the quarter in which they were \
              written: births - deaths. A line is born for the commit that git blame names, at the time its commit came \
              onto the chain; it dies when the chain loses it. Over all, births - deaths = text lines at the tip.",
    edges: "Lines whose author time no calendar holds are born in the quarter they came onto the chain. A file that turns \
            binary loses its lines.",
    source: "git blame; compare hercules and git-of-theseus, which approximate it and disagree with each other",
    parts: "Births and deaths add up, over repositories too.",
    caution: "A picture of a code base, not of people.",
};

/// A century.
const MOST_QUARTERS: i32 = 400;

/// Births less deaths, by quarter of writing and quarter of integration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Burndown(BTreeMap<Quarter, BTreeMap<Quarter, i64>>);

impl Burndown {
    /// Observes lines that came (or, negative, went) in the quarter `when`.
    pub fn observe(&mut self, written: Quarter, when: Quarter, lines: i64) {
        *self.0.entry(written).or_default().entry(when).or_default() += lines;
    }

    /// Returns the quarters from the first change to the last, and for each cohort the lines that stood at their ends.
    /// Where clocks are out by a century, only the quarters with a change.
    pub fn table(&self) -> (Vec<Quarter>, Vec<(Quarter, Vec<i64>)>) {
        let mut when: BTreeSet<Quarter> =
            self.0.values().flat_map(|changes| changes.keys().copied()).collect();
        if let (Some(first), Some(last)) = (when.first().copied(), when.last().copied())
            && last.since(first) <= MOST_QUARTERS
        {
            when.extend(
                std::iter::successors(Some(first), |quarter| Some(quarter.next()))
                    .take_while(|quarter| *quarter < last),
            );
        }
        let rows = self
            .0
            .iter()
            .map(|(written, changes)| {
                let mut standing = 0;
                let row = when
                    .iter()
                    .map(|quarter| {
                        standing += changes.get(quarter).copied().unwrap_or(0);
                        standing
                    })
                    .collect();
                (*written, row)
            })
            .collect();
        (when.into_iter().collect(), rows)
    }

    /// Returns all births less all deaths.
    pub fn standing(&self) -> i64 {
        self.0.values().flat_map(BTreeMap::values).sum()
    }
}

impl Partial for Burndown {
    fn merge(&mut self, other: Self) {
        for (written, changes) in other.0 {
            let mine = self.0.entry(written).or_default();
            for (when, lines) in changes {
                *mine.entry(when).or_default() += lines;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarter(text: &str) -> Quarter {
        Quarter::of(text.parse().unwrap())
    }

    #[test]
    fn a_table_by_hand() {
        let (first, second, third) = (quarter("2025-02-01"), quarter("2025-05-01"), quarter("2025-08-01"));
        let mut burndown = Burndown::default();
        burndown.observe(first, first, 10);
        burndown.observe(first, second, -3);
        burndown.observe(second, second, 5);
        burndown.observe(second, third, -1);
        let (when, rows) = burndown.table();
        assert_eq!(when, [first, second, third]);
        assert_eq!(rows, [(first, vec![10, 7, 7]), (second, vec![0, 5, 4])]);
        assert_eq!(burndown.standing(), 11);
        // A year later a line goes: the quarters between are there, too.
        burndown.observe(third, quarter("2026-08-01"), 1);
        assert_eq!(burndown.table().1[2], (third, vec![0, 0, 0, 0, 0, 0, 1]));
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            changes in proptest::collection::vec((0u64..3, 0u64..3, -9i64..9), 0..30), at in 0usize..30,
        ) {
            let quarter = |number: u64| Quarter::of("2025-01-01".parse::<chrono::NaiveDate>().unwrap() + chrono::Months::new(number as u32 * 3));
            let of = |changes: &[(u64, u64, i64)]| {
                let mut burndown = Burndown::default();
                changes.iter().for_each(|(born, when, lines)| burndown.observe(quarter(*born), quarter(*when), *lines));
                burndown
            };
            let (left, right) = changes.split_at(at.min(changes.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&changes));
            let last: i64 = merged.table().1.iter().filter_map(|(_, row)| row.last()).sum();
            proptest::prop_assert_eq!(last, merged.standing());
        }
    }
}
