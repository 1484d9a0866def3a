//! From the facts of a batch's snapshots to its report.
//!
//! Every repository is read twice at most: once for who is in it, once for what they did, because who is who depends on
//! all repositories. A commit that several repositories hold counts once in totals, weeks, people and languages, and in
//! full in each repository's own row.

mod activity;
mod chapters;
mod findings;
mod flow;
mod history;
mod lines;
pub(crate) mod read;
pub(crate) mod reading;
mod risk;
mod rows;
mod said;
mod subject;
mod tree;
pub(crate) mod who;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use gitfleet_shared::contract::{Digest, Scope};
use gitfleet_shared::facts::FACTS_VERSION;
use gitfleet_shared::ids::BatchId;
use gitfleet_shared::metrics::METHOD_VERSION;
use gitfleet_shared::metrics::brief::BRIEF_VERSION;
use gitfleet_shared::people::Link;
use gitfleet_shared::window::Window;

use self::activity::{Activity, Own};
use self::chapters::{Chapters, Place};
use self::history::History;
use self::read::Read;
use self::reading::Reading;
use self::who::{Gathered, Who};
use crate::lens::Lens;
use crate::redact;
use crate::report::method;
use crate::report::model::{
    Conservation, Coverage, Failure, Method, Report, RepositoryRow, RepositoryStatus, SCHEMA_VERSION,
    WindowSection,
};
use crate::store::{
    BatchRepository, MainlineSums, RepositoryState, Result, Store, StoreError, StoredSnapshot,
};

/// Commits of all repositories together that are kept from the first reading to the second; those of further
/// repositories are read again. Some kilobytes each.
const KEPT_COMMITS: usize = 200_000;

/// What a report is made of, settled before anything is read.
pub struct Basis {
    window: Window,
    as_of_seconds: i64,
    lens: Lens,
    /// What operators decided about people.
    links: Vec<Link>,
    has_lines: bool,
    /// In the order of the report, with their snapshots where they have been analysed.
    repositories: Vec<(BatchRepository, Option<StoredSnapshot>)>,
    inputs: Option<Digest>,
}

/// Sums up a batch as seen through `window` and `lens`. `as_of_seconds` (UTC) is what "in the future" is measured
/// against; its day, in the zone of the window, is what ages and who has left are.
///
/// # Errors
///
/// Where the store fails or lacks what it said it has.
pub async fn aggregate(
    store: &dyn Store,
    batch: BatchId,
    window: &Window,
    scope: Scope,
    lens: &Lens,
    as_of_seconds: i64,
) -> Result<Report> {
    Basis::of(store, batch, window, scope, lens, as_of_seconds).await?.report(store).await
}

impl Basis {
    /// # Errors
    ///
    /// Where the store fails or lacks what it said it has.
    pub async fn of(
        store: &dyn Store,
        batch: BatchId,
        window: &Window,
        scope: Scope,
        lens: &Lens,
        as_of_seconds: i64,
    ) -> Result<Self> {
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
        // Facts name nobody who was erased, so neither may what says who is who.
        let erased = store.erased().await?;
        let lens = redact::ours(&erased, lens).into_owned();
        let links: Vec<Link> = redact::links(&erased, &store.people_links().await?);
        let inputs = inputs((window, as_of_seconds), &lens, &links, &repositories);
        Ok(Self {
            as_of_seconds,
            inputs,
            window: *window,
            lens,
            links,
            has_lines: scope.line_history,
            repositories,
        })
    }

    /// Returns a hash over everything that the report is a function of, of the as-of time its day; `None` where the
    /// store cannot name the content of a snapshot.
    pub fn inputs(&self) -> Option<Digest> {
        self.inputs
    }

    /// Sums up; see [`aggregate`].
    ///
    /// # Errors
    ///
    /// Where the store fails or lacks what it said it has.
    pub async fn report(&self, store: &dyn Store) -> Result<Report> {
        let reading = Arc::new(
            Reading::of(&self.lens)
                .map_err(|_| StoreError::Damaged { what: "a lens that was sound when it was submitted" })?,
        );
        let mut kept: Vec<Option<Read>> = Vec::with_capacity(self.repositories.len());
        let (mut gathered, mut held) = (Gathered::default(), 0);
        for (repository, snapshot) in &self.repositories {
            let Some(snapshot) = snapshot else {
                kept.push(None);
                continue;
            };
            let read = Read::of(store, repository, snapshot, (&self.lens, self.has_lines), &reading).await?;
            gathered.add(read.mailmap(), read.signatures());
            held += read.commits.len();
            kept.push((held <= KEPT_COMMITS).then_some(read));
        }
        let who = Arc::new(Who::of(&gathered, &self.lens, &self.links));
        drop(gathered);
        let several = self.repositories.iter().filter(|(_, snapshot)| snapshot.is_some()).count() > 1;
        let mut sums = Sums {
            activity: Activity::new(self.window, self.as_of_seconds, several),
            chapters: Chapters::new(
                self.window,
                self.as_of_seconds,
                Arc::clone(&who),
                Arc::clone(&reading),
                self.lens.working_hours,
            ),
        };
        let mut rows = Vec::with_capacity(self.repositories.len());
        for ((repository, snapshot), kept) in self.repositories.iter().zip(kept) {
            let Some(snapshot) = snapshot else {
                rows.push(row_without_numbers(repository));
                continue;
            };
            let read = match kept {
                Some(read) => read,
                None => Read::of(store, repository, snapshot, (&self.lens, self.has_lines), &reading).await?,
            };
            let (name, project) = (repository.name.clone(), repository.project_key.clone());
            let (who, is_shallow) = (Arc::clone(&who), snapshot.shallow);
            let (own, again) = aside(move || {
                let own = sums.repository(read, &who, (&name, &project), is_shallow);
                (own, sums)
            })
            .await;
            sums = again;
            let conservation = conservation(store, snapshot, own.mainline).await?;
            rows.push(row(repository, snapshot, own, conservation));
        }
        let requested: Vec<BatchRepository> = self.repositories.iter().map(|(one, _)| one.clone()).collect();
        Ok(aside(move || sums.report(&requested, rows, &who)).await)
    }
}

/// Does heavy work where it keeps nobody waiting: leases are renewed and messages taken meanwhile.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A hash for [`Basis::inputs`]. What is hashed says so in full: versions, conventions, window, lens, what operators
/// decided, and of each repository all that its rows show, with the name of the publication that its numbers come from.
fn inputs(
    (window, as_of_seconds): (&Window, i64),
    lens: &Lens,
    links: &[Link],
    repositories: &[(BatchRepository, Option<StoredSnapshot>)],
) -> Option<Digest> {
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
    add(&window.day_of(as_of_seconds));
    add(&(lens, links));
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
struct Sums {
    activity: Activity,
    chapters: Chapters,
}

impl Sums {
    fn repository(&mut self, read: Read, who: &Who, (name, project): (&str, &str), is_shallow: bool) -> Own {
        let history = History::of(read, who);
        let (own, is_first) = self.activity.repository(name, is_shallow, &history);
        self.chapters.repository(&history, &Place { name, project, is_first: &is_first });
        own
    }

    fn report(mut self, requested: &[BatchRepository], rows: Vec<RepositoryRow>, who: &Who) -> Report {
        let Self { activity, chapters } = &mut self;
        let mut work = activity.developers.0.clone();
        work.extend(activity.bots.0.clone());
        chapters.finish(&work, &activity.repositories_of);
        let coverage = coverage(requested);
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            window: window_section(&chapters.window, chapters.as_of, requested),
            totals: activity.totals(coverage.repositories_requested),
            weeks: activity.week_rows(),
            developers: activity.developer_rows(who),
            developer_weeks: activity.developer_week_rows(who),
            languages: activity.language_rows(),
            tables: std::mem::take(&mut chapters.tables),
            data_quality: activity.data_quality(&rows),
            repositories: rows,
            coverage,
            method: Method {
                method_version: METHOD_VERSION,
                facts_version: FACTS_VERSION,
                conventions: method::conventions(),
            },
        };
        report.tables.findings = findings::findings(&report, &chapters.context());
        report
    }
}

fn window_section(window: &Window, as_of: NaiveDate, requested: &[BatchRepository]) -> WindowSection {
    let (from, until) = window.bounds();
    let instant = |seconds: Option<i64>| seconds.and_then(|seconds| window.format(seconds));
    WindowSection {
        label: window.to_string(),
        time_zone: window.zone().name().to_owned(),
        from: instant(from),
        until: instant(until),
        revisions: revisions(requested),
        as_of: as_of.to_string(),
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

fn coverage(requested: &[BatchRepository]) -> Coverage {
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

fn revisions(requested: &[BatchRepository]) -> String {
    let distinct: BTreeSet<String> =
        requested.iter().map(|repository| repository.revisions.to_string()).collect();
    if distinct.is_empty() {
        return "default branch".to_owned();
    }
    distinct.into_iter().collect::<Vec<_>>().join(", ")
}
