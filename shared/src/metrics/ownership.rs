//! Who has worked on a file: commits, added lines and first authorship, by person.

use std::collections::BTreeMap;

use super::definition::{Chapter, Definition};
use super::share::Ratio;
use super::{Partial, PersonId};

pub const DEFINITION: Definition = Definition {
    name: "ownership",
    title: "Ownership and fragmentation",
    chapter: Chapter::Risk,
    unit: "shares of 1",
    formula: "Commit-based: a person's non-merge commits to a file or component / all of them; the owner is who has most. \
              Minor contributors have less than 5 %. Fragmentation (fractal value): 1 - sum of the squares of all shares. \
              Line-based: a person's lines at the tip, by blame / all lines.",
    edges: "Ties go to the smaller person key. Without commits: null. Renames are followed, and a file is of the kind that its latest name is of; bots and merges are left out. The commits \
            of a component are those to files that are gone, too.",
    source: "Bird et al. 2011 (commit-based, 5 %); Rahman and Devanbu 2011 (line-based); D'Ambros et al. (fractal value)",
    parts: "Counters by file and person add up; shares are taken at the end.",
    caution: "Shows where knowledge sits, and not who works well.",
};

/// Below this share (in hundredths) a contributor of a component is a minor one.
pub const MINOR_PERCENT: u64 = 5;

/// What one person did to one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hand {
    /// Non-merge commits that change the file.
    pub commits: u64,
    /// Those of them that add it, the first time or again.
    pub creations: u64,
    pub added_lines: u64,
    pub deleted_lines: u64,
}

/// The hands of all who changed one file, or one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hands(pub BTreeMap<PersonId, Hand>);

impl Hands {
    pub fn observe(&mut self, person: PersonId, is_creation: bool, added: u64, deleted: u64) {
        let hand = Hand {
            commits: 1,
            creations: u64::from(is_creation),
            added_lines: added,
            deleted_lines: deleted,
        };
        self.0.entry(person).or_default().merge(hand);
    }

    pub fn commits(&self) -> u64 {
        self.0.values().map(|hand| hand.commits).sum()
    }

    /// Returns who has most commits, and their share.
    pub fn owner(&self) -> Option<(PersonId, Ratio)> {
        let all = self.commits();
        let (person, hand) = self.0.iter().rev().max_by_key(|(_, hand)| hand.commits)?;
        Some((*person, Ratio::of(hand.commits, all)?))
    }

    /// Returns how many have less than [`MINOR_PERCENT`] of the commits.
    pub fn minor_contributors(&self) -> u64 {
        let all = self.commits();
        self.0.values().filter(|hand| hand.commits * 100 < all * MINOR_PERCENT).count() as u64
    }

    /// Returns the fractal value: 0 where one person did everything, near 1 where many did a little.
    pub fn fragmentation(&self) -> Option<Ratio> {
        fragmentation(self.0.values().map(|hand| hand.commits))
    }
}

/// See [`Hands::fragmentation`].
pub fn fragmentation(counts: impl Iterator<Item = u64>) -> Option<Ratio> {
    let (mut all, mut squares) = (0u128, 0u128);
    for count in counts {
        all += u128::from(count);
        squares += u128::from(count) * u128::from(count);
    }
    let whole = all * all;
    let rounded = ((whole - squares) * 10_000 + whole / 2).checked_div(whole)?;
    Some(Ratio::from_ten_thousandths(i64::try_from(rounded).unwrap_or(i64::MAX)))
}

impl Partial for Hand {
    fn merge(&mut self, other: Self) {
        self.commits += other.commits;
        self.creations += other.creations;
        self.added_lines += other.added_lines;
        self.deleted_lines += other.deleted_lines;
    }
}

impl Partial for Hands {
    fn merge(&mut self, other: Self) {
        for (person, hand) in other.0 {
            self.0.entry(person).or_default().merge(hand);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hands(commits: &[(PersonId, u64)]) -> Hands {
        let mut hands = Hands::default();
        for (person, count) in commits {
            (0..*count).for_each(|_| hands.observe(*person, false, 1, 0));
        }
        hands
    }

    #[test]
    fn fragmentation_by_hand() {
        // code-maat's documented example: 1, 3 and 2 of 6 commits; 1 - (1 + 9 + 4) / 36.
        let three = hands(&[(1, 1), (2, 3), (3, 2)]);
        assert_eq!(three.fragmentation().unwrap().to_string(), "0.6111");
        assert_eq!(three.owner(), Some((2, Ratio::of(1, 2).unwrap())));
        assert_eq!(hands(&[(1, 9)]).fragmentation(), Some(Ratio::ZERO));
        assert_eq!(hands(&[]).fragmentation(), None);
        assert_eq!(hands(&[]).owner(), None);
    }

    #[test]
    fn ties_and_minor_contributors() {
        assert_eq!(hands(&[(7, 2), (3, 2)]).owner().unwrap().0, 3);
        assert_eq!(hands(&[(1, 19), (2, 1)]).minor_contributors(), 0, "5 % is not below 5 %");
        assert_eq!(hands(&[(1, 20), (2, 1)]).minor_contributors(), 1);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(commits in proptest::collection::vec((0u32..5, 0u64..4), 0..20), at in 0usize..20) {
            let (left, right) = commits.split_at(at.min(commits.len()));
            let mut merged = hands(left);
            merged.merge(hands(right));
            proptest::prop_assert_eq!(&merged, &hands(&commits));
            if let Some(value) = merged.fragmentation() {
                proptest::prop_assert!(value >= Ratio::ZERO && value <= Ratio::ONE);
            }
        }
    }
}
