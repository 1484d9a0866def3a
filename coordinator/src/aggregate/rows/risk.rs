//! Hotspots, ownership, churn, coupling, entropy, truck factor, and what line history says.

use std::collections::BTreeSet;

use gitfleet_shared::metrics::coupling::Thresholds;
use gitfleet_shared::metrics::share::Ratio;
use gitfleet_shared::metrics::truck_factor::{self, TruckFactor};

use super::super::chapters::{Chapters, Place};
use super::super::history::History;
use super::super::lines::LineFacts;
use super::super::risk::{Risk, SourceFile};
use super::super::subject::{LineSums, Subject, SubjectSums};
use super::text;
use crate::report::tables::{
    BurndownRow, ComponentRow, CouplingRow, EntropyRow, FileRow, SurvivalRow, TruckFactorRow,
};

/// Files of a repository that are listed: so many of the hottest, and as many of the largest.
const LISTED_FILES: usize = 100;
const LISTED_PAIRS: usize = 200;
/// Ages at which survival is told.
const SURVIVAL_DAYS: [i64; 14] = [0, 7, 14, 21, 30, 60, 90, 180, 365, 548, 730, 1_095, 1_825, 3_650];

pub(in super::super) fn repository(
    chapters: &mut Chapters,
    history: &History,
    risk: &Risk,
    lines: Option<&LineFacts>,
    place: &Place<'_>,
) {
    for file in listed(&risk.files) {
        let row = file_row(chapters, history, file, lines, place);
        chapters.tables.files.push(row);
    }
    for (name, component) in &risk.components {
        let owner = component.hands.owner();
        let [churned, deleted, files_churned, changes, weeks, per_week, to_deleted, per_change] =
            component.churn.measures(component.size);
        chapters.tables.components.push(ComponentRow {
            repository: place.name.to_owned(),
            component: name.clone(),
            files: component.size.files,
            lines: component.size.lines,
            commits: component.hands.commits(),
            people: component.hands.0.len() as u64,
            owner: owner.and_then(|(person, _)| chapters.who.label(person).name),
            owner_share: owner.map(|(_, share)| share),
            minor_contributors: component.hands.minor_contributors(),
            fragmentation: component.hands.fragmentation(),
            churned_share: churned,
            deleted_share: deleted,
            files_churned_share: files_churned,
            changes_per_file: changes,
            weeks_per_file: weeks,
            lines_per_week: per_week,
            churned_to_deleted: to_deleted,
            lines_per_change: per_change,
        });
    }
    // Of what is not at the tip any more nobody needs to know.
    let at_tip: BTreeSet<_> = risk.files.iter().map(|file| file.id).collect();
    let pairs = risk.coupling.iter().filter(|pair| at_tip.contains(&pair.a) && at_tip.contains(&pair.b));
    for pair in pairs.take(LISTED_PAIRS) {
        chapters.tables.coupling.push(CouplingRow {
            what: "files".to_owned(),
            repository_a: place.name.to_owned(),
            a: text(&history.names[pair.a as usize]),
            repository_b: place.name.to_owned(),
            b: text(&history.names[pair.b as usize]),
            shared: pair.shared,
            mean_revisions: Ratio::of(pair.revisions, 2),
            degree: pair.degree,
        });
    }
    for (week, entropy) in &risk.entropy {
        chapters.tables.entropy_weeks.push(EntropyRow {
            repository: place.name.to_owned(),
            week: week.to_string(),
            entropy: *entropy,
        });
    }
}

/// Returns the hottest and the largest files, hottest first.
fn listed(files: &[SourceFile]) -> Vec<&SourceFile> {
    let mut hottest: Vec<&SourceFile> = files.iter().collect();
    hottest.sort_by(|a, b| (b.score, b.lines, &a.path).cmp(&(a.score, a.lines, &b.path)));
    let mut largest = hottest.clone();
    largest.sort_by(|a, b| (b.lines, &a.path).cmp(&(a.lines, &b.path)));
    let kept: BTreeSet<&[u8]> = hottest
        .iter()
        .take(LISTED_FILES)
        .chain(largest.iter().take(LISTED_FILES))
        .map(|file| file.path.as_slice())
        .collect();
    hottest.retain(|file| kept.contains(file.path.as_slice()));
    hottest
}

fn file_row(
    chapters: &Chapters,
    history: &History,
    file: &SourceFile,
    lines: Option<&LineFacts>,
    place: &Place<'_>,
) -> FileRow {
    let owner = file.hands.owner();
    let held = lines.and_then(|lines| lines.of_file(history, &file.path, chapters.as_of_seconds));
    FileRow {
        repository: place.name.to_owned(),
        path: text(&file.path),
        lines: file.lines,
        revisions: file.revisions,
        complexity: file.complexity,
        hotspot_score: file.score,
        people: file.hands.0.len() as u64,
        owner: owner.and_then(|(person, _)| chapters.who.label(person).name),
        owner_share: owner.map(|(_, share)| share),
        authors: file.authors.len() as u64,
        largest_holder_share: held.as_ref().and_then(|held| held.holdings.largest()).map(|(_, share)| share),
        median_age_days: held.as_ref().and_then(|held| held.ages.median_days()),
        history_complexity: file.history_complexity,
    }
}

/// Returns the truck factor of a scope's files.
pub(in super::super) fn truck_factor(chapters: &Chapters, sums: &SubjectSums) -> Option<TruckFactor> {
    truck_factor::of_files(sums.files.iter().map(|file| &chapters.files[*file]))
}

/// The tables that need all repositories.
pub(in super::super) fn finish(chapters: &mut Chapters) {
    for (scope, sums) in &chapters.subjects {
        let Some(factor) = truck_factor(chapters, sums) else { continue };
        for (rank, (person, files)) in (1..).zip(&factor.taken) {
            chapters.tables.truck_factor.push(TruckFactorRow {
                scope: scope.name().to_owned(),
                subject: scope.subject().to_owned(),
                rank,
                person: chapters.who.label(*person).name,
                files: *files,
                share: Ratio::of(*files, factor.files),
            });
        }
    }
    for (scope, sums) in &chapters.subjects {
        if let (Subject::Organisation | Subject::Repository(_), Some(lines)) = (scope, &sums.lines) {
            let rows = (survival(scope, lines), burndown(scope, lines));
            chapters.tables.survival.extend(rows.0);
            chapters.tables.burndown.extend(rows.1);
        }
    }
    across(chapters);
}

fn survival(scope: &Subject, lines: &LineSums) -> Vec<SurvivalRow> {
    let row = |days: i64| {
        let surviving = lines.lives.surviving(days)?;
        let (scope, subject) = (scope.name().to_owned(), scope.subject().to_owned());
        Some(SurvivalRow { scope, subject, days, surviving })
    };
    SURVIVAL_DAYS.into_iter().filter_map(row).collect()
}

fn burndown(scope: &Subject, lines: &LineSums) -> Vec<BurndownRow> {
    let (when, cohorts) = lines.burndown.table();
    let mut rows = Vec::new();
    for (written, standing) in cohorts {
        for (at, lines) in when.iter().zip(standing) {
            if lines != 0 {
                rows.push(BurndownRow {
                    scope: scope.name().to_owned(),
                    subject: scope.subject().to_owned(),
                    written: written.to_string(),
                    at: at.to_string(),
                    lines,
                });
            }
        }
    }
    rows
}

/// Coupling of components of different repositories.
fn across(chapters: &mut Chapters) {
    let pairs = chapters.across().pairs(Thresholds::default());
    let name = |number: u32| &chapters.components[number as usize];
    let pairs = pairs.iter().filter(|pair| name(pair.a).0 != name(pair.b).0);
    let rows: Vec<CouplingRow> = pairs
        .take(LISTED_PAIRS)
        .map(|pair| CouplingRow {
            what: "repositories".to_owned(),
            repository_a: name(pair.a).0.clone(),
            a: name(pair.a).1.clone(),
            repository_b: name(pair.b).0.clone(),
            b: name(pair.b).1.clone(),
            shared: pair.shared,
            mean_revisions: Ratio::of(pair.revisions, 2),
            degree: pair.degree,
        })
        .collect();
    chapters.tables.coupling.extend(rows);
}
