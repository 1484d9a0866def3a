//! Teams, and who was in which of them on a day.
//!
//! Memberships are dated, half-open: the day of `until` is no longer in. Teams may overlap: a commit counts in each team
//! its author was in on that day, so sums over teams can exceed the whole. Nobody in no team is lost: they have an empty
//! list.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Directory;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub name: String,
    #[serde(default)]
    pub members: Vec<Membership>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// An e-mail or a name.
    pub person: String,
    #[serde(default)]
    pub from: Option<NaiveDate>,
    #[serde(default)]
    pub until: Option<NaiveDate>,
}

/// A membership that means nobody, or more than one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unclear {
    pub team: String,
    pub person: String,
    /// How many people the word fits: 0, or 2 and more.
    pub fits: usize,
}

/// Memberships by person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    teams: Vec<String>,
    by_person: BTreeMap<usize, Vec<Stay>>,
    pub unclear: Vec<Unclear>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stay {
    team: usize,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

impl Stay {
    fn covers(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

impl Roster {
    /// Looks up whom the memberships mean. Teams keep their order.
    pub fn of(teams: &[Team], directory: &Directory) -> Self {
        let mut roster =
            Self { teams: teams.iter().map(|team| team.name.clone()).collect(), ..Self::default() };
        for (nth, team) in teams.iter().enumerate() {
            for member in &team.members {
                let found = directory.find(&member.person);
                if let [person] = found[..] {
                    let stay = Stay { team: nth, from: member.from, until: member.until };
                    roster.by_person.entry(person).or_default().push(stay);
                } else {
                    let person = member.person.clone();
                    roster.unclear.push(Unclear { team: team.name.clone(), person, fits: found.len() });
                }
            }
        }
        roster.by_person.values_mut().for_each(|stays| stays.sort());
        roster.unclear.sort();
        roster
    }

    pub fn name(&self, team: usize) -> Option<&str> {
        self.teams.get(team).map(String::as_str)
    }

    /// Returns the teams of a person on a day, ascending, each once.
    pub fn teams_of(&self, person: usize, day: NaiveDate) -> Vec<usize> {
        let stays = self.by_person.get(&person).map(Vec::as_slice).unwrap_or_default();
        let mut teams: Vec<_> = stays.iter().filter(|stay| stay.covers(day)).map(|stay| stay.team).collect();
        teams.dedup();
        teams
    }

    /// Returns who was in a team on a day, ascending.
    pub fn members_of(&self, team: usize, day: NaiveDate) -> Vec<usize> {
        let inside = |stays: &[Stay]| stays.iter().any(|stay| stay.team == team && stay.covers(day));
        self.by_person.iter().filter(|(_, stays)| inside(stays)).map(|(person, _)| *person).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Signature;
    use crate::mailmap::Mailmap;
    use crate::people::tests::of_one;

    #[test]
    fn days_are_half_open_and_teams_overlap() {
        let signature = |name: &str, email: &str| (Signature { name: name.into(), email: email.into() }, 1);
        let signatures = [signature("Ann", "ann@x"), signature("Bob", "bob@x"), signature("Bob", "bob@y")];
        let directory = of_one(&Mailmap::default(), &signatures, &Default::default());
        let day = |day: u32| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
        let member = |person: &str, from, until| Membership { person: person.into(), from, until };
        let teams = [
            Team {
                name: "One".into(),
                members: vec![member("ANN@x", None, Some(day(5))), member("Bob", None, None)],
            },
            Team {
                name: "Two".into(),
                members: vec![member("ann", Some(day(4)), None), member("Zoe", None, None)],
            },
        ];
        let roster = Roster::of(&teams, &directory);
        let ann = directory.find("ann@x")[0];
        assert_eq!(roster.teams_of(ann, day(3)), [0]);
        assert_eq!(roster.teams_of(ann, day(4)), [0, 1]);
        assert_eq!(roster.teams_of(ann, day(5)), [1]);
        assert_eq!(roster.members_of(1, day(5)), [ann]);
        let unclear: Vec<_> = roster.unclear.iter().map(|one| (one.person.as_str(), one.fits)).collect();
        assert_eq!(unclear, [("Bob", 2), ("Zoe", 0)]);
    }
}
