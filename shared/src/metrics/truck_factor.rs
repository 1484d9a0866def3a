//! How few people a system stands on.

use std::collections::{BTreeMap, BTreeSet};

use super::PersonId;
use super::definition::{Chapter, Definition};
use super::ownership::Hands;
use super::share::Ratio;

pub const DEFINITION: Definition = Definition {
    name: "truck_factor",
    title: "Truck factor",
    chapter: Chapter::Risk,
    unit: "people",
    formula: "Degree of authorship DOA(person, file) = 3.293 + 1.098 FA + 0.164 DL - 0.321 ln(1 + AC); FA: whether the \
              person added the file, the first time or again; DL: their other changes; AC: changes by others. Authors of \
              a file have DOA > 0.75 of its highest and (DOA >= 3.293 or FA). People are taken away, the author of most \
              files first, until less than half of the files have an author left; the truck factor is how many. \
              truck_factor_core leaves out who authors less than a tenth of the files of the first author.",
    edges: "Source files at the tip (no vendored, generated or documentation files), renames followed, merges and bots left \
            out, bulk commits not: who brings a file is its author. Ties: more files, more commits, then the smaller person key. No files: null.",
    source: "Avelino, Passos, Hora, Valente 2016, A Novel Approach for Estimating Truck Factors; pruning as in the authors' \
             later tool. Agreement with developers in the paper: 53 to 84 %.",
    parts: "Counters by file and person add up; the greedy step runs once on them, for a repository, a team's or an \
            organisation's files together. Truck factors do not add.",
    caution: "A risk of the system, not a merit of a person; an estimate.",
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruckFactor {
    pub people: u64,
    /// With the lesser authors left out.
    pub core_people: u64,
    pub files: u64,
    /// Who was taken away, first to last, with the files that each authors.
    pub taken: Vec<(PersonId, u64)>,
    /// Files with an author left, of all.
    pub coverage_left: Option<Ratio>,
}

/// Returns the authors of a file by degree of authorship.
pub fn authors(hands: &Hands) -> Vec<PersonId> {
    let all = hands.commits();
    let degrees: Vec<(PersonId, f64, bool)> = hands
        .0
        .iter()
        .map(|(person, hand)| {
            let creations = hand.creations.min(1);
            // A person's first creation is FA; everything else they did is DL.
            let deliveries = hand.commits - creations;
            let others = all - hand.commits;
            let degree = 3.293 + 1.098 * creations as f64 + 0.164 * deliveries as f64
                - 0.321 * (1.0 + others as f64).ln();
            (*person, degree, creations > 0)
        })
        .collect();
    let highest = degrees.iter().map(|(_, degree, _)| *degree).fold(f64::MIN, f64::max);
    let is_author =
        |(_, degree, adder): &&(PersonId, f64, bool)| degree / highest > 0.75 && (*degree >= 3.293 || *adder);
    degrees.iter().filter(is_author).map(|(person, _, _)| *person).collect()
}

/// Returns the truck factor of some files, each by its hands; `None` where there is no file.
pub fn of_files<'a>(files: impl Iterator<Item = &'a Hands>) -> Option<TruckFactor> {
    let mut authored: BTreeMap<PersonId, BTreeSet<usize>> = BTreeMap::new();
    let mut commits: BTreeMap<PersonId, u64> = BTreeMap::new();
    let mut authors_left: Vec<u32> = Vec::new();
    for (file, hands) in files.enumerate() {
        let authors = authors(hands);
        authors_left.push(u32::try_from(authors.len()).unwrap_or(u32::MAX));
        for author in authors {
            authored.entry(author).or_default().insert(file);
        }
        for (person, hand) in &hands.0 {
            *commits.entry(*person).or_default() += hand.commits;
        }
    }
    let files = authors_left.len();
    if files == 0 {
        return None;
    }
    let mut ranks: Vec<(PersonId, BTreeSet<usize>)> = authored.into_iter().collect();
    ranks.sort_by_key(|(person, files)| {
        (std::cmp::Reverse((files.len(), commits.get(person).copied().unwrap_or(0))), *person)
    });
    let most = ranks.first().map_or(0, |(_, files)| files.len());
    let mut covered = authors_left.iter().filter(|authors| **authors > 0).count();
    let mut taken = Vec::new();
    for (person, authored) in &ranks {
        if covered * 2 < files {
            break;
        }
        for file in authored {
            authors_left[*file] -= 1;
            covered -= usize::from(authors_left[*file] == 0);
        }
        taken.push((*person, authored.len() as u64));
    }
    let is_core = |(_, files): &&(PersonId, u64)| files * 10 >= most as u64;
    Some(TruckFactor {
        people: taken.len() as u64,
        core_people: taken.iter().filter(is_core).count() as u64,
        files: files as u64,
        coverage_left: Ratio::of(covered as u64, files as u64),
        taken,
    })
}

pub const ABSENCE: Definition = Definition {
    name: "contributor_absence_factor",
    title: "Contributor absence factor",
    chapter: Chapter::Risk,
    unit: "people",
    formula: "The smallest number of people who together made at least half of all non-merge commits.",
    edges: "Bots are left out. No commits: null.",
    source: "CHAOSS Contributor Absence Factor (formerly bus factor)",
    parts: "Commits by person add up; the factor is taken from the sums.",
    caution: "Counts activity and not knowledge: read it beside the truck factor.",
};

/// Returns the least number of people who make half of `contributions`; `None` where there are none.
pub fn contributor_absence_factor(contributions: impl Iterator<Item = u64>) -> Option<u64> {
    let mut counts: Vec<u64> = contributions.filter(|count| *count > 0).collect();
    counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let all: u64 = counts.iter().sum();
    let mut sum = 0;
    for (place, count) in counts.iter().enumerate() {
        sum += count;
        if sum * 2 >= all {
            return Some(place as u64 + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hands(list: &[(PersonId, bool, u64)]) -> Hands {
        let mut hands = Hands::default();
        for (person, creates, changes) in list {
            if *creates {
                hands.observe(*person, true, 1, 0);
            }
            (0..*changes).for_each(|_| hands.observe(*person, false, 1, 0));
        }
        hands
    }

    #[test]
    fn authorship_by_hand() {
        // 1 adds the file and changes it once: 3.293 + 1.098 + 0.164 - 0.321 ln 3 = 4.202.
        // 2 changes it twice: 3.293 + 0.328 - 0.321 ln 3 = 3.268, which is 0.778 of that, but below 3.293.
        assert_eq!(authors(&hands(&[(1, true, 1), (2, false, 2)])), [1]);
        // Three changes more: 3.760, and 1 has 3.293 + 1.098 + 0.164 - 0.321 ln 6 = 3.980.
        assert_eq!(authors(&hands(&[(1, true, 1), (2, false, 5)])), [1, 2]);
        assert_eq!(authors(&hands(&[])), Vec::<PersonId>::new());
    }

    #[test]
    fn the_greedy_step_by_hand() {
        // 1 authors three files, 2 two of five. Without 1, two of five have an author: fewer than half.
        let files = [
            hands(&[(1, true, 3)]),
            hands(&[(1, true, 0)]),
            hands(&[(1, true, 9)]),
            hands(&[(2, true, 0)]),
            hands(&[(2, true, 1)]),
        ];
        let factor = of_files(files.iter()).unwrap();
        assert_eq!((factor.people, factor.core_people), (1, 1));
        assert_eq!(factor.taken, [(1, 3)]);
        assert_eq!(factor.coverage_left, Ratio::of(2, 5));
        // With 3 of 5 left after 2 goes first, it takes two.
        let factor = of_files(files[1..].iter()).unwrap();
        assert_eq!(factor.people, 2, "half of the files are covered after the first");
        assert_eq!(of_files(std::iter::empty()), None);
    }

    #[test]
    fn the_example_of_chaoss() {
        let contributions = [1000, 202, 90, 33, 332, 343, 42, 433];
        assert_eq!(contributor_absence_factor(contributions.into_iter()), Some(2));
        assert_eq!(contributor_absence_factor(std::iter::empty()), None);
    }

    proptest::proptest! {
        #[test]
        fn order_of_files_does_not_matter(
            mut files in proptest::collection::vec(
                proptest::collection::vec((0u32..6, proptest::bool::ANY, 0u64..5), 0..4), 1..20),
        ) {
            let of = |files: &[Vec<(PersonId, bool, u64)>]| {
                let all: Vec<Hands> = files.iter().map(|list| hands(list)).collect();
                of_files(all.iter())
            };
            let forth = of(&files);
            files.reverse();
            proptest::prop_assert_eq!(forth, of(&files));
        }
    }
}
