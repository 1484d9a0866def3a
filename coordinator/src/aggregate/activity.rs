//! Activity: commits, lines, weeks, developers, languages, and how far they can be trusted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use gitfleet_shared::graph::Node;
use gitfleet_shared::metrics::brief::Brief;
use gitfleet_shared::metrics::language::Languages;
use gitfleet_shared::metrics::people::{People, Person};
use gitfleet_shared::metrics::quality::Quality;
use gitfleet_shared::metrics::sums::Sums;
use gitfleet_shared::metrics::weeks::Weeks;
use gitfleet_shared::metrics::{Observation, PersonId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::window::{Week, Window};

use super::history::History;
use super::who::Who;
use crate::report::model::{
    DataQuality, DeveloperRow, DeveloperWeekRow, LanguageRow, LineSums, RepositoryRow, Totals,
    UnknownChanges, WeekRow,
};
use crate::store::MainlineSums;

/// Everything summed over the batch.
pub(super) struct Activity {
    window: Window,
    as_of_seconds: i64,
    totals: Sums,
    weeks: Weeks,
    /// Bots are not among them.
    pub(super) developers: People,
    pub(super) bots: People,
    languages: Languages,
    quality: Quality,
    /// Commits met, and whether more than once within the window.
    met: HashMap<ObjectId, bool>,
    /// Whether there are several repositories; one alone holds each commit once.
    may_share: bool,
    pub(super) repositories_of: BTreeMap<PersonId, u64>,
    shallow: Vec<String>,
}

/// What is summed for one repository alone.
#[derive(Default)]
pub(super) struct Own {
    pub(super) sums: Sums,
    pub(super) authors: BTreeSet<PersonId>,
    bots: BTreeSet<PersonId>,
    pub(super) first: Option<NaiveDate>,
    pub(super) last: Option<NaiveDate>,
    /// Sums of its mainline over all times, as the conservation law wants them; merges are not in them.
    pub(super) mainline: MainlineSums,
}

impl Own {
    fn observe_mainline(&mut self, commit: &Brief) {
        let (files, sums) = (&commit.files, &mut self.mainline);
        sums.net_lines += difference(files.lines.additions, files.lines.deletions);
        sums.binary_flip_lines += files.binary_flip_lines;
        sums.unknown_files += files.unknown_changes.iter().map(|(_, changes)| changes).sum::<u64>();
    }
}

fn difference(more: u64, less: u64) -> i64 {
    let signed = |lines| i64::try_from(lines).unwrap_or(i64::MAX);
    signed(more) - signed(less)
}

impl Activity {
    pub(super) fn new(window: Window, as_of_seconds: i64, may_share: bool) -> Self {
        Self {
            window,
            as_of_seconds,
            totals: Sums::default(),
            weeks: Weeks::default(),
            developers: People::default(),
            bots: People::default(),
            languages: Languages::default(),
            quality: Quality::default(),
            met: HashMap::new(),
            may_share,
            repositories_of: BTreeMap::new(),
            shallow: Vec::new(),
        }
    }

    /// Observes a repository, and returns what is its own, and of each commit whether no earlier repository holds it.
    pub(super) fn repository(&mut self, name: &str, is_shallow: bool, history: &History) -> (Own, Vec<bool>) {
        let mut own = Own::default();
        let is_first: Vec<bool> = history.nodes().map(|node| self.observe(history, node, &mut own)).collect();
        for author in own.authors.iter().chain(&own.bots) {
            *self.repositories_of.entry(*author).or_default() += 1;
        }
        if is_shallow {
            self.shallow.push(name.to_owned());
        }
        (own, is_first)
    }

    fn observe(&mut self, history: &History, node: Node, own: &mut Own) -> bool {
        let commit = &history.briefs[node as usize];
        if history.read.on_mainline[node as usize] {
            own.observe_mainline(commit);
        }
        let (author, is_bot) = (history.authors[node as usize], history.is_bot[node as usize]);
        let seen = Observation::in_window(commit, author, &self.window).map(|seen| seen.by_bot(is_bot));
        let is_first = !self.may_share || self.meet(commit.id, seen.is_some());
        let Some(seen) = seen else { return is_first };
        own.sums.observe(&seen);
        if !commit.is_merge {
            if is_bot { &mut own.bots } else { &mut own.authors }.insert(author);
        }
        if let Some(day) = seen.day {
            own.first = Some(own.first.map_or(day, |first| first.min(day)));
            own.last = Some(own.last.map_or(day, |last| last.max(day)));
        }
        if is_first {
            self.totals.observe(&seen);
            self.weeks.observe(&seen);
            if is_bot { &mut self.bots } else { &mut self.developers }.observe(&seen);
            self.languages.observe(&seen);
            self.quality.observe(&seen, self.as_of_seconds);
        }
        is_first
    }

    /// Notes a commit, and returns whether it is the first time.
    fn meet(&mut self, id: ObjectId, in_window: bool) -> bool {
        match self.met.get_mut(&id) {
            Some(again) => {
                *again |= in_window;
                false
            }
            None => {
                self.met.insert(id, false);
                true
            }
        }
    }

    pub(super) fn totals(&self, repositories: u64) -> Totals {
        Totals {
            commits: self.totals.commits,
            merges: self.totals.merges,
            developers: self.developers.0.len() as u64,
            additions: self.totals.lines.additions,
            deletions: self.totals.lines.deletions,
            files_changed: self.totals.lines.files_changed,
            without_renames: LineSums {
                additions: self.totals.without_renames.additions,
                deletions: self.totals.without_renames.deletions,
                files_changed: self.totals.without_renames.files_changed,
            },
            repositories,
        }
    }

    pub(super) fn week_rows(&self) -> Vec<WeekRow> {
        let mut weeks: BTreeSet<Week> = self.weeks.0.keys().copied().collect();
        weeks.extend(self.window.listed_weeks().unwrap_or_default());
        let empty = Default::default();
        weeks
            .into_iter()
            .map(|week| {
                let sums = self.weeks.0.get(&week).unwrap_or(&empty);
                WeekRow {
                    week: week.to_string(),
                    starts_on: week.monday().to_string(),
                    commits: sums.sums.commits,
                    merges: sums.sums.merges,
                    developers: sums.authors.len() as u64,
                    additions: sums.sums.lines.additions,
                    deletions: sums.sums.lines.deletions,
                    files_changed: sums.sums.lines.files_changed,
                }
            })
            .collect()
    }

    /// Returns nobody where names are withheld.
    pub(super) fn developer_rows(&self, who: &Who) -> Vec<DeveloperRow> {
        let mut rows: Vec<DeveloperRow> = self
            .shown(who)
            .into_iter()
            .map(|(name, email, id, person)| DeveloperRow {
                name,
                email,
                commits: person.work.commits,
                additions: person.work.lines.additions,
                deletions: person.work.lines.deletions,
                files_changed: person.work.lines.files_changed,
                active_days: person.days.len() as u64,
                repositories: self.repositories_of.get(&id).copied().unwrap_or(0),
                first_commit_on: person.days.first().map(NaiveDate::to_string),
                last_commit_on: person.days.last().map(NaiveDate::to_string),
            })
            .collect();
        rows.sort_by(|a, b| {
            b.commits.cmp(&a.commits).then_with(|| (&a.name, &a.email).cmp(&(&b.name, &b.email)))
        });
        rows
    }

    pub(super) fn developer_week_rows(&self, who: &Who) -> Vec<DeveloperWeekRow> {
        let mut by_week: BTreeMap<Week, Vec<DeveloperWeekRow>> = BTreeMap::new();
        for (name, email, _, person) in self.shown(who) {
            for (week, work) in &person.weeks {
                by_week.entry(*week).or_default().push(DeveloperWeekRow {
                    week: week.to_string(),
                    name: name.clone(),
                    email: email.clone(),
                    commits: work.commits,
                    additions: work.lines.additions,
                    deletions: work.lines.deletions,
                    files_changed: work.lines.files_changed,
                });
            }
        }
        for rows in by_week.values_mut() {
            rows.sort_by(|a, b| {
                b.commits.cmp(&a.commits).then_with(|| (&a.name, &a.email).cmp(&(&b.name, &b.email)))
            });
        }
        by_week.into_values().flatten().collect()
    }

    pub(super) fn language_rows(&self) -> Vec<LanguageRow> {
        let mut rows: Vec<LanguageRow> = self
            .languages
            .0
            .iter()
            .map(|(language, sums)| LanguageRow {
                language: (*language).to_owned(),
                commits: sums.commits,
                files_changed: sums.lines.files_changed,
                additions: sums.lines.additions,
                deletions: sums.lines.deletions,
            })
            .collect();
        rows.sort_by(|a, b| {
            let touched = |row: &LanguageRow| row.additions + row.deletions;
            touched(b).cmp(&touched(a)).then_with(|| a.language.cmp(&b.language))
        });
        rows
    }

    pub(super) fn data_quality(&self, rows: &[RepositoryRow]) -> DataQuality {
        let quality = &self.quality;
        let checked = || rows.iter().filter_map(|row| row.conservation).filter(|law| law.unknown_files == 0);
        DataQuality {
            binary_changes: quality.binary_changes,
            unknown_changes: quality
                .unknown_changes
                .iter()
                .map(|(reason, changes)| UnknownChanges {
                    reason: reason.name().to_owned(),
                    changes: *changes,
                })
                .collect(),
            empty_commits: quality.empty_commits,
            bulk_commits: quality.bulk_commits,
            bulk_additions: quality.bulk_lines.additions,
            bulk_deletions: quality.bulk_lines.deletions,
            invalid_times: quality.invalid_times,
            future_times: quality.future_times,
            authored_after_commit: quality.authored_after_commit,
            shared_commits: self.met.values().filter(|again| **again).count() as u64,
            shallow_repositories: self.shallow.clone(),
            conservation_checked: checked().count() as u64,
            conservation_broken: checked().filter(|law| !law.holds).count() as u64,
        }
    }

    /// Returns the developers with what they are called, in the order of their keys.
    fn shown(&self, who: &Who) -> Vec<(String, String, PersonId, &Person)> {
        let shown = |(id, person)| {
            let label = who.label(id);
            Some((label.name?, label.email?, id, person))
        };
        self.developers.0.iter().map(|(id, person)| (*id, person)).filter_map(shown).collect()
    }
}
