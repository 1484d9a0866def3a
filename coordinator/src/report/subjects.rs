//! Which repositories come first where not all can be drawn: those with most commits in the window.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Report;
use super::tables::{GroupRow, MetricRow};
use gitfleet_shared::metrics::share::Ratio;

/// Returns the names of repositories of which something is known, most commits first, then by name.
pub(super) fn repositories(report: &Report, is_known: impl Fn(&str) -> bool) -> Vec<&str> {
    let commits: BTreeMap<&str, u64> =
        groups(report, "repository").map(|row| (row.subject.as_str(), row.commits)).collect();
    let names: BTreeSet<&str> = report.repositories.iter().map(|row| row.name.as_str()).collect();
    let mut names: Vec<&str> = names.into_iter().filter(|name| is_known(name)).collect();
    // Stable: equals stay in the order of their names.
    names.sort_by_key(|name| std::cmp::Reverse(commits.get(name).copied().unwrap_or(0)));
    names
}

/// Returns the groups of a scope over the whole window.
pub(super) fn groups<'a>(report: &'a Report, scope: &'a str) -> impl Iterator<Item = &'a GroupRow> {
    report.tables.groups.iter().filter(move |row| row.scope == scope)
}

/// Returns what everything together comes to.
pub(super) fn organisation(report: &Report) -> Option<&GroupRow> {
    groups(report, "organisation").next()
}

/// Returns the value of one metric of one subject.
pub(super) fn metric(report: &Report, scope: &str, subject: &str, metric: &str, part: &str) -> Option<Ratio> {
    let is_it = |row: &&MetricRow| {
        row.metric == metric && row.part == part && row.scope == scope && row.subject == subject
    };
    report.tables.metrics.iter().find(is_it)?.value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn most_commits_come_first() {
        let report = sample::rich();
        let names = repositories(&report, |name| name != "alpha");
        assert!(names[0].starts_with("<script>"));
        assert_eq!(names[1..], ["empty one", "zeta"]);
        assert_eq!(organisation(&report).map(|row| row.commits), Some(1_234));
        assert_eq!(
            metric(&report, "organisation", "", "ticket_coverage", "").map(Ratio::ten_thousandths),
            Some(4_000)
        );
        assert_eq!(organisation(&sample::empty()), None);
    }
}
