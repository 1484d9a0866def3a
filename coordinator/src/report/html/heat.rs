//! Who committed in which week: developers by weeks, the number in the cell and its size as the shade.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, Days, NaiveDate};

use crate::report::escape::html_name;
use crate::report::model::Report;
use crate::report::number::grouped;
use crate::report::timeline;

const MAX_DEVELOPERS: usize = 15;
const MAX_WEEKS: u64 = 26;
/// Shades above none; the style sheet has as many.
pub(super) const SHADES: u32 = 5;

/// Returns the map of the last weeks; nothing where no developer committed in them.
pub(super) fn render(report: &Report) -> String {
    let mondays = mondays(report);
    let people = people(report, &mondays);
    if people.is_empty() {
        return String::new();
    }
    let highest = people.iter().flat_map(|person| &person.weeks).copied().max().unwrap_or(0);
    let rows: String = people.iter().map(|person| row(person, highest)).collect();
    let title = match mondays.len() {
        1 => "Commits by week: most active in the last week".to_owned(),
        n => format!("Commits by week: most active in the last {n} weeks"),
    };
    let shades: String = (0..=SHADES).map(|shade| format!("<i class=\"h{shade}\"></i>")).collect();
    format!(
        "<figure>\n<figcaption>{title} <span class=\"shades\" aria-hidden=\"true\">fewer {shades} more</span>\
         </figcaption>\n<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n\
         <table class=\"heat\">\n<caption>{title}</caption>\n<thead>\n<tr><td></td>{months}</tr>\n\
         <tr><th scope=\"col\">Week</th>{weeks}</tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n</figure>\n",
        months = months(&mondays),
        weeks = weeks(&mondays),
    )
}

struct Person<'a> {
    name: &'a str,
    email: &'a str,
    commits: u64,
    /// Commits in each of the weeks.
    weeks: Vec<u64>,
}

/// Returns the Mondays of the last plausible weeks, ascending, weeks without commits included.
fn mondays(report: &Report) -> Vec<NaiveDate> {
    let weeks = timeline::plausible(&report.weeks).weeks;
    let day = |starts_on: &str| NaiveDate::parse_from_str(starts_on, "%Y-%m-%d").ok();
    let (Some(first), Some(last)) =
        (weeks.first().and_then(|row| day(&row.starts_on)), weeks.last().and_then(|row| day(&row.starts_on)))
    else {
        return Vec::new();
    };
    (0..MAX_WEEKS).rev().map(|back| last - Days::new(back * 7)).filter(|monday| *monday >= first).collect()
}

fn people<'a>(report: &'a Report, mondays: &[NaiveDate]) -> Vec<Person<'a>> {
    let columns: HashMap<String, usize> =
        mondays.iter().enumerate().map(|(i, monday)| (iso_week(*monday), i)).collect();
    let mut people: BTreeMap<(&str, &str), Person<'a>> = BTreeMap::new();
    for row in &report.developer_weeks {
        let Some(column) = columns.get(&row.week) else {
            continue;
        };
        let person = people.entry((&row.name, &row.email)).or_insert_with(|| Person {
            name: &row.name,
            email: &row.email,
            commits: 0,
            weeks: vec![0; mondays.len()],
        });
        person.commits = person.commits.saturating_add(row.commits);
        person.weeks[*column] = person.weeks[*column].saturating_add(row.commits);
    }
    let mut people: Vec<Person<'a>> = people.into_values().collect();
    // Stable: equals stay in the order of their names.
    people.sort_by_key(|person| std::cmp::Reverse(person.commits));
    people.truncate(MAX_DEVELOPERS);
    people
}

fn iso_week(monday: NaiveDate) -> String {
    monday.format("%G-W%V").to_string()
}

fn row(person: &Person<'_>, highest: u64) -> String {
    let cells: String = person
        .weeks
        .iter()
        .map(|n| match n {
            0 => "<td class=\"h0\"></td>".to_owned(),
            n => format!("<td class=\"h{}\">{}</td>", shade(*n, highest), grouped(*n)),
        })
        .collect();
    let name = html_name(person.name);
    // Two people may share a name; the e-mail tells them apart.
    let email = html_name(person.email);
    format!("<tr><th scope=\"row\" title=\"{email}\"><bdi>{name}</bdi></th>{cells}</tr>\n")
}

/// Returns the shade by the root of the number, as a few busy weeks would leave all others pale.
pub(super) fn shade(n: u64, highest: u64) -> u32 {
    let root = (n as f64 / highest.max(1) as f64).sqrt();
    ((root * f64::from(SHADES)).ceil() as u32).clamp(1, SHADES)
}

fn months(mondays: &[NaiveDate]) -> String {
    mondays
        .chunk_by(|a, b| a.month() == b.month())
        .map(|month| {
            // A single week is too narrow for more than its month.
            let format = if month.len() < 3 { "%b" } else { "%b %Y" };
            format!("<th scope=\"colgroup\" colspan=\"{}\">{}</th>", month.len(), month[0].format(format))
        })
        .collect()
}

fn weeks(mondays: &[NaiveDate]) -> String {
    mondays
        .iter()
        .map(|monday| {
            let week = monday.format("%V");
            format!(
                "<th scope=\"col\"><abbr title=\"Week of {}\">{week}</abbr></th>",
                monday.format("%-d %b %Y")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn shades_grow_with_the_number() {
        fn check(n: u64, highest: u64, expect: u32) {
            assert_eq!(shade(n, highest), expect, "{n} of {highest}");
        }
        check(1, 1, 5);
        check(1, 100, 1);
        check(10, 100, 2);
        check(100, 100, 5);
        check(u64::MAX, u64::MAX, 5);
    }

    #[test]
    fn the_map_has_its_full_width() {
        let text = render(&sample::large(90, 40, 6));
        assert_eq!(text.matches("<th scope=\"col\"><abbr").count(), 26);
        assert_eq!(text.matches("<th scope=\"row\"").count(), 15);
        assert_eq!(text.matches("<td class=\"h").count(), 26 * 15);
    }

    #[test]
    fn the_future_does_not_stretch_the_map() {
        let text = render(&sample::rich());
        assert_eq!(text.matches("<th scope=\"col\"><abbr").count(), 3);
        assert_eq!(render(&sample::empty()), "");
    }
}
