//! Who comes, who stays, who leaves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate};

use super::definition::{Chapter, Definition};
use super::share::Ratio;
use super::{Partial, PersonId};

pub const DEFINITION: Definition = Definition {
    name: "contributors",
    title: "New, active and leaving contributors",
    chapter: Chapter::Community,
    unit: "people",
    formula: "Active in a month: people with a non-merge commit in it. New: people whose first commit in any repository of \
              the batch falls into it. Leaving: people whose last commit falls into it, at least 180 days before the as-of \
              time. Days and months are those of the report's zone, by author time, over the whole history and not the \
              window alone.",
    edges: "Bots are left out. Whoever was last seen less than 180 days ago has not left.",
    source: "CHAOSS New Contributors, Inactive Contributors, Contributors",
    parts: "Days by person are sets; first and last are taken after all repositories and all identities are joined.",
    caution: "Headcount is not output.",
};

pub const TIME_TO_NTH: Definition = Definition {
    name: "time_to_nth_commit",
    title: "Time to the nth commit",
    chapter: Chapter::Community,
    unit: "days",
    formula: "Days from a person's first commit to the 5th and the 10th, in all repositories of the batch; the median by \
              Kaplan and Meier, in which those who have not come so far count until the as-of day.",
    edges: "Where fewer than half come so far, the median is null.",
    source: "CHAOSS Conversion Rate; Kaplan and Meier 1958",
    parts: "The ten earliest commits of each person are kept; the earliest of two parts are the earliest of both.",
    caution: "Says how open a project is, and nothing of a person.",
};

pub const RETENTION: Definition = Definition {
    name: "retention",
    title: "Retention by cohort",
    chapter: Chapter::Community,
    unit: "share of a cohort",
    formula: "Of the people whose first commit fell into a quarter, the share with a commit in the kth quarter after it.",
    edges: "Quarters that are not over at the as-of time are left out. Bots are left out.",
    source: "cohort analysis; Zhou and Mockus 2012 on long-term contributors",
    parts: "Sets of months by person.",
    caution: "Small cohorts jump: the table shows their size.",
};

/// As many of the earliest commits are kept.
const EARLIEST: usize = 10;
/// Who was not seen for so long has left.
pub const INACTIVE_DAYS: i64 = 180;

/// A month, as years times twelve and months from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    pub fn of(day: NaiveDate) -> Self {
        Self(day.year() * 12 + i32::try_from(day.month0()).expect("below 12"))
    }

    pub fn quarter(self) -> Quarter {
        Quarter(self.0.div_euclid(3))
    }

    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter(i32);

impl Quarter {
    pub fn of(day: NaiveDate) -> Self {
        Month::of(day).quarter()
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Returns how many quarters lie between.
    pub fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }
}

impl std::fmt::Display for Quarter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-Q{}", self.0.div_euclid(4), self.0.rem_euclid(4) + 1)
    }
}

/// When each person committed, over all repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contributors(BTreeMap<PersonId, Presence>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Presence {
    /// Days of the earliest commits, ascending; one for each commit.
    earliest: Vec<NaiveDate>,
    last: Option<NaiveDate>,
    months: BTreeSet<Month>,
}

/// People of one month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    pub active: u64,
    pub new: u64,
    pub leaving: u64,
}

/// Of a quarter's newcomers, how many committed in each quarter from their first on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    pub quarter: Quarter,
    pub people: u64,
    pub active: Vec<u64>,
}

impl Contributors {
    /// Observes a non-merge commit.
    pub fn observe(&mut self, person: PersonId, day: NaiveDate) {
        let presence = self.0.entry(person).or_default();
        presence.months.insert(Month::of(day));
        presence.last = presence.last.max(Some(day));
        let place = presence.earliest.partition_point(|known| *known <= day);
        if place < EARLIEST {
            presence.earliest.insert(place, day);
            presence.earliest.truncate(EARLIEST);
        }
    }

    pub fn first_day(&self, person: PersonId) -> Option<NaiveDate> {
        self.0.get(&person)?.earliest.first().copied()
    }

    pub fn last_day(&self, person: PersonId) -> Option<NaiveDate> {
        self.0.get(&person)?.last
    }

    /// Whether the person was not seen for [`INACTIVE_DAYS`].
    pub fn has_left(&self, person: PersonId, as_of: NaiveDate) -> bool {
        self.last_day(person).is_some_and(|last| (as_of - last).num_days() >= INACTIVE_DAYS)
    }

    /// Returns the people of each month that has any.
    pub fn months(&self, as_of: NaiveDate) -> BTreeMap<Month, Flow> {
        let mut months: BTreeMap<Month, Flow> = BTreeMap::new();
        for (person, presence) in &self.0 {
            for month in &presence.months {
                months.entry(*month).or_default().active += 1;
            }
            if let Some(first) = presence.earliest.first() {
                months.entry(Month::of(*first)).or_default().new += 1;
            }
            if let Some(last) = presence.last.filter(|_| self.has_left(*person, as_of)) {
                months.entry(Month::of(last)).or_default().leaving += 1;
            }
        }
        months
    }

    /// Returns the median days to the commit of place `nth` (2 to 10).
    pub fn median_days_to(&self, nth: usize, as_of: NaiveDate) -> Option<i64> {
        let mut spans = Vec::with_capacity(self.0.len());
        for presence in self.0.values() {
            let Some(first) = presence.earliest.first() else { continue };
            let (end, is_reached) = match presence.earliest.get(nth.checked_sub(1)?) {
                Some(day) => (*day, true),
                None => (as_of, false),
            };
            spans.push(((end - *first).num_days().max(0), is_reached));
        }
        kaplan_meier_median(spans)
    }

    /// Returns the cohorts, oldest first, up to the last quarter that is over at `as_of`.
    pub fn cohorts(&self, as_of: NaiveDate) -> Vec<Cohort> {
        let current = Quarter::of(as_of);
        let mut cohorts: BTreeMap<Quarter, Cohort> = BTreeMap::new();
        for presence in self.0.values() {
            let Some(first) = presence.earliest.first().map(|day| Quarter::of(*day)) else { continue };
            let over = current.since(first);
            if over <= 0 {
                continue;
            }
            let cohort = cohorts.entry(first).or_insert_with(|| Cohort {
                quarter: first,
                people: 0,
                active: vec![0; usize::try_from(over).expect("positive")],
            });
            cohort.people += 1;
            let quarters: BTreeSet<i32> =
                presence.months.iter().map(|month| month.quarter().since(first)).collect();
            for after in quarters {
                if let Some(active) =
                    usize::try_from(after).ok().and_then(|after| cohort.active.get_mut(after))
                {
                    *active += 1;
                }
            }
        }
        cohorts.into_values().collect()
    }
}

/// Returns when half of the subjects have reached their event; those who have not are censored at their span.
pub fn kaplan_meier_median(mut spans: Vec<(i64, bool)>) -> Option<i64> {
    survival(&mut spans).into_iter().find(|(_, share)| *share <= 0.5).map(|(span, _)| span)
}

/// Returns the share that has not had its event after each span with one, ascending. At one span, events come before
/// those who are censored.
pub fn survival(spans: &mut [(i64, bool)]) -> Vec<(i64, f64)> {
    spans.sort_unstable_by_key(|(span, is_reached)| (*span, !is_reached));
    let mut at_risk = spans.len();
    let mut share = 1.0;
    let mut steps: Vec<(i64, f64)> = Vec::new();
    for group in spans.chunk_by(|a, b| a.0 == b.0) {
        let events = group.iter().filter(|(_, is_reached)| *is_reached).count();
        if events > 0 {
            share *= 1.0 - events as f64 / at_risk as f64;
            steps.push((group[0].0, share));
        }
        at_risk -= group.len();
    }
    steps
}

/// Returns the share of a cohort that was active `after` quarters.
pub fn retained(cohort: &Cohort, after: usize) -> Option<Ratio> {
    Ratio::of(*cohort.active.get(after)?, cohort.people)
}

impl Partial for Contributors {
    fn merge(&mut self, other: Self) {
        for (person, presence) in other.0 {
            let mine = self.0.entry(person).or_default();
            mine.earliest.extend(presence.earliest);
            mine.earliest.sort_unstable();
            mine.earliest.truncate(EARLIEST);
            mine.last = mine.last.max(presence.last);
            mine.months.extend(presence.months);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn of(commits: &[(PersonId, &str)]) -> Contributors {
        let mut contributors = Contributors::default();
        commits.iter().for_each(|(person, date)| contributors.observe(*person, day(date)));
        contributors
    }

    #[test]
    fn flow_by_hand() {
        let people = of(&[(1, "2025-01-10"), (1, "2026-05-01"), (2, "2025-01-31"), (2, "2025-02-01")]);
        let months = people.months(day("2026-06-01"));
        let shown: Vec<(String, u64, u64, u64)> = months
            .iter()
            .map(|(month, flow)| (month.to_string(), flow.active, flow.new, flow.leaving))
            .collect();
        assert_eq!(
            shown,
            [("2025-01".into(), 2, 2, 0), ("2025-02".into(), 1, 0, 1), ("2026-05".into(), 1, 0, 0)]
        );
    }

    #[test]
    fn time_to_the_nth_commit_by_hand() {
        // Second commits after 2, 4 and 40 days; one person has not come so far after 10 days.
        let people = of(&[
            (1, "2026-01-01"),
            (1, "2026-01-03"),
            (2, "2026-01-01"),
            (2, "2026-01-05"),
            (3, "2026-01-01"),
            (3, "2026-02-10"),
            (4, "2026-02-20"),
        ]);
        // 3/4 after 2 days, 1/2 after 4.
        assert_eq!(people.median_days_to(2, day("2026-03-02")), Some(4));
        assert_eq!(people.median_days_to(5, day("2026-03-02")), None);
    }

    #[test]
    fn survival_of_the_textbook() {
        // Events at 1 and 3, censored at 2 and 4: 3/4, then 3/4 x 1/2.
        let steps = survival(&mut [(3, true), (1, true), (2, false), (4, false)]);
        assert_eq!(steps, [(1, 0.75), (3, 0.375)]);
    }

    #[test]
    fn cohorts_by_hand() {
        let people = of(&[
            (1, "2025-02-01"),
            (1, "2025-08-01"),
            (2, "2025-03-01"),
            (3, "2025-04-01"),
            (4, "2025-11-01"),
        ]);
        let cohorts = people.cohorts(day("2025-11-15"));
        let shown: Vec<(String, u64, Vec<u64>)> =
            cohorts.iter().map(|one| (one.quarter.to_string(), one.people, one.active.clone())).collect();
        assert_eq!(shown, [("2025-Q1".into(), 2, vec![2, 0, 1]), ("2025-Q2".into(), 1, vec![1, 0])]);
        assert_eq!(retained(&cohorts[0], 2), Ratio::of(1, 2));
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(commits in proptest::collection::vec((0u32..4, 0u64..900), 0..60), at in 0usize..60) {
            let of = |commits: &[(PersonId, u64)]| {
                let mut contributors = Contributors::default();
                for (person, days) in commits {
                    contributors.observe(*person, day("2024-01-01") + chrono::Days::new(*days));
                }
                contributors
            };
            let (left, right) = commits.split_at(at.min(commits.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&commits));
            let new: u64 = merged.months(day("2027-01-01")).values().map(|flow| flow.new).sum();
            proptest::prop_assert_eq!(new, merged.0.len() as u64);
        }
    }
}
