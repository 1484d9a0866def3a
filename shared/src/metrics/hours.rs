//! When commits are written, by the author's own clock. Of teams that asked for it, and of nobody alone.

use std::collections::BTreeSet;

use super::definition::{Chapter, Definition};
use super::share::Ratio;
use super::{Partial, PersonId};

pub const DEFINITION: Definition = Definition {
    name: "working_hours",
    title: "Working hours",
    chapter: Chapter::Community,
    unit: "commits by weekday and hour; shares of 1",
    formula: "Non-merge commits by weekday and hour of the author's local time, with the offset that the commit records. \
              Outside of hours: before 10:00, from 18:00 on, or on a Saturday or Sunday.",
    edges: "Shown only where reports.working_hours is switched on, only for teams of five people or more with commits in \
            four weeks or more, and never for a person. Offset +0000 often means that it is not known: its share is shown.",
    source: "Claes et al. 2018, Do programmers work at night or during the weekend?; CHAOSS Activity Dates and Times",
    parts: "168 counters and sets of people and weeks.",
    caution: "In effect data on health: agree on them with those concerned, and delete them when they have served.",
};

/// Smaller groups would show persons.
pub const LEAST_PEOPLE: usize = 5;
pub const LEAST_WEEKS: usize = 4;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    /// Commits by weekday (Monday first) and hour.
    pub counts: [[u64; 24]; 7],
    pub people: BTreeSet<PersonId>,
    /// Weeks since 1970 by local time.
    weeks: BTreeSet<i64>,
    pub offset_zero: u64,
}

impl Hours {
    pub fn observe(&mut self, person: PersonId, seconds: i64, offset_minutes: i16) {
        let local = seconds.saturating_add(i64::from(offset_minutes) * 60);
        let hour = local.div_euclid(3_600).rem_euclid(24) as usize;
        // 1970-01-01 was a Thursday.
        let days = local.div_euclid(86_400) + 3;
        self.counts[days.rem_euclid(7) as usize][hour] += 1;
        self.weeks.insert(days.div_euclid(7));
        self.people.insert(person);
        self.offset_zero += u64::from(offset_minutes == 0);
    }

    /// Whether the group is large enough to be shown.
    pub fn may_be_shown(&self) -> bool {
        self.people.len() >= LEAST_PEOPLE && self.weeks.len() >= LEAST_WEEKS
    }

    pub fn commits(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    pub fn outside_hours(&self) -> Option<Ratio> {
        let inside: u64 = self.counts[..5].iter().map(|day| day[10..18].iter().sum::<u64>()).sum();
        Ratio::of(self.commits() - inside, self.commits())
    }

    pub fn weekends(&self) -> Option<Ratio> {
        Ratio::of(self.counts[5..].iter().flatten().sum(), self.commits())
    }
}

impl Partial for Hours {
    fn merge(&mut self, other: Self) {
        for (mine, more) in self.counts.iter_mut().flatten().zip(other.counts.iter().flatten()) {
            *mine += more;
        }
        self.people.extend(other.people);
        self.weeks.extend(other.weeks);
        self.offset_zero += other.offset_zero;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_by_hand() {
        let mut hours = Hours::default();
        // 1970-01-01T00:00Z, a Thursday; in India it is 5:30.
        hours.observe(1, 0, 330);
        // 2026-11-21T23:30Z is a Saturday; an hour further east it is Sunday.
        hours.observe(2, 1_795_303_800, 60);
        hours.observe(2, 1_795_303_800, 0);
        assert_eq!((hours.counts[3][5], hours.counts[6][0], hours.counts[5][23]), (1, 1, 1));
        assert_eq!((hours.weekends(), hours.outside_hours()), (Ratio::of(2, 3), Some(Ratio::ONE)));
        assert_eq!((hours.offset_zero, hours.may_be_shown()), (1, false));
        assert_eq!(Hours::default().weekends(), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            commits in proptest::collection::vec((0u32..9, proptest::num::i64::ANY, -720i16..840), 0..40), at in 0usize..40,
        ) {
            let of = |commits: &[(PersonId, i64, i16)]| {
                let mut hours = Hours::default();
                commits.iter().for_each(|(person, seconds, offset)| hours.observe(*person, *seconds, *offset));
                hours
            };
            let (left, right) = commits.split_at(at.min(commits.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&commits));
            proptest::prop_assert_eq!(merged.commits(), commits.len() as u64);
        }
    }
}
