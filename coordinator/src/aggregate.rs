//! From the facts of a batch's snapshots to its report.
//!
//! A commit that several repositories hold counts once in totals, weeks, developers and languages, and in full in
//! each repository's own row.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use gitfleet_shared::contract::{Digest, Scope};
use gitfleet_shared::facts::{FACTS_VERSION, Signature};
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::mailmap::Mailmap;
use gitfleet_shared::metrics::brief::{BRIEF_VERSION, Brief};
use gitfleet_shared::metrics::language::Languages;
use gitfleet_shared::metrics::people::{People, Person};
use gitfleet_shared::metrics::quality::Quality;
use gitfleet_shared::metrics::sums::Sums;
use gitfleet_shared::metrics::weeks::Weeks;
use gitfleet_shared::metrics::{METHOD_VERSION, Observation, PersonId};
use gitfleet_shared::object_id::ObjectId;
use gitfleet_shared::window::{Week, Window};

use crate::report::method;
use crate::report::model::{
    Conservation, Coverage, DataQuality, DeveloperRow, DeveloperWeekRow, Failure, LanguageRow, LineSums,
    Method, Report, RepositoryRow, RepositoryStatus, SCHEMA_VERSION, Totals, UnknownChanges, WeekRow,
    WindowSection,
};
use crate::report::tables::Tables;
use crate::store::{
    BatchRepository, MainlineSums, RepositoryState, Result, Store, StoreError, StoredSnapshot,
};

/// What a report is made of, settled before anything is read.
pub struct Basis {
    window: Window,
    /// In the order of the report, with their snapshots where they have been analysed.
    repositories: Vec<(BatchRepository, Option<StoredSnapshot>)>,
    inputs: Option<Digest>,
}

/// Sums up a batch as seen through `window`. `as_of_seconds` (UTC) is what "in the future" is measured against.
///
/// # Errors
///
/// Where the store fails or lacks what it said it has.
pub async fn aggregate(
    store: &dyn Store,
    batch: BatchId,
    window: &Window,
    scope: Scope,
    as_of_seconds: i64,
) -> Result<Report> {
    Basis::of(store, batch, window, scope).await?.report(store, as_of_seconds).await
}

impl Basis {
    /// # Errors
    ///
    /// Where the store fails or lacks what it said it has.
    pub async fn of(store: &dyn Store, batch: BatchId, window: &Window, scope: Scope) -> Result<Self> {
        let mut requested = store.repositories(batch).await?;
        // Of two repositories that hold the same commit, the first by name decides who wrote it.
        requested.sort_by(|a, b| {
            (&a.name, a.source.to_string(), a.position).cmp(&(&b.name, b.source.to_string(), b.position))
        });
        let analysed = |repository: &&BatchRepository| repository.state == RepositoryState::Analysed;
        let sources: Vec<_> =
            requested.iter().filter(analysed).map(|one| (&one.source, &one.revisions)).collect();
        let mut snapshots = store.snapshots(&sources, scope).await?.into_iter();
        let repositories = requested
            .into_iter()
            .map(|repository| {
                let snapshot = analysed(&&repository).then(|| snapshots.next().flatten());
                if snapshot == Some(None) {
                    return Err(StoreError::Damaged { what: "an analysed repository without a snapshot" });
                }
                Ok((repository, snapshot.flatten()))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { inputs: inputs(window, &repositories), window: *window, repositories })
    }

    /// Returns a hash over everything that the report is a function of, but for the as-of time; `None` where the
    /// store cannot name the content of a snapshot.
    pub fn inputs(&self) -> Option<Digest> {
        self.inputs
    }

    /// Sums up; see [`aggregate`].
    ///
    /// # Errors
    ///
    /// Where the store fails or lacks what it said it has.
    pub async fn report(&self, store: &dyn Store, as_of_seconds: i64) -> Result<Report> {
        let mut sum = Sum::new(self.window, as_of_seconds);
        sum.may_share = self.repositories.iter().filter(|(_, snapshot)| snapshot.is_some()).count() > 1;
        let mut rows = Vec::with_capacity(self.repositories.len());
        for (repository, snapshot) in &self.repositories {
            let Some(snapshot) = snapshot else {
                rows.push(row_without_numbers(repository));
                continue;
            };
            let own = sum.repository(store, snapshot).await?;
            let conservation = conservation(store, snapshot, own.mainline).await?;
            rows.push(row(repository, snapshot, own, conservation));
            if snapshot.shallow {
                sum.shallow.push(repository.name.clone());
            }
        }
        let requested: Vec<&BatchRepository> = self.repositories.iter().map(|(one, _)| one).collect();
        Ok(sum.report(&requested, rows))
    }
}

/// A hash for [`Basis::inputs`]. What is hashed says so in full: versions, conventions, window, and of each repository
/// all that its rows show, with the name of the publication that its numbers come from.
fn inputs(window: &Window, repositories: &[(BatchRepository, Option<StoredSnapshot>)]) -> Option<Digest> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |value: &dyn std::fmt::Debug| {
        let text = format!("{value:?}");
        // With its length, so that no two values run into each other.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&(SCHEMA_VERSION, METHOD_VERSION, FACTS_VERSION, BRIEF_VERSION, env!("CARGO_PKG_VERSION")));
    add(&method::conventions());
    add(&(window.to_string(), window.zone().name(), window.bounds(), window.listed_weeks()));
    for (repository, snapshot) in repositories {
        let BatchRepository { name, project_key, source, revisions, state, failure, .. } = repository;
        add(&(name, project_key, source, revisions, state, failure));
        if let Some(snapshot) = snapshot {
            add(&(snapshot.id, snapshot.published_by.as_ref()?));
        }
    }
    Some(*hasher.finalize().as_bytes())
}

/// Everything summed over the batch.
struct Sum {
    window: Window,
    as_of_seconds: i64,
    people: Roster,
    totals: Sums,
    weeks: Weeks,
    developers: People,
    languages: Languages,
    quality: Quality,
    /// Commits met, and whether more than once.
    met: HashMap<ObjectId, bool>,
    /// Whether there are several repositories; one alone holds each commit once.
    may_share: bool,
    repositories_of: HashMap<PersonId, u64>,
    shallow: Vec<String>,
}

/// What is summed for one repository alone.
#[derive(Default)]
struct Own {
    sums: Sums,
    authors: BTreeSet<PersonId>,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    /// Sums of its mainline over all times, as the conservation law wants them; merges are not in them.
    mainline: MainlineSums,
}

/// People by number, in the order they were met.
#[derive(Default)]
struct Roster {
    numbers: HashMap<Signature, PersonId>,
    people: Vec<Signature>,
}

impl Roster {
    fn number(&mut self, person: Signature) -> PersonId {
        *self.numbers.entry(person).or_insert_with_key(|person| {
            self.people.push(person.clone());
            PersonId::try_from(self.people.len() - 1).expect("fewer people than the earth has")
        })
    }
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

impl Sum {
    fn new(window: Window, as_of_seconds: i64) -> Self {
        Self {
            window,
            as_of_seconds,
            people: Roster::default(),
            totals: Sums::default(),
            weeks: Weeks::default(),
            developers: People::default(),
            languages: Languages::default(),
            quality: Quality::default(),
            met: HashMap::new(),
            may_share: true,
            repositories_of: HashMap::new(),
            shallow: Vec::new(),
        }
    }

    async fn repository(&mut self, store: &dyn Store, snapshot: &StoredSnapshot) -> Result<Own> {
        let mailmap = Mailmap::parse(snapshot.mailmap.as_deref().unwrap_or_default());
        let mut resolved: HashMap<Signature, PersonId> = HashMap::new();
        let mut own = Own::default();
        store
            .read_facts(snapshot.id, &mut |block| {
                let mut number = |author: &Signature| match resolved.get(author) {
                    Some(person) => *person,
                    None => {
                        let person = self.people.number(mailmap.resolve(author));
                        resolved.insert(author.clone(), person);
                        person
                    }
                };
                let authors: Vec<PersonId> =
                    block.iter().map(|commit| number(&commit.facts.author)).collect();
                for (commit, author) in block.iter().zip(authors) {
                    let brief = Brief::of(&commit.facts);
                    if commit.on_mainline {
                        own.observe_mainline(&brief);
                    }
                    self.observe(&brief, author, &mut own);
                }
            })
            .await?;
        for author in &own.authors {
            *self.repositories_of.entry(*author).or_default() += 1;
        }
        Ok(own)
    }

    fn observe(&mut self, commit: &Brief, author: PersonId, own: &mut Own) {
        let Some(seen) = Observation::in_window(commit, author, &self.window) else { return };
        own.sums.observe(&seen);
        if !commit.is_merge {
            own.authors.insert(author);
        }
        if let Some(day) = seen.day {
            own.first = Some(own.first.map_or(day, |first| first.min(day)));
            own.last = Some(own.last.map_or(day, |last| last.max(day)));
        }
        if self.may_share {
            if let Some(again) = self.met.get_mut(&commit.id) {
                *again = true;
                return;
            }
            self.met.insert(commit.id, false);
        }
        self.totals.observe(&seen);
        self.weeks.observe(&seen);
        self.developers.observe(&seen);
        self.languages.observe(&seen);
        self.quality.observe(&seen, self.as_of_seconds);
    }

    fn report(self, requested: &[&BatchRepository], rows: Vec<RepositoryRow>) -> Report {
        let (from, until) = self.window.bounds();
        let instant = |seconds: Option<i64>| seconds.and_then(|seconds| self.window.format(seconds));
        let window = WindowSection {
            label: self.window.to_string(),
            time_zone: self.window.zone().name().to_owned(),
            from: instant(from),
            until: instant(until),
            revisions: revisions(requested),
        };
        let coverage = coverage(requested);
        Report {
            schema_version: SCHEMA_VERSION,
            window,
            totals: Totals {
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
                repositories: coverage.repositories_requested,
            },
            weeks: self.week_rows(),
            developers: self.developer_rows(),
            developer_weeks: self.developer_week_rows(),
            languages: self.language_rows(),
            tables: Tables::default(),
            data_quality: self.data_quality(&rows),
            repositories: rows,
            coverage,
            method: Method {
                method_version: METHOD_VERSION,
                facts_version: FACTS_VERSION,
                conventions: method::conventions(),
            },
        }
    }

    fn week_rows(&self) -> Vec<WeekRow> {
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

    fn developer_rows(&self) -> Vec<DeveloperRow> {
        let mut rows: Vec<DeveloperRow> = self
            .by_signature()
            .into_iter()
            .map(|(id, person)| {
                let (name, email) = self.named(*id);
                DeveloperRow {
                    name,
                    email,
                    commits: person.work.commits,
                    additions: person.work.lines.additions,
                    deletions: person.work.lines.deletions,
                    files_changed: person.work.lines.files_changed,
                    active_days: person.days.len() as u64,
                    repositories: self.repositories_of.get(id).copied().unwrap_or(0),
                    first_commit_on: person.days.first().map(NaiveDate::to_string),
                    last_commit_on: person.days.last().map(NaiveDate::to_string),
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            b.commits.cmp(&a.commits).then_with(|| (&a.name, &a.email).cmp(&(&b.name, &b.email)))
        });
        rows
    }

    fn developer_week_rows(&self) -> Vec<DeveloperWeekRow> {
        let mut by_week: BTreeMap<Week, Vec<DeveloperWeekRow>> = BTreeMap::new();
        for (id, person) in self.by_signature() {
            for (week, work) in &person.weeks {
                let (name, email) = self.named(*id);
                by_week.entry(*week).or_default().push(DeveloperWeekRow {
                    week: week.to_string(),
                    name,
                    email,
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

    fn language_rows(&self) -> Vec<LanguageRow> {
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

    fn data_quality(&self, rows: &[RepositoryRow]) -> DataQuality {
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

    /// Returns the developers by their exact names. Rows are sorted by what they show, and names that differ may look
    /// the same; who was met first must not decide between those.
    fn by_signature(&self) -> Vec<(&PersonId, &Person)> {
        let mut people: Vec<(&PersonId, &Person)> = self.developers.0.iter().collect();
        people.sort_by_key(|(id, _)| &self.people.people[**id as usize]);
        people
    }

    fn named(&self, id: PersonId) -> (String, String) {
        let person = &self.people.people[id as usize];
        (text(&person.name), text(&person.email))
    }
}

async fn conservation(
    store: &dyn Store,
    snapshot: &StoredSnapshot,
    own: MainlineSums,
) -> Result<Option<Conservation>> {
    let Some(tip) = snapshot.tip else { return Ok(None) };
    let merges = store.merge_sums(snapshot.id).await?;
    let mainline = MainlineSums {
        net_lines: own.net_lines + merges.net_lines,
        binary_flip_lines: own.binary_flip_lines + merges.binary_flip_lines,
        unknown_files: own.unknown_files + merges.unknown_files,
    };
    let unknown_files = mainline.unknown_files + u64::from(tip.unknown_files);
    let tip_lines = i64::try_from(tip.lines).unwrap_or(i64::MAX);
    Ok(Some(Conservation {
        mainline_net_lines: mainline.net_lines,
        binary_flip_lines: mainline.binary_flip_lines,
        tip_lines,
        unknown_files,
        holds: unknown_files == 0 && mainline.net_lines + mainline.binary_flip_lines == tip_lines,
    }))
}

fn row(
    repository: &BatchRepository,
    snapshot: &StoredSnapshot,
    own: Own,
    conservation: Option<Conservation>,
) -> RepositoryRow {
    RepositoryRow {
        status: RepositoryStatus::Analysed,
        head: snapshot.base.head.map(|head| head.to_string()),
        branch: snapshot.branch.clone(),
        commits: Some(own.sums.commits),
        merges: Some(own.sums.merges),
        developers: Some(own.authors.len() as u64),
        additions: Some(own.sums.lines.additions),
        deletions: Some(own.sums.lines.deletions),
        files_changed: Some(own.sums.lines.files_changed),
        first_commit_on: own.first.map(|day| day.to_string()),
        last_commit_on: own.last.map(|day| day.to_string()),
        conservation,
        ..row_without_numbers(repository)
    }
}

fn row_without_numbers(repository: &BatchRepository) -> RepositoryRow {
    let empty = repository.state == RepositoryState::Empty;
    let count = empty.then_some(0);
    RepositoryRow {
        name: repository.name.clone(),
        source: repository.source.to_string(),
        project_key: repository.project_key.clone(),
        status: if empty { RepositoryStatus::Empty } else { RepositoryStatus::Failed },
        reason: repository.failure.as_ref().map(|failure| failure.message.clone()),
        head: None,
        branch: None,
        commits: count,
        merges: count,
        developers: count,
        additions: count,
        deletions: count,
        files_changed: count,
        first_commit_on: None,
        last_commit_on: None,
        conservation: None,
    }
}

fn coverage(requested: &[&BatchRepository]) -> Coverage {
    let count = |state| requested.iter().filter(|repository| repository.state == state).count() as u64;
    Coverage {
        repositories_requested: requested.len() as u64,
        repositories_analysed: count(RepositoryState::Analysed),
        repositories_empty: count(RepositoryState::Empty),
        repositories_failed: count(RepositoryState::Failed),
        failures: requested
            .iter()
            .filter_map(|repository| {
                let failure = repository.failure.as_ref()?;
                Some(Failure {
                    repository: repository.name.clone(),
                    source: repository.source.to_string(),
                    class: failure.class.clone(),
                    message: failure.message.clone(),
                })
            })
            .collect(),
    }
}

fn revisions(requested: &[&BatchRepository]) -> String {
    let distinct: BTreeSet<String> =
        requested.iter().map(|repository| repository.revisions.to_string()).collect();
    if distinct.is_empty() {
        return "default branch".to_owned();
    }
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
