//! The weekly trend: commits, and lines added above lines deleted.

use chrono::NaiveDate;

use crate::report::escape::html;
use crate::report::html::chart::{self, Along, Chart, Series, Side};
use crate::report::html::section::{nothing, section};
use crate::report::html::table::{self, Column};
use crate::report::html::work::Weeks;
use crate::report::html::{calendar, multiples};
use crate::report::model::{Report, WeekRow};
use crate::report::number::{counted, grouped};
use crate::report::timeline::{self, Point, Timeline};

/// Half a year is what people remember.
const MAX_WEEKS: usize = 26;

pub(super) fn render(report: &Report) -> String {
    let timeline = timeline::timeline(&report.weeks);
    if timeline.points.is_empty() {
        let body = nothing("No week with a date that can be drawn.");
        return section("trend", "Weekly trend", "", &format!("{body}{}", left_out(&timeline)));
    }
    let days: Vec<NaiveDate> = timeline.points.iter().map(|point| point.starts_on).collect();
    let body = format!(
        "<figure>\n<figcaption>Commits</figcaption>\n{commits}</figure>\n\
         <figure>\n<figcaption>Lines <span class=\"key additions\">added</span> <span class=\"key deletions\">deleted\
         </span></figcaption>\n{lines}</figure>\n{groups}{calendar}{multiples}{left_out}{table}",
        commits = chart::render(&commits(&timeline, &days)),
        lines = chart::render(&lines(&timeline, &days)),
        groups = groups(&Weeks::of(report)),
        calendar = calendar::render(report),
        multiples = multiples::render(report),
        left_out = left_out(&timeline),
        table = table(report),
    );
    section("trend", "Weekly trend", &lead(&timeline), &body)
}

fn lead(timeline: &Timeline) -> String {
    match timeline.weeks_per_point {
        1 => "Each point is a week, by author time; merges are not in it.".to_owned(),
        n => format!("Each point sums {n} weeks, by author time; merges are not in it."),
    }
}

fn commits<'a>(timeline: &Timeline, days: &'a [NaiveDate]) -> Chart<'a> {
    Chart {
        id: "commits-chart",
        title: "Commits over time",
        description: description(timeline, "commits", |point| point.commits),
        series: vec![series("commits", Side::Up, timeline, |point| point.commits)],
        along: Along::Days(days),
        suffix: "",
        tips: tips(timeline, |point| counted(point.commits, "commit", "commits")),
    }
}

fn lines<'a>(timeline: &Timeline, days: &'a [NaiveDate]) -> Chart<'a> {
    let added = description(timeline, "lines added", |point| point.additions);
    let deleted = description(timeline, "lines deleted", |point| point.deletions);
    Chart {
        id: "lines-chart",
        title: "Lines added and deleted over time",
        description: format!("{added} {deleted}"),
        series: vec![
            series("additions", Side::Up, timeline, |point| point.additions),
            series("deletions", Side::Down, timeline, |point| point.deletions),
        ],
        along: Along::Days(days),
        suffix: "",
        tips: tips(timeline, |point| {
            format!("{} added, {} deleted", grouped(point.additions), grouped(point.deletions))
        }),
    }
}

/// Lines of source files and people at work, where the weeks of the groups are known.
fn groups(weeks: &Weeks) -> String {
    if weeks.rows.is_empty() {
        return String::new();
    }
    let (added, deleted) = (weeks.sums(|row| row.source_additions), weeks.sums(|row| row.source_deletions));
    // People of several weeks cannot be summed: the busiest week speaks for its point.
    let mut people = vec![0_u64; weeks.days.len()];
    for (place, row) in &weeks.rows {
        people[*place] = people[*place].max(row.developers);
    }
    let points = 0..weeks.days.len();
    let of_lines = |i: usize| {
        format!("{}: {} added, {} deleted", weeks.label(i), grouped(added[i]), grouped(deleted[i]))
    };
    let of_people = |i: usize| format!("{}: {}", weeks.label(i), counted(people[i], "person", "people"));
    let line_tips = points.clone().map(of_lines).collect();
    let people_tips = points.map(of_people).collect();
    let known = |values: Vec<u64>| values.into_iter().map(Some).collect();
    let people_series = vec![Series { class: "people", side: Side::Up, values: known(people) }];
    let lines = Chart {
        id: "source-chart",
        title: "Lines of source added and deleted over time",
        description: "Vendored, generated, documentation and configured files are left out.".to_owned(),
        series: vec![
            Series { class: "additions", side: Side::Up, values: known(added) },
            Series { class: "deletions", side: Side::Down, values: known(deleted) },
        ],
        along: Along::Days(&weeks.days),
        suffix: "",
        tips: line_tips,
    };
    let people = Chart {
        id: "people-chart",
        title: "People with a commit over time",
        description: "Distinct people in a week, bots left out.".to_owned(),
        series: people_series,
        along: Along::Days(&weeks.days),
        suffix: "",
        tips: people_tips,
    };
    let most = if weeks.timeline.weeks_per_point > 1 { ", the most of any week of a point" } else { "" };
    format!(
        "<figure>\n<figcaption>Lines of source <span class=\"key additions\">added</span> <span class=\"key \
         deletions\">deleted</span></figcaption>\n{}</figure>\n<figure>\n<figcaption>People in a week{most}\
         </figcaption>\n{}</figure>\n",
        chart::render(&lines),
        chart::render(&people)
    )
}

fn series(class: &'static str, side: Side, timeline: &Timeline, value: impl Fn(&Point) -> u64) -> Series {
    Series { class, side, values: timeline.points.iter().map(|point| Some(value(point))).collect() }
}

fn description(timeline: &Timeline, noun: &str, value: impl Fn(&Point) -> u64) -> String {
    let points = &timeline.points;
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return String::new();
    };
    // The latest of equals, as people look at the end of a line first.
    let highest = points.iter().max_by_key(|point| value(point)).unwrap_or(last);
    format!(
        "From {} to {}. Most {noun}: {}, from {}. Latest: {}.",
        day(first.starts_on),
        day(last.starts_on),
        grouped(value(highest)),
        day(highest.starts_on),
        grouped(value(last)),
    )
}

fn tips(timeline: &Timeline, text: impl Fn(&Point) -> String) -> Vec<String> {
    timeline
        .points
        .iter()
        .map(|point| {
            let day = day(point.starts_on);
            match timeline.weeks_per_point {
                1 => format!("Week of {day}: {}", text(point)),
                n => format!("{n} weeks from {day}: {}", text(point)),
            }
        })
        .collect()
}

fn day(day: NaiveDate) -> String {
    day.format("%-d %b %Y").to_string()
}

fn left_out(timeline: &Timeline) -> String {
    match timeline.weeks_left_out {
        0 => String::new(),
        n => format!(
            "<p class=\"note\">Not drawn for an implausible date: {}. The totals and <code>weeks.csv</code> have \
             them.</p>\n",
            counted(n, "week", "weeks")
        ),
    }
}

fn table(report: &Report) -> String {
    let weeks = timeline::plausible(&report.weeks).weeks;
    let last = &weeks[weeks.len().saturating_sub(MAX_WEEKS)..];
    let title = match last.len() {
        n if n < weeks.len() => format!("Last {n} weeks in numbers"),
        _ => "The weeks in numbers".to_owned(),
    };
    let columns = [
        Column::Text("Week"),
        Column::Text("Starts on"),
        Column::Number("Commits"),
        Column::Number("Merges"),
        Column::Number("Developers"),
        Column::Number("Lines added"),
        Column::Number("Lines deleted"),
        Column::Number("Files changed"),
    ];
    let table = table::table(&title, &columns, last.iter().rev().map(|week| row(week)));
    format!(
        "<details>\n<summary>{title}</summary>\n{table}<p class=\"note\">Newest first. All weeks are in \
         <code>weeks.csv</code> and in the JSON report.</p>\n</details>\n"
    )
}

fn row(row: &WeekRow) -> String {
    let week = html(&row.week);
    let starts_on = html(&row.starts_on);
    let numbers: String =
        [row.commits, row.merges, row.developers, row.additions, row.deletions, row.files_changed]
            .into_iter()
            .map(|n| table::number(Some(n)))
            .collect();
    format!("<tr><th scope=\"row\">{week}</th><td>{starts_on}</td>{numbers}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn implausible_weeks_are_told() {
        let text = render(&sample::rich());
        assert!(text.contains("Not drawn for an implausible date: 2 weeks."));
        assert!(text.contains("Most commits: 900, from 12 Oct 2026. Latest: 900."));
    }

    #[test]
    fn long_histories_join_weeks() {
        let text = render(&sample::large(1_000, 3, 1));
        assert!(text.contains("Each point sums 4 weeks"));
        assert_eq!(text.matches("data-t=").count(), 1_000);
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert!(render(&sample::empty()).contains("No week with a date that can be drawn."));
    }
}
