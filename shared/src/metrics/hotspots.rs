//! Code that is both complicated and changed often.

use super::definition::{Chapter, Definition};
use super::share::Ratio;

pub const DEFINITION: Definition = Definition {
    name: "hotspots",
    title: "Hotspots",
    chapter: Chapter::Risk,
    unit: "0 to 1",
    formula: "score = rank of the file by revisions x rank by complexity, each rank the share of files that have no more. \
              Revisions: non-merge, non-bulk commits in the window that change the file, renames followed. Complexity: the \
              sum of logical indentation (tabs + spaces / 4) over non-blank lines at the tip, cut to a whole number.",
    edges: "Source files at the tip; generated, vendored, documentation and binary ones are left out. Without a revision in \
            the window a file is no hotspot. Ties have the same rank.",
    source: "Tornhill, Your Code as a Crime Scene; indentation: Hindle, Godfrey, Holt 2008",
    parts: "Revisions add up; ranks are taken once, within a repository.",
    caution: "A place to look, not a defect. Indentation says little of minified code and of Lisp or Haskell layouts.",
};

pub const COMPLEXITY: Definition = Definition {
    name: "indentation_complexity",
    title: "Complexity by indentation",
    chapter: Chapter::Risk,
    unit: "logical indentations",
    formula: "Per non-blank line, tabs + spaces / 4 before the first other character; of a file the sum, the mean, the \
              standard deviation and the largest.",
    edges: "No non-blank line: null mean and deviation.",
    source: "Hindle, Godfrey, Holt 2008: sum and deviation follow McCabe's and Halstead's measures",
    parts: "A function of one content; count, sum and sum of squares add up.",
    caution: "A stand-in that works for all languages, and for none exactly.",
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<T> {
    pub file: T,
    pub revisions: u64,
    pub complexity: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotspot<T> {
    pub file: T,
    pub revisions: u64,
    pub complexity: u64,
    pub score: Ratio,
}

/// Returns the files with a revision, the hottest first, then by file.
pub fn rank<T: Ord + Clone>(candidates: &[Candidate<T>]) -> Vec<Hotspot<T>> {
    let sorted = |of: fn(&Candidate<T>) -> u64| {
        let mut values: Vec<u64> = candidates.iter().map(of).collect();
        values.sort_unstable();
        values
    };
    let (revisions, complexities) = (sorted(|one| one.revisions), sorted(|one| one.complexity));
    let not_more = |values: &[u64], value: u64| values.partition_point(|other| *other <= value) as u64;
    let all = candidates.len() as u64;
    let mut hotspots: Vec<Hotspot<T>> = candidates
        .iter()
        .filter(|one| one.revisions > 0)
        .filter_map(|one| {
            let product = not_more(&revisions, one.revisions) * not_more(&complexities, one.complexity);
            Some(Hotspot {
                file: one.file.clone(),
                revisions: one.revisions,
                complexity: one.complexity,
                score: Ratio::of(product, all * all)?,
            })
        })
        .collect();
    hotspots.sort_by(|a, b| {
        (b.score, b.revisions, b.complexity, &a.file).cmp(&(a.score, a.revisions, a.complexity, &b.file))
    });
    hotspots
}

/// Moments of the indentation of some lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Indentation {
    pub lines: u64,
    /// In quarters of a logical indentation, as the next two.
    pub sum: u64,
    pub square_sum: u64,
    pub max: u32,
}

impl Indentation {
    pub fn mean(&self) -> Option<Ratio> {
        Ratio::of(self.sum, self.lines.checked_mul(4)?)
    }

    /// Returns the standard deviation of all lines, not of a sample.
    pub fn deviation(&self) -> Option<Ratio> {
        if self.lines == 0 {
            return None;
        }
        let (lines, sum, squares) =
            (u128::from(self.lines), u128::from(self.sum), u128::from(self.square_sum));
        let variance = (lines * squares).saturating_sub(sum * sum) as f64 / (lines * lines) as f64;
        Ratio::nearest(variance.sqrt() / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let candidate = |file, revisions, complexity| Candidate { file, revisions, complexity };
        let found = rank(&[
            candidate("a", 10, 100),
            candidate("b", 10, 50),
            candidate("c", 0, 900),
            candidate("d", 1, 10),
        ]);
        let found: Vec<_> = found.iter().map(|one| (one.file, one.score.to_string())).collect();
        // a: 4 of 4 x 3 of 4; b: 4 of 4 x 2 of 4; d: 2 of 4 x 1 of 4.
        assert_eq!(found, [("a", "0.7500".into()), ("b", "0.5000".into()), ("d", "0.1250".into())]);
        assert_eq!(rank::<&str>(&[]), []);
    }

    #[test]
    fn moments_by_hand() {
        // Lines indented by 0, 1 and 2: mean 1, deviation the root of 2/3.
        let three = Indentation { lines: 3, sum: 12, square_sum: 16 + 64, max: 8 };
        assert_eq!(three.mean(), Some(Ratio::ONE));
        assert_eq!(three.deviation().unwrap().to_string(), "0.8165");
        assert_eq!(Indentation::default().mean(), None);
        assert_eq!(Indentation::default().deviation(), None);
    }

    proptest::proptest! {
        #[test]
        fn order_does_not_matter(mut files in proptest::collection::btree_map(0u32..50, (0u64..9, 0u64..9), 0..30)
            .prop_map(|map| map.into_iter().map(|(file, (revisions, complexity))| Candidate { file, revisions, complexity })
            .collect::<Vec<_>>())) {
            let forth = rank(&files);
            files.reverse();
            proptest::prop_assert_eq!(&forth, &rank(&files));
            proptest::prop_assert!(forth.iter().all(|one| one.score > Ratio::ZERO && one.score <= Ratio::ONE));
        }
    }

    use proptest::strategy::Strategy as _;
}
