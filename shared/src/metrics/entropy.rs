//! How scattered change is.

use std::collections::BTreeMap;

use super::FileId;
use super::Partial;
use super::definition::{Chapter, Definition};
use super::share::Ratio;
use crate::window::Week;

pub const DEFINITION: Definition = Definition {
    name: "change_entropy",
    title: "Entropy of change",
    chapter: Chapter::Risk,
    unit: "0 (one file) to 1 (all alike)",
    formula: "Per ISO week: p of a file = its touched lines / all touched lines; H = - sum of p log p / log n, with n the \
              number of files changed in that week. A file's history complexity is the sum over weeks of p H.",
    edges: "One file: 0. No touched line: null. Source files alone, by their latest names; files of which no line was touched are in \
            no n. Merges, bots and bulk commits are left out; renames are followed.",
    source: "Hassan 2009, Predicting faults using the complexity of code changes; normalised by the files changed in the \
             period, as pydriller does, and not by all files of the system",
    parts: "Touched lines by week and file add up; logarithms are taken at the end.",
    caution: "Compare a repository with its own past only.",
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entropy(BTreeMap<Week, BTreeMap<FileId, u64>>);

impl Entropy {
    pub fn observe(&mut self, week: Week, file: FileId, touched_lines: u64) {
        if touched_lines > 0 {
            *self.0.entry(week).or_default().entry(file).or_default() += touched_lines;
        }
    }

    /// Returns H of each week with a touched line.
    pub fn weeks(&self) -> BTreeMap<Week, Ratio> {
        self.0.iter().filter_map(|(week, files)| Some((*week, Ratio::nearest(entropy(files)?)?))).collect()
    }

    /// Returns the history complexity of each file, the highest first.
    pub fn files(&self) -> Vec<(FileId, Ratio)> {
        let mut sums: BTreeMap<FileId, f64> = BTreeMap::new();
        for files in self.0.values() {
            let (all, Some(entropy)) = (files.values().sum::<u64>() as f64, entropy(files)) else { continue };
            for (file, touched) in files {
                *sums.entry(*file).or_default() += *touched as f64 / all * entropy;
            }
        }
        let mut sums: Vec<(FileId, Ratio)> =
            sums.into_iter().filter_map(|(file, sum)| Some((file, Ratio::nearest(sum)?))).collect();
        sums.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        sums
    }
}

fn entropy(files: &BTreeMap<FileId, u64>) -> Option<f64> {
    let all = files.values().sum::<u64>() as f64;
    match files.len() {
        0 => None,
        1 => Some(0.0),
        count => {
            let sum: f64 =
                files.values().map(|touched| *touched as f64 / all).map(|part| -part * part.ln()).sum();
            Some(sum / (count as f64).ln())
        }
    }
}

impl Partial for Entropy {
    fn merge(&mut self, other: Self) {
        for (week, files) in other.0 {
            let mine = self.0.entry(week).or_default();
            for (file, touched) in files {
                *mine.entry(file).or_default() += touched;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(touched: &[(&str, FileId, u64)]) -> Entropy {
        let mut entropy = Entropy::default();
        touched.iter().for_each(|(week, file, lines)| entropy.observe(week.parse().unwrap(), *file, *lines));
        entropy
    }

    #[test]
    fn entropy_by_hand() {
        let entropy = of(&[
            ("2026-W01", 1, 5),
            ("2026-W01", 2, 5),
            ("2026-W02", 1, 9),
            ("2026-W03", 1, 3),
            ("2026-W03", 2, 1),
        ]);
        let weeks: Vec<String> = entropy.weeks().values().map(Ratio::to_string).collect();
        // 3/4 and 1/4: (0.75 ln 4/3 + 0.25 ln 4) / ln 2.
        assert_eq!(weeks, ["1.0000", "0.0000", "0.8113"]);
        // 0.5 * 1 + 0.75 * 0.8113; 0.5 * 1 + 0.25 * 0.8113.
        let files: Vec<String> = entropy.files().iter().map(|(_, sum)| sum.to_string()).collect();
        assert_eq!(files, ["1.1085", "0.7028"]);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(touched in proptest::collection::vec((0usize..3, 0u32..5, 0u64..9), 0..30), at in 0usize..30) {
            let of = |touched: &[(usize, FileId, u64)]| {
                let mut entropy = Entropy::default();
                for (week, file, lines) in touched {
                    entropy.observe(["2026-W01", "2026-W02", "2026-W03"][*week].parse().unwrap(), *file, *lines);
                }
                entropy
            };
            let (left, right) = touched.split_at(at.min(touched.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&touched));
            proptest::prop_assert!(merged.weeks().values().all(|value| *value <= Ratio::ONE));
        }
    }
}
