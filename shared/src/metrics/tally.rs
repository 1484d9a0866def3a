//! What a group of commits comes to: a repository's, a project's, a team's, everybody's; in a week or over a window.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Chapter, Definition};
use super::rework::Rework;
use super::share::Ratio;
use super::sums::{LineSums, Sums};
use super::{Observation, Partial, PersonId};
use crate::window::Week;

pub const WORK_MIX: Definition = Definition {
    name: "work_mix",
    title: "Work mix",
    chapter: Chapter::Work,
    unit: "commits; shares of 1",
    formula: "Non-merge commits by people, by kind: corrective (faults), adaptive (new function), perfective (structure, \
              documents, tests, performance). Conventional Commits 1.0.0 decide where a commit follows them; configured \
              categories come first; rules on words, with a confidence and an id each, decide the rest.",
    edges: "Commits without any evidence are unclassified and in no share of the three kinds.",
    source: "Swanson 1976; Mockus and Votta 2000; Conventional Commits 1.0.0",
    parts: "Counts add up.",
    caution: "Rules are right for about three of four commits: read shares, and never a single commit.",
};

pub const TICKET_COVERAGE: Definition = Definition {
    name: "ticket_coverage",
    title: "Ticket coverage",
    chapter: Chapter::Work,
    unit: "share of 1",
    formula: "Commits that name a ticket / commits that should: no merge, no bot, no release. Jira and Linear keys count \
              only if their project is configured.",
    edges: "A number behind a squashed subject is a pull request and no ticket: those commits are counted apart. Nothing to \
            cover: null.",
    source: "linking of commits and issues; Bird et al. 2009 on the bias of missing links",
    parts: "Counts add up.",
    caution: "Low coverage is often the merge policy.",
};

pub const REVERT_RATE: Definition = Definition {
    name: "revert_rate",
    title: "Revert rate",
    chapter: Chapter::Work,
    unit: "share of 1",
    formula: "Reverting commits / non-merge commits. A commit reverts if it says \"This reverts commit ID\", or its subject \
              is Revert \"subject of an earlier commit\", or its Conventional type is revert.",
    edges: "Reapplying, and reverting a revert, is no revert; the revert it takes back is marked as reapplied. No commits: null.",
    source: "git revert; Shimagaki et al. 2016",
    parts: "Counts add up; victims are looked up within a repository.",
    caution: "Reverting early is good practice.",
};

pub const AI_SHARE: Definition = Definition {
    name: "ai_assisted_share",
    title: "AI-assisted share",
    chapter: Chapter::Work,
    unit: "share of 1",
    formula: "Non-merge commits whose message names an AI assistant (trailers, generated-with lines) / non-merge commits.",
    edges: "Only what is said: an assistant that nobody names is not seen.",
    source: "trailers as the tools write them",
    parts: "Counts add up.",
    caution: "A lower bound, and no measure of quality.",
};

pub const REVIEWED_SHARE: Definition = Definition {
    name: "reviewed_share",
    title: "Commits with review trailers",
    chapter: Chapter::Community,
    unit: "share of 1",
    formula: "Non-merge commits with a Reviewed-by, Acked-by or Tested-by trailer of another person than the author / \
              non-merge commits.",
    edges: "Reviews on a forge leave no trailer: a low share says nothing where trailers are not used.",
    source: "git trailers; McIntosh et al. 2014 on review coverage",
    parts: "Counts add up.",
    caution: "Do not score reviewers by it.",
};

pub const STORY_POINTS: Definition = Definition {
    name: "story_points",
    title: "Story points",
    chapter: Chapter::Work,
    unit: "points",
    formula: "Points that commit messages say of a ticket, once for each ticket, in the week of its last commit in the \
              window; the largest number that is said of it.",
    edges: "Points without a ticket are not counted. Nobody's points: never by person.",
    source: "teams' own estimates, from text",
    parts: "The largest of each ticket, and the latest week, over all parts.",
    caution: "Estimates of one team compare with nothing.",
};

/// What is known of a commit beside its lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deed {
    pub kind: Option<Kind>,
    pub is_conventional: bool,
    pub is_breaking: bool,
    pub ticket_eligible: bool,
    pub names_ticket: bool,
    pub names_request_only: bool,
    pub is_revert: bool,
    pub is_ai_assisted: bool,
    pub is_reviewed: bool,
    /// It brought a pull or merge request onto the mainline.
    pub is_request: bool,
    /// Lines of source files.
    pub source: LineSums,
    /// `None` without line history.
    pub rework: Option<Rework>,
}

/// The kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Corrective,
    Adaptive,
    Perfective,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub sums: Sums,
    pub source: LineSums,
    pub bot_commits: u64,
    /// People with a non-merge commit.
    pub people: BTreeSet<PersonId>,
    pub kinds: BTreeMap<Kind, u64>,
    pub unclassified: u64,
    pub conventional: u64,
    pub breaking: u64,
    pub ticket_eligible: u64,
    pub ticket_covered: u64,
    pub request_only: u64,
    pub reverts: u64,
    pub ai_assisted: u64,
    pub reviewed: u64,
    pub requests: u64,
    /// `None` where no commit has line history.
    pub rework: Option<Rework>,
}

impl Tally {
    pub fn observe(&mut self, seen: &Observation, deed: &Deed) {
        self.sums.observe(seen);
        self.requests += u64::from(deed.is_request);
        if seen.commit.is_merge {
            return;
        }
        self.source.merge(deed.source);
        self.reverts += u64::from(deed.is_revert);
        self.reviewed += u64::from(deed.is_reviewed);
        self.ai_assisted += u64::from(deed.is_ai_assisted);
        if seen.is_bot {
            self.bot_commits += 1;
            return;
        }
        self.people.insert(seen.author);
        match deed.kind {
            Some(kind) => *self.kinds.entry(kind).or_default() += 1,
            None => self.unclassified += 1,
        }
        self.conventional += u64::from(deed.is_conventional);
        self.breaking += u64::from(deed.is_breaking);
        if deed.ticket_eligible {
            self.ticket_eligible += 1;
            self.ticket_covered += u64::from(deed.names_ticket);
            self.request_only += u64::from(deed.names_request_only);
        }
        merge_known(&mut self.rework, deed.rework);
    }

    pub fn kind(&self, kind: Kind) -> u64 {
        self.kinds.get(&kind).copied().unwrap_or(0)
    }

    /// Returns a kind's share of all classified commits.
    pub fn kind_share(&self, kind: Kind) -> Option<Ratio> {
        Ratio::of(self.kind(kind), self.kinds.values().sum())
    }

    pub fn ticket_coverage(&self) -> Option<Ratio> {
        Ratio::of(self.ticket_covered, self.ticket_eligible)
    }

    /// Returns `part` of all non-merge commits.
    pub fn share_of_commits(&self, part: u64) -> Option<Ratio> {
        Ratio::of(part, self.sums.commits)
    }
}

fn merge_known(mine: &mut Option<Rework>, other: Option<Rework>) {
    if let Some(other) = other {
        mine.get_or_insert_default().merge(other);
    }
}

impl Partial for Tally {
    fn merge(&mut self, other: Self) {
        self.sums.merge(other.sums);
        self.source.merge(other.source);
        self.bot_commits += other.bot_commits;
        self.people.extend(other.people);
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.unclassified += other.unclassified;
        self.conventional += other.conventional;
        self.breaking += other.breaking;
        self.ticket_eligible += other.ticket_eligible;
        self.ticket_covered += other.ticket_covered;
        self.request_only += other.request_only;
        self.reverts += other.reverts;
        self.ai_assisted += other.ai_assisted;
        self.reviewed += other.reviewed;
        self.requests += other.requests;
        merge_known(&mut self.rework, other.rework);
    }
}

/// A group's tallies: over the whole window, and by week.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub whole: Tally,
    pub weeks: BTreeMap<Week, Tally>,
    /// Non-merge commits by people, by category.
    pub categories: BTreeMap<String, u64>,
    /// The same by person.
    pub commits_by: BTreeMap<PersonId, u64>,
}

impl Group {
    pub fn observe(&mut self, seen: &Observation, deed: &Deed, category: &str) {
        self.whole.observe(seen, deed);
        if let Some(week) = seen.week() {
            self.weeks.entry(week).or_default().observe(seen, deed);
        }
        if !seen.commit.is_merge && !seen.is_bot {
            *self.commits_by.entry(seen.author).or_default() += 1;
            match self.categories.get_mut(category) {
                Some(count) => *count += 1,
                None => {
                    self.categories.insert(category.to_owned(), 1);
                }
            }
        }
    }
}

impl Partial for Group {
    fn merge(&mut self, other: Self) {
        self.whole.merge(other.whole);
        for (week, tally) in other.weeks {
            self.weeks.entry(week).or_default().merge(tally);
        }
        for (category, count) in other.categories {
            *self.categories.entry(category).or_default() += count;
        }
        for (person, count) in other.commits_by {
            *self.commits_by.entry(person).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::brief::{Brief, FileSums};
    use crate::object_id::ObjectId;
    use crate::window::Window;

    fn observe(
        group: &mut Group,
        (author, is_bot): (PersonId, bool),
        seconds: i64,
        is_merge: bool,
        deed: Deed,
    ) {
        let commit = Brief {
            id: ObjectId::try_from(&[1; 20][..]).unwrap(),
            is_merge,
            authored: Some(seconds),
            committed: Some(seconds),
            files: FileSums::default(),
        };
        let window = Window::all_history(chrono_tz::UTC);
        let seen = Observation::in_window(&commit, author, &window).unwrap().by_bot(is_bot);
        group.observe(&seen, &deed, "fix");
    }

    #[test]
    fn a_tally_by_hand() {
        let mut group = Group::default();
        let person = Deed {
            kind: Some(Kind::Corrective),
            ticket_eligible: true,
            names_ticket: true,
            ..Deed::default()
        };
        observe(&mut group, (1, false), 0, false, person);
        observe(
            &mut group,
            (2, false),
            0,
            false,
            Deed { names_ticket: false, kind: Some(Kind::Adaptive), ..person },
        );
        observe(
            &mut group,
            (2, false),
            0,
            false,
            Deed { kind: None, ticket_eligible: false, is_revert: true, ..person },
        );
        observe(&mut group, (3, true), 0, false, Deed { is_revert: true, ..person });
        observe(&mut group, (4, false), 0, true, Deed { is_request: true, ..person });
        let tally = &group.whole;
        assert_eq!((tally.sums.commits, tally.sums.merges, tally.bot_commits, tally.requests), (4, 1, 1, 1));
        assert_eq!(tally.people, BTreeSet::from([1, 2]));
        assert_eq!(tally.ticket_coverage(), Ratio::of(1, 2));
        assert_eq!(tally.kind_share(Kind::Corrective), Ratio::of(1, 2));
        assert_eq!(tally.share_of_commits(tally.reverts), Ratio::of(2, 4));
        assert_eq!(group.categories, BTreeMap::from([("fix".to_owned(), 3)]));
        assert_eq!(Tally::default().ticket_coverage(), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_merge_to_the_whole(
            deeds in proptest::collection::vec((0u32..4, 0i64..3_000_000, proptest::bool::ANY, 0u16..512), 0..30), at in 0usize..30,
        ) {
            let of = |deeds: &[(PersonId, i64, bool, u16)]| {
                let mut group = Group::default();
                for (author, seconds, is_merge, bits) in deeds {
                    let bit = |place: u16| bits >> place & 1 == 1;
                    let deed = Deed {
                        kind: bit(1).then_some(Kind::Perfective),
                        is_conventional: bit(2),
                        ticket_eligible: bit(3),
                        names_ticket: bit(4),
                        is_revert: bit(5),
                        is_ai_assisted: bit(6),
                        is_reviewed: bit(7),
                        rework: bit(8).then_some(Rework { added: 1, ..Rework::default() }),
                        ..Deed::default()
                    };
                    observe(&mut group, (*author, bit(0)), *seconds, *is_merge, deed);
                }
                group
            };
            let (left, right) = deeds.split_at(at.min(deeds.len()));
            let mut merged = of(right);
            merged.merge(of(left));
            proptest::prop_assert_eq!(&merged, &of(&deeds));
            let mut weeks = Tally::default();
            merged.weeks.values().cloned().for_each(|week| weeks.merge(week));
            proptest::prop_assert_eq!(weeks, merged.whole, "all these times fall in a week");
        }
    }
}
