//! Whose lines stand, and what goes when somebody goes.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Chapter, Definition};
use super::share::Ratio;
use super::{Partial, PersonId};

pub const DEFINITION: Definition = Definition {
    name: "knowledge_loss",
    title: "Knowledge loss",
    chapter: Chapter::Risk,
    unit: "lines; share of 1; files",
    formula: "Lines at the tip by the person git blame leads to. Orphaned: lines of people with no commit in any repository \
              of the batch for 180 days at the as-of time. If a person leaves: files of which all authors (by degree of \
              authorship, see truck_factor) are that person or have left; and the lines that are theirs.",
    edges: "Source files at the tip. Bots' lines are a share of their own.",
    source: "Izquierdo-Cortazar et al. 2009 (orphaned lines); Rigby et al. 2016 (knowledge at risk)",
    parts: "Lines by person add up; last days are taken over all repositories first.",
    caution: "For planning a handover; whoever wrote little may know most.",
};

/// Lines at the tip by person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings(pub BTreeMap<PersonId, u64>);

impl Holdings {
    pub fn observe(&mut self, person: PersonId, lines: u64) {
        *self.0.entry(person).or_default() += lines;
    }

    pub fn lines(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns the lines of those who `have_left`.
    pub fn orphaned(&self, has_left: impl Fn(PersonId) -> bool) -> u64 {
        self.0.iter().filter(|(person, _)| has_left(**person)).map(|(_, lines)| lines).sum()
    }

    /// Returns who holds most, and their share; ties go to the smaller number.
    pub fn largest(&self) -> Option<(PersonId, Ratio)> {
        let (person, lines) = self.0.iter().rev().max_by_key(|(_, lines)| **lines)?;
        Some((*person, Ratio::of(*lines, self.lines())?))
    }
}

impl Partial for Holdings {
    fn merge(&mut self, other: Self) {
        for (person, lines) in other.0 {
            self.observe(person, lines);
        }
    }
}

/// Returns the places of the files that nobody would be left for if `leaving` went, too.
pub fn files_lost(
    authors: &[Vec<PersonId>],
    leaving: PersonId,
    has_left: impl Fn(PersonId) -> bool,
) -> BTreeSet<usize> {
    authors
        .iter()
        .enumerate()
        .filter(|(_, authors)| {
            authors.contains(&leaving) && authors.iter().all(|author| *author == leaving || has_left(*author))
        })
        .map(|(file, _)| file)
        .collect()
}

/// Returns how many files each person's leaving would lose, as [`files_lost`] counts them, in one pass.
pub fn losses(authors: &[Vec<PersonId>], has_left: impl Fn(PersonId) -> bool) -> BTreeMap<PersonId, u64> {
    let mut losses = BTreeMap::new();
    for authors in authors {
        let left: Vec<PersonId> = authors.iter().copied().filter(|author| !has_left(*author)).collect();
        let last = match left.as_slice() {
            [] => authors.as_slice(),
            [_] => left.as_slice(),
            _ => &[],
        };
        for person in last {
            *losses.entry(*person).or_default() += 1;
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_by_hand() {
        let mut holdings = Holdings::default();
        [(1, 60), (2, 30), (3, 10)].iter().for_each(|(person, lines)| holdings.observe(*person, *lines));
        assert_eq!(holdings.orphaned(|person| person == 3), 10);
        assert_eq!(holdings.largest(), Some((1, Ratio::of(3, 5).unwrap())));
        // 1 alone; 1 with 3, who has left; 1 with 2; 2 alone.
        let authors = [vec![1], vec![1, 3], vec![1, 2], vec![2]];
        assert_eq!(files_lost(&authors, 1, |person| person == 3), BTreeSet::from([0, 1]));
        assert_eq!(files_lost(&authors, 3, |person| person == 3), BTreeSet::new());
        assert_eq!(Holdings::default().largest(), None);
        let losses = losses(&authors, |person| person == 3);
        assert_eq!(losses, BTreeMap::from([(1, 2), (2, 1)]));
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(lines in proptest::collection::vec((0u32..4, 0u64..9), 0..20), at in 0usize..20) {
            let of = |lines: &[(PersonId, u64)]| {
                let mut holdings = Holdings::default();
                lines.iter().for_each(|(person, count)| holdings.observe(*person, *count));
                holdings
            };
            let (left, right) = lines.split_at(at.min(lines.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(merged, of(&lines));
        }
    }
}
