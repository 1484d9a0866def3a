//! Spans of time whose percentiles are exact, however they were gathered.

use std::collections::BTreeMap;

use super::Partial;

/// A multiset of spans in seconds. Percentiles of percentiles are wrong, so parts keep all values until the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    counts: BTreeMap<i64, u64>,
    /// Spans that would be negative: clocks that disagree. They are counted and in no percentile.
    pub negative: u64,
}

impl Durations {
    pub fn add(&mut self, seconds: i64) {
        if seconds < 0 {
            self.negative += 1;
        } else {
            *self.counts.entry(seconds).or_default() += 1;
        }
    }

    /// Adds the span between two times, where both are known.
    pub fn between(&mut self, start: Option<i64>, end: Option<i64>) {
        if let (Some(start), Some(end)) = (start, end) {
            self.add(end.saturating_sub(start));
        }
    }

    pub fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn median(&self) -> Option<i64> {
        self.percentile(50)
    }

    /// Returns the value below which `percent` of the spans lie, between two of them by their distance, as SQL's
    /// `percentile_cont` defines it, cut to whole seconds; `None` where there is none.
    pub fn percentile(&self, percent: u8) -> Option<i64> {
        let last = self.len().checked_sub(1)?;
        let hundredths = u128::from(last) * u128::from(percent.min(100));
        let (below, part) = ((hundredths / 100) as u64, (hundredths % 100) as i128);
        let low = self.at(below)?;
        let high = self.at((below + 1).min(last))?;
        let between = i128::from(high - low) * part / 100;
        Some(low + i64::try_from(between).expect("between two numbers that fit"))
    }

    /// Returns the value at `place`, ascending.
    fn at(&self, place: u64) -> Option<i64> {
        let mut before = 0;
        self.counts.iter().find_map(|(seconds, count)| {
            before += count;
            (place < before).then_some(*seconds)
        })
    }
}

impl Partial for Durations {
    fn merge(&mut self, other: Self) {
        for (seconds, count) in other.counts {
            *self.counts.entry(seconds).or_default() += count;
        }
        self.negative += other.negative;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[i64]) -> Durations {
        let mut durations = Durations::default();
        values.iter().for_each(|value| durations.add(*value));
        durations
    }

    #[test]
    fn percentiles_by_hand() {
        assert_eq!(of(&[]).median(), None);
        assert_eq!(of(&[7]).percentile(90), Some(7));
        assert_eq!(of(&[1, 2, 3, 4]).median(), Some(2), "2.5, cut");
        assert_eq!(of(&[10, 20, 30, 40, 50]).median(), Some(30));
        // The ninetieth of five lies 0.6 of the way from the fourth to the fifth.
        assert_eq!(of(&[10, 20, 30, 40, 50]).percentile(90), Some(46));
        let odd = of(&[-5, 3]);
        assert_eq!((odd.negative, odd.len(), odd.median()), (1, 1, Some(3)));
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(left in proptest::collection::vec(-10i64..1_000, 0..40),
                                    right in proptest::collection::vec(-10i64..1_000, 0..40)) {
            let mut merged = of(&left);
            merged.merge(of(&right));
            let mut all = [left.clone(), right.clone()].concat();
            proptest::prop_assert_eq!(&merged, &of(&all));
            all.retain(|value| *value >= 0);
            all.sort_unstable();
            if !all.is_empty() && all.len() % 2 == 1 {
                proptest::prop_assert_eq!(merged.median(), Some(all[all.len() / 2]));
            }
        }
    }
}
