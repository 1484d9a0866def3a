//! Two reports compared: which numbers moved, and what could have moved them.
//!
//! A report is a function of facts, configuration and time, so a number moves because a repository did, because the
//! configuration did, or because gitfleet did. The manifests say which; where nothing of a repository changed and the
//! configuration is the same, a moved number would be a defect, and is called one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::manifest::Manifest;
use crate::report::model::Report;
use crate::report::row::Cell;

/// A report with its manifest.
pub struct Side {
    pub report: Report,
    pub manifest: Manifest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs beside the numbers.
    pub causes: Vec<Cause>,
    /// Numbers that moved, by subject and name.
    pub moved: Vec<Moved>,
    /// How many numbers were compared.
    pub compared: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// "repository", "configuration", "window", "facts_version", "method_version", "gitfleet_version" or "as_of".
    pub what: String,
    /// The repository; empty for what concerns all.
    pub subject: String,
    pub from: String,
    pub to: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub scope: String,
    pub subject: String,
    pub number: String,
    /// Empty where it was not known, or not there.
    pub from: String,
    pub to: String,
    pub because: String,
}

/// Names a number: scope, subject, name.
type Name = (String, String, String);

/// Compares two reports.
pub fn difference(a: &Side, b: &Side) -> Difference {
    let causes = causes(a, b);
    let (before, after) = (numbers(&a.report), numbers(&b.report));
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    let compared = names.len() as u64;
    let moved = names
        .into_iter()
        .filter_map(|name| {
            let value = |numbers: &BTreeMap<Name, String>| numbers.get(name).cloned().unwrap_or_default();
            let (from, to) = (value(&before), value(&after));
            let (scope, subject, number) = name.clone();
            (from != to).then(|| {
                let because = because(&causes, &scope, &subject);
                Moved { scope, subject, number, from, to, because }
            })
        })
        .collect();
    Difference { causes, moved, compared }
}

fn causes(a: &Side, b: &Side) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |what: &str, subject: &str, from: String, to: String| {
        if from != to {
            let (what, subject) = (what.to_owned(), subject.to_owned());
            causes.push(Cause { what, subject, from, to });
        }
    };
    let window = |side: &Side| {
        let window = &side.report.window;
        format!("{}, {}, {}", window.label, window.revisions, window.time_zone)
    };
    add("window", "", window(a), window(b));
    add("configuration", "", a.manifest.config_hash.clone(), b.manifest.config_hash.clone());
    let method = |side: &Side| side.report.method.method_version.to_string();
    add("method_version", "", method(a), method(b));
    add("facts_version", "", a.manifest.facts_version.to_string(), b.manifest.facts_version.to_string());
    add("gitfleet_version", "", a.manifest.gitfleet_version.clone(), b.manifest.gitfleet_version.clone());
    let runs = |side: &Side| -> BTreeMap<String, String> {
        let told = |run: &crate::manifest::RepositoryRun| {
            let head = run.head.clone().unwrap_or_else(|| run.state.clone());
            (run.name.clone(), format!("{head}, {} commits", run.commits_seen))
        };
        side.manifest.repositories.iter().map(told).collect()
    };
    let (before, after) = (runs(a), runs(b));
    for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let told = |runs: &BTreeMap<String, String>| runs.get(name).cloned().unwrap_or("not there".into());
        add("repository", name, told(&before), told(&after));
    }
    add("as_of", "", a.manifest.started_at.clone(), b.manifest.started_at.clone());
    causes
}

/// Returns why a number may have moved, in a few words.
fn because(causes: &[Cause], scope: &str, subject: &str) -> String {
    let of_all = |cause: &&Cause| cause.what != "repository" && cause.what != "as_of";
    let mut words: Vec<String> = causes.iter().filter(of_all).map(|cause| cause.what.clone()).collect();
    let repositories: Vec<&Cause> = causes.iter().filter(|cause| cause.what == "repository").collect();
    if scope == "repository" {
        words.extend(
            repositories.iter().filter(|cause| cause.subject == subject).map(|_| "its commits".into()),
        );
    } else if !repositories.is_empty() {
        words.push(format!("commits of {} repositories", repositories.len()));
    }
    if words.is_empty() && causes.iter().any(|cause| cause.what == "as_of") {
        words.push("time went on".to_owned());
    }
    match words.is_empty() {
        true => "nothing that should: report this".to_owned(),
        false => words.join(", "),
    }
}

/// Returns every number of a report that has a name of its own.
fn numbers(report: &Report) -> BTreeMap<Name, String> {
    let mut numbers = BTreeMap::new();
    for row in &report.tables.metrics {
        let part = if row.part.is_empty() { String::new() } else { format!(".{}", row.part) };
        let name = (row.scope.clone(), row.subject.clone(), format!("{}{part}", row.metric));
        numbers.insert(name, row.value.map(|value| value.to_string()).unwrap_or_default());
    }
    for table in report.tables.all().iter().filter(|table| table.name == "groups") {
        for row in &table.rows {
            let [Cell::Text(scope), Cell::Text(subject), ..] = row.as_slice() else { continue };
            for (column, cell) in table.columns.iter().zip(row).skip(3) {
                let name = (scope.clone(), subject.clone(), column.name.to_owned());
                numbers.insert(name, text(cell));
            }
        }
    }
    let all = |name: &str| ("organisation".to_owned(), String::new(), name.to_owned());
    for row in &report.languages {
        numbers
            .insert(all(&format!("language.{}", row.language)), (row.additions + row.deletions).to_string());
    }
    numbers.insert(all("repositories_analysed"), report.coverage.repositories_analysed.to_string());
    numbers.insert(all("repositories_failed"), report.coverage.repositories_failed.to_string());
    numbers
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => count.to_string(),
        Cell::Signed(number) => number.to_string(),
        Cell::Ratio(ratio) => ratio.to_string(),
        Cell::Flag(flag) => flag.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::RepositoryRun;
    use crate::report::sample;
    use crate::report::tables::{GroupRow, MetricRow};

    fn side(commits: u64, head: &str, config: &str) -> Side {
        let mut report = sample::empty();
        let group = |scope: &str, subject: &str| GroupRow {
            scope: scope.to_owned(),
            subject: subject.to_owned(),
            commits,
            ..GroupRow::default()
        };
        report.tables.groups =
            vec![group("organisation", ""), group("repository", "a"), group("repository", "b")];
        report.tables.metrics = vec![MetricRow { metric: "rework".to_owned(), ..MetricRow::default() }];
        let run = |name: &str, head: &str| RepositoryRun {
            name: name.to_owned(),
            head: Some(head.to_owned()),
            state: "analysed".to_owned(),
            failure_class: None,
            commits_seen: commits,
            commits_new: 0,
            cache_hits: 0,
            worker_millis: 0,
        };
        let manifest = Manifest {
            manifest_version: 1,
            gitfleet_version: "1".to_owned(),
            facts_version: 1,
            batch: String::new(),
            started_at: String::new(),
            finished_at: String::new(),
            elapsed_millis: 0,
            worker_slots: 1,
            config_hash: config.to_owned(),
            repositories: vec![run("a", head), run("b", "same")],
        };
        Side { report, manifest }
    }

    #[test]
    fn numbers_that_moved_say_why() {
        let mut after = side(5, "new", "c");
        after.manifest.repositories[1].commits_seen = 3;
        let found = difference(&side(3, "old", "c"), &after);
        assert_eq!(found.causes.len(), 1, "{:?}", found.causes);
        let moved: Vec<_> = found
            .moved
            .iter()
            .map(|one| {
                (
                    one.subject.as_str(),
                    one.number.as_str(),
                    one.from.as_str(),
                    one.to.as_str(),
                    one.because.as_str(),
                )
            })
            .collect();
        assert_eq!(
            moved,
            [
                ("", "commits", "3", "5", "commits of 1 repositories"),
                ("a", "commits", "3", "5", "its commits"),
                ("b", "commits", "3", "5", "nothing that should: report this"),
            ]
        );
    }

    #[test]
    fn the_same_twice_is_no_difference() {
        let found = difference(&side(3, "x", "c"), &side(3, "x", "c"));
        assert_eq!((found.causes.len(), found.moved.len()), (0, 0));
        assert!(found.compared > 50);
        let found = difference(&side(3, "x", "c"), &side(4, "x", "d"));
        assert!(found.moved.iter().all(|one| one.because.starts_with("configuration")));
    }
}
