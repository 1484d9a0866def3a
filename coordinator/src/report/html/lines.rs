//! Where the lines of today come from, and how long lines live.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::report::escape::html_name;
use crate::report::html::chart::{self, Along, Chart, Series, Side};
use crate::report::html::stack::{self, Band, Stack, Whole};
use crate::report::model::Report;
use crate::report::number::counted;
use crate::report::shown;
use crate::report::subjects;
use crate::report::tables::BurndownRow;

const MAX_REPOSITORIES: usize = 10;
/// More bands cannot be told apart; older ones are joined.
const MAX_BANDS: usize = 12;

pub(super) fn render(report: &Report) -> String {
    let mut out = survival(report);
    out.push_str(&burndowns(report));
    out
}

fn burndowns(report: &Report) -> String {
    let of = |scope: &str, name: &str| -> Vec<&BurndownRow> {
        report.tables.burndown.iter().filter(|row| row.scope == scope && row.subject == name).collect()
    };
    let all = chart("burndown-all", &of("organisation", ""));
    let names = subjects::repositories(report, |name| {
        report.tables.burndown.iter().any(|row| row.scope == "repository" && row.subject == name)
    });
    let each: String = names
        .iter()
        .take(MAX_REPOSITORIES)
        .enumerate()
        .map(|(i, name)| match chart(&format!("burndown-{i}"), &of("repository", name)).as_str() {
            "" => String::new(),
            chart => format!(
                "<details name=\"burndown\">\n<summary><bdi>{}</bdi></summary>\n<figure>\n{chart}</figure>\n</details>\n",
                html_name(name)
            ),
        })
        .collect();
    if all.is_empty() && each.is_empty() {
        return String::new();
    }
    let each = if each.is_empty() { each } else { format!("<div class=\"tabs\">\n{each}</div>\n") };
    let all = if all.is_empty() { all } else { format!("<figure>\n{all}</figure>\n") };
    format!("<h3>Lines of source by when they were written</h3>\n{all}{each}")
}

/// Quarters are counted from year 0.
fn quarter(text: &str) -> Option<i32> {
    let (year, quarter) = text.split_once("-Q")?;
    let (year, quarter): (i32, i32) = (year.parse().ok()?, quarter.parse().ok()?);
    ((1970..2100).contains(&year) && (1..=4).contains(&quarter)).then_some(year * 4 + quarter - 1)
}

fn name(quarter: i32) -> String {
    format!("{}-Q{}", quarter.div_euclid(4), quarter.rem_euclid(4) + 1)
}

fn first_day(quarter: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(quarter.div_euclid(4), quarter.rem_euclid(4).unsigned_abs() * 3 + 1, 1)
}

fn chart(id: &str, rows: &[&BurndownRow]) -> String {
    let mut standing: BTreeMap<(i32, i32), u64> = BTreeMap::new();
    for row in rows {
        let (Some(written), Some(at)) = (quarter(&row.written), quarter(&row.at)) else { continue };
        let lines = standing.entry((written, at)).or_default();
        *lines = lines.saturating_add(u64::try_from(row.lines).unwrap_or(0));
    }
    let ats = || standing.keys().map(|(_, at)| *at);
    let (Some(first), Some(last)) = (ats().min(), ats().max()) else { return String::new() };
    let written: Vec<i32> = {
        let mut written: Vec<i32> = standing.keys().map(|(written, _)| *written).collect();
        written.dedup();
        written
    };
    let days: Vec<NaiveDate> = (first..=last).filter_map(first_day).collect();
    let per = written.len().div_ceil(MAX_BANDS);
    let cohorts: Vec<&[i32]> = written.chunks(per).collect();
    let bands: Vec<Band> = cohorts
        .iter()
        .enumerate()
        .map(|(i, cohort)| Band {
            name: match cohort {
                [only] => name(*only),
                many => format!("{} to {}", name(many[0]), name(many[many.len() - 1])),
            },
            class: format!("b{}", i * MAX_BANDS / cohorts.len()),
            values: (first..=last)
                .map(|at| {
                    let of = |written: &i32| standing.get(&(*written, at)).copied().unwrap_or(0);
                    cohort.iter().map(of).fold(0, u64::saturating_add)
                })
                .collect(),
        })
        .collect();
    let tips = (first..=last)
        .enumerate()
        .map(|(i, at)| {
            let all = bands.iter().fold(0_u64, |sum, band| sum.saturating_add(band.values[i]));
            format!("End of {}: {}", name(at), counted(all, "line", "lines"))
        })
        .collect();
    stack::render(&Stack {
        id: id.to_owned(),
        title: "Lines by when they were written",
        description: format!(
            "Lines of source at the end of each quarter from {} to {}.",
            name(first),
            name(last)
        ),
        bands,
        days: &days,
        tips,
        whole: Whole::Highest,
    })
}

fn survival(report: &Report) -> String {
    let of_all: Vec<_> = report.tables.survival.iter().filter(|row| row.scope == "organisation").collect();
    if of_all.len() < 2 {
        return String::new();
    }
    let names: Vec<String> = of_all.iter().map(|row| age(row.days)).collect();
    let percent = |n: i64| u64::try_from(n.clamp(0, 10_000) / 100).unwrap_or(0);
    let values = of_all.iter().map(|row| Some(percent(row.surviving.ten_thousandths()))).collect();
    let tips = of_all
        .iter()
        .map(|row| format!("After {}: {} still there", shown::days(row.days), shown::percent(row.surviving)))
        .collect();
    let chart = Chart {
        id: "survival-chart",
        title: "Survival of lines by age",
        description: "Share of written lines that still stand after each age.".to_owned(),
        series: vec![Series { class: "additions", side: Side::Up, values }],
        along: Along::Names(&names),
        suffix: "%",
        tips,
    };
    format!(
        "<figure>\n<figcaption>How long lines live</figcaption>\n{}<p class=\"note\">Kaplan-Meier: lines that are still \
         there count for as long as they were seen. The ages are not evenly spaced. Old is not bad.</p>\n</figure>\n",
        chart::render(&chart)
    )
}

fn age(days: i64) -> String {
    match days {
        n if n < 60 => format!("{n} d"),
        n if n < 365 => format!("{} mo", n / 30),
        n if n % 365 < 10 => format!("{} y", n / 365),
        n => format!("{:.1} y", n as f64 / 365.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn cohorts_are_joined_to_twelve_bands() {
        let rows: Vec<BurndownRow> = (0..30)
            .map(|i| BurndownRow {
                written: name(2015 * 4 + i),
                at: name(2015 * 4 + i),
                lines: 100,
                ..BurndownRow::default()
            })
            .collect();
        let text = chart("x", &rows.iter().collect::<Vec<_>>());
        assert_eq!(text.matches("class=\"band").count(), 10);
        assert!(text.contains("2015-Q1 to 2015-Q3"));
        assert!(text.contains("data-t=\"End of 2022-Q2: 100 lines\""));
    }

    #[test]
    fn hostile_quarters_are_not_drawn() {
        for text in ["", "x-Q1", "2026-Q5", "-Q", "9999999999-Q1", "0001-Q1"] {
            assert_eq!(quarter(text), None, "{text}");
        }
        assert_eq!(render(&sample::empty()), "");
        assert!(!render(&sample::rich()).contains("NaN"));
    }

    #[test]
    fn ages_are_short() {
        assert_eq!([7, 90, 365, 548, 1_825].map(age), ["7 d", "3 mo", "1 y", "1.5 y", "5 y"]);
    }
}
