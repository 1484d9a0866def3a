//! The weekly trend.

use std::collections::{BTreeMap, BTreeSet};

use super::sums::Sums;
use super::{Observation, Partial, PersonId};
use crate::window::Week;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weeks(pub BTreeMap<Week, WeekSums>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeekSums {
    pub sums: Sums,
    /// Authors of non-merge commits, bots left out. A set, because people are not additive.
    pub authors: BTreeSet<PersonId>,
}

impl Weeks {
    /// Commits without a usable author time fall in no week.
    pub fn observe(&mut self, seen: &Observation) {
        let Some(week) = seen.week() else { return };
        let sums = self.0.entry(week).or_default();
        sums.sums.observe(seen);
        if !seen.commit.is_merge && !seen.is_bot {
            sums.authors.insert(seen.author);
        }
    }
}

impl Partial for WeekSums {
    fn merge(&mut self, other: Self) {
        self.sums.merge(other.sums);
        self.authors.extend(other.authors);
    }
}

impl Partial for Weeks {
    fn merge(&mut self, other: Self) {
        for (week, sums) in other.0 {
            self.0.entry(week).or_default().merge(sums);
        }
    }
}
