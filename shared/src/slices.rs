//! How one history is shared out: consecutive slices of about the same cost.
//!
//! Consecutive, because neighbouring commits stand on the same objects: whoever analyses one has most of what the next
//! needs.

use std::ops::Range;

/// Cuts what `costs` lists into at most `slices` ranges of about the same cost, none longer than `most`, none empty.
/// More than `slices` come out only where `most` asks for it.
pub fn cut(costs: &[u32], slices: usize, most: usize) -> Vec<Range<usize>> {
    let total: u64 = costs.iter().map(|cost| u64::from(*cost)).sum();
    let slices = slices.max(1) as u64;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let (mut from, mut spent) = (0, 0);
    for (position, cost) in costs.iter().enumerate() {
        let ended = ranges.len() as u64 + 1;
        // A slice ends where the cost up to here is nearest to its share of the whole.
        let share = u128::from(total) * u128::from(ended) / u128::from(slices);
        let is_due = u128::from(spent) + u128::from(*cost) / 2 >= share && ended < slices;
        if position > from && (is_due || position - from == most.max(1)) {
            ranges.push(from..position);
            from = position;
        }
        spent += u64::from(*cost);
    }
    if from < costs.len() {
        ranges.push(from..costs.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cost_about_the_same() {
        let ends = |costs: &[u32], slices, most| -> Vec<usize> {
            cut(costs, slices, most).into_iter().map(|range| range.end).collect()
        };
        assert_eq!(ends(&[1; 10], 3, 100), [3, 6, 10]);
        assert_eq!(ends(&[8, 1, 1, 1, 1, 4], 2, 100), [1, 6]);
        assert_eq!(ends(&[0, 0, 0], 2, 100), [1, 3]);
        assert_eq!(ends(&[1; 10], 1, 4), [4, 8, 10]);
        assert_eq!(ends(&[5], 4, 100), [1]);
        assert_eq!(ends(&[], 4, 100), [0; 0]);
    }

    proptest::proptest! {
        #[test]
        fn every_commit_is_in_one_slice_and_none_is_far_over_its_share(
            costs in proptest::collection::vec(0u32..1_000, 0..300), slices in 1usize..20, most in 1usize..400,
        ) {
            let ranges = cut(&costs, slices, most);
            let mut end = 0;
            for range in &ranges {
                proptest::prop_assert_eq!(range.start, end);
                proptest::prop_assert!(!range.is_empty() && range.len() <= most);
                end = range.end;
            }
            proptest::prop_assert_eq!(end, costs.len());
            if most >= costs.len() {
                proptest::prop_assert!(ranges.len() <= slices);
                let sum = |range: &Range<usize>| costs[range.clone()].iter().sum::<u32>();
                let share = costs.iter().sum::<u32>() / slices as u32;
                let dearest = costs.iter().max().copied().unwrap_or_default();
                for range in &ranges {
                    proptest::prop_assert!(sum(range) <= share + 2 * dearest + 1);
                }
            }
        }
    }
}
