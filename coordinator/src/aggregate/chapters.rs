//! The chapters beyond activity, summed over the repositories of a batch one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use gitfleet_shared::facts::Lines;
use gitfleet_shared::graph::Node;
use gitfleet_shared::metrics::contributors::Contributors;
use gitfleet_shared::metrics::coupling::Coupling;
use gitfleet_shared::metrics::ownership::Hands;
use gitfleet_shared::metrics::people::Person;
use gitfleet_shared::metrics::rework::Rework;
use gitfleet_shared::metrics::sums::LineSums;
use gitfleet_shared::metrics::tally::Deed;
use gitfleet_shared::metrics::{Observation, Partial as _, PersonId, churn};
use gitfleet_shared::window::{Week, Window};
use gitfleet_shared::words::tickets::Ticket;

use super::findings::Context;
use super::flow::{self, Flow};
use super::history::History;
use super::lines::LineFacts;
use super::reading::Reading;
use super::risk::Risk;
use super::rows;
use super::subject::{Subject, Subjects};
use super::who::Who;
use crate::report::tables::Tables;

/// What the repositories of a batch come to, chapter by chapter.
pub(super) struct Chapters {
    pub(super) window: Window,
    /// The end of the as-of day.
    pub(super) as_of_seconds: i64,
    pub(super) as_of: NaiveDate,
    pub(super) who: Arc<Who>,
    pub(super) reading: Arc<Reading>,
    pub(super) working_hours: bool,
    pub(super) subjects: Subjects,
    pub(super) contributors: Contributors,
    pub(super) credits: BTreeMap<PersonId, Credits>,
    pub(super) tickets: BTreeMap<Ticket, TicketSum>,
    /// Project keys that look like some and are not configured.
    pub(super) candidates: BTreeMap<String, u64>,
    /// What changed together, by ticket, or by author and day.
    changes: BTreeMap<Change, BTreeSet<u32>>,
    /// Repository and component, by number.
    pub(super) components: Vec<(String, String)>,
    /// Hands on the source files at all tips, and their authors.
    pub(super) files: Vec<Hands>,
    authors: Vec<Vec<PersonId>>,
    pub(super) tables: Tables,
}

/// What others say of a person.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Credits {
    pub(super) co_authored: u64,
    pub(super) reviews: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct TicketSum {
    pub(super) commits: u64,
    pub(super) repositories: BTreeSet<String>,
    pub(super) points_hundredths: Option<u32>,
    pub(super) first: Option<NaiveDate>,
    pub(super) last: Option<NaiveDate>,
    /// Whose story points they are: of the repositories of its last commit's day, the first by name.
    pub(super) home: Option<(NaiveDate, String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Ticket(Ticket),
    Day(PersonId, NaiveDate),
}

/// Which repository is observed.
pub(super) struct Place<'p> {
    pub(super) name: &'p str,
    pub(super) project: &'p str,
    /// By commit, whether no repository before holds it.
    pub(super) is_first: &'p [bool],
}

impl Place<'_> {
    /// Returns whose numbers the repository is part of, teams left out.
    fn subjects(&self) -> [Subject; 3] {
        [
            Subject::Repository(self.name.to_owned()),
            Subject::Project(self.project.to_owned()),
            Subject::Organisation,
        ]
    }
}

impl Chapters {
    pub(super) fn new(
        window: Window,
        as_of_seconds: i64,
        who: Arc<Who>,
        reading: Arc<Reading>,
        working_hours: bool,
    ) -> Self {
        let as_of = window.day_of(as_of_seconds).unwrap_or_default();
        Self {
            window,
            // Two reports of one day are the same, and nothing that was written on it is of the future.
            as_of_seconds: window.end_of_day(as_of_seconds).unwrap_or(as_of_seconds),
            as_of,
            who,
            reading,
            working_hours,
            subjects: Subjects::default(),
            contributors: Contributors::default(),
            credits: BTreeMap::new(),
            tickets: BTreeMap::new(),
            candidates: BTreeMap::new(),
            changes: BTreeMap::new(),
            components: Vec::new(),
            files: Vec::new(),
            authors: Vec::new(),
            tables: Tables::default(),
        }
    }

    pub(super) fn repository(&mut self, history: &History, place: &Place<'_>) {
        let flow = Flow::of(history, &self.reading);
        let risk = Risk::of(history, &self.window);
        let lines = LineFacts::of(history);
        let requests: BTreeSet<Node> = flow.requests.iter().map(|request| request.commit).collect();
        for node in history.nodes() {
            self.contributor(history, node, place);
            let brief = &history.briefs[node as usize];
            let author = history.authors[node as usize];
            let Some(seen) = Observation::in_window(brief, author, &self.window) else { continue };
            let seen = seen.by_bot(history.is_bot[node as usize]);
            let deed = self.deed(history, node, requests.contains(&node), lines.as_ref());
            let category = &history.said(node).category;
            for scope in self.subjects_of(place, author, seen.day, place.is_first[node as usize]) {
                let sums = self.subjects.entry(scope).or_default();
                sums.group.observe(&seen, &deed, category);
                if self.working_hours && !brief.is_merge && !seen.is_bot {
                    let authored = history.commit(node).authored;
                    if let Some(seconds) = authored.seconds {
                        sums.hours.observe(author, seconds, authored.offset_minutes);
                    }
                }
            }
            if place.is_first[node as usize] && !brief.is_merge {
                self.words(history, node, place, seen.day);
                if deed.ticket_eligible && !deed.names_ticket {
                    rows::work::untracked(self, history, node, place);
                }
            }
        }
        self.flow(history, &flow, place);
        if let Some(lines) = &lines {
            self.lines(history, lines, place);
        }
        rows::work::repository(self, history, &flow, place);
        rows::flow::repository(self, history, &flow, place);
        rows::risk::repository(self, history, &risk, lines.as_ref(), place);
        rows::source::repository(self, history, place);
        self.known_files(risk, place);
    }

    /// Makes the tables that need all repositories.
    pub(super) fn finish(
        &mut self,
        work: &BTreeMap<PersonId, Person>,
        repositories: &BTreeMap<PersonId, u64>,
    ) {
        rows::work::finish(self);
        rows::flow::finish(self);
        rows::risk::finish(self);
        rows::source::finish(self);
        rows::groups::finish(self);
        rows::community::finish(self);
        rows::people::finish(self, work, repositories);
        rows::scalars::finish(self);
    }

    pub(super) fn context(&self) -> Context {
        Context {
            candidates: self.candidates.clone(),
            names_ticket_systems: self.reading.names_ticket_systems,
            unclear_members: self.who.unclear().iter().map(|one| (one.team.clone(), one.fits)).collect(),
        }
    }

    /// Returns the groups that a commit counts for. What an earlier repository holds counts for this one alone.
    fn subjects_of(
        &self,
        place: &Place<'_>,
        author: PersonId,
        day: Option<NaiveDate>,
        is_first: bool,
    ) -> Vec<Subject> {
        let mut scopes = vec![Subject::Repository(place.name.to_owned())];
        if is_first {
            scopes.push(Subject::Organisation);
            scopes.push(Subject::Project(place.project.to_owned()));
            scopes.extend(self.who.teams(author, day).into_iter().map(Subject::Team));
        }
        scopes
    }

    fn contributor(&mut self, history: &History, node: Node, place: &Place<'_>) {
        let (brief, author) = (&history.briefs[node as usize], history.authors[node as usize]);
        if !history.is_by_hand(node) || !place.is_first[node as usize] {
            return;
        }
        if let Some(day) = brief.authored.and_then(|seconds| self.window.day_of(seconds)) {
            self.contributors.observe(author, day);
        }
    }

    fn deed(&self, history: &History, node: Node, is_request: bool, lines: Option<&LineFacts>) -> Deed {
        let said = history.said(node);
        let author = history.authors[node as usize];
        let is_reviewed =
            said.reviewers.iter().any(|reviewer| self.who.person(reviewer).is_some_and(|who| who != author));
        Deed {
            kind: said.kind,
            is_conventional: said.is_conventional,
            is_breaking: said.is_breaking,
            ticket_eligible: history.is_by_hand(node) && !said.is_release,
            names_ticket: !said.tickets.is_empty(),
            names_request_only: said.names_request_only,
            is_revert: flow::is_revert(history, node),
            is_ai_assisted: said.is_ai_assisted,
            is_reviewed,
            is_request,
            source: source_lines(history, node),
            rework: lines.filter(|_| history.is_handwork(node)).map(|lines| rework(history, node, lines)),
        }
    }

    /// Observes what a non-merge commit of the window says.
    fn words(&mut self, history: &History, node: Node, place: &Place<'_>, day: Option<NaiveDate>) {
        let said = history.said(node);
        let author = history.authors[node as usize];
        for (people, is_review) in [(&said.co_authors, false), (&said.reviewers, true)] {
            let named: BTreeSet<PersonId> =
                people.iter().filter_map(|one| self.who.person(one)).filter(|who| *who != author).collect();
            for person in named {
                let credits = self.credits.entry(person).or_default();
                *(if is_review { &mut credits.reviews } else { &mut credits.co_authored }) += 1;
            }
        }
        for key in &said.candidates {
            *self.candidates.entry(key.clone()).or_default() += 1;
        }
        for ticket in &said.tickets {
            let sum = self.tickets.entry(ticket.clone()).or_default();
            sum.observe(place, day, said.points_hundredths);
        }
        if history.is_handwork(node) {
            self.change(history, node, place, day);
        }
    }

    /// Notes the components of a change, for coupling across repositories.
    fn change(&mut self, history: &History, node: Node, place: &Place<'_>, day: Option<NaiveDate>) {
        let mut touched = BTreeSet::new();
        for change in &history.commit(node).files {
            if history.read.classes.of(&change.path).is_source() {
                touched.insert(churn::component(&change.path, 1));
            }
        }
        let numbers: BTreeSet<u32> =
            touched.into_iter().map(|component| self.component(place.name, component)).collect();
        let said = history.said(node);
        let mut keys: Vec<Change> = said.tickets.iter().cloned().map(Change::Ticket).collect();
        if keys.is_empty() {
            keys.extend(day.map(|day| Change::Day(history.authors[node as usize], day)));
        }
        for key in keys {
            self.changes.entry(key).or_default().extend(&numbers);
        }
    }

    fn component(&mut self, repository: &str, component: String) -> u32 {
        let key = (repository.to_owned(), component);
        // Repositories come one after the other, so the ones of this are at the end.
        let known = self.components.iter().rposition(|known| *known == key);
        let place = known.unwrap_or_else(|| {
            self.components.push(key);
            self.components.len() - 1
        });
        u32::try_from(place).expect("fewer components than four thousand million")
    }

    /// Returns the authors of the source files at all tips.
    pub(super) fn authors(&self) -> &[Vec<PersonId>] {
        &self.authors
    }

    /// Returns the coupling of components of different repositories.
    pub(super) fn across(&self) -> Coupling<u32> {
        let mut coupling = Coupling::default();
        for touched in self.changes.values() {
            coupling.observe(&touched.iter().copied().collect::<Vec<_>>());
        }
        coupling
    }

    fn flow(&mut self, history: &History, flow: &Flow, place: &Place<'_>) {
        let scopes = place.subjects();
        for request in &flow.requests {
            let merged = history.commit(request.commit).committed.seconds;
            let Some(seconds) = request.cycle_seconds.filter(|_| self.window.contains(merged)) else {
                continue;
            };
            for scope in &scopes {
                self.subjects.entry(scope.clone()).or_default().cycle.add(seconds);
            }
        }
        for deployments in flow.deployments.values() {
            for deployment in deployments {
                if !self.window.contains(deployment.release.released) {
                    continue;
                }
                for scope in &scopes {
                    self.subjects.entry(scope.clone()).or_default().dora.observe(deployment);
                }
            }
        }
    }

    fn lines(&mut self, history: &History, lines: &LineFacts, place: &Place<'_>) {
        let own = lines.sums(history, &self.window, self.as_of_seconds);
        for scope in place.subjects() {
            let sums = self.subjects.entry(scope).or_default();
            sums.lines.get_or_insert_default().merge(own.clone());
        }
    }

    fn known_files(&mut self, risk: Risk, place: &Place<'_>) {
        for file in risk.files {
            let number = self.files.len();
            let teams = self.home_teams(&file.hands).into_iter().map(Subject::Team);
            for scope in place.subjects().into_iter().chain(teams) {
                self.subjects.entry(scope).or_default().files.push(number);
            }
            self.files.push(file.hands);
            self.authors.push(file.authors);
        }
    }

    /// Returns the teams whose people of today made at least half of the commits to a file.
    fn home_teams(&self, hands: &Hands) -> Vec<String> {
        let mut commits: BTreeMap<String, u64> = BTreeMap::new();
        for (person, hand) in &hands.0 {
            for team in self.who.teams(*person, Some(self.as_of)) {
                *commits.entry(team).or_default() += hand.commits;
            }
        }
        let all = hands.commits();
        commits.into_iter().filter(|(_, count)| count * 2 >= all && all > 0).map(|(team, _)| team).collect()
    }
}

impl TicketSum {
    fn observe(&mut self, place: &Place<'_>, day: Option<NaiveDate>, points: Option<u32>) {
        self.commits += 1;
        self.repositories.insert(place.name.to_owned());
        self.points_hundredths = self.points_hundredths.max(points);
        let Some(day) = day else { return };
        self.first = Some(self.first.map_or(day, |first| first.min(day)));
        self.last = self.last.max(Some(day));
        let is_later = self.home.as_ref().is_none_or(|(known, _, _)| *known < day);
        if is_later {
            self.home = Some((day, place.name.to_owned(), place.project.to_owned()));
        }
    }

    pub(super) fn week(&self) -> Option<Week> {
        self.last.map(Week::of)
    }
}

fn source_lines(history: &History, node: Node) -> LineSums {
    let mut sums = LineSums::default();
    for change in &history.commit(node).files {
        if history.read.classes.of(&change.path).is_source() {
            sums.add(change.lines);
        }
    }
    sums
}

fn rework(history: &History, node: Node, lines: &LineFacts) -> Rework {
    let mut rework = Rework::default();
    let author = history.authors[node as usize];
    for change in &history.commit(node).files {
        if let Lines::Counted { added, .. } = change.lines {
            rework.observe_added(u64::from(added));
        }
    }
    if let Some(deleted) = history.commit(node).authored.seconds {
        for (origin, count) in lines.removed(node) {
            if let Some(written) = history.commit(origin).authored.seconds {
                let same_author = history.authors[origin as usize] == author;
                rework.observe_deleted(written, deleted, same_author, count);
            }
        }
    }
    rework
}
