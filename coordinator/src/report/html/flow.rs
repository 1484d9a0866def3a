//! How changes reach a release, and how much of what is changed was written lately.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};

use crate::report::html::chart::{self, Along, Chart, Series, Side};
use crate::report::html::section::{nothing, section};
use crate::report::html::stack::{self, Band, Stack, Whole};
use crate::report::html::work::Weeks;
use crate::report::html::{grid, releases};
use crate::report::model::Report;
use crate::report::number::{counted, percent};
use crate::report::row::Table;
use crate::report::shown::{self, UNKNOWN};
use crate::report::tables::{DeploymentRow, DoraRow};

const LEAD: &str = "<span class=\"badge proxy\">release-based proxy</span> A release, by its tag, stands for a \
deployment; a revert or a patch release for a failure. A library's releases are no deployments, and there is no level \
such as \"high\" here: compare a service with its own past, not with other services.";

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let lists: String = [
        Table::of("deployments", "Releases, newest first", &tables.deployments),
        Table::of("requests", "Pull and merge requests, newest first", &tables.requests),
    ]
    .iter()
    .map(grid::render)
    .collect();
    let by_group = if tables.dora.is_empty() {
        String::new()
    } else {
        // Whoever wants a component looks for it; the whole comes first.
        let mut rows = tables.dora.clone();
        rows.sort_by_key(|row| row.scope == "component");
        let table = Table::of("dora", "The five DORA metrics by repository, project and component", &rows);
        format!("<h3>By repository and component</h3>\n{}", grid::open(&table))
    };
    let body = format!(
        "{}{}{}{by_group}{}{lists}",
        panel(&tables.dora),
        months(&tables.deployments),
        releases::render(report),
        rework(&Weeks::of(report))
    );
    if body.is_empty() {
        return section(
            "flow",
            "Flow",
            "",
            &nothing("No tag looks like a release, and no request was merged."),
        );
    }
    section("flow", "Flow", LEAD, &body)
}

/// The five numbers of everything together.
fn panel(rows: &[DoraRow]) -> String {
    let Some(row) = rows.iter().find(|row| row.scope == "organisation") else {
        return String::new();
    };
    let span = |seconds: Option<i64>| seconds.map_or(UNKNOWN.to_owned(), shown::span);
    let share = |share: Option<_>| share.map_or(UNKNOWN.to_owned(), shown::percent);
    let frequency = row.deployments_per_week.map_or(UNKNOWN.to_owned(), shown::decimal);
    let tiles = [
        ("Change lead time, median", span(row.lead_median_seconds), "from writing to release"),
        ("Releases each week", frequency, "instead of deployments"),
        ("Change fail rate", share(row.change_fail_rate), "releases that a repair followed"),
        ("Recovery time, median", span(row.recovery_median_seconds), "until the release with the fix"),
        ("Rework rate", share(row.deployment_rework_rate), "patch versions and hotfixes"),
    ];
    let tiles: String = tiles
        .iter()
        .map(|(name, value, remark)| {
            let digits = value.chars().count();
            format!(
                "<div><dt>{name}</dt><dd><b style=\"--digits:{digits}\">{value}</b><span>{remark}</span></dd></div>\n"
            )
        })
        .collect();
    format!(
        "<dl class=\"tiles five\">\n{tiles}</dl>\n<p class=\"note\">Over {}. A dash: not known, and not zero.</p>\n",
        counted(row.deployments, "release", "releases")
    )
}

/// Frequency and lead time by month, up to the last month with a release.
fn months(rows: &[DeploymentRow]) -> String {
    let mut by_month: BTreeMap<NaiveDate, Vec<i64>> = BTreeMap::new();
    let mut releases: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    for row in rows {
        let Some(month) = releases::day(row).and_then(|day| day.with_day(1)) else { continue };
        *releases.entry(month).or_default() += 1;
        by_month.entry(month).or_default().extend(row.lead_median_seconds);
    }
    let (Some(first), Some(last)) = (releases.keys().next(), releases.keys().next_back()) else {
        return String::new();
    };
    let n = (last.year() - first.year()) * 12 + last.month0() as i32 - first.month0() as i32 + 1;
    if n < 2 {
        return String::new();
    }
    let days: Vec<NaiveDate> = (0..n.unsigned_abs()).map(|i| *first + Months::new(i)).collect();
    let frequency: Vec<Option<u64>> =
        days.iter().map(|day| Some(releases.get(day).copied().unwrap_or(0))).collect();
    let lead: Vec<Option<i64>> = days.iter().map(|day| median(by_month.get(day)?)).collect();
    let label = |day: &NaiveDate| day.format("%b %Y").to_string();
    let frequency_tips = days
        .iter()
        .zip(&frequency)
        .map(|(day, n)| format!("{}: {}", label(day), counted(n.unwrap_or(0), "release", "releases")))
        .collect();
    let lead_tips = days
        .iter()
        .zip(&lead)
        .map(|(day, lead)| {
            let span = lead.map_or("not known".to_owned(), shown::span);
            format!("{}: {span}", label(day))
        })
        .collect();
    let in_days =
        lead.iter().map(|lead| lead.and_then(|seconds| u64::try_from(seconds / 86_400).ok())).collect();
    let figure = |title: &str, chart: &Chart<'_>| {
        format!("<figure>\n<figcaption>{title}</figcaption>\n{}</figure>\n", chart::render(chart))
    };
    let frequency = Chart {
        id: "releases-chart",
        title: "Releases by month",
        description: format!("Releases in each of {n} months."),
        series: vec![Series { class: "commits", side: Side::Up, values: frequency }],
        along: Along::Days(&days),
        suffix: "",
        tips: frequency_tips,
    };
    let lead = Chart {
        id: "lead-chart",
        title: "Change lead time by month",
        description: "Median of the releases' median lead times, in days.".to_owned(),
        series: vec![Series { class: "additions", side: Side::Up, values: in_days }],
        along: Along::Days(&days),
        suffix: " d",
        tips: lead_tips,
    };
    format!(
        "<div class=\"pair\">\n{}{}</div>\n",
        figure("Releases by month", &frequency),
        figure("Lead time by month, median in days", &lead)
    )
}

/// Returns the lower middle of the values.
fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// Changed lines by their age, where line history is known.
fn rework(weeks: &Weeks) -> String {
    let bands: Vec<Band> = [
        ("Deleted within three weeks by their author", "c1", weeks.sums(|row| row.rework_own.unwrap_or(0))),
        ("Deleted within three weeks by others", "c3", weeks.sums(|row| row.rework_others.unwrap_or(0))),
        ("Older lines", "c2", weeks.sums(|row| row.refactored.unwrap_or(0))),
    ]
    .into_iter()
    .map(|(name, class, values)| Band { name: name.to_owned(), class: class.to_owned(), values })
    .collect();
    let tips = (0..weeks.days.len())
        .map(|i| {
            let all = bands.iter().fold(0_u64, |sum, band| sum.saturating_add(band.values[i]));
            let young = all - bands[2].values[i].min(all);
            let lines = counted(all, "deleted line", "deleted lines");
            format!("{}: {} of {lines} younger than three weeks", weeks.label(i), percent(young, all))
        })
        .collect();
    let chart = stack::render(&Stack {
        id: "rework-chart".to_owned(),
        title: "Deleted lines by age over time",
        description: "Share of deleted lines that were written less than three weeks before.".to_owned(),
        bands,
        days: &weeks.days,
        tips,
        whole: Whole::Hundred,
    });
    match chart.as_str() {
        "" => String::new(),
        chart => format!(
            "<figure>\n<figcaption>Deleted lines by age</figcaption>\n{chart}<p class=\"note\">Rework is no fault of \
             anyone: young lines go where requirements move, reviews come late or something is being found out.</p>\n\
             </figure>\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_proxy_is_called_one_and_has_no_level() {
        let text = render(&sample::large(90, 20, 6));
        assert!(text.contains("release-based proxy"));
        assert_eq!(text.matches("<div><dt>").count(), 5);
        for level in ["elite", "Elite", "High", "Low", "Medium"] {
            assert!(!text.contains(level), "{level}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let text =
            panel(&[DoraRow { scope: "organisation".to_owned(), deployments: 1, ..DoraRow::default() }]);
        assert_eq!(text.matches(">-</b>").count(), 5);
        assert!(render(&sample::empty()).contains("No tag looks like a release"));
    }

    #[test]
    fn the_median_is_the_lower_middle() {
        assert_eq!((median(&[]), median(&[3, 1, 2]), median(&[4, 1, 3, 2])), (None, Some(2), Some(2)));
    }
}
