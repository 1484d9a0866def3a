//! A calendar of commits: a row for each year, a box for each ISO week.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::report::html::heat::{SHADES, shade};
use crate::report::model::Report;
use crate::report::number::{counted, grouped};
use crate::report::timeline;

/// A screen is not higher; the newest years are shown.
const MAX_YEARS: usize = 20;
const WEEKS: usize = 53;

/// Returns the calendar; nothing where no plausible week has a commit.
pub(super) fn render(report: &Report) -> String {
    let mut years: BTreeMap<i32, [u64; WEEKS]> = BTreeMap::new();
    for row in timeline::plausible(&report.weeks).weeks {
        let Ok(monday) = NaiveDate::parse_from_str(&row.starts_on, "%Y-%m-%d") else { continue };
        let week = monday.iso_week();
        let of_year = years.entry(week.year()).or_insert([0; WEEKS]);
        of_year[week.week0() as usize] = row.commits;
    }
    let highest = years.values().flatten().copied().max().unwrap_or(0);
    if highest == 0 {
        return String::new();
    }
    let n_years = years.len();
    let rows: String = years
        .iter()
        .skip(n_years.saturating_sub(MAX_YEARS))
        .map(|(year, weeks)| year_row(*year, weeks, highest))
        .collect();
    let shades: String = (0..=SHADES).map(|shade| format!("<i class=\"h{shade}\"></i>")).collect();
    format!(
        "<figure>\n<figcaption>Commits by week of the year <span class=\"shades\" aria-hidden=\"true\">fewer {shades} more\
         </span></figcaption>\n<div class=\"calendar\" role=\"img\" aria-label=\"Commits by week, a row for each of {n}; \
         the weeks in numbers are in the table below\">\n{rows}</div>\n</figure>\n",
        n = counted(n_years as u64, "year", "years"),
    )
}

fn year_row(year: i32, weeks: &[u64; WEEKS], highest: u64) -> String {
    // Most years end with week 52.
    let n_weeks = NaiveDate::from_ymd_opt(year, 12, 28).map_or(WEEKS, |day| day.iso_week().week() as usize);
    let boxes: String = weeks
        .iter()
        .take(n_weeks)
        .enumerate()
        .map(|(i, commits)| match commits {
            0 => "<i class=\"h0\"></i>".to_owned(),
            n => {
                format!("<i class=\"h{}\" title=\"W{:02}: {}\"></i>", shade(*n, highest), i + 1, grouped(*n))
            }
        })
        .collect();
    format!("<div><b>{year}</b>{boxes}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn years_have_their_52_or_53_weeks() {
        let text = render(&sample::large(120, 20, 3));
        assert_eq!(text.matches("<div><b>").count(), 3);
        // 2026 is a long year.
        let last = &text[text.find("<b>2026</b>").unwrap()..];
        assert_eq!(last[..last.find("</div>").unwrap()].matches("<i class").count(), 53);
        assert!(render(&sample::rich()).contains("title=\"W42: 900\""));
        assert_eq!(render(&sample::empty()), "");
    }
}
