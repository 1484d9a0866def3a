//! What each author did, over the whole window and by week. Merges are not authored work.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::definition::{Chapter, Definition};
use super::sums::LineSums;
use super::{Observation, Partial, PersonId};
use crate::window::Week;

pub const ACTIVE_DAYS: Definition = Definition {
    name: "active_days",
    title: "Active days",
    chapter: Chapter::People,
    unit: "days",
    formula: "Distinct days, by author time in the report's zone, on which a person has a non-merge commit in any \
              repository.",
    edges: "A day in two repositories is one day.",
    source: "CHAOSS Activity Dates and Times",
    parts: "Sets of days by person; they are joined and not added.",
    caution: "Absence of commits is not absence.",
};

pub const IDENTITY: Definition = Definition {
    name: "identity",
    title: "Who is who",
    chapter: Chapter::People,
    unit: "people",
    formula: "Names and e-mails are one person by, in this order: the repository's .mailmap, the organisation's mailmap, \
              configured mappings, links made by hand, addresses that forges make up for logins, the same e-mail without \
              regard to case, the same full name. Each link says its reason (`gitfleet people show`).",
    edges: "Alike is not the same: fuzzy matches are proposals for a human. A link by name that joins more than ten \
            addresses is taken back and reported. Unlinking wins over every rule.",
    source: "gitmailmap(5); Bird et al. 2006; Goeminne and Mens 2013",
    parts: "Facts keep names and e-mails as they are; people are found when a report is made, over all repositories.",
    caution: "A person who uses names nobody links is two.",
};

pub const BOTS: Definition = Definition {
    name: "bots",
    title: "Bots and agents",
    chapter: Chapter::People,
    unit: "commits",
    formula: "Authors whose name or e-mail is that of a bot ([bot], known services, configured patterns) or of an AI agent. \
              They stay in commits and lines, are in no number about people, and are shown apart.",
    edges: "Judged by the author, never by the committer. A name such as Abbott is no bot.",
    source: "Golzadeh et al. 2021; Dey et al. 2020",
    parts: "A function of one name and e-mail.",
    caution: "A bot that signs as a person is counted as one.",
};

pub const CO_AUTHORED: Definition = Definition {
    name: "co_authored",
    title: "Co-authored commits",
    chapter: Chapter::People,
    unit: "commits",
    formula: "Non-merge commits of others that name a person in a Co-authored-by trailer: one each, in a column of its own.",
    edges: "Who names themselves is not counted again.",
    source: "git trailers, as GitHub and GitLab write them",
    parts: "Counts add up.",
    caution: "Counts who is named.",
};

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
