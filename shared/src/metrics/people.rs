//! What each author did, over the whole window and by week. Merges are not authored work.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::sums::LineSums;
use super::{Observation, Partial, PersonId};
use crate::window::Week;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(pub BTreeMap<PersonId, Person>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub work: Work,
    /// Days with a commit. A set, because the same day in two repositories is one day.
    pub days: BTreeSet<NaiveDate>,
    pub weeks: BTreeMap<Week, Work>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    pub commits: u64,
    pub lines: LineSums,
}

impl People {
    pub fn observe(&mut self, seen: &Observation) {
        if seen.commit.is_merge {
            return;
        }
        let work = Work { commits: 1, lines: seen.commit.files.lines };
        let person = self.0.entry(seen.author).or_default();
        person.work.merge(work);
        person.days.extend(seen.day);
        if let Some(week) = seen.week() {
            person.weeks.entry(week).or_default().merge(work);
        }
    }
}

impl Partial for Work {
    fn merge(&mut self, other: Self) {
        self.commits += other.commits;
        self.lines.merge(other.lines);
    }
}

impl Partial for Person {
    fn merge(&mut self, other: Self) {
        self.work.merge(other.work);
        self.days.extend(other.days);
        for (week, work) in other.weeks {
            self.weeks.entry(week).or_default().merge(work);
        }
    }
}

impl Partial for People {
    fn merge(&mut self, other: Self) {
        for (id, person) in other.0 {
            self.0.entry(id).or_default().merge(person);
        }
    }
}
