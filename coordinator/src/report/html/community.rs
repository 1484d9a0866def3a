//! Who joins, stays and leaves, counted and not named; and working hours where they were asked for.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::report::escape::{html, html_name};
use crate::report::html::chart::{self, Along, Chart, Series, Side};
use crate::report::html::grid;
use crate::report::html::heat::{SHADES, shade};
use crate::report::html::section::{nothing, section};
use crate::report::model::Report;
use crate::report::number::{counted, grouped, percent};
use crate::report::row::Table;
use crate::report::tables::{CohortRow, MonthRow};

const MAX_MONTHS: usize = 180;
const MAX_COHORTS: usize = 24;
const MAX_TEAMS: usize = 12;

pub(super) fn render(report: &Report) -> String {
    let tables = &report.tables;
    let lists: String = [
        Table::of("contributor_months", "Contributors by month", &tables.contributor_months),
        Table::of("cohorts", "Retention of newcomers by quarter", &tables.cohorts),
        Table::of("hours", "Working hours", &tables.hours),
    ]
    .iter()
    .map(grid::render)
    .collect();
    let body =
        format!("{}{}{}{lists}", months(&tables.contributor_months), cohorts(&tables.cohorts), hours(report));
    if body.is_empty() {
        return section(
            "community",
            "Community",
            "",
            &nothing("Nobody has a commit with a date that can be drawn."),
        );
    }
    let lead = "People with a commit, over all history. Headcount is not output.";
    section("community", "Community", lead, &body)
}

fn months(rows: &[MonthRow]) -> String {
    let first = NaiveDate::from_ymd_opt(1990, 1, 1).expect("the day is in the calendar");
    let plausible: Vec<(NaiveDate, &MonthRow)> = rows
        .iter()
        .filter_map(|row| Some((format!("{}-01", row.month).parse::<NaiveDate>().ok()?, row)))
        .filter(|(day, _)| *day >= first)
        .collect();
    let shown = &plausible[plausible.len().saturating_sub(MAX_MONTHS)..];
    if shown.is_empty() {
        return String::new();
    }
    let days: Vec<NaiveDate> = shown.iter().map(|(day, _)| *day).collect();
    let values = |count: fn(&MonthRow) -> u64| shown.iter().map(|(_, row)| Some(count(row))).collect();
    let tips = shown
        .iter()
        .map(|(day, row)| {
            let active = grouped(row.active);
            format!("{}: {active} active, {} new, {} leaving", day.format("%b %Y"), row.new, row.leaving)
        })
        .collect();
    let chart = Chart {
        id: "months-chart",
        title: "Contributors by month",
        description: format!(
            "Active, new and leaving people in {}.",
            counted(shown.len() as u64, "month", "months")
        ),
        series: vec![
            Series { class: "commits", side: Side::Up, values: values(|row| row.active) },
            Series { class: "additions", side: Side::Up, values: values(|row| row.new) },
            Series { class: "deletions", side: Side::Down, values: values(|row| row.leaving) },
        ],
        along: Along::Days(&days),
        suffix: "",
        tips,
    };
    format!(
        "<figure>\n<figcaption>Contributors by month <span class=\"key commits\">active</span> <span class=\"key \
         additions\">new</span> <span class=\"key deletions\">leaving</span></figcaption>\n{}<p class=\"note\">Leaving: \
         the last commit was in that month, and 180 days or more have passed since. So nobody leaves in the last six \
         months yet.</p>\n</figure>\n",
        chart::render(&chart)
    )
}

fn cohorts(rows: &[CohortRow]) -> String {
    let mut by_quarter: BTreeMap<&str, Vec<&CohortRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.after < MAX_COHORTS as u64) {
        by_quarter.entry(&row.quarter).or_default().push(row);
    }
    let skipped = by_quarter.len().saturating_sub(MAX_COHORTS);
    let shown: Vec<_> = by_quarter.into_iter().skip(skipped).collect();
    let n = shown.iter().flat_map(|(_, rows)| rows).map(|row| row.after + 1).max().unwrap_or(0);
    if n == 0 {
        return String::new();
    }
    let header: String = (0..n).map(|after| format!("<th scope=\"col\">{after}</th>")).collect();
    let lines: String = shown.iter().map(|(quarter, rows)| cohort(quarter, rows, n)).collect();
    format!(
        "<figure>\n<figcaption>Newcomers who are still there, by quarters since their first commit</figcaption>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"Retention of newcomers\" tabindex=\"0\">\n\
         <table class=\"heat\">\n<caption>Percent of newcomers with a commit so many quarters later</caption>\n<thead><tr>\
         <th scope=\"col\">Quarter</th><th scope=\"col\">People</th>{header}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n\
         </div>\n</figure>\n"
    )
}

fn cohort(quarter: &str, rows: &[&CohortRow], n: u64) -> String {
    let people = rows.first().map_or(0, |row| row.people);
    let cells: String = (0..n)
        .map(|after| match rows.iter().find(|row| row.after == after) {
            None => "<td></td>".to_owned(),
            Some(row) if row.active == 0 => "<td class=\"h0\">0</td>".to_owned(),
            Some(row) => {
                let share = percent(row.active, row.people);
                let whole = share.split('.').next().unwrap_or_default();
                let shade = shade_of(row.active, row.people);
                format!("<td class=\"h{shade}\" title=\"{} of {}\">{whole}</td>", row.active, row.people)
            }
        })
        .collect();
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"plain\">{people}</td>{cells}</tr>\n",
        html_name(quarter)
    )
}

fn shade_of(part: u64, whole: u64) -> u32 {
    let part = u128::from(part.min(whole)) * u128::from(SHADES);
    part.div_ceil(u128::from(whole.max(1))).clamp(1, u128::from(SHADES)) as u32
}

fn hours(report: &Report) -> String {
    let mut teams: BTreeMap<&str, [[u64; 24]; 7]> = BTreeMap::new();
    for row in &report.tables.hours {
        let of_team = teams.entry(&row.team).or_insert([[0; 24]; 7]);
        let place = |n: u64, base: u64| n.checked_sub(base).and_then(|n| usize::try_from(n).ok());
        let day = place(row.weekday, 1).and_then(|day| of_team.get_mut(day));
        if let Some(cell) = day.zip(place(row.hour, 0)).and_then(|(day, hour)| day.get_mut(hour)) {
            *cell = row.commits;
        }
    }
    let cards: String = teams.iter().take(MAX_TEAMS).map(|(team, hours)| card(team, hours)).collect();
    if cards.is_empty() {
        return String::new();
    }
    format!(
        "<h3>Working hours</h3>\n<p class=\"lead\">By the author's own clock, for groups of five people or more. Ask what \
         makes evenings and weekends necessary; never ask who.</p>\n{cards}"
    )
}

fn card(team: &str, hours: &[[u64; 24]; 7]) -> String {
    let highest = hours.iter().flatten().copied().max().unwrap_or(0);
    let title = if team.is_empty() { "Everybody".to_owned() } else { html(team).to_string() };
    let header: String = (0..24).map(|hour| format!("<th scope=\"col\">{hour}</th>")).collect();
    let rows: String = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        .iter()
        .zip(hours)
        .map(|(day, hours)| {
            let cells: String = hours
                .iter()
                .map(|n| match n {
                    0 => "<td class=\"h0\"></td>".to_owned(),
                    n => format!("<td class=\"h{}\">{}</td>", shade(*n, highest), grouped(*n)),
                })
                .collect();
            format!("<tr><th scope=\"row\">{day}</th>{cells}</tr>\n")
        })
        .collect();
    format!(
        "<figure>\n<figcaption><bdi>{title}</bdi></figcaption>\n<div class=\"scroll\" role=\"region\" \
         aria-label=\"Commits by weekday and hour\" tabindex=\"0\">\n<table class=\"heat\">\n<caption>Commits by weekday and \
         hour</caption>\n<thead><tr><td></td>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn hours_are_drawn_only_where_they_are() {
        let mut report = sample::large(60, 20, 3);
        assert!(render(&report).contains("Working hours"));
        report.tables.hours.clear();
        assert!(!render(&report).contains("Working hours"));
    }

    #[test]
    fn hostile_months_and_cohorts_are_not_drawn() {
        let text = render(&sample::rich());
        assert_eq!(text.matches("data-t=").count(), 1);
        assert!(text.contains("<td class=\"h5\" title=\"4 of 4\">100</td>"));
        assert!(render(&sample::empty()).contains("Nobody has a commit"));
    }

    #[test]
    fn shades_are_fifths_of_the_cohort() {
        assert_eq!(
            (shade_of(1, 5), shade_of(5, 5), shade_of(u64::MAX, u64::MAX), shade_of(0, 0)),
            (1, 5, 5, 1)
        );
    }
}
