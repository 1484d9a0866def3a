//! How old the lines are that stand, and how long lines last.

use std::collections::BTreeMap;

use super::Partial;
use super::definition::{Chapter, Definition};
use super::share::Ratio;

pub const DEFINITION: Definition = Definition {
    name: "code_age",
    title: "Code age",
    chapter: Chapter::Risk,
    unit: "days; share of 1",
    formula: "Age of a line at the tip = as-of time - author time of the commit that git blame names for it. Median over \
              all lines of source files (of two in the middle the younger), and the share older than a year.",
    edges: "Lines whose author time no calendar holds, or lies after the as-of time, are in no median. Binary files have no \
            lines.",
    source: "git blame; compare code-maat's age, which is the time since a file's last change and another thing",
    parts: "Lines by day of birth add up.",
    caution: "Old is not bad.",
};

pub const SURVIVAL: Definition = Definition {
    name: "line_survival",
    title: "Survival of lines",
    chapter: Chapter::Risk,
    unit: "share of 1; days",
    formula: "Kaplan-Meier estimate over all lines that came onto the mainline: the share still there so many days after \
              it was written; lines alive at the tip are censored at their age. Half-life: the first day on which the \
              share is at most a half.",
    edges: "A line that dies before it was written (clocks) dies at day 0. Where more than half survive, the half-life is \
            null. All history, and not the window alone.",
    source: "Kaplan and Meier 1958; git-of-theseus fits an exponential instead",
    parts: "Deaths and survivors by age add up.",
    caution: "Short lives may be good riddance.",
};

const DAY: i64 = 86_400;
const YEAR_DAYS: i64 = 365;

/// Lines by age in whole days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ages(BTreeMap<i64, u64>);

impl Ages {
    /// Observes lines that stand at the tip.
    pub fn observe(&mut self, born: Option<i64>, as_of: i64, lines: u64) {
        if let Some(age) = born.and_then(|born| as_of.checked_sub(born)).filter(|age| *age >= 0) {
            *self.0.entry(age / DAY).or_default() += lines;
        }
    }

    pub fn lines(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns the median age in days: that of the line in the middle, the younger of two.
    pub fn median_days(&self) -> Option<i64> {
        let middle = self.lines().checked_sub(1)? / 2;
        let mut before = 0;
        self.0.iter().find_map(|(days, lines)| {
            before += lines;
            (middle < before).then_some(*days)
        })
    }

    pub fn older_than_a_year(&self) -> Option<Ratio> {
        let old = self.0.range(YEAR_DAYS + 1..).map(|(_, lines)| lines).sum();
        Ratio::of(old, self.lines())
    }
}

impl Partial for Ages {
    fn merge(&mut self, other: Self) {
        for (days, lines) in other.0 {
            *self.0.entry(days).or_default() += lines;
        }
    }
}

/// What became of lines, by their age in days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lives {
    deaths: BTreeMap<i64, u64>,
    alive: BTreeMap<i64, u64>,
}

impl Lives {
    pub fn observe_death(&mut self, born: i64, died: i64, lines: u64) {
        *self.deaths.entry(died.saturating_sub(born).max(0) / DAY).or_default() += lines;
    }

    pub fn observe_alive(&mut self, born: i64, as_of: i64, lines: u64) {
        *self.alive.entry(as_of.saturating_sub(born).max(0) / DAY).or_default() += lines;
    }

    /// Returns the share that survives each age at which lines died, ascending.
    pub fn curve(&self) -> Vec<(i64, f64)> {
        let mut at_risk = self.deaths.values().sum::<u64>() + self.alive.values().sum::<u64>();
        let mut alive = self.alive.iter().peekable();
        let mut share = 1.0;
        let mut curve = Vec::with_capacity(self.deaths.len());
        for (days, died) in &self.deaths {
            // Those who are censored at this age were still at risk at it.
            while let Some((_, lines)) = alive.next_if(|(censored, _)| *censored < days) {
                at_risk -= lines;
            }
            share *= 1.0 - *died as f64 / at_risk as f64;
            at_risk -= died;
            curve.push((*days, share));
        }
        curve
    }

    pub fn half_life_days(&self) -> Option<i64> {
        // A share that is a half by arithmetic may be a hair above it by floating point.
        self.curve().into_iter().find(|(_, share)| *share <= 0.5 + 1e-12).map(|(days, _)| days)
    }

    /// Returns the share that survives `days`; `None` where no line was there.
    pub fn surviving(&self, days: i64) -> Option<Ratio> {
        if self.deaths.is_empty() && self.alive.is_empty() {
            return None;
        }
        let curve = self.curve();
        let share = curve.iter().take_while(|(age, _)| *age <= days).last().map_or(1.0, |(_, share)| *share);
        Ratio::nearest(share)
    }
}

impl Partial for Lives {
    fn merge(&mut self, other: Self) {
        for (mine, more) in [(&mut self.deaths, other.deaths), (&mut self.alive, other.alive)] {
            for (days, lines) in more {
                *mine.entry(days).or_default() += lines;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_by_hand() {
        let mut ages = Ages::default();
        let now = 1_000 * DAY;
        ages.observe(Some(now - 10 * DAY), now, 3);
        ages.observe(Some(now - 400 * DAY), now, 2);
        ages.observe(Some(now + DAY), now, 9);
        ages.observe(None, now, 9);
        assert_eq!((ages.lines(), ages.median_days()), (5, Some(10)));
        assert_eq!(ages.older_than_a_year(), Ratio::of(2, 5));
        assert_eq!(Ages::default().median_days(), None);
    }

    #[test]
    fn survival_by_hand() {
        let mut lives = Lives::default();
        lives.observe_death(0, 5 * DAY, 1);
        lives.observe_alive(0, 7 * DAY, 1);
        lives.observe_death(0, 10 * DAY, 1);
        lives.observe_alive(0, 20 * DAY, 1);
        // 3/4 after 5 days; one is censored; half of the two left die: 3/8.
        assert_eq!(lives.curve(), [(5, 0.75), (10, 0.375)]);
        assert_eq!(lives.half_life_days(), Some(10));
        assert_eq!((lives.surviving(4), lives.surviving(9)), (Some(Ratio::ONE), Ratio::nearest(0.75)));
        assert_eq!(Lives::default().surviving(1), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            lines in proptest::collection::vec((0i64..40, proptest::bool::ANY, 1u64..5), 0..40), at in 0usize..40,
        ) {
            let of = |lines: &[(i64, bool, u64)]| {
                let mut lives = Lives::default();
                for (days, died, count) in lines {
                    match died {
                        true => lives.observe_death(0, days * DAY, *count),
                        false => lives.observe_alive(0, days * DAY, *count),
                    }
                }
                lives
            };
            let (left, right) = lines.split_at(at.min(lines.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&lines));
            let curve = merged.curve();
            proptest::prop_assert!(curve.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            if lines.iter().all(|(_, died, _)| *died) && !lines.is_empty() {
                proptest::prop_assert!(curve.last().unwrap().1.abs() < 1e-9, "all have died");
            }
        }
    }
}
